"""`bridge pairing`: what an operator types, sees, and what is stored."""

import json
import re
from collections.abc import Callable
from contextlib import closing, nullcontext
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from ocpi_bridge.adapters.dynamodb.pairings import DynamoPairings
from ocpi_bridge.adapters.dynamodb.registry import DynamoRegistry
from ocpi_bridge.adapters.partner_http.client import PartnerHttpClient
from ocpi_bridge.domain.assignments import Right, Scope, Share
from ocpi_bridge.domain.pairing import CODE_DIGITS, code_hash
from ocpi_bridge.domain.partners import OutboundAuth, Pairing, Partner, Party, Registration
from ocpi_bridge.ocpi.pairing import MAX_CODE_LENGTH
from ocpi_bridge.ports.partners import PartnerMessage, Receipt
from ocpi_bridge.ports.secrets import PartnerSecret
from ocpi_bridge.usecases.pair_driver import PairDriver
from tests.support import registry_entries
from tests.support.clocks import ManualClock
from tests.support.command_line import CommandLine
from tests.support.fake_http import ScriptedExchange, reply
from tests.support.fake_secrets import InMemorySecretStore
from tests.support.fixtures import ocpi_fixture
from tests.support.operator import PREFIX, Vault
from tests.support.scripted import DELIVERED, NOT_FOUND, ScriptedPartner
from tests.support.tables import AwsTables
from tools.bridge.cli import app
from tools.bridge.deployment import Deployment
from tools.bridge.pairing import Pairings

URL = "https://ocpi.jedlix.com/v1/scsp/ocpi2.2/pair"
EVSE_UID = "3256"


@pytest.fixture
def scripted_partner() -> ScriptedPartner:
    return ScriptedPartner(Receipt(delivered=True, http_status=200))


@pytest.fixture
def bridge(deployment: Deployment, registry: DynamoRegistry) -> CommandLine:
    """With a partner that pairs, one that does not, and the EVSE of Jedlix's guide."""
    now = datetime.now(UTC)
    registry.add_partner(replace(registry_entries.partner(), pairing=Pairing(URL)), [], now)
    registry.add_partner(registry_entries.partner("other"), [], now)
    registry.add_csms(registry_entries.csms())
    station = registry_entries.station(evse_uids=(EVSE_UID,))
    connectors = tuple(
        replace(
            station.evses[0].connectors[0], connector_id=f"{n}", ocpp_connector_id=n, max_voltage=220, max_amperage=16
        )
        for n in (1, 2)
    )
    evse = replace(station.evses[0], connectors=connectors, evse_id="BE*BEC*E041503001")
    registry.import_stations("acme", [replace(station, evses=(evse,))])
    return CommandLine(app, deployment)


@pytest.fixture
def store(tables: AwsTables) -> DynamoPairings:
    return DynamoPairings(tables.client, tables.registry)


# --- A code for a driver ---------------------------------------------------------------------------------------------


def test_a_code_is_shown_once_and_stored_as_its_hash(
    bridge: CommandLine, store: DynamoPairings, tables: AwsTables
) -> None:
    done = bridge("pairing", "code", EVSE_UID)
    assert done.exit_code == 0, done.stderr
    code = done.stdout.splitlines()[-1]
    assert re.fullmatch(rf"\d{{{CODE_DIGITS}}}", code)
    [stored] = store.codes()
    assert stored.code_hash == code_hash(code)
    assert (stored.partner_id, stored.grant.scope, stored.grant.key) == (None, Scope.EVSE, EVSE_UID)
    assert stored.expires_at - stored.created_at == timedelta(minutes=15)
    assert code not in str(tables.items(tables.registry))


def test_the_code_that_was_shown_is_the_one_that_the_partner_redeems(
    bridge: CommandLine, store: DynamoPairings, registry: DynamoRegistry
) -> None:
    code = bridge("pairing", "code", EVSE_UID, "--json").document["code"]
    PairDriver(store, ManualClock(datetime.now(UTC)))("jedlix", code)
    [assignment] = registry.list_assignments()
    assert (assignment.partner_id, assignment.key, assignment.right) == ("jedlix", EVSE_UID, Right.STEER)
    assert assignment.consent.endswith(f"code ...{code[-2:]}")


def test_all_that_can_be_said_of_a_code_is_kept(bridge: CommandLine, store: DynamoPairings) -> None:
    done = bridge(
        *("pairing", "code", EVSE_UID, "--partner", "jedlix", "--valid-for", "2h", "--token", "04AA"),
        *("--share", "token", "--share", "state_of_charge", "--json"),
    )
    [stored] = store.codes()
    assert stored.partner_id == "jedlix"
    assert stored.expires_at - stored.created_at == timedelta(hours=2)
    assert (stored.grant.scope, stored.grant.key) == (Scope.TOKEN, "04AA")
    assert stored.grant.shares == {Share.TOKEN, Share.STATE_OF_CHARGE}
    assert done.document["evse_uid"] == EVSE_UID
    assert (done.document["scope"], done.document["key"]) == ("token", "04AA")


def test_an_evse_is_named_whatever_its_case_and_kept_as_the_registry_has_it(
    bridge: CommandLine, store: DynamoPairings, registry: DynamoRegistry
) -> None:
    registry.import_stations("acme", [registry_entries.station("CP-002", ("Be*X",))])
    bridge("pairing", "code", "bE*x", "--contract", "NL-TNM-1")
    [stored] = store.codes()
    assert stored.grant.evse_uid == "Be*X"
    assert (stored.grant.scope, stored.grant.key) == (Scope.CONTRACT, "NL-TNM-1")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("unknown",), "unknown EVSE 'unknown'"),
        ((EVSE_UID, "--partner", "unknown"), "unknown partner 'unknown'"),
        ((EVSE_UID, "--partner", "other"), "switched off"),
        ((EVSE_UID, "--valid-for", "59s"), "1 minute to 7 days"),
        ((EVSE_UID, "--valid-for", "8d"), "1 minute to 7 days"),
        ((EVSE_UID, "--partner", "jedlix", "--token", "x" * 37), "1 to 36 printable"),
    ],
)
def test_a_code_that_nobody_could_use_is_not_made(
    bridge: CommandLine, store: DynamoPairings, arguments: tuple[str, ...], told: str
) -> None:
    done = bridge("pairing", "code", *arguments)
    assert done.exit_code == 1
    assert told in done.stderr
    assert store.codes() == ()


def test_a_key_is_checked_without_a_partner_too(bridge: CommandLine, store: DynamoPairings) -> None:
    assert bridge("pairing", "code", EVSE_UID, "--token", "x" * 37).exit_code == 1
    assert store.codes() == ()


def test_no_code_is_made_where_no_partner_pairs(
    bridge: CommandLine, registry: DynamoRegistry, store: DynamoPairings
) -> None:
    registry.replace_partner(registry_entries.partner())
    done = bridge("pairing", "code", EVSE_UID)
    assert done.exit_code == 1
    assert "no partner can use a code" in done.stderr
    assert store.codes() == ()


def test_the_operator_is_told_before_the_driver_that_another_partner_steers(
    bridge: CommandLine, registry: DynamoRegistry, store: DynamoPairings
) -> None:
    registry.add_assignments([registry_entries.assignment("other", key=EVSE_UID)])
    done = bridge("pairing", "code", EVSE_UID, "--partner", "jedlix")
    assert done.exit_code == 1
    assert "partner 'other' may steer" in done.stderr
    assert "assignments.0" not in done.stderr
    assert store.codes() == ()


@pytest.mark.parametrize(
    "arguments", [("--valid-for", "15"), ("--valid-for", "x"), ("--token", "a", "--contract", "b"), ("--share", "name")]
)
def test_options_that_make_no_sense_are_wrong_usage(bridge: CommandLine, arguments: tuple[str, ...]) -> None:
    assert bridge("pairing", "code", EVSE_UID, *arguments).exit_code == 2


# --- A code from the partner -----------------------------------------------------------------------------------------


def test_a_partner_that_knows_the_code_gets_the_evse_and_may_steer(
    bridge: CommandLine, registry: DynamoRegistry, scripted_partner: ScriptedPartner
) -> None:
    done = bridge("pairing", "send", "jedlix", "362821", EVSE_UID, "--share", "state_of_charge")
    assert done.exit_code == 0, done.stderr
    [message] = scripted_partner.messages
    assert (message.method, message.url) == ("POST", URL)
    assert message.body == ocpi_fixture("jedlix/pair_request_cpo_to_jedlix")
    [assignment] = registry.list_assignments()
    assert (assignment.partner_id, assignment.scope, assignment.key) == ("jedlix", Scope.EVSE, EVSE_UID)
    assert assignment.right is Right.STEER
    assert assignment.shares == {Share.STATE_OF_CHARGE}
    assert assignment.consent.endswith("code ...21")


@pytest.mark.parametrize(
    ("receipt", "told"),
    [
        (NOT_FOUND, "does not know this code"),
        (Receipt(delivered=False, error="timeout"), "was lost (timeout)"),
        (Receipt(delivered=False, error="no_token"), "could not be called (no_token)"),
        (Receipt(delivered=False, error="http_500", http_status=500), "http_500"),
        (Receipt(delivered=True, http_status=202), "http_202"),
        (Receipt(delivered=False, error="ocpi_2001", http_status=200, ocpi_status=2001), "ocpi_2001"),
    ],
)
def test_whatever_else_the_partner_answers_nothing_is_written(
    deployment: Deployment, bridge: CommandLine, registry: DynamoRegistry, receipt: Receipt, told: str
) -> None:
    pairings = replace(deployment.pairings, client=lambda: nullcontext(ScriptedPartner(receipt)))
    done = CommandLine(bridge.app, replace(deployment, pairings=pairings))("pairing", "send", "jedlix", "1", EVSE_UID)
    assert done.exit_code == 1
    assert told in done.stderr
    assert registry.list_assignments() == ()


def _with_pairing(pairing: Pairing | None) -> Callable[[Partner], Partner]:
    return lambda partner: replace(partner, pairing=pairing)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (_with_pairing(None), "switched off"),
        (_with_pairing(Pairing()), "no `pairing.url`"),
    ],
)
def test_a_partner_that_takes_no_codes_is_not_called(
    bridge: CommandLine,
    registry: DynamoRegistry,
    scripted_partner: ScriptedPartner,
    change: Callable[[Partner], Partner],
    told: str,
) -> None:
    registry.replace_partner(change(registry_entries.partner()))
    done = bridge("pairing", "send", "jedlix", "362821", EVSE_UID)
    assert (done.exit_code, scripted_partner.messages) == (1, [])
    assert told in done.stderr


def test_a_partner_that_left_is_not_called(
    bridge: CommandLine, registry: DynamoRegistry, scripted_partner: ScriptedPartner
) -> None:
    left = replace(registry_entries.partner("gone"), pairing=Pairing(URL), registration=Registration.LEFT)
    registry.add_partner(left, [], datetime.now(UTC))
    done = bridge("pairing", "send", "gone", "362821", EVSE_UID)
    assert (done.exit_code, scripted_partner.messages) == (1, [])
    assert "not connected" in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("unknown", "1", EVSE_UID),
        ("jedlix", "1", "unknown"),
        ("jedlix", "", EVSE_UID),
        ("jedlix", "1" * (MAX_CODE_LENGTH + 1), EVSE_UID),
        ("jedlix", "1\n2", EVSE_UID),
        ("jedlix", "\u00e9", EVSE_UID),
    ],
)
def test_what_cannot_be_paired_is_not_sent(
    bridge: CommandLine, scripted_partner: ScriptedPartner, arguments: tuple[str, ...]
) -> None:
    assert bridge("pairing", "send", *arguments).exit_code == 1
    assert scripted_partner.messages == []


def test_what_the_registry_would_refuse_is_refused_before_the_partner_is_called(
    bridge: CommandLine, registry: DynamoRegistry, scripted_partner: ScriptedPartner
) -> None:
    registry.add_assignments([registry_entries.assignment("other", key=EVSE_UID)])
    done = bridge("pairing", "send", "jedlix", "362821", EVSE_UID)
    assert (done.exit_code, scripted_partner.messages) == (1, [])
    assert "partner 'other' may steer" in done.stderr


def test_a_pairing_that_only_the_partner_has_is_told_with_what_completes_it(
    deployment: Deployment, bridge: CommandLine, registry: DynamoRegistry
) -> None:
    def rival(_: object) -> None:
        registry.add_assignments([registry_entries.assignment("other", key=EVSE_UID)])

    pairings = replace(deployment.pairings, client=lambda: nullcontext(ScriptedPartner(DELIVERED, on_send=rival)))
    done = CommandLine(bridge.app, replace(deployment, pairings=pairings))("pairing", "send", "jedlix", "1", EVSE_UID)
    assert done.exit_code == 1
    assert "has paired the charge point" in done.stderr
    assert "bridge assignment add" in done.stderr


def test_the_code_goes_to_the_partner_as_all_our_calls_to_it_do(
    deployment: Deployment, bridge: CommandLine, registry: DynamoRegistry
) -> None:
    registry.replace_partner(replace(registry_entries.partner(), pairing=Pairing(URL), auth=OutboundAuth.BEARER))
    store, clock = InMemorySecretStore(), ManualClock()
    store.partners["partners/jedlix"] = PartnerSecret("what-we-show")
    server = ScriptedExchange(reply(200, ocpi_fixture("jedlix/pair_response_cpo_to_jedlix_200")))
    pairings = replace(deployment.pairings, client=lambda: closing(PartnerHttpClient(store, clock, server)))
    done = CommandLine(bridge.app, replace(deployment, pairings=pairings))("pairing", "send", "jedlix", "1", EVSE_UID)
    assert done.exit_code == 0, done.stderr
    [call] = server.calls
    assert (call.method, call.url) == ("POST", URL)
    assert call.headers["Authorization"] == "Bearer what-we-show"
    assert json.loads(call.body)["evse"]["uid"] == EVSE_UID
    assert len(registry.list_assignments()) == 1


def test_a_pairing_url_that_is_no_longer_the_partners_gets_nothing(
    deployment: Deployment, bridge: CommandLine, registry: DynamoRegistry
) -> None:
    elsewhere = Pairing("https://jedlix.example/pair")
    registry.replace_partner(replace(registry_entries.partner(), pairing=elsewhere))
    server = ScriptedExchange()
    client = PartnerHttpClient(InMemorySecretStore(), ManualClock(), server)
    pairings = replace(deployment.pairings, client=lambda: closing(client))
    done = CommandLine(bridge.app, replace(deployment, pairings=pairings))("pairing", "send", "jedlix", "1", EVSE_UID)
    assert (done.exit_code, server.calls) == (1, [])
    assert "could not be called (refused_host)" in done.stderr
    assert registry.list_assignments() == ()


def test_a_deployment_calls_partners_by_the_guarded_client_alone(tables: AwsTables, vault: Vault) -> None:
    party = Party("NL", "CPO")
    found = Pairings.on_aws(
        tables.client, tables.registry, vault.client, PREFIX, party=party, allow_loopback=False, ca_file=None
    )
    partner = replace(registry_entries.partner(), sessions_url=None, callback_hosts=("localhost",))
    message = PartnerMessage("POST", "http://localhost:9/pair", {}, "corr-1", party, party)
    with found.client() as client:
        assert client.send(partner, message, 1.0) == Receipt(delivered=False, error="refused_host", final=True)
