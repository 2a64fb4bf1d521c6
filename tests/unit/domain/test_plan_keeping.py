"""What is to be done at the charge point, decided from what is known at a moment."""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from ocpi_bridge.domain.controls import Control, Intake, NewestRequest
from ocpi_bridge.domain.events import EventType, SessionStatus
from ocpi_bridge.domain.plan_keeping import LIFE_SIGN, RENEW_BEFORE, Decision, Duty, Situation, decide
from ocpi_bridge.domain.plan_sending import fit_of, steps_of
from ocpi_bridge.domain.plans import Plan, PlanPeriod, RateUnit
from ocpi_bridge.domain.requests import Fit, InstalledPlan, RequestKind
from ocpi_bridge.domain.stations import Outlet, Replacement, StationState, outlet_by_uid
from ocpi_bridge.domain.watches import Watch
from tests.support.clocks import START
from tests.support.registry_entries import station
from tests.support.world import event, session_of

SESSION = session_of(event(EventType.TRANSACTION_STARTED))
FITS = Fit(3, Decimal(11_000))
INSTALLED = InstalledPlan("r1", 1, partner_id="jedlix", at=START, fitted_to=FITS)
FAIL_SAFE = START + timedelta(hours=3)


def outlet() -> Outlet:
    found = outlet_by_uid(station(), SESSION.evse_uid, SESSION.connector_id)
    assert found is not None
    return found


def control(installed: InstalledPlan | None = INSTALLED, **changes: Any) -> Control:  # noqa: ANN401 - any field
    newest = NewestRequest("r1", "f", START + timedelta(seconds=60), 60)
    known = Control(
        SESSION.session_id, 1, 1, 1, settled=1, installed=installed, intakes={"jedlix": Intake(newest=newest)}
    )
    return replace(known, **changes)


def situation(**changes: Any) -> Situation:  # noqa: ANN401 - any field
    usual = Situation(
        session=SESSION,
        control=control(),
        watch=Watch(SESSION.session_id, "jedlix"),
        may_steer=True,
        state=StationState(),
        outlet=outlet(),
        under_way=False,
        heard_at=START,
        now=START + timedelta(minutes=10),
    )
    return replace(usual, **changes)


IN_THE_DARK: dict[str, Any] = {"uncertain": 2, "uncertain_by": "jedlix"}


@pytest.mark.parametrize(
    ("changes", "duty"),
    [
        ({}, Duty.NOTHING),
        ({"control": control(None)}, Duty.NOTHING),
        ({"control": control(replace(INSTALLED, partner_id="other"))}, Duty.NOTHING),
        # Who may not steer (any more).
        ({"may_steer": False}, Duty.CLEAR),
        ({"may_steer": False, "control": control(replace(INSTALLED, ends_at=START))}, Duty.NOTHING),
        ({"may_steer": False, "control": control(None)}, Duty.NOTHING),
        ({"state": StationState(steering_suspended=True)}, Duty.CLEAR),
        ({"state": StationState(suspended_evses=frozenset({SESSION.evse_uid.casefold()}))}, Duty.CLEAR),
        ({"state": StationState(suspended_evses=frozenset({"another"}))}, Duty.NOTHING),
        ({"session": replace(SESSION, steering_suspended=True)}, Duty.CLEAR),
        ({"session": replace(SESSION, released_at=START)}, Duty.CLEAR),
        ({"session": replace(SESSION, released_at=START - timedelta(seconds=1))}, Duty.NOTHING),
        # Nobody knows.
        ({"control": control(**IN_THE_DARK)}, Duty.RESEND),
        ({"control": control(**IN_THE_DARK), "under_way": True}, Duty.NOTHING),
        ({"control": control(None, **IN_THE_DARK)}, Duty.CLEAR),
        ({"control": control(replace(INSTALLED, ends_at=START), **IN_THE_DARK)}, Duty.CLEAR),
        ({"control": control(**IN_THE_DARK), "may_steer": False}, Duty.CLEAR),
        ({"control": control(uncertain=2, uncertain_by="other")}, Duty.NOTHING),
        ({"control": control(settled=3, **IN_THE_DARK)}, Duty.NOTHING),
        # Something that the plan is fitted to.
        ({"session": replace(SESSION, phases=1)}, Duty.RESEND),
        ({"session": replace(SESSION, phases=3)}, Duty.NOTHING),
        ({"control": control(replace(INSTALLED, fitted_to=Fit(3, Decimal(22_000))))}, Duty.RESEND),
        ({"control": control(replace(INSTALLED, fitted_to=replace(FITS, reduces=True)))}, Duty.NOTHING),
        ({"control": control(replace(INSTALLED, fitted_to=None))}, Duty.NOTHING),
        ({"session": replace(SESSION, phases=1), "outlet": None}, Duty.NOTHING),
        # The station lost it.
        ({"watch": Watch(SESSION.session_id, "jedlix", missing="r1")}, Duty.RESEND),
        ({"watch": Watch(SESSION.session_id, "jedlix", missing="r0")}, Duty.NOTHING),
    ],
)
def test_while_the_car_is_there(changes: dict[str, Any], duty: Duty) -> None:
    assert decide(situation(**changes)).duty is duty


@pytest.mark.parametrize(
    "gone",
    [
        {"status": SessionStatus.COMPLETED},
        {"status": SessionStatus.INVALID},
        {"superseded_at": START},
    ],
)
@pytest.mark.parametrize(
    ("changes", "duty"),
    [
        ({}, Duty.CLEAR),
        ({"may_steer": False}, Duty.CLEAR),
        ({"control": control(replace(INSTALLED, ends_at=START))}, Duty.CLEAR),
        ({"control": control(None, **IN_THE_DARK)}, Duty.CLEAR),
        ({"control": control(None)}, Duty.NOTHING),
        ({"control": control(replace(INSTALLED, partner_id="other"))}, Duty.NOTHING),
        ({"watch": Watch(SESSION.session_id, "jedlix", cleared=True)}, Duty.NOTHING),
    ],
)
def test_once_the_car_has_gone(gone: dict[str, Any], changes: dict[str, Any], duty: Duty) -> None:
    assert decide(situation(session=replace(SESSION, **gone), **changes)).duty is duty


@pytest.mark.parametrize("status", [SessionStatus.PENDING, SessionStatus.RESERVATION])
def test_before_the_transaction_there_is_nothing_to_do(status: SessionStatus) -> None:
    assert decide(situation(session=replace(SESSION, status=status))) == Decision(Duty.NOTHING)


@pytest.mark.parametrize(
    ("now", "heard_at", "lapsed", "decision"),
    [
        (FAIL_SAFE - RENEW_BEFORE - timedelta(seconds=1), None, None, Decision(Duty.NOTHING, FAIL_SAFE - RENEW_BEFORE)),
        (FAIL_SAFE - RENEW_BEFORE, FAIL_SAFE - RENEW_BEFORE, None, Decision(Duty.RESEND, FAIL_SAFE, renewal=True)),
        (
            FAIL_SAFE - RENEW_BEFORE,
            FAIL_SAFE - RENEW_BEFORE - LIFE_SIGN,
            None,
            Decision(Duty.RESEND, FAIL_SAFE, renewal=True),
        ),
        (
            FAIL_SAFE - RENEW_BEFORE,
            FAIL_SAFE - RENEW_BEFORE - LIFE_SIGN - timedelta(seconds=1),
            None,
            Decision(Duty.LOOK, FAIL_SAFE, renewal=True),
        ),
        (FAIL_SAFE - RENEW_BEFORE, None, None, Decision(Duty.LOOK, FAIL_SAFE, renewal=True)),
        (FAIL_SAFE, FAIL_SAFE, None, Decision(Duty.LOOK)),
        (FAIL_SAFE, FAIL_SAFE, "r1", Decision(Duty.NOTHING)),
        (FAIL_SAFE, FAIL_SAFE, "r0", Decision(Duty.LOOK)),
    ],
)
def test_a_plan_that_ends_in_a_pause_is_renewed_while_its_partner_lives_and_lapses_when_it_does_not(
    now: datetime, heard_at: datetime | None, lapsed: str | None, decision: Decision
) -> None:
    paused = control(replace(INSTALLED, fail_safe_at=FAIL_SAFE))
    watch = Watch(SESSION.session_id, "jedlix", lapsed=lapsed)
    assert decide(situation(control=paused, now=now, heard_at=heard_at, watch=watch)) == decision


def test_a_lapsed_plan_needs_no_clearing_but_a_command_in_the_dark_still_does() -> None:
    lapsed = replace(INSTALLED, fail_safe_at=START)
    assert decide(situation(control=control(lapsed), may_steer=False)).duty is Duty.NOTHING
    assert decide(situation(control=control(lapsed, **IN_THE_DARK), may_steer=False)).duty is Duty.CLEAR


@pytest.mark.parametrize(
    ("limits", "unit", "phases", "fit"),
    [
        (("10000", "0"), RateUnit.WATT, None, Fit(3, Decimal(11_000))),
        (("10000", "11000.1"), RateUnit.WATT, 3, Fit(3, Decimal(11_000), reduces=True)),
        (("15.9",), RateUnit.AMPERE, 3, Fit(3, Decimal(11_000))),
        (("16",), RateUnit.AMPERE, 3, Fit(3, Decimal(11_000), reduces=True)),
        (("16",), RateUnit.AMPERE, 1, Fit(1, Decimal(11_000))),
    ],
)
def test_what_a_plan_is_fitted_to_says_whether_it_is_cut(
    limits: tuple[str, ...], unit: RateUnit, phases: int | None, fit: Fit
) -> None:
    plan = Plan(unit, tuple(PlanPeriod(index, Decimal(limit)) for index, limit in enumerate(limits)), START)
    assert fit_of(outlet(), phases, plan) == fit


@pytest.mark.parametrize(
    ("kind", "replacement", "first", "steps"),
    [
        (RequestKind.SET, Replacement.SAME_ID, False, (RequestKind.SET,)),
        (RequestKind.SET, Replacement.CLEAR_THEN_SET, True, (RequestKind.SET,)),
        (RequestKind.SET, Replacement.CLEAR_THEN_SET, False, (RequestKind.CLEAR, RequestKind.SET)),
        (RequestKind.GET, Replacement.CLEAR_THEN_SET, False, (RequestKind.GET,)),
    ],
)
def test_a_plan_is_cleared_first_where_it_cannot_be_replaced(
    kind: RequestKind, replacement: Replacement, first: bool, steps: tuple[RequestKind, ...]
) -> None:
    assert steps_of(kind, replacement, first=first) == steps
