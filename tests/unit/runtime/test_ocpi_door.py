"""The door for partners: whoever made the error, the answer has the envelope, the ids and the right addressees."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from ocpi_bridge.adapters.dynamodb import tables as dynamo
from ocpi_bridge.adapters.dynamodb import token_items
from ocpi_bridge.domain.assignments import Rights
from ocpi_bridge.domain.errors import (
    Contended,
    EndpointMissing,
    InvalidInput,
    PlatformUnusable,
    RegistrationFailed,
    VersionNotShared,
)
from ocpi_bridge.domain.partners import Party
from ocpi_bridge.domain.tokens import AcceptedToken, TokenUse, token_hash
from ocpi_bridge.ocpi.transport import StatusCode, TransportError
from ocpi_bridge.ports.json_values import JsonValue
from ocpi_bridge.runtime.ocpi_door import Answer, Endpoint, Handler, PartnerCall, ocpi_endpoint
from ocpi_bridge.runtime.ocpi_requests import method_not_allowed
from ocpi_bridge.runtime.wiring.ocpi import OcpiModule
from tests.support.dynamodb_faults import conflicts, counted, meanwhile
from tests.support.lambda_events import proxy_event
from tests.support.world import TOKEN, World

IDS = {"X-Request-ID": "req-1", "X-Correlation-ID": "corr-1"}
AUTHORIZED = {"Authorization": f"Token {TOKEN}", **IDS}
FROM_TO = {
    "OCPI-from-country-code": "NL",
    "OCPI-from-party-id": "JDX",
    "OCPI-to-country-code": "NL",
    "OCPI-to-party-id": "ACM",
}
OURS = {"OCPI-from-country-code": "NL", "OCPI-from-party-id": "CPO"}
THEIRS = {"OCPI-to-country-code": "NL", "OCPI-to-party-id": "JDX"}
Lines = Callable[[], list[dict[str, Any]]]


def door(
    world: World, endpoint: Endpoint, *, configuration_module: bool = False, accepts_spent_token: bool = False
) -> Handler:
    service = OcpiModule(world.intake, world.clock, Party("NL", "CPO"))
    decorate = ocpi_endpoint(
        service, configuration_module=configuration_module, accepts_spent_token=accepts_spent_token
    )
    return decorate(endpoint)


def put_token(
    world: World,
    token: str,
    **attributes: Any,  # noqa: ANN401 - any field of a token
) -> AcceptedToken:
    accepted = AcceptedToken(token_hash(token), "jedlix", Party("NL", "JDX"), world.clock.now())
    accepted = replace(accepted, **attributes)
    item = dynamo.to_item(token_items.token_item(accepted))
    world.tables.put(world.tables.registry, item)
    return accepted


def known(world: World, *tokens: str) -> list[bool]:
    """Whether a token is there, for each."""
    return [world.intake.caller([token_hash(token)]).token is not None for token in tokens]


def using(token: str, scheme: str = "Token") -> dict[str, str]:
    return {"Authorization": f"{scheme} {token}", **IDS}


def greet(_: PartnerCall) -> JsonValue:
    return {"result": "hello"}


def failing(error: Exception) -> Endpoint:
    def fail(_: PartnerCall) -> JsonValue:
        raise error

    return fail


def call(
    handler: Handler,
    headers: Mapping[str, str] = AUTHORIZED,
    *,
    session_id: str | None = None,
    body: str | None = None,
    method: str = "PUT",
    query: str = "",
) -> tuple[int, dict[str, str], dict[str, Any]]:
    """The HTTP status, the headers and the body of the answer."""
    parameters = {"session_id": session_id} if session_id is not None else None
    event = proxy_event(method, "/ocpi/x", headers=headers, body=body, path_parameters=parameters, query=query)
    answer: dict[str, Any] = dict(handler(event, None))
    assert answer["isBase64Encoded"] is False
    assert answer["headers"]["Content-Type"] == "application/json"
    return answer["statusCode"], answer["headers"], json.loads(answer["body"])


# --- Success ---------------------------------------------------------------------------------------------------------


def test_an_answer_has_the_envelope_with_its_data(world: World) -> None:
    status, _, body = call(door(world, greet))
    assert status == 200
    assert body == {
        "data": {"result": "hello"},
        "status_code": 1000,
        "status_message": "Success",
        "timestamp": "2026-01-15T17:00:00Z",
    }


def test_the_endpoint_knows_who_calls_and_about_which_session(world: World) -> None:
    session = world.open_session()
    seen: list[PartnerCall] = []

    def look(call: PartnerCall) -> JsonValue:
        seen.append(call)
        return None

    call(door(world, look), session_id=session.session_id, body='{"a": 1}', query="a=1&b=2")
    [made] = seen
    assert (made.caller.partner_id, made.caller.party, made.caller.session) == ("jedlix", Party("NL", "JDX"), session)
    assert (made.request.json(), made.request.query) == ({"a": 1}, (("a", "1"), ("b", "2")))
    assert made.context.ids.request_id == "req-1"


def test_who_calls_and_the_session_are_one_read(world: World) -> None:
    session = world.open_session()
    with counted(world.tables.client) as operations:
        call(door(world, greet), session_id=session.session_id)
    assert operations == ["BatchGetItem"]


@pytest.mark.parametrize(
    "authorization",
    [
        f"Token {TOKEN}",
        f"TOKEN   {TOKEN}  ",
        "Token cGFydG5lci10b2tlbg==",
        "token cGFydG5lci10b2tlbgo=",
    ],
)
def test_a_token_is_known_plain_and_in_base64(world: World, authorization: str) -> None:
    assert call(door(world, greet), {"authorization": authorization})[0] == 200


def test_a_body_in_base64_is_decoded(world: World) -> None:
    seen: list[bytes] = []

    def look(call: PartnerCall) -> JsonValue:
        seen.append(call.request.body)
        return None

    event = proxy_event("PUT", "/", headers=AUTHORIZED, body="eyJhIjogMX0=") | {"isBase64Encoded": True}
    door(world, look)(event, None)
    assert seen == [b'{"a": 1}']


def test_an_endpoint_may_answer_with_headers_of_its_own(world: World) -> None:
    def page(_: PartnerCall) -> Answer:
        return Answer([], {"X-Total-Count": "0", "X-Limit": "50"})

    status, answered, body = call(door(world, page))
    assert (status, body["status_code"], body["data"]) == (200, 1000, [])
    assert {"X-Total-Count": "0", "X-Limit": "50", **IDS, **OURS, **THEIRS}.items() <= answered.items()


# --- Errors ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "headers",
    [
        IDS,
        {"Authorization": "Token unknown", **IDS},
        {"Authorization": f"Bearer {TOKEN}", **IDS},
        {"Authorization": f"Token {TOKEN} {TOKEN}", **IDS},
        {"Authorization": f"Token {TOKEN.upper()}", **IDS},
        {"Authorization": "Token", **IDS},
        {"Authorization": TOKEN, **IDS},
    ],
    ids=["none", "unknown", "another scheme", "two values", "another case", "empty", "no scheme"],
)
def test_without_a_known_token_the_answer_is_401_in_the_envelope_and_nothing_is_done(
    world: World, headers: dict[str, str]
) -> None:
    done: list[PartnerCall] = []
    status, answered, body = call(door(world, done.append), headers, session_id="s")
    assert (status, body["status_code"], "data" in body, done) == (401, 2000, False, [])
    assert body["timestamp"] == "2026-01-15T17:00:00Z"
    assert answered["WWW-Authenticate"] == "Token"
    assert IDS.items() <= answered.items()


def test_the_401_of_a_known_session_says_no_more_than_that_of_an_unknown_one(world: World) -> None:
    session = world.open_session()
    handler, unknown = door(world, greet), {"Authorization": "Token unknown", **IDS}
    assert call(handler, unknown, session_id=session.session_id) == call(handler, unknown, session_id="nobody's")


@pytest.mark.parametrize(
    ("error", "http", "code"),
    [
        (TransportError(400, "the body is not valid JSON"), 400, 2001),
        (TransportError(404, "nothing is served"), 404, 2000),
        (method_not_allowed("GET", "PUT"), 405, 2000),
        (InvalidInput("charging_profile.duration", "is not a whole number"), 200, 2001),
        (TransportError(404, "no such session", status_code=StatusCode.INVALID_PARAMETERS), 404, 2001),
        (TransportError(401, "this token did its work"), 401, 2000),
        (RegistrationFailed("no use"), 200, 3000),
        (PlatformUnusable("it does not answer"), 200, 3001),
        (VersionNotShared("2.1.1 only"), 200, 3002),
        (EndpointMissing("sessions"), 200, 3003),
        (Contended("other requests were faster"), 200, 3000),
        (RuntimeError("a defect"), 200, 3000),
        (KeyError("a defect"), 200, 3000),
    ],
    ids=repr,
)
def test_each_error_has_its_answer_in_the_envelope(world: World, error: Exception, http: int, code: int) -> None:
    status, answered, body = call(door(world, failing(error)))
    assert (status, body["status_code"], "data" in body) == (http, code, False)
    assert body["timestamp"] == "2026-01-15T17:00:00Z"
    assert IDS.items() <= answered.items()


def test_a_wrong_field_is_named(world: World) -> None:
    _, _, body = call(door(world, failing(InvalidInput("response_url", "is not https"))))
    assert body["status_message"] == "Invalid or missing parameters: response_url: is not https"


def test_a_failed_registration_is_told_with_its_message(world: World) -> None:
    _, _, body = call(door(world, failing(PlatformUnusable("it does not answer"))))
    assert body["status_message"] == "the API cannot be used: it does not answer"


def test_every_401_says_how_to_authenticate(world: World) -> None:
    _, answered, _ = call(door(world, failing(TransportError(401, "this token did its work"))))
    assert answered["WWW-Authenticate"] == "Token"


def test_a_405_says_what_is_allowed(world: World) -> None:
    _, answered, _ = call(door(world, failing(method_not_allowed("GET", "PUT"))))
    assert answered["Allow"] == "GET, PUT"


def test_an_unexpected_error_is_logged_with_its_cause_and_told_without(world: World, log: Lines) -> None:
    session = world.open_session()
    handler = door(world, failing(OSError("the disk is full")))
    _, _, body = call(handler, session_id=session.session_id, body='{"private": "body"}', query="response_url=x-secret")
    assert body["status_message"] == "internal error; try again"
    [failure] = [line for line in log() if line["level"] == "ERROR"]
    assert failure["message"] == "ocpi.failed"
    assert "the disk is full" in failure["exception"]


def test_neither_the_token_nor_the_body_nor_the_query_is_ever_logged(world: World, log: Lines) -> None:
    for error in (RuntimeError("a defect"), InvalidInput("duration", "is missing"), TransportError(400, "no JSON")):
        call(
            door(world, failing(error)),
            body='{"private": "in-the-body"}',
            query="response_url=https://x?s=in-the-query",
        )
    call(door(world, greet), {"Authorization": "Token wrong-token", **IDS})
    text = json.dumps(log())
    assert "corr-1" in text
    for secret in (TOKEN, "wrong-token", "in-the-body", "in-the-query"):
        assert secret not in text


def test_each_answer_is_one_line_in_the_log_with_what_an_operator_looks_for(world: World, log: Lines) -> None:
    session = world.open_session()
    call(door(world, greet), session_id=session.session_id)
    [line] = log()
    expected = {
        "message": "ocpi.answered",
        "method": "PUT",
        "partner_id": "jedlix",
        "session_id": session.session_id,
        "http_status": 200,
        "status_code": 1000,
        "result": "hello",
        "x_request_id": "req-1",
        "correlation_id": "corr-1",
    }
    assert expected.items() <= line.items()


def test_an_endless_session_id_names_no_session_and_breaks_nothing(world: World) -> None:
    world.put_session(replace(world.open_session(), session_id="x" * 37))
    seen: list[PartnerCall] = []
    for length in (37, 5000):
        assert call(door(world, seen.append), session_id="x" * length)[0] == 200
    assert [made.caller.session for made in seen] == [None, None]


# --- What a token opens ----------------------------------------------------------------------------------------------


def test_bearer_counts_only_with_a_token_that_may_come_so(world: World) -> None:
    put_token(world, "either-way", bearer=True)
    assert call(door(world, greet), using("either-way", "Bearer"))[0] == 200
    assert call(door(world, greet), using("either-way", "bEARER"))[0] == 200
    assert call(door(world, greet), using("either-way"))[0] == 200
    assert call(door(world, greet), using(TOKEN, "Bearer"))[0] == 401


def test_a_bearer_token_is_not_tried_in_base64(world: World) -> None:
    put_token(world, "either-way", bearer=True)
    assert call(door(world, greet), using("ZWl0aGVyLXdheQ=="))[0] == 200
    assert call(door(world, greet), using("ZWl0aGVyLXdheQ==", "Bearer"))[0] == 401


@pytest.mark.parametrize(
    ("configuration_module", "accepts_spent_token", "fresh", "spent"),
    [(False, False, 401, 401), (True, False, 200, 401), (True, True, 200, 200), (False, True, 401, 401)],
    ids=["functional", "versions", "credentials", "functional whatever else"],
)
def test_a_registration_token_opens_configuration_modules_only_and_a_spent_one_no_more_than_one_of_them(
    world: World, configuration_module: bool, accepts_spent_token: bool, fresh: int, spent: int
) -> None:
    put_token(world, "token-a", use=TokenUse.REGISTRATION)
    put_token(world, "spent-a", use=TokenUse.REGISTRATION, spent_at=world.clock.now())
    done: list[PartnerCall] = []
    handler = door(
        world, done.append, configuration_module=configuration_module, accepts_spent_token=accepts_spent_token
    )
    assert call(handler, using("token-a"))[0] == fresh
    assert call(handler, using("spent-a"))[0] == spent
    assert len(done) == [fresh, spent].count(200)


def test_a_token_that_opens_something_else_is_answered_like_an_unknown_one(world: World) -> None:
    session = world.open_session()
    put_token(world, "token-a", use=TokenUse.REGISTRATION)
    handler = door(world, greet)
    known_elsewhere = call(handler, using("token-a"), session_id=session.session_id)
    assert known_elsewhere == call(handler, using("nobodys"), session_id="nobody's")


def test_the_endpoint_sees_the_token_that_was_presented(world: World) -> None:
    accepted = put_token(world, "token-a", use=TokenUse.REGISTRATION)
    seen: list[PartnerCall] = []
    call(door(world, seen.append, configuration_module=True), using("token-a"))
    assert [made.caller.token for made in seen] == [accepted]


# --- A new token that is used ends the old ones ----------------------------------------------------------------------


def superseding(world: World) -> None:
    """A token that was given out in place of two others, which still work."""
    put_token(world, "old-a", use=TokenUse.REGISTRATION, spent_at=world.clock.now())
    put_token(world, "old-c")
    put_token(world, "new-c", supersedes=(token_hash("old-a"), token_hash("old-c")))


def test_the_first_use_of_a_new_token_ends_the_old_ones_before_the_endpoint_runs(world: World) -> None:
    superseding(world)
    seen: list[list[bool]] = []

    def look(_: PartnerCall) -> JsonValue:
        seen.append(known(world, "new-c", "old-a", "old-c"))
        return None

    assert call(door(world, look), using("new-c"))[0] == 200
    assert seen == [[True, False, False]]
    assert call(door(world, greet), using("old-c"))[0] == 401


def test_until_then_the_old_token_works(world: World) -> None:
    superseding(world)
    for _ in range(2):
        assert call(door(world, greet), using("old-c"))[0] == 200
    assert known(world, "new-c", "old-a", "old-c") == [True, True, True]


def test_the_second_use_writes_nothing(world: World) -> None:
    superseding(world)
    with counted(world.tables.client) as first:
        call(door(world, greet), using("new-c"))
    with counted(world.tables.client) as second:
        call(door(world, greet), using("new-c"))
    assert first == ["BatchGetItem", "TransactWriteItems"]
    assert second == ["BatchGetItem"]


def test_the_endpoint_sees_a_token_that_has_nothing_left_to_end(world: World) -> None:
    superseding(world)
    seen: list[PartnerCall] = []
    call(door(world, seen.append), using("new-c"))
    [made] = seen
    assert made.caller.token is not None
    assert (made.caller.token.supersedes, made.caller.token.token_hash) == ((), token_hash("new-c"))


def test_racing_first_uses_both_succeed(world: World, log: Lines) -> None:
    superseding(world)
    rival = door(world, greet)
    with meanwhile(world.tables.client, lambda: call(rival, using("new-c")), "TransactWriteItems"):
        assert call(door(world, greet), using("new-c"))[0] == 200
    assert known(world, "new-c", "old-a", "old-c") == [True, False, False]
    assert {line["message"] for line in log()} == {"ocpi.answered"}


def test_a_conflict_of_writers_is_waited_out(world: World) -> None:
    superseding(world)
    with conflicts(world.tables.client, 2):
        assert call(door(world, greet), using("new-c"))[0] == 200
    assert known(world, "old-a", "old-c") == [False, False]


def test_a_token_that_goes_meanwhile_ends_nothing(world: World) -> None:
    superseding(world)
    key = dynamo.key(*token_items.token_key(token_hash("new-c")))

    def unregistered() -> None:
        world.tables.client.delete_item(TableName=world.tables.registry, Key=key)

    with meanwhile(world.tables.client, unregistered, "TransactWriteItems"):
        call(door(world, greet), using("new-c"))
    assert known(world, "new-c", "old-a", "old-c") == [False, True, True]


def test_only_what_was_read_is_ended(world: World) -> None:
    superseding(world)

    def succeeded() -> None:
        put_token(world, "new-c", supersedes=(token_hash("old-a"),))

    with meanwhile(world.tables.client, succeeded, "TransactWriteItems"):
        call(door(world, greet), using("new-c"))
    assert known(world, "old-a", "old-c") == [True, True]
    call(door(world, greet), using("new-c"))
    assert known(world, "old-a", "old-c") == [False, True]


def test_a_call_does_not_fail_because_the_old_tokens_could_not_be_ended(world: World, log: Lines) -> None:
    superseding(world)
    with conflicts(world.tables.client, 100):
        assert call(door(world, greet), using("new-c"))[0] == 200
    failure, _ = log()
    assert (failure["level"], failure["message"], failure["partner_id"]) == (
        "ERROR",
        "ocpi.token_not_settled",
        "jedlix",
    )
    assert "new-c" not in json.dumps(log())
    assert call(door(world, greet), using("new-c"))[0] == 200
    assert known(world, "old-a", "old-c") == [False, False]


def test_a_registration_token_ends_nothing(world: World) -> None:
    put_token(world, "old-a", use=TokenUse.REGISTRATION)
    put_token(world, "new-a", use=TokenUse.REGISTRATION, supersedes=(token_hash("old-a"),))
    assert call(door(world, greet, configuration_module=True), using("new-a"))[0] == 200
    assert known(world, "old-a") == [True]


# --- Ids and addressees ----------------------------------------------------------------------------------------------


def test_ids_that_the_caller_left_out_are_made(world: World) -> None:
    _, answered, _ = call(door(world, greet), {"Authorization": f"Token {TOKEN}"})
    assert UUID(answered["X-Request-ID"]) != UUID(answered["X-Correlation-ID"])


def test_header_names_may_be_written_in_any_case(world: World) -> None:
    headers = {"AUTHORIZATION": f"Token {TOKEN}", "x-REQUEST-id": "req-1", "x-correlation-ID": "corr-1"}
    _, answered, _ = call(door(world, greet), headers)
    assert IDS.items() <= answered.items()


def test_the_answer_goes_back_to_who_asked_from_the_sessions_party(world: World) -> None:
    session = world.open_session()
    headers = AUTHORIZED | FROM_TO | {"OCPI-from-party-id": "HUB"}
    _, answered, _ = call(door(world, greet), headers, session_id=session.session_id)
    sent = {name: value for name, value in answered.items() if name.startswith("OCPI-")}
    assert sent == {
        "OCPI-from-country-code": "NL",
        "OCPI-from-party-id": "ACM",
        "OCPI-to-country-code": "NL",
        "OCPI-to-party-id": "HUB",
    }


def test_who_does_not_say_who_it_is_is_addressed_as_the_tokens_party(world: World) -> None:
    _, answered, _ = call(door(world, greet))
    assert (OURS | THEIRS).items() <= answered.items()


def test_a_session_that_the_partner_does_not_see_does_not_lend_its_party_to_the_answer(world: World) -> None:
    session = world.open_session()
    world.put_session(replace(session, rights=Rights(frozenset({"other"}), "other")))
    seen = call(door(world, greet), session_id=session.session_id)
    assert seen == call(door(world, greet), session_id="nobody's")
    assert OURS.items() <= seen[1].items()


def test_an_answer_to_nobody_known_names_only_us(world: World) -> None:
    _, answered, _ = call(door(world, greet), IDS)
    assert OURS.items() <= answered.items()
    assert "OCPI-to-party-id" not in answered


@pytest.mark.parametrize("error", [None, RuntimeError("a defect")])
def test_configuration_modules_have_ids_and_no_addressees(world: World, error: Exception | None) -> None:
    endpoint = failing(error) if error else greet
    _, answered, _ = call(door(world, endpoint, configuration_module=True), AUTHORIZED | FROM_TO)
    assert not any(name.startswith("OCPI-") for name in answered)
    assert IDS.items() <= answered.items()
