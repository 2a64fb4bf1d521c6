"""The HTTP surface of CitrineOS without a socket."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from tools.counterparts.clock import utc_now
from tools.counterparts.http_service import Request
from tools.counterparts.ocpp_json import Call, CallError, CallResult, OcppVersion
from tools.demo_csms.callbacks import CallbackSender
from tools.demo_csms.errors import CallInProgressError, NoConnectionError
from tools.demo_csms.http_surface import HttpSurface
from tools.demo_csms.records import PendingCall
from tools.demo_csms.station_201 import CommandRefusedError

Json = dict[str, Any]

CLEAR = {"id": 77}


class Stations:
    """Knows one station and what it answers; None is silence."""

    def __init__(self) -> None:
        self.answer: Json | CallError | None = {"status": "Accepted"}
        self.refusal: Exception | None = None
        self.sent: list[tuple[OcppVersion, Call]] = []

    def dispatch(self, version: OcppVersion, station_id: str, action: str, payload: Json) -> PendingCall:
        if station_id != "CP-1":
            raise NoConnectionError(f"{station_id} is not connected")
        if self.refusal is not None:
            raise self.refusal
        call = Call("m-1", action, payload)
        self.sent.append((version, call))
        pending = PendingCall(station_id, call)
        if isinstance(self.answer, CallError):
            pending.settle(self.answer)
        elif self.answer is not None:
            pending.settle(CallResult("m-1", self.answer))
        return pending


@pytest.fixture
def stations() -> Stations:
    return Stations()


@pytest.fixture
def surface(stations: Stations) -> Iterator[HttpSurface]:
    callbacks = CallbackSender(cache_seconds=30)
    yield HttpSurface(stations, callbacks, api_token=None, sync_seconds=0)
    callbacks.stop()


def post(
    surface: HttpSurface,
    target: str,
    body: object = CLEAR,
    *,
    method: str = "POST",
    headers: Mapping[str, str] | None = None,
) -> tuple[int, Any]:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    request = Request(
        method=method,
        target=target,
        headers={"content-type": "application/json", **(headers or {})},
        body=content,
        client_port=50_000,
        at=utc_now(),
    )
    response = surface.handle(request)
    return response.status, json.loads(response.body)


CLEAR_URL = "/ocpp/1.6/smartcharging/clearChargingProfile?identifier=CP-1&tenantId=1"


def test_success_means_written_to_the_socket(surface: HttpSurface, stations: Stations) -> None:
    stations.answer = None

    assert post(surface, CLEAR_URL) == (200, [{"success": True}])
    assert stations.sent[0][1].payload == CLEAR
    assert surface.commands.entries()[0].client_port == 50_000


def test_an_unknown_station_is_a_failure_with_http_200(surface: HttpSurface) -> None:
    url = CLEAR_URL.replace("CP-1", "NOSUCH")

    assert post(surface, url) == (
        200,
        [{"success": False, "payload": "No connection found for identifier: 1:NOSUCH"}],
    )


@pytest.mark.parametrize(
    "refusal", [CallInProgressError("Call already in progress"), CommandRefusedError("Transaction 1 not found")]
)
def test_what_was_not_sent_is_a_failure_with_its_reason(
    surface: HttpSurface, stations: Stations, refusal: Exception
) -> None:
    stations.refusal = refusal

    assert post(surface, CLEAR_URL) == (200, [{"success": False, "payload": str(refusal)}])


def test_several_identifiers_have_an_entry_each(surface: HttpSurface) -> None:
    status, entries = post(surface, f"{CLEAR_URL}&identifier=NOSUCH")

    assert status == 200
    assert [entry["success"] for entry in entries] == [True, False]


@pytest.mark.parametrize(
    ("target", "body"),
    [
        (CLEAR_URL, {"id": "77"}),
        (CLEAR_URL, [CLEAR]),
        (CLEAR_URL.replace("1.6", "2.0.1"), CLEAR),
        ("/ocpp/1.6/smartcharging/clearChargingProfile", CLEAR),
    ],
)
def test_what_breaks_the_schema_is_http_400(
    surface: HttpSurface, stations: Stations, target: str, body: object
) -> None:
    status, answer = post(surface, target, body)

    assert (status, answer["code"]) == (400, "FST_ERR_VALIDATION")
    assert stations.sent == []


def test_a_body_that_is_no_json_is_http_400(surface: HttpSurface) -> None:
    assert post(surface, CLEAR_URL, b"{")[0] == 400


def test_a_body_of_another_type_is_http_415(surface: HttpSurface) -> None:
    assert post(surface, CLEAR_URL, headers={"content-type": "text/plain"})[0] == 415


@pytest.mark.parametrize(
    ("method", "target"), [("GET", CLEAR_URL), ("POST", "/ocpp/1.6/smartcharging/reset?identifier=CP-1")]
)
def test_other_routes_are_http_404(surface: HttpSurface, method: str, target: str) -> None:
    assert post(surface, target, method=method)[0] == 404


def test_the_hook_runs_between_the_frame_and_the_answer(surface: HttpSurface, stations: Stations) -> None:
    seen = []
    surface.before_http_answer = lambda command: seen.append((command.action, len(stations.sent)))

    post(surface, CLEAR_URL)

    assert seen == [("ClearChargingProfile", 1)]


def test_a_token_is_asked_for_when_one_is_set(stations: Stations) -> None:
    callbacks = CallbackSender(cache_seconds=30)
    surface = HttpSurface(stations, callbacks, api_token="hush", sync_seconds=0)

    refused = post(surface, CLEAR_URL, headers={"authorization": "Bearer other"})
    taken = post(surface, CLEAR_URL, headers={"authorization": "Bearer hush"})
    callbacks.stop()

    assert (refused[0], taken[0]) == (401, 200)


def test_the_synchronous_surface_answers_with_the_payload(surface: HttpSurface) -> None:
    assert post(surface, f"/sync{CLEAR_URL}") == (200, {"status": "Accepted"})


def test_the_synchronous_surface_gives_a_silent_station_up(surface: HttpSurface, stations: Stations) -> None:
    stations.answer = None

    assert post(surface, f"/sync{CLEAR_URL}")[0] == 504


@pytest.mark.parametrize("refusal", [NoConnectionError("gone"), CallInProgressError("Call already in progress")])
def test_the_synchronous_surface_asks_to_try_again_when_nothing_was_sent(
    surface: HttpSurface, stations: Stations, refusal: Exception
) -> None:
    stations.refusal = refusal

    assert post(surface, f"/sync{CLEAR_URL}")[0] == 503


def test_the_synchronous_surface_shows_a_callerror_as_the_callback_does(
    surface: HttpSurface, stations: Stations
) -> None:
    stations.answer = CallError("m-1", "NotSupported", "no")

    assert post(surface, f"/sync{CLEAR_URL}") == (
        200,
        {"_messageId": "m-1", "_errorCode": "NotSupported", "_errorDetails": {}, "name": "OcppError"},
    )


def test_the_callback_url_is_in_no_representation(surface: HttpSurface) -> None:
    post(surface, f"{CLEAR_URL}&callbackUrl=https://bridge.example/cb/1/capability")

    command = surface.commands.entries()[0]
    assert command.callback_url == "https://bridge.example/cb/1/capability"
    assert "capability" not in repr(command)
