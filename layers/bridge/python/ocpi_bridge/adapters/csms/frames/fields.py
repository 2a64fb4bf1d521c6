"""Fields of OCPP payloads, as models of pydantic have them.

Reading is lenient where the meaning is plain: charge points write numbers as text, leave zones out of times, and add
fields of their own.
"""

import re
from datetime import datetime
from decimal import Decimal
from typing import Annotated, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from ocpi_bridge.adapters.csms.frames.plain_fields import MAX_ID_LENGTH, is_id, read_instant
from ocpi_bridge.domain.events import IdToken
from ocpi_bridge.ocpi.validation import invalid_input
from ocpi_bridge.ocpp.responses import read_number
from ocpi_bridge.ports.json_values import JsonObject, JsonValue

# Partners are told tokens as CiString(36) (OCPI 16.1): printable ASCII.
_CI_STRING_36 = re.compile(r"[ -~]{1,36}")

P = TypeVar("P", bound="Payload")


class Payload(BaseModel):
    """A payload, or a part of one, as far as it matters here."""

    model_config = ConfigDict(extra="ignore", frozen=True, alias_generator=to_camel)


def read_payload(model: type[P], payload: JsonObject) -> P:
    """The payload in the model's terms. Raises InvalidInput naming the first offending field."""
    try:
        return model.model_validate(payload)
    except ValidationError as error:
        raise invalid_input(error) from error


def id_token(uid: str, kind: str = "RFID", contract_id: str | None = None) -> IdToken | None:
    """The token of a driver, or None where it is nothing that a partner could be told."""
    if not _CI_STRING_36.fullmatch(uid):
        return None
    told = contract_id if contract_id and _CI_STRING_36.fullmatch(contract_id) else None
    return IdToken(uid, kind, told)


def _instant(value: JsonValue) -> datetime:
    instant = read_instant(value)
    if instant is None:
        raise ValueError("is no dateTime")
    return instant


def _number(value: JsonValue) -> Decimal:
    number = read_number(value)
    if number is None:
        raise ValueError("is no number")
    return number


def _whole(value: JsonValue) -> int:
    number = _number(value)
    # Compared before anything is calculated: a text can hold numbers that nothing can be calculated with.
    if not -_MOST <= number <= _MOST or number != number.to_integral_value():
        raise ValueError("is no integer")
    return int(number)


def _id(text: str) -> str:
    if not is_id(text, MAX_ID_LENGTH):
        raise ValueError(f"is no text of 1 to {MAX_ID_LENGTH} characters")
    return text


# 64 bits hold every id that a CSMS gives.
_MOST = Decimal(2**63)

Instant = Annotated[datetime, BeforeValidator(_instant)]
Number = Annotated[Decimal, BeforeValidator(_number)]
Whole = Annotated[int, BeforeValidator(_whole)]
# 0 is the station as a whole.
Outlet = Annotated[int, BeforeValidator(_whole), Field(ge=0, le=1000)]
Text = Annotated[str, AfterValidator(_id)]
