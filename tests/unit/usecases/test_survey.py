"""Each minute it is seen how many sessions run, and which partner takes nothing while sessions of its own do."""

from dataclasses import replace
from datetime import timedelta

import pytest

from ocpi_bridge.adapters.dynamodb import survey
from ocpi_bridge.adapters.dynamodb.survey import DynamoSurveyStore
from ocpi_bridge.domain.events import EventType, SessionStatus
from ocpi_bridge.domain.partners import Silence
from ocpi_bridge.domain.sessions import Session
from ocpi_bridge.ports.pushes import Pushed
from ocpi_bridge.usecases.survey import FAILURES, LASTING, SILENT_AFTER, Survey, Surveyed
from tests.support.clocks import START
from tests.support.world import World, event


def surveyed(world: World) -> Surveyed:
    store = DynamoSurveyStore(world.tables.client, world.tables.sessions, world.tables.registry)
    return Survey(store, world.clock)()


def started(world: World, transaction_id: str) -> Session:
    return world.open_session(event(EventType.TRANSACTION_STARTED, transaction_id=transaction_id))


def push_failed(world: World, session: Session, **change: object) -> None:
    failed = Pushed(session.session_id, "jedlix", in_doubt=True, attempts=FAILURES)
    world.pushes.save_pushed(replace(failed, **change), due_at=None)  # type: ignore[arg-type]


@pytest.fixture
def session(world: World) -> Session:
    return started(world, "778")


def test_live_sessions_are_counted_until_they_are_over(world: World, session: Session) -> None:
    started(world, "779")
    assert surveyed(world).live_sessions == 2
    world.put_session(replace(session, status=SessionStatus.COMPLETED, end=START, version=2))
    assert surveyed(world).live_sessions == 1


def test_sessions_beyond_the_sample_are_counted_too(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(survey, "SOME", 1)
    for number in range(30):
        started(world, str(number))
    assert surveyed(world).live_sessions == 30


def test_a_partner_that_fails_to_take_pushes_while_its_sessions_run_is_silent(world: World, session: Session) -> None:
    push_failed(world, session)
    assert surveyed(world).silent_partners == ("jedlix",)


def test_a_partner_that_took_a_push_of_another_session_lately_is_not_silent(world: World, session: Session) -> None:
    push_failed(world, session)
    world.pushes.save_pushed(Pushed(started(world, "779").session_id, "jedlix", version=1, at=START), due_at=None)
    world.clock.advance(SILENT_AFTER.total_seconds() - 1)
    assert surveyed(world).silent_partners == ()
    world.clock.advance(1)
    assert surveyed(world).silent_partners == ("jedlix",)


def test_a_failure_or_two_are_no_silence(world: World, session: Session) -> None:
    push_failed(world, session, attempts=FAILURES - 1)
    assert surveyed(world).silent_partners == ()


def test_a_partner_to_which_nothing_had_to_be_told_is_not_silent(world: World, session: Session) -> None:
    world.pushes.save_pushed(Pushed(session.session_id, "jedlix", version=1, at=START), due_at=None)
    world.clock.advance(timedelta(hours=5).total_seconds())
    assert surveyed(world).silent_partners == ()


def test_a_partner_none_of_whose_sessions_run_is_not_silent(world: World, session: Session) -> None:
    push_failed(world, session)
    world.put_session(replace(session, status=SessionStatus.COMPLETED, end=START, version=2))
    assert surveyed(world) == Surveyed(0, ())


# --- A partner that answers nothing: most of its pushes are held back, and fail at no session ----------------------------


def test_a_silence_that_lasts_is_told_though_no_session_failed_often(world: World, session: Session) -> None:
    world.silences.begin_silence("jedlix", Silence(START, START + timedelta(seconds=30)))
    world.clock.advance((LASTING - timedelta(seconds=1)).total_seconds())
    assert surveyed(world).silent_partners == ()
    world.clock.advance(1)
    assert surveyed(world).silent_partners == ("jedlix",)


def test_a_silence_since_the_last_push_that_was_taken_is_told_after_a_while(world: World, session: Session) -> None:
    world.pushes.save_pushed(Pushed(session.session_id, "jedlix", version=1, at=START), due_at=None)
    world.silences.begin_silence("jedlix", Silence(START, START + timedelta(seconds=30)))
    world.clock.advance(SILENT_AFTER.total_seconds() - 1)
    assert surveyed(world).silent_partners == ()
    world.clock.advance(1)
    assert surveyed(world).silent_partners == ("jedlix",)
