import dataclasses
import json
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError, NoCredentialsError
from typer.testing import CliRunner

from ocpi_bridge.adapters.dynamodb.registry import DynamoRegistry
from ocpi_bridge.adapters.dynamodb.silences import DynamoSilences
from ocpi_bridge.domain.partners import Registration, Silence
from ocpi_bridge.domain.stations import Capabilities
from ocpi_bridge.domain.tokens import is_token, token_hash
from tests.support.command_line import Done
from tests.support.operator import EXAMPLES, Vault, Write
from tests.support.registry_entries import NEW_YEAR
from tests.support.tables import AwsTables
from tools.bridge import files
from tools.bridge.cli import app
from tools.bridge.deployment import STACK_FILE, Deployment
from tools.bridge.session import Selection

PRESENTED = "presented-token"


Bridge = Callable[..., Done]


@pytest.fixture
def bridge(deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> Bridge:
    """Runs `bridge ... --stage prod` on the deployment in this process."""
    monkeypatch.setenv("PRESENTED", PRESENTED)
    monkeypatch.setenv("CREDENTIAL", "the-credential")

    def run(*arguments: str | Path, options: tuple[str, ...] = ("--stage", "prod"), stdin: str = "") -> Done:
        given = CliRunner().invoke(
            app, [*map(str, arguments), *options], input=stdin, obj=lambda _: deployment, catch_exceptions=False
        )
        return Done(given.exit_code, given.stdout, given.stderr)

    return run


@pytest.fixture
def furnished(bridge: Bridge) -> Bridge:
    """With the documented examples entered in the documented order."""
    for arguments in (
        ("csms", "add", EXAMPLES / "csms.json", "--api-credential", "env:CREDENTIAL"),
        ("station", "import", EXAMPLES / "stations.json"),
        ("partner", "add", EXAMPLES / "partner.json", "--present-token", "env:PRESENTED"),
        ("assignment", "add", EXAMPLES / "assignments.json"),
    ):
        result = bridge(*arguments)
        assert result.exit_code == 0, result.stderr
    return bridge


# --- The documented way ----------------------------------------------------------------------------------------------


def test_the_examples_can_be_entered_as_documented(furnished: Bridge, registry: DynamoRegistry, vault: Vault) -> None:
    assert registry.get_partner("jedlix") is not None
    assert [station.station_id for station in registry.list_stations("acme")] == ["CP-001", "CP-002"]
    assert len(registry.list_assignments("jedlix")) == 2
    assert vault.content("partners/jedlix") == {"token": PRESENTED}


def test_everything_may_be_entered_again_except_what_has_secrets(furnished: Bridge) -> None:
    assert furnished("station", "import", EXAMPLES / "stations.json").exit_code == 0
    assert furnished("assignment", "add", EXAMPLES / "assignments.json").exit_code == 0
    assert furnished("csms", "add", EXAMPLES / "csms.json", "--api-credential", "env:CREDENTIAL").exit_code == 1
    assert furnished("partner", "add", EXAMPLES / "partner.json").exit_code == 1


# --- Partners --------------------------------------------------------------------------------------------------------


def test_the_token_that_a_partner_must_use_is_shown_once(bridge: Bridge, registry: DynamoRegistry) -> None:
    added = bridge("partner", "add", EXAMPLES / "partner.json", "--present-token", "env:PRESENTED", "--json")
    token = added.document["accept_token"]
    assert is_token(token)
    assert added.document["versions_url"] == "https://ocpi.example/ocpi/versions"
    assert [known.token_hash for known in registry.list_tokens("jedlix")] == [token_hash(token)]
    shown = bridge("partner", "show", "jedlix")
    assert token not in shown.stdout
    assert token_hash(token) not in shown.stdout


def test_the_token_stands_on_a_line_of_its_own_however_narrow_the_terminal(bridge: Bridge) -> None:
    added = bridge("partner", "add", EXAMPLES / "partner.json")
    assert any(is_token(line) and len(line) == 64 for line in added.stdout.splitlines())


def test_a_token_that_was_given_is_never_shown(bridge: Bridge, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACCEPTED", "a-token-that-was-agreed-on")
    arguments = ("partner", "add", EXAMPLES / "partner.json", "--present-token", "env:PRESENTED")
    added = bridge(*arguments, "--accept-token", "env:ACCEPTED")
    assert added.exit_code == 0
    assert "agreed-on" not in added.stdout + added.stderr
    assert PRESENTED not in added.stdout + added.stderr


def test_secrets_can_be_piped_in(bridge: Bridge, vault: Vault, registry: DynamoRegistry) -> None:
    accepted = "a-token-that-was-agreed-on"
    arguments = ("partner", "add", EXAMPLES / "partner.json", "--present-token", "-", "--accept-token", "-")
    assert bridge(*arguments, stdin=f"{PRESENTED}\n{accepted}\n").exit_code == 0
    assert vault.content("partners/jedlix") == {"token": PRESENTED}
    assert [token.token_hash for token in registry.list_tokens("jedlix")] == [token_hash(accepted)]


def test_partners_are_listed_and_shown_as_their_files(furnished: Bridge) -> None:
    example = json.loads((EXAMPLES / "partner.json").read_text())
    assert furnished("partner", "list", "--json").document == [example]
    shown = furnished("partner", "show", "jedlix").document
    assert shown["partner"] == example
    assert shown["registration"] == "static"
    assert len(shown["accepted_tokens_since"]) == 1
    assert len(shown["assignments"]) == 2
    assert shown["silent"] is None
    assert "jedlix" in furnished("partner", "list").stdout


def test_a_partner_that_answers_nothing_is_shown_to_be_silent(furnished: Bridge, tables: AwsTables) -> None:
    silences = DynamoSilences(tables.client, tables.registry)
    assert silences.begin_silence("jedlix", Silence(NEW_YEAR, NEW_YEAR + timedelta(seconds=30)))
    shown = furnished("partner", "show", "jedlix").document
    assert shown["silent"] == {"since": "2026-01-01T00:00:00Z", "until": "2026-01-01T00:00:30Z"}


def test_a_partner_is_replaced(furnished: Bridge, write: Write, registry: DynamoRegistry) -> None:
    file = write("partner.json", lambda content: content.update(name="Renamed"))
    assert furnished("partner", "replace", file).exit_code == 0
    replaced = registry.get_partner("jedlix")
    assert replaced is not None
    assert replaced.name == "Renamed"


def test_a_partner_with_oauth2_is_added_with_its_secrets_and_none_is_shown(
    bridge: Bridge, vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET", "the-secret")
    monkeypatch.setenv("KEY", "the-key")
    file = EXAMPLES / "partner-oauth2.json"
    added = bridge("partner", "add", file, "--client-secret", "env:SECRET", "--api-key", "env:KEY")
    assert (added.exit_code, "nothing to show" in added.stdout) == (0, False)
    assert vault.content("partners/jedlix") == {"client_secret": "the-secret", "api_key": "the-key"}
    monkeypatch.setenv("KEY", "n3w-key")
    replaced = bridge("partner", "replace", file, "--api-key", "env:KEY")
    assert replaced.exit_code == 0
    assert vault.content("partners/jedlix") == {"client_secret": "the-secret", "api_key": "n3w-key"}
    shown = added.stdout + added.stderr + replaced.stdout + bridge("partner", "show", "jedlix").stdout
    assert not any(secret in shown for secret in ("the-secret", "the-key", "n3w-key"))


@pytest.mark.parametrize(
    ("example", "options", "told"),
    [
        ("partner.json", ("--client-secret", "env:PRESENTED"), "--present-token"),
        ("partner.json", ("--api-key", "env:PRESENTED"), "--present-token"),
        ("partner-oauth2.json", ("--present-token", "env:PRESENTED"), "--client-secret"),
        ("partner-oauth2.json", ("--client-secret", "env:PRESENTED"), "--api-key"),
    ],
)
def test_a_secret_that_does_not_fit_the_file_is_refused(
    example: str, options: tuple[str, ...], told: str, bridge: Bridge, registry: DynamoRegistry
) -> None:
    refused = bridge("partner", "add", EXAMPLES / example, *options)
    assert (refused.exit_code, registry.list_partners()) == (1, ())
    assert told in refused.stderr
    assert PRESENTED not in refused.stderr


@pytest.mark.parametrize(
    ("example", "told"), [("partner.json", "--present-token"), ("partner-oauth2.json", "--client-secret")]
)
def test_a_partner_that_is_shown_nothing_yet_is_told_with_what_to_do(example: str, told: str, bridge: Bridge) -> None:
    added = bridge("partner", "add", EXAMPLES / example)
    assert added.exit_code == 0
    assert "nothing can be delivered" in added.stdout
    assert told in added.stdout


def test_a_registered_partner_is_shown_as_one_and_replacing_it_tells_what_stays(
    bridge: Bridge, registry: DynamoRegistry
) -> None:
    by_file = files.read_partner(EXAMPLES / "partner.json", local=False)
    registered = dataclasses.replace(
        by_file,
        registration=Registration.REGISTERED,
        credential="c7",
        version="2.3.0",
        sessions_url="https://s.example",
    )
    registry.add_partner(registered, [], NEW_YEAR)
    shown = bridge("partner", "show", "jedlix").document
    assert (shown["registration"], "credential" in shown["partner"]) == ("registered", False)
    assert "registered" in bridge("partner", "list").stdout
    replaced = bridge("partner", "replace", EXAMPLES / "partner.json")
    assert "version, sessions_url" in replaced.stdout
    again = bridge("partner", "replace", EXAMPLES / "partner.json", "--json").document
    assert again == {"partner_id": "jedlix", "kept": ["version", "sessions_url"]}
    assert registry.get_partner("jedlix") == registered


@pytest.mark.usefixtures("terminal")
def test_a_partner_is_removed_after_asking(furnished: Bridge, registry: DynamoRegistry) -> None:
    refused = furnished("partner", "remove", "jedlix", stdin="n\n")
    assert refused.exit_code == 1
    assert registry.get_partner("jedlix") is not None
    assert furnished("partner", "remove", "jedlix", stdin="y\n").exit_code == 0
    assert registry.list_assignments() == ()


def test_a_script_removes_a_partner_without_being_asked(furnished: Bridge) -> None:
    removed = furnished("partner", "remove", "jedlix", "--yes", "--json").document
    assert (removed["tokens"], len(removed["assignments"])) == (1, 2)


# --- CSMSs -----------------------------------------------------------------------------------------------------------


def test_the_key_of_event_signatures_is_shown_once(bridge: Bridge, vault: Vault) -> None:
    added = bridge("csms", "add", EXAMPLES / "csms.json", "--api-credential", "env:CREDENTIAL", "--json").document
    assert vault.content("csms/acme") == {"event_key": added["event_key"], "api_credential": "the-credential"}
    assert added["events_url"] == "https://csms-api.example/csms/v1/events"
    assert added["event_key"] not in bridge("csms", "show", "acme").stdout


def test_csmss_are_listed_shown_and_replaced(furnished: Bridge, write: Write) -> None:
    example = json.loads((EXAMPLES / "csms.json").read_text())
    shown = furnished("csms", "show", "acme").document
    defaults = {"auth_header": "Authorization", "driver": "http", "bus_accounts": [], "asks_capabilities": True}
    assert shown == {**example, **defaults}
    assert furnished("csms", "list", "--json").document == [shown]
    file = write("csms.json", lambda content: content.update(base_url="https://new.example"))
    assert furnished("csms", "replace", file).exit_code == 0
    assert "https://new.example" in furnished("csms", "list").stdout


# --- Stations --------------------------------------------------------------------------------------------------------


def test_an_import_says_what_it_did(furnished: Bridge, write: Write) -> None:
    def change(content: dict[str, Any]) -> None:
        content["stations"][0]["currency"] = "SEK"

    imported = furnished("station", "import", write("stations.json", change), "--json").document
    assert imported == {
        "csms_id": "acme",
        "dry_run": False,
        "added": [],
        "replaced": ["CP-001"],
        "unchanged": ["CP-002"],
        "moved": [],
        "differences": {"CP-001": ["currency"]},
    }


def test_a_dry_run_tells_what_would_change_and_changes_nothing(
    furnished: Bridge, write: Write, registry: DynamoRegistry
) -> None:
    before = registry.versioned_stations("acme")

    def change(content: dict[str, Any]) -> None:
        first, second = content["stations"]
        second["evses"] += [{**first["evses"].pop(), "ocpp_evse_id": 2}]
        content["stations"] += [{**first, "station_id": "CP-003", "evses": [{**first["evses"][0], "uid": "3300"}]}]

    dry = furnished("station", "import", write("stations.json", change), "--dry-run")
    assert registry.versioned_stations("acme") == before
    assert dry.stdout.splitlines() == [
        "CSMS acme: 1 station(s) would be added, 2 would be replaced, 0 as before.",
        "EVSE 3257 would move from station CP-001 to CP-002.",
        "New: CP-003",
        "Changed: CP-001: evses",
        "Changed: CP-002: evses",
        "Nothing has been changed.",
    ]
    told = furnished("station", "import", write("stations.json", change), "--dry-run", "--json").document
    assert (told["dry_run"], told["added"], told["replaced"]) == (True, ["CP-003"], ["CP-001", "CP-002"])
    assert told["moved"] == [{"evse_uid": "3257", "from": "CP-001", "to": "CP-002"}]
    assert furnished("station", "import", write("stations.json", change)).exit_code == 0
    assert registry.owner("3257") == ("acme", "CP-002")


def test_a_dry_run_refuses_what_an_import_would(furnished: Bridge, write: Write) -> None:
    file = write("stations.json", lambda content: content["stations"][0].update(station_id="CP-009"))
    assert "belongs to station" in furnished("station", "import", file, "--dry-run").stderr


def test_what_somebody_changed_since_the_export_is_not_overwritten(
    furnished: Bridge, write: Write, tmp_path: Path, registry: DynamoRegistry
) -> None:
    file = tmp_path / "export.json"
    furnished("station", "export", "acme", file)
    somebody = write("stations.json", lambda content: content["stations"][0].update(currency="SEK"))
    assert furnished("station", "import", somebody).exit_code == 0
    mine = json.loads(file.read_text())
    assert [station["version"] for station in mine["stations"]] == [1, 1]
    for station in mine["stations"]:
        station["max_periods"] = 12
    file.write_text(json.dumps(mine))
    for refused in (furnished("station", "import", file, "--dry-run"), furnished("station", "import", file)):
        assert (refused.exit_code, len(refused.stderr.splitlines())) == (1, 1)
        assert "stations.0.version: the station has version 2 by now" in refused.stderr
    del mine["stations"][0]["version"]
    file.write_text(json.dumps(mine))
    assert furnished("station", "import", file).exit_code == 0
    assert [version for _, version in registry.versioned_stations("acme")] == [3, 2]


def test_a_version_is_a_number_and_stands_with_its_station(furnished: Bridge, write: Write) -> None:
    def change(content: dict[str, Any]) -> None:
        content["versions"] = {"CP-001": 1}
        content["stations"][0]["version"] = "1"
        content["stations"][1]["version"] = True

    refused = furnished("station", "import", write("stations.json", change)).stderr
    assert [line.split(": ")[2] for line in refused.splitlines()] == [
        "stations.0.version",
        "stations.1.version",
        "versions",
    ]


def test_what_is_exported_can_be_imported(furnished: Bridge, tmp_path: Path) -> None:
    file = tmp_path / "export.json"
    assert furnished("station", "export", "acme", file).exit_code == 0
    imported = furnished("station", "import", file, "--json").document
    assert imported["unchanged"] == ["CP-001", "CP-002"]
    assert furnished("station", "export", "acme").document == json.loads(file.read_text())


def test_stations_are_listed_and_shown(furnished: Bridge) -> None:
    assert "CP-002" in furnished("station", "list", "acme").stdout
    shown = furnished("station", "show", "acme", "CP-001").document
    assert shown["station"]["evses"][0]["cap_w"] == 11_000
    assert "csms_id" not in shown["station"]
    assert shown["version"] == 1
    assert furnished("station", "list", "acme", "--json").document[0] == {
        **shown["station"],
        "version": 1,
        "state": shown["state"],
    }


def test_a_station_is_shown_with_what_is_known_of_it_now(furnished: Bridge, deployment: Deployment) -> None:
    states, now = deployment.states, NEW_YEAR
    assert "nothing heard yet" in furnished("station", "list", "acme").stdout
    states.set_online("acme", "CP-001", online=True, at=now)
    states.set_steering("acme", "CP-001", "3256", suspended=True, at=now)
    states.set_cap("acme", "CP-001", "3257", Decimal(4000), now)
    states.learned("acme", "CP-001", Capabilities(max_periods=6), now)
    states.has_no_smart_charging("acme", "CP-001", now)
    states.set_online("acme", "CP-002", online=False, at=now)
    states.set_steering("acme", "CP-002", None, suspended=True, at=now)
    state = furnished("station", "show", "acme", "CP-001").document["state"]
    assert (state["online"], state["suspended_evses"], state["caps_w"]) == (True, ["3256"], {"3257": 4000})
    assert (state["learned"], state["learned_at"]) == ({"max_periods": 6}, "2026-01-01T00:00:00Z")
    listed = " ".join(furnished("station", "list", "acme").stdout.split())
    for words in ("online;", "steering off at 3256", "capped at 3257", "no smart charging", "offline; steering off"):
        assert words in listed
    assert [one["state"].get("online") for one in furnished("station", "list", "acme", "--json").document] == [
        True,
        False,
    ]


def test_a_station_is_removed(furnished: Bridge) -> None:
    assert furnished("station", "remove", "acme", "CP-001").exit_code == 0
    assert furnished("station", "show", "acme", "CP-001").exit_code == 1


def test_an_evse_of_another_station_is_told_with_file_and_path(furnished: Bridge, write: Write) -> None:
    def change(content: dict[str, Any]) -> None:
        content["stations"] = [{**content["stations"][0], "station_id": "CP-009"}]

    file = write("stations.json", change)
    refused = furnished("station", "import", file)
    assert refused.exit_code == 1
    assert f"{file}: stations.0.evses.0.uid: EVSE '3256' belongs to station 'CP-001'" in refused.stderr


# --- Assignments -----------------------------------------------------------------------------------------------------


def test_assignments_are_listed_and_revoked(furnished: Bridge) -> None:
    [evse] = furnished("assignment", "list", "--scope", "evse", "--json").document
    assert evse["key"] == "3256"
    assert furnished("assignment", "revoke", "jedlix", "evse", "3256").exit_code == 0
    assert len(furnished("assignment", "list", "--partner", "jedlix", "--json").document) == 1
    assert furnished("assignment", "revoke", "jedlix", "evse", "3256").exit_code == 1


def test_an_assignment_to_a_stranger_is_told_with_file_and_path(furnished: Bridge, write: Write) -> None:
    file = write("assignments.json", lambda content: content["assignments"][1].update(partner_id="stranger"))
    refused = furnished("assignment", "add", file)
    assert refused.exit_code == 1
    assert f"{file}: assignments.1.partner_id: unknown partner 'stranger'" in refused.stderr


# --- Errors and exit codes -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "command", "example"),
    [
        ("partner", "add", "partner.json"),
        ("csms", "add", "csms.json"),
        ("station", "import", "stations.json"),
        ("assignment", "add", "assignments.json"),
    ],
)
def test_a_wrong_file_changes_nothing_and_every_problem_has_a_line(
    kind: str, command: str, example: str, bridge: Bridge, write: Write, registry: DynamoRegistry
) -> None:
    file = write(example, lambda content: content.update(one_thing=1, another=2))
    refused = bridge(kind, command, file, "--json")
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert [line.split(": ")[:3] for line in refused.stderr.splitlines()] == [
        ["error", str(file), "one_thing"],
        ["error", str(file), "another"],
    ]
    assert (registry.list_partners(), registry.list_csmss(), registry.list_assignments()) == ((), (), ())


@pytest.mark.parametrize(
    "arguments",
    [
        ("partner", "show", "stranger"),
        ("partner", "remove", "stranger", "--yes"),
        ("partner", "replace", EXAMPLES / "partner.json"),
        ("csms", "show", "stranger"),
        ("csms", "remove", "stranger", "--yes"),
        ("csms", "test", "stranger"),
        ("steering", "off", "--evse", "stranger"),
        ("steering", "on", "--station", "acme/CP-001"),
        ("steering", "off", "--session", "stranger"),
        ("steering", "off", "--all", "stranger", "--yes"),
        ("release", "--station", "acme/CP-001"),
        ("release", "--partner", "stranger"),
        ("cap", "set", "--evse", "stranger", "--watts", "4000"),
        ("csms", "replace", EXAMPLES / "csms.json"),
        ("station", "show", "acme", "CP-001"),
        ("station", "export", "acme"),
        ("station", "remove", "acme", "CP-001"),
        ("station", "import", EXAMPLES / "stations.json"),
        ("station", "import", "no-such-file.json"),
    ],
)
def test_what_is_unknown_is_said_in_one_sentence(arguments: tuple[str | Path, ...], bridge: Bridge) -> None:
    refused = bridge(*arguments)
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert len(refused.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    "kind", [("partner", "list"), ("csms", "list"), ("station", "list", "acme"), ("assignment", "list")]
)
def test_an_empty_list_is_said_in_words_and_empty_for_scripts(kind: tuple[str, ...], bridge: Bridge) -> None:
    assert " no " in bridge(*kind).stdout
    assert bridge(*kind, "--json").document == []


@pytest.mark.parametrize("options", [(), ("--stage", "prod", "--local")])
def test_the_deployment_must_be_said_once(options: tuple[str, ...], bridge: Bridge) -> None:
    refused = bridge("partner", "list", options=options)
    assert refused.exit_code == 2
    assert "--stage" in refused.stderr
    assert "--local" in refused.stderr


def test_a_literal_secret_is_wrong_usage_and_is_not_repeated(bridge: Bridge) -> None:
    refused = bridge("partner", "add", EXAMPLES / "partner.json", "--present-token", "hunter2")
    assert refused.exit_code == 2
    assert "hunter2" not in refused.stderr


@pytest.mark.parametrize(
    "error", [NoCredentialsError(), ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "PutItem")]
)
def test_what_aws_refuses_is_said_in_one_sentence(error: Exception) -> None:
    def fail(_: Selection) -> Deployment:
        raise error

    refused = CliRunner().invoke(app, ["partner", "list", "--stage", "prod"], obj=fail, catch_exceptions=False)
    assert refused.exit_code == 1
    assert refused.stderr == f"error: AWS: {error}\n"


def test_the_selection_is_what_the_options_say(deployment: Deployment) -> None:
    seen: list[Selection] = []

    def connect(selection: Selection) -> Deployment:
        seen.append(selection)
        return deployment

    for options in (["--stage", "prod"], ["--local"], ["--local", "--stack-file", "x.json"]):
        CliRunner().invoke(app, ["partner", "list", *options], obj=connect, catch_exceptions=False)
    assert seen == [
        Selection("prod", STACK_FILE),
        Selection(None, STACK_FILE),
        Selection(None, Path("x.json")),
    ]


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        *([kind] for kind in ("partner", "csms", "station", "assignment", "steering", "cap", "release")),
        ["partner", "add"],
        ["station", "import"],
    ],
)
def test_help_is_there_for_every_command(arguments: list[str]) -> None:
    result = CliRunner().invoke(app, [*arguments, "--help"])
    assert result.exit_code == 0
    assert "Usage: " in result.stdout
