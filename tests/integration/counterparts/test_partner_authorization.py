"""OAuth 2.0 and pairing at the partner: what it grants, what it refuses, what it notes (RFC 6749, Jedlix)."""

from collections.abc import Iterator

import httpx
import pytest

from tests.support.partner_bridge import CPO, SESSION, ScriptedBridge
from tools.counterparts.http_service import HttpService, Request, Response
from tools.counterparts.json_types import JsonObject, read_json
from tools.partner_simulator import (
    BridgeUnreachableError,
    Credentials,
    OAuthSettings,
    PairAnswer,
    PartnerSimulator,
)

pytestmark = pytest.mark.integration

STATIC = Credentials(ours="partner-to-bridge", theirs="bridge-to-partner")
SETTINGS = OAuthSettings("bridge", "client-secret", audience="https://ocpi.partner.example", api_key="api-key")
FORM = {
    "grant_type": "client_credentials",
    "client_id": "bridge",
    "client_secret": "client-secret",
    "audience": "https://ocpi.partner.example",
}
EVSE: JsonObject = {
    "uid": "3256",
    "evse_id": "BE*BEC*E041503001",
    "capabilities": ["CHARGING_PROFILE_CAPABLE"],
    "connectors": [{"id": "1", "power_type": "AC_3_PHASE", "max_voltage": 220, "max_amperage": 16}],
}


@pytest.fixture
def partner() -> Iterator[PartnerSimulator]:
    with PartnerSimulator(STATIC, cpo=CPO, oauth=SETTINGS) as partner:
        yield partner


@pytest.fixture
def static_partner() -> Iterator[PartnerSimulator]:
    with PartnerSimulator(STATIC, cpo=CPO) as partner:
        yield partner


def noted(partner: PartnerSimulator) -> list[str]:
    return [violation.what for violation in partner.violations()]


def access_token(partner: PartnerSimulator) -> str:
    return str(httpx.post(partner.token_url, data=FORM).json()["access_token"])


def push(partner: PartnerSimulator, authorization: str, api_key: str | None = "api-key") -> int:
    bridge = ScriptedBridge(partner)
    complete = {"authorization": authorization, "apikey": api_key}
    with bridge.http:
        url = f"{partner.sessions_url}/NL/CPO/session-1"
        return bridge.call("PUT", url, SESSION, headers=complete).status


def test_an_access_token_opens_every_interface(partner: PartnerSimulator) -> None:
    granted = httpx.post(partner.token_url, data=FORM)
    bearer = f"Bearer {granted.json()['access_token']}"

    assert (granted.status_code, granted.json()["token_type"], granted.json()["expires_in"]) == (200, "Bearer", 3600)
    assert granted.headers["Cache-Control"] == "no-store"
    assert push(partner, bearer) == 200
    assert partner.oauth.issued == 1
    assert noted(partner) == []


@pytest.mark.parametrize(
    ("change", "status", "error", "expected"),
    [
        ({"grant_type": "password"}, 400, "unsupported_grant_type", "grant_type is not client_credentials"),
        ({"client_id": "other"}, 401, "invalid_client", "unknown client or wrong client secret"),
        ({"client_secret": "other"}, 401, "invalid_client", "unknown client or wrong client secret"),
        ({"audience": "other"}, 400, "invalid_request", "the audience is missing or another"),
        ({"audience": None}, 400, "invalid_request", "the audience is missing or another"),
    ],
)
def test_a_wrong_form_gets_no_token(
    partner: PartnerSimulator, change: dict[str, str | None], status: int, error: str, expected: str
) -> None:
    form = {name: value for name, value in {**FORM, **change}.items() if value is not None}
    refused = httpx.post(partner.token_url, data=form)

    assert (refused.status_code, refused.json()) == (status, {"error": error})
    assert noted(partner) == [expected]
    assert partner.oauth.issued == 0


def test_the_form_is_a_form_and_stands_in_no_url(partner: PartnerSimulator) -> None:
    assert httpx.post(partner.token_url, json=FORM).status_code == 400
    assert httpx.post(f"{partner.token_url}?client_id=bridge", data=FORM).status_code == 400
    assert httpx.post(partner.token_url, data={**FORM, "client_id": ["bridge", "bridge"]}).status_code == 400
    assert httpx.get(partner.token_url).status_code == 405
    assert len(noted(partner)) == 4


@pytest.mark.parametrize("authorization", ["Token YnJpZGdl", "Bearer invented", "", f"Bearer {STATIC.theirs}"])
def test_nothing_but_an_access_token_opens(partner: PartnerSimulator, authorization: str) -> None:
    assert push(partner, authorization) == 401
    assert noted(partner) == ["no access token of ours as Bearer"]


@pytest.mark.parametrize("key", [None, "another"])
def test_the_api_key_goes_beside_it(partner: PartnerSimulator, key: str | None) -> None:
    assert push(partner, f"Bearer {access_token(partner)}", key) == 401
    assert noted(partner) == ["ApiKey is missing or wrong"]


def test_revoked_tokens_are_refused_and_new_ones_hold(partner: PartnerSimulator) -> None:
    old = access_token(partner)
    partner.oauth.revoke_all()

    assert push(partner, f"Bearer {old}") == 401
    assert push(partner, f"Bearer {access_token(partner)}") == 200
    assert noted(partner) == []


def test_an_access_token_stands_for_no_credentials(partner: PartnerSimulator) -> None:
    headers = {"Authorization": f"Bearer {access_token(partner)}", "ApiKey": "api-key"}

    answer = httpx.get(f"{partner.http.url}/ocpi/2.2.1/credentials", headers=headers)
    assert (answer.status_code, answer.json()["status_code"]) == (200, 2000)


def test_a_server_may_not_tell_when_a_token_ends() -> None:
    with PartnerSimulator(cpo=CPO, oauth=OAuthSettings("bridge", "client-secret", tells_expiry=False)) as partner:
        form = {name: value for name, value in FORM.items() if name != "audience"}

        assert "expires_in" not in httpx.post(partner.token_url, data=form).json()


def test_a_partner_without_a_server_says_so(static_partner: PartnerSimulator) -> None:
    with pytest.raises(LookupError):
        _ = static_partner.oauth


def test_secrets_are_in_no_representation() -> None:
    assert "client-secret" not in repr(SETTINGS)
    assert "api-key" not in repr(SETTINGS)


# Pairing


def pair(partner: PartnerSimulator, body: object, token: str = STATIC.theirs, **headers: str) -> httpx.Response:
    return httpx.post(partner.pairing_url, json=body, headers={"Authorization": f"Bearer {token}", **headers})


def test_a_known_code_pairs_the_charge_point_once(static_partner: PartnerSimulator) -> None:
    static_partner.pairing.expect("362821")
    paired = pair(static_partner, {"code": "362821", "evse": EVSE})

    assert (paired.status_code, paired.json()) == (200, {"evse": EVSE})
    (entry,) = static_partner.pairing.paired.entries()
    assert (entry.code, entry.evse.uid) == ("362821", "3256")
    assert pair(static_partner, {"code": "362821", "evse": EVSE}).status_code == 404
    assert noted(static_partner) == []


def test_an_unknown_code_is_404_with_a_message(static_partner: PartnerSimulator) -> None:
    refused = pair(static_partner, {"code": "1", "evse": EVSE})

    assert (refused.status_code, list(refused.json())) == (404, ["message"])
    assert noted(static_partner) == []


def test_pairing_wants_bearer(static_partner: PartnerSimulator) -> None:
    assert pair(static_partner, {"code": "1", "evse": EVSE}, token="other").status_code == 401
    token = {"Authorization": f"Token {STATIC.theirs}"}
    assert httpx.post(static_partner.pairing_url, json={}, headers=token).status_code == 401
    assert noted(static_partner) == ["the token is missing or unknown"] * 2


def test_pairing_takes_access_tokens_where_there_are_such(partner: PartnerSimulator) -> None:
    partner.pairing.expect("362821")
    body = {"code": "362821", "evse": EVSE}

    assert pair(partner, body).status_code == 401
    assert pair(partner, body, access_token(partner), ApiKey="api-key").status_code == 200


@pytest.mark.parametrize(
    ("body", "status", "expected"),
    [
        ({"evse": EVSE}, 400, "code: "),
        ({"code": "1"}, 400, "evse: "),
        ({"code": "1", "evse": {**EVSE, "connectors": []}}, 400, "evse.connectors: "),
        ({"code": "1", "evse": {**EVSE, "uid": 3256}}, 400, "evse.uid: "),
        ({"code": "1", "evse": {**EVSE, "capabilities": []}}, 404, "CHARGING_PROFILE_CAPABLE is missing"),
    ],
)
def test_a_pairing_that_breaks_a_rule_is_noted(
    static_partner: PartnerSimulator, body: JsonObject, status: int, expected: str
) -> None:
    assert pair(static_partner, body).status_code == status
    assert expected in "; ".join(noted(static_partner))


def test_pairing_takes_post_and_json_only(static_partner: PartnerSimulator) -> None:
    headers = {"Authorization": f"Bearer {STATIC.theirs}"}

    assert httpx.get(static_partner.pairing_url, headers=headers).status_code == 405
    assert httpx.post(static_partner.pairing_url, content=b"{", headers=headers).status_code == 400
    assert len(noted(static_partner)) == 2


def pair_at(partner: PartnerSimulator, response: Response) -> tuple[PairAnswer, Request]:
    with HttpService(lambda _: response, name="pairing-bridge") as bridge:
        return partner.pairing.pair(f"{bridge.url}/stage/", "362821"), bridge.requests.entries()[0]


def test_it_sends_a_code_to_the_bridge(static_partner: PartnerSimulator) -> None:
    answer, request = pair_at(static_partner, Response.json(200, {"evse": EVSE}))

    assert (request.method, request.path) == ("POST", "/stage/v1/cpo/ocpi2.2/pair")
    assert request.header("Authorization") == f"Bearer {STATIC.ours}"
    assert request.header("X-Request-ID") is request.header("OCPI-from-party-id") is None
    assert read_json(request.body) == {"code": "362821"}
    assert answer.evse is not None
    assert answer.evse.wire() == EVSE
    assert noted(static_partner) == []


def test_the_bridge_may_not_know_a_code(static_partner: PartnerSimulator) -> None:
    answer, _ = pair_at(static_partner, Response.json(404, {"message": "no such code"}))

    assert (answer.status, answer.evse, answer.message) == (404, None, "no such code")
    assert noted(static_partner) == []


@pytest.mark.parametrize(
    ("response", "expected"),
    [
        (Response.json(200, {}), "evse: "),
        (Response.json(200, {"evse": {**EVSE, "evse_id": None}}), "evse.evse_id: "),
        (Response.json(404, {}), "HTTP 404 without a message"),
        (Response(200, b"paired"), "not JSON"),
    ],
)
def test_an_answer_to_a_code_that_breaks_a_rule_is_noted(
    static_partner: PartnerSimulator, response: Response, expected: str
) -> None:
    answer, _ = pair_at(static_partner, response)

    assert answer.evse is None
    assert expected in "; ".join(noted(static_partner))


def test_a_bridge_that_is_down_cannot_pair(static_partner: PartnerSimulator) -> None:
    with HttpService(lambda _: Response(200), name="gone") as bridge:
        url = bridge.url
    with pytest.raises(BridgeUnreachableError):
        static_partner.pairing.pair(url, "362821")
