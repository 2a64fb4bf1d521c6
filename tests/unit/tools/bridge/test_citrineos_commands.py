"""`bridge csms connect-citrineos`: against the subscriptions of the demo CSMS, without a socket."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from typer.testing import CliRunner

from ocpi_bridge.adapters.bounded_http.exchange import HttpCall, NoReply, Reply
from ocpi_bridge.adapters.csms.signing import frames_url
from tests.support.command_line import Done
from tests.support.operator import EXAMPLES, Vault, Write
from tests.support.raw_frames import call, result
from tools.bridge import citrineos, csms_commands
from tools.bridge.cli import app
from tools.bridge.deployment import Deployment
from tools.counterparts.clock import utc_now
from tools.counterparts.http_service import Request, Response
from tools.demo_csms.subscriptions import Subscriptions

Bridge = Callable[..., Done]
CSMS = "acme"


class Surface:
    """The API of a CitrineOS as a command reaches it. `refuse` answers instead, by the station that is asked for."""

    def __init__(self) -> None:
        self.subscriptions = Subscriptions()
        self.calls: list[HttpCall] = []
        self.refuse: dict[str, Reply | NoReply] = {}
        self.closed = 0

    def exchange(self, call: HttpCall, budget: float) -> Reply | NoReply:
        assert budget > 0
        self.calls.append(call)
        for station_id, refusal in self.refuse.items():
            if station_id in call.url or station_id.encode() in call.body:
                return refusal
        target = urlsplit(call.url)
        asked = Request(call.method, f"{target.path}?{target.query}", call.headers, call.body, 0, utc_now())
        answer = self.subscriptions.handle(asked) or Response(404)
        return Reply(answer.status, answer.headers, answer.body)

    def close(self) -> None:
        self.closed += 1

    def of(self, station_id: str) -> list[dict[str, object]]:
        return [one.document() for one in self.subscriptions.of(station_id)]

    def writes(self) -> list[str]:
        return [call.method for call in self.calls if call.method != "GET"]


@pytest.fixture
def surface() -> Surface:
    return Surface()


@pytest.fixture
def bridge(deployment: Deployment, surface: Surface, monkeypatch: pytest.MonkeyPatch) -> Bridge:
    """Runs `bridge ... --stage prod` in this process; the example's CSMS and stations are registered."""
    assert csms_commands.app.registered_commands
    monkeypatch.setenv("CREDENTIAL", "the-credential")
    reached = replace(deployment, probe=replace(deployment.probe, connect=lambda: surface))

    def run(*arguments: str | Path) -> Done:
        given = CliRunner().invoke(
            app, [*map(str, arguments), "--stage", "prod"], obj=lambda _: reached, catch_exceptions=False
        )
        return Done(given.exit_code, given.stdout, given.stderr)

    assert run("csms", "add", EXAMPLES / "csms.json", "--api-credential", "env:CREDENTIAL").exit_code == 0
    assert run("station", "import", EXAMPLES / "stations.json").exit_code == 0
    return run


@pytest.fixture
def station_ids(bridge: Bridge, deployment: Deployment) -> list[str]:
    return [station.station_id for station in deployment.registry.list_stations(CSMS)]


def connect(bridge: Bridge, *options: str | Path) -> Done:
    return bridge("csms", "connect-citrineos", CSMS, *options)


def our_url(vault: Vault) -> str:
    secret = vault.content(f"csms/{CSMS}")
    assert secret is not None
    return frames_url("https://csms-api.example", CSMS, str(secret["event_key"]))


# --- Subscribing ------------------------------------------------------------------------------------------------------


def test_every_station_of_the_registry_is_subscribed_to_all_that_matters(
    bridge: Bridge, surface: Surface, vault: Vault, station_ids: list[str]
) -> None:
    done = connect(bridge, "--json")
    assert done.exit_code == 0
    assert done.document["stations"] == dict.fromkeys(station_ids, "subscribed")
    for station_id in station_ids:
        [subscription] = surface.of(station_id)
        assert subscription["url"] == our_url(vault)
        assert [subscription[name] for name in ("onConnect", "onClose", "onMessage", "sentMessage")] == [True] * 4
        assert subscription["messageRegexFilter"] == citrineos.WANTED_FRAMES
        assert subscription["tenantId"] == 1
    assert surface.closed == 1


def test_running_it_again_leaves_what_is_as_it_should_be(
    bridge: Bridge, surface: Surface, station_ids: list[str]
) -> None:
    connect(bridge)
    surface.calls.clear()
    assert connect(bridge, "--json").document["stations"] == dict.fromkeys(station_ids, "as before")
    assert surface.writes() == []


def test_a_subscription_under_an_old_key_is_renewed_without_a_gap(
    bridge: Bridge, surface: Surface, vault: Vault, station_ids: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    connect(bridge)
    old = our_url(vault)
    monkeypatch.setenv("KEY", "k" * 40)
    assert bridge("csms", "replace", EXAMPLES / "csms.json", "--event-key", "env:KEY").exit_code == 0
    surface.calls.clear()
    assert set(connect(bridge, "--json").document["stations"].values()) == {"renewed"}
    assert [one["url"] for one in surface.of(station_ids[0])] == [our_url(vault)]
    assert our_url(vault) != old
    assert surface.writes()[:2] == ["POST", "DELETE"]


def test_a_subscription_that_lacks_something_is_renewed(
    bridge: Bridge, surface: Surface, station_ids: list[str]
) -> None:
    connect(bridge)
    [before] = surface.subscriptions.of(station_ids[0])
    surface.subscriptions._known[before.number] = replace(before, sent_message=False)
    assert connect(bridge, "--json").document["stations"][station_ids[0]] == "renewed"
    assert [one["sentMessage"] for one in surface.of(station_ids[0])] == [True]


def test_two_of_ours_become_one(bridge: Bridge, surface: Surface, station_ids: list[str]) -> None:
    connect(bridge)
    [one] = surface.subscriptions.of(station_ids[0])
    surface.subscriptions._known[99] = replace(one, number=99)
    connect(bridge)
    assert len(surface.of(station_ids[0])) == 1


def test_subscriptions_of_others_are_left_alone(bridge: Bridge, surface: Surface, station_ids: list[str]) -> None:
    others = {"stationId": station_ids[0], "onMessage": True, "url": "https://other.example/frames"}
    asked = Request("POST", citrineos.PATH, {}, json.dumps(others).encode(), 0, utc_now())
    surface.subscriptions.handle(asked)
    connect(bridge)
    connect(bridge, "--disconnect")
    assert [one["url"] for one in surface.of(station_ids[0])] == ["https://other.example/frames"]


def test_some_stations_may_be_named(bridge: Bridge, surface: Surface, station_ids: list[str], tmp_path: Path) -> None:
    file = tmp_path / "stations.txt"
    file.write_text(f"# first\n\n{station_ids[0]}  # at the gate\n{station_ids[0]}\n")
    assert connect(bridge, "--stations", file, "--json").document["stations"] == {station_ids[0]: "subscribed"}


def test_a_station_that_the_registry_does_not_have_is_found_before_anything_is_done(
    bridge: Bridge, surface: Surface, tmp_path: Path
) -> None:
    file = tmp_path / "stations.txt"
    file.write_text("CP-NOBODY\n")
    refused = connect(bridge, "--stations", file)
    assert refused.exit_code == 1
    assert "line 1" in refused.stderr
    assert "CP-NOBODY" in refused.stderr
    assert surface.calls == []


def test_a_file_that_is_not_there_is_told(bridge: Bridge, tmp_path: Path) -> None:
    assert connect(bridge, "--stations", tmp_path / "none").exit_code == 1


def test_the_csmss_own_tenant_and_credential_are_used(
    bridge: Bridge, surface: Surface, write: Write, station_ids: list[str]
) -> None:
    file = write("csms.json", lambda csms: csms.update(parameters={"tenantId": "7"}))
    assert bridge("csms", "replace", file).exit_code == 0
    assert connect(bridge).exit_code == 0
    assert {call.headers["Authorization"] for call in surface.calls} == {"Bearer the-credential"}
    assert all("tenantId=7" in call.url for call in surface.calls)
    assert {one["tenantId"] for one in surface.of(station_ids[0])} == {7}


def test_a_credential_that_is_refused_is_read_again_once(bridge: Bridge, surface: Surface) -> None:
    surface.refuse["CP-001"] = Reply(401, {}, b"")
    done = connect(bridge, "--json")
    assert done.document["failed"] == {"CP-001": "HTTP 401"}
    assert len([call for call in surface.calls if "CP-001" in call.url]) == 2


# --- The URL ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("options", [(), ("--json",), ("--list",), ("--disconnect",)])
def test_the_url_is_not_shown_in_full(bridge: Bridge, vault: Vault, options: tuple[str, ...]) -> None:
    shown = connect(bridge, *options)
    base, _, token = our_url(vault).rpartition("/")
    assert f"{base}/{token[:4]}..." in shown.stdout
    assert token not in shown.stdout + shown.stderr


def test_the_url_is_shown_when_it_is_asked_for(bridge: Bridge, vault: Vault) -> None:
    assert our_url(vault) in connect(bridge, "--show-url").stdout


# --- Looking and ending -----------------------------------------------------------------------------------------------


def test_a_list_changes_nothing(bridge: Bridge, surface: Surface, station_ids: list[str]) -> None:
    assert connect(bridge, "--list", "--json").document["stations"] == dict.fromkeys(station_ids, "none")
    assert surface.writes() == []
    connect(bridge)
    listed = connect(bridge, "--list")
    assert f"{station_ids[0]}: as before" in listed.stdout


def test_a_list_tells_what_is_outdated(bridge: Bridge, surface: Surface, station_ids: list[str]) -> None:
    connect(bridge)
    [one] = surface.subscriptions.of(station_ids[0])
    surface.subscriptions._known[one.number] = replace(one, pattern=None)
    assert connect(bridge, "--list", "--json").document["stations"][station_ids[0]] == "outdated"


def test_disconnecting_removes_what_is_ours(bridge: Bridge, surface: Surface, station_ids: list[str]) -> None:
    connect(bridge)
    assert connect(bridge, "--disconnect", "--json").document["stations"] == dict.fromkeys(station_ids, "removed")
    assert surface.of(station_ids[0]) == []
    assert connect(bridge, "--disconnect", "--json").document["stations"] == dict.fromkeys(station_ids, "none")


def test_a_list_and_an_end_at_once_are_wrong_usage(bridge: Bridge) -> None:
    assert connect(bridge, "--list", "--disconnect").exit_code == 2


# --- Failures ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (Reply(400, {}, b'{"message":"body must have property"}'), "HTTP 400: body must have property"),
        (Reply(502, {}, b"<html>"), "HTTP 502"),
        (Reply(200, {}, b"<html>"), "its answer is not JSON"),
        (Reply(200, {}, b"{}"), "no list of subscriptions"),
        (NoReply("connect", sent=False), "no answer: connect"),
    ],
)
def test_a_station_that_fails_does_not_keep_the_others(
    bridge: Bridge, surface: Surface, station_ids: list[str], answer: Reply | NoReply, told: str
) -> None:
    failing, other = station_ids[:2]
    surface.refuse[failing] = answer
    done = connect(bridge, "--json")
    assert done.exit_code == 3
    assert done.document["stations"][other] == "subscribed"
    assert told in done.document["failed"][failing]
    assert f"station {failing}: " in done.stderr


def test_only_a_citrineos_has_subscriptions(bridge: Bridge, surface: Surface, deployment: Deployment) -> None:
    csms = deployment.registry.get_csms(CSMS)
    assert csms is not None
    deployment.registry.replace_csms(replace(csms, preset="ampeco"))
    refused = connect(bridge)
    assert refused.exit_code == 1
    assert "preset citrineos" in refused.stderr
    assert surface.calls == []


def test_an_unknown_csms_is_refused(bridge: Bridge) -> None:
    refused = bridge("csms", "connect-citrineos", "nobody")
    assert refused.exit_code == 1
    assert "nobody" in refused.stderr


# --- The filter -------------------------------------------------------------------------------------------------------


def passes(frame: dict[str, str]) -> bool:
    return re.search(citrineos.WANTED_FRAMES, frame["message"]) is not None


@pytest.mark.parametrize(
    "action",
    [
        "BootNotification",
        "StartTransaction",
        "StopTransaction",
        "MeterValues",
        "StatusNotification",
        "TransactionEvent",
        "NotifyChargingLimit",
        "ClearedChargingLimit",
        "SetChargingProfile",
        "ClearChargingProfile",
    ],
)
def test_the_filter_lets_pass_what_means_something(action: str) -> None:
    assert passes(call(action, {}))


@pytest.mark.parametrize("action", ["Heartbeat", "DataTransfer", "Authorize", "LogStatusNotification", "NotifyEvent"])
def test_the_filter_keeps_back_what_does_not(action: str) -> None:
    assert not passes(call(action, {"connectorStatus": "BootNotification"}))


def test_the_filter_lets_pass_the_answers_that_mean_something() -> None:
    assert passes(result({"idTagInfo": {}, "transactionId": 5}))
    assert passes(result({"status": "Accepted"}))
    assert not passes(result({}))
    assert not passes(result({"currentTime": "2026-01-15T17:00:00Z"}))


def test_the_filter_fits_into_citrineoss_database() -> None:
    assert len(citrineos.WANTED_FRAMES) <= citrineos.MAX_TEXT
