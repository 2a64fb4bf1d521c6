"""What else changes the profile that a car follows: the partner is told, and a plan of who may not steer is cleared."""

from collections.abc import Iterator
from decimal import Decimal

import pytest

from ocpi_bridge.domain.assignments import Assignment, Right, Scope
from tests.support.e2e_faults import sweep
from tests.support.e2e_platform import guest
from tests.support.e2e_site import SOON, Site, flat, profile_id, site
from tests.support.e2e_waiting import eventually
from tools.bridge import operations
from tools.bridge.secrets import OperatorSecrets
from tools.charge_point import Behaviour, MeterSample
from tools.counterparts.clock import utc_now
from tools.counterparts.json_types import JsonObject
from tools.counterparts.ocpp_json import Call
from tools.local_stack import LocalStack
from tools.partner_simulator import ActiveProfilePush, ResponseType, ResultType

SET, CLEAR, COMPOSITE = "SetChargingProfile", "ClearChargingProfile", "GetCompositeSchedule"
# Rating of the site's station: 3 phases of 230 V and 32 A.
MAXIMUM = Decimal(22080)


@pytest.fixture
def place(stack: LocalStack) -> Iterator[Site]:
    with site(stack, Behaviour.FOLLOWING, timeout=60) as at:
        yield at


def limit_changes(place: Site, limit: int | None) -> None:
    """The charge point's own limit (W) changes, and the CSMS comes to know."""
    place.charge_point.own_limit_w = None if limit is None else Decimal(limit)
    periods = [{"startPeriod": 0, "limit": limit}]
    schedule: JsonObject = {"chargingRateUnit": "W", "chargingSchedulePeriod": periods}
    place.csms.report(
        place.csms._translator.limit_changed(place.station_id, 1, None if limit is None else schedule, source="Other")
    )


def accepted_put(place: Site, watts: int) -> None:
    put = place.bridge.put_profile(place.session_id, flat(watts))
    assert put.result is ResponseType.ACCEPTED
    assert put.wait_for_result(SOON).result is ResultType.ACCEPTED


def told(push: ActiveProfilePush) -> Decimal:
    """The limit (W) that the partner was told for now."""
    profile = push.profile.charging_profile
    assert profile.charging_rate_unit == "W"
    assert 300 <= (profile.duration or 0) <= 3600
    assert profile.charging_profile_period is not None
    return profile.charging_profile_period[0].limit


def pushes(place: Site) -> list[ActiveProfilePush]:
    return place.partner.active_profiles.matching(lambda one: one.session_id == place.session_id)


def until_told(place: Site, count: int) -> list[ActiveProfilePush]:
    """The pushes of active profiles, once there are so many; a sweep wakes what waits for the next minute."""

    def look() -> list[ActiveProfilePush] | None:
        found = pushes(place)
        if len(found) < count:
            sweep(place.stack)
        return found if len(found) >= count else None

    return eventually(look, SOON, what=f"{count} active profiles at the partner")


def command(place: Site, action: str) -> Call:
    def look() -> Call | None:
        sweep(place.stack)
        return next(iter(place.commands(action)), None)

    return eventually(look, SOON, what=f"{action} at the charge point")


def test_a_limit_of_the_station_and_its_end_reach_the_partner(place: Site) -> None:
    accepted_put(place, 9000)

    limit_changes(place, 4000)
    assert [told(push) for push in until_told(place, 1)] == [4000]

    limit_changes(place, None)
    assert [told(push) for push in until_told(place, 2)] == [4000, 9000]


def test_a_station_that_never_shows_what_it_follows_is_asked_in_measure(stack: LocalStack) -> None:
    with site(stack, Behaviour.ACCEPTING, timeout=60) as place:
        # More than the station can: that the plan is cut would be news, if it showed any.
        accepted_put(place, 2 * int(MAXIMUM))

        def asked_twice() -> bool:
            sweep(stack)
            return len(place.commands(COMPOSITE)) == 2

        eventually(asked_twice, 2 * SOON, what="a question, the plan once more, and another question")
        place.charge_point.send_meter_values(MeterSample(energy_wh=Decimal(500)))
        for _ in range(3):
            # It goes through the station's queue, behind whatever the bridge still asks.
            asked = place.bridge.get_active_profile(place.session_id, 900)
            assert asked.wait_for_result(SOON).result is ResultType.UNKNOWN
        assert [call.action for call in place.commands()] == [SET, COMPOSITE, SET, *[COMPOSITE] * 4]
        assert pushes(place) == []


def test_nothing_is_pushed_before_the_partners_first_put(place: Site) -> None:
    limit_changes(place, 4000)
    assert place.csms.flush_events(SOON)
    accepted_put(place, 9000)
    limit_changes(place, 3000)

    assert [told(push) for push in until_told(place, 1)] == [3000]
    [first_set] = place.commands(SET)
    before = place.commands()[: place.commands().index(first_set)]
    assert [one for one in before if one.action == COMPOSITE] == []


def test_a_revoked_assignment_clears_the_plan_and_hides_the_session(place: Site) -> None:
    accepted_put(place, 9000)
    [location] = {station.location_id for station in place.world.stations}

    place.world.registry.revoke_assignment(place.world.partner_id, Scope.LOCATION, location)

    # At once for the partner's own calls, by the next sweep at the charge point.
    refused = place.bridge.put_profile(place.session_id, flat(5000))
    assert refused.result is ResponseType.UNKNOWN_SESSION
    cleared = command(place, CLEAR)
    assert profile_id(cleared) == profile_id(place.commands(SET)[0])
    assert [told(push) for push in until_told(place, 1)] == [MAXIMUM]


def test_a_removed_partner_leaves_no_plan_behind(place: Site) -> None:
    accepted_put(place, 9000)
    secrets = OperatorSecrets(place.stack.client("secretsmanager"), place.stack.outputs["SecretsPrefix"])

    operations.remove_partner(place.world.registry, secrets, place.world.partner_id)

    command(place, CLEAR)
    assert pushes(place) == []


def test_who_takes_over_in_mid_session_keeps_its_plan(stack: LocalStack, place: Site) -> None:
    accepted_put(place, 9000)
    with guest(stack) as successor:
        successor.register(successor.invite())
        evse_uid, now = f"{place.station_id}-1", utc_now()
        given = Assignment(successor.entry.partner_id, Scope.EVSE, evse_uid, Right.STEER, now, consent="test")
        place.world.registry.add_assignments([given])

        put = successor.partner.bridge.put_profile(place.session_id, flat(7000))
        sweep(stack)
        assert put.wait_for_result(SOON).result is ResultType.ACCEPTED
        sweep(stack)

        # It goes through the station's queue, behind whatever was sent meanwhile.
        asked = successor.partner.bridge.get_active_profile(place.session_id, 900)
        followed = asked.wait_for_result(SOON).profile
        assert followed is not None
        assert [period.limit for period in followed.charging_profile.charging_profile_period or []] == [7000]
        assert place.commands(CLEAR) == []
        assert place.bridge.put_profile(place.session_id, flat(5000)).result is ResponseType.REJECTED
