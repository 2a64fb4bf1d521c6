"""OCPI data types as strictly as a partner may read them (OCPI 2.2.1, chapter 16)."""

import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field

# Six shapes are allowed: with or without Z, with no fraction or one of up to three digits; nothing else (16.2).
_DATETIME = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,3})?Z?")
_PRINTABLE_ASCII = re.compile(r"[\x20-\x7e]*")
# Chapter 16: four decimals unless stated otherwise; limits of charging profiles have one (14.6).
DECIMALS = 4
LIMIT_DECIMALS = 1


def read_datetime(value: object) -> datetime:
    """An OCPI DateTime as an aware UTC time; raises ValueError for any other shape."""
    if isinstance(value, datetime):
        return value
    if not isinstance(value, str) or not _DATETIME.fullmatch(value):
        raise ValueError("no OCPI DateTime such as 2026-01-15T17:05:00Z")
    return datetime.fromisoformat(value.removesuffix("Z")).replace(tzinfo=UTC)


def _number(value: object) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise ValueError("not a JSON number")
    return Decimal(value)


def _at_most(decimals: int) -> AfterValidator:
    def check(value: Decimal) -> Decimal:
        if value != round(value, decimals):
            raise ValueError(f"more than {decimals} decimals")
        return value

    return AfterValidator(check)


def _ci_string(value: str) -> str:
    if not _PRINTABLE_ASCII.fullmatch(value):
        raise ValueError("not printable ASCII")
    return value


DateTime = Annotated[datetime, BeforeValidator(read_datetime)]
Number = Annotated[Decimal, BeforeValidator(_number), _at_most(DECIMALS)]
Limit = Annotated[Decimal, BeforeValidator(_number), _at_most(LIMIT_DECIMALS), Field(ge=0)]
Seconds = Annotated[int, Field(ge=0)]
CountryCode = Annotated[str, Field(min_length=2, max_length=2), AfterValidator(_ci_string)]
PartyId = Annotated[str, Field(min_length=3, max_length=3), AfterValidator(_ci_string)]
Id36 = Annotated[str, Field(min_length=1, max_length=36), AfterValidator(_ci_string)]
Text = Annotated[str, Field(max_length=255)]
