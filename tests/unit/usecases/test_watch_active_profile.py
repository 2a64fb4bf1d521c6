"""A partner learns of changes of the active profile that are not its own, and keeps no plan that it may not steer.

The charge point answers by the real sender, so what is read here is what a station said.
"""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from ocpi_bridge.domain.assignments import Rights
from ocpi_bridge.domain.events import EventType, SessionStatus
from ocpi_bridge.domain.partners import Partner, Party, Registration
from ocpi_bridge.domain.plans import PlanPeriod
from ocpi_bridge.domain.requests import Answer, RequestKind, RequestState, Result
from ocpi_bridge.domain.sessions import Session
from ocpi_bridge.ports.charge_points import Done
from ocpi_bridge.ports.partners import Receipt
from ocpi_bridge.usecases.deliver_result import DeliverResult
from ocpi_bridge.usecases.own_requests import OWN_TIMEOUT
from ocpi_bridge.usecases.push_session import PushResult
from ocpi_bridge.usecases.watch_active_profile import RETRY_AFTER
from ocpi_bridge.usecases.watching import Watched
from tests.support.clocks import START
from tests.support.dynamodb_faults import meanwhile
from tests.support.scripted import DELIVERED, NOT_FOUND, UNREACHABLE, MemoryOutbox
from tests.support.watched_site import ACCEPTED, AS_ASKED, LOWER, Site, schedule, sender
from tests.support.world import CARD, PAUSE_BETWEEN, World, event

CLEAR, GET = RequestKind.CLEAR, RequestKind.GET


@pytest.fixture(autouse=True)
def _partner_with_both_interfaces(world: World) -> None:
    world.put_partner(
        replace(world.partner, charging_profiles_url="https://ocpi.jedlix.com/ocpi/2.2.1/chargingprofiles/")
    )


@pytest.fixture
def session(world: World) -> Session:
    """A session that follows the partner's plan, its result delivered."""
    session = world.open_session(event(EventType.TRANSACTION_STARTED, 0, meter="1000", token=CARD))
    request = world.accept_put(session)
    sender(world, ACCEPTED)(request.request_id, 0)
    world.deliveries.delivered(world.request("r1"))
    return session


# --- Whom it is owed to, and from when ---------------------------------------------------------------------------------


def test_without_a_doubt_nobody_is_asked_and_nothing_is_told(world: World, session: Session) -> None:
    site = Site(world)
    assert site.step(session) is Watched.NOTHING
    assert (site.own(), site.profiles, world.watch(session)) == ([], [], None)


def test_before_the_first_accepted_put_a_partner_is_told_nothing(world: World) -> None:
    session = world.open_session()
    world.put_request(session, GET, request_id="g1")
    site = Site(world)
    site.doubt(session)
    assert (site.step(session), site.own()) == (Watched.NOTHING, [])


@pytest.mark.parametrize(
    "state", [RequestState.PENDING, RequestState.SENT, RequestState.ANSWERED, RequestState.EXPIRED]
)
def test_the_first_push_waits_for_the_first_puts_result(world: World, state: RequestState) -> None:
    session = world.open_session()
    request = world.accept_put(session)
    world.put_request(session, request_id=request.request_id, number=request.number, state=state)
    site = Site(world)
    site.doubt(session)
    assert (site.step(session), site.own()) == (Watched.LATER, [])
    assert world.due_pushes(world.clock.now() + RETRY_AFTER[0]) == [(session.session_id, "jedlix")]


@pytest.mark.parametrize("state", [RequestState.DELIVERED, RequestState.UNDELIVERED])
def test_a_first_put_whose_result_left_or_was_given_up_opens_the_way(world: World, state: RequestState) -> None:
    session = world.open_session()
    request = world.accept_put(session)
    world.put_request(session, request_id=request.request_id, number=request.number, state=state)
    site = Site(world)
    site.doubt(session)
    assert site.look(session, LOWER) is Watched.PUSHED


def test_the_duty_outlives_the_partners_own_delete(world: World, session: Session) -> None:
    site = Site(world)
    world.put_request(session, CLEAR, request_id="r2", number=2)
    site.charge_point(ACCEPTED)
    site.doubt(session)
    assert site.look(session, Done("Rejected")) is Watched.PUSHED
    assert len(site.profiles) == 1
    # No profile is left: the most that the EVSE may deliver (14.4.2.4).
    assert site.told_periods() == [{"start_period": 0, "limit": Decimal("11000.0")}]


@pytest.mark.parametrize(
    "change",
    [{"charging_profiles_url": None}, {"registration": Registration.LEFT}],
    ids=["no interface", "left"],
)
def test_a_partner_that_cannot_be_reached_is_told_nothing(
    world: World, session: Session, change: dict[str, object]
) -> None:
    world.put_partner(replace(world.partner, **change))  # type: ignore[arg-type]
    site = Site(world)
    site.doubt(session)
    site.look(session, LOWER) if change.get("charging_profiles_url", "") is None else site.step(session)
    assert [one.kind for one in site.own()] in ([GET], [CLEAR])
    assert site.profiles == []


def test_after_the_session_nothing_is_told_any_more(world: World, session: Session) -> None:
    site = Site(world)
    site.doubt(session)
    assert site.step(session) is Watched.LOOKING
    before = world.session(session.session_id)
    ended = replace(before, status=SessionStatus.COMPLETED, end=world.clock.now(), version=before.version + 1)
    assert world.sessions.update(before, ended, None)
    site.charge_point(LOWER)
    assert (site.step(session), site.profiles) == (Watched.CLEARING, [])
    assert world.due_pushes(world.clock.now() + timedelta(days=1)) == []


# --- What is told ----------------------------------------------------------------------------------------------------


def test_a_change_that_the_partner_did_not_make_is_pushed_as_the_charge_point_shows_it(
    world: World, session: Session
) -> None:
    site = Site(world)
    site.doubt(session)
    assert site.look(session, LOWER) is Watched.PUSHED
    push = site.http.messages[-1]
    assert (push.method, push.url) == (
        "PUT",
        f"https://ocpi.jedlix.com/ocpi/2.2.1/chargingprofiles/{session.session_id}",
    )
    assert push.body == {
        "start_date_time": "2026-01-15T17:00:00Z",
        "charging_profile": {
            "start_date_time": "2026-01-15T17:00:00Z",
            "duration": 3600,
            "charging_rate_unit": "W",
            "charging_profile_period": [
                {"start_period": 0, "limit": Decimal("4000.0")},
                {"start_period": 1800, "limit": Decimal("0.0")},
            ],
        },
    }
    assert (push.from_party, push.to_party, push.correlation_id) == (Party("NL", "ACM"), world.partner.party, "corr-1")


def test_what_is_pushed_is_an_hour_at_the_most(world: World, session: Session) -> None:
    site = Site(world)
    site.doubt(session)
    site.look(session, schedule("4000", "0", "2000", seconds=7200))
    [told] = site.profiles
    assert told["charging_profile"]["duration"] == 3600  # type: ignore[index,call-overload]


def test_the_partners_own_plan_is_no_news(world: World, session: Session) -> None:
    site = Site(world)
    site.doubt(session)
    assert (site.look(session, AS_ASKED), site.profiles) == (Watched.NO_NEWS, [])
    assert (site.step(session), len(site.own())) == (Watched.NOTHING, 1)


def test_the_partners_own_relative_plan_is_no_news_either(world: World, session: Session) -> None:
    site = Site(world)
    world.accept_put(session, "r2", replace(PAUSE_BETWEEN, start=None))
    site.charge_point(ACCEPTED)
    site.doubt(session)
    assert site.look(session, AS_ASKED) is Watched.NO_NEWS


def test_another_partners_plan_is_news(world: World, session: Session) -> None:
    site = Site(world)
    other = replace(world.partner, partner_id="other")
    world.put_partner(other, token=None)
    world.put_request(session, request_id="r2", number=2, partner_id="other")
    world.put_session(replace(session, rights=Rights(frozenset({"jedlix", "other"}), "other")))
    site.charge_point(ACCEPTED)
    site.doubt(session)
    assert site.look(session, AS_ASKED) is Watched.PUSHED


def test_what_was_told_is_told_once(world: World, session: Session) -> None:
    site = Site(world)
    for seconds, result in ((0, Watched.PUSHED), (60, Watched.NO_NEWS)):
        world.clock.advance(seconds)
        site.doubt(session)
        assert site.look(session, LOWER) is result
    assert len(site.profiles) == 1


def test_the_way_back_to_the_plan_is_told_too(world: World, session: Session) -> None:
    site = Site(world)
    for seconds, shown in ((0, LOWER), (60, AS_ASKED)):
        world.clock.advance(seconds)
        site.doubt(session)
        assert site.look(session, shown) is Watched.PUSHED


def test_after_a_newer_put_the_newer_plan_is_what_the_partner_knows(world: World, session: Session) -> None:
    site = Site(world)
    site.doubt(session)
    site.look(session, LOWER)
    world.clock.advance(30)
    newer = replace(PAUSE_BETWEEN, periods=(PlanPeriod(0, Decimal(4000)),))
    world.accept_put(session, "r2", newer)
    site.charge_point(ACCEPTED)
    site.doubt(session)
    assert site.look(session, schedule("4000")) is Watched.NO_NEWS


def test_a_doubt_that_arises_while_the_charge_point_is_asked_is_looked_at_again(world: World, session: Session) -> None:
    site = Site(world)
    site.doubt(session)
    site.step(session)
    world.clock.advance(1)
    site.doubt(session)
    assert site.step(session) is Watched.WAITING
    site.charge_point(AS_ASKED)
    assert site.step(session) is Watched.LOOKING
    assert len(site.own()) == 2


def test_only_the_newest_is_told_after_the_partner_was_down(world: World, session: Session) -> None:
    site = Site(world, DELIVERED, UNREACHABLE, DELIVERED)
    site.doubt(session)
    assert site.look(session, LOWER) is Watched.FAILED
    assert (session.session_id, "jedlix") in world.due_pushes(world.clock.now() + RETRY_AFTER[1])
    world.clock.advance(60)
    # Meanwhile the limit is gone. That the partner never heard of it is no reason to keep silent now.
    assert site.look(session, AS_ASKED) is Watched.PUSHED
    assert site.told_periods()[0]["limit"] == Decimal("10000.0")


@pytest.mark.parametrize("receipt", [UNREACHABLE, NOT_FOUND])
def test_failures_are_tried_again_later_and_later(world: World, session: Session, receipt: Receipt) -> None:
    site = Site(world, receipt)
    site.doubt(session)
    for wait in (*RETRY_AFTER, RETRY_AFTER[-1]):
        assert site.look(session, LOWER) is Watched.FAILED
        due = world.watch_due(session)
        assert due == world.clock.now() + wait
        world.clock.advance(wait.total_seconds())


def test_a_charge_point_that_does_not_tell_is_asked_again_later_and_nothing_is_made_up(
    world: World, session: Session
) -> None:
    site = Site(world)
    site.doubt(session)
    assert (site.look(session, Done("CallError:InternalError")), site.profiles) == (Watched.FAILED, [])
    world.clock.advance(60)
    assert site.look(session, LOWER) is Watched.PUSHED


def test_a_request_of_our_own_that_nobody_answers_expires_and_is_made_again(world: World, session: Session) -> None:
    site = Site(world)
    site.doubt(session)
    assert site.step(session) is Watched.LOOKING
    world.clock.advance(OWN_TIMEOUT.total_seconds())
    [asked] = site.own()
    DeliverResult(world.deliveries, world.deliveries, site.http, MemoryOutbox(), world.clock).expire(asked.request_id)
    assert site.step(session) is Watched.FAILED
    world.clock.advance(60)
    assert site.step(session) is Watched.LOOKING


def test_what_died_between_the_request_and_its_note_asks_once_more_and_tells_once(
    world: World, session: Session
) -> None:
    site = Site(world)
    site.doubt(session)

    def crash() -> None:
        raise RuntimeError("killed")

    with pytest.raises(RuntimeError), meanwhile(world.tables.client, crash, "PutItem"):
        site.step(session)
    assert site.look(session, LOWER) is Watched.PUSHED
    assert len(site.profiles) == 1


# --- A plan whose partner may not steer any more -----------------------------------------------------------------------


def revoke(world: World, session: Session, rights: Rights) -> None:
    world.assign(replace(session, rights=rights))


@pytest.mark.parametrize(
    "rights",
    [Rights(), Rights(frozenset({"jedlix"})), Rights(frozenset({"jedlix", "other"}), "other")],
    ids=["sees nothing", "sees only", "another steers"],
)
def test_who_loses_the_right_to_steer_loses_its_plan_and_is_told_what_is_followed_then(
    world: World, session: Session, rights: Rights
) -> None:
    site = Site(world)
    revoke(world, session, rights)
    assert site.step(session, reassess=True) is Watched.CLEARING
    [clear] = site.own()
    assert (clear.kind, clear.number, clear.partner_id) == (CLEAR, 2, "jedlix")
    site.charge_point(ACCEPTED)
    assert world.control(session).installed is None
    assert site.look(session, Done("Rejected")) is Watched.PUSHED
    # A plan of its that was under way could still arrive: looked at once more after its time.
    assert site.step(session) is Watched.LATER
    world.clock.advance(60)
    assert (site.step(session), len(site.profiles)) == (Watched.NOTHING, 1)


def test_who_may_not_see_the_session_any_more_hears_of_its_own_plans_end_and_of_nothing_after_it(
    world: World, session: Session
) -> None:
    site = Site(world)
    revoke(world, session, Rights())
    site.step(session, reassess=True)
    site.charge_point(ACCEPTED)
    assert site.look(session, Done("Rejected")) is Watched.PUSHED
    world.clock.advance(60)
    site.doubt(session)
    assert (site.step(session), len(site.profiles)) == (Watched.NOTHING, 1)


def test_a_session_that_is_over_keeps_its_rights(world: World, session: Session) -> None:
    over = replace(session, status=SessionStatus.COMPLETED, end=world.clock.now())
    world.put_session(over)
    revoke(world, session, Rights())
    Site(world).step(session, reassess=True)
    assert world.session(session.session_id) == over


def test_the_new_rights_are_written_and_wake_everybody_who_knows_the_session(world: World, session: Session) -> None:
    revoke(world, session, Rights(frozenset({"other"}), "other"))
    world.clock.advance(5)
    Site(world).step(session, reassess=True)
    after = world.session(session.session_id)
    assert (after.rights, after.known_to) == (Rights(frozenset({"other"}), "other"), frozenset({"jedlix", "other"}))
    assert (after.version, after.last_updated) == (2, world.clock.now())


def test_where_nothing_changed_a_reassessment_writes_nothing(world: World, session: Session) -> None:
    site = Site(world)
    assert site.step(session, reassess=True) is Watched.NOTHING
    assert world.session(session.session_id).version == 1


@pytest.mark.parametrize("gone", ["removed", "left"])
def test_a_partner_that_left_leaves_no_plan_behind_and_hears_nothing_more(
    world: World, session: Session, gone: str
) -> None:
    if gone == "removed":
        world.remove(("PARTNER", "jedlix"))
    else:
        world.put_partner(replace(world.partner, registration=Registration.LEFT))
    site = Site(world)
    assert site.step(session) is Watched.CLEARING
    site.charge_point(ACCEPTED)
    world.clock.advance(60)
    assert site.step(session) is Watched.NOTHING
    assert (world.control(session).installed, site.http.messages) == (None, [])


def test_a_charge_point_that_keeps_the_plan_is_asked_until_it_lets_go(world: World, session: Session) -> None:
    site = Site(world)
    revoke(world, session, Rights())
    assert site.step(session, reassess=True) is Watched.CLEARING
    site.charge_point(Done("Rejected"))
    assert site.step(session) is Watched.FAILED
    world.clock.advance(60)
    assert site.step(session) is Watched.CLEARING
    site.charge_point(Done("Unknown"))
    assert site.step(session) is Watched.LOOKING
    assert world.control(session).installed is None


def test_a_plan_that_ended_by_itself_needs_no_clearing(world: World, session: Session) -> None:
    site = Site(world)
    world.put_request(session, request_id="r2", number=2, plan_ends_at=START + timedelta(minutes=30))
    site.charge_point(ACCEPTED)
    revoke(world, session, Rights())
    world.clock.advance(1800)
    assert site.step(session, reassess=True) is not Watched.CLEARING
    assert site.own() == []


def test_a_plan_that_was_under_way_when_the_right_was_lost_is_cleared_when_it_arrives(world: World) -> None:
    session = world.open_session()
    request = world.accept_put(session)
    assert world.commands.mark_sent(request)
    site = Site(world)
    revoke(world, session, Rights())
    assert site.step(session, reassess=True) is Watched.LATER
    assert world.commands.record_answer(world.request("r1"), Answer(Result.ACCEPTED, "Accepted"))
    [due] = world.due_pushes(request.timeout_at)
    assert due == (session.session_id, "jedlix")
    assert site.step(session) is Watched.CLEARING


def test_a_plan_that_was_not_sent_yet_when_the_right_was_lost_never_is(world: World) -> None:
    session = world.open_session()
    world.accept_put(session)
    site = Site(world)
    revoke(world, session, Rights())
    site.step(session, reassess=True)
    site.charge_point(ACCEPTED)
    assert world.request("r1").result is Result.REJECTED
    assert world.control(session).installed is None


@pytest.fixture
def successor(world: World, session: Session) -> Partner:
    """The partner that may steer the session from now on."""
    other = replace(world.partner, partner_id="other")
    world.put_partner(other, token=None)
    revoke(world, session, Rights(frozenset({"jedlix", "other"}), "other"))
    return other


def test_the_successors_plan_that_is_under_way_is_not_cleared_with_the_old_one(
    world: World, session: Session, successor: Partner
) -> None:
    site = Site(world)
    world.accept_put(session, "r2", by=successor)
    assert site.step(session, reassess=True) is Watched.LATER
    site.charge_point(ACCEPTED)
    world.clock.advance(60)
    assert site.step(session) is Watched.NOTHING
    installed = world.control(session).installed
    assert installed is not None
    assert (installed.partner_id, site.own()) == ("other", [])


def test_a_plan_of_the_successor_that_comes_in_between_is_not_cleared_either(
    world: World, session: Session, successor: Partner
) -> None:
    site = Site(world)
    site.step(session)  # the session's own push is through
    with meanwhile(world.tables.client, lambda: world.accept_put(session, "r2", by=successor), "TransactWriteItems"):
        assert site.step(session, reassess=True) is Watched.LATER
    assert site.own() == []


def test_where_the_successors_plan_comes_to_nothing_the_old_one_is_cleared(
    world: World, session: Session, successor: Partner
) -> None:
    site = Site(world)
    world.accept_put(session, "r2", by=successor)
    assert site.step(session, reassess=True) is Watched.LATER
    site.charge_point(Done("Rejected"))
    world.clock.advance(60)
    assert world.due_pushes() == [(session.session_id, "jedlix")]
    assert site.step(session) is Watched.CLEARING


def test_another_partners_plan_is_left_alone(world: World, session: Session) -> None:
    world.put_partner(replace(world.partner, partner_id="other", party=world.partner.party), token="another-token-1234")
    site = Site(world)
    assert site.update(session.session_id, "other", "corr-1").watch is Watched.NOTHING
    assert site.own() == []


def test_the_session_and_its_profile_are_told_in_one_step(world: World, session: Session) -> None:
    site = Site(world)
    site.doubt(session)
    updated = site.update(session.session_id, "jedlix", "corr-1")
    assert (updated.push, updated.watch) == (PushResult.PUT, Watched.LOOKING)
