"""What the calls of an OCPP 2.0.1 station say (part 2, E and J). Pure; raises InvalidInput for what breaks the rules."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from ocpi_bridge.adapters.csms.frames.fields import Instant, Outlet, Payload, Text, Whole, id_token, read_payload
from ocpi_bridge.adapters.csms.frames.meter import TimedReading, newest, read_meter_values
from ocpi_bridge.domain.errors import InvalidInput
from ocpi_bridge.domain.events import ChargingState, EventType, IdToken, Reading
from ocpi_bridge.domain.values import dataclass
from ocpi_bridge.ports.json_values import JsonObject

# 2.62: the reason may be left out where it is Local.
_LOCAL = "Local"
_RATE_CHANGED, _REMOTE_START = "ChargingRateChanged", "RemoteStart"

_TYPES: Mapping[str, EventType] = {
    "Started": EventType.TRANSACTION_STARTED,
    "Updated": EventType.TRANSACTION_UPDATED,
    "Ended": EventType.TRANSACTION_ENDED,
}
# IdTokenEnumType to OCPI's TokenType: cards, and the contract of a car (Plug & Charge), whose id is the contract's.
_CARDS = frozenset({"ISO14443", "ISO15693"})
_CONTRACT, _NOBODY = "eMAID", "NoAuthorization"


@dataclass(frozen=True, slots=True)
class Transaction:
    """TransactionEvent. `first` is the oldest reading where an end brings several.

    `rate_changed`: the station charges at another rate, for whatever reason (trigger_reason).
    """

    type: EventType
    at: datetime
    transaction_id: str
    evse_id: int | None
    connector_id: int | None
    token: IdToken | None
    remote: bool
    state: ChargingState | None
    stop_reason: str | None
    reading: Reading
    first: TimedReading | None
    rate_changed: bool


@dataclass(frozen=True, slots=True)
class MeterValues:
    """MeterValues of an EVSE outside a transaction's own events; EVSE 0 is the station's main meter."""

    evse_id: int
    readings: Sequence[TimedReading]


class _TransactionInfo(Payload):
    transaction_id: Text
    charging_state: str | None = None
    stopped_reason: Text | None = None
    remote_start_id: Whole | None = None


class _Evse(Payload):
    id: Outlet
    connector_id: Outlet | None = None


class _IdToken(Payload):
    id_token: str = ""
    type: str = ""


class _TransactionEvent(Payload):
    event_type: str
    timestamp: Instant
    trigger_reason: str = ""
    transaction_info: _TransactionInfo
    evse: _Evse | None = None
    id_token: _IdToken | None = None
    meter_value: Any = None


class _MeterValues(Payload):
    evse_id: Outlet
    meter_value: Any = None


def transaction(payload: JsonObject) -> Transaction:
    """TransactionEvent (E01 to E15)."""
    said = read_payload(_TransactionEvent, payload)
    kind = _TYPES.get(said.event_type)
    if kind is None:
        raise InvalidInput("eventType", "is none of Started, Updated and Ended")
    info, gathered = said.transaction_info, read_meter_values(said.meter_value, said.timestamp)
    last = Reading()
    for one in gathered:
        last = newest(last, one.reading)
    ended = kind is EventType.TRANSACTION_ENDED
    return Transaction(
        type=kind,
        at=said.timestamp,
        transaction_id=info.transaction_id,
        evse_id=(said.evse.id or None) if said.evse else None,
        connector_id=(said.evse.connector_id or None) if said.evse else None,
        token=_token(said.id_token),
        remote=info.remote_start_id is not None or said.trigger_reason == _REMOTE_START,
        state=_state(info.charging_state),
        stop_reason=(info.stopped_reason or _LOCAL) if ended else None,
        reading=last,
        first=gathered[0] if ended and gathered and gathered[0].at < said.timestamp else None,
        rate_changed=said.trigger_reason == _RATE_CHANGED,
    )


def metered(payload: JsonObject, otherwise: datetime) -> MeterValues:
    """MeterValues (J01)."""
    said = read_payload(_MeterValues, payload)
    return MeterValues(said.evse_id, read_meter_values(said.meter_value, otherwise))


def _state(name: str | None) -> ChargingState | None:
    return ChargingState(name) if name in set(ChargingState) else None


def _token(said: _IdToken | None) -> IdToken | None:
    if said is None or said.type == _NOBODY:
        return None
    if said.type == _CONTRACT:
        return id_token(said.id_token, "OTHER", said.id_token)
    return id_token(said.id_token, "RFID" if said.type in _CARDS else "OTHER")
