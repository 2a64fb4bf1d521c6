"""Reading MeterValues (OCPP 1.6, 4.7 and 7.31): registers in Wh, power in W, current in A per phase."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal, InvalidOperation

from tools.counterparts.json_types import JsonObject, as_list, as_object, as_text
from tools.demo_csms.transactions import read_time

PHASES = ("L1", "L2", "L3")
KILO = Decimal(1000)


@dataclass(slots=True)
class MeterReading:
    """The newest value of each measurand; lists go by phase L1, L2, L3 up to the last phase that was reported."""

    at: datetime
    meter_wh: Decimal | None = None
    power_w: Decimal | None = None
    current_a: list[Decimal] = field(default_factory=list)
    voltage_v: list[Decimal] = field(default_factory=list)
    offered_a: Decimal | None = None
    soc: Decimal | None = None

    def data(self) -> JsonObject:
        """The fields of an event's `data`; what was not measured is left out."""
        values: JsonObject = {
            "meter_wh": self.meter_wh,
            "power_w": self.power_w,
            "current_a": self.current_a or None,
            "voltage_v": self.voltage_v or None,
            "offered_a": self.offered_a,
            "soc": self.soc,
        }
        return {name: value for name, value in values.items() if value is not None}


def read_meter(payload: JsonObject) -> MeterReading:
    """Read the payload of MeterValues; a later element of `meterValue` overrides an earlier one."""
    reading = MeterReading(at=read_time(None))
    for element in as_list(payload.get("meterValue")):
        meter_value = as_object(element)
        reading.at = read_time(meter_value.get("timestamp"))
        samples: dict[str, dict[str, Decimal]] = {}
        for measurand, phase, value in _samples(meter_value):
            samples.setdefault(measurand, {})[phase] = value
        _apply(reading, samples)
    return reading


def _samples(meter_value: JsonObject) -> Iterator[tuple[str, str, Decimal]]:
    for element in as_list(meter_value.get("sampledValue")):
        sampled = as_object(element)
        value = _decimal(sampled)
        if value is None:
            continue
        unit = as_text(sampled.get("unit")) or "Wh"
        phase = (as_text(sampled.get("phase")) or "").removesuffix("-N")
        # OCPP 1.6, 7.43: without a measurand it is the register of imported energy.
        measurand = as_text(sampled.get("measurand")) or "Energy.Active.Import.Register"
        yield measurand, phase, value * KILO if unit in {"kWh", "kW"} else value


def _decimal(sampled: JsonObject) -> Decimal | None:
    if sampled.get("format") == "SignedData":
        return None
    try:
        value = Decimal(as_text(sampled.get("value")) or "")
    except InvalidOperation:
        return None
    return value if value.is_finite() else None


def _apply(reading: MeterReading, samples: dict[str, dict[str, Decimal]]) -> None:
    for measurand, by_phase in samples.items():
        match measurand:
            case "Energy.Active.Import.Register":
                reading.meter_wh = _total(by_phase)
            case "Power.Active.Import":
                reading.power_w = _total(by_phase)
            case "Current.Import":
                reading.current_a = _per_phase(by_phase)
            case "Voltage":
                reading.voltage_v = _per_phase(by_phase)
            case "Current.Offered":
                reading.offered_a = max(by_phase.values())
            case "SoC":
                reading.soc = next(iter(by_phase.values()))


def _total(by_phase: dict[str, Decimal]) -> Decimal:
    return by_phase[""] if "" in by_phase else sum(by_phase.values(), Decimal(0))


def _per_phase(by_phase: dict[str, Decimal]) -> list[Decimal]:
    reported = [index for index, phase in enumerate(PHASES) if phase in by_phase]
    if not reported:
        return [by_phase[""]] if "" in by_phase else []
    return [by_phase.get(phase, Decimal(0)) for phase in PHASES[: reported[-1] + 1]]
