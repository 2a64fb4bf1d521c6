"""The OCPI API as a whole: tokens, paths, methods, versions; every answer in the envelope with both ids."""

import base64
from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import pytest

from tests.support.e2e_site import SOON, Site, flat, site, token_of
from tools.counterparts.json_types import JsonObject, as_list, as_object, as_text, read_json
from tools.demo_csms.event_reporter import trusting_client
from tools.local_stack import LocalStack
from tools.partner_simulator import ResponseType, ResultType
from tools.partner_simulator.models import Envelope

IDS = {"X-Request-ID": "request-1", "X-Correlation-ID": "correlation-1"}


@dataclass(frozen=True, slots=True)
class Door:
    """The API, and a partner that is known to it."""

    place: Site
    http: httpx.Client
    token: str

    def ask(self, method: str, path: str, *, token: str | None = None, body: bytes | None = None) -> httpx.Response:
        presented = self.token if token is None else token
        headers = {**IDS, **({"Authorization": presented} if presented else {})}
        return self.http.request(method, self.place.stack.ocpi_api_url + path, headers=headers, content=body)


@pytest.fixture(scope="module")
def door(stack: LocalStack) -> Iterator[Door]:
    with site(stack) as place:
        token = token_of(place.partner)
        with trusting_client(stack.ca_file, SOON) as http:
            yield Door(place, http, encoded(token))


def encoded(token: str) -> str:
    return "Token " + base64.b64encode(token.encode()).decode()


def assert_envelope(answer: httpx.Response, http: int, code: int) -> JsonObject:
    """Strictly an OCPI answer to a request with `IDS`; returns it."""
    body = as_object(read_json(answer.content))
    envelope = Envelope.model_validate(body)
    assert (answer.status_code, envelope.status_code) == (http, code)
    assert answer.headers["content-type"].split(";")[0] == "application/json"
    assert {name: answer.headers.get(name) for name in IDS} == IDS
    return body


@pytest.mark.parametrize(
    "path",
    ["", "/", "/ocpi", "/ocpi/2.2.1/locations", "/ocpi/2.1.1/cpo", "/ocpi/2.2.1/chargingprofiles", "/favicon.ico"],
)
@pytest.mark.parametrize("method", ["GET", "PUT", "POST"])
def test_an_unknown_path_is_404_for_a_partner_and_401_for_others(door: Door, method: str, path: str) -> None:
    assert_envelope(door.ask(method, path), 404, 2000)
    assert_envelope(door.ask(method, path, token="Token unknown"), 401, 2000)
    assert_envelope(door.ask(method, path, token=""), 401, 2000)


@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_a_method_that_charging_profiles_do_not_have_is_refused(door: Door, method: str) -> None:
    path = f"/ocpi/2.2.1/chargingprofiles/{door.place.session_id}"

    answer = door.ask(method, path, body=b"{}")

    assert_envelope(answer, 405, 2000)
    assert {one.strip() for one in answer.headers["allow"].split(",")} == {"GET", "PUT", "DELETE"}
    assert_envelope(door.ask(method, path, token="Token unknown"), 401, 2000)


@pytest.mark.parametrize("path", ["/ocpi/versions", "/ocpi/2.2.1"])
def test_a_method_that_versions_do_not_have_is_refused(door: Door, path: str) -> None:
    answer = door.ask("PUT", path, body=b"{}")

    assert_envelope(answer, 405, 2000)
    assert answer.headers["allow"] == "GET"


def test_versions_lead_to_the_endpoint_that_is_served(door: Door) -> None:
    listed = assert_envelope(door.ask("GET", "/ocpi/versions"), 200, 1000)
    (version,) = [as_object(one) for one in as_list(listed["data"]) if as_object(one)["version"] == "2.2.1"]
    details_url = as_text(version["url"]) or ""
    details = door.http.get(details_url, headers={**IDS, "Authorization": door.token})
    body = assert_envelope(details, 200, 1000)
    endpoints = [as_object(one) for one in as_list(as_object(body["data"])["endpoints"])]
    served = {(one["identifier"], one["role"]): as_text(one["url"]) for one in endpoints}

    answer = door.http.delete(
        f"{served['chargingprofiles', 'RECEIVER']}/unknown",
        params={"response_url": door.place.bridge.new_response_url()},
        headers={**IDS, "Authorization": door.token},
    )

    assert assert_envelope(answer, 200, 1000)["data"] == {"result": "UNKNOWN_SESSION", "timeout": 0}


@pytest.mark.parametrize("scheme", ["Token {base64}", "Token {plain}", "token {base64}"])
def test_a_token_is_known_in_base64_and_plain(door: Door, scheme: str) -> None:
    token = token_of(door.place.partner)
    presented = scheme.format(base64=base64.b64encode(token.encode()).decode(), plain=token)
    url = door.place.bridge.new_response_url()

    put = door.place.bridge.put_profile(
        door.place.session_id, flat(9000), response_url=url, headers={"Authorization": presented}
    )

    assert (put.status, put.result) == (200, ResponseType.ACCEPTED)
    assert put.wait_for_result(SOON).result is ResultType.ACCEPTED


def test_a_session_id_is_compared_without_case_and_a_trailing_slash_means_nothing(door: Door) -> None:
    place = door.place

    upper = place.bridge.put_profile(place.session_id.upper(), flat(9100))
    path = f"/ocpi/2.2.1/chargingprofiles/{place.session_id}/?response_url={place.bridge.new_response_url()}"
    slash = assert_envelope(door.ask("DELETE", path), 200, 1000)

    assert upper.result is ResponseType.ACCEPTED
    assert upper.wait_for_result(SOON).result is ResultType.ACCEPTED
    assert as_object(slash["data"])["result"] == "ACCEPTED"


def test_ids_that_a_partner_leaves_out_are_made(door: Door) -> None:
    answer = door.http.get(door.place.stack.ocpi_api_url + "/ocpi/versions", headers={"Authorization": door.token})

    assert answer.headers["x-request-id"]
    assert answer.headers["x-correlation-id"]
