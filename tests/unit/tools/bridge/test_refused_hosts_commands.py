"""`bridge partner refused-hosts`: what an operator sees of what the URL guard refused."""

from datetime import timedelta

import pytest

from ocpi_bridge.adapters.dynamodb.registry import DynamoRegistry
from tests.support import registry_entries
from tests.support.clocks import START
from tests.support.command_line import CommandLine
from tools.bridge.cli import app
from tools.bridge.deployment import Deployment


@pytest.fixture
def bridge(deployment: Deployment, registry: DynamoRegistry) -> CommandLine:
    for partner_id in ("jedlix", "other"):
        registry.add_partner(registry_entries.partner(partner_id), [], START)
    return CommandLine(app, deployment)


def test_it_lists_the_host_how_often_when_and_why(bridge: CommandLine, deployment: Deployment) -> None:
    for minutes in (0, 5):
        at = START + timedelta(minutes=minutes)
        deployment.refused_hosts.note_refused_host("jedlix", "evil.example", "is not https", at)
    done = bridge("partner", "refused-hosts", "--json")
    assert done.document == [
        {
            "partner_id": "jedlix",
            "host": "evil.example",
            "reason": "is not https",
            "count": 2,
            "first_at": "2026-01-15T17:00:00Z",
            "last_at": "2026-01-15T17:05:00Z",
        }
    ]
    assert "evil.example" in bridge("partner", "refused-hosts").stdout


def test_it_lists_one_partner_or_all(bridge: CommandLine, deployment: Deployment) -> None:
    deployment.refused_hosts.note_refused_host("jedlix", "", "is no URL", START)
    deployment.refused_hosts.note_refused_host("other", "evil.example", "is not https", START)
    everybody = bridge("partner", "refused-hosts", "--json").document
    assert [one["partner_id"] for one in everybody] == ["jedlix", "other"]
    assert [one["host"] for one in bridge("partner", "refused-hosts", "other", "--json").document] == ["evil.example"]
    assert "none that is spelled properly" in " ".join(bridge("partner", "refused-hosts", "jedlix").stdout.split())


def test_without_any_it_says_so(bridge: CommandLine) -> None:
    assert bridge("partner", "refused-hosts", "jedlix").stdout == "No host was refused.\n"


def test_a_partner_that_there_is_not_is_refused_unless_it_was_there(
    bridge: CommandLine, deployment: Deployment
) -> None:
    assert bridge("partner", "refused-hosts", "nobody").exit_code == 1
    deployment.refused_hosts.note_refused_host("removed", "evil.example", "is not https", START)
    assert [one["host"] for one in bridge("partner", "refused-hosts", "removed", "--json").document] == ["evil.example"]
