"""A CitrineOS that tells nothing but raw frames: what it subscribed to is enough to see, steer and end a session."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

import httpx
import pytest

from tests.support.e2e_log import FunctionLog
from tests.support.e2e_site import SOON, flat, site_name, site_world, sites_station
from tools.bridge.citrineos import Change, CitrineOS
from tools.bridge.csms_probe import CsmsProbe
from tools.charge_point import ChargePoint
from tools.counterparts.json_types import as_object
from tools.demo.world import DRIVER_TAG, World
from tools.demo_csms import Direction, Reports
from tools.demo_csms.event_reporter import trusting_client
from tools.local_stack import LocalStack
from tools.partner_simulator import ResultType


@dataclass(frozen=True, slots=True)
class Subscribed:
    """A world without events, and the URL to which its frames go."""

    world: World
    station_id: str
    url: str


def probe(stack: LocalStack) -> CsmsProbe:
    return CsmsProbe.on_aws(
        stack.client("secretsmanager"),
        stack.outputs["SecretsPrefix"],
        csms_api_url=stack.csms_api_url,
        allow_loopback=True,
        ca_file=stack.ca_file,
    )


@pytest.fixture
def subscribed(stack: LocalStack) -> Iterator[Subscribed]:
    name = site_name()
    station = sites_station(name)
    quiet = site_world(stack, name, [station])
    quiet.reports = Reports.FRAMES
    with quiet as world:
        csms = world.registry.get_csms(world.csms_id)
        assert csms is not None
        with CitrineOS.connected(csms, probe(stack)) as citrineos:
            assert citrineos.subscribe(station.station_id) is Change.SUBSCRIBED
            url = citrineos.url
        yield Subscribed(world, station.station_id, url)
        assert world.csms.reporter is None
        assert world.partner.violations() == []


def test_a_session_told_by_frames_alone_is_seen_steered_and_ended(subscribed: Subscribed) -> None:
    world = subscribed.world
    with ChargePoint(world.csms.ocpp_url, subscribed.station_id) as charge_point:
        charge_point.wait_until_booted()
        charge_point.plug_in()
        assert world.csms.remote_start(subscribed.station_id, 1, DRIVER_TAG) == "Accepted"
        transaction = world.csms.wait_for_transaction(subscribed.station_id, timeout=SOON)
        session = world.partner.wait_for_session(lambda one: one.status == "ACTIVE", SOON)
        assert session.evse_uid == f"{subscribed.station_id}-1"

        given = world.partner.bridge.put_profile(session.id, flat(7000)).wait_for_result(SOON)
        assert given.result is ResultType.ACCEPTED
        sent = world.csms.wait_for_frame(
            subscribed.station_id, "SetChargingProfile", timeout=SOON, direction=Direction.TO_STATION, calls_only=True
        )
        assert as_object(sent.payload["csChargingProfiles"])["transactionId"] == transaction.transaction_id

        # The CPO's own limit: no event tells of it, but the CSMS's call and the station's answer do.
        mark = world.partner.active_profiles.mark()
        assert world.csms.set_limit(subscribed.station_id, Decimal(4000)) == "Accepted"
        told = world.partner.wait_for_active_profile(session.id, SOON, since=mark)
        periods = told.profile.charging_profile.charging_profile_period or []
        assert {period.limit for period in periods} == {Decimal(4000)}

        charge_point.send_meter_values(energy_wh=1500)
        charge_point.stop_transaction()
        ended = world.partner.wait_for_session(lambda one: one.status == "COMPLETED", SOON)
    assert ended.id == session.id
    assert ended.kwh == Decimal("1.5")
    world.csms.feed.deliveries.wait_for(lambda one: one.body["event"] == "closed", SOON)
    assert {one.status for one in world.csms.feed.deliveries.entries()} == {202}


def test_an_address_that_was_given_to_nobody_is_refused(subscribed: Subscribed) -> None:
    base, _, token = subscribed.url.rpartition("/")
    stack = subscribed.world.stack
    frame = {"stationId": subscribed.station_id, "event": "closed"}
    with trusting_client(stack.ca_file, SOON) as http:
        for url in (f"{base}/{'A' * 43}", f"{base}/junk", f"{base}-other/{token}"):
            answer = http.post(url, json=frame)
            assert (answer.status_code, answer.json()) == (403, {"error": "not an address that was given to a CSMS"})


def test_a_frame_that_cannot_be_read_is_for_an_operator_to_find(subscribed: Subscribed) -> None:
    stack = subscribed.world.stack
    log = FunctionLog(stack)
    bad = {"stationId": subscribed.station_id, "event": "message", "origin": "cs", "message": "[2]"}
    with trusting_client(stack.ca_file, SOON) as http:
        answer: httpx.Response = http.post(subscribed.url, json=[bad, {"stationId": "CP-X", "event": "connected"}])
    assert (answer.status_code, answer.json()) == (202, {"accepted": 2})
    log.wait_for(SOON, message="event.refused", station_key=f"{subscribed.world.csms_id}#{subscribed.station_id}")
