"""`bridge station unplaced`: what an operator sees of what belongs nowhere."""

from datetime import timedelta

import pytest

from ocpi_bridge.adapters.dynamodb.registry import DynamoRegistry
from ocpi_bridge.usecases.ingested import Ingested
from ocpi_bridge.usecases.record_result import Outcome
from tests.support import registry_entries
from tests.support.clocks import START
from tests.support.command_line import CommandLine
from tools.bridge.cli import app
from tools.bridge.deployment import Deployment
from tools.bridge.unplaced_commands import ADVICE


@pytest.fixture
def bridge(deployment: Deployment, registry: DynamoRegistry) -> CommandLine:
    for csms_id in ("acme", "other"):
        registry.add_csms(registry_entries.csms(csms_id))
    return CommandLine(app, deployment)


def test_it_lists_where_how_often_and_since_when_and_what_to_do(bridge: CommandLine, deployment: Deployment) -> None:
    for minutes in (0, 5):
        deployment.unplaced.note(
            "acme",
            "unknown_station",
            START + timedelta(minutes=minutes),
            station_id="CP-9",
            place="connector 1",
            event_id=f"e-{minutes}",
            event_type="transaction.started",
        )
    done = bridge("station", "unplaced", "--json")
    assert done.exit_code == 0
    assert done.document == [
        {
            "csms_id": "acme",
            "station_id": "CP-9",
            "place": "connector 1",
            "reason": "unknown_station",
            "count": 2,
            "first_at": "2026-01-15T17:00:00Z",
            "last_at": "2026-01-15T17:05:00Z",
            "event_id": "e-5",
            "event_type": "transaction.started",
            "detail": "",
            "advice": ADVICE["unknown_station"],
        }
    ]
    shown = bridge("station", "unplaced").stdout
    assert "CP-9" in shown
    assert "unknown" in shown


def test_it_lists_one_csms_or_all(bridge: CommandLine, deployment: Deployment) -> None:
    deployment.unplaced.note("acme", "unreadable", START)
    deployment.unplaced.note("other", "unknown_station", START, station_id="CP-1")
    assert [one["csms_id"] for one in bridge("station", "unplaced", "--json").document] == ["acme", "other"]
    assert [one["reason"] for one in bridge("station", "unplaced", "other", "--json").document] == ["unknown_station"]


def test_without_any_it_says_so(bridge: CommandLine) -> None:
    assert bridge("station", "unplaced", "acme").stdout == "Everything that was reported has its place.\n"


def test_a_csms_that_there_is_not_is_refused_unless_it_was_there(bridge: CommandLine, deployment: Deployment) -> None:
    assert bridge("station", "unplaced", "nobody").exit_code == 1
    deployment.unplaced.note("removed", "unknown_csms", START)
    assert [one["reason"] for one in bridge("station", "unplaced", "removed", "--json").document] == ["unknown_csms"]


def test_every_reason_has_its_advice() -> None:
    lost = {done.value for done in Ingested if done.lost}
    refused = {outcome.value for outcome in Outcome if outcome.refused}
    assert set(ADVICE) == lost | refused | {"foreign_account", "unknown_csms", "unreadable"}
