"""While a partner answers nothing, what it is owed is held back and not counted as tried; then it is told the newest."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from ocpi_bridge.domain.events import EventType, SessionStatus
from ocpi_bridge.domain.partners import Silence
from ocpi_bridge.domain.requests import RequestKind
from ocpi_bridge.domain.sessions import Session
from ocpi_bridge.ports.charge_points import Done
from ocpi_bridge.usecases.partner_line import MOST_PATIENCE, SILENT_FOR, LineEvent, look_again_at
from ocpi_bridge.usecases.push_session import GIVE_UP_AFTER, PushResult
from ocpi_bridge.usecases.update_partner import Updated
from ocpi_bridge.usecases.watch_active_profile import ANSWER_KEEPS
from ocpi_bridge.usecases.watching import Watched
from tests.support.clocks import START
from tests.support.scripted import DELIVERED, HANGS, NOT_FOUND
from tests.support.watched_site import ACCEPTED, LOWER, Site, sender
from tests.support.world import CARD, World, event

CLEAR, GET = RequestKind.CLEAR, RequestKind.GET
PROFILES = "https://ocpi.jedlix.com/ocpi/2.2.1/chargingprofiles"


@pytest.fixture(autouse=True)
def _partner_with_both_interfaces(world: World) -> None:
    world.put_partner(replace(world.partner, charging_profiles_url=PROFILES))


@pytest.fixture
def site(world: World) -> Site:
    return Site(world)


def started(world: World, transaction_id: str) -> Session:
    return world.open_session(
        event(EventType.TRANSACTION_STARTED, meter="1000", token=CARD, transaction_id=transaction_id)
    )


def update(site: Site, session: Session) -> Updated:
    return site.update(session.session_id, "jedlix", "corr-1")


def silence(world: World) -> Silence | None:
    return world.pushes.push_context("s1", "jedlix").silence


def due_at(world: World, session: Session) -> datetime | None:
    return world.pushes.push_context(session.session_id, "jedlix").push_due_at


def falls_silent(site: Site) -> None:
    """Some other session's push runs into its time."""
    site.http.answer_with(HANGS)
    updated = update(site, started(site.world, "other"))
    assert (updated.push, updated.learned) == (PushResult.FAILED, (LineEvent.FELL_SILENT,))
    site.http.messages.clear()


def stays_silent(world: World, seconds: timedelta) -> None:
    """So much time passes, and somebody has just found that the partner still answers nothing."""
    before = silence(world)
    assert before is not None
    world.clock.advance(seconds.total_seconds())
    assert world.silences.move_silence("jedlix", before, world.clock.now() + SILENT_FOR)


def moved(world: World, session: Session, **change: object) -> Session:
    before = world.session(session.session_id)
    after = replace(before, last_updated=world.clock.now(), version=before.version + 1, **change)  # type: ignore[arg-type]
    assert world.sessions.update(before, after, None)
    return after


# --- Sessions --------------------------------------------------------------------------------------------------------


def test_what_is_held_back_is_no_attempt_and_leaves_no_doubt(world: World, site: Site) -> None:
    session = started(world, "778")
    falls_silent(site)
    updated = update(site, session)
    assert (updated.push, updated.again_in, updated.learned) == (PushResult.HELD, None, ())
    assert site.http.messages == []
    pushed = world.pushed(session)
    assert (pushed.version, pushed.attempts, pushed.in_doubt) == (0, 0, False)
    assert due_at(world, session) == START + SILENT_FOR
    assert (session.session_id, "jedlix") in world.due_pushes(START + SILENT_FOR)


def test_a_session_that_changes_often_meanwhile_is_noted_once(
    world: World, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = started(world, "778")
    falls_silent(site)
    noted: list[str] = []
    put_item = world.tables.client.put_item

    def counted(**given: Any) -> object:  # noqa: ANN401 - as the client takes them
        noted.extend(given["Item"]["entity"].values())
        return put_item(**given)

    monkeypatch.setattr(world.tables.client, "put_item", counted)
    for _ in range(5):
        moved(world, session)
        assert update(site, session).push is PushResult.HELD
        world.clock.advance(4)
    assert noted.count("pushed") == 1


def test_after_the_silence_one_session_finds_out_and_all_are_told_the_newest(world: World, site: Site) -> None:
    first, second = started(world, "778"), started(world, "779")
    falls_silent(site)
    assert [update(site, one).push for one in (first, second)] == [PushResult.HELD] * 2
    world.clock.advance(SILENT_FOR.total_seconds())
    # It still answers nothing: one call, and not one for each session.
    assert [update(site, one).push for one in (first, second)] == [PushResult.FAILED, PushResult.HELD]
    assert len(site.http.messages) == 1
    site.http.answer_with(DELIVERED)
    world.clock.advance(SILENT_FOR.total_seconds())
    latest = moved(world, first, status=SessionStatus.COMPLETED)
    updated = update(site, first)
    assert (updated.push, updated.learned) == (PushResult.PUT, (LineEvent.ANSWERS,))
    assert site.http.messages[-1].body["status"] == latest.status
    assert update(site, second).push is PushResult.PUT
    assert (silence(world), due_at(world, first), due_at(world, second)) == (None, None, None)


def test_a_refusal_ends_the_silence_too(world: World, site: Site) -> None:
    session = started(world, "778")
    falls_silent(site)
    world.clock.advance(SILENT_FOR.total_seconds())
    site.http.answer_with(NOT_FOUND)
    updated = update(site, session)
    assert (updated.push, updated.learned, silence(world)) == (PushResult.FAILED, (LineEvent.ANSWERS,), None)
    assert update(site, session).push is PushResult.FAILED


def test_a_doubt_from_before_waits_without_being_counted_again(world: World, site: Site) -> None:
    session = started(world, "778")
    site.http.answer_with(HANGS)
    assert update(site, session).push is PushResult.FAILED
    for _ in range(3):
        assert update(site, session).push is PushResult.HELD
    pushed = world.pushed(session)
    assert (pushed.attempts, pushed.in_doubt) == (1, True)
    world.clock.advance(SILENT_FOR.total_seconds())
    site.http.answer_with(DELIVERED)
    assert update(site, session).push is PushResult.PUT


def test_the_meters_interval_comes_before_the_silence(world: World, site: Site) -> None:
    session = started(world, "778")
    assert update(site, session).push is PushResult.PUT
    falls_silent(site)
    world.clock.advance(60)
    moved(world, session, meter_wh=(session.meter_wh or 0) + 500)
    assert update(site, session).push is PushResult.LATER


def test_who_may_not_see_a_session_any_more_leaves_nothing_due(world: World, site: Site) -> None:
    session = started(world, "778")
    falls_silent(site)
    assert update(site, session).push is PushResult.HELD
    moved(world, session, rights=replace(session.rights, seen_by=frozenset(), steered_by=None))
    assert update(site, session).push is PushResult.NOTHING_NEW
    assert due_at(world, session) is None


def test_what_was_held_back_and_is_no_news_any_more_is_not_due_for_ever(world: World, site: Site) -> None:
    session = started(world, "778")
    assert update(site, session).push is PushResult.PUT
    falls_silent(site)
    moved(world, session, status=SessionStatus.PENDING)
    assert update(site, session).push is PushResult.HELD
    moved(world, session, status=session.status)
    world.clock.advance(SILENT_FOR.total_seconds())
    assert update(site, session).push is PushResult.NOTHING_NEW
    assert due_at(world, session) is None
    assert site.http.messages == []


def test_a_session_that_is_over_is_given_up_in_the_end_though_it_was_never_tried(world: World, site: Site) -> None:
    session = moved(world, started(world, "778"), status=SessionStatus.COMPLETED, end=START)
    world.clock.advance((GIVE_UP_AFTER + timedelta(seconds=1)).total_seconds())
    falls_silent(site)
    assert update(site, session).push is PushResult.GIVEN_UP
    assert (world.pushed(session).final, due_at(world, session)) == (True, None)


def test_the_older_the_news_the_later_it_is_looked_at_again() -> None:
    soon = START + SILENT_FOR
    assert look_again_at(soon, START - timedelta(minutes=1), START) == soon
    assert look_again_at(soon, START - timedelta(minutes=20), START) == START + timedelta(minutes=5)
    assert look_again_at(soon, START - timedelta(days=2), START) == START + MOST_PATIENCE


# --- Active profiles -------------------------------------------------------------------------------------------------


@pytest.fixture
def followed(world: World, site: Site) -> Session:
    """A session that follows the partner's plan, its result delivered, and the session told."""
    session = started(world, "778")
    request = world.accept_put(session)
    sender(world, ACCEPTED)(request.request_id, 0)
    world.deliveries.delivered(world.request("r1"))
    assert update(site, session).push is PushResult.PUT
    return session


def answered(site: Site, session: Session) -> None:
    """A doubt at the station, and the charge point's answer to the question for it."""
    site.doubt(session)
    assert site.step(session) is Watched.LOOKING
    site.charge_point(LOWER)


def kinds(site: Site) -> list[RequestKind]:
    return [request.kind for request in site.own()]


def test_a_profile_is_held_back_and_told_after_the_silence_without_another_question(
    world: World, site: Site, followed: Session
) -> None:
    falls_silent(site)
    answered(site, followed)
    assert [site.step(followed), site.step(followed)] == [Watched.HELD] * 2
    watch = world.watch(followed)
    assert watch is not None
    assert (watch.attempts, watch.due_at, site.http.messages) == (0, START + SILENT_FOR, [])
    site.http.answer_with(DELIVERED)
    world.clock.advance(SILENT_FOR.total_seconds())
    assert site.step(followed) is Watched.PUSHED
    assert (kinds(site), len(site.profiles)) == ([GET], 1)


def test_a_profile_that_waits_for_long_is_noted_once_for_each_time_it_is_looked_at(
    world: World, site: Site, followed: Session
) -> None:
    falls_silent(site)
    answered(site, followed)
    stays_silent(world, timedelta(minutes=4))
    assert site.step(followed) is Watched.HELD
    due = world.watch_due(followed)
    assert due == world.clock.now() + timedelta(minutes=1)
    world.clock.advance(20)
    assert site.step(followed) is Watched.HELD
    assert world.watch_due(followed) == due


def test_a_step_whose_session_push_ran_into_its_time_does_not_call_for_the_profile(
    world: World, site: Site, followed: Session
) -> None:
    answered(site, followed)
    moved(world, followed, status=SessionStatus.ACTIVE, connector_id=followed.connector_id, evse_uid="BE*BEC*OTHER")
    site.http.messages.clear()
    site.http.answer_with(HANGS)
    updated = update(site, followed)
    assert (updated.push, updated.watch) == (PushResult.FAILED, Watched.HELD)
    assert len(site.http.messages) == 1


def test_a_profile_that_runs_into_its_time_begins_a_silence(world: World, site: Site, followed: Session) -> None:
    answered(site, followed)
    site.http.answer_with(HANGS)
    updated = update(site, followed)
    assert (updated.watch, updated.learned) == (Watched.FAILED, (LineEvent.FELL_SILENT,))
    assert silence(world) is not None


def test_a_plan_that_must_go_is_cleared_while_its_partner_is_silent(
    world: World, site: Site, followed: Session
) -> None:
    falls_silent(site)
    answered(site, followed)
    assert site.step(followed) is Watched.HELD
    moved(world, followed, rights=replace(followed.rights, steered_by=None))
    assert site.step(followed) is Watched.CLEARING
    assert kinds(site) == [GET, CLEAR]


def test_a_newer_doubt_is_looked_into_while_the_partner_is_silent(world: World, site: Site, followed: Session) -> None:
    falls_silent(site)
    answered(site, followed)
    assert site.step(followed) is Watched.HELD
    world.clock.advance(1)
    site.doubt(followed)
    assert site.step(followed) is Watched.LOOKING
    assert kinds(site) == [GET, GET]


def test_a_plan_that_was_lost_is_sent_again_while_the_partner_is_silent(
    world: World, site: Site, followed: Session
) -> None:
    falls_silent(site)
    site.doubt(followed)
    assert site.look(followed, Done("Rejected")) is Watched.RESENDING


def test_an_answer_that_grew_old_meanwhile_is_asked_for_again(world: World, site: Site, followed: Session) -> None:
    falls_silent(site)
    answered(site, followed)
    assert site.step(followed) is Watched.HELD
    stays_silent(world, ANSWER_KEEPS)
    assert site.step(followed) is Watched.HELD
    stays_silent(world, timedelta(seconds=1))
    assert site.step(followed) is Watched.LOOKING
    assert kinds(site) == [GET, GET]
