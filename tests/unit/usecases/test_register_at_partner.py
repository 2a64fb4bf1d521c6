"""We register at a partner, rotate and unregister: the partner's answers, lost ones too, and what is left here."""

import base64
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from ocpi_bridge.adapters.bounded_http.exchange import HttpCall, NoReply, Reply
from ocpi_bridge.domain.errors import Contended, EndpointMissing, InvalidInput, PlatformUnusable, VersionNotShared
from ocpi_bridge.domain.partners import Partner, Party, Registration, TokenEncoding
from ocpi_bridge.domain.registration import RegistrationRefused
from ocpi_bridge.domain.tokens import AcceptedToken, TokenUse, token_hash
from tests.support.fake_http import reply
from tests.support.partner_platform import BASE, NEEDED, TOKEN_B, VERSIONS_URL, details, enveloped, version_list
from tests.support.registrations import INVITED, OURS, Site, credentials_body
from tests.support.tables import REGION, AwsTables

# The partner's registration token for us, and what it gives us to present from then on.
TOKEN_A = "their-registration-token"
TOKEN_C = "their-token-c"
POST, PUT, DELETE = "POST /2.3.0/credentials", "PUT /2.3.0/credentials", "DELETE /2.3.0/credentials"


@pytest.fixture
def site(_tables: AwsTables) -> Iterator[Site]:
    """The partner has given us a registration token and answers our POST and PUT with its token C."""
    here = Site(_tables, boto3.client("secretsmanager", region_name=REGION))
    here.partner.token = TOKEN_A
    answer(here, enveloped(credentials_body(TOKEN_C)))
    yield here
    here.close()


@pytest.fixture
def registered(site: Site) -> str:
    """We are registered; the token that the partner has for us, which it has used."""
    site.outbound.register(INVITED, VERSIONS_URL, TOKEN_A)
    token = given(site)
    site.use(token)
    site.partner.token = TOKEN_C
    answer(site, enveloped(credentials_body("their-token-c2")))
    return token


def answer(site: Site, reply: Reply | NoReply, version: str = "2.3.0") -> None:
    site.partner.answers[f"/{version}/credentials"] = reply


def given(site: Site) -> str:
    """The token that we gave the partner last."""
    token: str = next(body["token"] for body in reversed(site.partner.bodies) if body is not None)
    return token


# --- Registering -----------------------------------------------------------------------------------------------------


def test_a_registration_takes_the_newest_version_that_both_speak(site: Site) -> None:
    committed = site.outbound.register(INVITED, VERSIONS_URL, TOKEN_A)
    partner = site.standing.partner
    assert site.partner.calls == ["GET /versions", "GET /2.3.0", POST]
    assert partner == committed.partner
    assert partner.registration is Registration.REGISTERED
    assert (partner.version, partner.versions_url) == ("2.3.0", VERSIONS_URL)
    assert (partner.party, partner.parties[0]) == (Party("NL", "JED"), Party("NL", "EMS"))
    assert partner.sessions_url == f"{BASE}/2.3.0/sessions"
    assert site.secrets_held == {partner.secret_name: {"token": TOKEN_C}}


def test_the_partner_is_given_our_credentials(site: Site) -> None:
    site.outbound.register(INVITED, VERSIONS_URL, TOKEN_A)
    body = site.partner.bodies[-1]
    assert body["url"] == OURS.versions_url
    assert [(role["role"], role["country_code"], role["party_id"]) for role in body["roles"]] == [
        ("CPO", "NL", "CPO"),
        ("CPO", "NL", "ACM"),
    ]
    assert site.partner.headers[-1]["Content-Type"] == "application/json"
    token = site.accepted(body["token"])
    assert (token.use, token.party, token.supersedes) == (TokenUse.CREDENTIALS, Party("NL", "JED"), ())


def test_the_partner_can_call_back_with_its_token_while_our_call_waits(site: Site) -> None:
    seen: list[AcceptedToken] = []

    def look(call: HttpCall) -> None:
        if call.method == "POST":
            [token] = site.registry.list_tokens("jedlix")
            seen.append(token)

    site.partner.before = look
    site.outbound.register(INVITED, VERSIONS_URL, TOKEN_A)
    assert [(token.token_hash, token.use) for token in seen] == [(token_hash(given(site)), TokenUse.REGISTRATION)]


def test_what_an_interrupted_registration_leaves_goes_by_itself(site: Site) -> None:
    expiries: list[Any] = []

    def look(call: HttpCall) -> None:
        if call.method == "POST":
            expiries.extend(
                item.get("expires_at") for item in site.tables.items("registry") if item["pk"]["S"] == "TOKEN"
            )

    site.partner.before = look
    site.outbound.register(INVITED, VERSIONS_URL, TOKEN_A)
    assert expiries == [{"N": str(int(site.clock.now().timestamp()) + 3600)}]
    assert not [item for item in site.tables.items("registry") if "expires_at" in item]


def test_an_older_partner_is_met_in_its_version(site: Site) -> None:
    site.partner.answers["/versions"] = enveloped(version_list("2.2.1", "2.1.1"))
    answer(site, enveloped(credentials_body(TOKEN_C)), "2.2.1")
    site.outbound.register(INVITED, VERSIONS_URL, TOKEN_A)
    assert site.standing.partner.version == "2.2.1"


def test_a_partner_that_takes_plain_tokens_gets_them_plain_throughout(site: Site) -> None:
    site.partner.encodings = {"plain"}
    site.outbound.register(INVITED, VERSIONS_URL, TOKEN_A)
    assert site.standing.partner.token_encoding is TokenEncoding.PLAIN
    assert site.partner.headers[-1]["Authorization"] == f"Token {TOKEN_A}"


@pytest.mark.parametrize(
    ("modules", "missing"),
    [
        (NEEDED[:2], "chargingprofiles SENDER"),
        (NEEDED[1:], "credentials"),
    ],
)
def test_nothing_is_posted_to_a_partner_that_lacks_a_module(
    site: Site, modules: tuple[tuple[str, str], ...], missing: str
) -> None:
    before = site.state
    site.partner.answers["/2.3.0"] = enveloped(details("2.3.0", *modules))
    with pytest.raises(EndpointMissing, match=missing):
        site.outbound.register(INVITED, VERSIONS_URL, TOKEN_A)
    assert site.partner.calls == ["GET /versions", "GET /2.3.0"]
    assert site.state == before


def test_nothing_is_posted_to_a_partner_of_other_versions(site: Site) -> None:
    site.partner.answers["/versions"] = enveloped(version_list("2.1.1", "3.0"))
    with pytest.raises(VersionNotShared):
        site.outbound.register(INVITED, VERSIONS_URL, TOKEN_A)
    assert site.partner.calls == ["GET /versions"]


def test_a_hostile_address_is_not_called(site: Site) -> None:
    with pytest.raises(InvalidInput, match="versions_url"):
        site.outbound.register(INVITED, "http://ocpi.partner.example/versions", TOKEN_A)
    assert site.partner.calls == []


@pytest.mark.parametrize(
    "refusal",
    [
        NoReply("connect", sent=False),
        NoReply("timeout", sent=True),
        reply(401),
        reply(405),
        reply(500),
        Reply(200, {}, b"<html>"),
        enveloped(None, 3001),
        enveloped(None),
        enveloped({**credentials_body(TOKEN_C), "token": ""}),
        enveloped({**credentials_body(TOKEN_C), "roles": None}),
    ],
)
def test_a_post_that_fails_leaves_nothing_and_the_next_one_works(site: Site, refusal: Reply | NoReply) -> None:
    before = site.state
    answer(site, refusal)
    with pytest.raises(PlatformUnusable, match="POST credentials"):
        site.outbound.register(INVITED, VERSIONS_URL, TOKEN_A)
    assert site.state == before
    answer(site, enveloped(credentials_body(TOKEN_C)))
    site.outbound.register(INVITED, VERSIONS_URL, TOKEN_A)
    assert site.standing.partner.connected


@pytest.mark.parametrize("registration", [Registration.STATIC, Registration.REGISTERED])
def test_a_partner_that_is_connected_is_not_registered_again(site: Site, registration: Registration) -> None:
    site.registry.add_partner(replace(INVITED, registration=registration), [], site.clock.now())
    with pytest.raises(RegistrationRefused, match="connected already"):
        site.outbound.register(INVITED, VERSIONS_URL, TOKEN_A)
    assert site.partner.calls == []


@pytest.mark.parametrize("left", [False, True], ids=["invited", "left"])
def test_a_partner_that_is_not_connected_can_be_registered_at(site: Site, left: bool) -> None:
    invitation = site.invite(INVITED)
    if left:
        site.end(site.standing)
    site.outbound.register(site.standing.partner, VERSIONS_URL, TOKEN_A)
    assert site.standing.partner.connected
    assert not site.accepts(invitation)
    assert [one.token_hash for one in site.standing.tokens] == [token_hash(given(site))]


def test_a_commit_that_fails_is_taken_back_at_the_partner(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    before = site.state

    def denied(**_: object) -> None:
        raise ClientError({"Error": {"Code": "AccessDeniedException"}}, "CreateSecret")

    monkeypatch.setattr(site.vault, "create_secret", denied)
    site.partner.before = lambda call: setattr(site.partner, "token", TOKEN_C) if call.method == "DELETE" else None
    with pytest.raises(ClientError):
        site.outbound.register(INVITED, VERSIONS_URL, TOKEN_A)
    assert site.partner.calls[-1] == DELETE
    assert site.partner.headers[-1]["Authorization"] == f"Token {base64.b64encode(TOKEN_C.encode()).decode()}"
    assert site.state == before


def test_a_partner_that_registers_itself_meanwhile_keeps_both_its_tokens(site: Site) -> None:
    invitation = site.invite(INVITED)
    own: list[str] = []

    def register(call: HttpCall) -> None:
        if call.method == "POST":
            site.partner.before = lambda _: None
            site.partner.token = TOKEN_B
            own.append(site.call(invitation, version="2.3.0").token)
            site.partner.token = TOKEN_A

    site.partner.before = register
    site.outbound.register(INVITED, VERSIONS_URL, TOKEN_A)
    assert site.partner.calls[-1] == "GET /2.3.0"
    assert site.accepts(own[0])
    assert not site.accepts(invitation)
    site.use(given(site))
    assert not site.accepts(own[0])
    assert list(site.secrets_held.values()) == [{"token": TOKEN_C}]


def test_a_partner_that_the_operator_adds_by_hand_meanwhile_stays_as_it_is(site: Site) -> None:
    def add(call: HttpCall) -> None:
        if call.method == "POST":
            site.registry.add_partner(replace(INVITED, name="By hand"), [], site.clock.now())
        if call.method == "DELETE":
            site.partner.token = TOKEN_C

    site.partner.before = add
    with pytest.raises(RegistrationRefused, match="without a handshake"):
        site.outbound.register(INVITED, VERSIONS_URL, TOKEN_A)
    assert site.partner.calls[-1] == DELETE
    assert (site.standing.partner.name, site.standing.tokens) == ("By hand", ())
    assert site.secrets_held == {}


# --- Rotating --------------------------------------------------------------------------------------------------------


def test_a_rotation_changes_both_tokens_and_the_former_one_lives_until_the_new_one_is_used(
    site: Site, registered: str
) -> None:
    site.partner.calls.clear()
    committed = site.outbound.rotate("jedlix")
    renewed = given(site)
    assert site.partner.calls == ["GET /versions", "GET /2.3.0", PUT]
    assert site.secrets_held == {committed.partner.secret_name: {"token": "their-token-c2"}}
    assert site.accepts(registered)
    site.use(renewed)
    assert not site.accepts(registered)
    assert [one.token_hash for one in site.standing.tokens] == [token_hash(renewed)]


def test_a_rotation_reads_the_endpoints_again(site: Site, registered: str) -> None:
    moved = details("2.3.0", *NEEDED)
    moved["endpoints"][2]["url"] = "https://new.partner.example/chargingprofiles"
    site.partner.answers["/2.3.0"] = enveloped(moved)
    site.outbound.rotate("jedlix")
    assert site.standing.partner.charging_profiles_url == "https://new.partner.example/chargingprofiles"


@pytest.mark.parametrize(
    "refusal", [NoReply("connect", sent=False), reply(401), reply(405), reply(302), enveloped(None, 2001)]
)
def test_a_rotation_that_the_partner_refuses_changes_nothing(
    site: Site, registered: str, refusal: Reply | NoReply
) -> None:
    before = site.state
    answer(site, refusal)
    with pytest.raises(PlatformUnusable, match="PUT credentials"):
        site.outbound.rotate("jedlix")
    assert site.state == before


@pytest.mark.parametrize(
    "lost",
    [NoReply("timeout", sent=True), NoReply("connection_lost", sent=True), reply(504), Reply(200), enveloped({})],
)
def test_a_lost_answer_locks_nobody_out_and_rotating_again_mends_it(
    site: Site, registered: str, lost: Reply | NoReply
) -> None:
    secrets = site.secrets_held
    answer(site, lost)
    with pytest.raises(PlatformUnusable):
        site.outbound.rotate("jedlix")
    perhaps = given(site)
    assert site.secrets_held == secrets
    assert site.accepts(registered)
    assert site.accepted(perhaps).use is TokenUse.CREDENTIALS
    site.use(perhaps)
    assert not site.accepts(registered)
    answer(site, enveloped(credentials_body("their-token-c3")))
    site.outbound.rotate("jedlix")
    site.use(given(site))
    assert not site.accepts(perhaps)
    assert list(site.secrets_held.values()) == [{"token": "their-token-c3"}]


def test_a_vault_that_fails_after_the_partner_switched_locks_it_not_out(
    site: Site, registered: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def denied(**_: object) -> None:
        raise ClientError({"Error": {"Code": "AccessDeniedException"}}, "CreateSecret")

    with monkeypatch.context() as patch:
        patch.setattr(site.vault, "create_secret", denied)
        with pytest.raises(ClientError):
            site.outbound.rotate("jedlix")
    assert site.accepts(registered)
    assert site.accepts(given(site))


def test_an_operator_who_edits_the_entry_meanwhile_keeps_the_change(site: Site, registered: str) -> None:
    def edit(call: HttpCall) -> None:
        if call.method == "PUT":
            site.registry.replace_partner(replace(site.standing.partner, name="Renamed"))

    site.partner.before = edit
    site.outbound.rotate("jedlix")
    assert site.standing.partner.name == "Renamed"
    assert list(site.secrets_held.values()) == [{"token": "their-token-c2"}]


def test_a_rotation_gives_up_where_others_are_always_faster(
    site: Site, registered: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    attempts = 0

    def slower(*_: object) -> bool:
        nonlocal attempts
        attempts += 1
        return False

    secrets = site.secrets_held
    monkeypatch.setattr(type(site.registrations), "commit", slower)
    with pytest.raises(Contended):
        site.outbound.rotate("jedlix")
    assert attempts == 6
    assert site.secrets_held == secrets


def test_only_a_registered_partner_is_rotated(site: Site) -> None:
    site.invite(INVITED)
    for partner_id in ("jedlix", "nobody"):
        with pytest.raises(RegistrationRefused, match="not registered"):
            site.outbound.rotate(partner_id)


# --- Unregistering ---------------------------------------------------------------------------------------------------


def test_the_partner_is_asked_to_end_the_registration(site: Site, registered: str) -> None:
    answer(site, reply(200, {"status_code": 1000, "timestamp": "2026-01-15T17:00:00Z"}))
    before = site.state
    assert site.outbound.unregister("jedlix") is None
    assert site.partner.calls[-1] == DELETE
    assert site.state == before


@pytest.mark.parametrize(
    ("path", "says"), [("/versions", "GET versions: HTTP 500"), ("/2.3.0/credentials", "DELETE credentials: HTTP 500")]
)
def test_why_it_could_not_be_asked_is_told(site: Site, registered: str, path: str, says: str) -> None:
    site.partner.answers[path] = reply(500)
    assert says in (site.outbound.unregister("jedlix") or "")


# --- Inviting --------------------------------------------------------------------------------------------------------


def test_an_invitation_is_an_entry_and_a_registration_token(site: Site) -> None:
    token = site.invite(INVITED)
    assert site.standing.partner == replace(INVITED, registration=Registration.INVITED)
    assert [(one.token_hash, one.use) for one in site.standing.tokens] == [(token_hash(token), TokenUse.REGISTRATION)]


def test_a_second_invitation_ends_the_first_token(site: Site) -> None:
    first = site.invite(INVITED)
    second = site.invite(replace(INVITED, name="Renamed"))
    assert not site.accepts(first)
    assert site.accepts(second)
    assert site.standing.partner.name == "Renamed"


def test_a_connected_partner_is_not_invited(site: Site, registered: str) -> None:
    with pytest.raises(RegistrationRefused, match="connected already"):
        site.invite(INVITED)


def test_the_tokens_of_other_partners_stay(site: Site, registered: str) -> None:
    other = Partner("other", "Other", Party("BE", "OTH"), (".other.example",))
    token = site.invite(other)
    site.outbound.rotate("jedlix")
    site.end(site.standing)
    assert [one.token_hash for one in site.registry.list_tokens("other")] == [token_hash(token)]
