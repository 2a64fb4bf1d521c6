"""From a partner's plan to a frame, through the charge point, and back to the partner."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from types import ModuleType
from typing import cast

from hypothesis import example, given, settings
from hypothesis import strategies as st

from ocpi_bridge.domain.answers import active_profile
from ocpi_bridge.domain.errors import PlanRefused
from ocpi_bridge.domain.fitting import fitted
from ocpi_bridge.domain.plans import Plan, RateUnit, constant
from ocpi_bridge.domain.requests import RequestKind, Result
from ocpi_bridge.domain.stations import OcppVersion, Outlet, PowerType, maximum_power
from ocpi_bridge.ocpp import v16, v201
from ocpi_bridge.ports import Done, JsonObject, JsonValue
from tests.properties.strategies import NOW, outlets, phases_used, plans
from tests.support.ocpp_frames import check_request, on_the_wire
from tests.support.outlets import command, outlet

quick = settings(max_examples=100, deadline=None)
VOLTAGE = 230
A_DAY = 86_400
OCPP: dict[OcppVersion, ModuleType] = {OcppVersion.V16: v16, OcppVersion.V201: v201}


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
        listed = cast("Sequence[JsonObject]", self.schedule["chargingSchedulePeriod"])
        return [(cast("int", period["startPeriod"]), Fraction(cast("Decimal", period["limit"]))) for period in listed]

    def in_force(self, instant: datetime, charging_began: datetime) -> Fraction | None:
        start = charging_began
        if "startSchedule" in self.schedule:
            start = datetime.fromisoformat(cast("str", self.schedule["startSchedule"]))
        return _in_force(self.periods, cast("int | None", self.schedule.get("duration")), start, instant)


def _in_force(
    periods: Sequence[tuple[int, Fraction]], duration: int | None, start: datetime, instant: datetime
) -> Fraction | None:
    elapsed = (instant - start).total_seconds()
    if elapsed < 0 or (duration is not None and elapsed >= duration):
        return None
    return [limit for begin, limit in periods if begin <= elapsed][-1]


def asked_for(plan: Plan, instant: datetime) -> Fraction | None:
    periods = [(period.start, Fraction(period.limit)) for period in plan.periods]
    return _in_force(periods, plan.duration, plan.start or NOW, instant)


def frame_of(sent: Plan, outlet: Outlet, phases: int | None) -> Frame:
    version = outlet.station.ocpp_version
    action, payload = OCPP[version].request(command(RequestKind.SET, outlet, plan=sent, phases=phases))
    check_request(version, action, payload)
    wire = on_the_wire(payload)
    if version is OcppVersion.V16:
        profile = cast("JsonObject", wire["csChargingProfiles"])
        return Frame(wire, cast("JsonObject", profile["chargingSchedule"]))
    profile = cast("JsonObject", wire["chargingProfile"])
    return Frame(wire, cast("Sequence[JsonObject]", profile["chargingSchedule"])[0])


def fit(plan: Plan, outlet: Outlet, phases: int | None) -> Plan | None:
    """The plan that is sent, or None where this outlet cannot be given it; any other error fails the test."""
    try:
        return fitted(plan, outlet, phases, maximum_power(outlet), NOW)
    except PlanRefused:
        return None


def watts_per_unit(unit: str, outlet: Outlet, phases: int | None) -> Fraction | None:
    """What one W or A is in W; None where that is not known (A at a DC outlet)."""
    if unit == "W":
        return Fraction(1)
    available = outlet.connector.power_type.phases
    return None if available is None else Fraction(VOLTAGE * (phases or available))


def instants(plan: Plan) -> Iterator[datetime]:
    """Now and later: every instant at which the plan or its rebased form may change, and those around it."""
    start = plan.start or NOW
    turns = [NOW, start, *(start + timedelta(seconds=period.start) for period in plan.periods)]
    if plan.duration is not None:
        turns.append(start + timedelta(seconds=plan.duration))
    for turn in turns:
        for around in (-1, 0, 1):
            instant = turn + timedelta(seconds=around)
            if instant >= NOW:
                yield instant


@quick
@given(plans(), outlets(), phases_used())
def test_every_plan_becomes_a_valid_frame_or_is_refused(plan: Plan, outlet: Outlet, phases: int | None) -> None:
    sent = fit(plan, outlet, phases)
    if sent is None:
        return
    frame = frame_of(sent, outlet, phases)
    starts = [start for start, _ in frame.periods]
    assert starts[0] == 0
    assert starts == sorted(set(starts))
    assert len(starts) <= (outlet.station.max_periods or len(starts))
    assert RateUnit(frame.unit) in outlet.station.allowed_units | {outlet.station.preferred_unit}
    assert starts[-1] < cast("int", frame.schedule.get("duration", starts[-1] + 1))
    assert ("startSchedule" in frame.schedule) == (plan.start is not None)
    if sent.start is not None:
        assert all(sent.start + timedelta(seconds=start) > NOW for start in starts[1:])
    if outlet.connector.power_type is PowerType.DC:
        assert "numberPhases" not in json.dumps(frame.payload, default=float)


# Where a limit is easily lifted: a one-phase car on a three-phase outlet, and amperes at a DC outlet with a cap in W.
@example(constant(Decimal(22000), RateUnit.WATT, NOW, None), outlet(allowed_units=frozenset({RateUnit.AMPERE})), 1)
@example(constant(Decimal(50), RateUnit.AMPERE, NOW, None), outlet(allowed_units=frozenset({RateUnit.WATT})), 1)
@example(
    constant(Decimal(100), RateUnit.AMPERE, NOW, None),
    outlet(PowerType.DC, max_voltage=920, max_amperage=200, cap_w=Decimal(30000)),
    None,
)
@quick
@given(plans(), outlets(), phases_used())
def test_no_limit_is_ever_above_what_the_partner_and_the_cpo_allow(
    plan: Plan, outlet: Outlet, phases: int | None
) -> None:
    sent = fit(plan, outlet, phases)
    if sent is None:
        return
    frame = frame_of(sent, outlet, phases)
    frame_in_watts = watts_per_unit(frame.unit, outlet, phases)
    plan_in_watts = watts_per_unit(plan.unit, outlet, phases)
    # At a DC outlet A becomes no W, so there the highest voltage stands for the cap, and the unit is the plan's own.
    cap = Fraction(maximum_power(outlet)) / (1 if frame_in_watts else outlet.connector.max_voltage)
    for instant in instants(plan):
        allowed = asked_for(plan, instant)
        limit = frame.in_force(instant, charging_began=NOW)
        assert (limit is None) == (allowed is None)
        if limit is None or allowed is None:
            continue
        assert limit * (frame_in_watts or 1) <= allowed * (plan_in_watts or 1)
        assert limit * (frame_in_watts or 1) <= cap
        if "A" in {plan.unit.value, frame.unit}:
            rating = outlet.connector.max_amperage * (watts_per_unit("A", outlet, phases) or 1)
            assert limit * (frame_in_watts or 1) <= rating


@quick
@given(plans(absolute=True), outlets(), phases_used())
def test_what_the_charge_point_will_do_comes_back_as_the_plan_but_for_rounding(
    plan: Plan, outlet: Outlet, phases: int | None
) -> None:
    sent = fit(plan, outlet, phases)
    if sent is None:
        return
    frame = frame_of(sent, outlet, phases)
    answer = active_profile(
        "Accepted",
        composite_of(frame, outlet).schedule,
        plan_expected=True,
        outlet=outlet,
        phases=phases,
        unit=plan.unit,
        now=NOW,
        duration=A_DAY,
    )
    told = answer.active_profile
    assert answer.result is Result.ACCEPTED
    assert told is not None
    assert (told.unit, told.periods[0].start) == (plan.unit, 0)
    in_watts = watts_per_unit(plan.unit, outlet, phases)
    most = Fraction(maximum_power(outlet)) / (in_watts or outlet.connector.max_voltage)
    if "A" in {plan.unit.value, frame.unit}:
        rating = Fraction(outlet.connector.max_amperage)
        most = min(
            most, rating if plan.unit is RateUnit.AMPERE else rating * (watts_per_unit("A", outlet, phases) or 1)
        )
    # One rounding in each unit on the way there, one more on the way back.
    converted = frame.unit != plan.unit.value
    step = Fraction(1, 10) * ((watts_per_unit("A", outlet, phases) or 1) if converted and in_watts == 1 else 1)
    slack = step + Fraction(2, 10)
    for instant in instants(plan):
        limit = asked_for(plan, instant)
        back = _limit(told, instant)
        if limit is None or instant >= NOW + timedelta(seconds=A_DAY // 2):
            continue
        assert back is not None
        assert min(limit, most) - slack <= back <= min(limit, most)


def composite_of(frame: Frame, outlet: Outlet) -> Done:
    """What a charge point that follows the profile says of it: floats, and the start of the profile as its own."""
    version = outlet.station.ocpp_version
    schedule: dict[str, JsonValue] = {
        "duration": frame.schedule.get("duration", 7 * A_DAY),
        "chargingRateUnit": frame.unit,
        "chargingSchedulePeriod": [{"startPeriod": start, "limit": float(limit)} for start, limit in frame.periods],
    }
    start = frame.schedule["startSchedule"]
    payload: JsonObject = {"status": "Accepted", "scheduleStart": start, "chargingSchedule": schedule}
    if version is OcppVersion.V201:
        payload = {"status": "Accepted", "schedule": {**schedule, "evseId": 1, "scheduleStart": start}}
    return cast("Done", OCPP[version].answer(RequestKind.GET, payload, NOW))


def _limit(plan: Plan, instant: datetime) -> Fraction | None:
    assert plan.start is not None
    periods = [(period.start, Fraction(period.limit)) for period in plan.periods]
    return _in_force(periods, plan.duration, plan.start, instant)


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
near_answers = st.fixed_dictionaries(
    {"status": st.just("Accepted") | json_values},
    optional={
        "scheduleStart": st.datetimes().map(datetime.isoformat) | json_values,
        "chargingSchedule": near_schedules | json_values,
        "schedule": near_schedules | json_values,
        "statusInfo": json_values,
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
