"""Looking back at a session: its requests with the instants of their steps, its periods, its partners."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from ocpi_bridge.adapters.dynamodb import stories
from ocpi_bridge.adapters.dynamodb.stories import MOST_PERIODS, MOST_REQUESTS, DynamoStories
from ocpi_bridge.domain.assignments import Rights
from ocpi_bridge.domain.events import EventType, SessionStatus
from ocpi_bridge.domain.requests import Answer, Origin, RequestKind, RequestState, Result
from ocpi_bridge.domain.sessions import ChargingPeriod, Session
from ocpi_bridge.ports.pushes import Pushed
from ocpi_bridge.ports.stories import Milestones, SessionStory
from tests.support import registry_entries
from tests.support.clocks import START
from tests.support.dynamodb_faults import counted
from tests.support.tables import AwsTables
from tests.support.world import PAUSE_BETWEEN, World, event, session_of

TWO_OUTLETS = registry_entries.station(evse_uids=("EVSE-1", "EVSE-2"))
REJECTED = Answer(Result.REJECTED, "no answer by the deadline; the command was never sent")


@pytest.fixture
def world(aws: AwsTables) -> World:
    return World(aws)


@pytest.fixture
def looking_back(world: World) -> DynamoStories:
    return DynamoStories(world.tables.client, world.tables.sessions, world.tables.requests)


def _at(seconds: float) -> timedelta:
    return timedelta(seconds=seconds)


def _story(looking_back: DynamoStories, session: Session) -> SessionStory:
    found = looking_back.story_of(session.session_id)
    assert found is not None
    return found


def test_a_request_says_when_it_was_sent_answered_and_delivered(world: World, looking_back: DynamoStories) -> None:
    session = world.open_session()
    world.accept_put(session)
    world.clock.advance(1)
    assert world.commands.mark_sent(world.request())
    world.clock.advance(2)
    assert world.commands.mark_sent(world.request())
    world.clock.advance(1)
    assert world.commands.record_answer(world.request(), Answer(Result.ACCEPTED, ""))
    for pause in (1, 3):
        world.clock.advance(pause)
        now = world.clock.now()
        assert world.deliveries.lease_delivery(world.request(), until=now + _at(1), now=now) is not None
    world.deliveries.delivered(world.request())

    [told] = _story(looking_back, session).requests
    assert told.request == world.request()
    assert told.request.state is RequestState.DELIVERED
    assert told.milestones == Milestones(
        first_sent_at=START + _at(1),
        sent_at=START + _at(3),
        answered_at=START + _at(4),
        first_delivery_at=START + _at(5),
        closed_at=START + _at(8),
    )
    assert told.plan == PAUSE_BETWEEN
    assert told.profile is None


def test_a_request_that_expired_and_was_given_up_says_when(world: World, looking_back: DynamoStories) -> None:
    session = world.open_session()
    world.accept_put(session)
    world.clock.advance(50)
    expired = world.deliveries.expire(world.request(), REJECTED)
    assert expired is not None
    world.clock.advance(10)
    world.deliveries.undelivered(expired, "http_500")

    told = looking_back.request("r1")
    assert told is not None
    assert told.request.delivery.last_error == "http_500"
    assert told.milestones == Milestones(answered_at=START + _at(50), closed_at=START + _at(60))


def test_a_request_that_waits_has_no_milestone_yet(world: World, looking_back: DynamoStories) -> None:
    world.accept_put(world.open_session())

    told = looking_back.request("r1")

    assert told is not None
    assert told.milestones == Milestones()


def test_what_a_get_was_answered_with_is_part_of_the_story(world: World, looking_back: DynamoStories) -> None:
    session = world.open_session()
    world.put_request(session, RequestKind.GET)
    assert world.commands.record_answer(world.request(), Answer(Result.ACCEPTED, "", PAUSE_BETWEEN))

    [told] = _story(looking_back, session).requests

    assert told.profile == PAUSE_BETWEEN
    assert told.plan is None


def test_requests_come_in_the_order_of_their_making_the_bridges_own_among_them(
    world: World, looking_back: DynamoStories
) -> None:
    session = world.open_session()
    for name, origin in (("c", Origin.PARTNER), ("a", Origin.BRIDGE), ("b", Origin.PARTNER)):
        world.put_request(session, RequestKind.GET, request_id=name, origin=origin)
        world.clock.advance(1)

    assert [one.request.request_id for one in _story(looking_back, session).requests] == ["c", "a", "b"]


def test_a_long_story_is_cut_at_its_beginning_and_says_so(
    world: World, looking_back: DynamoStories, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stories, "MOST_REQUESTS", 3)
    monkeypatch.setattr(stories, "MOST_PERIODS", 2)
    session = world.open_session()
    for number in range(4):
        world.put_request(session, RequestKind.GET, request_id=f"r{number}")
        world.clock.advance(1)
    before = world.session(session.session_id)
    for index in range(1, 4):
        moment = START + _at(index)
        after = replace(before, periods=index, version=before.version + 1)
        period = ChargingPeriod(index, moment, moment + _at(1), Decimal("0.1"), Decimal(1))
        assert world.sessions.update(before, after, period)
        before = after

    story = _story(looking_back, session)

    assert [one.request.request_id for one in story.requests] == ["r1", "r2", "r3"]
    assert [one.index for one in story.periods] == [2, 3]
    assert story.earlier_requests
    assert story.earlier_periods


def test_a_whole_story_does_not_say_that_it_was_cut(world: World, looking_back: DynamoStories) -> None:
    story = _story(looking_back, world.open_session())

    assert not story.earlier_requests
    assert not story.earlier_periods
    assert story.requests == []


def test_three_items_of_each_request_fit_into_one_batch() -> None:
    assert 3 * MOST_REQUESTS <= 100
    assert MOST_PERIODS < 1000


def test_requests_of_another_session_are_no_part_of_it(world: World, looking_back: DynamoStories) -> None:
    session = world.open_session()
    other = world.open_session(event(EventType.TRANSACTION_STARTED, 1, transaction_id="779"), session_id="other")
    world.put_request(other)

    assert _story(looking_back, session).requests == []


def test_a_session_is_found_without_regard_to_case(world: World, looking_back: DynamoStories) -> None:
    session = world.open_session()

    story = looking_back.story_of(session.session_id.swapcase())

    assert story is not None
    assert story.session == session


def test_what_is_not_there_has_no_story(looking_back: DynamoStories) -> None:
    assert looking_back.story_of("nobody's") is None
    assert looking_back.request("nobody's") is None
    assert looking_back.newest_at("acme", "CP-404") == []


def test_each_partner_that_ever_saw_the_session_has_its_part(world: World, looking_back: DynamoStories) -> None:
    session = world.open_session(
        rights=Rights(frozenset({"jedlix"}), "jedlix"), known_to=frozenset({"jedlix", "former"})
    )
    world.pushes.save_pushed(Pushed(session.session_id, "jedlix", version=4, at=START, attempts=2), None)

    first, second = _story(looking_back, session).partners

    assert (first.pushed.partner_id, first.pushed.at) == ("former", None)
    assert (second.pushed.partner_id, second.pushed.at, second.pushed.attempts) == ("jedlix", START, 2)
    assert second.watch is None


def test_a_story_takes_five_calls_however_long_it_is(world: World, looking_back: DynamoStories) -> None:
    session = world.open_session()
    for number in range(MOST_REQUESTS + 1):
        world.put_request(session, request_id=f"r{number}")
    with counted(world.tables.client) as calls:
        _story(looking_back, session)

    assert sorted(calls) == ["BatchGetItem"] * 3 + ["Query"] * 2


def test_a_station_shows_who_charges_there_and_who_did_last(world: World, looking_back: DynamoStories) -> None:
    for number, over in ((1, True), (2, True), (3, False)):
        opening = event(EventType.TRANSACTION_STARTED, number, transaction_id=str(number), connector_id=min(number, 2))
        status = SessionStatus.COMPLETED if over else SessionStatus.ACTIVE
        session = replace(session_of(opening, station=TWO_OUTLETS), session_id=f"s{number}", status=status)
        assert world.sessions.create(session, None)

    assert [one.session_id for one in looking_back.newest_at("acme", "CP-001")] == ["s3", "s1"]
