"""The whole story of one request, or of one session, by any id: what the tables hold and what the functions logged."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from ocpi_bridge.domain.errors import BridgeError
from ocpi_bridge.domain.histories import Happening, History
from ocpi_bridge.domain.requests import Request
from ocpi_bridge.ports.clock import Clock
from ocpi_bridge.ports.stories import StoryStore
from ocpi_bridge.usecases.session_story import LONGEST_ID, LookBack
from tools.bridge.function_logs import FunctionLogs, LogLine, Searched

# Clocks of machines differ a little, and a queue may hold a message back for a while after the result is due.
BEFORE, AFTER = timedelta(minutes=1), timedelta(minutes=5)
# Logs of a longer time cost money to read; what happened before is in the tables.
LONGEST_WINDOW = timedelta(hours=24)
# Of one id there are one or two; more come where a peer sends a constant one.
MOST_REQUESTS: Final = 8
TABLES: Final = "tables"


class NothingFound(BridgeError):
    """No table and no log knows the id. The text says where was looked."""


@dataclass(frozen=True, slots=True)
class Traced:
    """One thing that happened: `where` is a function's name, or `tables` where the tables tell it."""

    at: datetime
    where: str
    what: str
    outcome: str = ""
    reason: str = ""
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class Trace:
    """All that is known, in the order of time. `left_out` has a sentence for each thing that was cut off."""

    events: tuple[Traced, ...]
    session_id: str | None = None
    requests: tuple[Request, ...] = ()
    left_out: tuple[str, ...] = ()


_NO_LOGS: Final = Searched(())


@dataclass(frozen=True, slots=True)
class _Found:
    """What an id led to: a session's history, and the requests that are meant; None means the whole session."""

    history: History | None
    requests: tuple[Request, ...] | None
    searched: Searched = _NO_LOGS


@dataclass(frozen=True, slots=True)
class Tracer:
    """Looks into the tables and the logs of one deployment. Nothing is written."""

    stories: StoryStore
    logs: FunctionLogs
    clock: Clock

    def __call__(self, any_id: str, within: timedelta) -> Trace:
        """The story that an id leads to.

        It may be a request's, a session's, a station's (CSMS/STATION), a transaction's, a correlation id or an
        X-Request-ID. For the last three, which no table has as a key, the logs of `within` are searched. Raises
        NothingFound.
        """
        wanted = any_id.strip()
        if not wanted or len(wanted) > LONGEST_ID or '"' in wanted:
            raise NothingFound("that is no id")
        found = self._in_tables(wanted) or self._in_logs(wanted, within)
        if found.history is None:
            return Trace(tuple(map(_of_a_line, found.searched.lines)), left_out=_cut(found.searched))
        since, until, shortened = self._window(found)
        searched = self._searched(found, since, until)
        lines = [*found.searched.lines, *searched.lines]
        happenings = [one for one in found.history.happenings if _concerns(one, found.requests)]
        events = {*map(_of_a_happening, happenings), *map(_of_a_line, lines)}
        return Trace(
            events=tuple(sorted(events, key=lambda one: one.at)),
            session_id=found.history.session.session_id,
            requests=found.requests if found.requests is not None else found.history.requests,
            left_out=(*_cut(searched), *shortened, *_earlier(found)),
        )

    def _in_tables(self, wanted: str) -> _Found | None:
        history = LookBack(self.stories, self.clock)(wanted)
        if history is None:
            return None
        if history.chosen is None:
            return _Found(history, None)
        chosen = tuple(one for one in history.requests if one.request_id == history.chosen)
        return _Found(history, chosen)

    def _in_logs(self, wanted: str, within: timedelta) -> _Found:
        """By what the functions logged of it. The first line that leads to a session decides."""
        now = self.clock.now()
        searched = self.logs.search([wanted], now - within, now)
        if not searched.lines:
            hours = within.total_seconds() / 3600
            raise NothingFound(
                f"no table has {wanted!r}, and no log of the last {hours:g} hours; --hours looks further"
            )
        history = next(filter(None, (self._of_line(line, wanted) for line in searched.lines)), None)
        if history is None or any(line.text("transaction_id") == wanted for line in searched.lines):
            return _Found(history, None, searched)
        told = {line.text("correlation_id") for line in searched.lines}
        asked = {line.text("request_id") for line in searched.lines}
        meant = [one for one in history.requests if one.request_id in asked or one.correlation_id in told]
        # Where no request came of it, the lines that name it are all there is.
        return _Found(history, tuple(meant[-MOST_REQUESTS:]), searched) if meant else _Found(None, (), searched)

    def _of_line(self, line: LogLine, wanted: str) -> History | None:
        look_back = LookBack(self.stories, self.clock)
        for name in ("request_id", "session_id"):
            if line.text(name) and (history := look_back(line.text(name))) is not None:
                return history
        csms_id, _, station_id = line.text("station_key").partition("#")
        if not station_id or line.text("transaction_id") != wanted:
            return None
        sessions = self.stories.newest_at(csms_id, station_id)
        session = next((one for one in sessions if one.transaction_id == wanted), None)
        return look_back(session.session_id) if session is not None else None

    def _window(self, found: _Found) -> tuple[datetime, datetime, tuple[str, ...]]:
        """From when to when logs are searched, and what is to be said of it."""
        history, now = found.history, self.clock.now()
        assert history is not None
        if found.requests:
            since = min(one.created_at for one in found.requests)
            until = max(max(one.timeout_at, one.deliver_until) for one in found.requests)
        else:
            session = history.session
            since, until = session.opened_at or session.start, session.last_moment or now
        since, until = since - BEFORE, min(until + AFTER, now)
        if until - since <= LONGEST_WINDOW:
            return since, until, ()
        hours = LONGEST_WINDOW.total_seconds() / 3600
        return until - LONGEST_WINDOW, until, (f"Only the last {hours:g} hours of the session's logs were searched.",)

    def _searched(self, found: _Found, since: datetime, until: datetime) -> Searched:
        assert found.history is not None
        session = found.history.session
        if found.requests:
            ids = [each for one in found.requests for each in (one.request_id, one.correlation_id)]
            return self.logs.search(ids, since, until)
        ids = [session.session_id] + ([session.transaction_id] if session.transaction_known else [])
        searched = self.logs.search(ids, since, until)
        here = f"{session.csms_id}#{session.station_id}"
        # The same transaction id may be another station's.
        own = [line for line in searched.lines if line.text("session_id") or line.text("station_key") == here]
        return Searched(tuple(own), searched.cut)


def _concerns(happening: Happening, requests: Sequence[Request] | None) -> bool:
    return requests is None or any(happening.request_id == one.request_id for one in requests)


def _of_a_happening(happening: Happening) -> Traced:
    who = f"{happening.by.value} {happening.name}" if happening.name else f"the {happening.by.value}"
    return Traced(happening.at, TABLES, f"{who} {happening.what}", happening.result, "", happening.request_id or "")


def _of_a_line(line: LogLine) -> Traced:
    http = f"HTTP {line.text('http_status')}" if line.text("http_status") else ""
    ocpi = f"OCPI {line.text('status_code')}" if line.text("status_code") else ""
    parts = (line.text("kind"), line.text("event_type"), line.text("state"), line.text("outcome"), http, ocpi)
    why = (line.text("reason"), line.text("error"), line.text("exception_name"))
    return Traced(
        at=line.at,
        where=line.text("service") or "?",
        what=line.text("message"),
        outcome=", ".join(part for part in (*parts, line.text("result")) if part),
        reason=next(filter(None, why), ""),
        request_id=line.text("request_id"),
    )


def _cut(searched: Searched) -> tuple[str, ...]:
    return tuple(f"There are more lines of {function} than were read." for function in searched.cut)


def _earlier(found: _Found) -> Iterator[str]:
    if found.requests is None and found.history is not None and found.history.earlier_requests:
        yield "The session has older requests than these."
