"""GET sessions: the query, the cursor, and the headers of a page."""

import base64
import json
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import pytest

from ocpi_bridge.domain.errors import InvalidInput
from ocpi_bridge.ocpi.session_pages import (
    MAX_CURSOR_LENGTH,
    MAX_OFFSET,
    MAX_PAGE,
    Cursor,
    SessionPage,
    SessionQuery,
)
from ocpi_bridge.ports.session_feed import FeedEntry
from tests.support.clocks import START
from tests.support.feeds import DATE_FROM, ENDPOINT, followed, parsed, query_request, seconds

PLACE = {"s": 3, "t": "2026-01-15T17:00:00Z", "i": "session-1", "n": 120}
CURSOR = Cursor(FeedEntry(3, START, "session-1"), 120)


def spelled(place: object) -> str:
    text = place if isinstance(place, str) else json.dumps(place, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()


def refused(*parameters: tuple[str, str], **named: str) -> str:
    with pytest.raises(InvalidInput) as error:
        SessionQuery.parse(query_request(*parameters, **named))
    return error.value.field


# --- The query -------------------------------------------------------------------------------------------------------


def test_all_of_it_is_read() -> None:
    query = parsed(date_to="2026-01-16T00:00:00Z", offset="20", limit="10")
    assert (query.since, query.until) == (START, datetime(2026, 1, 16, tzinfo=UTC))
    assert (query.offset, query.limit, query.cursor) == (20, 10, None)


def test_what_is_left_out_is_everything_from_the_first_page_on() -> None:
    query = parsed()
    assert (query.until, query.offset, query.limit) == (None, 0, MAX_PAGE)


def test_date_from_is_required() -> None:
    assert refused(limit="10") == "date_from"


@pytest.mark.parametrize("text", ["2026-01-15T17:00:00", "2026-01-15T17:00:00.000Z", "2026-01-15T17:00:00+00:00"])
def test_every_spelling_of_a_datetime_is_taken(text: str) -> None:
    assert parsed(text).since == START


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "2026-01-15",
        "2026-01-15T17:00:00+01:00",
        "2026-01-15 17:00:00Z",
        "2026-13-15T17:00:00Z",
        "9999-12-31T23:59:59.9999Z",
        "1768496400",
    ],
)
def test_a_date_that_is_no_datetime_is_refused_by_its_name(text: str) -> None:
    assert refused(date_from=text) == "date_from"
    assert refused(date_from=DATE_FROM, date_to=text) == "date_to"


@pytest.mark.parametrize("text", ["2026-01-15T17:00:00.0001Z", "2026-01-15T17:00:00.0009Z", "2026-01-15T17:00:00.001Z"])
def test_bounds_finer_than_what_sessions_tell_are_rounded_up_to_it(text: str) -> None:
    query = parsed(text, date_to=text)
    assert query.since == query.until == seconds(0.001)


@pytest.mark.parametrize("text", ["-1", "", "ten", "1.0", "+1", " 1", "NaN", "1" * 10, "\u0661"])
def test_numbers_are_whole_and_bounded(text: str) -> None:
    assert refused(date_from=DATE_FROM, offset=text) == "offset"
    assert refused(date_from=DATE_FROM, limit=text) == "limit"


def test_a_page_of_nothing_is_refused() -> None:
    assert refused(date_from=DATE_FROM, limit="0") == "limit"


def test_a_larger_page_than_we_give_is_the_largest_we_give() -> None:
    assert parsed(limit="2000").limit == MAX_PAGE


@pytest.mark.parametrize("name", ["date_from", "date_to", "offset", "limit", "cursor"])
def test_a_parameter_that_is_given_twice_is_refused(name: str) -> None:
    value = {"offset": "0", "limit": "5", "cursor": CURSOR.encode()}.get(name, DATE_FROM)
    others = {} if name == "date_from" else {"date_from": DATE_FROM}
    assert refused((name, value), (name, value), **others) == name


def test_parameters_that_we_do_not_know_are_ignored_however_often_they_come() -> None:
    query = SessionQuery.parse(query_request(("x", "1"), ("x", "2"), date_from=DATE_FROM))
    assert query == parsed()


def test_a_bare_offset_is_bounded_and_the_answer_tells_what_to_do_instead() -> None:
    assert parsed(offset=str(MAX_OFFSET)).offset == MAX_OFFSET
    with pytest.raises(InvalidInput, match="follow the Link") as error:
        parsed(offset=str(MAX_OFFSET + 1))
    assert error.value.field == "offset"


def test_with_a_cursor_the_offset_only_counts() -> None:
    assert parsed(offset=str(MAX_OFFSET + 1), cursor=CURSOR.encode()).offset == MAX_OFFSET + 1


# --- The cursor ------------------------------------------------------------------------------------------------------


def test_a_cursor_is_read_as_it_was_written() -> None:
    assert Cursor.decode(CURSOR.encode()) == CURSOR
    assert Cursor.decode(spelled(PLACE)) == CURSOR


@pytest.mark.parametrize(
    "change",
    [
        {"s": -1},
        {"s": 1000},
        {"s": True},
        {"s": "3"},
        {"s": 3.0},
        {"t": "2026-01-15T17:00:00.1234Z"},
        {"t": "2026-01-15T17:00:00"},
        {"t": "soon"},
        {"t": 1768496400000},
        {"i": ""},
        {"i": "x" * 37},
        {"i": "a\nb"},
        {"i": "é"},
        {"i": None},
        {"n": -1},
        {"n": 10**9},
        {"n": None},
        {"p": "other"},
    ],
    ids=str,
)
def test_a_cursor_that_says_anything_else_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(InvalidInput) as error:
        Cursor.decode(spelled(PLACE | change))
    assert error.value.field == "cursor"


@pytest.mark.parametrize("missing", ["s", "t", "i", "n"])
def test_a_cursor_that_lacks_something_is_refused(missing: str) -> None:
    with pytest.raises(InvalidInput):
        Cursor.decode(spelled({name: value for name, value in PLACE.items() if name != missing}))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "A",
        "%%%",
        "é",
        "nonsense",
        spelled("[]"),
        spelled("null"),
        spelled('{"s":NaN}'),
        spelled('{"s":' + "[" * 150),
        spelled("[" * 100_000),
        spelled(PLACE) + "=",
        spelled(PLACE) + "\n",
        spelled(json.dumps(PLACE)),
        spelled({**PLACE, "i": "x" * MAX_CURSOR_LENGTH}),
    ],
    ids=lambda text: text[:20],
)
def test_a_cursor_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput) as error:
        Cursor.decode(text)
    assert error.value.field == "cursor"


@pytest.mark.parametrize(
    "window",
    [
        {"date_from": "2026-01-15T17:00:00.001Z"},
        {"date_from": "2026-01-15T16:00:00Z", "date_to": "2026-01-15T17:00:00Z"},
    ],
)
def test_a_cursor_of_other_dates_is_refused(window: dict[str, str]) -> None:
    assert refused(cursor=CURSOR.encode(), **window) == "cursor"


# --- The headers -----------------------------------------------------------------------------------------------------


def test_the_last_page_has_no_link() -> None:
    assert SessionPage([], 7, None).headers(ENDPOINT) == {"X-Total-Count": "7", "X-Limit": str(MAX_PAGE)}


def test_the_link_is_absolute_and_repeats_what_was_asked_for() -> None:
    query = parsed("2026-01-15T17:00:00.000Z", date_to="2026-01-16T00:00:00", offset="20", limit="10")
    link = SessionPage([], 120, query.following(CURSOR, 10)).headers(ENDPOINT)["Link"]
    assert link.startswith(f"<{ENDPOINT}?date_from=2026-01-15T17%3A00%3A00.000Z&")
    assert link.endswith('>; rel="next"')
    assert parse_qs(urlsplit(link[1:].partition(">")[0]).query) == {
        "date_from": ["2026-01-15T17:00:00.000Z"],
        "date_to": ["2026-01-16T00:00:00"],
        "offset": ["30"],
        "limit": ["10"],
        "cursor": [CURSOR.encode()],
    }


def test_the_link_asks_for_the_page_that_we_give() -> None:
    link = SessionPage([], 120, parsed(limit="2000").following(CURSOR, MAX_PAGE))
    assert f"limit={MAX_PAGE}&" in link.headers(ENDPOINT)["Link"]


def test_a_link_reads_as_the_query_that_it_was_made_of() -> None:
    following = parsed("2026-01-15T17:00:00+00:00", limit="7").following(CURSOR, 7)
    assert followed(SessionPage([], 120, following)) == following
