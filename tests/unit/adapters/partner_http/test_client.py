"""One call to a partner: whom it goes to, what it carries, and what happens when the token is refused."""

import base64
import json
from dataclasses import replace
from decimal import Decimal

import pytest

from ocpi_bridge.adapters.bounded_http.exchange import Reply
from ocpi_bridge.adapters.partner_http.client import PartnerHttpClient
from ocpi_bridge.domain.partners import OutboundAuth, Partner, Party, Registration, TokenEncoding
from ocpi_bridge.ports.json_values import JsonObject
from ocpi_bridge.ports.partners import PartnerMessage, Receipt
from ocpi_bridge.ports.secrets import PartnerSecret
from tests.support.clocks import ManualClock
from tests.support.fake_http import ScriptedExchange, reply
from tests.support.fake_secrets import InMemorySecretStore

TOKEN = "example-token"
PARTNER = Partner(
    "jedlix",
    "Jedlix",
    Party("NL", "JED"),
    (".jedlix.com",),
    sessions_url="https://ocpi.partner.example/sessions",
)
MESSAGE = PartnerMessage(
    method="POST",
    url="https://qa.jedlix.com/r?request_id=5678",
    body={"result": "ACCEPTED"},
    correlation_id="c-1",
    from_party=Party("BE", "BEC"),
    to_party=Party("NL", "JED"),
)
DELIVERED = reply(200, {"status_code": 1000})


@pytest.fixture
def secrets() -> InMemorySecretStore:
    store = InMemorySecretStore()
    store.partners["partners/jedlix"] = PartnerSecret(TOKEN)
    return store


def client(secrets: InMemorySecretStore, http: ScriptedExchange, clock: ManualClock | None = None) -> PartnerHttpClient:
    ids = iter(f"id-{number}" for number in range(1, 9))
    return PartnerHttpClient(secrets, clock or ManualClock(), http, new_id=lambda: next(ids))


def test_a_call_carries_token_ids_and_routing_headers(secrets: InMemorySecretStore) -> None:
    http = ScriptedExchange(DELIVERED)
    assert client(secrets, http).send(PARTNER, MESSAGE, 8).delivered
    call = http.calls[0]
    assert (call.method, call.url) == (MESSAGE.method, MESSAGE.url)
    assert call.headers == {
        "Authorization": f"Token {base64.b64encode(TOKEN.encode()).decode()}",
        "Content-Type": "application/json",
        "X-Request-ID": "id-1",
        "X-Correlation-ID": "c-1",
        "OCPI-from-country-code": "BE",
        "OCPI-from-party-id": "BEC",
        "OCPI-to-country-code": "NL",
        "OCPI-to-party-id": "JED",
    }
    assert json.loads(call.body) == {"result": "ACCEPTED"}
    assert http.budgets == [8]


def test_the_token_of_the_specification_is_encoded_without_a_newline(secrets: InMemorySecretStore) -> None:
    http = ScriptedExchange(DELIVERED)
    client(secrets, http).send(PARTNER, MESSAGE, 8)
    assert http.calls[0].headers["Authorization"] == "Token ZXhhbXBsZS10b2tlbg=="


def test_an_older_peer_gets_the_token_plain(secrets: InMemorySecretStore) -> None:
    http = ScriptedExchange(DELIVERED)
    client(secrets, http).send(replace(PARTNER, token_encoding=TokenEncoding.PLAIN), MESSAGE, 8)
    assert http.calls[0].headers["Authorization"] == "Token example-token"


def test_each_message_has_a_request_id_of_its_own(secrets: InMemorySecretStore) -> None:
    http = ScriptedExchange(DELIVERED, DELIVERED)
    sender = client(secrets, http)
    sender.send(PARTNER, MESSAGE, 8)
    sender.send(PARTNER, MESSAGE, 8)
    assert [call.headers["X-Request-ID"] for call in http.calls] == ["id-1", "id-2"]


@pytest.mark.parametrize("correlation_id", ["", "a b", "a\r\nX-Other: 1", "\u00e9", "x" * 500])
def test_a_correlation_id_that_no_header_can_carry_is_replaced(
    secrets: InMemorySecretStore, correlation_id: str
) -> None:
    http = ScriptedExchange(DELIVERED)
    client(secrets, http).send(PARTNER, replace(MESSAGE, correlation_id=correlation_id), 8)
    assert http.calls[0].headers["X-Correlation-ID"] == "id-1"


@pytest.mark.parametrize(
    ("limit", "written"),
    [
        ("8.1", "8.1"),
        ("0.1", "0.1"),
        ("22000", "22000"),
        ("22000.0", "22000"),
        ("1E+3", "1000"),
        ("1234.5678", "1234.5678"),
    ],
)
def test_decimals_are_written_as_the_numbers_they_are(secrets: InMemorySecretStore, limit: str, written: str) -> None:
    http = ScriptedExchange(DELIVERED)
    body: JsonObject = {"limit": Decimal(limit)}
    client(secrets, http).send(PARTNER, replace(MESSAGE, body=body), 8)
    assert http.calls[0].body == f'{{"limit":{written}}}'.encode()


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/r",
        "https://jedlix.com.evil.example/r",
        "http://qa.jedlix.com/r",
        "https://10.0.0.1/r",
        "https://qa.jedlix.com@evil.example/r",
        "http://127.0.0.1:4000/r",
        "nonsense",
    ],
)
def test_no_other_host_is_called_and_the_token_is_not_even_read(secrets: InMemorySecretStore, url: str) -> None:
    http = ScriptedExchange()
    receipt = client(secrets, http).send(PARTNER, replace(MESSAGE, url=url), 8)
    assert receipt == Receipt(delivered=False, error="refused_host", final=True)
    assert http.calls == []
    assert secrets.reads == []


def test_the_partners_own_endpoints_are_called(secrets: InMemorySecretStore) -> None:
    http = ScriptedExchange(DELIVERED)
    url = "https://ocpi.partner.example/sessions/BE/BEC/101"
    assert client(secrets, http).send(PARTNER, replace(MESSAGE, url=url), 8).delivered


def test_a_malformed_endpoint_in_the_registry_is_no_exception(secrets: InMemorySecretStore) -> None:
    partner = replace(PARTNER, sessions_url="nonsense")
    assert client(secrets, ScriptedExchange()).send(partner, MESSAGE, 8).error == "refused_host"


def test_a_partner_without_a_token_is_told_apart(secrets: InMemorySecretStore) -> None:
    secrets.partners.clear()
    receipt = client(secrets, ScriptedExchange()).send(PARTNER, MESSAGE, 8)
    assert receipt == Receipt(delivered=False, error="no_token")


@pytest.mark.parametrize("auth", [OutboundAuth.OCPI_TOKEN, OutboundAuth.BEARER])
def test_a_secret_without_a_token_is_read_again_before_the_call_is_given_up(
    secrets: InMemorySecretStore, auth: OutboundAuth
) -> None:
    partner = replace(PARTNER, auth=auth)
    secrets.partners["partners/jedlix"] = PartnerSecret(client_secret="of-another-time")
    secrets.partner_secret(partner)
    assert client(secrets, ScriptedExchange()).send(partner, MESSAGE, 8).error == "no_token"
    secrets.partners["partners/jedlix"] = PartnerSecret(TOKEN)
    assert client(secrets, ScriptedExchange(DELIVERED)).send(partner, MESSAGE, 8).delivered


def test_the_token_is_the_one_that_the_entry_names(secrets: InMemorySecretStore) -> None:
    secrets.partners["partners/jedlix/c7"] = PartnerSecret("of-the-handshake")
    partner = replace(
        PARTNER, credential="c7", registration=Registration.REGISTERED, token_encoding=TokenEncoding.PLAIN
    )
    http = ScriptedExchange(DELIVERED)
    client(secrets, http).send(partner, MESSAGE, 8)
    assert http.calls[0].headers["Authorization"] == "Token of-the-handshake"
    assert secrets.reads == ["partners/jedlix/c7"]


@pytest.mark.parametrize("registration", [Registration.INVITED, Registration.LEFT])
def test_a_partner_that_is_not_connected_is_never_called(
    secrets: InMemorySecretStore, registration: Registration
) -> None:
    http = ScriptedExchange()
    receipt = client(secrets, http).send(replace(PARTNER, registration=registration), MESSAGE, 8)
    assert receipt == Receipt(delivered=False, error="not_connected", final=True)
    assert (http.calls, secrets.reads) == ([], [])


@pytest.mark.parametrize("encoding", list(TokenEncoding))
def test_a_static_bearer_token_is_sent_as_it_is(secrets: InMemorySecretStore, encoding: TokenEncoding) -> None:
    http = ScriptedExchange(DELIVERED)
    partner = replace(PARTNER, auth=OutboundAuth.BEARER, token_encoding=encoding)
    assert client(secrets, http).send(partner, MESSAGE, 8).delivered
    assert http.calls[0].headers["Authorization"] == f"Bearer {TOKEN}"


def test_a_replaced_bearer_token_is_read_again_after_a_401(secrets: InMemorySecretStore) -> None:
    def replaced() -> None:
        secrets.partners["partners/jedlix"] = PartnerSecret("new-token")

    http = ScriptedExchange(reply(401), DELIVERED, on_call=replaced)
    assert client(secrets, http).send(replace(PARTNER, auth=OutboundAuth.BEARER), MESSAGE, 8).delivered
    assert [call.headers["Authorization"] for call in http.calls] == [f"Bearer {TOKEN}", "Bearer new-token"]


def test_a_replaced_token_is_read_again_after_a_401(secrets: InMemorySecretStore) -> None:
    clock = ManualClock()

    def replaced() -> None:
        secrets.partners["partners/jedlix"] = PartnerSecret("new-token")
        clock.advance(3)

    http = ScriptedExchange(reply(401), DELIVERED, on_call=replaced)
    assert client(secrets, http, clock).send(replace(PARTNER, token_encoding=TokenEncoding.PLAIN), MESSAGE, 8).delivered
    assert [call.headers["Authorization"] for call in http.calls] == ["Token example-token", "Token new-token"]
    assert [call.headers["X-Request-ID"] for call in http.calls] == ["id-1", "id-2"]
    assert http.budgets == [8, 5]


def test_an_unchanged_token_is_not_tried_twice(secrets: InMemorySecretStore) -> None:
    http = ScriptedExchange(reply(401))
    receipt = client(secrets, http).send(PARTNER, MESSAGE, 8)
    assert (receipt.error, receipt.final) == ("http_401", False)
    assert secrets.reads == ["partners/jedlix", "partners/jedlix"]


def test_a_second_401_is_the_end(secrets: InMemorySecretStore) -> None:
    tokens = iter(("second", "third"))
    http = ScriptedExchange(
        reply(401),
        reply(401),
        on_call=lambda: secrets.partners.update({"partners/jedlix": PartnerSecret(next(tokens))}),
    )
    assert client(secrets, http).send(PARTNER, MESSAGE, 8).error == "http_401"
    assert len(http.calls) == 2


def test_a_new_token_is_not_tried_when_the_time_is_over(secrets: InMemorySecretStore) -> None:
    clock = ManualClock()

    def slow() -> None:
        secrets.partners["partners/jedlix"] = PartnerSecret("new-token")
        clock.advance(9)

    http = ScriptedExchange(reply(401), on_call=slow)
    assert client(secrets, http, clock).send(PARTNER, MESSAGE, 8).error == "http_401"


def test_no_receipt_repeats_what_the_partner_wrote(secrets: InMemorySecretStore) -> None:
    http = ScriptedExchange(Reply(500, {"x-secret": "s3cret"}, b'{"status_message":"s3cret"}'))
    receipt = client(secrets, http).send(PARTNER, MESSAGE, 8)
    assert "s3cret" not in repr(receipt)
    assert TOKEN not in repr(receipt)
    assert "5678" not in repr(http.calls[0])
    assert "Token" not in repr(http.calls[0])
