"""The charge point driver against a CSMS on real sockets."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from ocpi_bridge.adapters.csms.connect import charge_point_drivers, http_charge_point_driver, permission
from ocpi_bridge.adapters.csms.driver import HttpChargePointDriver
from ocpi_bridge.domain.partners import OAuth2Client
from ocpi_bridge.domain.requests import RequestKind
from ocpi_bridge.domain.stations import Csms, CsmsAuth, CsmsDriver, CsmsMode, ProfileIdRange
from ocpi_bridge.ports.charge_points import Done, Failed, Pending
from ocpi_bridge.ports.secrets import CsmsSecrets
from tests.support.charge_point_behind_a_csms import ChargePoint, Knob
from tests.support.clocks import ManualClock
from tests.support.fake_csms import BusCsms
from tests.support.fake_secrets import InMemorySecretStore
from tests.support.outlets import command
from tests.support.raw_server import Peer, RawServer, answering, http_answer

pytestmark = pytest.mark.integration

NOW = datetime(2026, 1, 15, 17, 0, tzinfo=UTC)
WANTED = replace(command(RequestKind.CLEAR), deadline=NOW + timedelta(seconds=10))


def csms_at(port: int, mode: CsmsMode = CsmsMode.CALLBACK) -> Csms:
    return Csms(
        "acme", "citrineos", f"http://127.0.0.1:{port}", mode, ProfileIdRange(1000, 1999), "BE", "BEC", call_timeout=5
    )


@pytest.fixture
def driver() -> Iterator[HttpChargePointDriver]:
    made = http_charge_point_driver(InMemorySecretStore(), ManualClock(NOW), allow_loopback=True)
    yield made
    made.close()


def test_a_command_goes_out_and_its_answer_comes_later(driver: HttpChargePointDriver) -> None:
    with RawServer(answering(http_answer(200, b'[{"success":true}]'))) as server:
        assert driver.submit(csms_at(server.port), WANTED) == Pending()
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    assert head.startswith(
        b"POST /ocpp/1.6/smartcharging/clearChargingProfile?identifier=CP-001&tenantId=1&callbackUrl="
    )
    assert body == b'{"id":1042}'


def test_a_synchronous_answer_comes_at_once(driver: HttpChargePointDriver) -> None:
    with RawServer(answering(http_answer(200, b'{"status":"Unknown"}'))) as server:
        assert driver.submit(csms_at(server.port, CsmsMode.SYNCHRONOUS), WANTED) == Done("Unknown")


def test_outside_the_local_stage_no_csms_leads_to_this_machine_or_to_the_cloud_below_it() -> None:
    driver = http_charge_point_driver(InMemorySecretStore(), ManualClock(NOW))
    with RawServer(answering(http_answer(200, b'[{"success":true}]'))) as server:
        outcome = driver.submit(csms_at(server.port), WANTED)
    driver.close()
    assert isinstance(outcome, Failed)
    assert outcome.nothing_sent
    assert server.connections == 0


def test_a_csms_may_stand_in_a_private_network() -> None:
    may_dial, locally = permission(allow_loopback=False), permission(allow_loopback=True)
    assert all(map(may_dial, ("10.0.0.1", "192.168.1.1", "fd12::1", "8.8.8.8")))
    assert not any(map(may_dial, ("127.0.0.1", "::1", "169.254.169.254", "fd00:ec2::254", "::ffff:10.0.0.1")))
    assert locally("127.0.0.1")
    assert not locally("169.254.169.254")


def test_a_csms_that_does_not_answer_leaves_it_open_whether_the_command_was_sent(driver: HttpChargePointDriver) -> None:
    def silent(_server: RawServer, peer: Peer) -> None:
        peer.read_request()
        peer.wait()

    with RawServer(silent) as server:
        hurried = replace(WANTED, deadline=NOW + timedelta(seconds=0.5))
        outcome = driver.submit(csms_at(server.port), hurried)
    assert outcome == Failed("no answer of the CSMS: timeout", nothing_sent=False, retryable=True)


def test_a_csms_that_is_down_was_sent_nothing(driver: HttpChargePointDriver) -> None:
    with RawServer(answering(b"")) as server:
        port = server.port
    outcome = driver.submit(csms_at(port), WANTED)
    assert outcome == Failed("no answer of the CSMS: connect", nothing_sent=True, retryable=True)


def test_a_redirect_is_not_followed_with_our_credential(driver: HttpChargePointDriver) -> None:
    with RawServer(answering(http_answer(200, b'[{"success":true}]'))) as other:
        location = f"Location: http://127.0.0.1:{other.port}/"
        with RawServer(answering(http_answer(308, b"", location))) as server:
            outcome = driver.submit(csms_at(server.port), WANTED)
    assert isinstance(outcome, Failed)
    assert (outcome.nothing_sent, outcome.retryable) == (True, False)
    assert other.connections == 0


def test_an_access_token_is_bought_before_the_command_goes_out() -> None:
    secrets = InMemorySecretStore()
    secrets.csms["acme"] = CsmsSecrets("key", "cl1ent-secret")
    driver = http_charge_point_driver(secrets, ManualClock(NOW), allow_loopback=True)
    issued = http_answer(200, b'{"access_token":"acc3ss","token_type":"Bearer","expires_in":600}')
    with RawServer(answering(issued)) as login, RawServer(answering(http_answer(200, b'[{"success":true}]'))) as server:
        client = OAuth2Client(f"http://127.0.0.1:{login.port}/token", "bridge")
        csms = replace(csms_at(server.port), auth=CsmsAuth.OAUTH2, oauth2=client)
        assert [driver.submit(csms, WANTED) for _ in range(2)] == [Pending(), Pending()]
        driver.close()
    assert len(login.requests) == 1
    assert b"client_secret=cl1ent-secret" in login.requests[0]
    for request in server.requests:
        head = request.lower()
        assert b"authorization: bearer acc3ss" in head
        assert b"cl1ent-secret" not in head


def test_an_endless_answer_is_not_read_to_its_end(driver: HttpChargePointDriver) -> None:
    endless = b'[{"success":true,"payload":"' + b"x" * 1_000_000 + b'"}]'
    with RawServer(answering(http_answer(200, endless))) as server:
        outcome = driver.submit(csms_at(server.port), WANTED)
    assert outcome == Failed("the answer of the CSMS is too long", nothing_sent=False, retryable=False)


def test_a_csms_that_asks_for_patience_is_given_it(driver: HttpChargePointDriver) -> None:
    with RawServer(answering(http_answer(429, b"", "Retry-After: 3"))) as server:
        outcome = driver.submit(csms_at(server.port), WANTED)
    assert outcome == Failed("HTTP 429: the CSMS asks to come later", nothing_sent=True, retryable=True, retry_after=3)


def test_a_deployment_reaches_each_csms_by_its_own_driver() -> None:
    bus = BusCsms(ChargePoint(Knob.NOTHING, "1.6"))
    drivers = charge_point_drivers(InMemorySecretStore(), ManualClock(NOW), bus, allow_loopback=True)
    with RawServer(answering(http_answer(200, b'[{"success":true}]', "Connection: close"))) as server:
        by_http = csms_at(server.port)
        assert drivers.submit(by_http, WANTED) == Pending()
        assert drivers.submit(replace(by_http, driver=CsmsDriver.BUS), WANTED) == Pending()
    assert len(server.requests) == 1
    assert bus.charge_point.calls == [RequestKind.CLEAR]
