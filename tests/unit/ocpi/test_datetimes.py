from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocpi_bridge.ocpi.datetimes import format_datetime, parse_datetime
from tests.support.fixtures import OCPI

ALLOWED_SHAPES = (OCPI / "spec-2.2.1" / "types_datetime_valid_examples.txt").read_text().split()
INSTANTS = [
    datetime(2015, 6, 29, 20, 39, 9, tzinfo=UTC),
    datetime(2016, 12, 29, 17, 45, 9, 200_000, tzinfo=UTC),
    datetime(2018, 1, 1, 1, 8, 1, 123_000, tzinfo=UTC),
]
EACH_WITH_AND_WITHOUT_Z = [instant for instant in INSTANTS for _ in range(2)]


@pytest.mark.parametrize(("text", "instant"), list(zip(ALLOWED_SHAPES, EACH_WITH_AND_WITHOUT_Z, strict=True)))
def test_the_six_shapes_of_the_specification_are_read_as_utc(text: str, instant: datetime) -> None:
    assert parse_datetime(text) == instant
    assert parse_datetime(text).utcoffset() == timedelta(0)


@pytest.mark.parametrize(
    ("text", "microsecond"),
    [("2026-01-15T17:00:00.123456789Z", 123_456), ("2026-01-15T17:00:00.5+00:00", 500_000)],
)
def test_what_peers_send_beyond_the_specification_is_read_too(text: str, microsecond: int) -> None:
    assert parse_datetime(text) == datetime(2026, 1, 15, 17, 0, 0, microsecond, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-01-15",
        "2026-01-15 17:00:00Z",
        "2026-01-15T17:00Z",
        "2026-01-15T17:00:00z",
        "2026-01-15T17:00:00+01:00",
        "2026-01-15T17:00:00-00:00",
        "2026-01-15T17:00:00.Z",
        "2026-01-15T17:00:00.1234567890Z",
        "2026-02-30T17:00:00Z",
        "2026-01-15T17:00:60Z",
        "0000-01-15T17:00:00Z",
        " 2026-01-15T17:00:00Z",
        "2026-01-15T17:00:00Z\n",
        "2026-01-15T17:00:00.\N{ARABIC-INDIC DIGIT ONE}Z",
        "\N{ARABIC-INDIC DIGIT TWO}026-01-15T17:00:00Z",
        "1768496400",
        "20260115T170000Z",
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the text is pydantic's business
        parse_datetime(text)


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (datetime(2026, 1, 15, 17, 0, tzinfo=UTC), "2026-01-15T17:00:00Z"),
        (datetime(2026, 1, 15, 17, 0, 0, 123_999, tzinfo=UTC), "2026-01-15T17:00:00.123Z"),
        (datetime(2026, 1, 15, 17, 0, 0, 999, tzinfo=UTC), "2026-01-15T17:00:00Z"),
        (datetime(2026, 1, 15, 17, 0, 0, 50_000, tzinfo=UTC), "2026-01-15T17:00:00.050Z"),
        (datetime(2026, 1, 15, 18, 0, tzinfo=timezone(timedelta(hours=1))), "2026-01-15T17:00:00Z"),
    ],
)
def test_an_instant_is_written_in_utc_with_z_and_at_most_milliseconds(moment: datetime, text: str) -> None:
    assert format_datetime(moment) == text


@given(st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001
def test_what_is_written_is_short_and_reads_back_to_the_millisecond(moment: datetime) -> None:
    text = format_datetime(moment)
    assert len(text) <= 25
    assert timedelta(0) <= moment - parse_datetime(text) < timedelta(milliseconds=1)
