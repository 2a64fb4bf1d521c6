"""A partner lists the sessions that it sees, page by page (OCPI 9.2.1.1)."""

from collections.abc import Iterable, Mapping, Sequence

from ocpi_bridge.domain.errors import InvalidInput
from ocpi_bridge.domain.partners import Party
from ocpi_bridge.domain.sessions import Session
from ocpi_bridge.domain.values import dataclass
from ocpi_bridge.ocpi.session_pages import Cursor, SessionPage, SessionQuery
from ocpi_bridge.ocpi.sessions import charging_periods, session_fields
from ocpi_bridge.ocpi.transport import CallContext
from ocpi_bridge.ports.callers import Caller
from ocpi_bridge.ports.json_values import JsonObject
from ocpi_bridge.ports.secrets import SecretStore
from ocpi_bridge.ports.session_feed import FeedEntry, FeedWindow, SessionFeed

# Sessions and their charging periods that a page reads, more or less: four calls, and some 100 KB of JSON.
PAGE_ITEMS = 300


@dataclass(frozen=True, slots=True)
class ListSessions:
    """Lists sessions. `party` is the CPO's own; registered CSMSs may have others.

    A crawl that follows `Link` meets every session that was in its window when it began, see SessionFeed; one that
    changes meanwhile may be on two pages, and its newest state is on the last of them. What a partner may see is
    decided for each session as it is now, whatever the index says.
    """

    feed: SessionFeed
    secrets: SecretStore
    party: Party

    def __call__(self, caller: Caller, query: SessionQuery, context: CallContext, version: str) -> SessionPage:
        """Gives a page in this version of OCPI; without `following` it is the last one.

        A page may have fewer sessions than were asked for, or none: those that are no longer this partner's to see, or
        no longer in the window, are left out, and it ends early where charging periods are many. Raises InvalidInput
        for a routing header that names none of our parties.
        """
        if caller.partner_id is None:
            raise ValueError("the caller is not authenticated")
        window = query.window(caller.partner_id, self._our(context.to_party))
        after, skipped = (query.cursor.after, 0) if query.cursor else (None, query.offset)
        # One more than the page has: whether there is a next page is known before it is promised.
        entries = self.feed.entries(window, after, skipped + query.limit + 1)
        total = query.cursor.total if query.cursor else self._total(window, entries, skipped + query.limit)
        asked = entries[skipped : skipped + query.limit]
        sessions = self.feed.sessions([entry.session_id for entry in asked])
        passed = _affordable(asked, sessions)
        shown = _shown(window, asked[:passed], sessions)
        following = None
        if len(entries) > skipped + passed and passed:
            following = query.following(Cursor(asked[passed - 1], total), passed)
        return SessionPage(self._objects(window, shown, version), total, following)

    def _our(self, party: Party | None) -> Party | None:
        if party is not None and not party.is_same(self.party) and not self.feed.is_ours(party):
            raise InvalidInput("OCPI-to-party-id", "is none of our parties")
        return party

    def _total(self, window: FeedWindow, entries: Sequence[FeedEntry], wanted: int) -> int:
        """All of the window: what was walked, and what follows. Counted once a crawl, and not where one page has all."""
        return len(entries) + (self.feed.count(window, entries[-1]) if len(entries) > wanted else 0)

    def _objects(self, window: FeedWindow, sessions: Sequence[Session], version: str) -> list[JsonObject]:
        if not sessions:
            return []
        key = self.secrets.callback_signing_key()
        periods = self.feed.periods(sessions)
        return [
            {
                **session_fields(session, window.partner_id, key, version),
                "charging_periods": charging_periods(
                    periods[session.session_id], session.rights.shared_with(window.partner_id)
                ),
            }
            for session in sessions
        ]


def _affordable(entries: Sequence[FeedEntry], sessions: Mapping[str, Session]) -> int:
    """How many of the entries a page has room for; at least one, however many periods that one has."""
    items = 0
    for number, entry in enumerate(entries):
        session = sessions.get(entry.session_id)
        items += 1 + (session.periods if session else 0)
        if items > PAGE_ITEMS and number:
            return number
    return len(entries)


def _shown(window: FeedWindow, entries: Iterable[FeedEntry], sessions: Mapping[str, Session]) -> list[Session]:
    """The sessions of the entries, each once, without those that the index still has and the partner may not see."""
    found = [sessions.get(session_id) for session_id in dict.fromkeys(entry.session_id for entry in entries)]
    return [session for session in found if session is not None and window.shows(session)]
