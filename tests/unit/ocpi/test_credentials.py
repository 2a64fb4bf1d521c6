"""The Credentials object, and the order of the checks at its endpoint."""

import json
import traceback
from dataclasses import replace
from typing import Any

import pytest

from ocpi_bridge.domain.connections import OwnPlatform, Role
from ocpi_bridge.domain.errors import InvalidInput
from ocpi_bridge.domain.partners import Partner, Party, Registration
from ocpi_bridge.domain.tokens import AcceptedToken, TokenUse
from ocpi_bridge.ocpi.credentials import MAX_PARTIES, MAX_ROLES, Credentials, check_call, own_credentials
from ocpi_bridge.ocpi.transport import TransportError
from ocpi_bridge.ports.json_values import JsonValue
from tests.support.clocks import START
from tests.support.fixtures import ocpi_fixture

SECRET = "s3cret-token-of-the-partner"
PARTNER = Partner("jedlix", "Jedlix", Party("NL", "JED"), (".jedlix.com",))
TOKEN = AcceptedToken("hash", "jedlix", PARTNER.party, START)


def body(**changes: Any) -> dict[str, Any]:  # noqa: ANN401 - whatever a partner may send
    return {
        "token": SECRET,
        "url": "https://ocpi.partner.example/versions",
        "roles": [{"role": "SCSP", "country_code": "NL", "party_id": "JED", "business_details": {"name": "Jedlix"}}],
        **changes,
    }


def role(party_id: str = "JED", **changes: Any) -> dict[str, Any]:  # noqa: ANN401
    return {"role": "SCSP", "country_code": "NL", "party_id": party_id, **changes}


@pytest.mark.parametrize("name", ["credentials_example", *(f"credentials_example{number}" for number in (2, 3, 4))])
def test_the_examples_of_the_specification_are_read(name: str) -> None:
    example = ocpi_fixture(f"spec-2.2.1/{name}")
    read = Credentials.read(example)
    assert (read.token, read.url) == (example["token"], example["url"])
    assert [(one.role, one.party.party_id) for one in read.roles] == [
        (one["role"], one["party_id"]) for one in example["roles"]
    ]


def test_what_we_need_not_know_is_passed_over() -> None:
    roles = [role(role="HOVERCRAFT", business_details=None, country_code="nl"), role(role="SCSP", extra={"a": [1]})]
    read = Credentials.read(body(hub_party_id="NLHUB", comment=None, roles=roles))
    assert read.roles == (Role("HOVERCRAFT", Party("nl", "JED")), Role("SCSP", Party("NL", "JED")))


@pytest.mark.parametrize("token", ["x", "!" * 64, "~" * 64, "PLAIN", "aGVsbG8="])
def test_every_token_that_the_specification_allows_is_taken_as_it_is(token: str) -> None:
    assert Credentials.read(body(token=token)).token == token


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("token", None),
        ("token", ""),
        ("token", 5),
        ("token", "with space"),
        ("token", "x" * 65),
        ("token", "t\u00f6ken"),
        ("url", None),
        ("url", ""),
        ("url", "https://" + "a" * 255),
        ("roles", None),
        ("roles", []),
        ("roles", {}),
        ("roles", [role()] * (MAX_ROLES + 1)),
        ("roles", [role(f"{number:03}") for number in range(MAX_PARTIES + 1)]),
        ("roles.0", [None]),
        ("roles.0.role", [role(role=None)]),
        ("roles.1.party_id", [role(), role("JEDL")]),
        ("roles.0.party_id", [role("")]),
        ("roles.0.party_id", [role("J D")]),
        ("roles.0.party_id", [role("J\r\n")]),
        ("roles.0.country_code", [role(country_code="NLD")]),
        ("roles.0.country_code", [role(country_code=None)]),
    ],
)
def test_what_is_wrong_is_named_and_never_repeated(field: str, value: object) -> None:
    with pytest.raises(InvalidInput) as raised:
        Credentials.read(body(**{field.partition(".")[0]: value}))
    assert raised.value.field == field
    shown = "".join(traceback.format_exception(raised.value))
    assert SECRET not in shown


def test_what_is_no_object_is_refused() -> None:
    values: tuple[JsonValue, ...] = (None, [], "text", 5)
    for value in values:
        with pytest.raises(InvalidInput, match="body"):
            Credentials.read(value)


def test_all_parties_of_one_token_may_have_several_roles() -> None:
    roles = [role(f"{number:03}", role=kind) for number in range(MAX_PARTIES) for kind in ("SCSP", "EMSP")]
    assert len(Credentials.read(body(roles=roles)).roles) == 2 * MAX_PARTIES


def test_a_token_never_shows_itself() -> None:
    assert SECRET not in repr(Credentials.read(body()))


# --- Ours ------------------------------------------------------------------------------------------------------------


def test_ours_are_what_a_partner_would_read() -> None:
    own = OwnPlatform("https://api.example/ocpi/versions", Party("NL", "CPO"), "Example CPO")
    parties = (Party("BE", "BEC"), Party("nl", "cpo"), Party("BE", "BEC"))
    ours = own_credentials(SECRET, own, parties)
    read = Credentials.read(json.loads(json.dumps(ours)))
    assert (read.token, read.url) == (SECRET, own.versions_url)
    assert read.roles == (Role("CPO", Party("NL", "CPO")), Role("CPO", Party("BE", "BEC")))
    fixture = ocpi_fixture("constructed/transport/credentials_cpo_post_response")["data"]
    assert own_credentials(fixture["token"], replace(own, versions_url=fixture["url"]), ()) == fixture


def test_a_name_is_as_long_as_it_may_be() -> None:
    own = OwnPlatform("https://api.example/ocpi/versions", Party("NL", "CPO"), "n" * 150)
    ours = json.loads(json.dumps(own_credentials(SECRET, own, ())))
    assert ours["roles"][0]["business_details"]["name"] == "n" * 100


# --- Who may do what -------------------------------------------------------------------------------------------------

A = replace(TOKEN, use=TokenUse.REGISTRATION)
SPENT = replace(A, spent_at=START)
C = TOKEN


@pytest.mark.parametrize(
    ("token", "registration", "allowed"),
    [
        (A, Registration.INVITED, {"GET", "POST"}),
        (SPENT, Registration.REGISTERED, {"POST"}),
        (C, Registration.REGISTERED, {"GET", "PUT", "DELETE"}),
        (C, Registration.STATIC, {"GET"}),
        (A, Registration.REGISTERED, {"GET"}),
        (A, Registration.STATIC, {"GET"}),
        (A, Registration.LEFT, {"GET"}),
    ],
    ids=["invited", "just registered", "registered", "static", "reserved for a rotation", "reserved", "left"],
)
def test_what_each_token_may_do(token: AcceptedToken, registration: Registration, allowed: set[str]) -> None:
    partner = replace(PARTNER, registration=registration)
    for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
        if method in allowed:
            check_call(method, token, partner, START)
            continue
        with pytest.raises(TransportError) as raised:
            check_call(method, token, partner, START)
        spent = token.spent_at is not None
        assert raised.value.http_status == (401 if spent else 405)
        assert spent or set(raised.value.headers["Allow"].split(", ")) == allowed
