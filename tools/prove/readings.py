"""Meter values of the cars, one after the other: events, sessions and pushes go on beside everything else."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import cycle
from threading import Event

from tools.charge_point.meter import MeterSample
from tools.counterparts.clock import utc_now
from tools.prove.place import Place

# What a meter shows: 11 kW on three phases, and a register that rises.
POWER_W = Decimal(11_000)
WH_PER_READING = Decimal(10)


@dataclass(frozen=True, slots=True)
class Reading:
    """A meter value that the CSMS took: when it left the charge point, and the register (Wh)."""

    at: datetime
    session_id: str
    energy_wh: Decimal


class Readings:
    """Sends them, and keeps in `sent` what was taken. All cars take turns, unless their number is limited."""

    def __init__(self, place: Place) -> None:
        self.sent: list[Reading] = []
        self._cars = list(zip(place.outlets, place.sessions, strict=True))
        self._turns = cycle(self._cars)
        self._energy = Decimal(0)

    def limit_to(self, cars: int) -> None:
        """From now on the first so many cars."""
        self._turns = cycle(self._cars[:cars])

    def send(self, _over: Event) -> None:
        """A meter value of the next car."""
        (point, connector), session_id = next(self._turns)
        self._energy += WH_PER_READING
        at = utc_now()
        try:
            point.send_meter_values(MeterSample(energy_wh=self._energy, power_w=POWER_W), connector)
        except (ConnectionError, TimeoutError):
            # A charge point that is offline now keeps it to itself.
            return
        self.sent.append(Reading(at, session_id, self._energy))
