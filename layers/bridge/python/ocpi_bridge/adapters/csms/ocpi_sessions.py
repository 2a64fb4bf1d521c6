"""Sessions of a CSMS that speaks OCPI already: what its PUT and PATCH say, as events of a station. Pure.

Read leniently: OCPI 2.1.1, 2.2.1 and 2.3.0 are told apart by the fields that are there, and unknown ones are ignored.
Energy in OCPI is what the session took so far, so it stands on a register that began at 0.

CURRENT of a charging period is not used: OCPI does not say whether it is a phase's or the sum, and the phases that a car
uses decide how much power a limit in A means.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any

from pydantic import AliasChoices, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from ocpi_bridge.adapters.csms.json_fields import CiString36, Money, Number
from ocpi_bridge.domain.errors import InvalidInput
from ocpi_bridge.domain.events import EventType, IdToken, Reading, SessionStatus, StationEvent
from ocpi_bridge.domain.prices import Price
from ocpi_bridge.domain.sessions import Session
from ocpi_bridge.domain.stations import Csms
from ocpi_bridge.domain.values import dataclass
from ocpi_bridge.ocpi.datetimes import parse_datetime
from ocpi_bridge.ocpi.validation import invalid_input
from ocpi_bridge.ports.json_values import JsonObject, JsonValue

# Parameters of a CSMS in the registry that say where a session's OCPP transaction stands: at a path of its object
# ("ocpp.transaction_id"), or in its own id ("true").
TRANSACTION_AT = "transaction_at"
SESSION_ID_IS_TRANSACTION = "session_id_is_transaction"

# A reservation that no EVSE is assigned to yet (9.3.1).
NOT_ASSIGNED = "#NA"

# OCPP 2.0.1 has 36 characters, 1.6 a number of 32 bits; longer is no transaction's.
MAX_TRANSACTION_ID_LENGTH = 255

# 10 MW, in kW.
_POWERS = (-10_000, 10_000)
_PERCENTS = (0, 100)

_OVER = frozenset({SessionStatus.COMPLETED, SessionStatus.INVALID})


class Change(StrEnum):
    """How a session came: the whole object, or what changed of it (9.2.2)."""

    PUT = "PUT"
    PATCH = "PATCH"


def _date_time(value: object) -> object:
    if not isinstance(value, str):
        raise ValueError("is not an OCPI DateTime")
    return parse_datetime(value)


def _token_type(value: object) -> object:
    """A kind of token that OCPI 2.2.1 does not know is some other one."""
    return value if isinstance(value, str) and value in {"AD_HOC_USER", "APP_USER", "RFID"} else "OTHER"


def _auth_method(value: object) -> object:
    """COMMAND is newer than 2.1.1, and others may be newer still: unknown is like not told."""
    return value if isinstance(value, str) and value in {"AUTH_REQUEST", "COMMAND", "WHITELIST"} else None


def _price(value: object) -> object:
    """2.1.1 has a number, 2.2.1 an amount with and without VAT, 2.3.0 an amount and its taxes."""
    if not isinstance(value, Mapping):
        return None if value is None else {"excl_vat": value}
    if "before_taxes" not in value:
        return value
    before, taxes = value["before_taxes"], value.get("taxes")
    if not taxes:
        return {"excl_vat": before}
    listed = taxes if isinstance(taxes, Sequence) else [taxes]
    amounts = [before, *(tax.get("amount") if isinstance(tax, Mapping) else None for tax in listed)]
    numbers = [Decimal(one) for one in amounts if isinstance(one, int | Decimal) and not isinstance(one, bool)]
    if len(numbers) != len(amounts):
        raise ValueError("has an amount that is no number")
    return {"excl_vat": before, "incl_vat": sum(numbers, Decimal(0))}


_DateTime = Annotated[datetime, BeforeValidator(_date_time)]
# 10 GWh, as on a register.
_Kwh = Annotated[Decimal, Number, Field(ge=0, le=10_000_000)]
# Of any dimension; what it means is looked at where it is used.
_Volume = Annotated[Decimal, Number, Field(ge=-1_000_000_000, le=1_000_000_000)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class _ReportedToken(_Body):
    uid: CiString36
    type: Annotated[str, BeforeValidator(_token_type)] = "RFID"
    contract_id: CiString36 | None = None


class _Cost(_Body):
    excl_vat: Money
    incl_vat: Money | None = None


class _Dimension(_Body):
    type: str
    volume: _Volume


class _ReportedPeriod(_Body):
    start_date_time: _DateTime
    dimensions: list[_Dimension] = []


class _Connector(_Body):
    id: CiString36


class _Evse(_Body):
    uid: CiString36
    connectors: list[_Connector] = []


class _Location(_Body):
    evses: list[_Evse] = []


class _ReportedSession(_Body):
    last_updated: _DateTime
    id: CiString36 | None = None
    country_code: str | None = None
    party_id: str | None = None
    start_date_time: Annotated[
        _DateTime | None, Field(validation_alias=AliasChoices("start_date_time", "start_datetime"))
    ] = None
    end_date_time: Annotated[
        _DateTime | None, Field(validation_alias=AliasChoices("end_date_time", "end_datetime"))
    ] = None
    kwh: _Kwh | None = None
    cdr_token: _ReportedToken | None = None
    auth_id: CiString36 | None = None
    auth_method: Annotated[str | None, BeforeValidator(_auth_method)] = None
    evse_uid: CiString36 | None = None
    connector_id: CiString36 | None = None
    charging_periods: list[_ReportedPeriod] | None = None
    total_cost: Annotated[_Cost | None, BeforeValidator(_price)] = None
    status: SessionStatus | None = None

    @model_validator(mode="before")
    @classmethod
    def _with_place(cls, value: Any) -> Any:  # noqa: ANN401 - whatever was sent
        """2.1.1 tells the place by a whole Location with the one EVSE and connector in it."""
        if not isinstance(value, Mapping) or "evse_uid" in value or value.get("location") is None:
            return value
        try:
            evses = _Location.model_validate(value["location"]).evses
        except ValidationError as error:
            raise ValueError(f"location.{invalid_input(error)}") from error
        if len(evses) != 1:
            return value
        connectors = evses[0].connectors
        place = {"evse_uid": evses[0].uid} | ({"connector_id": connectors[0].id} if len(connectors) == 1 else {})
        return {**value, **place}


class _WholeReportedSession(_ReportedSession):
    start_date_time: Annotated[_DateTime, Field(validation_alias=AliasChoices("start_date_time", "start_datetime"))]
    kwh: _Kwh
    status: SessionStatus


@dataclass(frozen=True, slots=True)
class ReportedSession:
    """What one PUT or PATCH says of a session; None where a PATCH says nothing of it. `kwh` so far, power in W, soc in %.

    `evse_uid` None in a PUT: no EVSE is assigned yet. `transaction_id` is OCPP's, where the object has it.
    """

    session_id: str
    change: Change
    last_updated: datetime
    evse_uid: str | None
    connector_id: str | None
    start: datetime | None
    end: datetime | None
    status: SessionStatus | None
    kwh: Decimal | None
    power_w: Decimal | None
    soc: Decimal | None
    token: IdToken | None
    auth_method: str | None
    total_cost: Price | None
    transaction_id: str | None


def parse_session(
    csms: Csms, change: Change, session_id: str, body: JsonObject, party: tuple[str, str] | None = None
) -> ReportedSession:
    """Reads the body of a PUT or PATCH to a session's URL. Raises InvalidInput naming the field.

    `party` is the country code and party id of the URL; what the object says of itself must be the same (4.1.5.1).
    """
    try:
        read = (_WholeReportedSession if change is Change.PUT else _ReportedSession).model_validate(body)
    except ValidationError as error:
        raise invalid_input(error) from error
    named = {"id": (read.id, session_id)}
    if party is not None:
        named |= {"country_code": (read.country_code, party[0]), "party_id": (read.party_id, party[1])}
    for field, (said, expected) in named.items():
        if said is not None and said.casefold() != expected.casefold():
            raise InvalidInput(field, "is not that of the URL")
    if change is Change.PUT and read.evse_uid is None:
        raise InvalidInput("evse_uid", "is missing, and location has not one EVSE")
    newest = max(read.charging_periods or (), key=lambda period: period.start_date_time, default=None)
    return ReportedSession(
        session_id=session_id,
        change=change,
        last_updated=read.last_updated,
        evse_uid=_assigned(read.evse_uid),
        connector_id=_assigned(read.connector_id),
        start=read.start_date_time,
        end=read.end_date_time,
        status=read.status,
        kwh=read.kwh,
        power_w=_volume(newest, "POWER", _POWERS, times=1000),
        soc=_volume(newest, "STATE_OF_CHARGE", _PERCENTS),
        token=_token(read),
        auth_method=read.auth_method,
        total_cost=Price(read.total_cost.excl_vat, read.total_cost.incl_vat) if read.total_cost else None,
        transaction_id=_transaction(csms, session_id, body),
    )


def events_of(
    session: ReportedSession, csms_id: str, station_id: str, known: Session | None = None
) -> Sequence[StationEvent]:
    """The events that a session's PUT or PATCH stands for: its start where that is told, then its state now.

    `known` is the session as it is so far: what a PATCH does not say again. Without a transaction, told or known, the
    session's id stands in for it and nothing can be steered. The same message gives the same events.
    """
    return tuple(_events(session, csms_id, station_id, known))


def _events(session: ReportedSession, csms_id: str, station_id: str, known: Session | None) -> Iterator[StationEvent]:
    transaction = session.transaction_id
    if transaction is None and known is not None and known.transaction_known:
        transaction = known.transaction_id
    over = session.status in _OVER

    def event(kind: EventType, time: datetime, reading: Reading, status: SessionStatus | None) -> StationEvent:
        return StationEvent(
            event_id=f"{session.session_id}@{session.last_updated.isoformat()}/{kind.value}",
            type=kind,
            time=time,
            csms_id=csms_id,
            station_id=station_id,
            evse_uid=session.evse_uid or (known.evse_uid if known else None),
            outlet_id=session.connector_id or (known.connector_id if known else None),
            transaction_id=session.session_id if transaction is None else transaction,
            transaction_known=transaction is not None,
            session_id=session.session_id,
            id_token=session.token,
            auth_method=session.auth_method,
            reading=reading,
            told_status=status,
            total_cost=session.total_cost if kind is not EventType.TRANSACTION_STARTED else None,
        )

    if session.start is not None:
        # An end is the next event's to tell: what is over can have no start any more.
        status = None if over else session.status
        yield event(EventType.TRANSACTION_STARTED, session.start, Reading(meter_wh=Decimal(0)), status)
    meter = None if session.kwh is None else session.kwh * 1000
    now = Reading(meter_wh=meter, power_w=session.power_w, soc=session.soc)
    if over:
        yield event(EventType.TRANSACTION_ENDED, session.end or session.last_updated, now, session.status)
    else:
        yield event(EventType.TRANSACTION_UPDATED, session.last_updated, now, session.status)


def _transaction(csms: Csms, session_id: str, body: JsonObject) -> str | None:
    parameters = dict(csms.parameters)
    if TRANSACTION_AT in parameters:
        found: JsonValue = body
        for key in parameters[TRANSACTION_AT].split("."):
            found = found.get(key) if isinstance(found, Mapping) else None
        # OCPP 1.6 has whole numbers, 2.0.1 text.
        named = str(found) if isinstance(found, int) and not isinstance(found, bool) else found
        if isinstance(named, str) and 0 < len(named) <= MAX_TRANSACTION_ID_LENGTH:
            return named
    return session_id if parameters.get(SESSION_ID_IS_TRANSACTION) == "true" else None


def _token(session: _ReportedSession) -> IdToken | None:
    if session.cdr_token is not None:
        return IdToken(session.cdr_token.uid, session.cdr_token.type, session.cdr_token.contract_id)
    # 2.1.1 names the contract (Token.auth_id) and not the card.
    return IdToken(session.auth_id, "OTHER", session.auth_id) if session.auth_id is not None else None


def _volume(period: _ReportedPeriod | None, kind: str, plausible: tuple[int, int], *, times: int = 1) -> Decimal | None:
    """A dimension's volume; one that cannot be is no reason to refuse the session."""
    volumes = [dimension.volume for dimension in (period.dimensions if period else ()) if dimension.type == kind]
    lowest, highest = plausible
    return volumes[0] * times if volumes and lowest <= volumes[0] <= highest else None


def _assigned(place: str | None) -> str | None:
    return None if place == NOT_ASSIGNED else place
