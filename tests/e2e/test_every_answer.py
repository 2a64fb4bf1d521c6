"""Every answer to every method on every path, with a good, a bad, a registration and no token, has the envelope.

The paths are read from the deployed API itself, so that one that is added later is walked too. The gateway's own
answers (throttled, too large, no answer in time) are the documented exception: no function sees those requests.
"""

import itertools
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import httpx
import pytest

from ocpi_bridge.domain.tokens import TokenUse, new_token
from tests.support.e2e_site import SOON
from tests.support.e2e_tokens import authorization, token_of_a_new_partner
from tools.counterparts.json_types import as_object, read_json
from tools.demo_csms.event_reporter import trusting_client
from tools.local_stack import LocalStack
from tools.partner_simulator.models import Envelope

TOKENS = ("good", "registration", "bad", "none")
AT_ONCE = 3
METHODS = ("GET", "PUT", "POST", "PATCH", "DELETE", "OPTIONS")
# Not of any OCPI module: Jedlix's pairing has plain JSON (docs/pairing.md).
PLAIN_JSON = "/v1/"
UNKNOWN = (
    "",
    "/",
    "/ocpi/2.1.1",
    "/ocpi/2.2.1/locations",
    "/ocpi/2.2.1/sessions/s1",
    "/favicon.ico",
    "/ocpi/2.2.1/x/y/z",
)
CONFIGURATION = ("/ocpi/versions", "/ocpi/2.2.1", "/ocpi/2.3.0", "/ocpi/2.2.1/credentials", "/ocpi/2.3.0/credentials")
IDS = {"X-Request-ID": "walk-request", "X-Correlation-ID": "walk-correlation"}
ROUTING = ("ocpi-from-country-code", "ocpi-from-party-id", "ocpi-to-country-code", "ocpi-to-party-id")


@dataclass(frozen=True, slots=True)
class Walker:
    """Somebody who tries everything. A token that may be used up by a call is made for that call alone."""

    stack: LocalStack
    http: httpx.Client

    def token(self, kind: str) -> str | None:
        if kind == "none":
            return None
        if kind == "bad":
            return authorization(new_token())
        use = TokenUse.CREDENTIALS if kind == "good" else TokenUse.REGISTRATION
        return authorization(token_of_a_new_partner(self.stack, use))

    def call(self, method: str, path: str, token: str | None) -> httpx.Response:
        headers = dict(IDS) if token is None else {**IDS, "Authorization": token}
        body = b"{}" if method in {"PUT", "POST", "PATCH"} else None
        return self.http.request(method, self.stack.ocpi_api_url + path, headers=headers, content=body)


@pytest.fixture(scope="module")
def walker(stack: LocalStack) -> Iterator[Walker]:
    with trusting_client(stack.ca_file, SOON) as http:
        yield Walker(stack, http)


def served_paths(stack: LocalStack) -> list[str]:
    """Every path of the deployed OCPI API that is no mere part of a longer one, its parameters filled in."""
    gateway = stack.client("apigateway")
    api_id = stack.outputs["OcpiApiUrl"].rsplit("/", 2)[1]
    resources = gateway.get_resources(restApiId=api_id, limit=500)["items"]
    paths = [str(one["path"]) for one in resources if "{proxy+}" not in str(one["path"])]
    return sorted(path.replace("{session_id}", "unknown-session") for path in paths)


def test_every_answer_has_the_envelope(walker: Walker) -> None:
    served = served_paths(walker.stack)
    assert {path for path in served if path.endswith("credentials")} == set(CONFIGURATION[3:])
    shared = {kind: walker.token(kind) for kind in TOKENS}

    def walk(call: tuple[str, str, str]) -> list[str]:
        path, method, kind = call
        used_up = path.endswith("credentials") and kind in {"good", "registration"}
        answer = walker.call(method, path, walker.token(kind) if used_up else shared[kind])
        return [
            f"{method} {path or '(root)'} with {kind} token, HTTP {answer.status_code}: {finding}"
            for finding in wrong_with(answer, method, path, kind)
        ]

    calls = list(itertools.product(dict.fromkeys([*served, *UNKNOWN]), METHODS, TOKENS))
    assert len(calls) > 300
    with ThreadPoolExecutor(AT_ONCE) as pool:
        assert [finding for found in pool.map(walk, calls) for finding in found] == []


def wrong_with(answer: httpx.Response, method: str, path: str, kind: str) -> Iterator[str]:
    """What of an answer breaks a rule."""
    if answer.status_code >= 500:
        yield "is a server error"
    if answer.headers.get("content-type", "").split(";")[0] != "application/json":
        yield f"content type {answer.headers.get('content-type')!r}"
        return
    for name, value in IDS.items():
        if answer.headers.get(name) != value:
            yield f"{name} is {answer.headers.get(name)!r}"
    body = as_object(read_json(answer.content))
    if path.startswith(PLAIN_JSON):
        yield from _plain(answer, body, kind)
        return
    try:
        envelope = Envelope.model_validate(body)
    except ValueError as error:
        yield f"no envelope: {error}"
        return
    if answer.status_code >= 400 and envelope.status_code < 2000:
        yield f"HTTP says no, OCPI says {envelope.status_code}"
    yield from _by_token(answer, method, path, kind)
    if path in CONFIGURATION and (named := [name for name in ROUTING if name in answer.headers]):
        yield f"routing headers on a configuration module: {named}"


def _by_token(answer: httpx.Response, method: str, path: str, kind: str) -> Iterator[str]:
    if kind in {"bad", "none"} and answer.status_code != 401:
        yield "is not 401"
    if kind == "registration" and path not in CONFIGURATION and answer.status_code != 401:
        yield "is not 401, though a registration token opens versions and credentials only"
    if answer.status_code == 401 and "www-authenticate" not in answer.headers:
        yield "has no WWW-Authenticate"
    if answer.status_code == 405 and not answer.headers.get("allow"):
        yield "has no Allow"
    if kind == "good" and path in UNKNOWN and answer.status_code != 404:
        yield "is not 404"
    if kind == "good" and method == "PATCH" and path in CONFIGURATION and answer.status_code != 405:
        yield "is not 405"


def _plain(answer: httpx.Response, body: Mapping[str, object], kind: str) -> Iterator[str]:
    if kind in {"bad", "none"} and answer.status_code not in {401, 404}:
        yield "is neither 401 nor 404"
    if answer.status_code >= 400 and "message" not in body and "status_message" not in body:
        yield "says nothing"
