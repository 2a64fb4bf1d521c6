"""Looking back: what became of a session, found by any id that an operator may have at hand."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from urllib.parse import urlsplit

from ocpi_bridge.domain.histories import History, Standing
from ocpi_bridge.domain.requests import Request
from ocpi_bridge.domain.values import dataclass
from ocpi_bridge.ports.clock import Clock
from ocpi_bridge.ports.stories import PartnerStory, RequestStory, SessionStory, StoryStore
from ocpi_bridge.usecases.session_courses import courses, window
from ocpi_bridge.usecases.session_happenings import happenings

# OCPI's ids have 36 characters at most, stations' and CSMSs' ids little more; nothing longer is looked for.
LONGEST_ID = 255


@dataclass(frozen=True, slots=True)
class LookBack:
    """Finds a session's history. Nothing is written."""

    store: StoryStore
    clock: Clock

    def __call__(self, any_id: str) -> History | None:
        """The history that a session id, a request id or a station (`csms/station`) leads to, or None.

        A station leads to its newest session, with the ids of the others. It has no token, no contract and no path of
        a response_url (design decision 22). Requests of the last moment may be missing (StoryStore).
        """
        wanted = any_id.strip()
        if not wanted or len(wanted) > LONGEST_ID:
            return None
        now = self.clock.now()
        if (story := self.store.story_of(wanted)) is not None:
            return history(story, now)
        if (asked := self.store.request(wanted)) is not None:
            story = self.store.story_of(asked.request.session_id)
            return None if story is None else replace(history(_with(story, asked), now), chosen=wanted)
        csms_id, slash, station_id = wanted.partition("/")
        if not (csms_id and slash and station_id):
            return None
        newest = [one.session_id for one in self.store.newest_at(csms_id, station_id)]
        story = self.store.story_of(newest[0]) if newest else None
        return None if story is None else replace(history(story, now), others=tuple(newest[1:]))


def history(story: SessionStory, now: datetime) -> History:
    """The story in the order of time, without persons and secrets."""
    told = happenings(story)
    since, until = window(story, told, now)
    return History(
        at=now,
        since=since,
        until=until,
        session=replace(story.session, token=None),
        happenings=told,
        courses=courses(story, since, until),
        requests=tuple(_without_secrets(one.request) for one in story.requests),
        partners=tuple(_standing(story, one) for one in story.partners),
        installed=story.control.installed,
        in_the_dark=story.control.in_the_dark,
        earlier_requests=story.earlier_requests,
        earlier_periods=story.earlier_periods,
    )


def _with(story: SessionStory, asked: RequestStory) -> SessionStory:
    """The story with a request that is in it already, or that is older or newer than what the index gave."""
    others = [one for one in story.requests if one.request.request_id != asked.request.request_id]
    requests: Sequence[RequestStory] = sorted([*others, asked], key=lambda one: one.request.created_at)
    return replace(story, requests=requests)


def _without_secrets(request: Request) -> Request:
    if request.callback is None:
        return request
    # The path and the query of a response_url are the partner's secret.
    host = urlsplit(request.callback.response_url).hostname or ""
    return replace(request, callback=replace(request.callback, response_url=f"https://{host}/"))


def _standing(story: SessionStory, one: PartnerStory) -> Standing:
    partner_id = one.pushed.partner_id
    owed = story.control.intake(partner_id).first_set is not None and not story.session.over
    return Standing(
        partner_id=partner_id,
        sees=partner_id in story.session.rights.seen_by,
        steers=partner_id == story.session.rights.steered_by,
        told_at=one.pushed.at,
        heard_at=None if one.watch is None else one.watch.heard_at,
        watching=owed,
        in_doubt=one.pushed.in_doubt,
        failures=one.pushed.attempts + (0 if one.watch is None else one.watch.attempts),
    )
