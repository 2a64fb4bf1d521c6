"""What a page of a list has to be, and what a crawl through all pages has to be (OCPI 4.1.4.1)."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import parse_qs, urlsplit

from tools.partner_simulator.datatypes import read_datetime
from tools.partner_simulator.models import Session

LINK = "link"
TOTAL = "x-total-count"
LIMIT = "x-limit"

_LINK = re.compile(r'<(?P<url>[^<>]+)>\s*;\s*rel="?(?P<rel>[^",;]+)"?')


@dataclass(frozen=True, slots=True)
class Filters:
    """What a list was asked for, as it stands in the query."""

    date_from: str | None
    date_to: str | None
    limit: int | None

    def findings(self, sessions: Iterable[Session]) -> Iterator[str]:
        """Which sessions are not among those asked for: `date_from` is inclusive, `date_to` exclusive."""
        try:
            begin = None if self.date_from is None else read_datetime(self.date_from)
            end = None if self.date_to is None else read_datetime(self.date_to)
        except ValueError:
            yield f"a page for {self.date_from} to {self.date_to}, which are no DateTimes"
            return
        for session in sessions:
            if begin is not None and session.last_updated < begin:
                yield f"{session.id} was last updated before date_from"
            if end is not None and session.last_updated >= end:
                yield f"{session.id} was not last updated before date_to"


@dataclass(frozen=True, slots=True)
class SessionPage:
    """One page as it came; `sessions` are those that are valid, `count` is how many objects it had."""

    at: datetime
    url: str
    status: int
    status_code: int | None
    message: str | None
    headers: Mapping[str, str] = field(repr=False)
    sessions: tuple[Session, ...] = field(repr=False)
    count: int
    offset: int
    total: int | None
    limit: int | None
    next_url: str | None

    @property
    def is_success(self) -> bool:
        """Whether it is a page at all."""
        return self.status == 200 and self.status_code is not None and self.status_code < 2000


def header_number(headers: Mapping[str, str], name: str) -> int | None:
    """A header's value if it is a number of digits only."""
    value = headers.get(name, "")
    return int(value) if value.isascii() and value.isdigit() else None


def next_link(headers: Mapping[str, str]) -> str | None:
    """The URL of the next page (RFC 8288), None when there is none or it cannot be read."""
    found = _LINK.fullmatch(headers.get(LINK, "").strip())
    return found["url"] if found is not None and found["rel"] == "next" else None


def page_findings(page: SessionPage, filters: Filters) -> Iterator[str]:
    """What breaks a rule in one page, whatever came before it."""
    if page.total is None:
        yield "X-Total-Count is missing or no number"
    if page.limit is None or page.limit < 1:
        yield "X-Limit is missing or no number of objects"
    limits = [one for one in (filters.limit, page.limit) if one is not None]
    if limits and page.count > min(limits):
        yield f"{page.count} objects, although {min(limits)} is the limit"
    yield from filters.findings(page.sessions)
    if page.next_url is not None:
        yield from _link_findings(page, page.next_url, filters)
    elif page.headers.get(LINK):
        yield 'Link is not of the form <url>; rel="next"'


def _link_findings(page: SessionPage, url: str, filters: Filters) -> Iterator[str]:
    here, there = urlsplit(page.url), urlsplit(url)
    if (there.scheme, there.netloc) != (here.scheme, here.netloc):
        yield f"Link leads to {there.scheme}://{there.netloc}"
    elif there.path.rstrip("/") != here.path.rstrip("/"):
        yield f"Link leads to {there.path}"
    query = parse_qs(there.query, keep_blank_values=True)
    for name, asked in (("date_from", filters.date_from), ("date_to", filters.date_to)):
        repeated = query.get(name, [])
        if repeated != ([] if asked is None else [asked]):
            yield f"Link does not repeat {name}"
    yield from _window_findings(page, query, filters)


def _window_findings(page: SessionPage, query: Mapping[str, Sequence[str]], filters: Filters) -> Iterator[str]:
    offset = header_number({"offset": "".join(query.get("offset", []))}, "offset")
    if offset is None or offset <= page.offset:
        yield "the offset in Link does not go on"
    limit = header_number({"limit": "".join(query.get("limit", []))}, "limit")
    if filters.limit is not None and limit is None:
        yield "Link does not repeat limit"
    if limit is not None and page.limit is not None and not 1 <= limit <= min(page.limit, filters.limit or page.limit):
        yield f"the limit in Link is {limit}, although {min(page.limit, filters.limit or page.limit)} is the limit"


class CrawlRules:
    """The rules that hold between the pages of one crawl.

    `changing` says that sessions change meanwhile: then one may come twice, and one may leave a window that ends in
    the past; all that was there is still seen in a window without an end.
    """

    def __init__(self, filters: Filters, *, changing: bool) -> None:
        self._filters = filters
        self._changing = changing
        self._first: SessionPage | None = None
        self._urls: set[str] = set()
        self._seen: set[str] = set()
        self._count = 0
        self._invalid = 0

    def take(self, page: SessionPage) -> Iterator[str]:
        """What breaks a rule in the next page."""
        yield from page_findings(page, self._filters)
        if self._first is None:
            self._first = page
        elif page.count == 0 and not self._changing:
            yield "Link led to an empty page"
        for name, first, now in (
            ("X-Limit", self._first.limit, page.limit),
            ("X-Total-Count", self._first.total, page.total),
        ):
            if first != now:
                yield f"{name} was {first} on the first page and is {now}"
        self._urls.add(_without_slash(page.url))
        self._count += page.count
        self._invalid += page.count - len(page.sessions)
        for session in page.sessions:
            key = session.id.casefold()
            if key in self._seen and not self._changing:
                yield f"{session.id} came twice"
            self._seen.add(key)

    def leads_back(self, url: str) -> bool:
        """Whether a URL was read in this crawl before."""
        return _without_slash(url) in self._urls

    def end(self) -> Iterator[str]:
        """What breaks a rule once no Link follows."""
        total = 0 if self._first is None else self._first.total or 0
        # A session that came twice makes up for none that did not come.
        different = len(self._seen) + self._invalid
        if different < total and not (self._changing and self._filters.date_to is not None):
            yield f"no Link after {different} objects, although X-Total-Count is {total}"
        if self._count > total and not self._changing:
            yield f"{self._count} objects, although X-Total-Count is {total}"


def _without_slash(url: str) -> str:
    path, mark, query = url.partition("?")
    return path.rstrip("/") + mark + query
