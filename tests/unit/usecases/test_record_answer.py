"""What the charge point said: the first answer counts, and the session remembers which plan is installed."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from ocpi_bridge.domain.errors import Contended
from ocpi_bridge.domain.plans import Plan, PlanPeriod, RateUnit
from ocpi_bridge.domain.requests import (
    Answer,
    InstalledPlan,
    Origin,
    RequestKind,
    RequestState,
    Result,
)
from ocpi_bridge.domain.sessions import Session
from ocpi_bridge.domain.stations import Capabilities
from ocpi_bridge.ports.charge_points import Done, Failed
from ocpi_bridge.usecases.record_answer import Recorded
from tests.support.clocks import START
from tests.support.dynamodb_faults import conflicts, meanwhile
from tests.support.registry_entries import station
from tests.support.world import World

SET, CLEAR, GET = RequestKind.SET, RequestKind.CLEAR, RequestKind.GET
SENT, ANSWERED = RequestState.SENT, RequestState.ANSWERED
ACCEPTED, REJECTED, UNKNOWN = Done("Accepted"), Done("Rejected"), Done("Unknown")
WATT, AMPERE = RateUnit.WATT, RateUnit.AMPERE


def record(world: World, done: Done | Failed, request_id: str = "r1") -> Recorded:
    return world.record()(world.context(request_id), done)


@pytest.fixture
def session(world: World) -> Session:
    return world.open_session()


# --- Results ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "done", "result"),
    [
        (SET, ACCEPTED, Result.ACCEPTED),
        (SET, REJECTED, Result.REJECTED),
        (SET, Done("NotSupported"), Result.REJECTED),
        (SET, UNKNOWN, Result.REJECTED),
        (SET, Done("CallError:NotImplemented"), Result.REJECTED),
        (SET, Failed("timeout", nothing_sent=False, retryable=True), Result.REJECTED),
        (CLEAR, ACCEPTED, Result.ACCEPTED),
        (CLEAR, UNKNOWN, Result.UNKNOWN),
        (CLEAR, REJECTED, Result.REJECTED),
        (GET, Done("CallError:InternalError"), Result.REJECTED),
    ],
    ids=lambda value: str(getattr(value, "status", value)),
)
def test_each_answer_has_its_result(
    world: World, session: Session, kind: RequestKind, done: Done | Failed, result: Result
) -> None:
    world.put_request(session, kind, state=SENT, attempts=1)
    assert record(world, done) is Recorded.ANSWERED
    assert (world.request().state, world.request().result) == (ANSWERED, result)


def test_the_reason_is_kept_for_operators(world: World, session: Session) -> None:
    world.put_request(session, state=SENT, attempts=1)
    record(world, Done("Rejected", detail="DuplicateProfile"))
    assert world.request().reason == "Rejected: DuplicateProfile"


# --- The first answer counts -----------------------------------------------------------------------------------------


def test_later_answers_change_nothing(world: World, session: Session) -> None:
    world.put_request(session, state=SENT, attempts=1)
    record(world, ACCEPTED)
    before = world.request_item()
    assert record(world, REJECTED) is Recorded.TOO_LATE
    assert world.request_item() == before


@pytest.mark.parametrize(("first", "second"), [(ACCEPTED, REJECTED), (REJECTED, ACCEPTED)])
def test_of_two_answers_at_once_the_first_written_counts(
    world: World, session: Session, first: Done, second: Done
) -> None:
    world.put_request(session, state=SENT, attempts=1)
    with meanwhile(world.tables.client, lambda: record(world, first)):
        assert record(world, second) is Recorded.TOO_LATE
    assert world.request().result is (Result.ACCEPTED if first is ACCEPTED else Result.REJECTED)
    assert (world.control(session).installed is not None) is (first is ACCEPTED)


def test_an_answer_after_the_expiry_changes_nothing_and_installs_nothing(world: World, session: Session) -> None:
    request = world.put_request(session, state=SENT, attempts=1)
    context = world.context()
    world.deliveries.expire(request, Answer(Result.REJECTED, "no answer by the deadline"))
    assert world.record()(context, ACCEPTED) is Recorded.TOO_LATE
    assert (world.request().state, world.request().result) == (RequestState.EXPIRED, Result.REJECTED)
    assert world.control(session).installed is None


def test_an_answer_to_a_step_that_is_over_changes_nothing(world: World, session: Session) -> None:
    world.put_request(session, steps=(CLEAR, SET), state=SENT, attempts=1)
    context = world.context()
    assert record(world, ACCEPTED) is Recorded.NEXT_STEP
    assert world.record()(context, REJECTED) is Recorded.TOO_LATE
    assert (world.request().state, world.request().step) == (RequestState.PENDING, 1)


def test_a_conflict_of_writers_is_waited_out(world: World, session: Session) -> None:
    world.put_request(session, state=SENT, attempts=1)
    with conflicts(world.tables.client, 2):
        assert record(world, ACCEPTED) is Recorded.ANSWERED
    assert world.control(session).installed == InstalledPlan("r1", 1, partner_id="jedlix", at=START)


def test_conflicts_without_end_are_an_honest_error(world: World, session: Session) -> None:
    world.put_request(session, state=SENT, attempts=1)
    with conflicts(world.tables.client, 1000), pytest.raises(Contended):
        record(world, ACCEPTED)
    assert world.request().state is SENT


# --- The installed plan ----------------------------------------------------------------------------------------------


def test_an_accepted_plan_is_the_installed_one(world: World, session: Session) -> None:
    ends_at = START + timedelta(hours=1)
    world.put_request(session, state=SENT, attempts=1, number=3, plan_ends_at=ends_at)
    record(world, ACCEPTED)
    assert world.control(session).installed == InstalledPlan("r1", 3, ends_at, "jedlix", at=START)


def test_a_rejected_plan_leaves_the_installed_one(world: World, session: Session) -> None:
    world.put_request(session, state=SENT, attempts=1, number=1)
    record(world, ACCEPTED)
    world.put_request(session, request_id="r2", state=SENT, attempts=1, number=2)
    record(world, REJECTED, "r2")
    assert world.control(session).installed == InstalledPlan("r1", 1, partner_id="jedlix", at=START)


@pytest.mark.parametrize("cleared", [ACCEPTED, UNKNOWN])
def test_after_a_clear_no_plan_is_installed(world: World, session: Session, cleared: Done) -> None:
    world.put_request(session, state=SENT, attempts=1, number=1)
    record(world, ACCEPTED)
    world.put_request(session, CLEAR, request_id="r2", state=SENT, attempts=1, number=2)
    record(world, cleared, "r2")
    assert world.control(session).installed is None


def test_a_clear_that_failed_leaves_the_plan_installed(world: World, session: Session) -> None:
    world.put_request(session, state=SENT, attempts=1, number=1)
    record(world, ACCEPTED)
    world.put_request(session, CLEAR, request_id="r2", state=SENT, attempts=1, number=2)
    record(world, REJECTED, "r2")
    assert world.control(session).installed == InstalledPlan("r1", 1, partner_id="jedlix", at=START)


def test_a_plan_that_was_cleared_for_a_refused_one_is_not_installed_any_more(world: World, session: Session) -> None:
    world.put_request(session, state=SENT, attempts=1, number=1)
    record(world, ACCEPTED)
    world.put_request(session, request_id="r2", steps=(CLEAR, SET), state=SENT, attempts=1, number=2)
    assert record(world, ACCEPTED, "r2") is Recorded.NEXT_STEP
    record(world, REJECTED, "r2")
    assert world.control(session).installed is None


def test_a_plan_set_after_its_clear_is_the_installed_one(world: World, session: Session) -> None:
    world.put_request(session, steps=(CLEAR, SET), state=SENT, attempts=1, number=1)
    assert record(world, UNKNOWN) is Recorded.NEXT_STEP
    record(world, ACCEPTED)
    assert world.control(session).installed == InstalledPlan("r1", 1, partner_id="jedlix", at=START)


@pytest.mark.parametrize("later", [SET, CLEAR])
def test_an_answer_that_comes_late_does_not_bring_an_older_plan_back(
    world: World, session: Session, later: RequestKind
) -> None:
    world.put_request(session, state=SENT, attempts=1, number=1)
    world.put_request(session, later, request_id="r2", state=SENT, attempts=1, number=2)
    record(world, ACCEPTED, "r2")
    installed = world.control(session).installed
    assert record(world, ACCEPTED, "r1") is Recorded.ANSWERED
    assert world.request("r1").result is Result.ACCEPTED
    assert world.control(session).installed == installed
    assert (installed == InstalledPlan("r2", 2, partner_id="jedlix", at=START)) is (later is SET)


def test_a_get_installs_nothing(world: World, session: Session) -> None:
    world.put_request(session, GET, state=SENT, attempts=1)
    record(world, ACCEPTED)
    assert world.control(session).installed is None


# --- GET: the active profile -----------------------------------------------------------------------------------------


def schedule(*limits: str, unit: RateUnit = WATT) -> Plan:
    periods = tuple(PlanPeriod(300 * index, Decimal(limit)) for index, limit in enumerate(limits))
    return Plan(unit, periods, START, 86_400)


def test_the_active_profile_is_kept_with_the_answer_and_no_longer_than_asked_for(
    world: World, session: Session
) -> None:
    world.put_request(session, GET, state=SENT, attempts=1, duration=450)
    assert record(world, Done("Accepted", schedule("8000", "4000", "2000"))) is Recorded.ANSWERED
    assert world.deliveries.active_profile("r1") == replace(schedule("8000", "4000"), duration=450)


def test_the_active_profile_is_told_in_the_unit_that_was_asked_for(world: World, session: Session) -> None:
    world.put_session(replace(session, phases=3))
    world.put_request(session, GET, state=SENT, attempts=1, unit=AMPERE)
    record(world, Done("Accepted", schedule("11040")))
    profile = world.deliveries.active_profile("r1")
    assert profile is not None
    assert (profile.unit, profile.periods[0].limit) == (AMPERE, Decimal(16))


def test_without_a_plan_and_without_a_schedule_the_evses_maximum_is_active(world: World, session: Session) -> None:
    world.put_request(session, GET, state=SENT, attempts=1)
    record(world, REJECTED)
    profile = world.deliveries.active_profile("r1")
    assert profile is not None
    assert (world.request().result, profile.periods) == (Result.ACCEPTED, (PlanPeriod(0, Decimal(11_000)),))


@pytest.mark.parametrize(("ends", "result"), [(None, Result.UNKNOWN), (3600, Result.UNKNOWN), (0, Result.ACCEPTED)])
def test_a_plan_that_should_be_there_but_is_not_shown_is_unknown(
    world: World, session: Session, ends: int | None, result: Result
) -> None:
    ends_at = None if ends is None else START + timedelta(seconds=ends)
    world.put_request(session, state=SENT, attempts=1, plan_ends_at=ends_at)
    record(world, ACCEPTED)
    world.put_request(session, GET, request_id="r2", state=SENT, attempts=1)
    record(world, ACCEPTED, "r2")
    assert world.request("r2").result is result
    assert (world.deliveries.active_profile("r2") is None) is (result is Result.UNKNOWN)


def test_a_get_whose_evse_is_gone_is_rejected(world: World, session: Session) -> None:
    world.put_request(session, GET, state=SENT, attempts=1)
    world.put_station(station(evse_uids=("another",)))
    record(world, Done("Accepted", schedule("8000")))
    assert (world.request().result, world.deliveries.active_profile("r1")) == (Result.REJECTED, None)


def test_a_late_schedule_is_not_kept(world: World, session: Session) -> None:
    request = world.put_request(session, GET, state=SENT, attempts=1)
    context = world.context()
    world.deliveries.expire(request, Answer(Result.REJECTED, "late"))
    world.record()(context, Done("Accepted", schedule("8000")))
    assert world.deliveries.active_profile("r1") is None


# --- What the bridge itself wanted -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("origin", "waits"), [(Origin.PARTNER, True), (Origin.BRIDGE, False)])
def test_only_a_partners_answered_request_waits_for_its_delivery(
    world: World,
    session: Session,
    origin: Origin,
    waits: bool,
) -> None:
    world.put_request(session, state=SENT, attempts=1, origin=origin)
    record(world, ACCEPTED)
    assert [request.request_id for request in world.sweeps.open_requests(START)] == (["r1"] if waits else [])


# --- What an answer tells of the station -------------------------------------------------------------------------------


@pytest.mark.parametrize("status", ["NotSupported", "CallError:NotSupported", "CallError:NotImplemented"])
def test_a_station_without_smart_charging_is_remembered_for_a_week(world: World, session: Session, status: str) -> None:
    world.put_request(session, state=SENT, attempts=1)
    record(world, Done(status))
    assert world.states.state("acme", "CP-001").not_supported_until == START + timedelta(days=7)


@pytest.mark.parametrize(
    ("kind", "done"),
    [(SET, REJECTED), (SET, ACCEPTED), (GET, Done("NotSupported")), (CLEAR, Done("NotSupported"))],
)
def test_other_answers_say_nothing_of_that(world: World, session: Session, kind: RequestKind, done: Done) -> None:
    world.put_request(session, kind, state=SENT, attempts=1)
    record(world, done)
    assert world.states.state("acme", "CP-001").not_supported_until is None


def test_a_station_that_wants_to_be_left_alone_is_for_as_long_as_it_says(world: World, session: Session) -> None:
    world.put_request(session, state=SENT, attempts=1)
    record(world, Done("Rejected", detail="RateLimitExceeded: 90 seconds before retry"))
    assert world.states.state("acme", "CP-001").rate_limited_until == START + timedelta(seconds=90)


@pytest.mark.parametrize(
    ("done", "learned"),
    [
        (
            Done("Accepted", capabilities=Capabilities(frozenset({AMPERE}), 24, 3)),
            Capabilities(frozenset({AMPERE}), 24, 3),
        ),
        (Failed("preset x has no LEARN", nothing_sent=True, retryable=False), Capabilities()),
        (Done("CallError:NotImplemented"), Capabilities()),
    ],
    ids=["said", "cannot be asked", "does not know"],
)
def test_what_a_station_said_of_itself_is_remembered_also_where_it_is_nothing(
    world: World, session: Session, done: Done | Failed, learned: Capabilities
) -> None:
    world.put_request(session, RequestKind.LEARN, state=SENT, attempts=1, number=None, partner_id=None, duration=None)
    record(world, done)
    state = world.states.state("acme", "CP-001")
    assert (state.learned, state.learned_at) == (learned, START)


# --- What nobody knows -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "done", "in_the_dark"),
    [
        (SET, Failed("HTTP 502", nothing_sent=False, retryable=False), True),
        (CLEAR, Failed("HTTP 502", nothing_sent=False, retryable=False), True),
        (GET, Failed("HTTP 502", nothing_sent=False, retryable=False), False),
        (SET, Failed("offline", nothing_sent=True, retryable=False), False),
        (SET, Done("Unparseable"), True),
        (SET, Done("Scheduled"), True),
        (CLEAR, Done("Scheduled"), True),
        (SET, Done("NotSupported"), False),
        (SET, Done("CallError:GenericError"), False),
        (SET, REJECTED, False),
        (SET, ACCEPTED, False),
    ],
)
def test_an_outcome_that_nobody_knows_is_noted_with_the_answer(
    world: World, session: Session, kind: RequestKind, done: Done | Failed, in_the_dark: bool
) -> None:
    number = None if kind is GET else 3
    world.put_request(session, kind, state=SENT, attempts=1, number=number)
    record(world, done)
    control = world.control(session)
    assert control.in_the_dark is in_the_dark
    assert control.uncertain_by == ("jedlix" if in_the_dark else None)


@pytest.mark.parametrize(
    ("unsent", "done", "in_the_dark"),
    [
        (0, REJECTED, True),
        (0, Failed("offline", nothing_sent=True, retryable=False), True),
        (0, ACCEPTED, False),
        (1, REJECTED, False),
        (1, Failed("offline", nothing_sent=True, retryable=False), False),
        (1, Failed("HTTP 502", nothing_sent=False, retryable=False), True),
    ],
)
def test_a_refusal_says_nothing_of_an_earlier_attempt_that_may_have_been_done(
    world: World, session: Session, unsent: int, done: Done | Failed, in_the_dark: bool
) -> None:
    request = world.put_request(session, state=SENT, attempts=1, number=3)
    if unsent:
        world.commands.nothing_sent(request)
    world.set_control(session, accepted=3, sent=3)
    assert world.commands.mark_sent(world.request())
    record(world, done)
    assert world.control(session).in_the_dark is in_the_dark


def test_a_later_answer_that_is_known_settles_it(world: World, session: Session) -> None:
    world.put_request(session, state=SENT, attempts=1, number=3)
    record(world, Failed("HTTP 502", nothing_sent=False, retryable=False))
    world.put_request(session, request_id="r2", state=SENT, attempts=1, number=4)
    record(world, ACCEPTED, "r2")
    assert not world.control(session).in_the_dark
