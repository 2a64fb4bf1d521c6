"""Charge points for the demo and the tests: a third-party one, and one that answers smart charging as told.

`ChargePoint` runs kirby-ocpp from npm, which none of us wrote: stateful OCPP 1.6J smart charging. `SilentChargePoint`
is ours and shows what the field also does: silence, refusals, late or empty answers.
"""

from tools.charge_point.car import Car
from tools.charge_point.errors import (
    CallRefusedError,
    ChargePointError,
    CommandFailedError,
    NodeNotFoundError,
    TransactionRefusedError,
)
from tools.charge_point.kirby import ChargePoint, ConnectorState, LogEvent, StationState
from tools.charge_point.meter import MeterSample
from tools.charge_point.silent import Behaviour, SilentChargePoint

__all__ = [
    "Behaviour",
    "CallRefusedError",
    "Car",
    "ChargePoint",
    "ChargePointError",
    "CommandFailedError",
    "ConnectorState",
    "LogEvent",
    "MeterSample",
    "NodeNotFoundError",
    "SilentChargePoint",
    "StationState",
    "TransactionRefusedError",
]
