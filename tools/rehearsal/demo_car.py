"""A rehearsal with the stack on this machine: a CSMS, a charge point and a car of ours, and an invitation for the SCSP.

What it needs beside the rehearsal itself are the packages of development (`make setup`).
"""

import secrets
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from decimal import Decimal

from ocpi_bridge.domain.preferences import CHARGING_PREFERENCES_CAPABLE
from ocpi_bridge.domain.stations import CHARGING_PROFILE_CAPABLE, Station
from tools.charge_point import Behaviour, MeterSample, SilentChargePoint
from tools.counterparts.json_types import JsonObject
from tools.demo.world import DRIVER_TAG, GENEROUS_RATE, Invitation, World, three_phase_station
from tools.demo_csms import DemoCsms
from tools.local_stack import LocalStack

# The `timeout` told to us (s): enough for cold functions on a slow machine.
RESULT_TIMEOUT = 90
# One outlet for a session that is over, one for the session that is steered.
FORMER, PRESENT = 1, 2
# What the charge point limits itself to before anybody has set a profile: that is nobody's affair (14.4.2.4).
EARLY_LIMIT = 9_000
METERED_WH = 600


@dataclass(frozen=True, slots=True)
class DemoCar:
    """A car at a charge point of ours. Implements Car."""

    csms: DemoCsms
    charge_point: SilentChargePoint

    def arrive(self) -> str:
        """A short session at one outlet, and one that goes on at the other."""
        self.charge_point.start_transaction(FORMER, DRIVER_TAG)
        self.charge_point.stop_transaction(FORMER)
        self.charge_point.start_transaction(PRESENT, DRIVER_TAG)
        self.limit(EARLY_LIMIT)
        self.limit(None)
        return f"{self.charge_point.station_id}-{PRESENT}"

    def charge(self) -> None:
        """MeterValues."""
        self.charge_point.send_meter_values(MeterSample(energy_wh=Decimal(METERED_WH)), PRESENT)

    def limit(self, watts: int | None) -> None:
        """The charge point's own limit changes, and the CSMS tells."""
        self.charge_point.own_limit_w = None if watts is None else Decimal(watts)
        limit: JsonObject = {"source": "Other"}
        if watts is not None:
            periods = [{"startPeriod": 0, "limit": watts}]
            limit["schedule"] = {"chargingRateUnit": "W", "chargingSchedulePeriod": periods}
        station_id = self.charge_point.station_id
        self.csms.tell("charging_limit.changed", station_id, connector_id=PRESENT, data={"limit": limit})

    def leave(self) -> None:
        """StopTransaction."""
        self.charge_point.stop_transaction(PRESENT)


@dataclass(frozen=True, slots=True)
class DemoSite:
    """The car, and what a partner needs to register itself with the stack."""

    car: DemoCar
    invitation: Invitation


def _station(name: str) -> Station:
    """Two outlets that take charging preferences, so that the answer to them is seen."""
    station = three_phase_station(f"CP-{name}", connectors=2, location_id=f"LOC-{name}")
    capabilities = frozenset({CHARGING_PROFILE_CAPABLE, CHARGING_PREFERENCES_CAPABLE})
    return replace(station, evses=tuple(replace(evse, capabilities=capabilities) for evse in station.evses))


@contextmanager
def demo_site(stack: LocalStack) -> Iterator[DemoSite]:
    """Registers CSMS, station and partner under names of their own, and takes the last two out again in the end."""
    name = f"REHEARSAL-{secrets.token_hex(3)}"
    station = _station(name)
    world = World(
        stack,
        [station],
        result_timeout=RESULT_TIMEOUT,
        rate=GENEROUS_RATE,
        csms_id=f"csms-{name}",
        partner_id=f"partner-{name}",
        # The embedded AWS sends one command at a time; the station need not be asked what it takes.
        change_csms=lambda csms: replace(csms, asks_capabilities=False),
        handshake=True,
    )
    with ExitStack() as running:
        running.enter_context(world)
        running.callback(world.unregister)
        charge_point = running.enter_context(
            SilentChargePoint(world.csms.ocpp_url, station.station_id, behaviour=Behaviour.FOLLOWING)
        )
        if world.invitation is None:
            raise RuntimeError("a world with a handshake has an invitation")
        yield DemoSite(DemoCar(world.csms, charge_point), world.invitation)
