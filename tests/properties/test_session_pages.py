"""A partner that follows Link misses no session, whatever changes meanwhile; and no query or cursor confuses us."""

import json
import random
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocpi_bridge.adapters.dynamodb import session_items
from ocpi_bridge.adapters.dynamodb import tables as dynamo
from ocpi_bridge.adapters.dynamodb.instants import epoch_ms, from_epoch_ms
from ocpi_bridge.adapters.dynamodb.session_feed import DynamoSessionFeed
from ocpi_bridge.adapters.dynamodb.session_items import FEED_SHARDS
from ocpi_bridge.adapters.dynamodb.sessions import DynamoSessionStore
from ocpi_bridge.domain.assignments import Rights
from ocpi_bridge.domain.errors import InvalidInput
from ocpi_bridge.domain.partners import Party
from ocpi_bridge.domain.sessions import Session
from ocpi_bridge.ocpi.session_pages import MAX_PAGE, Cursor, SessionPage, SessionQuery
from ocpi_bridge.ocpi.transport import CallContext, MessageIds
from ocpi_bridge.ports.callers import Caller
from ocpi_bridge.ports.session_feed import FeedEntry
from ocpi_bridge.usecases.list_sessions import ListSessions
from tests.support.clocks import START
from tests.support.examples import examples
from tests.support.fake_secrets import InMemorySecretStore
from tests.support.feeds import ENDPOINT, followed, parsed, query_request, seconds, session_in_feed
from tests.support.tables import AwsTables, aws_tables

PARAMETERS = ("date_from", "date_to", "offset", "limit", "cursor")
CONTEXT = CallContext(MessageIds("req-1", "corr-1"), None, None)

_Read = TypeVar("_Read")

instants = st.integers(-(10**12), 10**13).map(lambda milliseconds: START + timedelta(milliseconds=milliseconds))
session_ids = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), min_size=1, max_size=36)
entries = st.builds(FeedEntry, st.integers(0, FEED_SHARDS - 1), instants, session_ids)
cursors = st.builds(Cursor, entries, st.integers(0, 10**9 - 1))
partners = st.sets(st.sampled_from(["jedlix", "other", "third"]))


# --- Cursors and queries ---------------------------------------------------------------------------------------------


@given(cursors)
def test_every_cursor_is_read_as_it_was_written(cursor: Cursor) -> None:
    text = cursor.encode()
    assert Cursor.decode(text) == cursor
    assert text.replace("-", "").replace("_", "").isalnum()


@given(instants)
def test_a_place_in_the_feed_is_stored_to_the_millisecond(at: datetime) -> None:
    assert from_epoch_ms(Decimal(epoch_ms(at))) == at


@given(cursors, st.data())
def test_a_cursor_that_was_tampered_with_is_refused_or_is_another_one(cursor: Cursor, data: st.DataObject) -> None:
    text = cursor.encode()
    place = data.draw(st.integers(0, len(text)))
    length = data.draw(st.integers(0, 3))
    changed = text[:place] + data.draw(st.text(max_size=3)) + text[place + length :]
    _refused_or_canonical(changed)


@given(
    st.text(max_size=300)
    | st.binary(max_size=200).map(lambda raw: urlsafe_b64encode(raw).decode())
    | st.dictionaries(
        st.sampled_from("stin"), st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=40)
    ).map(lambda place: urlsafe_b64encode(json.dumps(place).encode()).rstrip(b"=").decode())
)
def test_whatever_comes_as_a_cursor_is_refused_unless_it_is_one(text: str) -> None:
    _refused_or_canonical(text)


def _refused_or_canonical(text: str) -> None:
    refusal, cursor = _refusal(lambda: Cursor.decode(text))
    assert (refusal == "cursor") if cursor is None else (cursor.encode() == text)


def _refusal(read: Callable[[], _Read]) -> tuple[str | None, _Read | None]:
    """The field by which something is refused, or what is read."""
    try:
        return None, read()
    except InvalidInput as error:
        return error.field, None


@given(
    st.lists(
        st.tuples(
            st.sampled_from([*PARAMETERS, "x"]),
            st.text(max_size=12)
            | st.integers().map(str)
            | st.sampled_from(["2026-01-15T17:00:00Z", "2026-01-15T17:00:00.5", "0001-01-01T00:00:00Z"])
            | cursors.map(Cursor.encode),
        ),
        max_size=6,
    )
)
def test_every_query_is_read_or_refused_by_the_name_of_a_parameter(given_parameters: list[tuple[str, str]]) -> None:
    refusal, query = _refusal(lambda: SessionQuery.parse(query_request(*given_parameters)))
    assert (refusal in PARAMETERS) if query is None else (1 <= query.limit <= MAX_PAGE)


@given(instants, st.none() | st.timedeltas(timedelta(1), timedelta(99)), st.integers(1, 2000), cursors)
def test_a_link_leads_to_the_query_that_it_says(
    since: datetime, length: timedelta | None, limit: int, cursor: Cursor
) -> None:
    dates = {} if length is None else {"date_to": f"{since + length:%Y-%m-%dT%H:%M:%S}Z"}
    first = parsed(f"{since:%Y-%m-%dT%H:%M:%S}", limit=str(limit), **dates)
    inside = replace(cursor, after=replace(cursor.after, at=first.since))
    following = first.following(inside, 7)
    assert followed(SessionPage([], 1, following)) == following


# --- Crawls ----------------------------------------------------------------------------------------------------------


class Site:
    """The feed on moto's tables: sessions that come and change, and partners that page through them."""

    def __init__(self, tables: AwsTables) -> None:
        self.tables = tables
        self.store = DynamoSessionStore(tables.client, tables.sessions, tables.registry)
        self.sessions: dict[str, Session] = {}
        self.now = 0.0
        secrets = InMemorySecretStore()
        secrets.signing_key = b"signing key"
        feed = DynamoSessionFeed(tables.client, tables.sessions, tables.registry)
        self._list_sessions = ListSessions(feed, secrets, Party("NL", "ACM"))

    def stand(self, *sessions: Session) -> None:
        """Sessions that stand there when the test begins."""
        items = [dynamo.to_item(session_items.session_item(session)) for session in sessions]
        for session in sessions:
            self.sessions[session.session_id] = session
            views = session_items.view_partners(session)
            items += [dynamo.to_item(session_items.view_item(session, partner)) for partner in views]
        for first in range(0, len(items), 25):
            self.tables.put(self.tables.sessions, *items[first : first + 25])

    def change(self, session_id: str, seen_by: set[str] | None = None) -> None:
        """An event of the session: it moves up, and may be seen by others from then on."""
        before = self.sessions[session_id]
        self.now += 0.001
        rights = before.rights if seen_by is None else Rights(frozenset(seen_by), min(seen_by, default=None))
        at = max(before.last_updated, START) + timedelta(seconds=3600 + self.now)
        after = replace(before, last_updated=at, version=before.version + 1, rights=rights)
        assert self.store.update(before, after, None)
        self.sessions[session_id] = after

    def crawl(
        self, first: SessionQuery, meanwhile: Callable[[], object], partner: str = "jedlix"
    ) -> Iterator[set[str]]:
        """The ids of each page, with something that happens between two pages. The crawl must end."""
        query: SessionQuery | None = first
        totals = set()
        for _ in range(len(self.sessions) * 3 + 10):
            page = self._list_sessions(Caller(partner), query or first, CONTEXT, "2.2.1")
            totals.add(page.headers(ENDPOINT)["X-Total-Count"])
            names = [str(session["id"]) for session in page.sessions]
            assert len(names) == len(set(names)) <= first.limit
            assert all(partner in self.sessions[name].rights.seen_by for name in names)
            yield set(names)
            query = followed(page)
            if query is None:
                assert len(totals) == 1
                return
            meanwhile()
        raise AssertionError("the crawl does not end")


@pytest.fixture(scope="module")
def tables() -> Iterator[AwsTables]:
    with aws_tables() as made:
        yield made


def test_a_thousand_sessions_change_while_a_partner_pages_and_none_is_missed(tables: AwsTables) -> None:
    tables.clear()
    site, chance = Site(tables), random.Random(20260115)
    names = [f"session-{number}" for number in range(1000)]
    site.stand(
        *(
            session_in_feed(name, seconds(chance.randrange(3000)), chance.choice(["jedlix"] * 9 + ["other"]))
            for name in names
        )
    )
    visible = {name for name, session in site.sessions.items() if "jedlix" in session.rights.seen_by}

    def events() -> None:
        # The sessions that the last page showed are as likely to change as those that no page has shown yet.
        for name in chance.sample(names, 35):
            site.change(name)

    met = list(site.crawl(parsed(limit="50"), events))
    assert set().union(*met) == visible
    assert len(met) >= len(visible) / 50
    assert sum(map(len, met)) > len(visible), "no session moved ahead of the crawl: the test shows nothing"


@examples(25)
@given(st.data())
def test_no_session_that_stays_visible_is_missed_and_no_other_is_shown(tables: AwsTables, data: st.DataObject) -> None:
    tables.clear()
    site = Site(tables)
    # Few instants, so that many sessions share one.
    places = data.draw(st.lists(st.tuples(st.integers(0, 3), partners), max_size=14), label="sessions")
    site.stand(*(_session(f"s-{number}", at, seen_by) for number, (at, seen_by) in enumerate(places)))
    stays = {name for name, session in site.sessions.items() if "jedlix" in session.rights.seen_by}
    met: set[str] = set()
    left = data.draw(st.integers(0, 12), label="events")

    def events() -> None:
        nonlocal left
        for _ in range(data.draw(st.integers(0, min(left, 3)))):
            left -= 1
            name = data.draw(st.sampled_from(sorted(site.sessions)))
            seen_by = data.draw(st.none() | partners)
            site.change(name, seen_by)
            if "jedlix" not in site.sessions[name].rights.seen_by:
                stays.discard(name)

    for page in site.crawl(parsed(limit=str(data.draw(st.integers(1, 5), label="limit"))), events):
        met |= page
    assert stays <= met


@examples(25)
@given(
    st.lists(st.integers(0, 6), max_size=12),
    st.integers(0, 6),
    st.none() | st.integers(0, 7),
    st.integers(1, 5),
    st.integers(0, 14),
)
def test_pages_of_what_stands_still_are_its_window_in_one_order(
    tables: AwsTables, instants: list[int], since: int, until: int | None, limit: int, offset: int
) -> None:
    tables.clear()
    site = Site(tables)
    site.stand(*(session_in_feed(f"s-{number}", seconds(at)) for number, at in enumerate(instants)))
    dates = {} if until is None else {"date_to": f"2026-01-15T17:00:0{until}Z"}
    query = parsed(f"2026-01-15T17:00:0{since}Z", limit=str(limit), **dates)
    pages = list(site.crawl(query, lambda: None))
    wanted = {f"s-{n}" for n, at in enumerate(instants) if since <= at and (until is None or at < until)}
    assert set().union(*pages) == wanted
    assert [len(page) for page in pages[:-1]] == [limit] * (len(pages) - 1)
    assert sum(map(len, pages)) == len(wanted)
    assert len(pages) == max(1, -(-len(wanted) // limit))
    behind = set().union(*site.crawl(replace(query, offset=offset), lambda: None))
    assert len(behind) == max(0, len(wanted) - offset)


def _session(name: str, at: int, seen_by: set[str]) -> Session:
    rights = Rights(frozenset(seen_by), min(seen_by, default=None))
    return replace(session_in_feed(name, seconds(at)), rights=rights)
