"""`python -m tools.partner_simulator` as a program of its own."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.support.partner_bridge import TOKEN_A, ScriptedBridge
from tools.counterparts.http_service import HttpService, Request, Response
from tools.partner_simulator import PartnerSimulator
from tools.partner_simulator.transport import Party, authorization, envelope, new_message_ids, routing

pytestmark = pytest.mark.integration

SECONDS = 20.0
PROGRAM = [sys.executable, "-m", "tools.partner_simulator"]
SESSION = {
    "country_code": "NL",
    "party_id": "CPO",
    "id": "session-1",
    "start_date_time": "2026-01-15T16:58:12Z",
    "kwh": 0,
    "cdr_token": {"country_code": "NL", "party_id": "MSP", "uid": "p-1", "type": "RFID", "contract_id": "p-2"},
    "auth_method": "WHITELIST",
    "location_id": "LOC1",
    "evse_uid": "3256",
    "connector_id": "1",
    "currency": "EUR",
    "status": "ACTIVE",
    "last_updated": "2026-01-15T16:58:12Z",
}


def test_it_explains_itself() -> None:
    done = subprocess.run([*PROGRAM, "--help"], capture_output=True, text=True, timeout=SECONDS, check=True)

    assert "bridge_url" in done.stdout


@pytest.mark.parametrize(
    ("told", "missing"),
    [
        ({}, "cpo"),
        ({"cpo": "NL/CPO"}, "our_token"),
        ({"cpo": "NL/CPO", "our_token": "ours", "their_token": "theirs"}, "bridge_url"),
        ({"cpo": "NL/CPO", "versions_url": "https://bridge.example"}, "registration_token"),
    ],
)
def test_settings_that_cannot_be_used_are_named(tmp_path: Path, told: dict[str, str], missing: str) -> None:
    settings = tmp_path / "partner.json"
    settings.write_text(json.dumps(told))

    done = subprocess.run([*PROGRAM, str(settings)], capture_output=True, text=True, timeout=SECONDS, check=False)

    assert (done.returncode, missing in done.stderr) == (2, True)


def test_a_bridge_that_cannot_be_registered_with_is_told(tmp_path: Path) -> None:
    with HttpService(lambda _: Response(500), name="broken-bridge") as bridge:
        settings = tmp_path / "partner.json"
        told = {"versions_url": f"{bridge.url}/versions", "registration_token": "token-a", "cpo": "NL/CPO"}
        settings.write_text(json.dumps(told))
        done = subprocess.run([*PROGRAM, str(settings)], capture_output=True, text=True, timeout=SECONDS, check=False)

    assert (done.returncode, done.stderr) == (1, "HandshakeError: GET versions: HTTP 500, OCPI None\n")


def test_it_registers_by_handshake(tmp_path: Path) -> None:
    with PartnerSimulator(cpo=Party("NL", "CPO")) as served:
        # Only a bridge by script reads back what a process of its own serves.
        bridge = ScriptedBridge(served)
        with bridge.http:
            settings = tmp_path / "partner.json"
            told = {"versions_url": bridge.versions_url, "registration_token": TOKEN_A, "cpo": "NL/CPO"}
            settings.write_text(json.dumps(told))
            with subprocess.Popen([*PROGRAM, str(settings)], stdout=subprocess.PIPE, text=True) as program:
                assert program.stdout is not None
                receiver = program.stdout.readline()
                program.send_signal(signal.SIGTERM)
                assert program.wait(SECONDS) == 0

    assert receiver.endswith("/ocpi/2.3.0/sessions\n")
    assert len(bridge.tokens) == 1


def test_it_answers_a_session_with_the_guide_s_plan(tmp_path: Path) -> None:
    def accept(request: Request) -> Response:
        return envelope(request, data={"result": "ACCEPTED", "timeout": 30})

    with HttpService(accept, name="stand-in-bridge") as bridge:
        settings = tmp_path / "partner.json"
        settings.write_text(
            json.dumps({"bridge_url": bridge.url, "our_token": "ours", "their_token": "theirs", "cpo": "NL/CPO"})
        )
        with subprocess.Popen([*PROGRAM, str(settings)], stdout=subprocess.PIPE, text=True) as program:
            assert program.stdout is not None
            sessions_url = program.stdout.readline().split(": ")[1].strip()
            headers = {
                "Authorization": authorization("theirs", plain=False),
                **new_message_ids(),
                **routing(to=Party("NL", "JED"), sender=Party("NL", "CPO")),
            }
            httpx.put(f"{sessions_url}/NL/CPO/session-1", json=SESSION, headers=headers)
            request = bridge.requests.wait_for(lambda _: True, SECONDS)
            program.send_signal(signal.SIGTERM)
            assert program.wait(SECONDS) == 0

    assert (request.method, request.path) == ("PUT", "/ocpi/2.2.1/chargingprofiles/session-1")
    assert json.loads(request.body)["charging_profile"]["charging_profile_period"][0]["limit"] == 22000
