"""What AWS holds for the bridge: clock, secrets, alarms, dead letters, and whether functions are fed from their queues."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from ocpi_bridge.domain.errors import InvalidInput, UnknownEntity
from ocpi_bridge.ports.clock import Clock
from ocpi_bridge.ports.secrets import SecretStore
from tools.bridge.aws import AlarmsClient, IdentityClient
from tools.bridge.dlq_redrive import DeadLetters
from tools.bridge.doctor_findings import Finding, failed, ok, warning
from tools.bridge.doctor_peers import clock_finding
from tools.bridge.doctor_registry import Known
from tools.bridge.partner_probe import date_of
from tools.bridge.partner_secrets import how_to_give

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_secretsmanager import SecretsManagerClient

SECRETS: Final = "secret"
ALARMS: Final = "alarms"
DEAD_LETTERS: Final = "dead letters"
SOURCES: Final = "queues and streams"
PERMISSIONS: Final = "permissions"

# Those whose work comes from queues and streams (infra/constructs/workers.py).
FED: Final = ("RelayOutbox", "SendChargerCommands", "DeliverResults", "IngestCsmsEvents", "PushUpdates")
# One that only counts together with another (infra/constructs/alarm_bell.py).
PART_OF_AN_ALARM: Final = "Only a part of the alarm"
# All of an account's mappings are listed: a hundred a page.
MOST_PAGES = 20


@dataclass(frozen=True, slots=True)
class AwsClock:
    """AWS's clock beside this machine's."""

    dynamodb: "DynamoDBClient"
    table: str
    clock: Clock

    def offset(self) -> timedelta | None:
        """How far AWS is ahead of this machine, by the Date of an answer; None where it has none."""
        before = self.clock.now()
        key = {"pk": {"S": "DOCTOR"}, "sk": {"S": "CLOCK"}}
        answer = self.dynamodb.get_item(TableName=self.table, Key=key)
        told = date_of(answer["ResponseMetadata"]["HTTPHeaders"].get("date"))
        return None if told is None else told - (before + (self.clock.now() - before) / 2)

    def check(self) -> Iterable[Finding]:
        """Whether this machine's clock is right."""
        ahead = self.offset()
        if ahead is not None:
            yield clock_finding(
                "this machine",
                -ahead,
                "set it by NTP (`timedatectl set-ntp true`): what operators say counts from the instant at which they say it",
            )


@dataclass(frozen=True, slots=True)
class SecretChecks:
    """Whether the secrets that the registry's entries need are there and can be read."""

    client: "SecretsManagerClient"
    prefix: str
    store: SecretStore

    def check(self, known: Known) -> Iterator[Finding]:
        """One finding a secret; nothing of their content is shown."""
        yield self._checked("callback-signing", self.store.callback_signing_key, "deploy the stack again: it makes one")
        for partner in known.partners:
            if partner.connected:
                again = f"{how_to_give(partner)} to `bridge partner replace FILE`, or `bridge partner rotate`"
                read = partial(self.store.partner_secret, partner, fresh=True)
                yield self._checked(partner.secret_name, read, again)
        for csms in known.csmss:
            again = "`bridge csms replace FILE --event-key SOURCE`, with --api-credential where its file has auth"
            yield self._checked(
                f"csms/{csms.csms_id}", partial(self.store.csms_secrets, csms.csms_id, fresh=True), again
            )

    def _checked(self, name: str, read: Callable[[], object], again: str) -> Finding:
        full = f"{self.prefix}/{name}"
        try:
            described: Mapping[str, object] = self.client.describe_secret(SecretId=full)
        except self.client.exceptions.ResourceNotFoundException:
            return failed(SECRETS, name, "there is none", again)
        deleted_at = described.get("DeletedDate")
        if isinstance(deleted_at, datetime):
            seen = f"it is marked for deletion ({deleted_at:%Y-%m-%d}), and nobody can read it any more"
            remedy = f"`aws secretsmanager restore-secret --secret-id {full}`, or give another one: {again}"
            return failed(SECRETS, name, seen, remedy)
        try:
            read()
        except UnknownEntity:
            return failed(SECRETS, name, "it has no value", again)
        except InvalidInput as error:
            return failed(SECRETS, name, f"it {error.problem}", again)
        return ok(SECRETS, name, "it is there and can be read")


@dataclass(frozen=True, slots=True)
class Running:
    """What runs: alarms, dead letters, and the mappings by which functions get their work."""

    stack: str
    alarms: AlarmsClient
    dead_letters: DeadLetters
    functions: "LambdaClient"
    outputs: Mapping[str, str]

    def alarms_rest(self) -> Iterable[Finding]:
        """Which alarms ring."""
        found = [*self._alarms()]
        ringing = [one for one in found if one["StateValue"] == "ALARM" and not _is_part(one)]
        for alarm in ringing:
            name = str(alarm["AlarmName"]).removeprefix(f"{self.stack}: ")
            yield failed(ALARMS, name, str(alarm.get("StateReason") or "it rings"), str(alarm["AlarmDescription"]))
        if not found:
            yield failed(ALARMS, "all", "there is no alarm: nobody would be told", "deploy the stack again")
        elif not ringing:
            yield ok(ALARMS, "all", f"none of {len(found)} rings")

    def dead_letters_rest(self) -> Iterable[Finding]:
        """Which dead-letter queues have letters."""
        for letters in self.dead_letters.queues:
            depth = self.dead_letters.box.depth(letters)
            if depth:
                remedy = f"`bridge dlq list --queue {letters.name}` tells why; then `redrive` or `discard` (docs/dead-letters.md)"
                yield failed(DEAD_LETTERS, letters.name, f"about {depth} letter(s) lie there", remedy)
            else:
                yield ok(DEAD_LETTERS, letters.name, "empty")

    def functions_are_fed(self) -> Iterable[Finding]:
        """Whether work reaches the functions from their queues and streams."""
        mappings = self._mappings()
        for output in FED:
            name = self.outputs.get(f"{output}FunctionName")
            if name is None:
                yield failed(SOURCES, output, "the stack names no such function", "deploy it again with this version")
                continue
            own = [one for one in mappings if _is_of(one, name)]
            off = [one for one in own if str(one.get("State", "Enabled")).startswith("Disabl")]
            problem = next((str(one["LastProcessingResult"]) for one in own if _has_problem(one)), None)
            if not own:
                yield failed(SOURCES, name, "nothing feeds it", "deploy the stack again")
            elif off:
                uuids = [f"`aws lambda update-event-source-mapping --uuid {one['UUID']} --enabled`" for one in off]
                yield failed(SOURCES, name, f"{len(off)} of its {len(own)} sources are switched off", "; ".join(uuids))
            elif problem is not None:
                yield warning(SOURCES, name, problem, "look at the function's role, and at its log")
            else:
                yield ok(SOURCES, name, f"{len(own)} source(s)")

    def _alarms(self) -> Iterator[Mapping[str, Any]]:
        wanted: dict[str, object] = {
            "AlarmNamePrefix": f"{self.stack}: ",
            "AlarmTypes": ["MetricAlarm", "CompositeAlarm"],
            "MaxRecords": 100,
        }
        for _ in range(MOST_PAGES):
            page = self.alarms.describe_alarms(**wanted)
            yield from page.get("MetricAlarms", [])
            yield from page.get("CompositeAlarms", [])
            if not page.get("NextToken"):
                return
            wanted["NextToken"] = page["NextToken"]

    def _mappings(self) -> list[Mapping[str, Any]]:
        found: list[Mapping[str, Any]] = []
        pages = self.functions.get_paginator("list_event_source_mappings").paginate()
        for number, page in enumerate(pages, 1):
            found += page["EventSourceMappings"]
            if number == MOST_PAGES:
                break
        return found


def permissions(identity: IdentityClient, found: Sequence[Finding]) -> Finding:
    """What the operator was not allowed in all other checks; what changes something was not tried."""
    denied = sorted({finding.denied for finding in found if finding.denied is not None})
    who = str(identity.get_caller_identity()["Arn"])
    if denied:
        seen = f"denied: {', '.join(denied)}"
        return failed(PERMISSIONS, who, seen, f"let this role do {', '.join(denied)}, or use another one")
    return ok(PERMISSIONS, who, "all that was looked at could be read")


def _is_of(mapping: Mapping[str, Any], name: str) -> bool:
    """Whether it is of this function, and not of one whose name only begins so."""
    return str(mapping["FunctionArn"]).partition(":function:")[2].partition(":")[0] == name


def _has_problem(mapping: Mapping[str, Any]) -> bool:
    return str(mapping.get("LastProcessingResult") or "").startswith("PROBLEM")


def _is_part(alarm: Mapping[str, Any]) -> bool:
    return str(alarm.get("AlarmDescription") or "").startswith(PART_OF_AN_ALARM)
