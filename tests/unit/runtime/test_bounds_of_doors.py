"""Every door answers what is beyond its bounds with a refusal: never with an exception, and nothing is kept of it.

The doors are those that the functions' folders have; one that is not in the table fails, and so does one that reads a
body and lets a bomb of the list through.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from ocpi_bridge.adapters.csms.events import MAX_BODY_BYTES as MAX_EVENTS_BYTES
from ocpi_bridge.adapters.csms.signing import callback_url, frames_token, sign_event
from ocpi_bridge.domain.partners import Pairing, Registration
from ocpi_bridge.domain.requests import RequestState
from ocpi_bridge.ocpi.bounded_json import MAX_DEPTH, MAX_FIELDS, MAX_ITEMS
from ocpi_bridge.runtime.request_bounds import (
    MAX_HEADER_LENGTH,
    MAX_HEADERS,
    MAX_PATH_LENGTH,
    MAX_QUERY_LENGTH,
    MAX_QUERY_PARAMETERS,
)
from tests.support.deployed_functions import CSMS_API, EVENT_KEY, FUNCTIONS, SIGNING_KEY, deployed, handler_of
from tests.support.lambda_events import proxy_event
from tests.support.queues import Queues
from tests.support.world import TOKEN, World

Lines = Callable[[], list[dict[str, Any]]]
Event = dict[str, Any]
Statuses = tuple[int, int | None]

PARTNER = {"Authorization": f"Token {TOKEN}"}
CSMS = {"Authorization": f"Token {EVENT_KEY}"}
COMMAND = "r1.0"
# The HTTP status, and OCPI's where there is an envelope.
OCPI_REFUSALS = frozenset({(200, 2001), (400, 2001)})
PLAIN_REFUSALS = frozenset({(400, None)})
# Whoever has a callback's URL gave the charge point's answer, though one that says nothing.
NOTHING_SAID = frozenset({(200, None)})


@dataclass(frozen=True)
class Door:
    """How a request gets to where its body is read, and what a refusal looks like there."""

    method: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    path: str = "/"
    headers: Callable[[World, str], Mapping[str, str]] = lambda *_: PARTNER
    reads_a_body: bool = True
    refusals: frozenset[Statuses] = OCPI_REFUSALS
    refuses_bodies: frozenset[Statuses] | None = None

    def event(self, world: World, body: str = "{}") -> Event:
        headers = self.headers(world, body)
        return proxy_event(self.method, self.path, headers=headers, body=body, path_parameters=self.parameters)


def signed(world: World, body: str) -> Mapping[str, str]:
    return {"X-CSMS-Id": "acme", "X-Signature": sign_event(body.encode(), EVENT_KEY, world.clock.now())}


DOORS = {
    "ocpi_versions": Door("GET", reads_a_body=False),
    "ocpi_fallback": Door("GET", reads_a_body=False),
    "ocpi_credentials": Door("PUT", path="/ocpi/2.2.1/credentials"),
    "ocpi_sessions": Door("PUT", {"session_id": "s1"}),
    "ocpi_charging_profiles": Door("PUT", {"session_id": "s1"}),
    "ocpi_pairing": Door("POST", refusals=PLAIN_REFUSALS),
    "csms_events": Door("POST", headers=signed, refusals=PLAIN_REFUSALS),
    "csms_frames": Door("POST", {"csms_id": "acme", "token": frames_token("acme", EVENT_KEY)}, refusals=PLAIN_REFUSALS),
    "csms_sessions": Door(
        "PUT",
        {"csms_id": "acme", "country_code": "NL", "party_id": "ACM", "session_id": "S-1"},
        headers=lambda *_: CSMS,
    ),
    "csms_callback": Door(
        "POST",
        {
            "command_id": COMMAND,
            "signature": callback_url(CSMS_API, COMMAND, SIGNING_KEY.encode()).rpartition("/")[2],
        },
        refusals=PLAIN_REFUSALS,
        refuses_bodies=NOTHING_SAID | PLAIN_REFUSALS,
    ),
}
READERS = [name for name, door in DOORS.items() if door.reads_a_body]

BOMBS = {
    "nothing": "",
    "deeper than the parser goes": "[" * 60_000 + "]" * 60_000,
    "deep objects": '{"a":' * 20_000 + "1" + "}" * 20_000,
    "deeper than the bound": '{"a":' * MAX_DEPTH + "[1]" + "}" * MAX_DEPTH,
    "an integer of 10,000 digits": '{"a": ' + "9" * 10_000 + "}",
    "a fraction of 10,000 digits": '{"a": 0.' + "1" * 10_000 + "}",
    "1e400": '{"a": 1e400}',
    "an exponent that never ends": '{"a": 1e999999999}',
    "an exponent that not even Decimal has": '{"a": 1e99999999999999999999}',
    "NaN": '{"a": NaN}',
    "Infinity": '{"a": -Infinity}',
    "a field twice": '{"a": 1, "a": 2}',
    "many items": json.dumps({"a": [0] * (MAX_ITEMS + 1)}),
    "many fields": json.dumps({str(number): 0 for number in range(MAX_FIELDS + 1)}),
    "many values": json.dumps({"a": [[0] * 300] * 110}),
    "a body longer than any": json.dumps({"a": "x" * MAX_EVENTS_BYTES}),
    "neither an object nor a list": "1",
}


def overgrown(event: Event) -> dict[str, Event]:
    """The event with one part of it, each in turn, just beyond its bound."""
    many_parameters = {f"q{number}": ["x"] for number in range(MAX_QUERY_PARAMETERS + 1)}
    many_headers = {f"X-{number}": "x" for number in range(MAX_HEADERS)}
    changes: dict[str, Event] = {
        "path": {"path": "/" + "x" * MAX_PATH_LENGTH},
        "query": {"multiValueQueryStringParameters": {"q": ["x" * MAX_QUERY_LENGTH]}},
        "query: its parameters": {"multiValueQueryStringParameters": many_parameters},
        "headers": {"headers": {"Host": "x"} | event["headers"] | many_headers},
        "headers: one of them": {"headers": event["headers"] | {"Cookie": "x" * MAX_HEADER_LENGTH}},
    }
    return {part: event | change for part, change in changes.items()}


@dataclass
class Site:
    world: World
    queues: Queues
    log: Lines

    def wrong_answers(
        self, name: str, events: Mapping[str, Event], expected: frozenset[Statuses]
    ) -> dict[str, Statuses]:
        """The statuses of those answers that are no refusal, or that do not name the part that is wrong.

        Nothing was kept, and nothing went wrong on the way.
        """
        handler, before, wrong = handler_of(name), self._kept(), {}
        for what, event in events.items():
            answer = handler(event, None)
            statuses = (answer["statusCode"], json.loads(answer["body"]).get("status_code"))
            named = what.split(":")[0] in answer["body"] or statuses == (200, None)
            if statuses not in expected or not named:
                wrong[what] = statuses
        assert [line for line in self.log() if line["level"] == "ERROR"] == []
        assert self._kept() == before
        return wrong

    def _kept(self) -> tuple[int, int, int]:
        requests, registry = (len(self.world.tables.items(name)) for name in ("requests", "registry"))
        return requests, registry, len(self.queues.take(self.queues.csms_events))


@pytest.fixture
def site(world: World, queues: Queues, log: Lines) -> Iterator[Site]:
    partner = replace(world.partner, registration=Registration.REGISTERED, pairing=Pairing())
    world.put_partner(partner)
    world.put_request(world.open_session(), state=RequestState.SENT, attempts=1)
    with deployed(world, queues):
        yield Site(world, queues, log)


def test_every_function_behind_an_api_is_in_the_table() -> None:
    doors = {path.parent.name for path in FUNCTIONS.glob("*/handler.py") if "_endpoint" in path.read_text()}
    assert doors == set(DOORS)


@pytest.mark.parametrize("name", READERS)
def test_a_body_beyond_bounds_is_refused(site: Site, name: str) -> None:
    door = DOORS[name]
    expected = door.refusals if door.refuses_bodies is None else door.refuses_bodies
    events = {f"body: {bomb}": door.event(site.world, body) for bomb, body in BOMBS.items()}
    assert site.wrong_answers(name, events, expected) == {}


@pytest.mark.parametrize("name", DOORS)
def test_what_surrounds_a_body_is_refused_beyond_its_bounds(site: Site, name: str) -> None:
    door = DOORS[name]
    assert site.wrong_answers(name, overgrown(door.event(site.world)), door.refusals) == {}
