"""The partner pulls: pages of sessions by Link to the end, or one page by its offset (OCPI 9.2.1, 4.1.4.1)."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from urllib.parse import parse_qs, urlencode, urlsplit

from tools.counterparts.clock import write_datetime
from tools.counterparts.journal import Journal
from tools.counterparts.json_types import as_list, as_object
from tools.partner_simulator.connection import Connection
from tools.partner_simulator.models import Session
from tools.partner_simulator.page_rules import (
    LIMIT,
    TOTAL,
    CrawlRules,
    Filters,
    SessionPage,
    header_number,
    next_link,
    page_findings,
)
from tools.partner_simulator.session_forms import SessionInvalidError, read_session
from tools.partner_simulator.transport import Party
from tools.partner_simulator.wire import Incoming, Wire

# A crawl of more pages does not end by itself: at 50 sessions a page this is a quarter of a million.
MAX_PAGES = 5000


class SessionPulls:
    """Reads the bridge's sessions as one of the partner's parties; every page goes into `pages`."""

    def __init__(self, connection: Connection, wire: Wire, *, pages: Journal[SessionPage], sender: Party) -> None:
        self._connection = connection
        self._wire = wire
        self._pages = pages
        self._sender = sender

    def crawl(
        self, date_from: datetime, date_to: datetime | None, *, limit: int | None, changing: bool
    ) -> Iterator[SessionPage]:
        """Page after page, read when the caller asks for the next one; ends with the last page or an error."""
        filters = Filters(write_datetime(date_from), None if date_to is None else write_datetime(date_to), limit)
        rules = CrawlRules(filters, changing=changing)
        url: str | None = self._url(filters, {})
        for _ in range(MAX_PAGES):
            if url is None:
                break
            page = self._page(url)
            self._note(rules.take(page) if page.is_success else iter(()))
            yield page
            if not page.is_success:
                return
            url = page.next_url
            if url is not None and not self._may_follow(url, page, rules):
                return
        else:
            self._note(iter([f"no last page among {MAX_PAGES}"]))
            return
        self._note(rules.end())

    def page(
        self,
        date_from: datetime | str | None,
        date_to: datetime | str | None,
        *,
        offset: int | str | None,
        limit: int | str | None,
        raw_query: str | None,
        headers: Mapping[str, str | None] | None,
        token: str | None,
    ) -> SessionPage:
        """One page; a text stands in the query as it is, whatever it says."""
        filters = Filters(_written(date_from), _written(date_to), limit if isinstance(limit, int) else None)
        more = {"offset": offset, "limit": limit}
        url = self._url(filters, {name: str(value) for name, value in more.items() if value is not None})
        if raw_query is not None:
            url = f"{self._connection.endpoints.sessions}?{raw_query}"
        page = self._page(url, headers=headers, token=token)
        if page.is_success and raw_query is None:
            self._note(page_findings(page, filters))
        return page

    def _url(self, filters: Filters, more: Mapping[str, str]) -> str:
        query = {"date_from": filters.date_from, "date_to": filters.date_to, "limit": filters.limit, **more}
        present = {name: value for name, value in query.items() if value is not None}
        base = self._connection.endpoints.sessions
        return f"{base}?{urlencode(present)}" if present else base

    def _page(
        self, url: str, *, headers: Mapping[str, str | None] | None = None, token: str | None = None
    ) -> SessionPage:
        outgoing = self._wire.prepare("GET", url, sender=self._sender, headers=headers, token=token)
        answer = self._wire.send(outgoing, where="answer to GET sessions")
        offset = parse_qs(urlsplit(url).query).get("offset", ["0"])[0]
        page = SessionPage(
            at=answer.at,
            url=outgoing.url,
            status=answer.status,
            status_code=answer.status_code,
            message=answer.message,
            headers=answer.headers,
            sessions=tuple(self._sessions(answer)),
            count=len(as_list(answer.data)),
            offset=int(offset) if offset.isdigit() else 0,
            total=header_number(answer.headers, TOTAL),
            limit=header_number(answer.headers, LIMIT),
            next_url=next_link(answer.headers),
        )
        self._pages.record(page)
        return page

    def _sessions(self, answer: Incoming) -> Iterator[Session]:
        if not answer.is_success:
            return
        if not isinstance(answer.data, list):
            self._note(iter(["data is no list"]))
        # 4.1.4.1: whoever reads a list keeps what is valid and reports the rest.
        for position, item in enumerate(as_list(answer.data)):
            try:
                yield read_session(as_object(item), self._connection.version)
            except SessionInvalidError as error:
                self._note(iter([f"object {position}: {error}"]))

    def _may_follow(self, url: str, page: SessionPage, rules: CrawlRules) -> bool:
        # The token goes to no other host, and a crawl in a circle has no end.
        if urlsplit(url).netloc != urlsplit(page.url).netloc:
            return False
        if rules.leads_back(url):
            self._note(iter(["Link leads back to a page that was read"]))
            return False
        return True

    def _note(self, findings: Iterator[str]) -> None:
        self._connection.violations.extend("GET sessions", findings)


def _written(moment: datetime | str | None) -> str | None:
    return write_datetime(moment) if isinstance(moment, datetime) else moment
