"""The OCPI objects that a Smart Charging Service Provider reads and writes, read strictly (OCPI 9, 10, 14).

Unknown fields are refused unless the caller of `model_validate` says otherwise: 2.2.1 lets a receiver ignore them, but
a test wants to see a misspelt name. What differs between versions is in `session_forms`.
"""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from itertools import pairwise
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from tools.counterparts.clock import write_datetime
from tools.counterparts.json_types import JsonObject, as_object
from tools.partner_simulator.datatypes import CountryCode, DateTime, Id36, Limit, Number, PartyId, Seconds, Text


class OcpiObject(BaseModel):
    """Strict: no coercion, no unknown field; null counts as absent for optional fields."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    def wire(self) -> JsonObject:
        """The object as JSON; absent fields are left out."""
        return as_object(_wire(self.model_dump(exclude_none=True)))


class SessionStatus(StrEnum):
    """9.4.3."""

    ACTIVE = "ACTIVE"
    COMPLETED = "COMPLETED"
    INVALID = "INVALID"
    PENDING = "PENDING"
    RESERVATION = "RESERVATION"


class CdrToken(OcpiObject):
    """10.4.5: the token that started the session."""

    country_code: CountryCode
    party_id: PartyId
    uid: Id36
    type: Id36
    contract_id: Id36


class CdrDimension(OcpiObject):
    """10.4.2, with the types that a Session may carry (10.4.3)."""

    type: Literal[
        "CURRENT",
        "ENERGY",
        "ENERGY_EXPORT",
        "ENERGY_IMPORT",
        "MAX_CURRENT",
        "MIN_CURRENT",
        "MAX_POWER",
        "MIN_POWER",
        "PARKING_TIME",
        "POWER",
        "RESERVATION_TIME",
        "STATE_OF_CHARGE",
        "TIME",
    ]
    volume: Number


class ChargingPeriod(OcpiObject):
    """10.4.6."""

    start_date_time: DateTime
    dimensions: Annotated[list[CdrDimension], Field(min_length=1)]
    tariff_id: Id36 | None = None


class Price(OcpiObject):
    """16.5 of 2.2.1."""

    excl_vat: Number
    incl_vat: Number | None = None


class TaxAmount(OcpiObject):
    """16.11 of 2.3.0; `percentage` as 21 for 21 %."""

    name: Text
    account_number: Text | None = None
    percentage: Number | None = None
    amount: Number


class TaxedPrice(OcpiObject):
    """16.5 of 2.3.0."""

    before_taxes: Number
    taxes: list[TaxAmount] | None = None


class Session(OcpiObject):
    """9.3.1, with the total cost of either version."""

    country_code: CountryCode
    party_id: PartyId
    id: Id36
    start_date_time: DateTime
    end_date_time: DateTime | None = None
    kwh: Annotated[Number, Field(ge=0)]
    cdr_token: CdrToken
    auth_method: Literal["AUTH_REQUEST", "COMMAND", "WHITELIST"]
    authorization_reference: Id36 | None = None
    location_id: Id36
    evse_uid: Id36
    connector_id: Id36
    meter_id: Text | None = None
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
    charging_periods: list[ChargingPeriod] | None = None
    total_cost: Price | TaxedPrice | None = None
    status: Annotated[SessionStatus, Field(strict=False)]
    last_updated: DateTime


class ChargingProfilePeriod(OcpiObject):
    """14.6.4; `limit` in the profile's unit."""

    start_period: Seconds
    limit: Limit


class ChargingProfile(OcpiObject):
    """14.6.3; W is the total power, A the current per phase."""

    start_date_time: DateTime | None = None
    duration: Seconds | None = None
    charging_rate_unit: Literal["W", "A"]
    min_charging_rate: Limit | None = None
    charging_profile_period: list[ChargingProfilePeriod] | None = None


class ActiveChargingProfile(OcpiObject):
    """14.6.1, with what makes it readable: at least one period, the first at 0, in order, a start inside."""

    start_date_time: DateTime
    charging_profile: ChargingProfile

    @model_validator(mode="after")
    def _is_readable(self) -> Self:
        starts = [period.start_period for period in self.charging_profile.charging_profile_period or []]
        if not starts or starts[0] != 0:
            raise ValueError("the first period of an active profile starts at 0")
        if any(later <= earlier for earlier, later in pairwise(starts)):
            raise ValueError("periods do not follow each other")
        return self


class ResponseType(StrEnum):
    """14.6.5, the synchronous answer."""

    ACCEPTED = "ACCEPTED"
    NOT_SUPPORTED = "NOT_SUPPORTED"
    REJECTED = "REJECTED"
    TOO_OFTEN = "TOO_OFTEN"
    UNKNOWN_SESSION = "UNKNOWN_SESSION"


class ResultType(StrEnum):
    """14.6.6, the asynchronous result."""

    ACCEPTED = "ACCEPTED"
    REJECTED = "REJECTED"
    UNKNOWN = "UNKNOWN"


class ChargingProfileResponse(OcpiObject):
    """14.5.1; `timeout` in seconds."""

    result: Annotated[ResponseType, Field(strict=False)]
    timeout: Seconds


class ProfileResult(OcpiObject):
    """ChargingProfileResult and ClearProfileResult (14.5.2, 14.5.4): the answer to PUT and DELETE."""

    result: Annotated[ResultType, Field(strict=False)]


class ActiveProfileResult(OcpiObject):
    """ActiveChargingProfileResult (14.5.3): the answer to GET; a profile exactly when it is ACCEPTED."""

    result: Annotated[ResultType, Field(strict=False)]
    profile: ActiveChargingProfile | None = None

    @model_validator(mode="after")
    def _has_a_profile_when_accepted(self) -> Self:
        if (self.result is ResultType.ACCEPTED) is not (self.profile is not None):
            raise ValueError("a profile comes with ACCEPTED and only with it")
        return self


class Envelope(OcpiObject):
    """4.1.7: what wraps every response."""

    data: object = None
    status_code: Annotated[int, Field(ge=1000, le=4999)]
    status_message: Text | None = None
    timestamp: DateTime


def findings(error: ValidationError) -> str:
    """What a validation found, as `field: reason; field: reason`."""
    return "; ".join(
        f"{'.'.join(str(part) for part in found['loc']) or 'object'}: {found['msg']}" for found in error.errors()
    )


def _wire(value: object) -> object:
    match value:
        case datetime():
            return write_datetime(value)
        case Mapping():
            return {str(key): _wire(item) for key, item in value.items()}
        case list():
            return [_wire(item) for item in value]
        case StrEnum():
            return value.value
        case Decimal() | str() | int() | None:
            return value
    raise TypeError(f"{type(value).__name__} has no place in an OCPI object")
