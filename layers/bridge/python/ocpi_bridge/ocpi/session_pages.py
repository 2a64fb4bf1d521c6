"""GET sessions (OCPI 9.2.1.1) page by page (4.1.4.1): the query, the cursor, and the headers of a page.

`Link` carries a cursor beside the offset. An offset counts from the beginning of an order in which every change of a
session moves it, so whoever only counted would skip sessions; the cursor names the place where the last page ended.
"""

import base64
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from urllib.parse import quote, urlencode

from ocpi_bridge.domain.errors import InvalidInput
from ocpi_bridge.domain.partners import Party
from ocpi_bridge.domain.values import dataclass
from ocpi_bridge.ocpi.bounded_json import read_json
from ocpi_bridge.ocpi.datetimes import format_datetime, parse_datetime
from ocpi_bridge.ocpi.transport import MAX_SESSION_ID_LENGTH, OcpiRequest
from ocpi_bridge.ports.json_values import JsonObject
from ocpi_bridge.ports.session_feed import FeedEntry, FeedWindow

# X-Limit. A page of so many sessions is some 30 KB without charging periods, and they are read in one call.
MAX_PAGE = 50
# Without a cursor the entries before the offset are walked and dropped, so many at the most: some 1.5 MB of the index.
MAX_OFFSET = 10_000
# Numbers in a query; longer ones mean nothing that exists.
MAX_DIGITS = 9
# What we make is at most some 150 characters long.
MAX_CURSOR_LENGTH = 256
# Of the feed's shards, so that a number cannot be absurd; how many there are is the store's affair.
MAX_SHARD = 999

_KEYS = ("date_from", "date_to", "offset", "limit", "cursor")
_MILLISECOND = timedelta(milliseconds=1)
# No session is that new, and rounding must not run out of the calendar.
_LATEST_YEAR = 9998


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where the last page ended, and the number of sessions that its crawl was told.

    It holds nothing secret and nothing that another partner could use: whose feed is read is never taken from it.
    """

    after: FeedEntry
    total: int

    def encode(self) -> str:
        """As it stands in `Link`: opaque to the partner, safe in a URL."""
        place = {
            "s": self.after.shard,
            "t": format_datetime(self.after.at),
            "i": self.after.session_id,
            "n": self.total,
        }
        return base64.urlsafe_b64encode(json.dumps(place, separators=(",", ":")).encode()).rstrip(b"=").decode()

    @classmethod
    def decode(cls, text: str) -> "Cursor":
        """Reads what `encode` wrote. Raises InvalidInput for all else."""
        cursor = _cursor(text) if len(text) <= MAX_CURSOR_LENGTH else None
        # One place has one spelling, so that nothing else can be carried along.
        if cursor is None or cursor.encode() != text:
            raise InvalidInput("cursor", "is none of ours; follow the Link of the page before")
        return cursor


@dataclass(frozen=True, slots=True)
class SessionQuery:
    """What a GET asks for. `date_from` and `date_to` are kept as they were written, for `Link`."""

    since: datetime
    until: datetime | None
    offset: int
    limit: int
    date_from: str
    date_to: str | None = None
    cursor: Cursor | None = None

    @classmethod
    def parse(cls, request: OcpiRequest) -> "SessionQuery":
        """Reads the query. Raises InvalidInput naming the parameter; unknown parameters are ignored."""
        given = dict(request.query)
        for name, times in Counter(name for name, _ in request.query).items():
            if name in _KEYS and times > 1:
                raise InvalidInput(name, "is given more than once")
        if "date_from" not in given:
            raise InvalidInput("date_from", "is missing")
        return _checked(
            cls(
                since=_moment("date_from", given["date_from"]),
                until=_moment("date_to", given["date_to"]) if "date_to" in given else None,
                offset=_number("offset", given["offset"], least=0) if "offset" in given else 0,
                limit=min(_number("limit", given["limit"], least=1), MAX_PAGE) if "limit" in given else MAX_PAGE,
                date_from=given["date_from"],
                date_to=given.get("date_to"),
                cursor=Cursor.decode(given["cursor"]) if "cursor" in given else None,
            )
        )

    def window(self, partner_id: str, party: Party | None) -> FeedWindow:
        """What is asked for, of the feed of the partner that asks, and of one party of ours where one is addressed."""
        return FeedWindow(partner_id, self.since, self.until, party)

    def following(self, cursor: Cursor, served: int) -> "SessionQuery":
        """The query of the next page, after one of so many sessions."""
        return replace(self, cursor=cursor, offset=self.offset + served)

    def url(self, endpoint: str) -> str:
        """The query as an absolute URL: all filters of the first one, the next offset and the limit (4.1.4.1.4)."""
        parts: dict[str, str | int | None] = {
            "date_from": self.date_from,
            "date_to": self.date_to,
            "offset": self.offset,
            "limit": self.limit,
            "cursor": self.cursor.encode() if self.cursor else None,
        }
        return f"{endpoint}?" + urlencode({k: v for k, v in parts.items() if v is not None}, quote_via=quote)


@dataclass(frozen=True, slots=True)
class SessionPage:
    """One page: complete Session objects, how many there are in all, and the query of the next page, if there is one."""

    sessions: Sequence[JsonObject]
    total: int
    following: SessionQuery | None

    def headers(self, endpoint: str) -> dict[str, str]:
        """The headers of the page (4.1.4.1.3); `endpoint` is the absolute URL of the sessions module."""
        headers = {"X-Total-Count": str(self.total), "X-Limit": str(MAX_PAGE)}
        if self.following is not None:
            headers["Link"] = f'<{self.following.url(endpoint)}>; rel="next"'
        return headers


def _moment(name: str, text: str) -> datetime:
    """A bound of `last_updated`, rounded up to the millisecond: that is as fine as sessions tell it."""
    try:
        moment = parse_datetime(text)
    except ValueError as error:
        raise InvalidInput(name, "is not an OCPI DateTime, for example 2026-01-15T17:05:00Z") from error
    if moment.year > _LATEST_YEAR:
        raise InvalidInput(name, f"is after the year {_LATEST_YEAR}")
    beyond = timedelta(microseconds=moment.microsecond % 1000)
    return moment + (_MILLISECOND - beyond) if beyond else moment


def _number(name: str, text: str, *, least: int) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= MAX_DIGITS and int(text) >= least):
        raise InvalidInput(name, f"is not a whole number of at least {least}")
    return int(text)


def _checked(query: SessionQuery) -> SessionQuery:
    """The query, if its parts fit each other."""
    if query.cursor is None:
        if query.offset > MAX_OFFSET:
            raise InvalidInput("offset", f"is above {MAX_OFFSET}; follow the Link of the page before instead")
        return query
    at = query.cursor.after.at
    if at < query.since or (query.until is not None and at >= query.until):
        raise InvalidInput("cursor", "belongs to other dates; follow the Link of the page before as it is")
    return query


def _cursor(text: str) -> Cursor | None:
    """The cursor of a text in whatever spelling; None for what says nothing that a cursor of ours does."""
    try:
        place = read_json(base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True))
        match place:
            case {"s": int(shard), "t": str(at), "i": str(session_id), "n": int(total)}:
                bounded = 0 <= shard <= MAX_SHARD and 0 <= total < 10**MAX_DIGITS
                printable = session_id.isascii() and session_id.isprintable()
                if bounded and printable and 0 < len(session_id) <= MAX_SESSION_ID_LENGTH:
                    return Cursor(FeedEntry(int(shard), parse_datetime(at), session_id), int(total))
    except ValueError:
        pass
    return None
