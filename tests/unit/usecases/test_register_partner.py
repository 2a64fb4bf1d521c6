"""Partners register, renew and end their registration; whatever fails leaves nothing behind."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from ocpi_bridge.adapters.bounded_http.exchange import HttpCall, NoReply, Reply
from ocpi_bridge.adapters.dynamodb import reassessments, writes
from ocpi_bridge.domain.errors import (
    Contended,
    EndpointMissing,
    InvalidInput,
    PlatformUnusable,
    RegistrationFailed,
    VersionNotShared,
)
from ocpi_bridge.domain.partners import OAuth2Client, OutboundAuth, Party, Registration, TokenEncoding
from ocpi_bridge.domain.tokens import TokenUse, is_token, token_hash
from ocpi_bridge.ocpi.transport import StatusCode
from ocpi_bridge.ports.json_values import JsonValue
from tests.support.fake_http import reply
from tests.support.partner_platform import (
    BASE,
    NEEDED,
    ROLES,
    TOKEN_B,
    VERSIONS_URL,
    details,
    enveloped,
    version_list,
)
from tests.support.registrations import INVITED, Site, credentials_body
from tests.support.tables import REGION, AwsTables


@pytest.fixture
def site(_tables: AwsTables, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setattr(writes, "CONFLICT_PAUSES", (0.0,) * len(writes.CONFLICT_PAUSES))
    here = Site(_tables, boto3.client("secretsmanager", region_name=REGION))
    yield here
    here.close()


@pytest.fixture
def token_a(site: Site) -> str:
    """The partner is invited with this registration token."""
    return site.invite(INVITED)


@pytest.fixture
def token_c(site: Site, token_a: str) -> str:
    """The partner registered, and used its token."""
    token = site.call(token_a).token
    site.use(token)
    return token


# --- POST ------------------------------------------------------------------------------------------------------------


def test_a_registration_makes_the_entry_from_what_the_partner_serves(site: Site, token_a: str) -> None:
    accepted = site.call(token_a)
    partner = site.standing.partner
    assert partner == accepted.committed.partner
    assert partner.registration is Registration.REGISTERED
    assert (partner.version, partner.versions_url) == ("2.2.1", VERSIONS_URL)
    assert partner.sessions_url == f"{BASE}/2.2.1/sessions"
    assert partner.charging_profiles_url == f"{BASE}/2.2.1/chargingprofiles"
    assert partner.parties == (Party("NL", "EMS"), Party("NL", "JED"))
    assert partner.party == Party("NL", "JED")
    assert partner.callback_hosts == INVITED.callback_hosts
    assert site.secrets_held == {partner.secret_name: {"token": TOKEN_B}}
    assert partner.secret_name.startswith("partners/jedlix/")


def test_the_partner_is_called_back_with_its_own_token_and_without_routing_headers(site: Site, token_a: str) -> None:
    site.call(token_a)
    assert site.partner.calls == ["GET /versions", "GET /2.2.1"]
    assert all(budget == 5 for budget in site.partner.budgets)
    for headers in site.partner.headers:
        assert not [name for name in headers if name.lower().startswith("ocpi-")]
    assert len({headers["X-Request-ID"] for headers in site.partner.headers}) == 2


def test_a_new_token_opens_everything_and_is_stored_as_its_hash(site: Site, token_a: str) -> None:
    token = site.call(token_a).token
    assert is_token(token)
    made = site.accepted(token)
    assert made.use is TokenUse.CREDENTIALS
    assert made.party == Party("NL", "JED")
    assert token not in repr(site.tables.items(site.tables.registry))


def test_a_partner_speaks_the_version_whose_endpoint_it_called(site: Site, token_a: str) -> None:
    site.call(token_a, version="2.3.0")
    assert site.standing.partner.version == "2.3.0"
    assert site.standing.partner.sessions_url == f"{BASE}/2.3.0/sessions"


@pytest.mark.parametrize(
    ("named", "roles", "party"),
    [
        (Party("nl", "ems"), ROLES, Party("nl", "ems")),
        (Party("DE", "XYZ"), ROLES, Party("NL", "JED")),
        (Party("DE", "XYZ"), ROLES[:1], Party("NL", "EMS")),
    ],
    ids=["the operator's word", "the first SCSP", "the first there is"],
)
def test_who_is_spoken_to(site: Site, named: Party, roles: list[dict[str, Any]], party: Party) -> None:
    token = site.invite(replace(INVITED, party=named))
    site.call(token, body=credentials_body(roles=roles))
    assert site.standing.partner.party == party


def test_the_sessions_of_a_partner_that_registers_are_looked_at_again(site: Site, token_a: str) -> None:
    key = reassessments.reassessment_key("jedlix")
    site.tables.client.delete_item(TableName="registry", Key={"pk": {"S": key[0]}, "sk": {"S": key[1]}})
    site.call(token_a)
    assert key in {(item["pk"]["S"], item["sk"]["S"]) for item in site.tables.items("registry")}


def test_the_first_use_of_the_new_token_ends_the_registration_token(site: Site, token_a: str) -> None:
    token = site.call(token_a).token
    assert site.accepts(token_a)
    site.use(token)
    assert not site.accepts(token_a)
    assert site.accepts(token)


def test_a_lost_answer_is_mended_by_the_same_post(site: Site, token_a: str) -> None:
    lost = site.call(token_a).token
    first_secret = site.standing.partner.secret_name
    site.clock.advance(timedelta(minutes=9).total_seconds())
    again = site.call(token_a).token
    assert again != lost
    assert not site.accepts(lost)
    assert site.accepts(again)
    assert first_secret not in site.secrets_held
    assert len(site.secrets_held) == 1
    assert len(site.standing.tokens) == 2


def test_a_repeated_post_does_not_give_the_registration_token_more_time(site: Site, token_a: str) -> None:
    site.call(token_a)
    spent_at = site.accepted(token_a).spent_at
    assert spent_at == site.clock.now()
    site.clock.advance(60)
    site.call(token_a)
    assert site.accepted(token_a).spent_at == spent_at


def test_a_partner_that_came_with_another_outbound_authentication_presents_its_token_from_now_on(site: Site) -> None:
    oauth2 = OAuth2Client("https://auth.partner.example/token", "us")
    token = site.invite(replace(INVITED, auth=OutboundAuth.OAUTH2, oauth2=oauth2, accepts_bearer=True))
    made = site.call(token).token
    assert (site.standing.partner.auth, site.standing.partner.oauth2) == (OutboundAuth.OCPI_TOKEN, None)
    assert site.accepted(made).bearer


# --- What the partner may do wrong -----------------------------------------------------------------------------------

GONE = reply(200)


@pytest.mark.parametrize("path", ["/versions", "/2.2.1"])
@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (NoReply("connect", sent=False), "no connection"),
        (NoReply("dns", sent=False), "does not resolve"),
        (NoReply("tls", sent=False), "TLS"),
        (NoReply("refused_address", sent=False), "no public address"),
        (NoReply("timeout", sent=True), "no answer in time"),
        (reply(500, {"status_code": 3000}), "HTTP 500"),
        (reply(404), "HTTP 404"),
        (reply(302, None, {"location": "https://elsewhere.example/"}), "a redirect"),
        (Reply(200, {}, b"<html>Welcome</html>"), "not JSON"),
        (Reply(200), "not JSON"),
        (Reply(200, {}, b"[" * 100_000), "not JSON"),
        (Reply(200, {}, b'{"data": [', truncated=True), "too long"),
        (reply(200, [{"version": "2.2.1"}]), "no OCPI envelope"),
        (reply(200, {"data": []}), "no OCPI envelope"),
        (enveloped([], 2001), "status_code 2001"),
        (enveloped([], 3000), "status_code 3000"),
        (enveloped(None), "is not"),
        (enveloped("2.2.1"), "is not"),
        (enveloped([{}] * 300), "is not an object|more than 200"),
    ],
)
def test_an_api_that_cannot_be_used_is_3001_and_nothing_stays(
    site: Site, token_a: str, path: str, answer: Reply | NoReply, says: str
) -> None:
    before = site.state
    good, site.partner.answers[path] = site.partner.answers[path], answer
    with pytest.raises(PlatformUnusable, match=says) as raised:
        site.call(token_a)
    assert raised.value.status_code == StatusCode.UNABLE_TO_USE_CLIENT_API
    assert TOKEN_B not in str(raised.value)
    assert site.state == before
    site.partner.answers[path] = good
    assert is_token(site.call(token_a).token)


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        ("/versions", enveloped([])),
        ("/versions", enveloped([{"version": "2.2.1"}, {"url": BASE}, {"version": 2, "url": BASE}, None, "2.2.1"])),
        ("/versions", enveloped({"version": "2.2.1", "url": BASE})),
        ("/2.2.1", enveloped([])),
        ("/2.2.1", enveloped({"version": "2.2.1"})),
        ("/2.2.1", enveloped({"version": "2.1.1", "endpoints": []})),
        ("/2.2.1", enveloped({"version": "2.2.1", "endpoints": {}})),
    ],
)
def test_lists_that_say_nothing_are_3001(site: Site, token_a: str, path: str, answer: Reply) -> None:
    before = site.state
    site.partner.answers[path] = answer
    with pytest.raises(PlatformUnusable):
        site.call(token_a)
    assert site.state == before


@pytest.mark.parametrize(
    "url",
    [
        "http://ocpi.partner.example/2.2.1",
        "https://10.0.0.1/2.2.1",
        "https://localhost/2.2.1",
        "https://user@ocpi.partner.example/2.2.1",
        "https://ocpi.partner.example/\r\nX: 1",
        "ftp://ocpi.partner.example/",
        "/2.2.1",
    ],
)
def test_a_hostile_url_of_a_version_or_an_endpoint_is_never_called(site: Site, token_a: str, url: str) -> None:
    before = site.state
    site.partner.answers["/versions"] = enveloped([{"version": "2.2.1", "url": url}])
    with pytest.raises(PlatformUnusable, match=r"the URL of version 2\.2\.1"):
        site.call(token_a)
    assert site.partner.calls == ["GET /versions"]
    site.partner.answers["/versions"] = enveloped(version_list("2.2.1"))
    hostile = details("2.2.1", *NEEDED)
    hostile["endpoints"][1]["url"] = url
    site.partner.answers["/2.2.1"] = enveloped(hostile)
    with pytest.raises(PlatformUnusable, match="the URL of sessions RECEIVER"):
        site.call(token_a)
    assert site.state == before


def test_a_token_that_is_refused_in_both_encodings_is_3001(site: Site, token_a: str) -> None:
    before = site.state
    site.partner.token = "another-token"
    with pytest.raises(PlatformUnusable, match="HTTP 401"):
        site.call(token_a)
    assert site.partner.calls == ["GET /versions", "GET /versions"]
    assert site.state == before
    site.partner.token = TOKEN_B
    site.call(token_a)


def test_a_401_at_the_details_is_final(site: Site, token_a: str) -> None:
    site.partner.answers["/2.2.1"] = reply(401)
    with pytest.raises(PlatformUnusable, match="GET version details: HTTP 401"):
        site.call(token_a)
    assert site.partner.calls == ["GET /versions", "GET /2.2.1"]


def test_a_partner_without_the_version_of_the_endpoint_is_3002(site: Site, token_a: str) -> None:
    before = site.state
    site.partner.answers["/versions"] = enveloped(version_list("2.1.1", "2.2.1", "9.9"))
    with pytest.raises(VersionNotShared, match=r"does not offer 2\.3\.0") as raised:
        site.call(token_a, version="2.3.0")
    assert raised.value.status_code == StatusCode.UNSUPPORTED_VERSION
    assert site.state == before
    site.call(token_a, version="2.2.1")


@pytest.mark.parametrize(
    ("modules", "missing"),
    [
        ((), "sessions RECEIVER"),
        ((("credentials", "SENDER"), ("sessions", "RECEIVER")), "chargingprofiles SENDER"),
        ((("chargingprofiles", "SENDER"),), "sessions RECEIVER"),
        ((("sessions", "SENDER"), ("chargingprofiles", "RECEIVER")), "sessions RECEIVER"),
        ((("sessions", "receiver"), ("chargingprofiles", "SENDER")), "sessions RECEIVER"),
    ],
)
def test_a_partner_that_lacks_a_module_is_3003(
    site: Site, token_a: str, modules: tuple[tuple[str, str], ...], missing: str
) -> None:
    before = site.state
    site.partner.answers["/2.2.1"] = enveloped(details("2.2.1", *modules))
    with pytest.raises(EndpointMissing, match=f"expected endpoint missing: {missing}") as raised:
        site.call(token_a)
    assert raised.value.status_code == StatusCode.NO_MATCHING_ENDPOINTS
    assert site.state == before
    site.partner.answers["/2.2.1"] = enveloped(details("2.2.1", *NEEDED))
    site.call(token_a)


def test_all_calls_together_have_twenty_seconds(site: Site, token_a: str) -> None:
    before = site.state
    site.partner.before = lambda _: site.clock.advance(18)
    site.partner.encodings = set()
    with pytest.raises(PlatformUnusable, match="HTTP 401"):
        site.call(token_a)
    # 18 s for the 401, 2 s left for its repetition.
    assert site.partner.budgets == [5, 2]
    site.partner.encodings = {"plain"}
    with pytest.raises(PlatformUnusable, match="more than 20 s") as raised:
        site.call(token_a)
    assert raised.value.status_code == 3001
    assert site.state == before


@pytest.mark.parametrize(
    "url",
    [
        "http://ocpi.partner.example/versions",
        "https://192.168.1.1/versions",
        "https://[::1]/versions",
        "http://127.0.0.1:8080/versions",
        "https://2130706433/",
        "https://a:b@ocpi.partner.example/",
    ],
)
def test_a_hostile_versions_url_is_a_wrong_parameter_and_never_called(site: Site, token_a: str, url: str) -> None:
    before = site.state
    with pytest.raises(InvalidInput) as raised:
        site.call(token_a, body=credentials_body(url=url))
    assert raised.value.field == "url"
    assert site.partner.calls == []
    assert site.state == before


# --- A sloppy partner ------------------------------------------------------------------------------------------------


def test_a_sloppy_partner_registers_too(site: Site, token_a: str) -> None:
    site.partner.encodings = {"plain"}
    site.partner.answers["/versions/"] = enveloped(
        [
            None,
            {"version": "3.0", "url": f"{BASE}/3.0/", "status": "beta"},
            {"version": "2.2.1", "url": f"{BASE}/2.2.1/", "extra": {"a": None}},
            {"version": "2.2.1", "url": "https://second.example/"},
        ],
        "1000",
    )
    endpoints: list[JsonValue] = [
        {"identifier": "credentials", "url": f"{BASE}/2.2.1/credentials/"},
        {"identifier": "nltnm-custom", "role": "BOTH", "url": "whatever"},
        {"identifier": None, "role": "SENDER", "url": None},
        {"identifier": "sessions", "role": None, "url": f"{BASE}/wrong"},
        {"identifier": "sessions", "role": "RECEIVER", "url": f"{BASE}/2.2.1/sessions/", "hint": 1},
        {"identifier": "chargingprofiles", "role": "SENDER", "url": f"{BASE}/2.2.1/chargingprofiles/"},
    ]
    site.partner.answers["/2.2.1/"] = enveloped({"endpoints": endpoints, "version": None})
    body = {
        **credentials_body(url=f"{VERSIONS_URL}/"),
        "hub_party_id": "NLHUB",
        "comment": None,
        "roles": [
            {"role": "NEW_ROLE", "country_code": "nl", "party_id": "a-1", "business_details": None},
            {"role": "SCSP", "country_code": "NL", "party_id": "JED"},
        ],
    }
    site.call(token_a, body=body)
    partner = site.standing.partner
    assert site.partner.calls == ["GET /versions/", "GET /versions/", "GET /2.2.1/"]
    assert partner.token_encoding is TokenEncoding.PLAIN
    assert partner.sessions_url == f"{BASE}/2.2.1/sessions/"
    assert partner.party == Party("NL", "JED")


def test_the_encoding_that_worked_is_tried_first_the_next_time(site: Site, token_a: str) -> None:
    site.partner.encodings = {"plain"}
    token = site.call(token_a).token
    site.partner.calls.clear()
    token = site.call(token).token
    assert site.partner.calls == ["GET /versions", "GET /2.2.1"]
    site.partner.encodings = {"base64"}
    site.call(token)
    assert site.standing.partner.token_encoding is TokenEncoding.BASE64


# --- PUT -------------------------------------------------------------------------------------------------------------


def test_a_renewal_reads_the_endpoints_again_and_gives_a_new_token(site: Site, token_c: str) -> None:
    site.partner.calls.clear()
    site.partner.token = "token-b2"
    moved = details("2.2.1", *NEEDED)
    moved["endpoints"][1]["url"] = "https://new.partner.example/sessions"
    site.partner.answers["/2.2.1"] = enveloped(moved)
    renewed = site.call(token_c, body=credentials_body(token="token-b2"))
    assert site.partner.calls == ["GET /versions", "GET /2.2.1"]
    assert site.standing.partner.sessions_url == "https://new.partner.example/sessions"
    assert list(site.secrets_held.values()) == [{"token": "token-b2"}]
    assert renewed.committed.leftover is None
    assert site.accepts(token_c)
    assert site.accepts(renewed.token)
    site.use(renewed.token)
    assert not site.accepts(token_c)


def test_a_renewal_switches_to_the_version_of_its_endpoint(site: Site, token_c: str) -> None:
    site.call(token_c, version="2.3.0")
    assert site.standing.partner.version == "2.3.0"
    assert site.standing.partner.charging_profiles_url == f"{BASE}/2.3.0/chargingprofiles"


def test_a_lost_answer_of_a_renewal_locks_nobody_out(site: Site, token_c: str) -> None:
    for _ in range(3):
        lost = site.call(token_c).token
        assert len(site.standing.tokens) == 2
        assert site.accepts(lost)
    site.use(token_c)
    renewed = site.call(token_c).token
    assert len(site.standing.tokens) == 2
    site.use(renewed)
    assert [one.token_hash for one in site.standing.tokens] == [token_hash(renewed)]
    assert len(site.secrets_held) == 1


def test_a_renewal_that_fails_changes_nothing(site: Site, token_c: str) -> None:
    before = site.state
    site.partner.answers["/versions"] = NoReply("connect", sent=False)
    with pytest.raises(RegistrationFailed):
        site.call(token_c, body=credentials_body(token="token-b2"))
    assert site.state == before


# --- DELETE ----------------------------------------------------------------------------------------------------------


def test_a_partner_that_leaves_has_no_endpoint_no_token_and_no_secret_any_more(site: Site, token_c: str) -> None:
    ended = site.end(site.standing)
    partner = site.standing.partner
    assert ended.partner == partner
    assert partner.registration is Registration.LEFT
    assert not partner.connected
    assert (partner.versions_url, partner.sessions_url, partner.charging_profiles_url) == (None, None, None)
    assert partner.credential == ""
    assert site.standing.tokens == ()
    assert site.secrets_held == {}
    assert partner.callback_hosts == INVITED.callback_hosts


def test_a_partner_that_left_may_be_invited_again(site: Site, token_c: str) -> None:
    site.end(site.standing)
    site.call(site.invite(site.standing.partner))
    assert site.standing.partner.connected


# --- Several at once, and what breaks here ---------------------------------------------------------------------------


def test_of_two_handshakes_at_once_exactly_one_wins_and_nothing_of_the_other_stays(site: Site, token_a: str) -> None:
    won: list[str] = []

    def overtake(call: HttpCall) -> None:
        # The other one begins and ends while this one waits for the partner's details.
        if call.url == f"{BASE}/2.2.1":
            site.partner.before = lambda _: None
            won.append(site.call(token_a).token)

    site.partner.before = overtake
    version = site.standing.version
    with pytest.raises(Contended):
        site.call(token_a)
    assert site.standing.version == version + 1
    assert {one.token_hash for one in site.standing.tokens} == {token_hash(token_a), token_hash(won[0])}
    assert list(site.secrets_held) == [site.standing.partner.secret_name]


def test_a_registration_token_that_ends_meanwhile_gets_nothing(site: Site, token_a: str) -> None:
    first = site.call(token_a).token
    site.partner.before = lambda call: site.use(first) if call.url == VERSIONS_URL else None
    # The answer was not lost after all: the partner used the first token while it repeated its POST.
    with pytest.raises(Contended):
        site.call(token_a)
    assert [one.token_hash for one in site.standing.tokens] == [token_hash(first)]
    assert list(site.secrets_held) == [site.standing.partner.secret_name]


def test_a_partner_that_leaves_while_it_renews_has_left(site: Site, token_c: str) -> None:
    def leave(call: HttpCall) -> None:
        if call.url == VERSIONS_URL:
            site.end(site.standing)

    site.partner.before = leave
    with pytest.raises(Contended):
        site.call(token_c)
    assert site.standing.partner.registration is Registration.LEFT
    assert site.standing.tokens == ()
    assert site.secrets_held == {}


def test_an_entry_that_an_operator_changed_meanwhile_is_not_overwritten(site: Site, token_a: str) -> None:
    edited = replace(INVITED, name="Renamed", registration=Registration.INVITED)

    def edit(call: HttpCall) -> None:
        if call.url == VERSIONS_URL:
            site.registry.replace_partner(edited)

    site.partner.before = edit
    with pytest.raises(Contended):
        site.call(token_a)
    assert site.standing.partner.name == "Renamed"
    assert site.secrets_held == {}


def test_a_registry_that_fails_leaves_no_secret(site: Site, token_a: str, monkeypatch: pytest.MonkeyPatch) -> None:
    before = site.state

    def broken(*_: object, **__: object) -> None:
        raise ClientError({"Error": {"Code": "ProvisionedThroughputExceededException"}}, "TransactWriteItems")

    with monkeypatch.context() as patch:
        patch.setattr(site.tables.client, "transact_write_items", broken)
        with pytest.raises(ClientError):
            site.call(token_a)
    assert site.state == before
    site.call(token_a)


def test_a_commit_whose_answer_was_lost_counts(site: Site, token_a: str, monkeypatch: pytest.MonkeyPatch) -> None:
    real = site.tables.client.transact_write_items

    def deaf(**request: Any) -> None:  # noqa: ANN401 - whatever boto3 takes
        real(**request)
        raise ConnectionError("the answer was lost")

    with monkeypatch.context() as patch:
        patch.setattr(site.tables.client, "transact_write_items", deaf)
        token = site.call(token_a).token
    assert site.accepts(token)
    assert list(site.secrets_held) == [site.standing.partner.secret_name]


def test_vaults_that_fail_leave_the_registry_as_it_was(
    site: Site, token_c: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = site.state

    def denied(**_: object) -> None:
        raise ClientError({"Error": {"Code": "AccessDeniedException"}}, "CreateSecret")

    with monkeypatch.context() as patch:
        patch.setattr(site.vault, "create_secret", denied)
        with pytest.raises(ClientError):
            site.call(token_c)
    assert site.state == before


def test_a_former_secret_that_cannot_be_removed_is_told_and_does_no_harm(
    site: Site, token_c: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    former = site.standing.partner.secret_name

    def denied(**_: object) -> None:
        raise ClientError({"Error": {"Code": "AccessDeniedException"}}, "DeleteSecret")

    with monkeypatch.context() as patch:
        patch.setattr(site.vault, "delete_secret", denied)
        accepted = site.call(token_c)
    assert accepted.committed.leftover == former
    assert site.accepts(accepted.token)
