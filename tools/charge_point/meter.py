"""MeterValues with chosen power and phases (OCPP 1.6, 4.7)."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from tools.counterparts.clock import write_datetime
from tools.counterparts.json_types import JsonObject

NOMINAL_VOLTAGE = Decimal(230)
PHASES = ("L1", "L2", "L3")


@dataclass(frozen=True, slots=True)
class MeterSample:
    """What a meter shows: register in Wh, total power in W, spread evenly over the phases that carry current.

    `phases` counts the phases in use of a three-phase meter; the others read 0 A. `offered_a` is what the station
    offers per phase, `soc` the car's state of charge in percent.
    """

    energy_wh: Decimal = Decimal(0)
    power_w: Decimal = Decimal(0)
    phases: int = 3
    offered_a: Decimal | None = None
    soc: int | None = None

    def currents(self) -> tuple[Decimal, ...]:
        """Current per phase L1, L2, L3 in A, to one tenth."""
        if not 1 <= self.phases <= len(PHASES):
            raise ValueError("one to three phases")
        used = (self.power_w / (NOMINAL_VOLTAGE * self.phases)).quantize(Decimal("0.1"))
        return tuple(used if index < self.phases else Decimal(0) for index in range(len(PHASES)))


def meter_value(sample: MeterSample, at: datetime) -> JsonObject:
    """One element of the list `meterValue`."""
    sampled = [
        _sampled("Energy.Active.Import.Register", sample.energy_wh, "Wh"),
        _sampled("Power.Active.Import", sample.power_w, "W"),
        *(
            _sampled("Current.Import", current, "A", phase=phase)
            for phase, current in zip(PHASES, sample.currents(), strict=True)
        ),
        *(_sampled("Voltage", NOMINAL_VOLTAGE, "V", phase=f"{phase}-N") for phase in PHASES),
    ]
    if sample.offered_a is not None:
        sampled.append(_sampled("Current.Offered", sample.offered_a, "A"))
    if sample.soc is not None:
        sampled.append(_sampled("SoC", Decimal(sample.soc), "Percent"))
    return {"timestamp": write_datetime(at), "sampledValue": sampled}


def _sampled(measurand: str, value: Decimal, unit: str, phase: str | None = None) -> JsonObject:
    sampled: JsonObject = {"value": str(value), "measurand": measurand, "unit": unit, "context": "Sample.Periodic"}
    return sampled if phase is None else {**sampled, "phase": phase}
