"""`bridge assignment`: one assignment by options beside the file, and what the list shows."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ocpi_bridge.adapters.dynamodb.registry import DynamoRegistry
from ocpi_bridge.domain.assignments import Assignment, Right, Scope, Share
from tests.support import registry_entries
from tests.support.command_line import CommandLine
from tests.support.operator import EXAMPLES
from tools.bridge.cli import app
from tools.bridge.deployment import Deployment

EVSE_UID = "BE*BEC*E041503001"
ONE = ("--partner", "jedlix", "--scope", "evse", "--key", EVSE_UID, "--right", "steer")


@pytest.fixture
def bridge(deployment: Deployment, registry: DynamoRegistry) -> CommandLine:
    for partner_id in ("jedlix", "other"):
        registry.add_partner(registry_entries.partner(partner_id), [], datetime.now(UTC))
    registry.add_csms(registry_entries.csms())
    registry.import_stations("acme", [registry_entries.station()])
    return CommandLine(app, deployment)


def test_one_assignment_is_added_by_options_and_counts_from_now_on(
    bridge: CommandLine, registry: DynamoRegistry
) -> None:
    before = datetime.now(UTC)
    done = bridge("assignment", "add", *ONE)
    assert done.exit_code == 0, done.stderr
    [assignment] = registry.list_assignments()
    assert (assignment.partner_id, assignment.scope, assignment.key) == ("jedlix", Scope.EVSE, EVSE_UID)
    assert (assignment.right, assignment.valid_until, assignment.shares) == (Right.STEER, None, frozenset())
    assert before <= assignment.valid_from <= datetime.now(UTC)


def test_all_that_a_file_can_say_can_be_said_by_options(bridge: CommandLine, registry: DynamoRegistry) -> None:
    done = bridge(
        *("assignment", "add", "--partner", "jedlix", "--scope", "token", "--key", "04AA", "--right", "see"),
        *("--from", "2026-01-01", "--until", "2027-01-01T00:00:00+01:00", "--consent", "letter of 2026-01-01"),
        *("--share", "token", "--share", "state_of_charge"),
    )
    assert done.exit_code == 0, done.stderr
    assert registry.list_assignments() == (
        Assignment(
            "jedlix",
            Scope.TOKEN,
            "04AA",
            Right.SEE,
            datetime(2026, 1, 1, tzinfo=UTC),
            datetime(2026, 12, 31, 23, tzinfo=UTC),
            "letter of 2026-01-01",
            frozenset(Share),
        ),
    )


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        (EXAMPLES / "assignments.json", *ONE),
        (EXAMPLES / "assignments.json", "--consent", "letter"),
        ONE[:-2],
        ONE[2:],
        (*ONE, "--until", "tomorrow"),
        (*ONE, "--share", "name"),
        (*ONE[:3], "house", *ONE[4:]),
    ],
)
def test_it_is_one_form_or_the_other_and_whole(
    bridge: CommandLine, registry: DynamoRegistry, arguments: tuple[str | Path, ...]
) -> None:
    done = bridge("assignment", "add", *arguments)
    assert done.exit_code == 2
    assert registry.list_assignments() == ()


def test_what_is_missing_is_named(bridge: CommandLine) -> None:
    done = bridge("assignment", "add", "--partner", "jedlix", "--scope", "evse")
    assert "--key, --right" in " ".join(done.stderr.split())


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        (("--partner", "unknown"), "--partner: unknown partner 'unknown'"),
        (("--key", "unknown"), "--key: no station has an EVSE with the uid 'unknown'"),
        (("--key", " "), "--key: must be 1 to 36"),
        (("--until", "2020-01-01"), "--until: must be after valid_from"),
        (("--share", "token"), "--consent: must say where"),
    ],
)
def test_a_problem_is_told_by_the_option_it_comes_from(
    bridge: CommandLine, registry: DynamoRegistry, changed: tuple[str, str], told: str
) -> None:
    done = bridge("assignment", "add", *ONE, *changed)
    assert done.exit_code == 1
    assert told in done.stderr
    assert "assignments.0" not in done.stderr
    assert registry.list_assignments() == ()


def test_a_partner_that_steers_already_is_told_by_the_option_too(bridge: CommandLine, registry: DynamoRegistry) -> None:
    registry.add_assignments([registry_entries.assignment("other")])
    done = bridge("assignment", "add", *ONE)
    assert done.exit_code == 1
    assert "--right: the assignment of evse" in done.stderr


def _ended(one: Assignment) -> Assignment:
    return replace(one, valid_until=datetime.now(UTC) - timedelta(days=1))


def _to_come(one: Assignment) -> Assignment:
    return replace(one, valid_from=datetime.now(UTC) + timedelta(days=1))


@pytest.mark.parametrize("change", [_ended, _to_come])
def test_the_list_can_be_of_those_in_force(
    bridge: CommandLine, registry: DynamoRegistry, change: Callable[[Assignment], Assignment]
) -> None:
    in_force = registry_entries.assignment(scope=Scope.TOKEN, key="04AA")
    registry.add_assignments([in_force, change(registry_entries.assignment(scope=Scope.TOKEN, key="04BB"))])
    assert [one["key"] for one in bridge("assignment", "list", "--json").document] == ["04AA", "04BB"]
    assert [one["key"] for one in bridge("assignment", "list", "--valid", "--json").document] == ["04AA"]


def test_the_list_shows_what_is_shared(bridge: CommandLine, registry: DynamoRegistry) -> None:
    shared = registry_entries.assignment(scope=Scope.TOKEN, key="04AA")
    registry.add_assignments([replace(shared, shares=frozenset(Share)), registry_entries.assignment(key=EVSE_UID)])
    listed = bridge("assignment", "list", "--json").document
    assert {one["key"]: one["shares"] for one in listed} == {"04AA": ["state_of_charge", "token"], EVSE_UID: []}
    assert "shares" in bridge("assignment", "list").stdout
