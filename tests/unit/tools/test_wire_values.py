"""JSON and times as the counterparts write them."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from tools.counterparts.clock import write_datetime
from tools.counterparts.json_types import NotJsonError, as_int, as_object, read_json, write_json


def test_a_decimal_survives_the_way_through_json() -> None:
    assert read_json(write_json({"limit": Decimal("21.4")})) == {"limit": Decimal("21.4")}


def test_a_whole_decimal_is_written_as_an_integer() -> None:
    assert write_json({"meter_wh": Decimal("1200.0")}) == '{"meter_wh":1200}'


@pytest.mark.parametrize("text", ["", "{", "NaN", '{"limit": Infinity}', "[" * 100_000])
def test_what_is_not_json_is_refused(text: str) -> None:
    with pytest.raises(NotJsonError):
        read_json(text)


def test_a_boolean_is_no_integer() -> None:
    assert as_int(value=True) is None


def test_something_else_than_an_object_has_no_fields() -> None:
    assert as_object(["status"]) == {}


@pytest.mark.parametrize(
    ("moment", "written"),
    [
        (datetime(2026, 1, 15, 17, 5, tzinfo=UTC), "2026-01-15T17:05:00Z"),
        (datetime(2026, 1, 15, 17, 5, 0, 250_999, tzinfo=UTC), "2026-01-15T17:05:00.250Z"),
        (datetime(2026, 1, 15, 18, 5, tzinfo=timezone(timedelta(hours=1))), "2026-01-15T17:05:00Z"),
    ],
)
def test_times_are_written_in_utc_with_at_most_three_decimals(moment: datetime, written: str) -> None:
    assert write_datetime(moment) == written


def test_a_time_without_a_zone_is_not_written() -> None:
    with pytest.raises(ValueError, match="zone"):
        write_datetime(datetime(2026, 1, 15))  # noqa: DTZ001 - the case
