"""Dead letters on the deployed stack: why, how often and whom they are about, by the operator's own command line."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import pytest
from typer.testing import CliRunner

from ocpi_bridge.domain.requests import Request, RequestState
from tests.support.e2e_faults import Queue, paused
from tests.support.e2e_site import SOON, Site, charging_at, flat, site_name, site_world, sites_station
from tests.support.e2e_waiting import eventually
from tools.bridge.cli import app
from tools.counterparts.clock import utc_now
from tools.local_stack import LocalStack
from tools.partner_simulator import Exchange, ResultType, faults

# Leaves a charge point its time before the deadline, and not long to wait until the result is given up.
TIMEOUT = 25
UID = "04D1E2F3A4B5"
COMMAND_TRIES, EVENT_TRIES = 20, 5

Bridge = Callable[..., Any]


@pytest.fixture(scope="module")
def bridge(stack: LocalStack, tmp_path_factory: pytest.TempPathFactory) -> Bridge:
    """Runs `bridge dlq ... --local --json` and gives its document; `fails` is the exit code of one that is refused."""
    description = tmp_path_factory.mktemp("dlq") / "stack.json"
    description.write_text(json.dumps(asdict(stack.description)))

    def run(*arguments: str, fails: int | None = None) -> Any:  # noqa: ANN401 - JSON
        options = ("--local", "--stack-file", str(description), "--json")
        done = CliRunner().invoke(app, ["dlq", *arguments, *options], catch_exceptions=False)
        assert done.exit_code == (fails or 0), done.stderr
        # What a command shows must never name a driver, or have the query of a response URL.
        assert UID not in done.stdout + done.stderr
        assert "?" not in done.stdout
        return json.loads(done.stdout) if fails is None else done.stderr

    return run


@dataclass(frozen=True, slots=True)
class Refused:
    """A result that its partner refuses."""

    place: Site
    exchange: Exchange

    @property
    def request(self) -> Request:
        return self.place.items.request_of(self.place.session_id, self.exchange.response_url)


@pytest.fixture(scope="module")
def refused(stack: LocalStack) -> Iterator[Refused]:
    """The partner answers 401 to results; without the check for late ones: a redrive is late by a person's wish."""
    name = site_name()
    station = sites_station(name)
    with (
        site_world(stack, name, [station], timeout=TIMEOUT) as world,
        charging_at(world, station.station_id) as place,
    ):
        place.partner.misbehave(faults.http_error(401), method="POST", times=None)
        yield Refused(place, place.bridge.put_profile(place.session_id, flat(7000)))


def entry_of(bridge: Bridge, queue: str, wanted: Callable[[Mapping[str, Any]], bool]) -> dict[str, Any]:
    """The entry of a queue that is wanted, once it is there; what other tests left there is none of ours."""

    def look() -> dict[str, Any] | None:
        [listed] = bridge("list", "--queue", queue, "--most", "1000")
        return next((one for one in listed["entries"] if wanted(one)), None)

    return eventually(look, SOON, what=f"an entry of {queue}")


def test_an_event_that_cannot_be_taken_in_says_why_and_names_no_driver(
    stack: LocalStack, bridge: Bridge, refused: Refused
) -> None:
    csms_id = refused.place.csms.csms_id
    body = {"events": 5, "data": {"id_token": {"uid": UID}}}
    queue = Queue(stack, "CsmsEvents")
    with paused(stack, "ingest_csms_events"):
        # As workers that are throttled or killed use the receipts up: all of them, and all but the last.
        for name, receipts in (("killing", EVENT_TRIES), ("failing", EVENT_TRIES - 1)):
            queue.send({**body, "id": name}, attributes={"csms_id": csms_id})
            queue.use_up(name, receipts, SOON)

    failed = entry_of(
        bridge, "csms-events", lambda one: one["about"].get("csms") == csms_id and one["error"] != "unknown"
    )
    assert (failed["error"], failed["attempts"]) == ("TypeError", EVENT_TRIES)
    assert failed["where"].startswith("ocpi_bridge.")
    shown = bridge("show", failed["entry"], "--queue", "csms-events")
    assert shown["message"] == {"events": "***", "data": {"id_token": "***"}, "id": "failing"}

    killed = entry_of(
        bridge, "csms-events", lambda one: one["about"].get("csms") == csms_id and one["error"] == "unknown"
    )
    assert (killed["reason"], killed["attempts"]) == ("unknown: the worker died or timed out", EVENT_TRIES)

    for entry in (failed, killed):
        assert bridge("discard", entry["entry"], "--queue", "csms-events", "--yes")["discarded"] == [entry["entry"]]


def test_a_command_whose_worker_fails_always_names_its_partner_session_and_request(
    stack: LocalStack, bridge: Bridge, refused: Refused
) -> None:
    request = refused.request
    queue = Queue(stack, "ChargerCommands")
    with paused(stack, "send_charger_commands"):
        # The step is missing: a worker cannot know what to send, however often it is asked.
        queue.send({"request_id": request.request_id}, group="broken", copy=request.request_id)
        queue.use_up(request.request_id, COMMAND_TRIES - 1, SOON)

    entry = entry_of(bridge, "charger-commands", lambda one: one["request_id"] == request.request_id)
    assert (entry["error"], entry["attempts"]) == ("KeyError", COMMAND_TRIES)
    assert (entry["partner_id"], entry["session_id"]) == (refused.place.world.partner_id, refused.place.session_id)
    # A FIFO queue that was looked into gives everything to the next one at once.
    shown = bridge("show", entry["entry"], "--queue", "charger-commands")
    assert shown["request"]["state"] == refused.request.state
    refusal = bridge("redrive", entry["entry"], "--queue", "charger-commands", fails=1)
    assert "a redrive would do nothing" in refusal
    bridge("discard", entry["entry"], "--queue", "charger-commands", "--yes")


def test_a_refused_result_is_listed_with_its_reason_and_told_when_a_person_wants_it(
    bridge: Bridge, refused: Refused
) -> None:
    place, exchange = refused.place, refused.exchange
    place.items.wait_for_state(place.session_id, exchange.response_url, RequestState.UNDELIVERED, SOON)
    request = refused.request
    entry = entry_of(bridge, "result-callbacks", lambda one: one["request_id"] == request.request_id)
    assert (entry["error"], entry["status"], entry["host"]) == ("http_401", 401, "localhost")
    assert (entry["partner_id"], entry["session_id"]) == (place.world.partner_id, place.session_id)
    assert entry["attempts"] == request.delivery.attempts == len(place.posts()) > 1

    eventually(lambda: utc_now() > request.timeout_at, SOON, what="the end of the timeout")
    shown = bridge("show", entry["entry"], "--queue", "result-callbacks")
    assert request.result is not None
    assert shown["redrive"] == {"does": f"the partner is told {request.result}", "useful": True, "asks": True}
    assert "Nobody can be asked here" in bridge("redrive", entry["entry"], "--queue", "result-callbacks", fails=1)
    assert refused.request.state is RequestState.UNDELIVERED

    place.partner.behave()
    bridge("redrive", entry["entry"], "--queue", "result-callbacks", "--yes")

    assert exchange.wait_for_result(SOON).result is ResultType(request.result.value)
    place.items.wait_for_state(place.session_id, exchange.response_url, RequestState.DELIVERED, SOON)
    assert len(exchange.results()) == 1
    # The partner takes it for late, and for nothing else.
    assert [one for one in place.partner.violations() if "after the announced timeout" not in one.what] == []
