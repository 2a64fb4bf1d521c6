"""The charge point follows the plan that it should, no other one, and none for ever (design decisions 13 to 16 and 19).

The charge point answers by the real sender; what the partner knows is what it was really sent.
"""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from ocpi_bridge.domain.events import ChargingState, EventType, ReportedLimit, SessionStatus
from ocpi_bridge.domain.partners import Silence
from ocpi_bridge.domain.plan_keeping import ASK_AGAIN, RENEW_BEFORE
from ocpi_bridge.domain.plans import Plan, PlanPeriod, RateUnit
from ocpi_bridge.domain.requests import Request, RequestKind, RequestState, Result
from ocpi_bridge.domain.sessions import Session
from ocpi_bridge.domain.stations import OcppVersion, Replacement
from ocpi_bridge.ports.charge_points import Done, Failed
from ocpi_bridge.usecases.deliver_result import DeliverResult
from ocpi_bridge.usecases.own_requests import OWN_TIMEOUT
from ocpi_bridge.usecases.watch_active_profile import HINT_PAUSE, RETRY_AFTER
from ocpi_bridge.usecases.watching import Watched
from tests.support.clocks import START
from tests.support.dynamodb_faults import meanwhile
from tests.support.scripted import DELIVERED, HANGS, UNREACHABLE, MemoryOutbox, Outcome, ScriptedDriver
from tests.support.watched_site import ACCEPTED, AS_ASKED, LOWER, Site, schedule, sender
from tests.support.world import CARD, DEADLINE, PAUSE_BETWEEN, World, event

SET, CLEAR, GET = RequestKind.SET, RequestKind.CLEAR, RequestKind.GET
OTHER = Plan(RateUnit.WATT, (PlanPeriod(0, Decimal(6000)),), START)
# Ends in a pause that nobody lifts.
PAUSED = Plan(RateUnit.WATT, (PlanPeriod(0, Decimal(8000)), PlanPeriod(1800, Decimal(0))), START)
SHOWS_NOTHING = Done("Accepted")
EVSE = "BE*BEC*E041503001"


@pytest.fixture(autouse=True)
def _partner_with_both_interfaces(world: World) -> None:
    world.put_partner(
        replace(world.partner, charging_profiles_url="https://ocpi.jedlix.com/ocpi/2.2.1/chargingprofiles/")
    )


@pytest.fixture
def running(world: World) -> Session:
    """A session that nobody asked anything of yet."""
    return world.open_session(event(EventType.TRANSACTION_STARTED, 0, meter="1000", token=CARD))


def follow(world: World, session: Session, plan: Plan, request_id: str = "r1") -> Request:
    """A PUT of the partner that the charge point accepted, its result delivered."""
    request = world.accept_put(session, request_id, plan)
    sender(world, ACCEPTED)(request_id, 0)
    world.deliveries.delivered(world.request(request_id))
    return request


@pytest.fixture
def session(world: World, running: Session) -> Session:
    """A session that follows the partner's plan."""
    follow(world, running, PAUSE_BETWEEN)
    return running


def expire(world: World, site: Site, request_id: str) -> None:
    """The deadline comes, and nobody has answered."""
    world.clock.advance(max(0, (world.request(request_id).deadline - world.clock.now()).total_seconds()))
    DeliverResult(world.deliveries, world.deliveries, site.http, MemoryOutbox(), world.clock).expire(request_id)


def send_without_answer(world: World, session: Session, site: Site, plan: Plan, request_id: str = "r2") -> None:
    """A PUT whose command leaves and is never answered."""
    request = world.accept_put(session, request_id, plan)
    assert world.commands.mark_sent(request)
    expire(world, site, request_id)


def own_kinds(site: Site) -> list[RequestKind]:
    return [one.kind for one in site.own()]


# --- A command whose outcome nobody knows (design decision 16) ---------------------------------------------------------


def test_after_an_expired_command_the_last_accepted_plan_is_sent_again_and_the_truth_told(
    world: World, session: Session
) -> None:
    site = Site(world)
    send_without_answer(world, session, site, OTHER)
    assert world.request("r2").result is Result.REJECTED
    assert site.step(session) is Watched.RESENDING
    [again] = site.own()
    assert (again.kind, again.number, again.partner_id) == (SET, 3, "jedlix")
    driver = ScriptedDriver(ACCEPTED)
    site.charge_point_is(driver)
    assert driver.commands[0].asked_plan == PAUSE_BETWEEN
    assert site.look(session, AS_ASKED) is Watched.PUSHED
    assert not world.control(session).in_the_dark


def test_with_no_plan_before_it_what_the_expired_command_may_have_left_is_cleared(
    world: World, running: Session
) -> None:
    site = Site(world)
    send_without_answer(world, running, site, OTHER, "r1")
    assert site.step(running) is Watched.CLEARING
    site.charge_point(Done("Unknown"))
    assert site.look(running, Done("Rejected")) is Watched.PUSHED
    assert world.control(running).installed is None


def test_an_expired_delete_leaves_the_plan_that_its_partner_was_told_to_be_in_force(
    world: World, session: Session
) -> None:
    site = Site(world)
    world.put_request(session, CLEAR, request_id="r2", number=2)
    assert world.commands.mark_sent(world.request("r2"))
    expire(world, site, "r2")
    assert site.step(session) is Watched.RESENDING


def test_a_command_that_never_left_leaves_nothing_to_find_out(world: World, session: Session) -> None:
    site = Site(world)
    world.accept_put(session, "r2", OTHER)
    expire(world, site, "r2")
    assert (site.step(session), site.own()) == (Watched.NOTHING, [])


@pytest.mark.parametrize(
    ("answer", "known"),
    [
        (Failed("HTTP 500 of the CSMS", nothing_sent=False, retryable=False), False),
        (Failed("the CSMS sent nothing", nothing_sent=True, retryable=False), True),
        (Done("Rejected"), True),
        (Done("CallError:InternalError"), True),
        (Done("Unparseable"), False),
    ],
)
def test_an_answer_that_says_nothing_leaves_the_outcome_unknown(
    world: World, session: Session, answer: Outcome, known: bool
) -> None:
    site = Site(world)
    world.accept_put(session, "r2", OTHER)
    site.charge_point(answer)
    assert world.request("r2").result is Result.REJECTED
    assert (site.step(session) is Watched.NOTHING) is known


def test_a_later_request_that_is_under_way_is_not_disturbed_and_settles_it(world: World, session: Session) -> None:
    site = Site(world)
    send_without_answer(world, session, site, OTHER)
    world.accept_put(session, "r3", OTHER)
    site.step(session)
    assert site.own() == []
    site.charge_point(ACCEPTED)
    assert not world.control(session).in_the_dark
    site.step(session)
    assert SET not in own_kinds(site)


def test_a_later_request_that_comes_in_between_is_not_overtaken_by_the_repair(world: World, session: Session) -> None:
    site = Site(world)
    site.step(session)  # the session's own push is through
    send_without_answer(world, session, site, OTHER)
    with meanwhile(world.tables.client, lambda: world.accept_put(session, "r3", OTHER), "TransactWriteItems"):
        assert site.step(session) is Watched.LATER
    assert site.own() == []


def test_what_a_command_may_have_left_is_not_cleared_while_a_later_one_is_under_way(
    world: World, running: Session
) -> None:
    site = Site(world)
    send_without_answer(world, running, site, OTHER, "r1")
    world.accept_put(running, "r2", OTHER)
    site.step(running)
    assert site.own() == []


def test_a_repair_that_fails_is_tried_again_later_and_later(world: World, session: Session) -> None:
    site = Site(world)
    send_without_answer(world, session, site, OTHER)
    for wait in (RETRY_AFTER[0], RETRY_AFTER[1], RETRY_AFTER[2]):
        assert site.step(session) is Watched.RESENDING
        site.charge_point(Done("Rejected"))
        assert site.step(session) is Watched.FAILED
        assert world.watch_due(session) == world.clock.now() + wait
        world.clock.advance(wait.total_seconds())


def test_where_a_plan_is_cleared_before_the_next_is_set_and_that_fails_the_partner_is_told(
    world: World, session: Session
) -> None:
    world.put_station(replace(world.station, replacement=Replacement.CLEAR_THEN_SET))
    site = Site(world)
    request = world.accept_put(session, "r2", OTHER)
    world.put_request(session, request_id="r2", number=request.number, steps=(CLEAR, SET), plan=OTHER)
    sender(world, ACCEPTED)("r2", 0)
    sender(world, Done("Rejected"))("r2", 1)
    assert (world.request("r2").result, world.control(session).installed) == (Result.REJECTED, None)
    assert site.step(session) is Watched.CLEARING
    site.charge_point(Done("Unknown"))
    assert site.look(session, Done("Rejected")) is Watched.PUSHED


def test_a_plan_that_was_cleared_by_a_request_that_was_overtaken_in_between_is_missed_where_the_later_one_fails(
    world: World, session: Session
) -> None:
    world.put_station(replace(world.station, replacement=Replacement.CLEAR_THEN_SET))
    site = Site(world)
    for request_id in ("r2", "r3"):
        request = world.accept_put(session, request_id, OTHER)
        world.put_request(session, request_id=request_id, number=request.number, steps=(CLEAR, SET), plan=OTHER)
    sender(world, ACCEPTED)("r2", 0)
    sender(world, Done("Rejected"))("r3", 0)
    sender(world, ACCEPTED)("r2", 1)
    assert [world.request(one).result for one in ("r2", "r3")] == [Result.REJECTED, Result.REJECTED]
    assert site.step(session) is Watched.CLEARING
    site.charge_point(Done("Unknown"))
    assert site.look(session, Done("Rejected")) is Watched.PUSHED


# --- What a plan is fitted to changes (13, 14) -------------------------------------------------------------------------


def test_once_the_cars_phases_are_seen_the_plan_is_converted_and_sent_again(world: World, session: Session) -> None:
    site = Site(world)
    world.put_session(replace(session, phases=1))
    assert site.step(session) is Watched.RESENDING
    driver = ScriptedDriver(ACCEPTED)
    site.charge_point_is(driver)
    assert driver.commands[0].phases == 1
    assert site.look(session, schedule("7300", "0")) is Watched.PUSHED
    assert site.step(session) is Watched.NOTHING


def test_phases_that_the_connector_was_taken_to_have_anyway_change_nothing(world: World, session: Session) -> None:
    site = Site(world)
    world.put_session(replace(session, phases=3))
    assert (site.step(session), site.own()) == (Watched.NOTHING, [])


def test_a_cap_that_the_cpo_sets_is_obeyed_at_once_and_told(world: World, session: Session) -> None:
    site = Site(world)
    world.states.set_cap("acme", "CP-001", EVSE, Decimal(5000), START)
    assert site.step(session) is Watched.RESENDING
    driver = ScriptedDriver(ACCEPTED)
    site.charge_point_is(driver)
    plan = driver.commands[0].plan
    assert plan is not None
    assert max(period.limit for period in plan.periods) == Decimal(5000)
    assert site.look(session, schedule("5000", "0")) is Watched.PUSHED
    # Lifted, the partner's own plan comes back, without its asking.
    world.states.set_cap("acme", "CP-001", EVSE, None, START + timedelta(seconds=1))
    assert site.step(session) is Watched.RESENDING
    site.charge_point(ACCEPTED)
    # What it was told last is that the cap is followed: that its own plan is followed again is news.
    assert site.look(session, AS_ASKED) is Watched.PUSHED


def test_a_plan_that_the_cap_cut_from_the_beginning_is_told_once(world: World, running: Session) -> None:
    site = Site(world)
    follow(world, running, replace(PAUSE_BETWEEN, periods=(PlanPeriod(0, Decimal(22000)),)))
    assert site.look(running, schedule("11000")) is Watched.PUSHED
    assert (site.step(running), len(site.profiles)) == (Watched.NOTHING, 1)


def test_a_plan_that_is_cut_only_later_than_an_hour_from_now_is_told_once_all_the_same(
    world: World, running: Session
) -> None:
    site = Site(world)
    later = (PlanPeriod(0, Decimal(9000)), PlanPeriod(7200, Decimal(22000)))
    follow(world, running, replace(PAUSE_BETWEEN, periods=later))
    assert site.look(running, schedule("9000")) is Watched.PUSHED
    assert (site.step(running), own_kinds(site)) == (Watched.NOTHING, [GET])


# --- The charge point lost the plan ----------------------------------------------------------------------------------


@pytest.mark.parametrize("shown", [SHOWS_NOTHING, Done("Rejected"), schedule("22000")])
def test_a_plan_that_a_station_lost_is_sent_again_before_anybody_is_told(
    world: World, session: Session, shown: Done
) -> None:
    site = Site(world)
    site.doubt(session)
    assert site.look(session, shown) is Watched.RESENDING
    site.charge_point(ACCEPTED)
    assert (site.look(session, AS_ASKED), site.profiles) == (Watched.NO_NEWS, [])


def test_it_is_sent_again_once_and_then_the_partner_learns_the_truth(world: World, session: Session) -> None:
    site = Site(world)
    site.doubt(session)
    assert site.look(session, schedule("22000")) is Watched.RESENDING
    site.charge_point(ACCEPTED)
    assert site.look(session, schedule("22000")) is Watched.PUSHED
    assert own_kinds(site).count(SET) == 1
    world.clock.advance(60)
    site.doubt(session)
    assert site.look(session, SHOWS_NOTHING) is Watched.RESENDING


def test_a_plan_that_is_not_shown_is_not_looked_for_again_while_another_is_on_its_way(
    world: World, session: Session
) -> None:
    site = Site(world)
    send_without_answer(world, session, site, OTHER)
    assert world.commands.mark_sent(world.accept_put(session, "r3", PAUSE_BETWEEN))
    site.doubt(session)
    assert site.look(session, SHOWS_NOTHING) is Watched.LATER
    assert (site.step(session), own_kinds(site)) == (Watched.LATER, [GET])


def test_a_lower_limit_beside_the_plan_is_no_loss_of_it(world: World, session: Session) -> None:
    site = Site(world)
    site.doubt(session)
    assert site.look(session, LOWER) is Watched.PUSHED
    assert SET not in own_kinds(site)


def test_a_plan_whose_partner_deleted_it_is_not_brought_back(world: World, session: Session) -> None:
    site = Site(world)
    world.put_request(session, CLEAR, request_id="r2", number=2)
    site.charge_point(ACCEPTED)
    site.doubt(session)
    assert site.look(session, Done("Rejected")) is Watched.PUSHED
    assert SET not in own_kinds(site)


def test_a_plan_is_kept_also_for_a_partner_that_is_told_nothing(world: World, session: Session) -> None:
    world.put_partner(replace(world.partner, charging_profiles_url=None))
    site = Site(world)
    site.doubt(session)
    assert site.look(session, SHOWS_NOTHING) is Watched.RESENDING


# --- The end of a session ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [SessionStatus.COMPLETED, SessionStatus.INVALID])
def test_when_a_session_is_over_its_plan_is_cleared_once_by_its_id(
    world: World, session: Session, status: SessionStatus
) -> None:
    site = Site(world)
    world.put_session(replace(session, status=status, end=world.clock.now()))
    assert site.step(session) is Watched.CLEARING
    driver = ScriptedDriver(Done("Unknown"))
    site.charge_point_is(driver)
    assert [(one.kind, one.profile_id) for one in driver.commands] == [(CLEAR, session.profile_id)]
    assert (site.step(session), len(site.own())) == (Watched.NOTHING, 1)


def test_a_session_that_ends_without_a_plan_leaves_the_charge_point_alone(world: World, running: Session) -> None:
    site = Site(world)
    world.put_session(replace(running, status=SessionStatus.COMPLETED, end=world.clock.now()))
    assert (site.step(running), site.own()) == (Watched.NOTHING, [])


def test_a_plan_that_may_have_arrived_is_cleared_at_the_end_too(world: World, running: Session) -> None:
    site = Site(world)
    send_without_answer(world, running, site, OTHER, "r1")
    world.put_session(replace(running, status=SessionStatus.COMPLETED, end=world.clock.now()))
    assert site.step(running) is Watched.CLEARING


@pytest.mark.parametrize("gone", [{"status": SessionStatus.COMPLETED, "end": START}, {"superseded_at": START}])
def test_a_plan_that_is_accepted_as_its_car_leaves_is_cleared_too(
    world: World, running: Session, gone: dict[str, object]
) -> None:
    site = Site(world)
    request = world.accept_put(running)
    assert world.commands.mark_sent(request)
    world.put_session(replace(running, **gone))  # type: ignore[arg-type]
    assert site.step(running) is Watched.LATER
    world.record()(world.context("r1"), ACCEPTED)
    world.clock.advance((request.timeout_at - world.clock.now()).total_seconds())
    assert world.due_pushes() == [(running.session_id, "jedlix")]
    assert site.step(running) is Watched.CLEARING


def test_when_another_car_was_seen_in_its_place_the_old_plan_goes_and_no_other_comes(
    world: World, session: Session
) -> None:
    site = Site(world)
    world.accept_put(session, "r2", OTHER)
    world.put_session(replace(session, superseded_at=world.clock.now()))
    assert site.step(session) is Watched.CLEARING
    driver = ScriptedDriver(ACCEPTED)
    site.charge_point_is(driver)
    assert [one.kind for one in driver.commands] == [CLEAR]
    assert world.request("r2").result is Result.REJECTED


# --- The CPO takes over (19) ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scope", ["station", "EVSE", "session"])
def test_when_the_cpo_takes_over_the_plan_goes_and_the_partner_is_told(
    world: World, session: Session, scope: str
) -> None:
    site = Site(world)
    if scope == "session":
        world.put_session(replace(session, steering_suspended=True))
    else:
        uid = EVSE.lower() if scope == "EVSE" else None
        world.states.set_steering("acme", "CP-001", uid, suspended=True, at=START)
        site.doubt(session)
    assert site.step(session) is Watched.CLEARING
    site.charge_point(ACCEPTED)
    assert site.look(session, Done("Rejected")) is Watched.PUSHED
    site.step(session)
    assert sorted(own_kinds(site)) == [CLEAR, GET]


def test_a_plan_that_was_accepted_just_before_the_cpo_took_over_is_not_sent(world: World, session: Session) -> None:
    site = Site(world)
    world.accept_put(session, "r2", OTHER)
    world.states.set_steering("acme", "CP-001", None, suspended=True, at=START)
    driver = ScriptedDriver(ACCEPTED)
    site.charge_point_is(driver)
    assert (driver.commands, world.request("r2").result) == ([], Result.REJECTED)


def test_a_plan_that_was_under_way_when_the_cpo_took_over_is_cleared_when_it_arrives(
    world: World, running: Session
) -> None:
    site = Site(world)
    request = world.accept_put(running)
    assert world.commands.mark_sent(request)
    world.states.set_steering("acme", "CP-001", None, suspended=True, at=START)
    assert site.step(running) is Watched.LATER
    assert world.due_pushes(request.timeout_at) == [(running.session_id, "jedlix")]
    world.record()(world.context("r1"), ACCEPTED)
    assert site.step(running) is Watched.CLEARING


def test_released_plans_go_and_later_ones_stay(world: World, session: Session) -> None:
    site = Site(world)
    world.put_session(replace(session, released_at=world.clock.now()))
    assert site.step(session) is Watched.CLEARING
    site.charge_point(ACCEPTED)
    assert site.look(session, Done("Rejected")) is Watched.PUSHED
    world.clock.advance(10)
    follow(world, session, OTHER, "r3")
    assert (site.step(session), sorted(own_kinds(site))) == (Watched.NOTHING, [CLEAR, GET])


# --- Nobody is paused for ever (15) ----------------------------------------------------------------------------------------


@pytest.fixture
def paused(world: World, running: Session) -> Session:
    """A session that follows a plan which ends in a pause, accepted by the intake itself."""
    follow_with_fail_safe(world, running)
    return running


def follow_with_fail_safe(world: World, session: Session, plan: Plan = PAUSED) -> None:
    before = world.control(session)
    request = world.accept_put(session, "r1", plan)
    end = START + timedelta(seconds=1800 + 7200)
    world.put_request(session, request_id="r1", number=request.number, plan=plan, fail_safe_at=end)
    sender(world, ACCEPTED)("r1", 0)
    world.deliveries.delivered(world.request("r1"))
    assert before.installed is None


def test_a_plan_that_ends_in_a_pause_ends_by_itself_at_the_charge_point(world: World, running: Session) -> None:
    request = world.accept_put(running, "r1", PAUSED)
    end = START + timedelta(seconds=1800 + 7200)
    world.put_request(running, request_id="r1", number=request.number, plan=PAUSED, fail_safe_at=end)
    driver = ScriptedDriver(ACCEPTED)
    Site(world).charge_point_is(driver)
    plan = driver.commands[0].plan
    assert plan is not None
    assert (plan.start, plan.duration) == (START, 9000)


def test_while_its_partner_lives_it_is_renewed_before_that(world: World, paused: Session) -> None:
    site = Site(world)
    assert site.step(paused) is Watched.NOTHING
    renewal = START + timedelta(seconds=9000) - RENEW_BEFORE
    assert world.watch_due(paused) == renewal
    world.clock.advance((renewal - world.clock.now()).total_seconds())
    # The partner takes the push of the session in the same step, so it lives.
    world.put_session(replace(paused, version=2, meter_wh=Decimal(2000)))
    assert site.step(paused) is Watched.RESENDING
    site.charge_point(ACCEPTED)
    installed = world.control(paused).installed
    assert installed is not None
    assert installed.fail_safe_at == world.clock.now() + timedelta(hours=2)


def test_a_partner_that_was_silent_for_long_is_told_what_is_followed_before_its_plan_is_renewed(
    world: World, paused: Session
) -> None:
    site = Site(world)
    site.step(paused)
    world.clock.advance((START + timedelta(seconds=9000) - RENEW_BEFORE - world.clock.now()).total_seconds())
    still = schedule("0", start=7200)
    assert site.look(paused, still) is Watched.RESENDING
    assert len(site.profiles) == 1


def test_a_partner_that_does_not_answer_renews_nothing_and_the_car_charges_again(world: World, paused: Session) -> None:
    site = Site(world)
    site.step(paused)
    site.http.answer_with(UNREACHABLE)
    world.clock.advance((START + timedelta(seconds=9000) - RENEW_BEFORE - world.clock.now()).total_seconds())
    assert site.look(paused, schedule("0", start=7200)) is Watched.FAILED
    world.clock.advance(RENEW_BEFORE.total_seconds())
    assert SET not in own_kinds(site)
    site.http.answer_with(DELIVERED)
    assert site.look(paused, Done("Rejected")) is Watched.PUSHED
    assert site.told_periods()[0]["limit"] == Decimal("11000.0")
    assert (site.step(paused), SET in own_kinds(site)) == (Watched.NOTHING, False)


def test_a_plan_that_ended_while_its_partner_was_silent_is_not_told_as_it_was(world: World, paused: Session) -> None:
    site, end = Site(world), START + timedelta(seconds=9000)
    site.step(paused)
    world.clock.advance((end - timedelta(minutes=5) - world.clock.now()).total_seconds())
    site.http.answer_with(HANGS)
    world.silences.begin_silence("jedlix", Silence(world.clock.now(), world.clock.now() + timedelta(minutes=1)))
    assert site.look(paused, schedule("0", start=7200)) is Watched.HELD
    world.clock.advance((end - world.clock.now()).total_seconds())
    site.http.answer_with(DELIVERED)
    assert site.look(paused, Done("Rejected")) is Watched.PUSHED
    assert len(site.profiles) == 1
    assert site.told_periods()[0]["limit"] == Decimal("11000.0")


@pytest.mark.parametrize("shown", [schedule("0", start=7200), Done("NotSupported")])
def test_a_partner_that_cannot_be_told_is_looked_after_now_and_then_until_its_plan_ends(
    world: World, paused: Session, shown: Done
) -> None:
    world.put_partner(replace(world.partner, charging_profiles_url=None))
    site = Site(world)
    site.step(paused)
    world.clock.advance((START + timedelta(seconds=9000) - RENEW_BEFORE - world.clock.now()).total_seconds())
    for _ in range(int(RENEW_BEFORE / ASK_AGAIN)):
        assert site.look(paused, shown) is Watched.NOTHING
        assert site.step(paused) is Watched.NOTHING
        due = world.watch_due(paused)
        assert due is not None
        world.clock.advance((due - world.clock.now()).total_seconds())
    assert SET not in own_kinds(site)


# --- What the charge point shows by itself -----------------------------------------------------------------------------


def test_a_pause_and_a_current_that_the_plan_explains_ask_nobody(world: World, session: Session) -> None:
    site = Site(world)
    site.hint(session, offered_a=Decimal("14.5"), charging_state=ChargingState.CHARGING)
    assert site.step(session) is Watched.NOTHING
    world.clock.advance(1800)
    site.hint(session, charging_state=ChargingState.SUSPENDED_EVSE, offered_a=Decimal(0))
    assert (site.step(session), site.own()) == (Watched.NOTHING, [])


@pytest.mark.parametrize(
    "shown",
    [
        {"offered_a": Decimal(8), "charging_state": ChargingState.CHARGING},
        {"offered_w": Decimal(5520), "charging_state": ChargingState.CHARGING},
        {"charging_state": ChargingState.SUSPENDED_EVSE},
    ],
    ids=["less current", "less power", "a pause"],
)
def test_what_the_plan_does_not_explain_is_looked_into(
    world: World, session: Session, shown: dict[str, object]
) -> None:
    site = Site(world)
    site.hint(session, **shown)
    assert site.look(session, LOWER) is Watched.PUSHED


def test_hints_in_a_row_are_looked_into_once_a_minute(world: World, session: Session) -> None:
    site = Site(world)
    site.hint(session, offered_a=Decimal(8))
    assert site.look(session, LOWER) is Watched.PUSHED
    world.clock.advance(1)
    site.hint(session, offered_a=Decimal(7))
    site.step(session)
    assert own_kinds(site) == [GET]
    world.clock.advance(HINT_PAUSE.total_seconds())
    assert world.due_pushes() == [(session.session_id, "jedlix")]
    assert site.step(session) is Watched.LOOKING


def test_a_fresh_doubt_waits_for_what_comes_with_it(world: World, session: Session) -> None:
    site = Site(world)
    site.doubt(session)
    world.clock.advance(-4)
    updated = site.update(session.session_id, "jedlix", "corr-1")
    assert (updated.watch, updated.again_in, site.own()) == (Watched.SOON, 4, [])
    assert site.update(session.session_id, "jedlix", "corr-1", settle=False).watch is Watched.LOOKING


NOT_OFFERED = Failed("preset: monta does not offer GET", nothing_sent=True, retryable=False, offered=False)


@pytest.mark.parametrize("answer", [Done("NotSupported"), Done("CallError:NotImplemented"), NOT_OFFERED])
def test_where_a_station_gives_no_composite_what_the_csms_reported_is_told(
    world: World, session: Session, answer: Outcome
) -> None:
    site = Site(world)
    limit = Plan(RateUnit.WATT, (PlanPeriod(0, Decimal(4000)),), START)
    world.put_session(replace(session, reported_limit=ReportedLimit("CSO", limit)))
    site.doubt(session)
    assert site.look(session, answer) is Watched.PUSHED
    periods = site.told_periods(0)
    assert [period["limit"] for period in periods] == [Decimal(4000), 0, Decimal(4000)]
    world.clock.advance(1)
    site.doubt(session)
    assert site.look(session, answer) is Watched.NO_NEWS


def test_where_nothing_was_reported_the_current_that_it_offers_is_told(world: World, session: Session) -> None:
    site = Site(world)
    site.hint(session, offered_a=Decimal(8))
    assert site.look(session, Done("NotSupported")) is Watched.PUSHED
    periods = site.told_periods(0)
    assert periods == [{"start_period": 0, "limit": Decimal("5520.0")}]


def test_where_nothing_was_heard_nothing_is_made_up(world: World, session: Session) -> None:
    site = Site(world)
    site.doubt(session)
    assert (site.look(session, Done("NotSupported")), site.profiles) == (Watched.NOTHING, [])
    assert (site.step(session), len(site.own())) == (Watched.NOTHING, 1)


def test_a_plan_that_was_cut_is_not_looked_for_where_nobody_can_be_told(world: World, running: Session) -> None:
    world.put_partner(replace(world.partner, charging_profiles_url=None))
    site = Site(world)
    follow(world, running, replace(PAUSE_BETWEEN, periods=(PlanPeriod(0, Decimal(22000)),)))
    assert (site.step(running), site.own()) == (Watched.NOTHING, [])


@pytest.mark.parametrize("answer", [Done("NotSupported"), SHOWS_NOTHING])
def test_a_plan_that_was_cut_at_a_station_that_shows_nothing_is_not_looked_for_again_and_again(
    world: World, running: Session, answer: Done
) -> None:
    site = Site(world)
    follow(world, running, replace(PAUSE_BETWEEN, periods=(PlanPeriod(0, Decimal(22000)),)))
    site.look(running, answer)
    while site.step(running) is not Watched.NOTHING:
        site.charge_point(ACCEPTED if own_kinds(site)[-1] is SET else answer)
        assert len(site.own()) <= 3
    assert site.profiles == []


def test_a_station_of_201_is_kept_to_its_plan_in_the_same_way(world: World) -> None:
    evse = replace(world.station.evses[0], ocpp_evse_id=1)
    world.put_station(replace(world.station, ocpp_version=OcppVersion.V201, evses=(evse,)))
    session = world.open_session(event(EventType.TRANSACTION_STARTED, 0, meter="1000", token=CARD, evse_id=1))
    follow(world, session, PAUSE_BETWEEN)
    site = Site(world)
    send_without_answer(world, session, site, OTHER)
    assert site.step(session) is Watched.RESENDING
    site.charge_point(ACCEPTED)
    assert {one.state for one in site.own()} == {RequestState.ANSWERED}


def test_a_request_of_our_own_that_expires_is_made_again_and_its_outcome_found_out(
    world: World, session: Session
) -> None:
    site = Site(world)
    send_without_answer(world, session, site, OTHER)
    assert site.step(session) is Watched.RESENDING
    [again] = site.own()
    assert world.commands.mark_sent(world.request(again.request_id))
    world.clock.advance(OWN_TIMEOUT.total_seconds())
    DeliverResult(world.deliveries, world.deliveries, site.http, MemoryOutbox(), world.clock).expire(again.request_id)
    assert site.step(session) is Watched.FAILED
    world.clock.advance(60)
    assert site.step(session) is Watched.RESENDING


def test_nothing_is_left_waiting_at_the_end(world: World, session: Session) -> None:
    site = Site(world)
    send_without_answer(world, session, site, OTHER)
    site.step(session)
    site.charge_point(ACCEPTED)
    site.look(session, AS_ASKED)
    world.clock.advance(DEADLINE.total_seconds())
    assert not [one for one in world.requests() if one.state in {RequestState.PENDING, RequestState.SENT}]
