"""Alarms: nothing unwatched, each reaches a person, and each has its page in the runbook."""

import re
from pathlib import Path

import pytest

from tests.infra.stack_template import FUNCTIONS, StackTemplate
from tests.infra.watching import alarmed, alarms, composites, dashboards
from tools.bridge.doctor_aws import PART_OF_AN_ALARM

pytestmark = pytest.mark.integration

RUNBOOK = Path(__file__).resolve().parents[2] / "docs" / "operations.md"
QUEUES = ("charger-commands", "request-deadlines", "result-callbacks", "partner-updates", "csms-events")


def test_every_dead_letter_queue_is_watched_by_depth_and_by_age_and_every_queue_by_age(
    production: StackTemplate,
) -> None:
    watched = {
        (metric.name, dict(metric.dimensions)["QueueName"].split(".")[0])
        for alarm in alarms(production).values()
        for metric in alarmed(alarm, production)
        if metric.namespace == "AWS/SQS"
    }
    dead = {f"Queues/{name}-dlq" for name in QUEUES} | {"Queues/relay-failures"}

    assert {path for name, path in watched if name == "ApproximateNumberOfMessagesVisible"} == dead
    assert {path for name, path in watched if name == "ApproximateAgeOfOldestMessage"} == dead | {
        f"Queues/{name}" for name in QUEUES
    }


def test_every_function_is_watched_for_errors_and_for_throttles(production: StackTemplate) -> None:
    for name in ("Errors", "Throttles"):
        watched = {
            dict(metric.dimensions)["FunctionName"].split("/")[1]
            for alarm in alarms(production).values()
            for metric in alarmed(alarm, production)
            if metric.name == name
        }
        assert watched == set(FUNCTIONS), name


def test_a_table_is_watched_with_the_indexes_that_can_hold_it_up(production: StackTemplate) -> None:
    throttles = {
        tuple(sorted(value for _, value in metric.dimensions))
        for alarm in alarms(production).values()
        for metric in alarmed(alarm, production)
        if metric.name == "WriteThrottleEvents"
    }
    expected = {("Tables/Registry",), ("Tables/Requests",), ("Tables/Sessions",), ("Tables/Requests", "open")}
    assert throttles == expected | {("Tables/Sessions", index) for index in ("due", "feed", "live")}


def test_an_alarm_rests_on_as_many_metrics_as_cloudwatch_takes(production: StackTemplate) -> None:
    for name, alarm in alarms(production).items():
        assert len(alarmed(alarm, production)) <= 10, name
        assert alarm["EvaluationPeriods"] * alarm.get("Period", 300) <= 86_400, name


def test_an_alarm_reaches_a_person_itself_or_by_the_one_that_it_is_a_part_of(production: StackTemplate) -> None:
    """A page rings once for all that is wrong; tickets ring one by one."""
    telling = {
        name: {production.name(action) for action in alarm.get("AlarmActions", [])}
        for name, alarm in {**alarms(production), **composites(production)}.items()
    }
    rules = {name: str(alarm["AlarmRule"]) for name, alarm in composites(production).items()}
    ids = {
        alarm["AlarmName"]: logical_id
        for logical_id, resource in production.document["Resources"].items()
        if "AlarmName" in (alarm := resource.get("Properties", {}))
    }
    page, ticket = "ocpi-bridge-production: page", "ocpi-bridge-production: ticket"
    assert telling[page] == {"Alarms/Bell/Pages"}
    assert telling[ticket] == set(), "its alarms tell by themselves"
    for name, topics in telling.items():
        if name in {page, ticket}:
            continue
        above = {other for other, rule in rules.items() if f"'{ids[name]}'" in rule}
        if topics:
            assert (topics, above) == ({"Alarms/Bell/Tickets"}, {ticket}), name
        else:
            assert len(above) == 1, name
            assert above <= {page} | {other for other in rules if "burn" in other}, name


def test_only_what_counts_each_minute_may_be_missed(production: StackTemplate) -> None:
    breaching = [name for name, alarm in alarms(production).items() if alarm["TreatMissingData"] == "breaching"]

    assert breaching == ["ocpi-bridge-production: the sweep does not run"]


def test_no_two_alarms_say_the_same(production: StackTemplate) -> None:
    names = [
        alarm["AlarmName"]
        for kind in ("AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm")
        for _, alarm in production.of_type(kind)
    ]

    assert len(names) == len(set(names))
    assert all(name.startswith("ocpi-bridge-production: ") for name in names)


def test_every_alarm_names_an_entry_of_the_runbook_and_every_entry_has_an_alarm(production: StackTemplate) -> None:
    entries = {_anchor(heading) for heading in re.findall(r"^### (.+)$", RUNBOOK.read_text(), re.MULTILINE)}
    named = set()
    for name, alarm in {**alarms(production), **composites(production)}.items():
        place, _, anchor = alarm["AlarmDescription"].rpartition(" ")[2].partition("#")
        assert (place, anchor in entries) == ("docs/operations.md", True), name
        named.add(anchor)

    assert named == entries


def test_the_embedded_stage_has_what_the_embedded_aws_takes(production: StackTemplate, local: StackTemplate) -> None:
    """No metric math, no composite alarms, no saved queries; every other alarm is the same, and tells by itself."""
    simple = {name.split(": ")[1] for name, alarm in alarms(production).items() if "Metrics" not in alarm}

    assert {name.split(": ")[1] for name in alarms(local)} == simple
    assert all(alarm["AlarmActions"] for alarm in alarms(local).values())
    assert composites(local) == {}
    assert list(local.of_type("AWS::Logs::QueryDefinition")) == []
    assert [len(one) for one in dashboards(local).values()] == [len(one) for one in dashboards(production).values()]


def _anchor(heading: str) -> str:
    """As GitHub makes it of a heading."""
    return re.sub(r"[^a-z0-9 -]", "", heading.lower()).replace(" ", "-")


def test_the_operators_examination_tells_parts_of_an_alarm_from_alarms(production: StackTemplate) -> None:
    described = {name: str(alarm["AlarmDescription"]) for name, alarm in alarms(production).items()}
    parts = {name for name, description in described.items() if description.startswith(PART_OF_AN_ALARM)}
    assert parts == {
        name for name in described if any(name.startswith(f"{whole}, ") for whole in composites(production))
    }
    assert parts
