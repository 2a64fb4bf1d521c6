"""The canonical event (csms.md 8b) as it stands in JSON: what a CSMS posts and what the events queue carries."""

import json
import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from ocpi_bridge.domain.errors import InvalidInput
from ocpi_bridge.domain.events import ChargingState, EventType, IdToken, Reading, StationEvent
from ocpi_bridge.domain.prices import Price
from ocpi_bridge.domain.times import in_utc
from ocpi_bridge.ocpi.validation import invalid_input

# One post of a CSMS; what is larger is split by the sender. A queue message takes 256 KB.
MAX_EVENTS = 100
MAX_BODY_BYTES = 200_000

_RFC3339 = re.compile(r"\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}", re.ASCII)

# OCPP's identifiers are at most 255 characters (2.0.1), and no id of a CSMS needs more.
_Id = Annotated[str, Field(min_length=1, max_length=255)]
_Connector = Annotated[int, Field(strict=True, ge=1, le=1000)]


def _transaction_id(value: object) -> object:
    """OCPP 1.6 has whole numbers, 2.0.1 text; both are names here."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _instant(value: object) -> object:
    """RFC 3339 text with a zone; a number would be read as seconds and hide a mistake."""
    if not (isinstance(value, str) and _RFC3339.match(value)):
        raise ValueError("is not an RFC 3339 instant with a zone")
    return value


def _finite(value: object) -> object:
    """JSON numbers only: a reading that comes as text is a mistake of the sender that should be seen."""
    if isinstance(value, bool) or not isinstance(value, (int, Decimal)):
        raise ValueError("is not a number")
    return value


# Bounds are what a charging station can mean: 10 GWh on the register, 10 MW, 10 kA, 2 kV, a million of any currency.
_Wh = Annotated[Decimal, BeforeValidator(_finite), Field(ge=0, le=10_000_000_000)]
_Watt = Annotated[Decimal, BeforeValidator(_finite), Field(ge=-10_000_000, le=10_000_000)]
_Ampere = Annotated[Decimal, BeforeValidator(_finite), Field(ge=-10_000, le=10_000)]
_Volt = Annotated[Decimal, BeforeValidator(_finite), Field(ge=0, le=2_000)]
_Money = Annotated[Decimal, BeforeValidator(_finite), Field(ge=-1_000_000, le=1_000_000)]
_Percent = Annotated[Decimal, BeforeValidator(_finite), Field(ge=0, le=100)]


# Partners are told these where the driver consents, as CiString(36) (16.1): printable ASCII.
_CiString36 = Annotated[str, Field(min_length=1, max_length=36, pattern="^[ -~]+$")]


class _Body(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class _IdToken(_Body):
    uid: _CiString36
    type: Annotated[str, Field(pattern="^(AD_HOC_USER|APP_USER|OTHER|RFID)$")] = "RFID"
    contract_id: _CiString36 | None = None


class _Price(_Body):
    excl_vat: _Money
    incl_vat: _Money | None = None


class _Data(_Body):
    id_token: _IdToken | None = None
    auth_method: Annotated[str, Field(pattern="^(AUTH_REQUEST|COMMAND|WHITELIST)$")] | None = None
    meter_wh: _Wh | None = None
    power_w: _Watt | None = None
    current_a: Annotated[list[_Ampere], Field(max_length=3)] | None = None
    voltage_v: Annotated[list[_Volt], Field(max_length=3)] | None = None
    offered_a: _Ampere | None = None
    soc: _Percent | None = None
    charging_state: ChargingState | None = None
    total_cost: _Price | None = None


class _Event(_Body):
    id: _Id
    type: EventType
    time: Annotated[AwareDatetime, BeforeValidator(_instant)]
    station_id: _Id
    connector_id: _Connector | None = None
    evse_id: _Connector | None = None
    transaction_id: Annotated[_Id, BeforeValidator(_transaction_id)] | None = None
    data: _Data = _Data()


class _Post(_Body):
    events: Annotated[list[_Event], Field(min_length=1, max_length=MAX_EVENTS)]


def parse_events(csms_id: str, body: bytes) -> Sequence[StationEvent]:
    """Reads `{"events": [...]}` of a CSMS. Raises InvalidInput naming the first offending field; all or nothing."""
    if len(body) > MAX_BODY_BYTES:
        raise InvalidInput("body", f"is longer than {MAX_BODY_BYTES} bytes; send fewer events at once")
    try:
        post = _Post.model_validate(json.loads(body, parse_float=Decimal, parse_constant=_no_constant))
    except ValidationError as error:
        raise invalid_input(error) from error
    except (ValueError, ArithmeticError, RecursionError) as error:
        raise InvalidInput("body", "is not valid JSON") from error
    return [_station_event(csms_id, event, index) for index, event in enumerate(post.events)]


def _station_event(csms_id: str, event: _Event, index: int) -> StationEvent:
    if event.type.about_a_transaction and event.transaction_id is None:
        raise InvalidInput(f"events.{index}.transaction_id", "is missing in an event of a transaction")
    data, token = event.data, event.data.id_token
    return StationEvent(
        event_id=event.id,
        type=event.type,
        time=in_utc(event.time),
        csms_id=csms_id,
        station_id=event.station_id,
        connector_id=event.connector_id,
        evse_id=event.evse_id,
        transaction_id=event.transaction_id,
        id_token=IdToken(token.uid, token.type, token.contract_id) if token else None,
        auth_method=data.auth_method,
        reading=Reading(
            meter_wh=data.meter_wh,
            power_w=data.power_w,
            current_a=tuple(data.current_a or ()),
            voltage_v=tuple(data.voltage_v or ()),
            offered_a=data.offered_a,
            soc=data.soc,
        ),
        charging_state=data.charging_state,
        total_cost=Price(data.total_cost.excl_vat, data.total_cost.incl_vat) if data.total_cost else None,
    )


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
