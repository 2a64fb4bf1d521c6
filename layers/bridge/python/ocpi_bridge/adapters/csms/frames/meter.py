"""MeterValues of OCPP 1.6 (7.31, 7.43 to 7.46) and 2.0.1 (2.40 to 2.43) as readings.

Values of 1.6 are text, those of 2.0.1 numbers with a multiplier. What cannot be read, or is beyond what a station can
mean, is left out: a bad value must not hide the good ones beside it. Signed values are for billing and left alone.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, replace
from datetime import datetime
from decimal import Decimal

from ocpi_bridge.adapters.csms.frames.plain_fields import read_instant
from ocpi_bridge.domain.events import Reading
from ocpi_bridge.domain.values import dataclass
from ocpi_bridge.ocpp.responses import read_number
from ocpi_bridge.ports.json_values import JsonObject, JsonValue

# What an offline station has gathered comes at once; the oldest one and the newest ones tell a session well enough.
MAX_READINGS = 20

REGISTER = "Energy.Active.Import.Register"
_PHASES = ("L1", "L2", "L3")
_KILO = {"kWh": 3, "kW": 3}
# The car's side of the outlet is what a session is about; stations that measure elsewhere only are believed all the same.
_NEAREST = ("Outlet", "Inlet", "Cable", "EV", "Body")
# Powers of ten (unitOfMeasure.multiplier): from pico to tera.
_MAX_MULTIPLIER = 12
# Above every bound below in any unit; larger ones are no measurements, and arithmetic on them might have no end.
_MAX_VALUE = Decimal(10) ** 15
_TO_THE_THOUSANDTH = Decimal("0.001")

# What a station can mean: 10 GWh on the register, 10 MW, 10 kA, 2 kV.
_BOUNDS: Mapping[str, tuple[int, int]] = {
    REGISTER: (0, 10_000_000_000),
    "Power.Active.Import": (-10_000_000, 10_000_000),
    "Power.Offered": (0, 10_000_000),
    "Current.Import": (-10_000, 10_000),
    "Current.Offered": (0, 10_000),
    "Voltage": (0, 2_000),
    "SoC": (0, 100),
}

_ByPhase = dict[str, Decimal]


@dataclass(frozen=True, slots=True)
class TimedReading:
    """What the meter said at an instant."""

    at: datetime
    reading: Reading


def read_meter_values(listed: JsonValue, otherwise: datetime) -> Sequence[TimedReading]:
    """The readings of a list `meterValue`, oldest first; those of one instant are one reading, empty ones are left out.

    `otherwise` is the instant of readings that have none.
    """
    by_instant: dict[datetime, Reading] = {}
    for element in _objects(listed):
        at = read_instant(element.get("timestamp")) or otherwise
        reading = _reading(_samples(element.get("sampledValue")))
        by_instant[at] = newest(by_instant.get(at, Reading()), reading)
    read = [TimedReading(at, reading) for at, reading in sorted(by_instant.items()) if reading != Reading()]
    return read if len(read) <= MAX_READINGS else [read[0], *read[1 - MAX_READINGS :]]


def newest(before: Reading, after: Reading) -> Reading:
    """The newer value of each measurand."""
    told = {field.name: getattr(after, field.name) for field in fields(Reading)}
    return replace(before, **{name: value for name, value in told.items() if value not in (None, ())})


def within_bounds(measurand: str, value: Decimal) -> Decimal | None:
    """The value (Wh, W, A, V, %) to its thousandth, or None where no station can mean it."""
    lowest, highest = _BOUNDS[measurand]
    return value.quantize(_TO_THE_THOUSANDTH) if lowest <= value <= highest else None


def _samples(listed: JsonValue) -> Mapping[str, _ByPhase]:
    """The values by measurand and phase, from the place that is nearest to the car."""
    found: dict[str, dict[int, _ByPhase]] = {}
    for sampled in _objects(listed):
        # 1.6, 7.43: without a measurand it is the register of imported energy.
        measurand = sampled.get("measurand") or REGISTER
        phase = _phase(sampled.get("phase"))
        if not isinstance(measurand, str) or measurand not in _BOUNDS or phase is None:
            continue
        value = _value(sampled, measurand)
        if value is not None:
            found.setdefault(measurand, {}).setdefault(_distance(sampled), {})[phase] = value
    return {measurand: places[min(places)] for measurand, places in found.items()}


def _value(sampled: JsonObject, measurand: str) -> Decimal | None:
    if sampled.get("format") == "SignedData":
        return None
    value = read_number(sampled.get("value"))
    # By comparison alone: `abs` calculates, and cannot with every number that a text can hold.
    if value is None or not -_MAX_VALUE <= value <= _MAX_VALUE:
        return None
    unit = sampled.get("unitOfMeasure")
    unit = unit if isinstance(unit, Mapping) else sampled
    multiplier = read_number(unit.get("multiplier")) or Decimal(0)
    if not -_MAX_MULTIPLIER <= multiplier <= _MAX_MULTIPLIER:
        return None
    name = unit.get("unit")
    return within_bounds(
        measurand, value.scaleb(int(multiplier) + (_KILO.get(name, 0) if isinstance(name, str) else 0))
    )


def _reading(samples: Mapping[str, _ByPhase]) -> Reading:
    offered = samples.get("Current.Offered")
    return Reading(
        meter_wh=_total(samples.get(REGISTER)),
        power_w=_total(samples.get("Power.Active.Import")),
        current_a=_currents(samples.get("Current.Import", {})),
        voltage_v=_by_phase(samples.get("Voltage", {})),
        offered_a=max(offered.values()) if offered else None,
        soc=_total(samples.get("SoC")),
        offered_w=_total(samples.get("Power.Offered")),
    )


def _total(by_phase: _ByPhase | None) -> Decimal | None:
    if not by_phase:
        return None
    return by_phase[""] if "" in by_phase else sum(by_phase.values(), Decimal(0))


def _currents(by_phase: _ByPhase) -> tuple[Decimal, ...]:
    """One without a phase is left out: it may be the sum of three, and the phases in use are counted by the currents.

    A car that were taken for a one-phase one would be offered three times its plan by stations that take A only.
    """
    return _by_phase({phase: value for phase, value in by_phase.items() if phase})


def _by_phase(by_phase: _ByPhase) -> tuple[Decimal, ...]:
    reported = [index for index, phase in enumerate(_PHASES) if phase in by_phase]
    if not reported:
        return (by_phase[""],) if "" in by_phase else ()
    return tuple(by_phase.get(phase, Decimal(0)) for phase in _PHASES[: reported[-1] + 1])


def _phase(value: JsonValue) -> str | None:
    """L1, L2, L3, or "" for all of them; None for the neutral and for what lies between two phases."""
    if value is None or value == "":
        return ""
    phase = value.removesuffix("-N") if isinstance(value, str) else ""
    return phase if phase in _PHASES else None


def _distance(sampled: JsonObject) -> int:
    place = sampled.get("location") or _NEAREST[0]
    return _NEAREST.index(place) if place in _NEAREST else len(_NEAREST)


def _objects(listed: JsonValue) -> Iterator[JsonObject]:
    if isinstance(listed, Sequence) and not isinstance(listed, str):
        yield from (element for element in listed if isinstance(element, Mapping))
