"""What the functions answer is documented: each path with each method, known and unknown callers, good and bad input.

The functions are imported as a cold start does, with their real wiring on moto; the status of every answer stands in
the OpenAPI document, and its body keeps to the schema that stands there.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import urlencode

import pytest

from ocpi_bridge.domain.events import EventType
from tests.contract.catalogue import fixture
from tests.contract.documented import DOCUMENT, FUNCTION_OF, answer_schema, function_of, problems
from tests.support.deployed_functions import deployed, handler_of
from tests.support.lambda_events import proxy_event
from tests.support.queues import aws_queues
from tests.support.tables import aws_tables
from tests.support.world import RESPONSE_URL, TOKEN, World, event

METHODS = ("GET", "PUT", "POST", "PATCH", "DELETE")
PROFILE = {**fixture("jedlix/set_charging_profile_guide.json"), "response_url": RESPONSE_URL}
BODIES = {
    "nothing": "",
    "no JSON": "{",
    "an empty object": "{}",
    "a list": "[]",
    "a profile": json.dumps(PROFILE),
    "preferences": json.dumps(fixture("constructed/sessions/charging_preferences_put_request.json")),
    "a code": json.dumps(fixture("jedlix/pair_request_jedlix_to_cpo.json")),
}
QUERIES = {
    "no query": "",
    "a list's query": urlencode({"date_from": "2026-01-15T17:00:00Z", "limit": "10"}),
    "a profile's query": urlencode({"duration": "900", "response_url": RESPONSE_URL}),
    "a clear's query": urlencode({"response_url": RESPONSE_URL}),
    "a wrong query": urlencode({"date_from": "yesterday", "duration": "-1", "response_url": "http://10.0.0.1/"}),
}
CALLERS: dict[str, dict[str, str]] = {
    "nobody": {},
    "an unknown token": {"Authorization": "Token dW5rbm93bg=="},
    "the partner": {"Authorization": f"Token {TOKEN}"},
}
Ask = Callable[[str, str, str, str, Mapping[str, str]], tuple[int, Any]]


@pytest.fixture(scope="module")
def ask() -> Iterator[Ask]:
    """Calls the function of a documented path; the session of the path is the world's, seen and steered by the partner."""
    with aws_tables() as tables, aws_queues() as queues:
        world = World(tables)
        session = world.open_session(event(EventType.TRANSACTION_STARTED, meter="1000"))
        with deployed(world, queues):
            handlers = {name: handler_of(name) for name in FUNCTION_OF.values()}

            def run(path: str, method: str, query: str, body: str, headers: Mapping[str, str]) -> tuple[int, Any]:
                values = {
                    "session_id": session.session_id,
                    "command_id": "r1.0",
                    "signature": "x",
                    "csms_id": "acme",
                    "token": "x",
                    "country_code": "NL",
                    "party_id": "ACM",
                }
                parameters = {name: values[name] for name in re.findall(r"{(\w+)}", path)}
                given = proxy_event(
                    method, path.format(**values), query=query, headers=headers, body=body, path_parameters=parameters
                )
                answer = handlers[function_of(path)](given, None)
                return answer["statusCode"], json.loads(answer["body"])

            yield run


def inputs(method: str) -> list[tuple[str, str]]:
    """What a method can be given: a query, or a body."""
    if method in {"GET", "DELETE"}:
        return [(query, "") for query in QUERIES.values()]
    return [("", body) for body in BODIES.values()]


@pytest.mark.parametrize("caller", CALLERS)
@pytest.mark.parametrize("path", DOCUMENT["paths"])
def test_every_answer_is_documented(ask: Ask, path: str, caller: str) -> None:
    operations = DOCUMENT["paths"][path]
    for method in METHODS:
        if method.lower() not in operations:
            assert ask(path, method, "", "{}", CALLERS[caller])[0] in {401, 405}, method
            continue
        for query, body in inputs(method):
            status, answer = ask(path, method, query, body, CALLERS[caller])
            what = (method, query, body, status, answer)
            assert str(status) in operations[method.lower()]["responses"], what
            assert problems(answer_schema(path, method.lower(), status), answer) == [], what


@pytest.mark.parametrize(
    ("path", "method", "query", "body"),
    [
        ("/ocpi/versions", "GET", "no query", "nothing"),
        ("/ocpi/2.3.0", "GET", "no query", "nothing"),
        ("/ocpi/2.2.1/credentials", "GET", "no query", "nothing"),
        ("/ocpi/2.2.1/sessions", "GET", "a list's query", "nothing"),
        ("/ocpi/2.3.0/sessions", "GET", "a list's query", "nothing"),
        ("/ocpi/2.2.1/chargingprofiles/{session_id}", "PUT", "no query", "a profile"),
        ("/ocpi/2.2.1/chargingprofiles/{session_id}", "GET", "a profile's query", "nothing"),
        ("/ocpi/2.2.1/chargingprofiles/{session_id}", "DELETE", "a clear's query", "nothing"),
    ],
)
def test_these_calls_show_the_documented_data(ask: Ask, path: str, method: str, query: str, body: str) -> None:
    status, answer = ask(path, method, QUERIES[query], BODIES[body], CALLERS["the partner"])
    assert (status, answer["status_code"]) == (200, 1000)
    assert answer["data"]
