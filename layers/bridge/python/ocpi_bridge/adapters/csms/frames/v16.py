"""What the calls of an OCPP 1.6 station say (edition 2, 4 and 6). Pure; raises InvalidInput for what breaks the rules."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from ocpi_bridge.adapters.csms.frames.fields import (
    Instant,
    Number,
    Outlet,
    Payload,
    Text,
    Whole,
    id_token,
    read_payload,
)
from ocpi_bridge.adapters.csms.frames.meter import REGISTER, TimedReading, newest, read_meter_values, within_bounds
from ocpi_bridge.domain.events import ChargingState, IdToken, Reading
from ocpi_bridge.domain.values import dataclass
from ocpi_bridge.ports.json_values import JsonObject

# 6.49: the reason may be left out where it is Local.
LOCAL = "Local"
_ACCEPTED = "Accepted"

# 4.9: ChargePointStatus while a transaction runs, in the words of 2.0.1. Other statuses say nothing of it.
_CHARGING_STATES: Mapping[str, ChargingState] = {
    "Available": ChargingState.IDLE,
    "Preparing": ChargingState.EV_CONNECTED,
    "Charging": ChargingState.CHARGING,
    "SuspendedEV": ChargingState.SUSPENDED_EV,
    "SuspendedEVSE": ChargingState.SUSPENDED_EVSE,
    "Finishing": ChargingState.EV_CONNECTED,
}


@dataclass(frozen=True, slots=True)
class Start:
    """StartTransaction; the transaction's id comes with the answer."""

    connector_id: int
    at: datetime
    token: IdToken | None
    meter_wh: Decimal | None


@dataclass(frozen=True, slots=True)
class Admission:
    """The CSMS's answer to a start. A refused one has an id too, and its station ends it by itself, or waits."""

    transaction_id: str
    accepted: bool


@dataclass(frozen=True, slots=True)
class Stop:
    """StopTransaction, with what the meter said in between; `first` is the oldest reading where there are several."""

    transaction_id: str
    at: datetime
    reason: str
    token: IdToken | None
    reading: Reading
    first: TimedReading | None


@dataclass(frozen=True, slots=True)
class MeterValues:
    """MeterValues of a connector, of which a station need not say the transaction. Connector 0 is its main meter."""

    connector_id: int
    transaction_id: str | None
    readings: Sequence[TimedReading]


@dataclass(frozen=True, slots=True)
class Status:
    """StatusNotification of a connector; `at` is None where the station does not tell it."""

    connector_id: int
    state: ChargingState | None
    at: datetime | None


class _StartTransaction(Payload):
    connector_id: Outlet
    id_tag: str = ""
    meter_start: Number | None = None
    timestamp: Instant


class _IdTagInfo(Payload):
    status: str = _ACCEPTED


class _StartTransactionResult(Payload):
    transaction_id: Whole
    id_tag_info: _IdTagInfo = _IdTagInfo()


class _StopTransaction(Payload):
    transaction_id: Whole
    id_tag: str = ""
    meter_stop: Number | None = None
    timestamp: Instant
    reason: Text = LOCAL
    transaction_data: Any = None


class _MeterValues(Payload):
    connector_id: Outlet
    transaction_id: Whole | None = None
    meter_value: Any = None


class _StatusNotification(Payload):
    connector_id: Outlet
    status: str
    timestamp: Instant | None = None


def started(payload: JsonObject) -> Start:
    """StartTransaction (4.8)."""
    said = read_payload(_StartTransaction, payload)
    return Start(said.connector_id, said.timestamp, id_token(said.id_tag), _register(said.meter_start))


def admitted(payload: JsonObject) -> Admission:
    """The CALLRESULT of StartTransaction (6.46)."""
    said = read_payload(_StartTransactionResult, payload)
    return Admission(str(said.transaction_id), said.id_tag_info.status == _ACCEPTED)


def stopped(payload: JsonObject) -> Stop:
    """StopTransaction (4.10). The register at its end is meterStop, whatever transactionData says last."""
    said = read_payload(_StopTransaction, payload)
    gathered = read_meter_values(said.transaction_data, said.timestamp)
    last = Reading()
    for one in gathered:
        last = newest(last, one.reading)
    return Stop(
        transaction_id=str(said.transaction_id),
        at=said.timestamp,
        reason=said.reason,
        token=id_token(said.id_tag),
        reading=newest(last, Reading(meter_wh=_register(said.meter_stop))),
        first=gathered[0] if gathered and gathered[0].at < said.timestamp else None,
    )


def without_readings(payload: JsonObject) -> JsonObject:
    """A StopTransaction without transactionData, which can be long."""
    return {name: value for name, value in payload.items() if name != "transactionData"}


def metered(payload: JsonObject, otherwise: datetime) -> MeterValues:
    """MeterValues (4.7). A transaction id of 0 or below is what stations write that know of none."""
    said = read_payload(_MeterValues, payload)
    known = said.transaction_id is not None and said.transaction_id > 0
    return MeterValues(
        said.connector_id,
        str(said.transaction_id) if known else None,
        read_meter_values(said.meter_value, otherwise),
    )


def notified(payload: JsonObject) -> Status:
    """StatusNotification (4.9)."""
    said = read_payload(_StatusNotification, payload)
    return Status(said.connector_id, _CHARGING_STATES.get(said.status), said.timestamp)


def _register(value: Decimal | None) -> Decimal | None:
    return None if value is None else within_bounds(REGISTER, value)
