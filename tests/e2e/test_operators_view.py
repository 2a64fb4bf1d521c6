"""What an operator sees of the deployed stack: a request told hop by hop, and faults found with what to do."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import boto3
import pytest

from ocpi_bridge.domain.requests import RequestState
from tests.support.e2e_command_line import DeployedBridge, by_subject
from tests.support.e2e_site import SOON, Site, charging_at, flat, site_name, site_world, sites_station
from tests.support.e2e_waiting import eventually
from tools.bridge import operations
from tools.bridge.secrets import OperatorSecrets
from tools.demo.world import DRIVER_TAG
from tools.local_stack import LocalStack
from tools.partner_simulator import ResultType

# One after the other; the tables' own happenings stand between them.
HOPS = (
    "relay_outbox",
    "send_charger_commands",
    "csms_callback",
    "deliver_results",
)
NOBODY_LISTENS = "http://localhost:9"


@pytest.fixture(scope="module")
def bridge(stack: LocalStack, tmp_path_factory: pytest.TempPathFactory) -> DeployedBridge:
    return DeployedBridge(stack, tmp_path_factory.mktemp("operator"))


@pytest.fixture(scope="module")
def place(stack: LocalStack) -> Iterator[Site]:
    """Without the check that no rule was broken: a token that is wrong breaks one."""
    name = site_name()
    station = sites_station(name)
    with site_world(stack, name, [station]) as world, charging_at(world, station.station_id) as charging:
        yield charging


def test_a_request_is_told_hop_by_hop_from_the_door_to_the_partner_and_drawn(
    bridge: DeployedBridge, place: Site, tmp_path: Path
) -> None:
    exchange = place.bridge.put_profile(place.session_id, flat(7000))
    assert exchange.wait_for_result(SOON).result is ResultType.ACCEPTED
    place.items.wait_for_state(place.session_id, exchange.response_url, RequestState.DELIVERED, SOON)
    request = place.items.request_of(place.session_id, exchange.response_url)

    def whole() -> Any:  # noqa: ANN401 - JSON
        """The trace, once the last function has written its lines."""
        told = bridge("trace", request.request_id)
        return told if any(one["what"] == "result.attempt" for one in told["events"]) else None

    told = eventually(whole, SOON, what="the deliverer's line in the log")

    places = [one["where"] for one in told["events"]]
    firsts = [places.index(hop) for hop in HOPS]
    assert firsts == sorted(firsts), places
    assert (told["session_id"], told["requests"]) == (place.session_id, [request.request_id])
    [door] = [one for one in told["events"] if one["where"] == "ocpi_charging_profiles"]
    assert door["outcome"] == "HTTP 200, OCPI 1000, ACCEPTED"
    [delivered] = [one for one in told["events"] if one["what"] == "result.attempt"]
    assert delivered["outcome"] == "SET, delivered"
    # The same by what the partner and the CSMS know it by.
    assert bridge("trace", request.correlation_id)["requests"] == [request.request_id]
    assert bridge("trace", f"{place.csms.csms_id}/{place.station_id}")["session_id"] == place.session_id
    page = tmp_path / "session.html"
    bridge("session", "plot", request.request_id, "--out", str(page))
    assert "<svg" in page.read_text("utf-8")
    shown = bridge.text("trace", request.request_id)
    assert DRIVER_TAG not in shown
    assert (exchange.response_url or "?") not in shown


def test_the_doctor_finds_what_is_wrong_and_names_the_remedy(
    stack: LocalStack, bridge: DeployedBridge, place: Site
) -> None:
    world = place.world
    own, dead, empty = world.csms_id, f"dead-{world.csms_id}", f"empty-{world.csms_id}"
    secrets = OperatorSecrets(stack.client("secretsmanager"), stack.outputs["SecretsPrefix"])
    known = world.registry.get_csms(own)
    assert known is not None
    for csms in (replace(known, csms_id=dead, base_url=NOBODY_LISTENS), replace(known, csms_id=empty)):
        operations.add_csms(world.registry, secrets, csms, event_key=None, api_credential=None)
    [station] = world.stations
    silent = replace(
        station,
        csms_id=dead,
        station_id=f"{dead}-1",
        evses=tuple(replace(one, uid=f"{dead}-{one.uid}") for one in station.evses),
    )
    world.registry.import_stations(dead, [silent])

    before = by_subject(bridge("doctor", exit_code=1))
    assert before["OCPI API", f"{stack.ocpi_api_url}/ocpi/versions"]["verdict"] == "ok"
    assert {before["versions", version]["verdict"] for version in ("2.2.1", "2.3.0")} == {"ok"}
    assert before["CSMS API", f"{stack.csms_api_url}/csms/v1/events"]["verdict"] == "ok"
    assert before["partner answers", f"partner {world.partner_id}"]["verdict"] == "ok"
    assert before["CSMS answers", f"CSMS {own}"]["verdict"] == "ok"
    assert before["clock", "this machine"]["verdict"] == "ok"
    assert {one["verdict"] for (check, _), one in before.items() if check == "queues and streams"} == {"ok"}
    # A dead CSMS, and one without a station.
    assert "base_url" in before["CSMS answers", f"CSMS {dead}"]["seen"]
    assert "bridge station import" in before["stations", f"CSMS {empty}"]["remedy"]

    queues = stack.client("sqs")
    letter = queues.send_message(QueueUrl=stack.outputs["CsmsEventsDeadLetterQueueUrl"], MessageBody='{"events": []}')
    with _wrong_token(stack, world.partner_id), _deleted(stack, f"csms/{empty}"):
        found = by_subject(bridge("doctor", exit_code=1))
    assert "bridge dlq list --queue csms-events" in found["dead letters", "csms-events"]["remedy"]
    assert "--present-token" in found["partner answers", f"partner {world.partner_id}"]["remedy"]
    assert "restore-secret" in found["secret", f"csms/{empty}"]["remedy"]
    bridge("dlq", "discard", letter["MessageId"], "--queue", "csms-events", "--yes")
    for csms_id in (dead, empty):
        operations.remove_csms(world.registry, secrets, csms_id, with_stations=True)


def test_the_doctor_names_what_the_operator_may_not_do(stack: LocalStack, tmp_path: Path) -> None:
    with _operator_without(stack, "cloudwatch:DescribeAlarms") as credentials:
        found = by_subject(DeployedBridge(stack, tmp_path, **credentials)("doctor", exit_code=1))
    assert found["alarms", "all"]["seen"] == "AWS does not let you do cloudwatch:DescribeAlarms"
    [(_, mine)] = [one for one in found.items() if one[0][0] == "permissions"]
    assert "let this role do cloudwatch:DescribeAlarms" in mine["remedy"]


@contextmanager
def _wrong_token(stack: LocalStack, partner_id: str) -> Iterator[None]:
    """Meanwhile the token that we present to the partner is not the one that it gave us."""
    client, name = stack.client("secretsmanager"), f"{stack.outputs['SecretsPrefix']}/partners/{partner_id}"
    right = client.get_secret_value(SecretId=name)["SecretString"]
    client.put_secret_value(SecretId=name, SecretString=json.dumps({"token": "another-token-altogether"}))
    try:
        yield
    finally:
        client.put_secret_value(SecretId=name, SecretString=right)


@contextmanager
def _deleted(stack: LocalStack, secret: str) -> Iterator[None]:
    """Meanwhile the secret waits to be deleted for good."""
    client, name = stack.client("secretsmanager"), f"{stack.outputs['SecretsPrefix']}/{secret}"
    client.delete_secret(SecretId=name, RecoveryWindowInDays=7)
    try:
        yield
    finally:
        client.restore_secret(SecretId=name)


@contextmanager
def _operator_without(stack: LocalStack, action: str) -> Iterator[dict[str, str]]:
    """The credentials of a user who may do everything but this."""
    described = stack.description
    session = boto3.Session(described.access_key_id, described.secret_access_key, region_name=described.region)
    iam: Any = session.client("iam", endpoint_url=described.endpoint, verify=described.ca_file)
    name = "operator-without-alarms"
    statements = [
        {"Effect": "Allow", "Action": "*", "Resource": "*"},
        {"Effect": "Deny", "Action": action, "Resource": "*"},
    ]
    iam.create_user(UserName=name)
    iam.put_user_policy(
        UserName=name,
        PolicyName="all-but-one",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": statements}),
    )
    key = iam.create_access_key(UserName=name)["AccessKey"]
    try:
        yield {"access_key_id": key["AccessKeyId"], "secret_access_key": key["SecretAccessKey"]}
    finally:
        iam.delete_access_key(UserName=name, AccessKeyId=key["AccessKeyId"])
        iam.delete_user_policy(UserName=name, PolicyName="all-but-one")
        iam.delete_user(UserName=name)
