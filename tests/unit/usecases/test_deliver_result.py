"""A result reaches the partner quickly, once, or not at all; and what nobody answered expires."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from ocpi_bridge.adapters.dynamodb import partner_items
from ocpi_bridge.adapters.sqs.outbox import NotTaken
from ocpi_bridge.domain.delivery import STARTED_AGAIN
from ocpi_bridge.domain.partners import Party
from ocpi_bridge.domain.plans import Plan, PlanPeriod, RateUnit
from ocpi_bridge.domain.requests import Origin, RequestKind, RequestState, Result
from ocpi_bridge.domain.sessions import Session
from ocpi_bridge.ports.charge_points import Done
from ocpi_bridge.ports.messages import FailedDelivery, Message, ResultMessage
from ocpi_bridge.ports.partners import PartnerMessage, Receipt
from ocpi_bridge.usecases.deliver_result import LEASE, Delivered, DeliverResult, Outcome
from ocpi_bridge.usecases.relay_outbox import messages_for
from tests.support.clocks import START
from tests.support.dynamodb_faults import meanwhile
from tests.support.scripted import DELIVERED, NOT_FOUND, UNREACHABLE, MemoryOutbox, ScriptedPartner
from tests.support.world import DEADLINE, RESPONSE_URL, TIMEOUT, World

GET = RequestKind.GET
PENDING, SENT, ANSWERED, EXPIRED = (
    RequestState.PENDING,
    RequestState.SENT,
    RequestState.ANSWERED,
    RequestState.EXPIRED,
)


class RefusingOutbox(MemoryOutbox):
    """Takes nothing."""

    def send(self, messages: Sequence[Message], *, again: str | None = None) -> None:
        raise NotTaken


BUSY = Receipt(delivered=False, error="http_503", http_status=503, retry_after=20)


def delivery(world: World, partner: ScriptedPartner, outbox: MemoryOutbox | None = None) -> DeliverResult:
    given_up = outbox or MemoryOutbox()
    return DeliverResult(world.deliveries, world.deliveries, partner, given_up, world.clock, random=lambda: 0.0)


def deliver(world: World, *receipts: Receipt) -> tuple[Outcome, ScriptedPartner]:
    partner = ScriptedPartner(*receipts)
    return delivery(world, partner).deliver("r1"), partner


def expire(world: World, *receipts: Receipt) -> tuple[Outcome, ScriptedPartner]:
    partner = ScriptedPartner(*receipts)
    return delivery(world, partner).expire("r1"), partner


def until_it_ends(world: World, partner: ScriptedPartner, *, deadline: bool = False) -> list[float]:
    """What the queue does: the same message comes back when it is asked for. Gives when attempts were made (s)."""
    step = delivery(world, partner).expire if deadline else delivery(world, partner).deliver
    moments: list[float] = []
    for _ in range(50):
        made = len(partner.messages)
        outcome = step("r1")
        if len(partner.messages) > made:
            moments.append((world.clock.now() - START).total_seconds())
        if outcome.again_at is None:
            return moments
        world.clock.advance((outcome.again_at - world.clock.now()).total_seconds())
    raise AssertionError("it never ends")


@pytest.fixture
def session(world: World) -> Session:
    return world.open_session()


def answered(world: World, session: Session, kind: RequestKind = RequestKind.SET) -> None:
    world.put_request(session, kind, state=ANSWERED, attempts=1, result=Result.ACCEPTED, reason="Accepted")


# --- Delivering ------------------------------------------------------------------------------------------------------


def test_a_result_is_posted_to_the_response_url_between_the_parties_of_the_request(
    world: World, session: Session
) -> None:
    answered(world, session)
    outcome, partner = deliver(world)
    assert outcome.what is Delivered.DELIVERED
    assert partner.messages == [
        PartnerMessage("POST", RESPONSE_URL, {"result": "ACCEPTED"}, "corr-1", Party("NL", "ACM"), Party("NL", "JDX"))
    ]
    assert world.request().state is RequestState.DELIVERED


@pytest.mark.parametrize("result", Result)
def test_the_result_is_told_and_the_operators_reason_is_not(world: World, session: Session, result: Result) -> None:
    world.put_request(session, state=ANSWERED, result=result, reason="Rejected: in operators' words")
    assert deliver(world)[1].messages[0].body == {"result": result.value}


def test_a_get_brings_its_active_profile(world: World, session: Session) -> None:
    world.put_request(session, GET, state=SENT, attempts=1, duration=600)
    schedule = Plan(RateUnit.WATT, (PlanPeriod(0, Decimal(8000)), PlanPeriod(300, Decimal("4000.5"))), START, 600)
    world.record()(world.context(), Done("Accepted", schedule))
    [message] = deliver(world)[1].messages
    start = "2026-01-15T17:00:00Z"
    periods = [{"start_period": 0, "limit": 8000}, {"start_period": 300, "limit": Decimal("4000.5")}]
    assert message.body == {
        "result": "ACCEPTED",
        "profile": {
            "start_date_time": start,
            "charging_profile": {
                "start_date_time": start,
                "duration": 600,
                "charging_rate_unit": "W",
                "charging_profile_period": periods,
            },
        },
    }


def test_a_delivered_result_is_never_delivered_again(world: World, session: Session) -> None:
    answered(world, session)
    deliver(world)
    world.clock.advance(LEASE.total_seconds())
    outcome, partner = deliver(world)
    assert (outcome.what, partner.messages) == (Delivered.NOTHING_TO_DO, [])


@pytest.mark.parametrize("state", [PENDING, SENT, RequestState.DELIVERED, RequestState.UNDELIVERED])
def test_a_request_without_a_result_to_deliver_is_left_alone(
    world: World, session: Session, state: RequestState
) -> None:
    world.put_request(session, state=state)
    before = world.request_item()
    outcome, partner = deliver(world)
    assert (outcome.what, partner.messages) == (Delivered.NOTHING_TO_DO, [])
    assert world.request_item() == before


def test_an_unknown_request_and_what_the_bridge_wanted_itself_have_nothing_to_deliver(
    world: World, session: Session
) -> None:
    assert deliver(world)[0].what is Delivered.NOTHING_TO_DO
    world.put_request(session, state=ANSWERED, origin=Origin.BRIDGE, result=Result.ACCEPTED)
    assert deliver(world)[0].what is Delivered.NOTHING_TO_DO


def test_an_attempt_takes_no_longer_than_what_is_left_of_the_timeout(world: World, session: Session) -> None:
    answered(world, session)
    world.clock.advance(57)
    assert deliver(world, UNREACHABLE)[1].budgets == [3]


# --- Trying again ----------------------------------------------------------------------------------------------------


def test_a_failure_that_may_pass_is_tried_again_soon(world: World, session: Session) -> None:
    answered(world, session)
    outcome, _ = deliver(world, UNREACHABLE)
    assert (outcome.what, outcome.again_at, outcome.error) == (
        Delivered.AGAIN,
        START + timedelta(seconds=1),
        "connect",
    )
    request = world.request()
    assert (request.state, request.delivery.attempts, request.delivery.last_error) == (ANSWERED, 1, "connect")
    assert request.delivery.lease_until is None


def test_a_retry_that_succeeds_ends_it(world: World, session: Session) -> None:
    answered(world, session)
    partner = ScriptedPartner(UNREACHABLE, BUSY, DELIVERED)
    assert until_it_ends(world, partner) == [0, 1, 21]
    assert world.request().state is RequestState.DELIVERED
    assert len({str(message.body) for message in partner.messages}) == 1


def test_retries_follow_the_schedule_and_end_with_the_timeout(world: World, session: Session) -> None:
    answered(world, session)
    assert until_it_ends(world, ScriptedPartner(UNREACHABLE)) == [0, 1, 3, 7, 15, 23, 31, 39, 47, 55]
    request = world.request()
    assert (request.state, request.delivery.last_error) == (RequestState.UNDELIVERED, "connect")
    assert request.delivery.attempts == 10


def test_a_wait_that_the_partner_asks_for_beyond_the_timeout_ends_it(world: World, session: Session) -> None:
    answered(world, session)
    outcome, partner = deliver(world, replace(BUSY, retry_after=60))
    assert (outcome.what, outcome.error, len(partner.messages)) == (Delivered.GIVEN_UP, "http_503", 1)


def test_a_final_failure_is_given_up_at_once(world: World, session: Session) -> None:
    answered(world, session)
    outcome, partner = deliver(world, NOT_FOUND)
    assert (outcome.what, outcome.again_at, outcome.error) == (Delivered.GIVEN_UP, None, "http_404")
    assert (world.request().state, world.request().delivery.last_error) == (RequestState.UNDELIVERED, "http_404")
    assert len(partner.messages) == 1


@pytest.mark.parametrize(("elapsed", "tried"), [(59.9, True), (60, False), (3600, False)])
def test_after_the_announced_timeout_no_attempt_is_made(
    world: World,
    session: Session,
    elapsed: float,
    tried: bool,
) -> None:
    answered(world, session)
    world.clock.advance(elapsed)
    outcome, partner = deliver(world)
    assert bool(partner.messages) is tried
    assert outcome.what is (Delivered.DELIVERED if tried else Delivered.GIVEN_UP)
    assert outcome.error == (None if tried else "too_late")


def test_a_lease_that_took_its_time_leaves_no_attempt_after_the_timeout(world: World, session: Session) -> None:
    """A throttled write is tried again for seconds; the partner must not hear of the request when they are over."""
    answered(world, session)
    world.clock.advance(TIMEOUT.total_seconds() - 1)

    with meanwhile(world.deliveries.client, lambda: world.clock.advance(2)):
        outcome, partner = deliver(world)

    assert (outcome.what, outcome.error, partner.messages) == (Delivered.GIVEN_UP, "too_late", [])


def test_a_result_that_is_given_up_goes_to_the_operators_without_the_response_urls_query(
    world: World, session: Session
) -> None:
    answered(world, session)
    outbox = MemoryOutbox()

    delivery(world, ScriptedPartner(NOT_FOUND), outbox).deliver("r1")

    expected = FailedDelivery("r1", "jedlix", session.session_id, "SET", "ACCEPTED", 1, "http_404", "www.jedlix.com")
    assert outbox.messages == [expected]


def test_a_result_is_at_its_end_only_when_the_operators_have_it(world: World, session: Session) -> None:
    """Nobody wakes a request that is at its end: an entry that is sent after it can be lost for good."""
    answered(world, session)

    with pytest.raises(NotTaken):
        delivery(world, ScriptedPartner(NOT_FOUND), RefusingOutbox()).deliver("r1")

    assert world.request().state is ANSWERED


def test_a_result_that_is_given_up_is_not_woken_again(world: World, session: Session) -> None:
    answered(world, session)
    deliver(world, NOT_FOUND)
    assert world.sweeps.open_requests(START + timedelta(days=1)) == []


def test_the_result_of_a_partner_that_is_gone_is_given_up(world: World, session: Session) -> None:
    answered(world, session)
    world.remove(partner_items.partner_key("jedlix"))
    outcome, partner = deliver(world)
    assert (outcome.what, outcome.error, partner.messages) == (Delivered.GIVEN_UP, "unknown_partner", [])


# --- Started again by a person --------------------------------------------------------------------------------------


def given_up(world: World, session: Session) -> None:
    answered(world, session)
    deliver(world, NOT_FOUND)
    world.clock.advance(3600)


def start_again(world: World) -> bool:
    now = world.clock.now()
    return world.deliveries.deliver_again(world.request(), now, now + STARTED_AGAIN)


def test_a_result_that_was_given_up_is_delivered_when_a_person_wants_it_whatever_the_timeout_was(
    world: World, session: Session
) -> None:
    given_up(world, session)
    assert start_again(world)
    assert messages_for(world.request()) == [ResultMessage("r1", "jedlix")]
    outcome, partner = deliver(world)
    assert (outcome.what, [message.body for message in partner.messages]) == (
        Delivered.DELIVERED,
        [{"result": "ACCEPTED"}],
    )
    assert world.request().state is RequestState.DELIVERED


def test_it_is_tried_for_a_minute_and_given_up_again_with_its_own_count_and_reason(
    world: World, session: Session
) -> None:
    given_up(world, session)
    start_again(world)
    moments = until_it_ends(world, ScriptedPartner(UNREACHABLE))
    assert (len(moments), moments[-1] - moments[0]) == (10, 55)
    request = world.request()
    assert (request.state, request.delivery.attempts, request.delivery.last_error) == (
        RequestState.UNDELIVERED,
        10,
        "connect",
    )


def test_a_sweep_wakes_it_where_its_message_was_lost(world: World, session: Session) -> None:
    given_up(world, session)
    assert world.sweeps.open_requests(world.clock.now()) == []
    start_again(world)
    assert [one.request_id for one in world.sweeps.open_requests(world.clock.now())] == ["r1"]


def test_two_who_start_it_again_start_it_once_and_what_was_delivered_is_never_started_again(
    world: World, session: Session
) -> None:
    given_up(world, session)
    assert start_again(world)
    assert not start_again(world)
    deliver(world)
    assert not start_again(world)
    assert deliver(world)[1].messages == []


# --- Never twice at once ---------------------------------------------------------------------------------------------


def test_while_one_delivers_another_waits(world: World, session: Session) -> None:
    answered(world, session)
    second = ScriptedPartner()
    outcomes = []

    def the_message_comes_again(_: PartnerMessage) -> None:
        outcomes.append(delivery(world, second).deliver("r1"))

    first = ScriptedPartner(on_send=the_message_comes_again)
    assert delivery(world, first).deliver("r1").what is Delivered.DELIVERED
    assert [(outcome.what, outcome.again_at) for outcome in outcomes] == [(Delivered.AGAIN, START + LEASE)]
    assert (len(first.messages), second.messages) == (1, [])


def test_two_that_begin_at_the_same_instant_make_one_attempt(world: World, session: Session) -> None:
    answered(world, session)
    partner = ScriptedPartner(UNREACHABLE)
    with meanwhile(world.tables.client, lambda: delivery(world, partner).deliver("r1"), "UpdateItem"):
        assert delivery(world, partner).deliver("r1").what is Delivered.AGAIN
    assert len(partner.messages) == 1


def test_a_lease_that_somebody_holds_is_not_given(world: World, session: Session) -> None:
    answered(world, session)
    now = world.clock.now()
    assert world.deliveries.lease_delivery(world.request(), until=now + LEASE, now=now) is not None
    held = world.request()
    assert world.deliveries.lease_delivery(held, until=now + 2 * LEASE, now=now + LEASE / 2) is None
    assert world.request() == held


def test_a_lease_outlives_an_attempt_but_not_for_ever(world: World, session: Session) -> None:
    answered(world, session)

    def die(_: PartnerMessage) -> None:
        raise RuntimeError("the process ends here")

    with pytest.raises(RuntimeError):
        delivery(world, ScriptedPartner(on_send=die)).deliver("r1")
    assert timedelta(seconds=8) < LEASE
    world.clock.advance(LEASE.total_seconds() - 0.001)
    assert deliver(world)[0].what is Delivered.AGAIN
    world.clock.advance(0.001)
    assert deliver(world)[0].what is Delivered.DELIVERED


# --- Expiry ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("state", "attempts"), [(PENDING, 0), (SENT, 1)])
def test_what_nobody_answered_by_its_deadline_is_rejected_and_delivered_in_the_same_step(
    world: World, session: Session, state: RequestState, attempts: int
) -> None:
    world.put_request(session, state=state, attempts=attempts)
    world.clock.advance(DEADLINE.total_seconds())
    outcome, partner = expire(world)
    assert (outcome.what, outcome.expired) == (Delivered.DELIVERED, True)
    assert [message.body for message in partner.messages] == [{"result": "REJECTED"}]
    assert (world.request().state, world.request().result) == (RequestState.DELIVERED, Result.REJECTED)
    assert world.clock.now() < START + TIMEOUT


@pytest.mark.parametrize(("attempts", "word"), [(0, "never sent"), (1, "outcome is unknown")])
def test_operators_learn_whether_the_command_had_left(world: World, session: Session, attempts: int, word: str) -> None:
    world.put_request(session, state=SENT if attempts else PENDING, attempts=attempts)
    world.clock.advance(DEADLINE.total_seconds())
    expire(world)
    assert word in (world.request().reason or "")


@pytest.mark.parametrize(("early", "expired"), [(1.0, True), (1.001, False), (40, False)])
def test_a_deadline_that_comes_too_early_waits(
    world: World,
    session: Session,
    early: float,
    expired: bool,
) -> None:
    request = world.put_request(session, state=SENT, attempts=1)
    world.clock.advance(DEADLINE.total_seconds() - early)
    outcome, partner = expire(world)
    assert bool(partner.messages) is expired
    if not expired:
        assert (outcome.what, outcome.again_at, world.request().state) == (Delivered.AGAIN, request.deadline, SENT)


def test_a_request_expires_once(world: World, session: Session) -> None:
    world.put_request(session, state=SENT, attempts=1)
    world.clock.advance(DEADLINE.total_seconds())
    expire(world)
    outcome, partner = expire(world)
    assert (outcome.what, outcome.expired, partner.messages) == (Delivered.NOTHING_TO_DO, False, [])


@pytest.mark.parametrize("state", [ANSWERED, RequestState.DELIVERED, RequestState.UNDELIVERED])
def test_a_deadline_after_the_answer_does_nothing(world: World, session: Session, state: RequestState) -> None:
    world.put_request(session, state=state, result=Result.ACCEPTED)
    world.clock.advance(DEADLINE.total_seconds())
    outcome, partner = expire(world)
    assert (outcome.what, partner.messages, world.request().state) == (Delivered.NOTHING_TO_DO, [], state)


def test_an_answer_that_comes_with_the_deadline_wins_or_loses_but_never_both(world: World, session: Session) -> None:
    world.put_request(session, state=SENT, attempts=1)
    context = world.context()
    world.clock.advance(DEADLINE.total_seconds())
    with meanwhile(
        world.tables.client,
        lambda: world.record()(context, Done("Accepted")),
        "TransactWriteItems",
    ):
        outcome, partner = expire(world)
    assert (outcome.what, partner.messages) == (Delivered.NOTHING_TO_DO, [])
    assert (world.request().state, world.request().result) == (ANSWERED, Result.ACCEPTED)


def test_a_request_that_is_sent_in_the_instant_of_its_deadline_expires_as_a_sent_one(
    world: World, session: Session
) -> None:
    request = world.put_request(session)
    world.clock.advance(DEADLINE.total_seconds())
    with meanwhile(world.tables.client, lambda: world.commands.mark_sent(request), "UpdateItem"):
        outcome, _ = expire(world)
    assert (outcome.expired, world.request().reason) == (
        True,
        "no answer by the deadline; the command was sent, its outcome is unknown",
    )
    assert world.control(session).in_the_dark


def test_an_expired_result_is_retried_by_its_deadline_message_until_the_timeout(world: World, session: Session) -> None:
    world.put_request(session, state=SENT, attempts=1)
    world.clock.advance(DEADLINE.total_seconds())
    partner = ScriptedPartner(UNREACHABLE, UNREACHABLE, DELIVERED)
    assert until_it_ends(world, partner, deadline=True) == [50, 51, 53]
    assert (world.request().state, world.request().result) == (RequestState.DELIVERED, Result.REJECTED)


def test_what_died_between_expiring_and_delivering_is_delivered_when_the_message_comes_again(
    world: World, session: Session
) -> None:
    world.put_request(session, state=EXPIRED, attempts=1, result=Result.REJECTED, reason="no answer")
    world.clock.advance(DEADLINE.total_seconds() + 5)
    outcome, partner = expire(world)
    assert (outcome.what, len(partner.messages)) == (Delivered.DELIVERED, 1)


def test_what_the_bridge_wanted_itself_expires_silently_and_is_not_woken_again(world: World, session: Session) -> None:
    world.put_request(session, state=SENT, attempts=1, origin=Origin.BRIDGE)
    world.clock.advance(DEADLINE.total_seconds())
    outcome, partner = expire(world)
    assert (outcome.what, partner.messages, world.request().state) == (Delivered.NOTHING_TO_DO, [], EXPIRED)
    assert world.sweeps.open_requests(START + timedelta(days=1)) == []
