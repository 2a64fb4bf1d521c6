"""Sessions in partners' feeds, and queries of them."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from ocpi_bridge.adapters.dynamodb.session_items import feed_shard
from ocpi_bridge.domain.assignments import Rights
from ocpi_bridge.domain.events import EventType
from ocpi_bridge.domain.sessions import Session
from ocpi_bridge.ocpi.session_pages import SessionPage, SessionQuery
from ocpi_bridge.ocpi.transport import MessageIds, OcpiRequest
from tests.support.clocks import START
from tests.support.world import CARD, event, session_of

ENDPOINT = "https://ocpi.example/prod/ocpi/2.2.1/sessions"
DATE_FROM = "2026-01-15T17:00:00Z"


def session_in_feed(
    session_id: str,
    at: datetime = START,
    *partners: str,
    **changes: Any,  # noqa: ANN401 - any field of a session
) -> Session:
    """A session with its last update, seen by these partners (none named: the world's)."""
    seen_by = frozenset(partners or ("jedlix",))
    first = session_of(event(EventType.TRANSACTION_STARTED, meter="1000", token=CARD, transaction_id=session_id))
    rights = Rights(seen_by, min(seen_by))
    return replace(first, session_id=session_id, last_updated=at, rights=rights, known_to=seen_by, **changes)


def ids_in_shard(shard: int) -> Iterator[str]:
    """Ids of sessions that share a shard, in order of their text."""
    return (text for text in (f"s-{number:06d}" for number in count()) if feed_shard(text) == shard)


def seconds(number: float) -> datetime:
    """An instant after the clock's start."""
    return START + timedelta(seconds=number)


def query_request(*parameters: tuple[str, str], **named: str) -> OcpiRequest:
    """A GET with these parameters; those that are named come after the others."""
    return OcpiRequest("GET", {}, (*parameters, *named.items()), {}, MessageIds("req-1", "corr-1"))


def parsed(date_from: str = DATE_FROM, **named: str) -> SessionQuery:
    """The query of a GET from a date."""
    return SessionQuery.parse(query_request(date_from=date_from, **named))


def followed(page: SessionPage, endpoint: str = ENDPOINT) -> SessionQuery | None:
    """The query of the page's Link, as it comes back over the wire; None on the last page."""
    link = page.headers(endpoint).get("Link")
    if link is None:
        return None
    url, _, relation = link.partition(">; ")
    assert (url[0], relation) == ("<", 'rel="next"')
    split = urlsplit(url[1:])
    assert f"{split.scheme}://{split.netloc}{split.path}" == endpoint
    return SessionQuery.parse(query_request(*parse_qsl(split.query, strict_parsing=True)))
