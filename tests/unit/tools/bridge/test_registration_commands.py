"""`bridge partner invite, register, rotate, unregister`: what an operator types, sees, and what is stored."""

from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ocpi_bridge.adapters.bounded_http.exchange import NoReply
from ocpi_bridge.adapters.dynamodb.registry import DynamoRegistry
from ocpi_bridge.domain.partners import Partner, Registration
from ocpi_bridge.domain.tokens import TokenUse, is_token, token_hash
from tests.support.command_line import Done
from tests.support.fake_http import reply
from tests.support.operator import EXAMPLES, Vault, Write
from tests.support.partner_platform import BASE, NEEDED, VERSIONS_URL, PartnerServer, details, enveloped
from tests.support.registrations import credentials_body
from tools.bridge import registration_commands
from tools.bridge.cli import app
from tools.bridge.deployment import Deployment

TOKEN_A, TOKEN_C = "their-registration-token", "their-token-c"
REGISTER = ("--versions-url", VERSIONS_URL, "--token", "env:TOKEN_A")


Bridge = Callable[..., Done]


@pytest.fixture
def bridge(deployment: Deployment, partner_server: PartnerServer, monkeypatch: pytest.MonkeyPatch) -> Bridge:
    """Runs `bridge partner ... --stage prod` in this process; the partner waits for us with its registration token."""
    assert registration_commands.app.registered_commands
    monkeypatch.setenv("TOKEN_A", TOKEN_A)
    partner_server.token = TOKEN_A
    partner_server.answers["/2.3.0/credentials"] = enveloped(credentials_body(TOKEN_C))

    def run(*arguments: str | Path, stdin: str = "") -> Done:
        given = CliRunner().invoke(
            app,
            ["partner", *map(str, arguments), "--stage", "prod"],
            input=stdin,
            obj=lambda _: deployment,
            catch_exceptions=False,
        )
        return Done(given.exit_code, given.stdout, given.stderr)

    return run


@pytest.fixture
def registered(bridge: Bridge, partner_server: PartnerServer) -> Bridge:
    """We are registered at the partner."""
    result = bridge("register", EXAMPLES / "partner.json", *REGISTER)
    assert result.exit_code == 0, result.stderr
    partner_server.token = TOKEN_C
    return bridge


def entry(registry: DynamoRegistry) -> Partner:
    partner = registry.get_partner("jedlix")
    assert partner is not None
    return partner


# --- Inviting --------------------------------------------------------------------------------------------------------


def test_an_invitation_shows_its_token_once(bridge: Bridge, registry: DynamoRegistry) -> None:
    invited = bridge("invite", EXAMPLES / "partner.json", "--json").document
    token = invited["registration_token"]
    assert is_token(token)
    assert invited["versions_url"] == "https://ocpi.example/ocpi/versions"
    assert entry(registry).registration is Registration.INVITED
    [known] = registry.list_tokens("jedlix")
    assert (known.token_hash, known.use) == (token_hash(token), TokenUse.REGISTRATION)
    assert token not in bridge("show", "jedlix").stdout


def test_the_token_stands_on_a_line_of_its_own(bridge: Bridge) -> None:
    invited = bridge("invite", EXAMPLES / "partner.json")
    assert [line for line in invited.stdout.splitlines() if is_token(line) and len(line) == 64]


def test_a_second_invitation_ends_the_first(bridge: Bridge, registry: DynamoRegistry) -> None:
    bridge("invite", EXAMPLES / "partner.json")
    token = bridge("invite", EXAMPLES / "partner.json", "--json").document["registration_token"]
    assert [known.token_hash for known in registry.list_tokens("jedlix")] == [token_hash(token)]


@pytest.mark.parametrize("words", [("invite",), ("register", *REGISTER)])
def test_a_partner_with_another_authentication_needs_no_handshake(
    bridge: Bridge, registry: DynamoRegistry, write: Write, words: tuple[str, ...]
) -> None:
    file = write("partner.json", lambda partner: partner.update(auth="bearer"))
    refused = bridge(words[0], file, *words[1:])
    assert refused.exit_code == 1
    assert "bridge partner add" in refused.stderr
    assert registry.list_partners() == ()


# --- Registering -----------------------------------------------------------------------------------------------------


def test_a_registration_tells_what_was_found(bridge: Bridge, registry: DynamoRegistry, vault: Vault) -> None:
    done = bridge("register", EXAMPLES / "partner.json", *REGISTER, "--json")
    assert done.document == {
        "partner_id": "jedlix",
        "version": "2.3.0",
        "parties": ["NL/EMS", "NL/JED"],
        "sessions_url": f"{BASE}/2.3.0/sessions",
        "charging_profiles_url": f"{BASE}/2.3.0/chargingprofiles",
    }
    partner = entry(registry)
    assert partner.registration is Registration.REGISTERED
    assert vault.content(partner.secret_name) == {"token": TOKEN_C}
    assert TOKEN_A not in done.stdout + done.stderr
    assert TOKEN_C not in done.stdout + done.stderr


def test_a_partner_that_is_in_the_registry_is_named_by_its_id(bridge: Bridge, registry: DynamoRegistry) -> None:
    bridge("invite", EXAMPLES / "partner.json")
    assert bridge("register", "jedlix", *REGISTER).exit_code == 0
    assert entry(registry).connected
    unknown = bridge("register", "nobody", *REGISTER)
    assert (unknown.exit_code, unknown.stdout) == (1, "")
    assert "nobody" in unknown.stderr


def test_a_token_never_stands_on_the_command_line(bridge: Bridge, partner_server: PartnerServer) -> None:
    given = bridge("register", EXAMPLES / "partner.json", "--versions-url", VERSIONS_URL, "--token", TOKEN_A)
    assert given.exit_code == 2
    assert TOKEN_A not in given.stdout + given.stderr
    assert partner_server.calls == []


def test_what_is_no_token_is_not_sent(
    bridge: Bridge, partner_server: PartnerServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOKEN_A", "two words")
    refused = bridge("register", EXAMPLES / "partner.json", *REGISTER)
    assert refused.exit_code == 1
    assert "two words" not in refused.stderr
    assert partner_server.calls == []


def test_a_missing_module_is_told_and_nothing_is_posted(
    bridge: Bridge, partner_server: PartnerServer, registry: DynamoRegistry
) -> None:
    partner_server.answers["/2.3.0"] = enveloped(details("2.3.0", *NEEDED[:2]))
    failed = bridge("register", EXAMPLES / "partner.json", *REGISTER)
    assert failed.exit_code == 1
    assert "chargingprofiles SENDER" in failed.stderr
    assert partner_server.calls == ["GET /versions", "GET /2.3.0"]
    assert registry.list_partners() == ()
    assert registry.list_tokens("jedlix") == ()


def test_a_lost_answer_says_where_it_leaves_both_sides(
    bridge: Bridge, partner_server: PartnerServer, registry: DynamoRegistry
) -> None:
    partner_server.answers["/2.3.0/credentials"] = NoReply("timeout", sent=True)
    failed = bridge("register", EXAMPLES / "partner.json", *REGISTER)
    assert failed.exit_code == 1
    assert "may have registered us" in failed.stderr
    assert registry.list_tokens("jedlix") == ()
    partner_server.answers["/2.3.0/credentials"] = NoReply("connect", sent=False)
    assert "may have" not in bridge("register", EXAMPLES / "partner.json", *REGISTER).stderr


def test_a_registered_partner_is_not_registered_again(registered: Bridge, partner_server: PartnerServer) -> None:
    partner_server.calls.clear()
    for words in (("register", EXAMPLES / "partner.json", *REGISTER), ("invite", EXAMPLES / "partner.json")):
        refused = registered(*words)
        assert refused.exit_code == 1
        assert "connected already" in refused.stderr
    assert partner_server.calls == []


# --- Rotating --------------------------------------------------------------------------------------------------------


def test_a_rotation_exchanges_both_tokens(
    registered: Bridge, partner_server: PartnerServer, registry: DynamoRegistry, vault: Vault
) -> None:
    [former] = registry.list_tokens("jedlix")
    partner_server.answers["/2.3.0/credentials"] = enveloped(credentials_body("their-token-c2"))
    assert registered("rotate", "jedlix", "--json").document["version"] == "2.3.0"
    assert vault.content(entry(registry).secret_name) == {"token": "their-token-c2"}
    made = next(token for token in registry.list_tokens("jedlix") if token.token_hash != former.token_hash)
    assert made.supersedes == (former.token_hash,)


def test_a_rotation_whose_answer_is_lost_says_to_rotate_again(
    registered: Bridge, partner_server: PartnerServer, registry: DynamoRegistry
) -> None:
    partner_server.answers["/2.3.0/credentials"] = reply(504)
    failed = registered("rotate", "jedlix")
    assert failed.exit_code == 1
    assert "bridge partner rotate jedlix" in failed.stderr
    assert len(registry.list_tokens("jedlix")) == 2
    partner_server.answers["/2.3.0/credentials"] = reply(405)
    assert "again" not in registered("rotate", "jedlix").stderr


def test_only_a_registered_partner_is_rotated(bridge: Bridge) -> None:
    assert "not registered" in bridge("rotate", "jedlix").stderr


# --- Unregistering ---------------------------------------------------------------------------------------------------


def test_a_registration_is_ended_on_both_sides(
    registered: Bridge, partner_server: PartnerServer, registry: DynamoRegistry, vault: Vault
) -> None:
    secret = entry(registry).secret_name
    partner_server.answers["/2.3.0/credentials"] = enveloped(None)
    ended = registered("unregister", "jedlix", "--yes", "--json")
    assert ended.document == {"partner_id": "jedlix", "partner_not_told": None}
    assert partner_server.calls[-1] == "DELETE /2.3.0/credentials"
    assert entry(registry).registration is Registration.LEFT
    assert registry.list_tokens("jedlix") == ()
    assert vault.content(secret) is None


def test_a_partner_that_cannot_be_told_is_cut_off_all_the_same(
    registered: Bridge, partner_server: PartnerServer, registry: DynamoRegistry
) -> None:
    partner_server.answers["/versions"] = NoReply("connect", sent=False)
    ended = registered("unregister", "jedlix", "--yes")
    assert ended.exit_code == 0
    assert "could not be asked" in ended.stdout
    assert "no connection" in ended.stdout
    assert entry(registry).registration is Registration.LEFT


def test_an_invitation_can_be_taken_back(
    bridge: Bridge, partner_server: PartnerServer, registry: DynamoRegistry
) -> None:
    bridge("invite", EXAMPLES / "partner.json")
    assert bridge("unregister", "jedlix", "--yes").exit_code == 0
    assert registry.list_tokens("jedlix") == ()
    assert partner_server.calls == []


def test_a_partner_that_was_added_by_hand_is_removed_by_hand(bridge: Bridge, registry: DynamoRegistry) -> None:
    bridge("add", EXAMPLES / "partner.json")
    refused = bridge("unregister", "jedlix", "--yes")
    assert refused.exit_code == 1
    assert "bridge partner remove jedlix" in refused.stderr
    assert entry(registry).registration is Registration.STATIC


@pytest.mark.usefixtures("terminal")
def test_an_end_is_asked_for_twice(registered: Bridge, registry: DynamoRegistry) -> None:
    assert registered("unregister", "jedlix", stdin="n\n").exit_code == 1
    assert entry(registry).connected


def test_who_is_not_there_cannot_be_unregistered(bridge: Bridge) -> None:
    assert bridge("unregister", "nobody", "--yes").exit_code == 1
