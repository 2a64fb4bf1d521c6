"""From a partner's plan to a frame, through the charge point, and back to the partner."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from math import floor
from types import ModuleType
from typing import cast

from hypothesis import assume, event, example, given, settings
from hypothesis import strategies as st

from ocpi_bridge.domain.answers import active_profile
from ocpi_bridge.domain.errors import EmptyPlan, PlanIsOver, PlanRefused, TooManyPeriods, UnitNotPossible
from ocpi_bridge.domain.fail_safe import ended_at, fail_safe_at
from ocpi_bridge.domain.fitting import fitted, phases_in_use
from ocpi_bridge.domain.plans import Plan, RateUnit, constant
from ocpi_bridge.domain.requests import RequestKind, Result
from ocpi_bridge.domain.stations import OcppVersion, Outlet, PowerType, Quirk, maximum_power
from ocpi_bridge.ocpp import v16, v201
from ocpi_bridge.ports.charge_points import Done
from ocpi_bridge.ports.json_values import JsonObject, JsonValue
from tests.properties.strategies import NOW, fail_safes, outlets, phases_used, plans
from tests.support.examples import examples
from tests.support.ocpp_frames import check_request, on_the_wire
from tests.support.outlets import command, outlet

quick = examples(100)
A_DAY = 86_400
# Charging goes on for a while already: a relative plan counts from here.
SINCE = NOW - timedelta(minutes=40)
OCPP: dict[OcppVersion, ModuleType] = {OcppVersion.V16: v16, OcppVersion.V201: v201}


# --- What was asked for, by the words of OCPI and of the decisions ---------------------------------------------------


def asked_for(plan: Plan, instant: datetime) -> Fraction | None:
    """The partner's limit in force (OCPI 14.6.4), in its own unit."""
    periods = [(period.start, Fraction(period.limit)) for period in plan.periods]
    return _in_force(periods, plan.duration, plan.start or SINCE, instant)


def let_go_at(plan: Plan, outlet: Outlet, phases: int | None, after: timedelta | None) -> datetime | None:
    """When the charge point must stop to follow a plan that ends in a pause, if nobody renews it."""
    begun = [period for period in plan.periods if plan.duration is None or period.start < plan.duration]
    least = 6 * (1 if plan.unit is RateUnit.AMPERE else outlet.voltage * (phases_of(outlet, phases) or 1))
    if after is None or not begun or begun[-1].limit >= least:
        return None
    charged = [index for index, period in enumerate(begun) if period.limit >= least]
    paused_since = begun[max(charged, default=-1) + 1].start
    return max((plan.start or SINCE) + timedelta(seconds=paused_since), NOW) + after


def phases_of(outlet: Outlet, phases: int | None) -> int | None:
    available = outlet.connector.power_type.phases
    return None if available is None else phases or available


def watts_per_unit(unit: str, outlet: Outlet, phases: int | None) -> Fraction | None:
    """What one W or A is in W; None where that is not known (A at a DC outlet)."""
    if unit == "W":
        return Fraction(1)
    used = phases_of(outlet, phases)
    return None if used is None else Fraction(outlet.voltage * used)


def exchanged(unit: str, other: str, outlet: Outlet, phases: int | None) -> Fraction:
    """What one of a unit is in the other. At a DC outlet nothing is known but one and the same unit."""
    if unit == other:
        return Fraction(1)
    watts, others = watts_per_unit(unit, outlet, phases), watts_per_unit(other, outlet, phases)
    assert watts is not None
    assert others is not None
    return watts / others


def most_allowed(outlet: Outlet, phases: int | None, units: set[str], told_in: RateUnit) -> Fraction:
    """The most by the CPO's cap and the rating, in `told_in`. A on the way show what the connector is rated for."""
    per_ampere = watts_per_unit("A", outlet, phases)
    if told_in is RateUnit.AMPERE:
        most = Fraction(maximum_power(outlet)) / (per_ampere or outlet.connector.max_voltage)
        return min(most, Fraction(outlet.connector.max_amperage))
    most = Fraction(maximum_power(outlet))
    return min(most, outlet.connector.max_amperage * per_ampere) if per_ampere and "A" in units else most


# --- What is sent ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Frame:
    """What a charge point understands of a SetChargingProfile, read without any of our code."""

    payload: JsonObject
    schedule: JsonObject

    @property
    def unit(self) -> str:
        return cast("str", self.schedule["chargingRateUnit"])

    @property
    def periods(self) -> list[tuple[int, Fraction]]:
        return [
            (cast("int", period["startPeriod"]), Fraction(cast("Decimal", period["limit"]))) for period in self._listed
        ]

    @property
    def duration(self) -> int | None:
        return cast("int | None", self.schedule.get("duration"))

    @property
    def phases(self) -> int:
        """Those that a station shares a limit in W by: three where the frame does not say (K01.FR.49)."""
        (number,) = {cast("int", period.get("numberPhases", 3)) for period in self._listed}
        return number

    @property
    def start(self) -> datetime:
        """A relative profile begins with the charging."""
        started = self.schedule.get("startSchedule")
        return SINCE if started is None else datetime.fromisoformat(cast("str", started))

    def in_force(self, instant: datetime) -> Fraction | None:
        return _in_force(self.periods, self.duration, self.start, instant)

    @property
    def _listed(self) -> Sequence[JsonObject]:
        return cast("Sequence[JsonObject]", self.schedule["chargingSchedulePeriod"])


def _in_force(
    periods: Sequence[tuple[int, Fraction]], duration: int | None, start: datetime, instant: datetime
) -> Fraction | None:
    elapsed = (instant - start).total_seconds()
    if elapsed < 0 or (duration is not None and elapsed >= duration):
        return None
    return [limit for begin, limit in periods if begin <= elapsed][-1]


def to_send(plan: Plan, outlet: Outlet, phases: int | None, after: timedelta | None) -> Plan:
    """As a request goes through the bridge: the fail-safe end first, then the fitting. Raises PlanRefused."""
    used = phases_in_use(outlet, phases)
    safe_at = fail_safe_at(
        plan, charging_since=SINCE, phases=used, voltage=outlet.voltage, accepted_at=NOW, after=after
    )
    kept = plan if safe_at is None else ended_at(plan, safe_at, SINCE)
    return fitted(kept, outlet, phases, maximum_power(outlet), NOW, charging_since=SINCE)


def frame_for(plan: Plan, outlet: Outlet, phases: int | None, after: timedelta | None = None) -> Frame | None:
    """The frame that is sent, or None where this outlet cannot be given the plan; any other error fails the test."""
    try:
        sent = to_send(plan, outlet, phases, after)
    except PlanRefused as refused:
        event(type(refused).__name__)
        return None
    event(f"{plan.unit} sent in {sent.unit}")
    version = outlet.station.ocpp_version
    action, payload = OCPP[version].request(command(RequestKind.SET, outlet, plan=sent, phases=phases))
    check_request(version, action, payload)
    wire = on_the_wire(payload)
    if version is OcppVersion.V16:
        profile = cast("JsonObject", wire["csChargingProfiles"])
        return Frame(wire, cast("JsonObject", profile["chargingSchedule"]))
    profile = cast("JsonObject", wire["chargingProfile"])
    return Frame(wire, cast("Sequence[JsonObject]", profile["chargingSchedule"])[0])


def instants(plan: Plan, *further: datetime | None) -> Iterator[datetime]:
    """Now and later: every instant at which the plan or its rebased form may change, and those around it."""
    start = plan.start or SINCE
    turns = [NOW, start, *(start + timedelta(seconds=period.start) for period in plan.periods)]
    turns += [turn for turn in further if turn is not None]
    if plan.duration is not None:
        turns.append(start + timedelta(seconds=plan.duration))
    for turn in turns:
        for around in (-2, -1, 0, 1):
            instant = turn + timedelta(seconds=around)
            if instant >= NOW:
                yield instant


def within_a_second_before(instant: datetime, turn: datetime | None) -> bool:
    """A plan's seconds count from its own start, so an end that is given from outside comes up to one too early."""
    return turn is not None and turn - timedelta(seconds=1) < instant < turn


@quick
@given(plans(), outlets(), phases_used(), fail_safes())
def test_every_plan_becomes_a_valid_frame_or_is_refused(
    plan: Plan, outlet: Outlet, phases: int | None, after: timedelta | None
) -> None:
    frame = frame_for(plan, outlet, phases, after)
    if frame is None:
        return
    starts = [start for start, _ in frame.periods]
    assert starts[0] == 0
    assert starts == sorted(set(starts))
    assert len(starts) <= (outlet.station.max_periods or len(starts))
    assert RateUnit(frame.unit) in outlet.station.allowed_units | {outlet.station.preferred_unit}
    assert frame.duration is None or starts[-1] < frame.duration
    assert all(limit != following for (_, limit), (_, following) in pairwise(frame.periods))
    absolute = plan.start is not None or Quirk.RELATIVE_AS_ABSOLUTE in outlet.station.quirks
    assert ("startSchedule" in frame.schedule) == absolute
    assert ("Absolute" in json.dumps(frame.payload, default=float)) == absolute
    if absolute:
        assert all(frame.start + timedelta(seconds=start) > NOW for start in starts[1:])
    if outlet.connector.power_type is PowerType.DC or Quirk.NO_NUMBER_PHASES in outlet.station.quirks:
        assert "numberPhases" not in json.dumps(frame.payload, default=float)


@quick
@given(plans() | plans().map(lambda plan: Plan(plan.unit, (), plan.start)), outlets(), phases_used())
def test_a_plan_is_refused_only_for_a_reason_that_holds(plan: Plan, outlet: Outlet, phases: int | None) -> None:
    station = outlet.station
    try:
        to_send(plan, outlet, phases, None)
    except PlanRefused as refused:
        reason: type[PlanRefused] | None = type(refused)
    else:
        reason = None
    counted = plan.start is not None or Quirk.RELATIVE_AS_ABSOLUTE in station.quirks
    over = plan.duration is not None and (plan.start or SINCE) + timedelta(seconds=plan.duration) <= NOW
    to_come = [period for period in plan.periods if not counted or (plan.start or SINCE) + _s(period.start) > NOW]
    holds = {
        EmptyPlan: not plan.periods,
        PlanIsOver: counted and over,
        UnitNotPossible: outlet.connector.power_type is PowerType.DC
        and plan.unit not in station.allowed_units | {station.preferred_unit},
        TooManyPeriods: len(to_come) + 1 > (station.max_periods or 1024),
    }
    assert reason is None or holds[reason]
    if reason is None:
        assert not any(holds[kind] for kind in (EmptyPlan, PlanIsOver, UnitNotPossible))


def _s(seconds: int) -> timedelta:
    return timedelta(seconds=seconds)


def test_the_plans_of_these_properties_are_mostly_sent_and_meet_every_refusal() -> None:
    met: Counter[str] = Counter()

    @settings(max_examples=500, deadline=None, derandomize=True, database=None)
    @given(plans(), outlets(), phases_used(), fail_safes())
    def meet(plan: Plan, outlet: Outlet, phases: int | None, after: timedelta | None) -> None:
        try:
            sent = to_send(plan, outlet, phases, after)
        except PlanRefused as refused:
            met[type(refused).__name__] += 1
            return
        met["sent"] += 1
        met["converted"] += sent.unit is not plan.unit
        met["lowered"] += max(p.limit for p in sent.periods) < max(p.limit for p in plan.periods)
        met["given an end"] += sent.duration is not None and plan.duration is None
        met["one phase of three"] += outlet.connector.power_type.phases == 3 and phases == 1

    meet()
    assert met["sent"] > 100
    rare = ["PlanIsOver", "UnitNotPossible", "TooManyPeriods"]
    ways = ["converted", "lowered", "given an end", "one phase of three"]
    assert min(met[case] for case in rare) >= 1, met
    assert min(met[case] for case in ways) >= 10, met


# Where a limit is easily lifted: a one-phase car on a three-phase outlet, and amperes at a DC outlet with a cap in W.
@example(
    constant(Decimal(22000), RateUnit.WATT, NOW, None), outlet(allowed_units=frozenset({RateUnit.AMPERE})), 1, None
)
@example(constant(Decimal(50), RateUnit.AMPERE, NOW, None), outlet(allowed_units=frozenset({RateUnit.WATT})), 1, None)
@example(
    constant(Decimal(100), RateUnit.AMPERE, NOW, None),
    outlet(PowerType.DC, max_voltage=920, max_amperage=200, cap_w=Decimal(30000)),
    None,
    None,
)
@example(constant(Decimal(0), RateUnit.WATT, None, None), outlet(), 1, timedelta(hours=2))
@quick
@given(plans(), outlets(), phases_used(), fail_safes())
def test_no_limit_is_ever_above_what_the_partner_and_the_cpo_allow(
    plan: Plan, outlet: Outlet, phases: int | None, after: timedelta | None
) -> None:
    frame = frame_for(plan, outlet, phases, after)
    if frame is None:
        return
    per_unit = exchanged(frame.unit, plan.unit, outlet, phases)
    most = most_allowed(outlet, phases, {plan.unit, frame.unit}, plan.unit)
    let_go = let_go_at(plan, outlet, phases, after)
    assert Fraction(cast("Decimal", frame.schedule.get("minChargingRate", 0))) * per_unit <= most
    for instant in instants(plan, let_go):
        allowed = asked_for(plan, instant)
        limit = frame.in_force(instant)
        if within_a_second_before(instant, let_go):
            continue
        assert (limit is None) == (allowed is None or (let_go is not None and instant >= let_go))
        if limit is None or allowed is None:
            continue
        assert limit * per_unit <= allowed
        assert limit * per_unit <= most


@quick
@given(plans(), outlets(), phases_used(), fail_safes())
def test_no_plan_without_an_end_ends_in_a_pause(
    plan: Plan, outlet: Outlet, phases: int | None, after: timedelta | None
) -> None:
    assume(after is not None)
    frame = frame_for(plan, outlet, phases, after)
    if frame is not None and frame.duration is None:
        one_ampere = 1 if plan.unit is RateUnit.AMPERE else outlet.voltage * (phases_of(outlet, phases) or 1)
        assert plan.periods[-1].limit >= 6 * one_ampere


@quick
@given(plans(), outlets(), phases_used())
def test_a_car_can_draw_all_that_it_was_given(plan: Plan, outlet: Outlet, phases: int | None) -> None:
    used = phases_of(outlet, phases)
    assume(used is not None)
    frame = frame_for(plan, outlet, phases)
    if frame is None or used is None:
        return
    station = outlet.station
    shared_wrongly = frame.unit == "W" and frame.phases != used
    if shared_wrongly:
        # Only where the station refuses to be told, and takes no A either; then the car gets less, never more.
        assert Quirk.NO_NUMBER_PHASES in station.quirks
        assert RateUnit.AMPERE not in station.allowed_units | {station.preferred_unit}
        return
    per_unit = exchanged(frame.unit, plan.unit, outlet, phases)
    most = most_allowed(outlet, phases, {plan.unit, frame.unit}, plan.unit)
    for instant in instants(plan):
        allowed, limit = asked_for(plan, instant), frame.in_force(instant)
        if allowed is not None and limit is not None:
            assert limit * per_unit >= min(allowed, most) - Fraction(1, 10) * (1 + max(Fraction(1), per_unit))


# --- What comes back -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class LocalLimit:
    """A limit of the station's own surroundings, from some seconds after now on, in the unit of the frame."""

    limit: Fraction
    begins: int


def local_limits() -> st.SearchStrategy[LocalLimit | None]:
    limits = st.decimals(min_value=0, max_value=20_000, places=1).map(Fraction) | st.integers(0, 40).map(Fraction)
    return st.none() | st.builds(LocalLimit, limits, st.integers(0, 20_000))


def composite_of(frame: Frame, outlet: Outlet, local: LocalLimit | None) -> Done:
    """What a charge point that follows the profile says of the next day: the least of all limits, as floats.

    It begins on receipt, to the whole second of the profile; where the profile says nothing, the rating is the limit.
    """
    begins = frame.start + timedelta(seconds=floor((NOW - frame.start).total_seconds()))
    turns = {0, *(floor((frame.start - begins).total_seconds()) + start for start, _ in frame.periods)}
    if frame.duration is not None:
        turns.add(floor((frame.start - begins).total_seconds()) + frame.duration)
    if local is not None:
        turns.add(local.begins)
    listed: list[JsonValue] = []
    for turn in sorted(turn for turn in turns if 0 <= turn < A_DAY):
        planned = frame.in_force(begins + timedelta(seconds=turn))
        limits = [rating_of(outlet, frame.unit) if planned is None else planned]
        if local is not None and turn >= local.begins:
            limits.append(local.limit)
        listed.append({"startPeriod": turn, "limit": float(min(limits))})
    return answered(frame, outlet, begins, A_DAY, listed)


def rating_of(outlet: Outlet, unit: str) -> Fraction:
    connector = outlet.connector
    if unit == "A":
        return Fraction(connector.max_amperage)
    return Fraction(connector.max_voltage * connector.max_amperage * (connector.power_type.phases or 1))


def profile_echoed(frame: Frame, outlet: Outlet) -> Done:
    """What some charge points say instead: the profile as it was set, with its own start."""
    listed: list[JsonValue] = [{"startPeriod": start, "limit": float(limit)} for start, limit in frame.periods]
    return answered(frame, outlet, frame.start, frame.duration or 7 * A_DAY, listed)


def answered(frame: Frame, outlet: Outlet, start: datetime, duration: int, listed: list[JsonValue]) -> Done:
    version = outlet.station.ocpp_version
    begins = start.isoformat()
    schedule: JsonObject = {
        "duration": duration,
        "chargingRateUnit": frame.unit,
        "chargingSchedulePeriod": listed,
    }
    payload: JsonObject = {"status": "Accepted", "scheduleStart": begins, "chargingSchedule": schedule}
    if version is OcppVersion.V201:
        payload = {"status": "Accepted", "schedule": {**schedule, "evseId": 1, "scheduleStart": begins}}
    return cast("Done", OCPP[version].answer(RequestKind.GET, payload, NOW))


def told_of(done: Done, plan: Plan, outlet: Outlet, phases: int | None) -> Plan:
    answer = active_profile(
        done.status,
        done.schedule,
        plan_expected=True,
        outlet=outlet,
        phases=phases,
        unit=plan.unit,
        now=NOW,
        duration=A_DAY,
    )
    assert answer.result is Result.ACCEPTED
    assert answer.active_profile is not None
    assert answer.active_profile.unit == plan.unit
    assert answer.active_profile.start is not None
    assert answer.active_profile.periods[0].start == 0
    assert answer.active_profile.duration is not None
    assert answer.active_profile.duration <= A_DAY
    return answer.active_profile


@quick
@given(plans(), outlets(), phases_used(), fail_safes(), local_limits())
def test_what_the_charge_point_will_do_comes_back_as_the_plan_but_for_rounding(
    plan: Plan, outlet: Outlet, phases: int | None, after: timedelta | None, local: LocalLimit | None
) -> None:
    frame = frame_for(plan, outlet, phases, after)
    if frame is None:
        return
    told = told_of(composite_of(frame, outlet, local), plan, outlet, phases)
    per_unit = exchanged(frame.unit, plan.unit, outlet, phases)
    most = most_allowed(outlet, phases, {plan.unit, frame.unit}, plan.unit)
    slack = Fraction(2, 10) + Fraction(1, 10) * max(Fraction(1), per_unit)
    let_go = let_go_at(plan, outlet, phases, after)
    local_begins = None if local is None else NOW + timedelta(seconds=local.begins)
    for instant in instants(plan, let_go, local_begins):
        if instant >= NOW + timedelta(hours=23) or within_a_second_before(instant, let_go):
            continue
        asked = asked_for(plan, instant)
        followed = asked is not None and (let_go is None or instant < let_go)
        expected = min(asked, most) if followed and asked is not None else rating_of(outlet, frame.unit) * per_unit
        if local is not None and local_begins is not None:
            if within_a_second_before(instant, local_begins):
                continue
            expected = min(expected, local.limit * per_unit) if instant >= local_begins else expected
        back = _limit(told, instant)
        assert back is not None
        assert expected - slack <= back <= expected


@quick
@given(plans(absolute=True), outlets(), phases_used())
def test_a_profile_that_comes_back_as_it_was_set_is_told_from_now_on(
    plan: Plan, outlet: Outlet, phases: int | None
) -> None:
    frame = frame_for(plan, outlet, phases)
    if frame is None:
        return
    told = told_of(profile_echoed(frame, outlet), plan, outlet, phases)
    per_unit = exchanged(frame.unit, plan.unit, outlet, phases)
    most = most_allowed(outlet, phases, {plan.unit, frame.unit}, plan.unit)
    slack = Fraction(2, 10) + Fraction(1, 10) * max(Fraction(1), per_unit)
    for instant in instants(plan):
        limit = asked_for(plan, instant)
        if limit is None or instant >= NOW + timedelta(hours=12):
            continue
        back = _limit(told, instant)
        assert back is not None
        assert min(limit, most) - slack <= back <= min(limit, most)


def _limit(plan: Plan, instant: datetime) -> Fraction | None:
    assert plan.start is not None
    periods = [(period.start, Fraction(period.limit)) for period in plan.periods]
    return _in_force(periods, plan.duration, plan.start, instant)


# --- Other commands, and whatever a charge point answers -------------------------------------------------------------


@quick
@given(
    st.sampled_from([RequestKind.CLEAR, RequestKind.GET, RequestKind.LEARN]),
    outlets(),
    st.none() | st.sampled_from(RateUnit),
)
def test_every_other_command_is_a_valid_frame_too(kind: RequestKind, outlet: Outlet, unit: RateUnit | None) -> None:
    version = outlet.station.ocpp_version
    action, payload = OCPP[version].request(command(kind, outlet, duration=900, unit=unit))
    check_request(version, action, payload)


json_values: st.SearchStrategy[JsonValue] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.decimals() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=10,
)
near_schedules = st.fixed_dictionaries(
    {},
    optional={
        "duration": json_values,
        "chargingRateUnit": st.sampled_from(["A", "W"]) | json_values,
        "scheduleStart": st.datetimes().map(datetime.isoformat) | json_values,
        "startSchedule": json_values,
        "minChargingRate": json_values,
        "chargingSchedulePeriod": json_values
        | st.lists(st.fixed_dictionaries({}, optional={"startPeriod": json_values, "limit": json_values})),
    },
)
numbers_and_units = st.integers().map(str) | st.sampled_from(["Current,Power", "W", "true", "False"]) | json_values
near_keys = st.fixed_dictionaries(
    {"key": st.sampled_from([v16.RATE_UNITS, v16.MAX_PERIODS, v16.MAX_STACK_LEVEL, v16.MAX_PROFILES]) | json_values},
    optional={"readonly": json_values, "value": numbers_and_units},
)
near_variables = st.fixed_dictionaries(
    {"component": st.just({"name": v201.SMART_CHARGING}) | json_values},
    optional={
        "variable": st.sampled_from(v201.VARIABLES).map(lambda name: {"name": name}) | json_values,
        "attributeStatus": st.just("Accepted") | json_values,
        "attributeValue": numbers_and_units,
    },
)
near_answers = st.fixed_dictionaries(
    {"status": st.just("Accepted") | json_values},
    optional={
        "scheduleStart": st.datetimes().map(datetime.isoformat) | json_values,
        "chargingSchedule": near_schedules | json_values,
        "schedule": near_schedules | json_values,
        "statusInfo": json_values,
        "configurationKey": st.lists(near_keys) | json_values,
        "unknownKey": json_values,
        "getVariableResult": st.lists(near_variables) | json_values,
    },
)


@quick
@given(st.sampled_from(OcppVersion), st.sampled_from(RequestKind), near_answers | json_values, outlets())
def test_whatever_a_charge_point_answers_is_an_answer(
    version: OcppVersion, kind: RequestKind, payload: JsonValue, outlet: Outlet
) -> None:
    done = cast("Done", OCPP[version].answer(kind, payload, NOW))
    assert done.status
    if done.schedule is not None:
        starts = [period.start for period in done.schedule.periods]
        assert starts[0] == 0
        assert starts == sorted(set(starts))
    answer = active_profile(
        done.status,
        done.schedule,
        plan_expected=False,
        outlet=outlet,
        phases=None,
        unit=RateUnit.WATT,
        now=NOW,
        duration=900,
        detail=done.detail,
    )
    assert (answer.active_profile is not None) == (answer.result is Result.ACCEPTED)


@quick
@given(st.sampled_from(OcppVersion), near_answers | json_values)
def test_whatever_a_charge_point_says_of_itself_is_of_use_or_not_said(version: OcppVersion, payload: JsonValue) -> None:
    done = cast("Done", OCPP[version].answer(RequestKind.LEARN, payload, NOW))
    learned = done.capabilities
    assert done.schedule is None
    if learned is None:
        return
    assert done.status == "Accepted"
    assert learned.allowed_units is None or learned.allowed_units
    assert learned.max_periods is None or learned.max_periods >= 1
    assert learned.max_stack_level is None or learned.max_stack_level >= 0
