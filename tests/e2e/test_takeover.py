"""The CPO takes its stations back by the operator's commands, while cars charge (design decision 19)."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from decimal import Decimal
from pathlib import Path

import pytest

from tests.support.command_line import CommandLine
from tests.support.e2e_faults import sweep
from tests.support.e2e_site import SOON, Site, flat, limits, profile_id, site
from tests.support.e2e_waiting import eventually
from tools.bridge.cli import app
from tools.bridge.deployment import Deployment
from tools.charge_point import Behaviour
from tools.counterparts.ocpp_json import Call
from tools.local_stack import LocalStack
from tools.partner_simulator import ResponseType, ResultType

SET, CLEAR = "SetChargingProfile", "ClearChargingProfile"


@pytest.fixture
def place(stack: LocalStack) -> Iterator[Site]:
    with site(stack, Behaviour.FOLLOWING, timeout=60) as at:
        yield at


@pytest.fixture
def bridge(place: Site, tmp_path: Path) -> CommandLine:
    described = tmp_path / "stack.json"
    described.write_text(json.dumps(asdict(place.stack.description)))
    return CommandLine(app, Deployment.on_this_machine(described))


def follows(place: Site, watts: int) -> None:
    put = place.bridge.put_profile(place.session_id, flat(watts))
    assert put.result is ResponseType.ACCEPTED
    assert put.wait_for_result(SOON).result is ResultType.ACCEPTED


def commands(place: Site, action: str, count: int) -> list[Call]:
    def look() -> list[Call] | None:
        found = place.commands(action)
        if len(found) < count:
            sweep(place.stack)
        return found if len(found) >= count else None

    return eventually(look, SOON, what=f"{count} {action} at the charge point")


def test_steering_is_taken_back_and_given_again(place: Site, bridge: CommandLine) -> None:
    follows(place, 9000)
    station = f"{place.csms.csms_id}/{place.station_id}"

    assert bridge("steering", "off", "--station", station).exit_code == 0
    [cleared] = commands(place, CLEAR, 1)
    assert profile_id(cleared) == profile_id(place.commands(SET)[0])
    told = place.partner.wait_for_active_profile(place.session_id, SOON)
    # Nothing of a partner's is left: the most that the EVSE may deliver.
    assert told.profile.charging_profile.charging_profile_period is not None
    assert told.profile.charging_profile.charging_profile_period[0].limit == Decimal(22080)
    assert place.bridge.put_profile(place.session_id, flat(9000)).result is ResponseType.REJECTED

    assert bridge("steering", "on", "--station", station).exit_code == 0
    follows(place, 8000)


def test_a_release_ends_when_no_plan_is_left_and_later_plans_stay(place: Site, bridge: CommandLine) -> None:
    follows(place, 9000)
    released = bridge("release", "--station", f"{place.csms.csms_id}/{place.station_id}", "--json")
    assert (released.exit_code, len(place.commands(CLEAR))) == (0, 1)
    follows(place, 7000)
    assert len(place.commands(CLEAR)) == 1


def test_a_cap_is_obeyed_by_the_plan_that_is_followed_already(place: Site, bridge: CommandLine) -> None:
    follows(place, 9000)
    evse = f"{place.station_id}-1"
    assert bridge("cap", "set", "--evse", evse, "--watts", "5000").exit_code == 0
    assert [limits(call)[0][1] for call in commands(place, SET, 2)] == [Decimal(9000), Decimal(5000)]
    told = place.partner.wait_for_active_profile(place.session_id, SOON)
    assert told.profile.charging_profile.charging_profile_period is not None
    assert told.profile.charging_profile.charging_profile_period[0].limit == Decimal(5000)

    assert bridge("cap", "lift", "--evse", evse).exit_code == 0
    assert limits(commands(place, SET, 3)[-1])[0][1] == Decimal(9000)
