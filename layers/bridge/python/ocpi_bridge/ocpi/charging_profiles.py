"""ChargingProfiles (OCPI 14): the Receiver interface that we serve, and the results and pushes that we send."""

from collections.abc import Sequence
from datetime import datetime
from decimal import ROUND_DOWN, Decimal
from enum import StrEnum
from itertools import pairwise
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from ocpi_bridge.domain.errors import InvalidInput
from ocpi_bridge.domain.plans import Plan, PlanPeriod, RateUnit
from ocpi_bridge.domain.requests import Answer
from ocpi_bridge.domain.values import dataclass
from ocpi_bridge.ocpi.datetimes import format_datetime, parse_datetime
from ocpi_bridge.ocpi.transport import OcpiRequest
from ocpi_bridge.ocpi.validation import invalid_input
from ocpi_bridge.ports.json_values import JsonObject, JsonValue

# OCPP 2.0.1 takes at most this many periods in a schedule, and no station takes more.
MAX_PERIODS = 1024
# Bounds of what a charging profile can mean: a year ahead, 10 MW.
MAX_SECONDS = 366 * 86_400
MAX_LIMIT = Decimal(10_000_000)
# No plan begins later, and the end of one that did could not be told any more.
LAST_YEAR = 2999
# OCPI and OCPP calculate with one decimal.
ONE_DECIMAL = Decimal("0.1")
# A composite schedule for longer than this is not asked for; a charge point could hardly hold it.
MAX_COMPOSITE_SECONDS = 7 * 86_400


class ResponseType(StrEnum):
    """ChargingProfileResponseType (14.6.5): the answer that is given at once."""

    ACCEPTED = "ACCEPTED"
    NOT_SUPPORTED = "NOT_SUPPORTED"
    REJECTED = "REJECTED"
    TOO_OFTEN = "TOO_OFTEN"
    UNKNOWN_SESSION = "UNKNOWN_SESSION"


@dataclass(frozen=True, slots=True)
class ChargingProfileResponse:
    """The synchronous answer (14.5.1). `timeout` (s) is how long the partner may wait for the result, 0 for none."""

    result: ResponseType
    timeout: int = 0

    def to_json(self) -> JsonObject:
        """As it stands in `data`."""
        return {"result": self.result.value, "timeout": self.timeout}


@dataclass(frozen=True, slots=True)
class SetProfile:
    """PUT: create or replace the session's charging profile (14.4.1.2)."""

    plan: Plan
    response_url: str

    @classmethod
    def parse(cls, request: OcpiRequest) -> "SetProfile":
        """Reads a SetChargingProfile. Raises InvalidInput naming the field, or TransportError where it is no JSON."""
        try:
            body = _SetChargingProfile.model_validate(request.json())
        except ValidationError as error:
            raise invalid_input(error) from error
        return cls(plan=_plan(body.charging_profile), response_url=body.response_url)


@dataclass(frozen=True, slots=True)
class ClearProfile:
    """DELETE: clear the session's charging profile (14.4.1.3)."""

    response_url: str

    @classmethod
    def parse(cls, request: OcpiRequest) -> "ClearProfile":
        """Reads the query. Raises InvalidInput naming the parameter."""
        return cls(response_url=_response_url(request.query, own=()))


@dataclass(frozen=True, slots=True)
class ReadActiveProfile:
    """GET: report the active charging profile of the next `duration` seconds (14.4.1.1)."""

    duration: int
    response_url: str

    @classmethod
    def parse(cls, request: OcpiRequest) -> "ReadActiveProfile":
        """Reads the query. Raises InvalidInput naming the parameter."""
        response_url = _response_url(request.query, own=("duration",))
        text = dict(request.query).get("duration")
        if text is None:
            raise InvalidInput("duration", "is missing")
        if not (text.isascii() and text.isdigit() and len(text) <= 9 and 0 < int(text) <= MAX_COMPOSITE_SECONDS):
            raise InvalidInput("duration", f"is not a number of seconds between 1 and {MAX_COMPOSITE_SECONDS}")
        return cls(duration=int(text), response_url=response_url)


ChargingProfileCall = SetProfile | ClearProfile | ReadActiveProfile


def result_body(answer: Answer) -> JsonObject:
    """The result that is POSTed to `response_url`: the bare object (14.4.2.1), with `profile` only if ACCEPTED."""
    body: dict[str, JsonValue] = {"result": answer.result.value}
    if answer.active_profile is not None:
        body["profile"] = active_charging_profile(answer.active_profile)
    return body


def active_charging_profile(plan: Plan) -> JsonObject:
    """An ActiveChargingProfile (14.6.1). Both starts are the same instant, so that no time in it has another base."""
    if plan.start is None:
        raise ValueError("an active charging profile has an absolute start")
    return {"start_date_time": format_datetime(plan.start), "charging_profile": charging_profile(plan)}


def charging_profile(plan: Plan) -> JsonObject:
    """A ChargingProfile (14.6.3); absent optional fields are left out."""
    body: dict[str, JsonValue] = {}
    if plan.start is not None:
        body["start_date_time"] = format_datetime(plan.start)
    if plan.duration is not None:
        body["duration"] = plan.duration
    body["charging_rate_unit"] = plan.unit.value
    if plan.min_rate is not None:
        body["min_charging_rate"] = plan.min_rate
    body["charging_profile_period"] = [{"start_period": p.start, "limit": p.limit} for p in plan.periods]
    return body


def _whole_number(value: object) -> object:
    """JSON has one kind of number: 1800.0 is the whole number 1800. Text and booleans are none."""
    # Compared, not computed with: 1E999999999 is legal JSON, and its absolute value overflows.
    if isinstance(value, Decimal) and -MAX_SECONDS <= value <= MAX_SECONDS and value == value.to_integral_value():
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError("is not a whole number")
    return value


def _number(value: object) -> object:
    if isinstance(value, bool) or not isinstance(value, (int, Decimal)):
        raise ValueError("is not a number")
    return Decimal(value)


def _date_time(value: object) -> object:
    if not isinstance(value, str):
        raise ValueError("is not an OCPI DateTime")
    moment = parse_datetime(value)
    if moment.year > LAST_YEAR:
        raise ValueError(f"is after the year {LAST_YEAR}")
    return moment


def _absent_list(value: object) -> object:
    return [] if value is None else value


_Seconds = Annotated[int, BeforeValidator(_whole_number), Field(ge=0, le=MAX_SECONDS)]
_Limit = Annotated[Decimal, BeforeValidator(_number), Field(ge=0, le=MAX_LIMIT)]
_DateTime = Annotated[datetime, BeforeValidator(_date_time)]


class _Body(BaseModel):
    # 2.3.0 (4.1) forbids to refuse unknown fields, and peers of 2.2.1 send some.
    model_config = ConfigDict(extra="ignore", frozen=True)


class _Period(_Body):
    start_period: _Seconds
    limit: _Limit


class _ChargingProfile(_Body):
    start_date_time: _DateTime | None = None
    duration: _Seconds | None = None
    charging_rate_unit: Literal["W", "A"]
    min_charging_rate: _Limit | None = None
    charging_profile_period: Annotated[list[_Period], BeforeValidator(_absent_list), Field(max_length=MAX_PERIODS)] = []


class _SetChargingProfile(_Body):
    charging_profile: _ChargingProfile
    response_url: Annotated[str, Field(strict=True)]


def _plan(profile: _ChargingProfile) -> Plan:
    starts = [period.start_period for period in profile.charging_profile_period]
    where = "charging_profile.charging_profile_period"
    if starts and starts[0] != 0:
        raise InvalidInput(f"{where}.0.start_period", "the first period does not start at 0")
    for index, (earlier, later) in enumerate(pairwise(starts), start=1):
        if later <= earlier:
            raise InvalidInput(f"{where}.{index}.start_period", "is not later than the period before")
    return Plan(
        unit=RateUnit(profile.charging_rate_unit),
        periods=tuple(
            PlanPeriod(period.start_period, _down(period.limit)) for period in profile.charging_profile_period
        ),
        start=profile.start_date_time,
        duration=profile.duration,
        min_rate=None if profile.min_charging_rate is None else _down(profile.min_charging_rate),
    )


def _down(value: Decimal) -> Decimal:
    return value.quantize(ONE_DECIMAL, rounding=ROUND_DOWN)


def _response_url(query: Sequence[tuple[str, str]], own: tuple[str, ...]) -> str:
    """The `response_url` of a query, also where the partner did not percent-encode it (as Jedlix documents).

    An inner `&` then splits it, and the gateway hands us the pieces as parameters of their own, decoded. What follows
    `response_url` and is no parameter of ours is joined back. Where that could mean two things, it is refused.
    """
    keys = [key for key, _ in query]
    for key in keys:
        if keys.count(key) > 1:
            # Keys that are not ours are parts of the URL's own query, which no answer and no log repeats.
            field = key if key in own else "response_url"
            raise InvalidInput(field, "is or has a parameter that is given more than once; percent-encode response_url")
    if "response_url" not in keys:
        raise InvalidInput("response_url", "is missing")
    url = dict(query)["response_url"]
    for position, (key, value) in enumerate(query):
        if key in own or key == "response_url":
            continue
        whole = _survives_decoding(key) and "=" not in key and _survives_decoding(value)
        if position < keys.index("response_url") or not whole:
            raise InvalidInput(
                "response_url", "has parameters beside it that may or may not be its own; percent-encode it"
            )
        url += f"&{key}={value}"
    return url


def _survives_decoding(text: str) -> bool:
    """Whether text reads the same before and after percent-decoding, so that joining it back restores it."""
    return text != "" and text.isascii() and text.isprintable() and not set(text) & set('%+&# "<>\\^`{|}')
