"""The main job, at a charge point that none of us wrote: the guide's profile to it and back."""

import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from itertools import count
from xml.etree import ElementTree as ET

import pytest

from tests.support.e2e_site import SOON, site_name, site_world, sites_station
from tests.support.e2e_waiting import eventually
from tests.support.lambda_events import dashboard_event
from tests.support.markup import parsed, rows_of
from tools.charge_point import ChargePoint
from tools.counterparts.clock import utc_now
from tools.counterparts.journal import NotObservedError
from tools.counterparts.json_types import as_list, as_object
from tools.demo.world import DRIVER_TAG, World
from tools.demo_csms import Transaction
from tools.local_stack import LocalStack
from tools.partner_simulator import ChargingProfile, ResponseType, ResultType, Session, guide_profile
from tools.partner_simulator.plans import GUIDE_PERIODS

# OCPP 1.6 and OCPI write times in milliseconds at best, and kirby calculates its schedule in whole seconds.
CLOCK_PLAY = timedelta(seconds=2)
# Longer than the guide's profile, so that all of its periods show.
TWO_HOURS = 7200


@dataclass(frozen=True, slots=True)
class Charging:
    """A car that charges at kirby."""

    world: World
    charge_point: ChargePoint
    transaction: Transaction
    session: Session


@pytest.fixture
def charging(stack: LocalStack) -> Iterator[Charging]:
    name = site_name()
    station = sites_station(name)
    with (
        site_world(stack, name, [station]) as world,
        ChargePoint(world.csms.ocpp_url, station.station_id) as charge_point,
    ):
        charge_point.wait_until_booted()
        charge_point.plug_in()
        assert world.csms.remote_start(station.station_id, 1, DRIVER_TAG) == "Accepted"
        transaction = world.csms.wait_for_transaction(station.station_id, timeout=SOON)
        session = world.partner.wait_for_session(lambda one: one.status == "ACTIVE", SOON)
        yield Charging(world, charge_point, transaction, session)
        assert world.partner.violations() == []


def steps(profile: ChargingProfile) -> list[tuple[int, Decimal]]:
    return [(period.start_period, period.limit) for period in profile.charging_profile_period or []]


def test_the_guides_profile_reaches_the_charge_point_and_comes_back(charging: Charging) -> None:
    world, charge_point, session = charging.world, charging.charge_point, charging.session
    assert session.evse_uid == f"{charge_point.station_id}-1"
    began = utc_now()

    put = world.partner.bridge.put_profile(session.id, guide_profile(began))

    assert (put.status, put.status_code, put.result) == (200, 1000, ResponseType.ACCEPTED)
    assert put.wait_for_result(SOON).result is ResultType.ACCEPTED
    command = charge_point.wait_for("SetChargingProfile", SOON)
    assert command.frame is not None
    profile = as_object(as_object(getattr(command.frame, "payload", None)).get("csChargingProfiles"))
    schedule = as_object(profile["chargingSchedule"])
    periods = [as_object(period) for period in as_list(schedule["chargingSchedulePeriod"])]
    assert (profile["chargingProfilePurpose"], profile["chargingProfileKind"]) == ("TxProfile", "Absolute")
    assert profile["transactionId"] == charging.transaction.transaction_id
    assert schedule["chargingRateUnit"] == "W"
    assert [(period["startPeriod"], period["limit"]) for period in periods] == list(GUIDE_PERIODS)

    get = world.partner.bridge.get_active_profile(session.id, TWO_HOURS)

    active = get.wait_for_result(SOON).profile
    assert active is not None
    assert active.charging_profile.charging_rate_unit == "W"
    assert [limit for _, limit in steps(active.charging_profile)] == [limit for _, limit in GUIDE_PERIODS]
    for (start, _), (planned, _) in zip(steps(active.charging_profile)[1:], GUIDE_PERIODS[1:], strict=True):
        assert abs(active.start_date_time + timedelta(seconds=start) - began - timedelta(seconds=planned)) <= CLOCK_PLAY

    delete = world.partner.bridge.delete_profile(session.id)

    assert delete.wait_for_result(SOON).result is ResultType.ACCEPTED
    assert charge_point.answer_to(charge_point.wait_for("ClearChargingProfile", SOON)) == {"status": "Accepted"}


def test_the_widget_of_the_dashboard_tells_the_story_of_the_session(charging: Charging) -> None:
    partner, charge_point, session = charging.world.partner, charging.charge_point, charging.session
    put = partner.bridge.put_profile(session.id, guide_profile(utc_now()))
    assert put.wait_for_result(SOON).result is ResultType.ACCEPTED
    get = partner.bridge.get_active_profile(session.id, TWO_HOURS)
    assert get.wait_for_result(SOON).result is ResultType.ACCEPTED
    readings = count(1500, 10)

    def metered() -> Session | None:
        # What comes soon after a push waits for the next reading, or for the sweep's minute.
        charge_point.send_meter_values(energy_wh=next(readings))
        with suppress(NotObservedError):
            return partner.wait_for_session(lambda one: one.id == session.id and one.kwh >= Decimal("1.5"), 1)
        return None

    eventually(metered, SOON, what="the reading at the partner")

    def told() -> ET.Element | None:
        # The index of requests and the note of a delivery are a moment behind what the partner has seen.
        root = parsed(_shown_by_the_widget(charging.world, session.id))
        whats = [row[2].split(" ")[0] for row in rows_of(root, "Took")]
        return root if whats.count("takes") == 2 else None

    root = eventually(told, SOON, what="both results in the story")
    rows = [(who, what, what.split(" ")[-1], result) for _, who, what, result, _ in rows_of(root, "Took")]
    partner_is, charge_point_is = f"partner {charging.world.partner_id}", f"charge point {charge_point.station_id}"
    asked = [request_id for who, what, request_id, _ in rows if who == partner_is and what.startswith("asks for")]
    # The bridge asks for itself too.
    answered = {request_id for who, _, request_id, result in rows if who == charge_point_is and "ACCEPTED" in result}
    assert len(asked) == 2
    assert set(asked) <= answered
    lines = {node.attrib["class"].removeprefix("curve ") for node in root.iter("polyline")}
    assert lines == {"requested", "sent", "confirmed", "measured"}
    for other_way in (f"{charging.world.csms_id}/{charge_point.station_id}", "nobody"):
        shown = _shown_by_the_widget(charging.world, other_way)
        assert (session.id in shown) is (other_way != "nobody")
        assert DRIVER_TAG not in shown


def _shown_by_the_widget(world: World, any_id: str) -> str:
    """What the deployed function answers a dashboard in whose form somebody typed this."""
    answer = world.stack.client("lambda").invoke(
        FunctionName=world.stack.function_name("session_widget"),
        Qualifier="live",
        Payload=json.dumps(dashboard_event({"id": any_id})),
    )
    html = json.loads(answer["Payload"].read())
    # An error of the function would be an object.
    assert isinstance(html, str), html
    return html


def test_a_session_reaches_the_partner_with_put_then_patches_and_its_final_state_last(charging: Charging) -> None:
    world, charge_point, session = charging.world, charging.charge_point, charging.session
    charge_point.send_meter_values(energy_wh=1500)

    world.csms.remote_stop(charge_point.station_id, charging.transaction.transaction_id)

    ended = world.partner.wait_for_session(lambda one: one.id == session.id and one.status == "COMPLETED", SOON)
    assert ended.end_date_time is not None
    assert ended.kwh >= Decimal("1.5")
    pushes = world.partner.session_pushes.entries()
    assert [push.method for push in pushes] == ["PUT", *["PATCH"] * (len(pushes) - 1)]
    assert all("last_updated" in push.body for push in pushes)
    assert pushes[-1].session.status == "COMPLETED"
    after = world.partner.bridge.put_profile(session.id, guide_profile(utc_now()))
    assert after.result is ResponseType.REJECTED


def test_the_unencoded_response_url_of_a_get_arrives_whole_with_its_inner_parameters(charging: Charging) -> None:
    partner, session = charging.world.partner, charging.session
    urls = [f"{partner.bridge.new_response_url()}&tenant=7&leg=b", f"{partner.bridge.new_response_url()}&tenant=8"]

    unencoded = partner.bridge.get_active_profile(session.id, response_url=urls[0])
    encoded = partner.bridge.get_active_profile(session.id, response_url=urls[1], encoded=True)

    for exchange in (unencoded, encoded):
        assert exchange.wait_for_result(SOON).result is ResultType.ACCEPTED
    posts = partner.http.requests.matching(lambda request: request.method == "POST")
    assert sorted(partner.http.url + post.target for post in posts) == sorted(urls)


def test_a_delete_with_an_unencoded_response_url_arrives_whole(charging: Charging) -> None:
    partner, session = charging.world.partner, charging.session
    url = f"{partner.bridge.new_response_url()}&tenant=7"

    delete = partner.bridge.delete_profile(session.id, response_url=url)

    # Nothing of ours is installed, and the charge point says so.
    assert delete.wait_for_result(SOON).result is ResultType.UNKNOWN
    posts = partner.http.requests.matching(lambda request: request.method == "POST")
    assert [partner.http.url + post.target for post in posts] == [url]


def test_a_repetition_of_the_same_request_sends_no_second_command(charging: Charging) -> None:
    partner, session = charging.world.partner, charging.session
    profile, url = guide_profile(utc_now()), partner.bridge.new_response_url()

    first = partner.bridge.put_profile(session.id, profile, response_url=url, request_id="one-and-the-same")
    again = partner.bridge.put_profile(session.id, profile, response_url=url, request_id="one-and-the-same")
    other = partner.bridge.delete_profile(session.id)

    assert (first.result, again.result) == (ResponseType.ACCEPTED, ResponseType.ACCEPTED)
    assert first.wait_for_result(SOON).result is ResultType.ACCEPTED
    assert other.wait_for_result(SOON).result is ResultType.ACCEPTED
    frames = charging.world.csms.frames(charging.charge_point.station_id, "SetChargingProfile", calls_only=True)
    assert len(frames) == 1
    assert len(first.results()) == 1
