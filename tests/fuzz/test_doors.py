"""Whatever comes to a door is answered as the OpenAPI document says, in the envelope, and nothing breaks behind it.

The doors are the functions themselves on moto, fed with the events that API Gateway makes of requests: known and
unknown callers, every method, valid messages and such as are nearly so. What a door for CSMSs takes is digested too.
"""

import base64
import json
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocpi_bridge.adapters.bounded_http.exchange import Reply
from ocpi_bridge.adapters.csms.signing import callback_url, frames_token, sign_event
from ocpi_bridge.ocpi.transport import MAX_ID_LENGTH
from ocpi_bridge.runtime.csms_reports import SESSION_TRIES
from tests.contract.documented import DOCUMENT, answer_schema, function_of, problems
from tests.fuzz.bridge import REGISTRATION_TOKEN, Bridge
from tests.fuzz.messages import CREDENTIALS, EVENTS, FRAMES, PAIRING, PREFERENCES, PROFILE, SCHEDULE, SESSION
from tests.support.deployed_functions import CSMS_API, EVENT_KEY, SIGNING_KEY
from tests.support.examples import also_proved, examples
from tests.support.lambda_events import proxy_event, queue_event
from tests.support.near_misses import TEXTS, near_texts
from tests.support.partner_platform import NEEDED, details, version_list
from tests.support.world import RESPONSE_URL, TOKEN

pytestmark = also_proved()

METHODS = ("GET", "PUT", "POST", "PATCH", "DELETE", "OPTIONS", "HEAD", "TRACE")
OF_CSMS = [path for path in DOCUMENT["paths"] if path.startswith("/csms/")]
OF_PARTNERS = [path for path in DOCUMENT["paths"] if path not in OF_CSMS]
BODIES = {
    "/csms/v1/events": EVENTS,
    "/csms/v1/citrineos/{csms_id}/{token}": FRAMES,
    "/csms/v1/ocpi/{csms_id}/sessions/{country_code}/{party_id}/{session_id}": SESSION,
    "/csms/v1/callback/{command_id}/{signature}": SCHEDULE,
    "pairing": PAIRING,
    "credentials": CREDENTIALS,
    "charging_preferences": PREFERENCES,
    "chargingprofiles": PROFILE,
}
QUERIES = {
    "sessions": {"date_from": "2026-01-15T16:00:00Z", "date_to": "2026-01-16T16:00:00Z", "offset": "0", "limit": "1"},
    "chargingprofiles": {"duration": "900", "response_url": RESPONSE_URL},
}
# What can stand in a header field: visible characters, spaces and, with older senders, bytes beyond ASCII.
FIELDS = st.one_of(st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=12), st.just("x" * 9000))
NAMES = st.sampled_from(
    ["X-Request-ID", "x-correlation-id", "OCPI-to-party-id", "OCPI-from-party-id", "OCPI-to-country-code",
     "OCPI-from-country-code", "Content-Type", "Accept", "Host", "X-Forwarded-For", "Content-Encoding", "X-CSMS-Id"]
)  # fmt: skip
STATUSES = st.sampled_from([*((200,) * 8), 204, 301, 400, 401, 404, 429, 500])
IDS = {"X-Request-ID": "req-1", "X-Correlation-ID": "corr-1"}
ROUTING = {
    "OCPI-from-country-code": "NL", "OCPI-from-party-id": "JDX",
    "OCPI-to-country-code": "NL", "OCPI-to-party-id": "CPO",
}  # fmt: skip


def parts(path: str) -> list[str]:
    return [part for part in reversed(path.split("/")) if not part.startswith("{")]


def of_path(known: Mapping[str, Any], path: str) -> Any:  # noqa: ANN401 - a message or a query
    return next((known[key] for key in (path, *parts(path)) if key in known), PAIRING if path.endswith("/pair") else {})


@st.composite
def authorizations(draw: st.DrawFn) -> str:
    token = draw(st.sampled_from([TOKEN, TOKEN, TOKEN, TOKEN, REGISTRATION_TOKEN, REGISTRATION_TOKEN, "unknown", ""]))
    plain = draw(st.booleans())
    shown = token if plain else base64.b64encode(token.encode()).decode()
    usual = f"{draw(st.sampled_from(['Token', 'Token', 'Token', 'token', 'Bearer', 'Basic']))} {shown}"
    return draw(st.one_of(st.just(usual), st.just(usual), st.just(usual), FIELDS, FIELDS.map("Token {}".format)))


@st.composite
def headers(draw: st.DrawFn) -> dict[str, str]:
    given = {**draw(st.sampled_from([IDS, {}])), **draw(st.sampled_from([ROUTING, {}]))}
    return given | draw(st.dictionaries(NAMES, FIELDS, max_size=3))


@st.composite
def queries(draw: st.DrawFn, usual: Mapping[str, str]) -> str:
    pairs = [(key, value) for key, value in usual.items() if draw(st.integers(0, 5)) > 0]
    pairs += draw(st.lists(st.tuples(st.sampled_from([*usual, "cursor", "a"]), TEXTS), max_size=2))
    return urlencode([(key, value.encode("utf-8", "replace")) for key, value in draw(st.permutations(pairs))])


def segment(draw: st.DrawFn, usual: str) -> str:
    """A part of a path: as it should be, else anything that the gateway decodes."""
    return draw(st.one_of(st.just(usual), st.just(usual), st.just(usual), st.text(max_size=50), st.just("x" * 3000)))


@st.composite
def requests(draw: st.DrawFn, path: str, values: Mapping[str, str]) -> dict[str, Any]:
    """The event of a request of a partner, or of somebody who would like to be one."""
    operations = [method.upper() for method in DOCUMENT["paths"][path] if method.upper() in METHODS]
    given = draw(headers())
    if draw(st.integers(0, 9)):
        given["Authorization"] = draw(authorizations())
    parameters = {name: segment(draw, values[name]) for name in re.findall(r"{(\w+)}", path)}
    method = draw(st.sampled_from([*operations * 3, *METHODS]))
    body = draw(
        near_texts(of_path(BODIES, path), most=2) | TEXTS.map(lambda text: text.encode("utf-8", "replace").decode())
    )
    event = proxy_event(
        method, path.format(**parameters), query=draw(queries(of_path(QUERIES, path))), headers=given,
        path_parameters=parameters, body=body, resource=path,
    )  # fmt: skip
    return encoded(draw, event)


def encoded(draw: st.DrawFn, event: dict[str, Any]) -> dict[str, Any]:
    """The body as the gateway hands on what is binary; now and then there is none."""
    match draw(st.integers(0, 5)):
        case 0:
            coding = draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "latin-1"]))
            binary = draw(st.one_of(st.just((event["body"] or "").encode(coding, "replace")), st.binary(max_size=20)))
            return event | {"body": base64.b64encode(binary).decode(), "isBase64Encoded": True}
        case 1:
            return event | {"body": None}
    return event


def wrong_with(answer: Mapping[str, Any], event: Mapping[str, Any]) -> Iterator[str]:
    """What of an answer breaks a promise."""
    path, method, status = event["resource"], event["httpMethod"].lower(), answer["statusCode"]
    body = json.loads(answer["body"])
    if status >= 500:
        yield "a server error"
    for name, value in answer["headers"].items():
        if not (isinstance(value, str) and value.isascii() and value.isprintable()):
            yield f"the header {name}: {value!r}"
    operations = DOCUMENT["paths"].get(path, {})
    if method not in operations:
        # What is beyond the bounds of a request is refused before anybody looks at its method.
        if status < 300 and body.get("status_code") != 2001:
            yield f"{method} is answered with {status}"
    elif str(status) not in operations[method]["responses"]:
        yield f"HTTP {status} is not documented"
    else:
        yield from problems(answer_schema(path, method, status), body)
    if not path.startswith("/csms/v1") or "sessions" in path:
        yield from _ids(answer["headers"], event["headers"] or {})
        if not path.endswith("/pair"):
            yield from problems("Envelope", body)


def _ids(answered: Mapping[str, str], given: Mapping[str, str]) -> Iterator[str]:
    asked = {name.lower(): value for name, value in given.items()}
    for name in IDS:
        sent = asked.get(name.lower(), "")
        can_be_repeated = 0 < len(sent) <= MAX_ID_LENGTH and all("!" <= character <= "~" for character in sent)
        if can_be_repeated and answered.get(name) != sent:
            yield f"{name} is not repeated"
        if not answered.get(name):
            yield f"no {name}"


@pytest.mark.parametrize("path", OF_PARTNERS)
@examples(30)
@given(data=st.data())
def test_whatever_a_partner_asks_is_answered_as_documented(bridge: Bridge, path: str, data: st.DataObject) -> None:
    bridge.afresh()
    event = data.draw(requests(path, {"session_id": bridge.session.session_id}))
    assert list(wrong_with(bridge.run(function_of(path), event), event)) == []
    assert bridge.errors.taken() == []


@examples(40)
@given(data=st.data())
def test_whatever_is_asked_of_no_module_is_answered_in_the_envelope(bridge: Bridge, data: st.DataObject) -> None:
    bridge.afresh()
    event = data.draw(requests("/ocpi/versions", {}))
    path = "/" + data.draw(st.text(max_size=60))
    event |= {"resource": "/{proxy+}", "path": path, "pathParameters": {"proxy": path[1:]}}
    answer = bridge.run("ocpi_fallback", event)
    assert list(wrong_with(answer, event)) == []
    assert answer["statusCode"] in {401, 404} or json.loads(answer["body"])["status_code"] == 2001
    assert bridge.errors.taken() == []


@examples(60)
@given(data=st.data())
def test_whatever_a_partner_serves_its_registration_ends_in_the_envelope(bridge: Bridge, data: st.DataObject) -> None:
    bridge.afresh()
    lists, module = version_list("2.1.1", "2.2.1", "2.3.0"), details("2.2.1", *NEEDED)
    served = {"/versions": lists, "/2.2.1": module, "/2.3.0": details("2.3.0", *NEEDED)}
    for at, good in served.items():
        hostile = data.draw(near_texts({"data": good, "status_code": 1000, "timestamp": "2026-01-15T17:00:00Z"}))
        bridge.platform.answers[at] = Reply(data.draw(STATUSES), {}, hostile.encode())
    event = proxy_event(
        "POST", "/ocpi/2.2.1/credentials", headers={"Authorization": f"Token {REGISTRATION_TOKEN}", **IDS},
        body=json.dumps(CREDENTIALS), resource="/ocpi/2.2.1/credentials",
    )  # fmt: skip
    answer = bridge.run("ocpi_credentials", event)
    assert list(wrong_with(answer, event)) == []
    assert bridge.errors.taken() == []


# --- Doors for CSMSs -------------------------------------------------------------------------------------------------


@st.composite
def posts(draw: st.DrawFn, path: str, now: datetime) -> dict[str, Any]:
    """The event of a request of a CSMS, mostly one that can show who it is."""
    body = draw(near_texts(BODIES[path]))
    values = {"csms_id": "acme", "country_code": "NL", "party_id": "ACM", "session_id": "S-1", "command_id": "r1.0"}
    values |= {
        "token": frames_token("acme", EVENT_KEY),
        "signature": callback_url(CSMS_API, "r1.0", SIGNING_KEY.encode()).rpartition("/")[2],
    }
    authentic = draw(st.integers(0, 5)) > 0
    parameters = {
        name: values[name] if authentic else segment(draw, values[name]) for name in re.findall(r"{(\w+)}", path)
    }
    proof = {"X-CSMS-Id": "acme", "X-Signature": sign_event(body.encode(), EVENT_KEY, now)}
    given = draw(headers()) | (proof | {"Authorization": f"Token {EVENT_KEY}"} if authentic else {})
    usual = ("PUT", "PATCH") if path.endswith("{session_id}") else ("POST",)
    method = draw(st.sampled_from([*usual * 6, *METHODS]))
    event = proxy_event(
        method, path.format(**parameters), headers=given, path_parameters=parameters, body=body, resource=path
    )
    return encoded(draw, event)


@pytest.mark.parametrize("path", OF_CSMS)
@examples(60)
@given(data=st.data())
def test_whatever_a_csms_tells_is_answered_as_documented_and_what_is_taken_is_digested(
    bridge: Bridge, path: str, data: st.DataObject
) -> None:
    bridge.afresh()
    event = data.draw(posts(path, bridge.world.clock.now()))
    answer = bridge.run(function_of(path), event)
    assert list(wrong_with(answer, event)) == []
    # A PATCH may be of a session whose PUT is still to come: it is tried again, and given up in the end.
    taken = queue_event(bridge.queues.client, bridge.queues.csms_events)
    for record in taken["Records"]:
        bridge.queues.client.delete_message(QueueUrl=bridge.queues.csms_events, ReceiptHandle=record["receiptHandle"])
        record["attributes"]["ApproximateReceiveCount"] = str(SESSION_TRIES)
    assert bridge.run("ingest_csms_events", taken) == {"batchItemFailures": []}
    assert bridge.errors.taken() == []
