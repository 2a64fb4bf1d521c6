"""Looking back: which story an id leads to, what happened in which order, and what was wanted, sent, said and measured."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocpi_bridge.adapters.dynamodb.stories import DynamoStories
from ocpi_bridge.domain.controls import Control, Intake
from ocpi_bridge.domain.courses import Course, CourseKind, Stretch
from ocpi_bridge.domain.events import EventType, SessionStatus
from ocpi_bridge.domain.histories import Actor, Happening, History, Sense, Step
from ocpi_bridge.domain.plans import Plan, PlanPeriod, RateUnit
from ocpi_bridge.domain.requests import Delivery, Fit, Origin, RequestKind, RequestState, Result
from ocpi_bridge.domain.watches import Watch
from ocpi_bridge.ports.pushes import Pushed
from ocpi_bridge.ports.stories import PartnerStory
from ocpi_bridge.usecases.session_courses import FARTHEST, LONGEST
from ocpi_bridge.usecases.session_story import LONGEST_ID, LookBack, history
from tests.support.session_stories import a_session, a_story, a_usual_story, asked, at, period, plan_of
from tests.support.world import CARD, World, event, session_of

LATER = at(120)


def course(found: History, kind: CourseKind, unit: RateUnit = RateUnit.WATT) -> list[tuple[float, float, str]]:
    """The stretches of a course: from minute, to minute, value."""
    return [
        (
            (one.start - at(0)) / timedelta(minutes=1),
            (one.end - at(0)) / timedelta(minutes=1),
            f"{one.value.normalize():f}",
        )
        for each in found.courses
        if (each.kind, each.unit) == (kind, unit)
        for one in each.stretches
    ]


def steps(found: History, request_id: str = "r1") -> list[Happening]:
    return [one for one in found.happenings if one.request_id == request_id]


# --- By which id -----------------------------------------------------------------------------------------------------


@pytest.fixture
def look_back(world: World) -> LookBack:
    return LookBack(DynamoStories(world.tables.client, world.tables.sessions, world.tables.requests), world.clock)


def test_a_session_is_found_by_its_id_by_a_request_of_it_and_by_its_station(world: World, look_back: LookBack) -> None:
    session = session_of(event(EventType.TRANSACTION_STARTED))
    assert world.sessions.create(session, None)
    world.accept_put(session)

    for any_id in (session.session_id, session.session_id.swapcase(), f"  {session.session_id} ", "r1", "acme/CP-001"):
        found = look_back(any_id)
        assert found is not None, any_id
        assert found.session.session_id == session.session_id
        assert [one.request_id for one in found.requests] == ["r1"]
        assert found.chosen == ("r1" if any_id == "r1" else None)


def test_a_station_leads_to_its_newest_session_and_names_the_others(world: World, look_back: LookBack) -> None:
    first, second = (event(EventType.TRANSACTION_STARTED, after, transaction_id=f"t{after}") for after in (0, 60))
    at_another_place = replace(session_of(first), session_id="first", evse_uid="EVSE-2")
    assert world.sessions.create(at_another_place, None)
    assert world.sessions.create(replace(session_of(second), session_id="second"), None)

    found = look_back("acme/CP-001")

    assert found is not None
    assert found.session.session_id == "second"
    assert found.others == ("first",)


@pytest.mark.parametrize("any_id", ["", "  ", "nobody", "acme/CP-404", "/", "acme/", "/CP-001", "x" * (LONGEST_ID + 1)])
def test_what_leads_nowhere_has_no_history(world: World, look_back: LookBack, any_id: str) -> None:
    world.open_session()

    assert look_back(any_id) is None


def test_a_request_whose_session_is_gone_has_no_history(world: World, look_back: LookBack) -> None:
    world.put_request(a_session(session_id="gone"), request_id="orphan")

    assert look_back("orphan") is None


def test_a_request_that_is_older_than_those_listed_is_in_its_history(
    world: World, look_back: LookBack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ocpi_bridge.adapters.dynamodb.stories.MOST_REQUESTS", 1)
    session = world.open_session()
    for name in ("old", "new"):
        world.put_request(session, RequestKind.GET, request_id=name)
        world.clock.advance(1)

    found = look_back("old")

    assert found is not None
    assert [one.request_id for one in found.requests] == ["old", "new"]


def test_no_card_no_contract_and_no_secret_of_a_response_url_is_in_a_history() -> None:
    story = a_usual_story()
    assert story.session.token == CARD

    told = repr(history(story, LATER))

    assert CARD.uid not in told
    assert CARD.contract_id is not None
    assert CARD.contract_id not in told
    assert "request_id=123456" not in told
    assert "/response" not in told
    assert "https://www.jedlix.com/" in told


# --- What happened ---------------------------------------------------------------------------------------------------


def test_a_request_is_told_from_its_acceptance_to_its_delivered_result() -> None:
    made, sent, answered, delivered = steps(history(a_story(asked(1, plan=plan_of((1, "9000")))), LATER))

    assert (made.by, made.name, made.what) == (
        Actor.PARTNER,
        "jedlix",
        "asks for a charging profile (SET) no. 1: 1 period in W",
    )
    assert made.result == "ACCEPTED, a result is promised within 60 s"
    assert (sent.by, sent.took) == (Actor.BRIDGE, timedelta(seconds=1))
    assert (answered.by, answered.name, answered.took) == (Actor.CHARGE_POINT, "CP-001", timedelta(seconds=1))
    assert (answered.result, answered.sense) == ("ACCEPTED: Accepted", Sense.GOOD)
    assert (delivered.by, delivered.result, delivered.took) == (Actor.PARTNER, "1 attempt", timedelta(seconds=1))


def test_what_was_never_sent_was_answered_by_the_bridge_and_not_by_the_charge_point() -> None:
    story = asked(1, result=Result.REJECTED, sent=False, reason="superseded by a later request")

    answered = next(one for one in steps(history(a_story(story), LATER)) if one.step is Step.ANSWER)

    assert (answered.by, answered.sense) == (Actor.BRIDGE, Sense.BAD)
    assert answered.result == "REJECTED: superseded by a later request"


def test_what_was_sent_and_expired_was_answered_by_the_bridge() -> None:
    story = asked(1, result=Result.REJECTED)
    late = replace(story, milestones=replace(story.milestones, answered_at=story.request.deadline))

    answered = next(one for one in steps(history(a_story(late), LATER)) if one.step is Step.ANSWER)

    assert answered.by is Actor.BRIDGE


def test_a_result_that_was_given_up_names_the_last_error_and_the_attempts() -> None:
    story = asked(1, state=RequestState.UNDELIVERED, delivery=Delivery(attempts=4, last_error="http_500"))

    last = steps(history(a_story(story), LATER))[-1]

    assert (last.by, last.sense) == (Actor.BRIDGE, Sense.BAD)
    assert last.result == "4 attempts, last error: http_500"


def test_a_result_under_way_says_what_the_last_attempt_met() -> None:
    story = asked(1, state=RequestState.ANSWERED, delivery=Delivery(attempts=2, last_error="timeout"))
    begun = replace(story, milestones=replace(story.milestones, closed_at=None))
    found = history(a_story(begun), LATER)

    assert steps(found)[-1].result == "2 attempts, last error: timeout"
    assert [one.request_id for one in found.pending] == ["r1"]


def test_a_request_that_waits_is_pending_and_tells_only_that_it_was_made() -> None:
    found = history(a_story(asked(1, result=None, sent=False)), LATER)

    assert [one.step for one in steps(found)] == [Step.REQUEST]
    assert [one.request_id for one in found.pending] == ["r1"]
    assert history(a_story(asked(1), asked(2, origin=Origin.BRIDGE)), LATER).pending == ()


def test_a_plan_that_was_held_to_a_cap_says_so_where_it_was_sent() -> None:
    story = asked(1, plan=plan_of((1, "9000")), fitted_to=Fit(3, Decimal(7000), reduces=True), attempts=3)

    sent = steps(history(a_story(story), LATER))[1]

    assert "held to 7000 W" in sent.result
    assert "3 commands" in sent.result


def test_things_are_told_in_the_order_in_which_they_happened() -> None:
    ended = a_session(
        status=SessionStatus.COMPLETED, end=at(50), steering_at=at(20), steering_suspended=True, released_at=at(20)
    )
    told = PartnerStory(Pushed("s1", "jedlix", at=at(51), final=True), Watch("s1", "jedlix", heard_at=at(40)))
    found = history(a_story(asked(30), session=ended, partners=(told,)), LATER)

    times = [one.at for one in found.happenings]
    assert times == sorted(times)
    assert [one.step for one in found.happenings] == [
        Step.SESSION,
        Step.STEERING,
        Step.STEERING,
        Step.REQUEST,
        Step.SENT,
        Step.ANSWER,
        Step.DELIVERY,
        Step.PUSH,
        Step.SESSION,
        Step.PUSH,
    ]


def test_a_partner_is_owed_the_active_profile_from_its_first_put_until_the_end() -> None:
    control = Control("s1", intakes={"jedlix": Intake(first_set="r1")})
    told = PartnerStory(Pushed("s1", "jedlix", at=at(5), attempts=1), Watch("s1", "jedlix", attempts=2))
    story = a_story(control=control, partners=(told, PartnerStory(Pushed("s1", "former"))))

    first, second = history(story, LATER).partners

    assert (first.sees, first.steers, first.watching, first.failures) == (True, True, True, 3)
    assert (second.sees, second.steers, second.watching, second.told_at) == (False, False, False, None)
    over = replace(story, session=a_session(status=SessionStatus.COMPLETED, end=at(9)))
    assert not history(over, LATER).partners[0].watching


# --- What can be drawn -----------------------------------------------------------------------------------------------


def test_a_plan_counts_until_the_next_one_or_until_it_is_cleared() -> None:
    found = history(
        a_story(
            asked(10, plan=plan_of((0, "9000"), (15, "6000"))),
            asked(20, plan=plan_of((0, "4000"), start=at(20))),
            asked(40, RequestKind.CLEAR),
            session=a_session(end=at(60), status=SessionStatus.COMPLETED),
        ),
        LATER,
    )

    assert course(found, CourseKind.REQUESTED) == [(10, 15, "9000"), (15, 20, "6000"), (20, 40, "4000")]


def test_a_relative_plan_begins_with_the_charging() -> None:
    story = a_story(asked(10, plan=plan_of((0, "9000"), (30, "0"), start=None)), session=a_session(end=at(60)))

    assert course(history(story, LATER), CourseKind.REQUESTED) == [(10, 30, "9000"), (30, 60, "0")]


def test_what_was_sent_is_never_above_what_the_charge_point_was_held_to() -> None:
    put = asked(10, plan=plan_of((0, "9000"), (30, "5000")), fitted_to=Fit(3, Decimal(7000), reduces=True))
    found = history(a_story(put, session=a_session(end=at(60))), LATER)

    second = 1 / 60
    assert course(found, CourseKind.SENT) == [(10 + second, 30, "7000"), (30, 60, "5000")]
    assert course(found, CourseKind.REQUESTED)[0] == (10, 30, "9000")


def test_what_was_sent_ends_when_the_charge_point_ends_it_by_itself() -> None:
    put = asked(10, plan=plan_of((0, "0")), fail_safe_at=at(25))

    assert course(history(a_story(put, session=a_session(end=at(60))), LATER), CourseKind.SENT)[-1][1] == 25


def test_a_plan_that_the_charge_point_refused_is_requested_and_was_not_sent() -> None:
    first, refused = asked(10, plan=plan_of((0, "9000"))), asked(20, plan=plan_of((0, "4000")), result=Result.REJECTED)
    found = history(a_story(first, refused, session=a_session(end=at(60))), LATER)

    assert [value for _, _, value in course(found, CourseKind.REQUESTED)] == ["9000", "4000"]
    assert [value for _, _, value in course(found, CourseKind.SENT)] == ["9000"]


def test_amperes_that_were_cut_are_not_drawn_as_sent_since_nobody_knows_the_voltage() -> None:
    put = asked(10, plan=plan_of((0, "16"), unit=RateUnit.AMPERE), fitted_to=Fit(3, Decimal(7000), reduces=True))
    found = history(a_story(put, session=a_session(end=at(60))), LATER)

    assert course(found, CourseKind.REQUESTED, RateUnit.AMPERE) == [(10, 60, "16")]
    assert course(found, CourseKind.SENT, RateUnit.AMPERE) == []


def test_what_the_charge_point_said_holds_until_a_command_made_it_old() -> None:
    read = plan_of((0, "8000"), start=at(15))
    story = a_story(
        asked(10, plan=plan_of((0, "8000"))),
        asked(15, RequestKind.GET, profile=read),
        asked(30, plan=plan_of((0, "2000"))),
        session=a_session(end=at(60)),
    )

    assert course(history(story, LATER), CourseKind.CONFIRMED) == [(15, 30 + 2 / 60, "8000")]


def test_power_is_measured_in_closed_periods_and_in_the_open_one() -> None:
    session = a_session(
        end=None,
        phases=3,
        periods=1,
        period_start=at(15),
        period_meter_wh=Decimal(2000),
        meter_wh=Decimal(4000),
        meter_at=at(27),
        power_w=Decimal(9500),
    )
    story = a_story(session=session, periods=(period(1, 0, 15, "4", "18"),))

    assert course(history(story, LATER), CourseKind.MEASURED) == [(0, 15, "4000"), (15, 27, "9500")]
    unknown = replace(session, power_w=None)
    assert course(history(replace(story, session=unknown), LATER), CourseKind.MEASURED)[-1] == (15, 27, "10000")


def test_current_is_measured_per_phase_where_a_plan_is_in_amperes() -> None:
    put = asked(1, plan=plan_of((0, "16"), unit=RateUnit.AMPERE))
    story = a_story(put, session=a_session(phases=3, end=at(30)), periods=(period(1, 0, 15, "4", "18"),))

    assert course(history(story, LATER), CourseKind.MEASURED, RateUnit.AMPERE) == [(0, 15, "6")]
    unknown = replace(story, session=replace(story.session, phases=None))
    assert course(history(unknown, LATER), CourseKind.MEASURED, RateUnit.AMPERE) == []


def test_a_session_that_goes_on_shows_its_plan_a_while_beyond_its_last_step() -> None:
    found = history(a_story(asked(1, plan=plan_of((0, "9000"), (180, "0")))), at(5))

    assert (found.since, found.until) == (at(0), at(210))


def test_the_plan_that_the_charge_point_has_is_shown_to_its_end_though_a_newer_one_was_refused() -> None:
    has = asked(1, plan=plan_of((0, "9000"), (180, "0")))
    refused = asked(2, plan=plan_of((0, "4000"), start=at(2)), result=Result.REJECTED)

    assert history(a_story(has, refused), at(5)).until == at(210)


def test_no_more_than_a_day_of_the_future_and_three_days_of_the_past_are_shown() -> None:
    endless = Plan(RateUnit.WATT, (PlanPeriod(0, Decimal(9000)), PlanPeriod(10**12, Decimal(0))), at(0))
    found = history(a_story(asked(1, plan=endless)), at(5))
    assert found.until == at(5) + FARTHEST

    long_ago = history(a_story(session=a_session(start=at(-10_000))), at(5))
    assert long_ago.until - long_ago.since == LONGEST


def test_a_story_that_was_cut_begins_with_what_is_left_of_it() -> None:
    story = replace(a_story(periods=(period(9, 45, 60, "4"),)), earlier_periods=True)

    assert history(story, LATER).since == at(45)


@given(
    st.lists(
        st.tuples(
            st.floats(0, 500).map(lambda minute: round(minute, 2)),
            st.sampled_from([RequestKind.SET, RequestKind.CLEAR, RequestKind.GET]),
            st.lists(st.tuples(st.integers(0, 10**12), st.integers(0, 99_999)), min_size=1, max_size=5, unique=True),
            st.sampled_from([*Result, None]),
            st.sampled_from(RateUnit),
            st.one_of(st.none(), st.integers(-(10**6), 10**6)),
        ),
        max_size=6,
        unique_by=lambda one: one[0],
    ),
    st.integers(0, 500),
)
def test_whatever_was_asked_courses_lie_in_the_window_and_none_over_another(
    requests: list[tuple[float, RequestKind, list[tuple[int, int]], Result | None, RateUnit, int | None]], now: int
) -> None:
    stories = []
    for minute, kind, limits, result, unit, start in sorted(requests, key=lambda one: one[0]):
        later = sorted({second for second, _ in limits} - {0})
        values = (Decimal(limit) for _, limit in limits)
        periods = tuple(PlanPeriod(second, value) for second, value in zip([0, *later], values, strict=False))
        begin = None if start is None else at(0) + timedelta(seconds=start)
        plan = Plan(unit, periods, begin)
        get = kind is RequestKind.GET
        stories.append(
            asked(minute, kind, result=result, plan=None if get else plan, profile=plan if get and begin else None)
        )

    found = history(a_story(*stories), at(now))

    assert found.since < found.until
    for each in found.courses:
        _lies_in_order(each, found)


def _lies_in_order(each: Course, found: History) -> None:
    last = found.since
    for one in each.stretches:
        assert isinstance(one, Stretch)
        assert last <= one.start < one.end <= found.until, (each.kind, each.unit)
        last = one.end


def test_an_untouched_session_has_nothing_to_draw() -> None:
    found = history(a_story(), at(1))

    assert found.courses == ()
    assert [one.what for one in found.happenings] == ["the session begins"]
