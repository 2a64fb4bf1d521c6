"""Each minute whatever was dropped is woken, and nothing that goes its way by itself."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import pytest

from ocpi_bridge.adapters.dynamodb import sweep
from ocpi_bridge.adapters.dynamodb.session_items import DUE_SHARDS, FEED_SHARDS
from ocpi_bridge.domain.assignments import Rights
from ocpi_bridge.domain.events import EventType, SessionStatus
from ocpi_bridge.domain.requests import Delivery, RequestState, Result
from ocpi_bridge.domain.sessions import Session
from ocpi_bridge.ports.messages import (
    CommandMessage,
    DeadlineMessage,
    Message,
    OverdueSession,
    PushMessage,
    ResultMessage,
)
from ocpi_bridge.ports.pushes import Pushed
from ocpi_bridge.usecases import sweep as sweeping
from ocpi_bridge.usecases.sweep import STALLED_AFTER, Sweep, Swept
from tests.support.clocks import START, ManualClock
from tests.support.dynamodb_faults import counted, meanwhile
from tests.support.scripted import MemoryOutbox
from tests.support.world import DEADLINE, World, event

MINUTE = "sweep-20260115T1701"


def swept(world: World, *, after: float = 60) -> tuple[Swept, MemoryOutbox]:
    outbox = MemoryOutbox()
    world.clock.advance(after)
    return Sweep(world.sweeps, outbox, world.clock)(), outbox


@pytest.fixture
def session(world: World) -> Session:
    return world.open_session()


COMMAND = CommandMessage("r1", 0, 0, "acme#CP-001")
DEADLINE_MESSAGE = DeadlineMessage("r1", START + DEADLINE)
RESULT = ResultMessage("r1", "jedlix")


@pytest.mark.parametrize(
    ("state", "messages"),
    [
        (RequestState.PENDING, [COMMAND, DEADLINE_MESSAGE]),
        (RequestState.SENT, [DEADLINE_MESSAGE]),
        (RequestState.ANSWERED, [RESULT]),
        (RequestState.EXPIRED, [RESULT]),
    ],
)
def test_a_request_that_stalled_gets_the_message_of_its_state(
    world: World, session: Session, state: RequestState, messages: list[Message]
) -> None:
    world.put_request(session, state=state)
    done, outbox = swept(world)
    assert (done, outbox.messages) == (Swept(requests=1, pushes=0), messages)
    assert outbox.again == [MINUTE]


def test_a_stalled_step_is_woken_as_the_turn_that_it_is(world: World, session: Session) -> None:
    world.put_request(session, step=1, attempts=2)
    assert swept(world)[1].messages[0] == CommandMessage("r1", 1, 2, "acme#CP-001")


@pytest.mark.parametrize(("age", "woken"), [(14.9, False), (15, True)])
def test_a_request_that_may_still_go_its_way_is_left_alone(
    world: World,
    session: Session,
    age: float,
    woken: bool,
) -> None:
    assert timedelta(seconds=15) == STALLED_AFTER
    world.put_request(session)
    assert bool(swept(world, after=age)[1].messages) is woken


def test_requests_at_their_end_are_not_woken(world: World, session: Session) -> None:
    delivered = world.put_request(session, request_id="r1", state=RequestState.ANSWERED, result=Result.ACCEPTED)
    given_up = world.put_request(
        session, request_id="r2", state=RequestState.ANSWERED, result=Result.ACCEPTED, delivery=Delivery(1)
    )
    world.deliveries.delivered(delivered)
    world.deliveries.undelivered(given_up, "http_404")
    assert swept(world)[1].again == []


def test_a_request_that_ends_while_the_sweep_looks_is_not_woken(world: World, session: Session) -> None:
    request = world.put_request(session, state=RequestState.ANSWERED, attempts=1, result=Result.ACCEPTED)
    with meanwhile(world.tables.client, lambda: world.deliveries.delivered(request), "BatchGetItem"):
        done, outbox = swept(world)
    assert (done.requests, outbox.messages) == (0, [])


def test_a_push_that_is_due_is_woken_and_one_that_is_not_is_left_alone(world: World, session: Session) -> None:
    later = world.open_session(event(EventType.TRANSACTION_STARTED, transaction_id="779"))
    world.pushes.save_pushed(Pushed(session.session_id, "jedlix"), due_at=START + timedelta(seconds=60))
    world.pushes.save_pushed(Pushed(later.session_id, "jedlix"), due_at=START + timedelta(seconds=61))
    done, outbox = swept(world)
    assert (done, outbox.messages) == (
        Swept(requests=0, pushes=1),
        [PushMessage(session.session_id, "jedlix", MINUTE)],
    )


def test_a_push_that_was_acknowledged_is_not_woken(world: World, session: Session) -> None:
    world.pushes.save_pushed(Pushed(session.session_id, "jedlix"), due_at=START)
    world.pushes.save_pushed(Pushed(session.session_id, "jedlix", version=1), due_at=None)
    assert swept(world)[1].messages == []


def test_whoever_a_session_concerns_that_is_over_is_woken_once_more(world: World, session: Session) -> None:
    seen_by_two = replace(session, known_to=frozenset({"jedlix", "other"}))
    over = replace(seen_by_two, status=SessionStatus.COMPLETED, version=session.version + 1)
    assert world.sessions.update(session, over, None)
    assert swept(world)[1].messages == []
    messages = [PushMessage(session.session_id, one, "sweep-20260115T1702") for one in ("jedlix", "other")]
    assert swept(world)[1].messages == messages
    assert swept(world)[1].messages == []


def test_a_sweep_that_fails_to_wake_them_does_so_the_next_time(world: World, session: Session) -> None:
    over = replace(session, status=SessionStatus.COMPLETED, version=session.version + 1)
    assert world.sessions.update(session, over, None)
    world.clock.advance(120)
    with pytest.raises(RuntimeError):
        Sweep(world.sweeps, BrokenOutbox(), world.clock)()
    assert len(swept(world)[1].messages) == 1


def over_at_once(world: World, count: int) -> list[Session]:
    """So many sessions that are over for long enough."""
    found = []
    for number in range(count):
        session = world.open_session(event(EventType.TRANSACTION_STARTED, transaction_id=f"over-{number}"))
        over = replace(session, status=SessionStatus.COMPLETED, version=session.version + 1)
        assert world.sessions.update(session, over, None)
        found.append(over)
    world.clock.advance(120)
    return found


def test_ends_are_told_page_after_page_until_none_is_left(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweeping, "ENDS_AT_ONCE", 2)
    sessions = over_at_once(world, 5)
    _, outbox = swept(world, after=0)
    told = [one.session_id for one in outbox.messages if isinstance(one, PushMessage)]
    assert sorted(told) == sorted(one.session_id for one in sessions)


def test_a_sweep_that_tells_ends_for_long_leaves_the_rest_to_the_next(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweeping, "ENDS_AT_ONCE", 2)
    over_at_once(world, 5)
    slow = SlowOutbox(world.clock)
    Sweep(world.sweeps, slow, world.clock)()
    assert len(slow.messages) == 4
    assert len(swept(world)[1].messages) == 1


class SlowOutbox(MemoryOutbox):
    """Takes ten seconds for whatever it sends."""

    def __init__(self, clock: ManualClock) -> None:
        super().__init__()
        self._clock = clock

    def send(self, messages: Sequence[Message], *, again: str | None = None) -> None:
        super().send(messages, again=again)
        self._clock.advance(10)


class BrokenOutbox:
    def send(self, messages: Sequence[Message], *, again: str | None = None) -> None:
        raise RuntimeError("the queue is not there")


def overdue(world: World, transaction_id: str, closes: float) -> Session:
    """A session that is over without its end some seconds after the clock's start."""
    first = event(EventType.TRANSACTION_STARTED, transaction_id=transaction_id)
    closes_at = START + timedelta(seconds=closes)
    return world.open_session(first, superseded_at=START + timedelta(seconds=30), closes_at=closes_at)


def test_a_session_whose_end_never_came_is_told_to_be_over_when_it_is_time(world: World) -> None:
    left = overdue(world, "778", 60)
    overdue(world, "779", 60.001)
    done, outbox = swept(world)
    ended = START + timedelta(seconds=30)
    assert outbox.messages == [OverdueSession("acme", "CP-001", "778", left.session_id, ended)]
    assert done == Swept(requests=0, pushes=0, overdue=1)


def test_a_session_is_told_to_be_over_until_it_is(world: World) -> None:
    left = overdue(world, "778", 60)
    assert [len(swept(world)[1].messages) for _ in range(2)] == [1, 1]
    over = replace(left, status=SessionStatus.COMPLETED, end=START, version=2, last_updated=world.clock.now())
    world.put_session(over)
    assert swept(world)[1].messages == []


def test_an_end_that_was_told_counts_more_than_the_next_car(world: World) -> None:
    left = overdue(world, "778", 60)
    world.put_session(replace(left, ended_at=START + timedelta(seconds=20)))
    [message] = swept(world)[1].messages
    assert isinstance(message, OverdueSession)
    assert message.ended_at == START + timedelta(seconds=20)


def test_pushes_and_sessions_that_are_due_do_not_mix(world: World, session: Session) -> None:
    world.pushes.save_pushed(Pushed(session.session_id, "jedlix"), due_at=START)
    left = overdue(world, "779", 0)
    _, outbox = swept(world)
    assert outbox.messages == [
        PushMessage(session.session_id, "jedlix", MINUTE),
        OverdueSession("acme", "CP-001", "779", left.session_id, START + timedelta(seconds=30)),
    ]


def test_the_next_sweep_is_no_repetition_of_the_last(world: World, session: Session) -> None:
    world.put_request(session)
    marks = [swept(world, after=60)[1].again for _ in range(2)]
    assert marks == [["sweep-20260115T1701"], ["sweep-20260115T1702"]]


def test_the_most_overdue_are_woken_first(world: World, session: Session) -> None:
    world.clock.advance(10)
    world.put_request(session, request_id="younger", state=RequestState.ANSWERED)
    world.put_request(session, request_id="older", state=RequestState.ANSWERED, created_at=START)
    assert [message.request_id for message in swept(world)[1].messages if isinstance(message, ResultMessage)] == [
        "older",
        "younger",
    ]


def test_where_nothing_stalled_the_sweep_is_a_query_for_each_shard_and_no_message(world: World) -> None:
    with counted(world.tables.client) as operations:
        done, outbox = swept(world)
    # Requests and sessions by shard, ends, and partners whose sessions are to be looked at again.
    assert operations == ["Query"] * (2 * DUE_SHARDS + 2)
    assert (done, outbox.again) == (Swept(requests=0, pushes=0), [])


# --- Partners whose rights may have changed ----------------------------------------------------------------------------


def live_sessions(world: World, count: int) -> list[Session]:
    return [
        world.open_session(event(EventType.TRANSACTION_STARTED, index, transaction_id=str(index)), known_to=frozenset())
        for index in range(count)
    ]


def reassessed(world: World, sweeps: int) -> list[str]:
    """The sessions that are woken for it, by so many sweeps."""
    woken: list[str] = []
    for _ in range(sweeps):
        messages = swept(world)[1].messages
        assert all(isinstance(message, PushMessage) and message.reassess for message in messages)
        woken += [message.session_id for message in messages if isinstance(message, PushMessage)]
    return woken


def test_every_live_session_of_a_reassessed_partner_is_woken_once(world: World) -> None:
    mine = live_sessions(world, 30)
    world.open_session(
        event(EventType.TRANSACTION_STARTED, 0, transaction_id="over"),
        status=SessionStatus.COMPLETED,
        end=START,
        last_updated=START + timedelta(hours=1),
    )
    world.open_session(
        event(EventType.TRANSACTION_STARTED, 0, transaction_id="another's"),
        rights=Rights(frozenset({"other"}), "other"),
    )
    world.reassess("jedlix")
    assert sorted(reassessed(world, 1)) == sorted(session.session_id for session in mine)
    assert (reassessed(world, 1), list(world.sweeps.reassessments())) == ([], [])


def test_a_walk_goes_on_where_a_page_ended(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweep, "SWEEP_PAGE", 2)
    monkeypatch.setattr(sweeping, "REASSESSED_AT_ONCE", 5)
    mine = live_sessions(world, 30)
    world.reassess("jedlix")
    assert 5 <= len(set(first := reassessed(world, 1))) < 8
    assert sorted(first + reassessed(world, 30)) == sorted(session.session_id for session in mine)
    assert list(world.sweeps.reassessments()) == []


def test_where_everybody_is_reassessed_each_partner_is(world: World) -> None:
    world.put_partner(replace(world.partner, partner_id="other"), token=None)
    [mine] = live_sessions(world, 1)
    world.reassess("*")
    noted = list(world.sweeps.reassessments())
    assert sorted(note.partner_id for note in noted) == ["jedlix", "other"]
    assert reassessed(world, 1) == [mine.session_id]
    assert list(world.sweeps.reassessments()) == []


def test_a_walk_that_was_begun_anew_is_not_ended_by_the_one_before(world: World) -> None:
    world.reassess("jedlix")
    [before] = world.sweeps.reassessments()
    world.reassess("jedlix")
    world.sweeps.reassessed(before, None)
    world.sweeps.reassessed(before, replace(before, shard=5))
    [after] = world.sweeps.reassessments()
    assert (after.shard, after.begun == before.begun) == (0, False)


def test_what_the_queue_did_not_take_is_sent_again_by_the_next_sweep(world: World) -> None:
    live_sessions(world, 1)
    world.reassess("jedlix")

    class Broken(MemoryOutbox):
        def send(self, messages: Sequence[Message], *, again: str | None = None) -> None:
            raise RuntimeError("down")

    for _ in range(FEED_SHARDS):
        with suppress(RuntimeError):
            Sweep(world.sweeps, Broken(), world.clock)()
    assert len(reassessed(world, FEED_SHARDS)) == 1
