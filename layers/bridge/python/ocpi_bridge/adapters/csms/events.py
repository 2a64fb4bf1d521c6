"""The canonical event (csms.md 8b) as it stands in JSON: what a CSMS posts and what the events queue carries."""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Annotated, cast

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    WithJsonSchema,
)

from ocpi_bridge.adapters.csms.command_results import COMMAND_RESULT, CommandResult, answered, failed
from ocpi_bridge.adapters.csms.json_fields import Ampere, CiString36, Money, Percent, Volt, Watt, Wh
from ocpi_bridge.adapters.csms.limits import course_of
from ocpi_bridge.domain.errors import InvalidInput
from ocpi_bridge.domain.events import (
    ChargingState,
    EventType,
    IdToken,
    Reading,
    ReportedLimit,
    SessionStatus,
    StationEvent,
)
from ocpi_bridge.domain.prices import Price
from ocpi_bridge.domain.times import in_utc
from ocpi_bridge.domain.values import dataclass
from ocpi_bridge.ocpi.bounded_json import UnreadableJson, read_json
from ocpi_bridge.ocpi.validation import invalid_input
from ocpi_bridge.ports.json_values import JsonObject, JsonValue

# One post of a CSMS; what is larger is split by the sender. A queue message takes 256 KB.
MAX_EVENTS = 100
MAX_BODY_BYTES = 200_000

_RFC3339 = re.compile(r"\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}", re.ASCII)

# OCPP's identifiers are at most 255 characters (2.0.1), and no id of a CSMS needs more.
MAX_ID_LENGTH = 255
_Id = Annotated[str, Field(min_length=1, max_length=MAX_ID_LENGTH)]
_Connector = Annotated[int, Field(strict=True, ge=1, le=1000)]

_TYPES = (*(kind.value for kind in EventType), COMMAND_RESULT)


@dataclass(frozen=True, slots=True)
class RefusedEvent:
    """An event that cannot be read. Its ids are empty where they cannot be read either."""

    csms_id: str
    station_id: str
    event_id: str
    event_type: str
    problem: str


def _type(value: str) -> str:
    if value not in _TYPES:
        raise ValueError(f"is none of {', '.join(_TYPES)}")
    return value


def _transaction_id(value: object) -> object:
    """OCPP 1.6 has whole numbers, 2.0.1 text; both are names here."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _instant(value: object) -> object:
    """RFC 3339 text with a zone; a number would be read as seconds and hide a mistake."""
    if not (isinstance(value, str) and _RFC3339.match(value)):
        raise ValueError("is not an RFC 3339 instant with a zone")
    return value


def _utc(value: datetime) -> datetime:
    try:
        return in_utc(value)
    except OverflowError as error:
        raise ValueError("is before the first year, or after the last, in UTC") from error


class _Body(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class _IdToken(_Body):
    uid: CiString36
    type: Annotated[str, Field(pattern="^(AD_HOC_USER|APP_USER|OTHER|RFID)$")] = "RFID"
    contract_id: CiString36 | None = None


class _Price(_Body):
    excl_vat: Money
    incl_vat: Money | None = None


class _Limit(_Body):
    source: Annotated[str, Field(pattern="^(EMS|Other|SO|CSO)$")]
    schedule: dict[str, object] | None = None


class _CommandError(_Body):
    code: Annotated[str, Field(min_length=1, max_length=100)]
    description: Annotated[str, Field(max_length=1000)] = ""


class _Data(_Body):
    id_token: _IdToken | None = None
    auth_method: Annotated[str, Field(pattern="^(AUTH_REQUEST|COMMAND|WHITELIST)$")] | None = None
    meter_wh: Wh | None = None
    power_w: Watt | None = None
    current_a: Annotated[list[Ampere], Field(max_length=3)] | None = None
    voltage_v: Annotated[list[Volt], Field(max_length=3)] | None = None
    offered_a: Ampere | None = None
    offered_w: Watt | None = None
    soc: Percent | None = None
    charging_state: ChargingState | None = None
    total_cost: _Price | None = None
    status: SessionStatus | None = None
    stop_reason: Annotated[str, Field(min_length=1, max_length=50)] | None = None
    limit: _Limit | None = None
    cap_w: Annotated[Watt, Field(ge=0)] | None = None
    command_id: _Id | None = None
    payload: dict[str, object] | None = None
    error: _CommandError | None = None


class _Event(_Body):
    id: _Id
    type: Annotated[str, AfterValidator(_type), WithJsonSchema({"type": "string", "enum": [*_TYPES]})]
    time: Annotated[AwareDatetime, BeforeValidator(_instant), AfterValidator(_utc)]
    station_id: _Id
    connector_id: _Connector | None = None
    evse_id: _Connector | None = None
    evse_uid: CiString36 | None = None
    transaction_id: Annotated[_Id, BeforeValidator(_transaction_id)] | None = None
    session_id: CiString36 | None = None
    data: _Data = _Data()


class _Post(_Body):
    events: Annotated[list[_Event], Field(min_length=1, max_length=MAX_EVENTS)]


def parse_events(csms_id: str, body: bytes) -> Sequence[StationEvent | CommandResult]:
    """Reads `{"events": [...]}` of a CSMS. Raises InvalidInput naming the first offending field; all or nothing."""
    if len(body) > MAX_BODY_BYTES:
        raise InvalidInput("body", f"is longer than {MAX_BODY_BYTES} bytes; send fewer events at once")
    try:
        post = _Post.model_validate(read_json(body))
    except ValidationError as error:
        raise invalid_input(error) from error
    except UnreadableJson as error:
        raise InvalidInput("body", str(error)) from error
    return [_reported(csms_id, event, f"events.{index}") for index, event in enumerate(post.events)]


def read_each(csms_id: str, events: Sequence[JsonValue]) -> Iterator[StationEvent | CommandResult | RefusedEvent]:
    """Reads events one by one, for where nobody can be told that one of them is wrong. Numbers are int and Decimal."""
    for index, event in enumerate(events):
        path = f"events.{index}"
        try:
            yield _reported(csms_id, _Event.model_validate(event), path)
        except ValidationError as error:
            yield _refused(csms_id, event, f"{path}.{invalid_input(error)}")
        except InvalidInput as error:
            yield _refused(csms_id, event, str(error))


def _refused(csms_id: str, event: JsonValue, problem: str) -> RefusedEvent:
    said = event if isinstance(event, Mapping) else {}
    # As far as it can be kept: a lone surrogate cannot, and is not printable either.
    named = {key: value for key, value in said.items() if isinstance(value, str) and value.isprintable()}
    kind = named.get("type", "")
    return RefusedEvent(
        csms_id=csms_id,
        station_id=named.get("station_id", "")[:MAX_ID_LENGTH],
        event_id=named.get("id", "")[:MAX_ID_LENGTH],
        event_type=kind if kind in _TYPES else "",
        problem=problem,
    )


def _reported(csms_id: str, event: _Event, path: str) -> StationEvent | CommandResult:
    if event.type == COMMAND_RESULT:
        return _command_result(csms_id, event, path)
    return _station_event(csms_id, event, path)


def _command_result(csms_id: str, event: _Event, path: str) -> CommandResult:
    data = event.data
    if data.command_id is None:
        raise InvalidInput(f"{path}.data.command_id", "is missing in the result of a command")
    if data.payload is not None and data.error is None:
        body = answered(cast("JsonObject", data.payload))
    elif data.error is not None and data.payload is None:
        body = failed(data.error.code, data.error.description)
    else:
        raise InvalidInput(
            f"{path}.data.payload", "is what the charge point answered, or there is an error: one of both"
        )
    return CommandResult(event.id, event.time, csms_id, event.station_id, data.command_id, body)


def _station_event(csms_id: str, event: _Event, path: str) -> StationEvent:
    kind = EventType(event.type)
    if kind.about_a_transaction and event.transaction_id is None:
        raise InvalidInput(f"{path}.transaction_id", "is missing in an event of a transaction")
    if kind is EventType.CAP_CHANGED:
        _check_cap(event, path)
    data, token = event.data, event.data.id_token
    return StationEvent(
        event_id=event.id,
        type=kind,
        time=event.time,
        csms_id=csms_id,
        station_id=event.station_id,
        connector_id=event.connector_id,
        evse_id=event.evse_id,
        evse_uid=event.evse_uid,
        transaction_id=event.transaction_id,
        session_id=event.session_id,
        id_token=IdToken(token.uid, token.type, token.contract_id) if token else None,
        auth_method=data.auth_method,
        reading=Reading(
            meter_wh=data.meter_wh,
            power_w=data.power_w,
            current_a=tuple(data.current_a or ()),
            voltage_v=tuple(data.voltage_v or ()),
            offered_a=data.offered_a,
            offered_w=data.offered_w,
            soc=data.soc,
        ),
        charging_state=data.charging_state,
        total_cost=Price(data.total_cost.excl_vat, data.total_cost.incl_vat) if data.total_cost else None,
        told_status=data.status,
        stop_reason=data.stop_reason,
        limit=_limit(event, path),
        cap_w=data.cap_w,
    )


def _check_cap(event: _Event, path: str) -> None:
    """A cap that is forgotten in the message must not lift the one that there is, nor hit every EVSE of a station."""
    if "cap_w" not in event.data.model_fields_set:
        raise InvalidInput(f"{path}.data.cap_w", "is missing: the cap in W, or null where there is none any more")
    if event.connector_id is None and event.evse_id is None and event.evse_uid is None:
        raise InvalidInput(f"{path}.evse_uid", "is missing: a cap is an EVSE's; name it, or evse_id or connector_id")


def _limit(event: _Event, path: str) -> ReportedLimit | None:
    said = event.data.limit
    if said is None or said.schedule is None:
        return None if said is None else ReportedLimit(said.source)
    try:
        return ReportedLimit(said.source, course_of(cast("JsonObject", said.schedule), event.time))
    except ValueError as error:
        raise InvalidInput(f"{path}.data.limit.schedule", str(error)) from error
