"""Charging preferences (OCPI 9.2.1.2, 9.3.2): what a PUT says, and what it is answered."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from ocpi_bridge.domain.preferences import ChargingPreferences, ProfileType
from ocpi_bridge.ocpi.datetimes import parse_datetime
from ocpi_bridge.ocpi.transport import OcpiRequest
from ocpi_bridge.ocpi.validation import invalid_input

# No vehicle on a road takes more, lorries included; what is above was meant in Wh.
MAX_ENERGY_KWH = Decimal(10_000)


class ChargingPreferencesResponse(StrEnum):
    """ChargingPreferencesResponse (9.4.2), as far as the bridge gives it.

    The wishes are for the CPO's own smart charging, behind the CSMS, which answers nobody here. So the bridge says no
    only to what nobody could do (NOT_POSSIBLE), and never in the CPO's name that more is required or that a profile type
    is not supported (DEPARTURE_REQUIRED, ENERGY_NEED_REQUIRED, PROFILE_TYPE_NOT_SUPPORTED). Departure and energy are
    optional with every profile type (9.3.2), and Token.default_profile_type (12.3.2) starts a session as CHEAP or GREEN
    with neither: to refuse that in a PUT would take from the driver a wish that a token may carry.
    """

    ACCEPTED = "ACCEPTED"
    NOT_POSSIBLE = "NOT_POSSIBLE"


def parse_preferences(request: OcpiRequest) -> ChargingPreferences:
    """Reads a ChargingPreferences object. Raises InvalidInput naming the field, or TransportError where it is no JSON."""
    try:
        body = _Body.model_validate(request.json())
    except ValidationError as error:
        raise invalid_input(error) from error
    return ChargingPreferences(
        profile_type=body.profile_type,
        departure_time=body.departure_time,
        energy_need=body.energy_need,
        discharge_allowed=bool(body.discharge_allowed),
    )


def _date_time(value: object) -> object:
    if not isinstance(value, str):
        raise ValueError("is not an OCPI DateTime")
    return parse_datetime(value)


def _number(value: object) -> object:
    if isinstance(value, bool) or not isinstance(value, (int, Decimal)):
        raise ValueError("is not a number")
    return Decimal(value)


def _profile_type(value: object) -> object:
    if value not in list(ProfileType):
        raise ValueError(f"is none of {', '.join(ProfileType)}")
    return value


_DateTime = Annotated[datetime, BeforeValidator(_date_time)]
_Energy = Annotated[Decimal, BeforeValidator(_number), Field(ge=0, le=MAX_ENERGY_KWH)]


class _Body(BaseModel):
    # 2.3.0 (4.1) forbids to refuse unknown fields, and peers of 2.2.1 send some.
    model_config = ConfigDict(extra="ignore", frozen=True)

    profile_type: Annotated[ProfileType, BeforeValidator(_profile_type)]
    departure_time: _DateTime | None = None
    energy_need: _Energy | None = None
    discharge_allowed: Annotated[bool | None, Field(strict=True)] = None
