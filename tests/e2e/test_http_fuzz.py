"""The deployed HTTP surface under requests made from its own OpenAPI document, and under such as no document has.

Schemathesis makes the former: valid ones, and ones that break the document in one place. `--hypothesis-profile=prove`
makes many more of them. The gateway's own answers are the documented exception to the envelope: no function sees those
requests.
"""

import gzip
import json
import ssl
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from http.client import HTTPResponse
from socket import create_connection
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
import schemathesis
from hypothesis import given
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from ocpi_bridge.adapters.csms.signing import frames_token, sign_event
from ocpi_bridge.domain.tokens import TokenUse
from tests.contract.documented import DOCUMENT, problems
from tests.support.e2e_log import FunctionLog
from tests.support.e2e_site import SOON, Site, event_key_of, flat, site, token_of
from tests.support.e2e_tokens import authorization, token_of_a_new_partner
from tests.support.examples import also_proved, examples
from tools.counterparts.clock import utc_now
from tools.local_stack import LocalStack
from tools.partner_simulator import ResultType

SCHEMA = schemathesis.openapi.from_dict(DOCUMENT)
OPERATIONS = {found.ok().label: found.ok() for found in SCHEMA.get_all_operations() if isinstance(found, Ok)}
pytestmark = also_proved()

# Its other checks are of its own idea of a refusal: OCPI's is HTTP 200 with a code of its own.
CHECKED = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
IDS = {"X-Request-ID": "fuzz-request", "X-Correlation-ID": "fuzz-correlation"}


@dataclass(frozen=True, slots=True)
class Target:
    """The two APIs, somebody who may use them, and what the functions log meanwhile."""

    place: Site
    http: requests.Session
    log: FunctionLog

    @property
    def stack(self) -> LocalStack:
        return self.place.stack

    @property
    def known(self) -> dict[str, str]:
        """Values of path parameters that name what is there."""
        csms_id = self.place.world.csms_id
        return {
            "session_id": self.place.session_id,
            "csms_id": csms_id,
            "token": frames_token(csms_id, event_key_of(self.place.csms)),
            "country_code": self.place.partner.cpo.country_code,
            "party_id": self.place.partner.cpo.party_id,
        }

    def base_url(self, path: str) -> str:
        return self.stack.csms_api_url if path.startswith("/csms/") else self.stack.ocpi_api_url

    def credentials(self, case: Case[Any]) -> dict[str, str]:
        """Headers of somebody who may make the call; the token of credentials is for this call alone."""
        path = str(case.operation.path)
        if path.startswith("/csms/v1/ocpi"):
            return {"Authorization": f"Token {event_key_of(self.place.csms)}"}
        if path.endswith("credentials"):
            return {"Authorization": authorization(token_of_a_new_partner(self.stack, TokenUse.REGISTRATION))}
        return {"Authorization": authorization(token_of(self.place.partner))}


@pytest.fixture(scope="module")
def target(stack: LocalStack) -> Iterator[Target]:
    """A session that is steered. After all of it, it is as it was: a plan is set and cleared, and nothing broke."""
    with site(stack) as place, requests.Session() as http:
        http.verify, http.trust_env = str(stack.ca_file), False
        found = Target(place, http, FunctionLog(stack))
        yield found
        put = place.bridge.put_profile(place.session_id, flat(7200))
        assert put.wait_for_result(SOON).result is ResultType.ACCEPTED
        assert place.bridge.delete_profile(place.session_id).wait_for_result(SOON).result is ResultType.ACCEPTED
        broken = [line for line in found.log.lines() if str(line.get("message")).endswith(".failed")]
        # A PATCH of a session that nobody PUT comes again, and is logged each time.
        assert [line for line in broken if "SessionNotThere" not in str(line)] == []


# Hypothesis takes it for a strategy's that the counterparts' threads draw random numbers meanwhile.
@pytest.mark.filterwarnings("ignore:Do not use the `random` module inside strategies")
@pytest.mark.parametrize("mode", GenerationMode, ids=lambda mode: str(mode.value))
@pytest.mark.parametrize("label", OPERATIONS)
@examples(4)
@given(data=st.data())
def test_what_the_document_describes_is_answered_as_it_says(
    target: Target, label: str, mode: GenerationMode, data: st.DataObject
) -> None:
    operation = OPERATIONS[label]
    fixed = {name: value for name, value in target.known.items() if "{" + name + "}" in operation.path}
    known = data.draw(st.sampled_from([fixed or None, None]))
    case = data.draw(operation.as_strategy(mode, path_parameters=known))
    headers = dict(IDS) | (target.credentials(case) if data.draw(st.integers(0, 3)) else {})
    request = requests.Request(**case.as_transport_kwargs(target.base_url(operation.path), headers)).prepare()
    if operation.path == "/csms/v1/events":
        signed = sign_event(_bytes(request.body), event_key_of(target.place.csms), utc_now())
        request.headers.update({"X-CSMS-Id": target.place.world.csms_id, "X-Signature": signed})
    answer = target.http.send(request, timeout=SOON, allow_redirects=False)
    case.validate_response(answer, checks=CHECKED, headers=headers)
    if not operation.path.startswith("/csms/v1/") or "/ocpi/" in operation.path:
        assert {name: answer.headers.get(name) for name in IDS} == IDS


def _bytes(body: object) -> bytes:
    return body if isinstance(body, bytes) else str(body or "").encode()


# --- What no document has --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Raw:
    """A request as it is written on the wire; `path` stands behind the stage."""

    method: str = "GET"
    path: str = "/ocpi/versions"
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""

    def wire(self, host: str, prefix: str) -> bytes:
        head = f"{self.method} {prefix}{self.path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n"
        lines = "".join(f"{name}: {value}\r\n" for name, value in self.headers)
        return (head + lines).encode("latin-1") + b"\r\n" + self.body


def sized(body: bytes, *headers: tuple[str, str], method: str = "PUT", path: str = "") -> Raw:
    given = (("Content-Type", "application/json"), ("Content-Length", str(len(body))), *headers)
    return Raw(method, path or "/ocpi/2.2.1/chargingprofiles/x", given, body)


PROFILE = json.dumps(
    {
        "charging_profile": {
            "charging_rate_unit": "W",
            "charging_profile_period": [{"start_period": 0, "limit": 1}],
        },
        "response_url": "https://localhost/",
    }
).encode()
PATHS = (
    *("/ocpi/2.2.1/chargingprofiles/%00", "/ocpi/2.2.1/chargingprofiles/a%2Fb", "/ocpi/2.2.1/chargingprofiles/%ff%fe"),
    *("/ocpi/2.2.1/chargingprofiles/%ED%A0%80", "/ocpi/2.2.1/chargingprofiles/%E2%80%AE", "/ocpi/2.2.1/sessions/%zz"),
    *(
        "//ocpi//versions",
        "/ocpi/../ocpi/versions",
        "/ocpi/./versions",
        "/ocpi/versions/..%2f..%2f",
        "/ocpi/versions;a=b",
    ),
    *("/ocpi/2.2.1/chargingprofiles/" + "x" * 3000, "/ocpi/2.2.1/chargingprofiles/" + "%F0%9F%9A%97" * 30),
    *(
        "/ocpi/2.2.1/sessions?date_from=%00",
        "/ocpi/2.2.1/sessions?%ff=%ff&date_from",
        "/ocpi/2.2.1/sessions?" + "a=b&" * 500,
    ),
    *(
        "/ocpi/2.2.1/sessions?date_from=2026-01-15T17:00:00Z&cursor=%22",
        "/ocpi/versions?x=%3Cscript%3E",
        "/ocpi/versions#a",
    ),
    *("/csms/v1/citrineos/%2e%2e/x", "/{proxy+}", "/%7Bproxy+%7D", "/ocpi/2.2.1/credentials/", "/OCPI/VERSIONS"),
)
METHODS = ("GET", "PUT", "POST", "PATCH", "DELETE", "OPTIONS", "HEAD", "TRACE")
HEADERS: tuple[tuple[tuple[str, str], ...], ...] = (
    (("X-Request-ID", "a"), ("X-Request-ID", "b")),
    (("X-Request-ID", "x" * 6000),),
    (("X-Request-ID", "\xe9\xff"), ("OCPI-to-party-id", "\xfc")),
    (("OCPI-from-country-code", "NLNLNL"), ("OCPI-from-party-id", "<b>")),
    (("Authorization", "Token"), ("Authorization", "Token x")),
    (("Content-Type", 'text/xml; charset="utf-7"'), ("Accept", "image/png")),
    (("Content-Length", "0"), ("Content-Type", "application/json")),
    (("X-HTTP-Method-Override", "DELETE"), ("X-Forwarded-Host", "attacker.example")),
)
BODIES = (
    sized(b""),
    sized(PROFILE),
    sized(b"\xef\xbb\xbf" + PROFILE),
    sized(PROFILE.decode().encode("utf-16")),
    sized(gzip.compress(PROFILE), ("Content-Encoding", "gzip")),
    sized(b"\x00" * 100, ("Content-Type", "application/octet-stream")),
    sized(b"a=b", ("Content-Type", "application/x-www-form-urlencoded")),
    sized(b"[" * 100_000),
    sized(b'{"a":' * 20_000),
    sized(b'{"charging_profile": ' + b"9" * 5000 + b"}"),
    sized(b"{}", method="DELETE"),
    sized(b"{}", method="GET"),
    Raw("PUT", "/ocpi/2.2.1/chargingprofiles/x", (("Transfer-Encoding", "chunked"),), b"2\r\n{}\r\n0\r\n\r\n"),
    Raw("PUT", "/ocpi/2.2.1/chargingprofiles/x", (("Transfer-Encoding", "chunked"),), b"0\r\n\r\n"),
)
RAW = (
    *(Raw(method, path) for path in PATHS for method in ("GET", "PUT")),
    *(Raw(method, path) for path in ("/ocpi/versions", "/ocpi/2.2.1/chargingprofiles/x", "/x") for method in METHODS),
    *(Raw("GET", "/ocpi/versions", headers) for headers in HEADERS),
    *(Raw("PUT", "/ocpi/2.2.1/chargingprofiles/x", headers) for headers in HEADERS),
    *BODIES,
)


def exchanged(stack: LocalStack, raw: Raw) -> tuple[int, Mapping[str, str], bytes]:
    """The answer to exactly these bytes: no client tidies them up."""
    url = urlsplit(stack.ocpi_api_url)
    context = ssl.create_default_context(cafile=str(stack.ca_file))
    with (
        create_connection((url.hostname or "", url.port or 443), timeout=SOON) as plain,
        context.wrap_socket(plain, server_hostname=url.hostname) as connection,
    ):
        connection.sendall(raw.wire(url.netloc, url.path))
        with closing(HTTPResponse(connection, method=raw.method)) as answer:
            answer.begin()
            return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()


@pytest.mark.parametrize("known", [True, False], ids=["partner", "nobody"])
def test_a_request_of_any_shape_is_answered_in_the_envelope(target: Target, known: bool) -> None:
    token = (("Authorization", authorization(token_of(target.place.partner))),) if known else ()
    findings = []
    for raw in RAW:
        status, headers, body = exchanged(target.stack, Raw(raw.method, raw.path, (*token, *raw.headers), raw.body))
        wrong = [f"HTTP {status}"] if status >= 500 else []
        if raw.method != "HEAD":
            wrong += [f"HTTP {status}: {body[:80]!r}"] if not _is_envelope(body) else []
        wrong += [f"no {name}" for name in ("x-request-id", "x-correlation-id") if not headers.get(name)]
        findings += [f"{raw.method} {raw.path[:60]} {raw.headers!r:.60}: {one}" for one in wrong]
    assert findings == []


def _is_envelope(body: bytes) -> bool:
    try:
        return problems("Envelope", json.loads(body)) == []
    except ValueError:
        return False
