"""A request's turn at its charge point: SENT first, then the call; nothing leaves that does not count any more."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from ocpi_bridge.adapters.dynamodb import registry_items
from ocpi_bridge.domain.assignments import Rights
from ocpi_bridge.domain.errors import Contended
from ocpi_bridge.domain.events import SessionStatus
from ocpi_bridge.domain.plans import Plan, PlanPeriod, RateUnit
from ocpi_bridge.domain.requests import Answer, Fit, Origin, RequestKind, RequestState, Result
from ocpi_bridge.domain.sessions import Session
from ocpi_bridge.domain.stations import Capabilities, Quirk
from ocpi_bridge.ports.charge_points import ChargerCommand, Done, Failed, Pending
from ocpi_bridge.usecases.record_answer import Recorded
from ocpi_bridge.usecases.send_command import BACKOFF, SendCommand, Sent, Turn
from tests.support.clocks import START
from tests.support.dynamodb_faults import conflicts, meanwhile
from tests.support.registry_entries import station
from tests.support.scripted import Outcome, ScriptedDriver
from tests.support.world import DEADLINE, PAUSE_BETWEEN, World

SET, CLEAR, GET = RequestKind.SET, RequestKind.CLEAR, RequestKind.GET
PENDING, SENT, ANSWERED = RequestState.PENDING, RequestState.SENT, RequestState.ANSWERED
ACCEPTED, REJECTED, UNKNOWN = Done("Accepted"), Done("Rejected", detail="NoProfile"), Done("Unknown")
OFFLINE = Failed("the charge point is offline", nothing_sent=True, retryable=True)
UNCLEAR = Failed("no answer of the CSMS: timeout", nothing_sent=False, retryable=True)
BROKEN = Failed("HTTP 401: the CSMS refuses our credential", nothing_sent=True, retryable=False)
GARBLED = Failed("the answer of the CSMS is not JSON", nothing_sent=False, retryable=False)
TWO_STEPS = (CLEAR, SET)


def sender(world: World, driver: ScriptedDriver) -> SendCommand:
    return SendCommand(
        world.commands,
        driver,
        world.record(),
        lambda command_id, csms_id: f"https://csms-api.example/{csms_id}/{command_id}",
        world.clock,
    )


def send(world: World, *outcomes: Outcome, request_id: str = "r1", step: int = 0) -> tuple[Turn, ScriptedDriver]:
    driver = ScriptedDriver(*outcomes)
    return sender(world, driver)(request_id, step), driver


@pytest.fixture
def session(world: World) -> Session:
    return world.open_session()


# --- The command -----------------------------------------------------------------------------------------------------


def test_a_set_carries_the_partners_plan_to_the_sessions_transaction(world: World, session: Session) -> None:
    world.put_request(session)
    _, driver = send(world, ACCEPTED)
    [command] = driver.commands
    assert (command.kind, command.transaction_id, command.profile_id) == (SET, "778", session.profile_id)
    assert (command.outlet.evse.uid, command.stack_level) == (session.evse_uid, 1)
    assert command.plan == PAUSE_BETWEEN
    assert (command.command_id, command.callback_url) == ("r1.0", "https://csms-api.example/acme/r1.0")


def test_a_clear_and_a_get_carry_no_plan(world: World, session: Session) -> None:
    world.put_request(session, CLEAR)
    world.put_request(session, GET, request_id="r2", duration=1200)
    [clear] = send(world, ACCEPTED)[1].commands
    [get] = send(world, ACCEPTED, request_id="r2")[1].commands
    assert (clear.kind, clear.plan, clear.profile_id) == (CLEAR, None, session.profile_id)
    assert (get.kind, get.plan, get.duration) == (GET, None, 1200)


def test_the_plan_is_fitted_to_now_and_to_what_the_cpo_allows(world: World, session: Session) -> None:
    world.put_request(
        session, plan=Plan(RateUnit.WATT, (PlanPeriod(0, Decimal(22_000)), PlanPeriod(10, Decimal(6900))))
    )
    capped = world.station.evses[0].cap_w
    [command] = send(world, ACCEPTED)[1].commands
    assert command.plan is not None
    assert [period.limit for period in command.plan.periods] == [capped, 6900]


def test_a_station_of_amperes_gets_them_by_the_phases_that_the_car_uses(world: World, session: Session) -> None:
    world.put_station(replace(world.station, allowed_units=frozenset({RateUnit.AMPERE})))
    world.put_session(replace(session, phases=1))
    world.put_request(session, plan=Plan(RateUnit.WATT, (PlanPeriod(0, Decimal(2300)),)))
    [command] = send(world, ACCEPTED)[1].commands
    assert command.plan is not None
    assert (command.phases, command.plan.unit, command.plan.periods[0].limit) == (1, RateUnit.AMPERE, Decimal(10))


@pytest.mark.parametrize(("highest", "level"), [(None, 3), (5, 3), (3, 3), (2, 2), (0, 0)])
def test_the_stack_level_is_the_csmss_up_to_the_stations_highest(
    world: World, session: Session, highest: int | None, level: int
) -> None:
    world.put_csms(replace(world.csms, stack_level=3))
    world.put_station(replace(world.station, max_stack_level=highest))
    world.put_request(session)
    assert send(world, ACCEPTED)[1].commands[0].stack_level == level


def test_a_call_must_end_before_the_request_expires(world: World, session: Session) -> None:
    request = world.put_request(session)
    assert send(world, ACCEPTED)[1].commands[0].deadline == request.deadline - timedelta(seconds=1)


# --- SENT before the call --------------------------------------------------------------------------------------------


def test_sent_is_written_before_the_csms_is_called(world: World, session: Session) -> None:
    world.put_request(session, number=3)
    seen = []

    def look(_: ChargerCommand) -> None:
        request = world.request()
        seen.append((request.state, request.attempts, world.control(session).sent))

    sender(world, ScriptedDriver(ACCEPTED, on_submit=look))("r1", 0)
    assert seen == [(SENT, 1, 3)]


def test_what_dies_in_the_call_leaves_a_request_that_is_known_to_be_perhaps_sent(
    world: World, session: Session
) -> None:
    world.put_request(session)

    def die(_: ChargerCommand) -> None:
        raise RuntimeError("the process ends here")

    with pytest.raises(RuntimeError):
        sender(world, ScriptedDriver(ACCEPTED, on_submit=die))("r1", 0)
    assert (world.request().state, world.request().attempts) == (SENT, 1)


def test_a_get_is_sent_without_touching_the_sessions_numbers(world: World, session: Session) -> None:
    world.set_control(session, accepted=7, sent=7)
    world.put_request(session, GET)
    assert send(world, Pending())[0].what is Sent.PENDING
    assert (world.request().state, world.control(session).sent) == (SENT, 7)


# --- Answers ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("outcome", "result"),
    [(ACCEPTED, Result.ACCEPTED), (REJECTED, Result.REJECTED), (Done("CallError:X"), Result.REJECTED)],
)
def test_an_answer_at_once_answers_the_request(world: World, session: Session, outcome: Done, result: Result) -> None:
    world.put_request(session)
    turn, _ = send(world, outcome)
    assert (turn.what, world.request().state, world.request().result) == (Sent.ANSWERED, ANSWERED, result)


def test_a_csms_that_answers_later_leaves_the_request_sent_until_its_callback(world: World, session: Session) -> None:
    world.put_request(session)
    turn, _ = send(world, Pending())
    assert (turn.what, turn.again_in, world.request().state) == (Sent.PENDING, None, SENT)
    assert world.record()(world.context(), ACCEPTED) is Recorded.ANSWERED
    assert world.request().result is Result.ACCEPTED


def test_a_callback_that_overtakes_the_csmss_own_answer_counts(world: World, session: Session) -> None:
    world.put_request(session)
    record = world.record()
    driver = ScriptedDriver(REJECTED, on_submit=lambda _: record(world.context(), ACCEPTED))
    assert sender(world, driver)("r1", 0).what is Sent.NOTHING_TO_DO
    assert world.request().result is Result.ACCEPTED


# --- The CSMS did not take it ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("outcome", [OFFLINE, UNCLEAR])
def test_what_may_pass_is_tried_again_after_longer_and_longer_waits(
    world: World, session: Session, outcome: Failed
) -> None:
    world.put_request(session)
    driver = ScriptedDriver(outcome)
    turns = [sender(world, driver)("r1", 0) for _ in range(6)]
    assert [turn.what for turn in turns] == [Sent.AGAIN] * 6
    assert [turn.again_in for turn in turns] == [*BACKOFF, BACKOFF[-1], BACKOFF[-1]]
    assert (world.request().state, world.request().attempts) == (SENT, 6)
    assert {(command.profile_id, command.command_id) for command in driver.commands} == {(session.profile_id, "r1.0")}


def test_a_station_that_comes_back_gets_the_command(world: World, session: Session) -> None:
    world.put_request(session)
    driver = ScriptedDriver(OFFLINE, OFFLINE, ACCEPTED)
    turns = [sender(world, driver)("r1", 0).what for _ in range(3)]
    assert turns == [Sent.AGAIN, Sent.AGAIN, Sent.ANSWERED]
    assert world.request().result is Result.ACCEPTED


def test_what_certainly_was_not_sent_is_rejected_as_soon_as_no_time_is_left(world: World, session: Session) -> None:
    world.put_request(session)
    world.clock.advance(43.5)
    turn, _ = send(world, OFFLINE)
    assert turn.what is Sent.ANSWERED
    assert (world.request().result, world.request().reason) == (Result.REJECTED, OFFLINE.reason)


def test_what_was_perhaps_sent_waits_for_a_late_answer_until_the_deadline(world: World, session: Session) -> None:
    world.put_request(session)
    world.clock.advance(43.5)
    turn, _ = send(world, UNCLEAR)
    assert (turn.what, world.request().state) == (Sent.OUT_OF_TIME, SENT)
    assert world.record()(world.context(), ACCEPTED) is Recorded.ANSWERED


@pytest.mark.parametrize("outcome", [BROKEN, GARBLED])
def test_what_no_repetition_mends_is_rejected_at_once(world: World, session: Session, outcome: Failed) -> None:
    world.put_request(session)
    turn, _ = send(world, outcome)
    assert (turn.what, turn.reason) == (Sent.ANSWERED, outcome.reason)
    assert (world.request().result, world.request().reason) == (Result.REJECTED, outcome.reason)


# --- Time ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("left", "sent"), [(6.0, True), (5.99, False), (0, False), (-1, False)])
def test_with_too_little_time_for_an_answer_nothing_is_sent(
    world: World,
    session: Session,
    left: float,
    sent: bool,
) -> None:
    world.put_request(session)
    world.clock.advance(DEADLINE.total_seconds() - left)
    turn, driver = send(world, Pending())
    assert bool(driver.commands) is sent
    assert (turn.what, world.request().state) == ((Sent.PENDING, SENT) if sent else (Sent.OUT_OF_TIME, PENDING))


def test_an_expired_request_is_never_sent_though_its_message_still_lies_in_the_queue(
    world: World, session: Session
) -> None:
    request = world.put_request(session)
    with meanwhile(
        world.tables.client, lambda: world.deliveries.expire(request, Answer(Result.REJECTED, "late")), "TransactWriteItems"
    ):  # fmt: skip
        turn, driver = send(world, ACCEPTED)
    assert (turn.what, driver.commands) == (Sent.NOTHING_TO_DO, [])
    assert world.control(session).sent == 0


# --- Order within a session ------------------------------------------------------------------------------------------


def test_a_request_below_the_last_one_sent_is_superseded_and_told_so(world: World, session: Session) -> None:
    world.put_request(session, number=1)
    world.set_control(session, accepted=2, sent=2)
    turn, driver = send(world, ACCEPTED)
    assert (turn.what, driver.commands) == (Sent.SUPERSEDED, [])
    assert (world.request().state, world.request().result) == (ANSWERED, Result.REJECTED)
    assert "superseded" in (world.request().reason or "")


def test_a_later_request_that_only_waits_supersedes_nothing(world: World, session: Session) -> None:
    world.put_request(session, number=1)
    world.set_control(session, accepted=2, sent=0)
    assert send(world, ACCEPTED)[0].what is Sent.ANSWERED


def test_a_request_that_is_overtaken_between_reading_and_sending_is_superseded(world: World, session: Session) -> None:
    world.put_request(session, number=1)
    newer = world.put_request(session, request_id="r2", number=2)
    with meanwhile(world.tables.client, lambda: world.commands.mark_sent(newer), "TransactWriteItems"):
        turn, driver = send(world, ACCEPTED)
    assert (turn.what, driver.commands) == (Sent.SUPERSEDED, [])
    assert world.control(session).sent == 2


@pytest.mark.parametrize("first", ["r1", "r2"])
def test_whatever_order_the_messages_come_in_the_charge_point_ends_with_the_last_accepted(
    world: World, session: Session, first: str
) -> None:
    other = Plan(RateUnit.WATT, (PlanPeriod(0, Decimal(3000)),))
    world.put_request(session, number=1)
    world.put_request(session, request_id="r2", number=2, plan=other)
    driver = ScriptedDriver(ACCEPTED)
    for request_id in (first, "r1", "r2"):
        sender(world, driver)(request_id, 0)
    assert driver.commands[-1].plan == other
    installed = world.control(session).installed
    assert installed is not None
    assert (installed.request_id, installed.number, installed.partner_id) == ("r2", 2, "jedlix")
    assert {request.state for request in world.requests()} == {ANSWERED}


# --- Messages that come twice ----------------------------------------------------------------------------------------


def test_a_message_of_an_answered_request_does_nothing(world: World, session: Session) -> None:
    world.put_request(session)
    send(world, ACCEPTED)
    turn, driver = send(world, ACCEPTED)
    assert (turn.what, driver.commands) == (Sent.NOTHING_TO_DO, [])


@pytest.mark.parametrize(("request_id", "step"), [("r2", 0), ("r1", 1)])
def test_a_message_of_an_unknown_request_or_another_step_does_nothing(
    world: World, session: Session, request_id: str, step: int
) -> None:
    world.put_request(session)
    turn, driver = send(world, ACCEPTED, request_id=request_id, step=step)
    assert (turn.what, driver.commands, world.request().state) == (Sent.NOTHING_TO_DO, [], PENDING)


def test_a_request_that_was_perhaps_sent_is_sent_again_while_it_is_the_last_one_sent(
    world: World, session: Session
) -> None:
    world.put_request(session, state=SENT, attempts=1)
    world.set_control(session, accepted=2, sent=1)
    turn, driver = send(world, ACCEPTED)
    assert (turn.what, len(driver.commands), world.request().attempts) == (Sent.ANSWERED, 1, 2)


@pytest.mark.parametrize(("first", "in_the_dark"), [(UNCLEAR, True), (OFFLINE, False)])
def test_what_was_perhaps_sent_before_another_car_came_leaves_a_doubt(
    world: World, session: Session, first: Failed, in_the_dark: bool
) -> None:
    world.put_request(session)
    send(world, first)
    world.put_session(replace(session, superseded_at=world.clock.now()))
    turn, driver = send(world, ACCEPTED)
    assert (turn.what, driver.commands) == (Sent.REFUSED, [])
    assert world.control(session).in_the_dark is in_the_dark


def test_a_request_that_was_perhaps_sent_is_not_sent_again_over_a_later_one(world: World, session: Session) -> None:
    world.put_request(session, state=SENT, attempts=1)
    world.set_control(session, accepted=2, sent=2)
    turn, driver = send(world, ACCEPTED)
    assert (turn.what, driver.commands, world.request().state) == (Sent.NOTHING_TO_DO, [], SENT)


def test_a_request_that_was_perhaps_sent_is_not_sent_again_when_a_later_one_goes_at_that_instant(
    world: World, session: Session
) -> None:
    world.put_request(session, state=SENT, attempts=1)
    newer = world.put_request(session, request_id="r2", number=2)
    world.set_control(session, accepted=2, sent=1)
    with meanwhile(world.tables.client, lambda: world.commands.mark_sent(newer), "TransactWriteItems"):
        turn, driver = send(world, ACCEPTED)
    assert (turn.what, driver.commands) == (Sent.NOTHING_TO_DO, [])
    assert (world.request().state, world.control(session).sent) == (SENT, 2)


def test_two_messages_at_once_make_one_call(world: World, session: Session) -> None:
    world.put_request(session)
    driver = ScriptedDriver(ACCEPTED)
    with meanwhile(world.tables.client, lambda: sender(world, driver)("r1", 0), "TransactWriteItems"):
        assert sender(world, driver)("r1", 0).what is Sent.NOTHING_TO_DO
    assert len(driver.commands) == 1


@pytest.mark.parametrize(("attempts", "result"), [(0, Result.UNKNOWN), (1, Result.ACCEPTED)])
def test_unknown_after_a_clear_that_was_perhaps_done_already_counts_as_done(
    world: World, session: Session, attempts: int, result: Result
) -> None:
    world.put_request(session, CLEAR, state=SENT if attempts else PENDING, attempts=attempts)
    world.set_control(session, accepted=1, sent=attempts)
    send(world, UNKNOWN)
    assert world.request().result is result


def test_a_session_whose_control_is_only_held_is_tried_again(world: World, session: Session) -> None:
    world.put_request(session, state=PENDING)

    def fail_once() -> None:
        # Somebody sent and gave back: the attempts differ from what was read, the state does not.
        world.put_request(session, state=PENDING, attempts=1)

    with meanwhile(world.tables.client, fail_once, "TransactWriteItems"):
        turn, driver = send(world, ACCEPTED)
    assert (turn.what, turn.again_in, driver.commands) == (Sent.AGAIN, 1, [])


def test_conflicts_without_end_leave_the_request_as_it_was(world: World, session: Session) -> None:
    world.put_request(session)
    driver = ScriptedDriver(ACCEPTED)
    with conflicts(world.tables.client, 1000), pytest.raises(Contended):
        sender(world, driver)("r1", 0)
    assert (driver.commands, world.request().state) == ([], PENDING)


# --- What stands in the way ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("obstacle", "reason"),
    [
        (lambda w, s: w.put_session(replace(s, status=SessionStatus.COMPLETED)), "session is over"),
        (lambda w, _: w.remove(registry_items.station_key("acme", "CP-001")), "station is not in the registry"),
        (lambda w, _: w.remove(registry_items.csms_key("acme")), "station is not in the registry"),
        (lambda w, _: w.put_station(station(evse_uids=("another",))), "EVSE is not in the registry"),
        (lambda w, _: w.put_station(replace(w.station, max_periods=1)), "periods"),
    ],
    ids=["session over", "no station", "no CSMS", "no EVSE", "station takes less"],
)
def test_what_cannot_be_sent_any_more_is_rejected_without_a_call(
    world: World, session: Session, obstacle: Callable[[World, Session], object], reason: str
) -> None:
    world.put_request(session)
    obstacle(world, session)
    turn, driver = send(world, ACCEPTED)
    assert (turn.what, driver.commands, world.request().result) == (Sent.REFUSED, [], Result.REJECTED)
    assert reason in (world.request().reason or "")


def test_a_plan_that_ended_while_it_waited_is_rejected(world: World, session: Session) -> None:
    over = replace(PAUSE_BETWEEN, start=START - timedelta(hours=2), duration=7205)
    world.put_request(session, plan=over)
    world.clock.advance(10)
    assert send(world, ACCEPTED)[0].what is Sent.REFUSED


def test_a_plan_that_is_gone_is_rejected(world: World, session: Session) -> None:
    world.put_request(session, plan=None)
    turn, driver = send(world, ACCEPTED)
    assert (turn.what, driver.commands) == (Sent.REFUSED, [])


# --- Clear, then set -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cleared", [ACCEPTED, UNKNOWN])
def test_where_a_csms_refuses_to_replace_a_clear_goes_before_the_set(
    world: World, session: Session, cleared: Done
) -> None:
    world.put_request(session, steps=TWO_STEPS)
    driver = ScriptedDriver(cleared, ACCEPTED)
    sender(world, driver)("r1", 0)
    assert (world.request().state, world.request().step) == (PENDING, 1)
    assert world.request().result is None
    sender(world, driver)("r1", 1)
    assert (world.request().state, world.request().result) == (ANSWERED, Result.ACCEPTED)
    assert [(command.kind, command.command_id) for command in driver.commands] == [(CLEAR, "r1.0"), (SET, "r1.1")]
    assert {command.profile_id for command in driver.commands} == {session.profile_id}


def test_a_clear_that_is_refused_ends_the_request_without_a_set(world: World, session: Session) -> None:
    world.put_request(session, steps=TWO_STEPS)
    driver = ScriptedDriver(REJECTED)
    sender(world, driver)("r1", 0)
    assert (world.request().state, world.request().result) == (ANSWERED, Result.REJECTED)
    assert driver.kinds == [CLEAR]


def test_a_set_that_was_perhaps_done_starts_again_at_the_clear(world: World, session: Session) -> None:
    world.put_request(session, steps=TWO_STEPS, state=SENT, step=1, attempts=2)
    world.set_control(session, accepted=1, sent=1)
    turn, driver = send(world, ACCEPTED, step=1)
    assert (turn.what, driver.commands) == (Sent.NOTHING_TO_DO, [])
    assert (world.request().state, world.request().step) == (PENDING, 0)
    driver = ScriptedDriver(UNKNOWN, ACCEPTED)
    for step in (0, 1):
        sender(world, driver)("r1", step)
    assert driver.kinds == [CLEAR, SET]
    assert world.request().result is Result.ACCEPTED


def test_a_callback_of_the_clear_leads_to_the_set(world: World, session: Session) -> None:
    world.put_request(session, steps=TWO_STEPS)
    send(world, Pending())
    assert world.record()(world.context(), ACCEPTED) is Recorded.NEXT_STEP
    turn, driver = send(world, Pending(), step=1)
    assert (turn.what, driver.kinds) == (Sent.PENDING, [SET])


def test_a_set_that_a_later_request_overtook_between_its_steps_is_superseded(world: World, session: Session) -> None:
    world.put_request(session, steps=TWO_STEPS, step=1, attempts=1)
    world.set_control(session, accepted=2, sent=2)
    turn, driver = send(world, ACCEPTED, step=1)
    assert (turn.what, driver.commands, world.request().result) == (Sent.SUPERSEDED, [], Result.REJECTED)


# --- Rights ------------------------------------------------------------------------------------------------------------


def test_a_plan_whose_partner_lost_the_right_to_steer_meanwhile_is_never_sent(world: World, session: Session) -> None:
    world.put_request(session)
    world.put_session(replace(session, rights=Rights(frozenset({"jedlix"}), "other")))
    turn, driver = send(world, ACCEPTED)
    assert (turn.what, driver.commands) == (Sent.REFUSED, [])
    assert world.request().result is Result.REJECTED


def test_a_plan_is_cleared_though_its_partner_may_not_steer_any_more(world: World, session: Session) -> None:
    world.put_request(session, RequestKind.CLEAR)
    world.put_session(replace(session, rights=Rights()))
    assert send(world, ACCEPTED)[1].kinds == [RequestKind.CLEAR]


# --- The CPO's word, and the end -----------------------------------------------------------------------------------------


def test_a_plan_is_not_sent_where_the_cpo_has_suspended_steering(world: World, session: Session) -> None:
    world.put_request(session)
    world.states.set_steering("acme", "CP-001", session.evse_uid, suspended=True, at=START)
    turn, driver = send(world, ACCEPTED)
    assert (turn.what, driver.commands, world.request().result) == (Sent.REFUSED, [], Result.REJECTED)


def test_a_cap_that_an_event_set_bounds_what_is_sent(world: World, session: Session) -> None:
    world.put_request(session)
    world.states.set_cap("acme", "CP-001", session.evse_uid, Decimal(4000), START)
    [command] = send(world, ACCEPTED)[1].commands
    assert command.plan is not None
    assert max(period.limit for period in command.plan.periods) == Decimal(4000)
    assert world.request().fitted_to == Fit(3, Decimal(4000), reduces=True)


def test_what_the_station_said_of_itself_bounds_what_is_sent(world: World, session: Session) -> None:
    world.put_request(session)
    world.states.learned("acme", "CP-001", Capabilities(frozenset({RateUnit.AMPERE}), max_stack_level=0), START)
    [command] = send(world, ACCEPTED)[1].commands
    assert command.plan is not None
    assert (command.plan.unit, command.stack_level) == (RateUnit.AMPERE, 0)


@pytest.mark.parametrize("over", [{"status": SessionStatus.COMPLETED}, {"superseded_at": START}])
@pytest.mark.parametrize(
    ("kind", "origin", "sent"),
    [
        (CLEAR, Origin.BRIDGE, True),
        (CLEAR, Origin.PARTNER, False),
        (SET, Origin.BRIDGE, False),
        (GET, Origin.BRIDGE, False),
    ],
)
def test_after_the_end_nothing_is_sent_but_the_bridges_own_clearing(
    world: World, over: dict[str, Any], kind: RequestKind, origin: Origin, sent: bool
) -> None:
    ended = world.open_session(**over)
    world.put_request(ended, kind, origin=origin)
    assert bool(send(world, ACCEPTED)[1].commands) is sent


def test_a_station_that_gives_no_composite_schedules_is_not_asked_for_one(world: World, session: Session) -> None:
    world.put_station(replace(world.station, quirks=frozenset({Quirk.NO_COMPOSITE})))
    world.put_request(session, GET)
    turn, driver = send(world, ACCEPTED)
    assert (turn.what, driver.commands) == (Sent.REFUSED, [])
    assert not world.request().supported


def test_a_plan_ends_at_its_fail_safe_time_and_is_refused_after_it(world: World, session: Session) -> None:
    world.put_request(session, fail_safe_at=START + timedelta(seconds=4000))
    [command] = send(world, ACCEPTED)[1].commands
    assert command.plan is not None
    assert command.plan.duration == 4000
    world.put_request(session, request_id="r2", number=2, fail_safe_at=START - timedelta(seconds=1))
    assert send(world, ACCEPTED, request_id="r2")[1].commands == []


def test_a_csms_that_names_its_time_is_asked_again_then(world: World, session: Session) -> None:
    world.put_request(session)
    busy = Failed("HTTP 429: the CSMS asks to come later", nothing_sent=True, retryable=True, retry_after=9)
    assert send(world, busy)[0].again_in == 9
