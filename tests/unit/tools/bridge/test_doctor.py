"""`bridge doctor`: a healthy deployment passes, and each seeded fault is found and its remedy named."""

import base64
import json
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from ocpi_bridge.adapters.bounded_http.exchange import HttpCall, NoReply, Reply
from ocpi_bridge.adapters.dynamodb.intake import DynamoIntakeStore
from ocpi_bridge.adapters.dynamodb.refused_hosts import DynamoRefusedHosts
from ocpi_bridge.adapters.dynamodb.registry import DynamoRegistry
from ocpi_bridge.adapters.dynamodb.unplaced import DynamoUnplaced
from ocpi_bridge.domain.assignments import Assignment, Right, Scope
from ocpi_bridge.domain.partners import Registration
from ocpi_bridge.domain.stations import Csms, ProfileIdRange
from ocpi_bridge.domain.tokens import token_hash
from ocpi_bridge.ocpi import versions
from ocpi_bridge.ports.secrets import CsmsSecrets, PartnerSecret
from tests.support.command_line import CommandLine, Done
from tests.support.operator import PREFIX, CsmsExchange, Vault
from tests.support.queues import Queues
from tests.support.registry_entries import NEW_YEAR, csms, partner, station
from tests.support.tables import REGION, AwsTables
from tools.bridge import doctor as doctors
from tools.bridge import doctor_findings
from tools.bridge.aws import AlarmsClient, Aws
from tools.bridge.certificates import NoCertificate
from tools.bridge.cli import app
from tools.bridge.deployment import Deployment
from tools.bridge.doctor_aws import FED
from tools.bridge.doctor_findings import Check, Verdict
from tools.bridge.network import Network
from tools.bridge.secrets import OperatorSecrets

OCPI, CSMS_API = "https://ocpi.example", "https://csms-api.example"
PRESENTED = "what-we-present-to-it"


@dataclass
class Internet:
    """Everybody whom the doctor calls: our own APIs, with the deployment's registry behind them, and a partner."""

    tables: AwsTables
    told_url: str = OCPI
    partner_takes: str = PRESENTED
    partner_ahead: timedelta = timedelta()
    good_for: timedelta = timedelta(days=200)
    down: set[str] = field(default_factory=set)
    calls: list[str] = field(default_factory=list)

    def exchange(self, call: HttpCall, budget: float) -> Reply | NoReply:
        assert budget > 0
        self.calls.append(f"{call.method} {call.url}")
        if any(call.url.startswith(url) for url in self.down):
            return NoReply("connect", sent=False)
        if call.url.startswith(f"{OCPI}/ocpi/"):
            return self._ocpi(call)
        if call.url.startswith(CSMS_API):
            return _json(401, {"error": "not signed"})
        shown = call.headers["Authorization"].removeprefix("Token ")
        date = {"date": format_datetime(datetime.now(UTC) + self.partner_ahead, usegmt=True)}
        is_right = base64.b64decode(shown).decode() == self.partner_takes
        return Reply(200 if is_right else 401, date, b"{}")

    def close(self) -> None:
        """Nothing is kept open."""

    def expiry_of(self, host: str, port: int) -> datetime:
        if any(host in url for url in self.down):
            raise NoCertificate("there is no connection")
        return datetime.now(UTC) + self.good_for

    def _ocpi(self, call: HttpCall) -> Reply:
        token = call.headers.get("Authorization", "").removeprefix("Token ")
        if not token or not self._knows(base64.b64decode(token).decode()):
            return _json(401, {"status_code": 2000, "timestamp": "2026-01-15T17:00:00Z"})
        version = versions.version_in(call.url.removeprefix(OCPI))
        data = versions.versions(self.told_url) if version is None else versions.version_details(self.told_url, version)
        return _json(200, {"data": data, "status_code": 1000, "timestamp": "2026-01-15T17:00:00Z"})

    def _knows(self, token: str) -> bool:
        store = DynamoIntakeStore(self.tables.client, self.tables.sessions, self.tables.requests, self.tables.registry)
        return store.caller([token_hash(token)]).token is not None


class Mappings:
    """The event source mappings of the account."""

    def __init__(self) -> None:
        self.mappings = [
            {"UUID": f"uuid-{name}", "FunctionArn": f"arn:aws:lambda:eu-west-1:1:function:ocpi-bridge-prod-{name}:live"}
            for name in FED
        ]

    def get_paginator(self, operation: str) -> "Mappings":
        assert operation == "list_event_source_mappings"
        return self

    def paginate(self) -> list[dict[str, Any]]:
        return [{"EventSourceMappings": self.mappings}]


class NoAlarmsForYou:
    """CloudWatch, for somebody who may not look at alarms."""

    def describe_alarms(self, **_: object) -> Mapping[str, Any]:
        message = "User: arn:aws:iam::1:user/you is not authorized to perform: cloudwatch:DescribeAlarms on resource: *"
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": message}}, "DescribeAlarms")


@dataclass(frozen=True, slots=True)
class TestAws(Aws):
    """Moto, but for what it does not have, or what the operator may not do."""

    __test__ = False
    mappings: Mappings = field(default_factory=Mappings)
    may_see_alarms: bool = True

    def functions(self) -> Any:  # noqa: ANN401 - the small part of Lambda's client that is used
        return self.mappings

    def alarms(self) -> AlarmsClient:
        return Aws.alarms(self) if self.may_see_alarms else NoAlarmsForYou()


@pytest.fixture
def internet(tables: AwsTables) -> Internet:
    return Internet(tables)


@pytest.fixture
def alarms(tables: AwsTables) -> Iterator[Any]:
    """CloudWatch with one alarm of the stack, and one of somebody else."""
    client: Any = boto3.client("cloudwatch", region_name=REGION)
    for name in ("ocpi-bridge-prod: results are not delivered", "another stack: everything burns"):
        client.put_metric_alarm(
            AlarmName=name,
            AlarmDescription="Partners do not get results. docs/operations.md#results",
            Namespace="n",
            MetricName="m",
            Period=60,
            EvaluationPeriods=1,
            Threshold=1,
            Statistic="Sum",
            ComparisonOperator="GreaterThanThreshold",
        )
    client.set_alarm_state(AlarmName="another stack: everything burns", StateValue="ALARM", StateReason="fire")
    yield client
    client.delete_alarms(AlarmNames=[alarm["AlarmName"] for alarm in client.describe_alarms()["MetricAlarms"]])


@pytest.fixture
def healthy(
    deployment: Deployment,
    internet: Internet,
    alarms: object,
    registry: DynamoRegistry,
    secrets: OperatorSecrets,
    csms_exchange: CsmsExchange,
    vault: Vault,
) -> Deployment:
    """A deployment with one partner, one CSMS, one station, and nothing wrong."""
    secrets.put_csms("acme", CsmsSecrets("k" * 32, None))
    secrets.put_partner("partners/jedlix", PartnerSecret(PRESENTED))
    vault.client.create_secret(Name=f"{PREFIX}/callback-signing", SecretString="s" * 64)
    registry.add_csms(csms())
    registry.import_stations("acme", [station("CP-001", ("E-1",))])
    registry.add_partner(partner("jedlix"), [token_hash("t")], NEW_YEAR)
    registry.add_assignments([Assignment("jedlix", Scope.EVSE, "E-1", Right.STEER, NEW_YEAR, consent="signed")])
    csms_exchange.answer = _json(200, [{"success": True}])
    network = Network(lambda: internet, lambda: internet, internet.expiry_of)
    aws = deployment.aws
    return replace(deployment, network=network, aws=TestAws(aws.session, aws.outputs))


def examined(deployment: Deployment) -> tuple[Done, dict[tuple[str, str], dict[str, Any]]]:
    """What the command did, and its findings by check and subject."""
    done = CommandLine(app, deployment)("doctor", "--json")
    return done, {(one["check"], one["about"]): one for one in done.document}


def the_failure(deployment: Deployment) -> dict[str, Any]:
    """The one thing that is wrong; the exit code says that something is."""
    done, found = examined(deployment)
    failures = [one for one in found.values() if one["verdict"] == "failed"]
    assert len(failures) == 1, failures
    assert done.exit_code == 1
    return failures[0]


def test_a_healthy_deployment_passes_and_every_check_says_what_it_saw(healthy: Deployment) -> None:
    done, found = examined(healthy)
    assert done.exit_code == 0
    assert [one for one in found.values() if one["verdict"] != "ok"] == []
    assert {check for check, _ in found} == {
        "OCPI API",
        "CSMS API",
        "versions",
        "clock",
        "alarms",
        "dead letters",
        "queues and streams",
        "registry",
        "stations",
        "unplaced events",
        "profile ids",
        "assignments",
        "refused hosts",
        "secret",
        "partner answers",
        "CSMS answers",
        "certificate",
        "permissions",
    }
    assert all(one["seen"] and one["remedy"] is None for one in found.values())


def test_people_get_a_line_each_and_the_sum(healthy: Deployment) -> None:
    done = CommandLine(app, healthy)("doctor")
    assert "ok      stations - CSMS acme: 1 station(s)" in done.stdout
    assert done.stdout.rstrip().endswith(" ok.")


# --- The eight seeded faults -----------------------------------------------------------------------------------------


def test_a_wrong_token_is_found_and_the_right_one_asked_for(healthy: Deployment, internet: Internet) -> None:
    internet.partner_takes = "another-token"
    found = the_failure(healthy)
    assert (found["check"], found["about"]) == ("partner answers", "partner jedlix")
    assert "401" in found["seen"]
    assert "--present-token" in found["remedy"]
    assert "bridge partner replace" in found["remedy"]


def test_a_wrong_token_of_a_registered_partner_is_exchanged(
    healthy: Deployment, internet: Internet, registry: DynamoRegistry
) -> None:
    known = partner("jedlix")
    registered = replace(known, registration=Registration.REGISTERED, versions_url="https://ocpi.jedlix.com/versions")
    registry.remove_partner("jedlix")
    registry.add_partner(registered, [token_hash("t")], NEW_YEAR)
    registry.add_assignments([Assignment("jedlix", Scope.EVSE, "E-1", Right.STEER, NEW_YEAR, consent="signed")])
    internet.partner_takes = "another-token"
    assert "bridge partner rotate jedlix" in the_failure(healthy)["remedy"]
    assert "GET https://ocpi.jedlix.com/versions" in internet.calls


def test_a_dead_csms_is_found_and_where_to_look_is_told(healthy: Deployment, csms_exchange: CsmsExchange) -> None:
    csms_exchange.answer = NoReply("connect", sent=False)
    found = the_failure(healthy)
    assert (found["check"], found["about"]) == ("CSMS answers", "CSMS acme")
    assert "nobody listens there: look at the host and port of `base_url`" in found["seen"]
    assert "bridge csms test acme" in found["remedy"]


def test_a_station_that_reports_and_is_missing_is_found_and_to_be_imported(
    healthy: Deployment, tables: AwsTables
) -> None:
    DynamoUnplaced(tables.client, tables.registry).note(
        "acme", "unknown_station", datetime.now(UTC), station_id="CP-404"
    )
    found = the_failure(healthy)
    assert (found["check"], found["about"]) == ("stations", "CSMS acme")
    assert "CP-404" in found["seen"]
    assert "bridge station import" in found["remedy"]


def test_a_csms_without_any_station_is_found(healthy: Deployment, registry: DynamoRegistry) -> None:
    registry.remove_station("acme", "CP-001")
    found = the_failure(healthy)
    assert (found["check"], found["seen"]) == ("stations", "it has no station")


def test_a_full_dead_letter_queue_is_found_and_how_to_look_into_it(healthy: Deployment, queues: Queues) -> None:
    queues.client.send_message(QueueUrl=queues.failed_deliveries, MessageBody="{}")
    found = the_failure(healthy)
    assert (found["check"], found["about"]) == ("dead letters", "result-callbacks")
    assert "bridge dlq list --queue result-callbacks" in found["remedy"]


def test_an_expired_secret_is_found_and_how_it_comes_back(healthy: Deployment, vault: Vault) -> None:
    vault.client.delete_secret(SecretId=f"{PREFIX}/csms/acme", RecoveryWindowInDays=7)
    done, found = examined(healthy)
    secret = found["secret", "csms/acme"]
    assert done.exit_code == 1
    assert secret["verdict"] == "failed"
    assert "marked for deletion" in secret["seen"]
    assert f"restore-secret --secret-id {PREFIX}/csms/acme" in secret["remedy"]
    assert "bridge csms replace" in secret["remedy"]


def test_a_wrong_clock_is_found_and_to_be_set(healthy: Deployment) -> None:
    class Fast:
        def now(self) -> datetime:
            return datetime.now(UTC) + timedelta(minutes=10)

    findings = doctors.Doctor.of(healthy, Fast()).examine()
    [failure] = [one for one in findings if one.verdict is Verdict.FAILED]
    assert (failure.check, failure.about) == ("clock", "this machine")
    assert failure.seen.endswith("s ahead")
    assert "NTP" in failure.remedy


def test_a_partners_wrong_clock_is_told_from_ours(healthy: Deployment, internet: Internet) -> None:
    internet.partner_ahead = -timedelta(minutes=3)
    found = the_failure(healthy)
    assert (found["check"], found["about"]) == ("clock", "partner jedlix")
    assert "behind" in found["seen"]


def test_a_wrong_url_in_the_versions_is_found_and_which_setting_mends_it(
    healthy: Deployment, internet: Internet
) -> None:
    internet.told_url = "https://old.example"
    done, found = examined(healthy)
    assert done.exit_code == 1
    assert {about for (check, about), one in found.items() if one["verdict"] == "failed"} == {*versions.VERSIONS}
    one = found["versions", "2.2.1"]
    assert "https://old.example/ocpi/2.2.1, which is not of https://ocpi.example" in one["seen"]
    assert "`ocpi_url`" in one["remedy"]


def test_a_missing_permission_is_found_and_named(healthy: Deployment) -> None:
    aws = healthy.aws
    blind = replace(healthy, aws=TestAws(aws.session, aws.outputs, may_see_alarms=False))
    done, found = examined(blind)
    assert done.exit_code == 1
    assert found["alarms", "all"]["seen"] == "AWS does not let you do cloudwatch:DescribeAlarms"
    [permissions] = [one for (check, _), one in found.items() if check == "permissions"]
    assert permissions["verdict"] == "failed"
    assert "let this role do cloudwatch:DescribeAlarms" in permissions["remedy"]


# --- More that can be wrong ------------------------------------------------------------------------------------------


def test_no_token_is_left_after_the_versions_were_read(healthy: Deployment, tables: AwsTables) -> None:
    before = tables.items(tables.registry)
    examined(healthy)
    assert tables.items(tables.registry) == before


def test_an_api_that_is_another_deployments_is_found(healthy: Deployment, internet: Internet) -> None:
    internet.tables = AwsTables(internet.tables.client, internet.tables.sessions, internet.tables.requests, "requests")
    found = the_failure(healthy)
    assert found["check"] == "versions"
    assert "another deployment" in found["seen"]


def test_apis_that_nobody_reaches_are_found(healthy: Deployment, internet: Internet) -> None:
    internet.down = {OCPI, CSMS_API}
    done, found = examined(healthy)
    failed = {check for (check, _), one in found.items() if one["verdict"] == "failed"}
    assert failed == {"OCPI API", "CSMS API", "versions", "certificate"}
    assert done.exit_code == 1


def test_an_alarm_that_rings_is_told_with_its_runbook(healthy: Deployment, alarms: Any) -> None:  # noqa: ANN401
    alarms.set_alarm_state(
        AlarmName="ocpi-bridge-prod: results are not delivered", StateValue="ALARM", StateReason="5 of 5"
    )
    found = the_failure(healthy)
    assert (found["about"], found["seen"]) == ("results are not delivered", "5 of 5")
    assert "docs/operations.md#results" in found["remedy"]


def test_a_source_that_is_switched_off_is_told_with_the_command_that_switches_it_on(healthy: Deployment) -> None:
    aws = healthy.aws
    assert isinstance(aws, TestAws)
    aws.mappings.mappings[0]["State"] = "Disabled"
    found = the_failure(healthy)
    assert (found["check"], found["about"]) == ("queues and streams", f"ocpi-bridge-prod-{FED[0]}")
    assert f"--uuid uuid-{FED[0]} --enabled" in found["remedy"]


def test_a_function_that_nothing_feeds_is_found(healthy: Deployment) -> None:
    aws = healthy.aws
    assert isinstance(aws, TestAws)
    aws.mappings.mappings.pop()
    assert the_failure(healthy)["seen"] == "nothing feeds it"


def test_a_stack_that_names_not_all_functions_is_found(healthy: Deployment) -> None:
    aws = healthy.aws
    older = {name: value for name, value in aws.outputs.items() if name != f"{FED[0]}FunctionName"}
    found = the_failure(replace(healthy, aws=TestAws(aws.session, older)))
    assert (found["about"], "deploy it again" in found["remedy"]) == (FED[0], True)


@pytest.mark.parametrize(("left", "verdict"), [(timedelta(days=1), "failed"), (timedelta(days=10), "warning")])
def test_a_certificate_that_soon_ends_is_found(
    left: timedelta, verdict: str, healthy: Deployment, internet: Internet
) -> None:
    internet.good_for = left
    _, found = examined(healthy)
    assert {one["verdict"] for (check, _), one in found.items() if check == "certificate"} == {verdict}


def test_refused_hosts_are_a_warning_and_the_exit_code_stays_0(healthy: Deployment, tables: AwsTables) -> None:
    hosts = DynamoRefusedHosts(tables.client, tables.registry)
    hosts.note_refused_host("jedlix", "callbacks.example", "is not on the list", datetime.now(UTC))
    done, found = examined(healthy)
    assert (done.exit_code, found["refused hosts", "partner jedlix"]["verdict"]) == (0, "warning")
    assert "callback_hosts" in found["refused hosts", "partner jedlix"]["remedy"]


def test_too_few_profile_ids_are_found(healthy: Deployment, registry: DynamoRegistry) -> None:
    few: Csms = replace(csms(), profile_ids=ProfileIdRange(7, 7))
    registry.replace_csms(few)
    registry.import_stations("acme", [station("CP-001", ("E-1", "E-2"))])
    assert "fewer than the 2 places" in the_failure(healthy)["seen"]


def test_a_secret_that_is_not_there_or_says_nothing_is_found(healthy: Deployment, vault: Vault) -> None:
    vault.client.put_secret_value(SecretId=f"{PREFIX}/partners/jedlix", SecretString="{}")
    vault.client.delete_secret(SecretId=f"{PREFIX}/callback-signing", ForceDeleteWithoutRecovery=True)
    _, found = examined(healthy)
    assert found["secret", "partners/jedlix"]["seen"] == "it has neither a token nor a client_secret"
    assert found["secret", "callback-signing"]["seen"] == "there is none"


def test_a_registry_that_cannot_be_read_leaves_the_other_checks(healthy: Deployment) -> None:
    aws = healthy.aws
    outputs = {**aws.outputs, "RegistryTableName": "gone"}
    done, found = examined(replace(healthy, aws=TestAws(aws.session, outputs)))
    assert done.exit_code == 1
    assert found["registry", "entries"]["verdict"] == "failed"
    assert found["stations", "all"]["verdict"] == "skipped"
    assert found["OCPI API", f"{OCPI}/ocpi/versions"]["verdict"] == "ok"


def test_a_check_that_takes_too_long_has_failed_and_the_others_are_told() -> None:
    released = threading.Event()
    checks = [
        Check("slow", "one", lambda: [doctor_findings.ok("slow", "one", str(released.wait(30)))]),
        Check("quick", "two", lambda: [doctor_findings.ok("quick", "two", "seen")]),
    ]
    slow, quick = doctor_findings.run(checks, within=2)
    released.set()
    assert (slow.verdict, quick.verdict) == (Verdict.FAILED, Verdict.OK)
    assert "no answer within" in slow.seen


def _json(status: int, content: object) -> Reply:
    return Reply(status, {}, json.dumps(content).encode())
