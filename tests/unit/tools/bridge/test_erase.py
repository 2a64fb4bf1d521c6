"""`bridge erase`: what is told of a person, what is erased, and when to run it again."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from ocpi_bridge.adapters.dynamodb.pairings import DynamoPairings
from ocpi_bridge.adapters.dynamodb.registry import DynamoRegistry
from ocpi_bridge.adapters.dynamodb.sessions import DynamoSessionStore
from ocpi_bridge.domain.assignments import Assignment, Scope
from ocpi_bridge.domain.events import EventType, IdToken, SessionStatus
from ocpi_bridge.domain.pairing import Grant, PairingCode, code_hash
from ocpi_bridge.domain.sessions import Session
from tests.support import registry_entries
from tests.support.command_line import CommandLine
from tests.support.tables import AwsTables
from tests.support.world import CARD, event, session_of
from tools.bridge.cli import app
from tools.bridge.deployment import Deployment

EVSE_UID = "BE*BEC*E041503001"
assert CARD.contract_id is not None
BOTH = ("--token", CARD.uid, "--contract", CARD.contract_id)
NOW = datetime.now(UTC)


@pytest.fixture
def bridge(deployment: Deployment, registry: DynamoRegistry) -> CommandLine:
    registry.add_partner(registry_entries.partner(), [], NOW)
    registry.add_csms(registry_entries.csms())
    registry.import_stations("acme", [registry_entries.station()])
    return CommandLine(app, deployment)


Charge = Callable[..., Session]


@pytest.fixture
def charge(tables: AwsTables) -> Charge:
    """A stored session of a token."""
    store = DynamoSessionStore(tables.client, tables.sessions, tables.registry)

    def charged(token: IdToken, transaction_id: str, *, over: bool = True) -> Session:
        session = session_of(event(EventType.TRANSACTION_STARTED, token=token, transaction_id=transaction_id))
        session = replace(session, status=SessionStatus.COMPLETED) if over else session
        assert store.create(session, None)
        return session

    return charged


def assigned(scope: Scope, key: str) -> Assignment:
    return registry_entries.assignment(scope=scope, key=key)


def given_code(scope: Scope, key: str, code: str) -> PairingCode:
    return PairingCode(code_hash(code), code[-2:], Grant(EVSE_UID, scope, key), NOW, NOW + timedelta(minutes=15))


@pytest.fixture
def person(bridge: CommandLine, registry: DynamoRegistry, tables: AwsTables, charge: Charge) -> None:
    """All that there can be of a person, beside what is another's."""
    contract = CARD.contract_id or ""
    registry.add_assignments(
        [
            assigned(Scope.TOKEN, CARD.uid),
            assigned(Scope.CONTRACT, contract),
            assigned(Scope.TOKEN, "04EE"),
            assigned(Scope.EVSE, EVSE_UID),
        ]
    )
    codes = DynamoPairings(tables.client, tables.registry)
    for scope, key, code in (
        (Scope.TOKEN, CARD.uid.lower(), "00000001"),
        (Scope.CONTRACT, contract, "00000002"),
        (Scope.TOKEN, "04EE", "00000003"),
        (Scope.EVSE, EVSE_UID, "00000004"),
    ):
        assert codes.add(given_code(scope, key, code))
    charge(CARD, "1")
    charge(IdToken(uid="04EE"), "2")


def texts(tables: AwsTables) -> str:
    """All that is stored, to look for a person in it."""
    return str([tables.items(tables.sessions), tables.items(tables.registry)]).casefold()


@pytest.mark.usefixtures("person")
def test_without_yes_it_only_tells_what_there_is(bridge: CommandLine, tables: AwsTables) -> None:
    before = texts(tables)
    done = bridge("erase", *BOTH)
    assert done.exit_code == 0
    assert "1 session(s), 2 assignment(s) and 2 pairing code(s) would be erased" in done.stdout
    assert texts(tables) == before
    told = bridge("erase", *BOTH, "--json").document
    assert (told["erased"], len(told["sessions"]), told["live_sessions"]) == (False, 1, [])
    assert sorted(one["scope"] for one in told["assignments"]) == ["contract", "token"]
    assert told["pairing_codes"] == 2


@pytest.mark.usefixtures("person")
def test_nothing_of_the_person_stays_and_all_of_others_does(
    bridge: CommandLine, registry: DynamoRegistry, tables: AwsTables
) -> None:
    assert bridge("erase", *BOTH, "--yes").exit_code == 0
    assert CARD.uid.casefold() not in texts(tables)
    assert (CARD.contract_id or "").casefold() not in texts(tables)
    assert {(one.scope, one.key) for one in registry.list_assignments()} == {
        (Scope.TOKEN, "04EE"),
        (Scope.EVSE, EVSE_UID),
    }
    assert {one.grant.key for one in DynamoPairings(tables.client, tables.registry).codes()} == {"04EE", EVSE_UID}
    assert bridge("erase", "--token", "04EE", "--json").document["sessions"]
    assert "Nothing is kept" in bridge("erase", *BOTH, "--yes").stdout


@pytest.mark.usefixtures("person")
def test_the_partners_live_sessions_are_looked_at_again(bridge: CommandLine, tables: AwsTables) -> None:
    for item in tables.items(tables.registry):
        if item["entity"]["S"] == "reassessment":
            tables.client.delete_item(TableName=tables.registry, Key={name: item[name] for name in ("pk", "sk")})
    bridge("erase", *BOTH, "--yes")
    assert any(item["entity"]["S"] == "reassessment" for item in tables.items(tables.registry))


@pytest.mark.usefixtures("person")
def test_without_the_contract_what_is_the_contracts_alone_stays(bridge: CommandLine, registry: DynamoRegistry) -> None:
    done = bridge("erase", "--token", CARD.uid, "--yes", "--json").document
    assert [one["scope"] for one in done["assignments"]] == ["token"]
    assert Scope.CONTRACT in {one.scope for one in registry.list_assignments()}


def test_the_contracts_sessions_go_whatever_token_they_began_with(bridge: CommandLine, charge: Charge) -> None:
    by_another_token = charge(IdToken(uid="04FF", contract_id=CARD.contract_id), "1")
    assert bridge("erase", "--token", CARD.uid, "--yes", "--json").document["sessions"] == []
    assert bridge("erase", *BOTH, "--yes", "--json").document["sessions"] == [by_another_token.session_id]


def test_a_live_session_loses_the_token_and_the_exit_code_says_to_come_again(
    bridge: CommandLine, tables: AwsTables, charge: Charge
) -> None:
    live = charge(CARD, "1", over=False)
    dry = bridge("erase", *BOTH)
    assert (dry.exit_code, "would lose the token" in dry.stdout) == (0, True)
    done = bridge("erase", *BOTH, "--yes")
    assert (done.exit_code, "run this again" in done.stdout) == (3, True)
    assert CARD.uid.casefold() not in texts(tables)
    again = bridge("erase", *BOTH, "--yes", "--json")
    assert (again.exit_code, again.document["live_sessions"]) == (3, [live.session_id])


def test_the_token_must_be_named(bridge: CommandLine) -> None:
    assert bridge("erase", "--yes").exit_code == 2
