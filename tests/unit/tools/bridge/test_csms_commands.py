"""`bridge csms test` and `bridge csms remove`."""

import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from ocpi_bridge.adapters.bounded_http.exchange import NoReply, Reply
from ocpi_bridge.adapters.dynamodb.registry import DynamoRegistry
from ocpi_bridge.domain.stations import Csms, CsmsAuth, CsmsDriver, CsmsMode, Quirk
from ocpi_bridge.ports.secrets import CsmsSecrets
from tests.support.command_line import CommandLine
from tests.support.operator import CsmsExchange, Vault
from tests.support.registry_entries import NEW_YEAR, csms, station
from tools.bridge.cli import app
from tools.bridge.deployment import Deployment
from tools.bridge.secrets import OperatorSecrets

Furnish = Callable[..., None]
CREDENTIAL = "our-credential"
BEARER = replace(csms(), auth=CsmsAuth.BEARER)


@pytest.fixture
def bridge(deployment: Deployment) -> CommandLine:
    return CommandLine(app, deployment)


@pytest.fixture
def furnish(registry: DynamoRegistry, secrets: OperatorSecrets) -> Furnish:
    """The CSMS with some stations."""

    def furnished(entry: Csms = BEARER, *station_ids: str) -> None:
        secrets.put_csms("acme", CsmsSecrets("k" * 32, CREDENTIAL))
        registry.add_csms(entry)
        names = station_ids or ("CP-001",)
        registry.import_stations("acme", [station(name, (f"E-{name}",)) for name in names])

    return furnished


def answered(status: int, body: object = None) -> Reply:
    return Reply(status, {}, json.dumps(body).encode())


# --- Test ------------------------------------------------------------------------------------------------------------


def test_a_csms_that_takes_the_command_passes(
    bridge: CommandLine, furnish: Furnish, csms_exchange: CsmsExchange
) -> None:
    furnish()
    csms_exchange.answer = answered(200, [{"success": True}])
    done = bridge("csms", "test", "acme")
    assert done.exit_code == 0
    assert "station CP-001, EVSE E-CP-001: the CSMS took the command." in done.stdout
    [call] = csms_exchange.calls
    assert (call.method, "getCompositeSchedule" in call.url) == ("POST", True)
    assert call.headers["Authorization"] == f"Bearer {CREDENTIAL}"
    assert csms_exchange.closed
    told = bridge("csms", "test", "acme", "--json").document
    assert (told["station_id"], told["evse_uid"]) == ("CP-001", "E-CP-001")


def test_it_asks_for_what_changes_nothing_and_can_be_answered_to_nobody(
    bridge: CommandLine, furnish: Furnish, csms_exchange: CsmsExchange
) -> None:
    furnish()
    csms_exchange.answer = answered(200, [{"success": True}])
    bridge("csms", "test", "acme")
    [call] = csms_exchange.calls
    assert json.loads(call.body) == {"connectorId": 1, "duration": 300}
    assert "csms-api.example%2Fcsms%2Fv1%2Fcallback%2Ftest-" in call.url
    assert "unsigned" in call.url


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (NoReply("dns", sent=False), "has no address"),
        (NoReply("tls", sent=False), "certificate"),
        (NoReply("connect", sent=False), "nobody listens"),
        (NoReply("connect_timeout", sent=False), "firewalls"),
        (NoReply("timeout", sent=True), "call_timeout"),
        (NoReply("protocol", sent=True), "look at the CSMS's logs"),
        (answered(400), "`parameters`"),
        (answered(401), "--api-credential"),
        (answered(403), "rights in the CSMS"),
        (answered(404), "`base_url`, the preset"),
        (answered(405), "`base_url` and the preset"),
        (answered(429), "too often"),
        (answered(503), "not ready"),
        (answered(500), "logs"),
        (answered(302), "redirects to"),
        (
            answered(200, [{"success": False, "payload": "No connection found for identifier: 1:CP-001"}]),
            "connected to it",
        ),
        (answered(200, "no CSMS"), "connected to it"),
    ],
)
def test_each_failure_says_what_to_do(
    answer: Reply | NoReply, told: str, bridge: CommandLine, furnish: Furnish, csms_exchange: CsmsExchange
) -> None:
    furnish()
    csms_exchange.answer = answer
    failed = bridge("csms", "test", "acme")
    assert (failed.exit_code, failed.stdout, len(failed.stderr.splitlines())) == (1, "", 1)
    assert told in failed.stderr
    assert CREDENTIAL not in failed.stderr
    assert csms_exchange.closed


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ({"status": "Rejected"}, "while nothing is installed"),
        ({"status": "NotSupported"}, "`no_composite`"),
        (
            {
                "status": "Accepted",
                "connectorId": 1,
                "scheduleStart": "2026-01-01T00:00:00Z",
                "chargingSchedule": {
                    "chargingRateUnit": "W",
                    "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 11000}],
                },
            },
            "All is well.",
        ),
    ],
)
def test_what_the_station_answers_at_once_is_told(
    answer: dict[str, object], told: str, bridge: CommandLine, furnish: Furnish, csms_exchange: CsmsExchange
) -> None:
    furnish(replace(csms(), preset="plugchoice", mode=CsmsMode.SYNCHRONOUS, parameters=()))
    csms_exchange.answer = answered(200, answer)
    done = bridge("csms", "test", "acme")
    assert done.exit_code == 0, done.stderr
    assert told in done.stdout


def test_what_the_registry_lacks_is_told_before_anything_is_sent(
    bridge: CommandLine, furnish: Furnish, csms_exchange: CsmsExchange, secrets: OperatorSecrets
) -> None:
    furnish()
    secrets.put_csms("acme", CsmsSecrets("k" * 32, None))
    failed = bridge("csms", "test", "acme")
    assert (failed.exit_code, csms_exchange.calls) == (1, [])
    assert "bridge csms replace" in failed.stderr


def test_a_station_that_is_online_is_asked_first(
    bridge: CommandLine, furnish: Furnish, csms_exchange: CsmsExchange, deployment: Deployment, registry: DynamoRegistry
) -> None:
    furnish(csms(), "CP-001", "CP-002", "CP-003", "CP-004")
    csms_exchange.answer = answered(200, [{"success": True}])

    def asked() -> str:
        return str(bridge("csms", "test", "acme", "--json").document["station_id"])

    deployment.states.set_online("acme", "CP-001", online=False, at=NEW_YEAR)
    assert asked() == "CP-002"
    for name in ("CP-003", "CP-004"):
        deployment.states.set_online("acme", name, online=True, at=NEW_YEAR)
    assert asked() == "CP-003"
    never_asked = replace(station("CP-003", ("E-CP-003",)), quirks=frozenset({Quirk.NO_COMPOSITE}))
    registry.import_stations("acme", [never_asked])
    assert asked() == "CP-004"
    assert bridge("csms", "test", "acme", "--station", "CP-001", "--json").document["station_id"] == "CP-001"
    assert "acme/none" in bridge("csms", "test", "acme", "--station", "none").stderr


def test_a_csms_without_stations_cannot_be_asked(bridge: CommandLine, registry: DynamoRegistry) -> None:
    registry.add_csms(csms())
    assert "bridge station import" in bridge("csms", "test", "acme").stderr


def test_a_csms_on_the_bus_is_not_asked(
    bridge: CommandLine, registry: DynamoRegistry, csms_exchange: CsmsExchange
) -> None:
    registry.add_csms(replace(csms(), driver=CsmsDriver.BUS, preset="", base_url="", parameters=()))
    registry.import_stations("acme", [station()])
    refused = bridge("csms", "test", "acme")
    assert (refused.exit_code, csms_exchange.calls) == (1, [])
    assert "on the bus" in refused.stderr
    assert "bus" in bridge("csms", "list").stdout


# --- Remove ----------------------------------------------------------------------------------------------------------


def test_a_csms_with_stations_is_not_removed(bridge: CommandLine, furnish: Furnish, vault: Vault) -> None:
    furnish()
    refused = bridge("csms", "remove", "acme", "--yes")
    assert (refused.exit_code, "--with-stations" in refused.stderr) == (1, True)
    assert bridge("csms", "show", "acme").exit_code == 0
    assert vault.content("csms/acme") is not None


def test_a_csms_is_removed_with_its_stations_and_secrets(
    bridge: CommandLine, furnish: Furnish, registry: DynamoRegistry, vault: Vault
) -> None:
    furnish(csms(), "CP-001", "CP-002")
    removed = bridge("csms", "remove", "acme", "--with-stations", "--yes", "--json").document
    assert removed == {"csms_id": "acme", "stations": ["CP-001", "CP-002"]}
    assert (registry.list_csmss(), registry.list_stations("acme"), vault.content("csms/acme")) == ((), (), None)
    assert registry.owner("E-CP-001") is None
    again = bridge("csms", "remove", "acme", "--yes")
    assert (again.exit_code, "unknown CSMS" in again.stderr) == (1, True)


def test_a_removal_asks_first(bridge: CommandLine, furnish: Furnish, registry: DynamoRegistry) -> None:
    furnish()
    assert bridge("csms", "remove", "acme", "--with-stations").exit_code == 1
    assert registry.get_csms("acme") is not None
