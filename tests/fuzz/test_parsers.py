"""Whatever another party or an operator's file says is read, or refused with an error of the domain: nothing else.

The doors are fuzzed in `test_doors`; here is what they do not reach: the answers of other parties' servers and files.
"""

import base64
import json
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocpi_bridge.adapters.bounded_http.exchange import NoReply, Reply
from ocpi_bridge.adapters.partner_http.oauth2 import AccessTokens, TokenRefused
from ocpi_bridge.adapters.partner_http.platform import HttpPartnerPlatform
from ocpi_bridge.adapters.partner_http.receipts import MAX_RETRY_AFTER, receipt_of
from ocpi_bridge.domain.errors import BridgeError, InvalidInput
from ocpi_bridge.domain.partners import OAuth2Client
from ocpi_bridge.domain.requests import RequestKind
from ocpi_bridge.domain.stations import OcppVersion
from ocpi_bridge.domain.tokens import candidates, is_token, token_hash
from ocpi_bridge.domain.url_guard.urls import MAX_URL_LENGTH
from ocpi_bridge.ocpi.bounded_json import UnreadableJson, read_json
from ocpi_bridge.ocpi.credentials import Credentials
from ocpi_bridge.ocpi.session_pages import Cursor
from ocpi_bridge.ocpi.transport import dumps
from ocpi_bridge.ocpi.versions import VERSIONS, newest_shared, read_version_details, read_versions
from ocpi_bridge.ocpp import v16, v201
from ocpi_bridge.ports.credentials import PlatformCall, PlatformKey
from ocpi_bridge.ports.json_values import JsonValue
from tests.fuzz.messages import CREDENTIALS, SCHEDULE
from tests.support.clocks import START, ManualClock
from tests.support.examples import also_proved, examples
from tests.support.fake_http import ScriptedExchange
from tests.support.near_misses import TEXTS, near_misses, near_texts
from tests.support.operator import EXAMPLES
from tests.support.partner_platform import NEEDED, details, version_list
from tools.bridge import files
from tools.bridge.ocpi_locations import by_file, by_pattern, read_locations

pytestmark = also_proved()

T = TypeVar("T")
E = TypeVar("E", bound=Exception)

ENVELOPE: dict[str, Any] = {"data": None, "status_code": 1000, "timestamp": "2026-01-15T17:00:00Z"}
STATUSES = (
    st.sampled_from([200, 201, 204]) | st.sampled_from([301, 400, 401, 404, 408, 429, 500, 503]) | st.integers(100, 599)
)
# What Retry-After may hold (RFC 9110, 10.2.3), near and far.
WAITS = st.sampled_from(["1", "999999999999", "-1", "Wed, 21 Oct 2099 07:28:00 GMT", "Thu, 01 Jan 1970 00:00:00 GMT"])
HEADERS = st.dictionaries(st.sampled_from(["retry-after", "content-type", "location"]), WAITS | TEXTS | st.text())


def outcome(refusing: type[E], read: Callable[[], T]) -> tuple[T, None] | tuple[None, E]:
    """What a reader makes of something, or how it refuses it: by this kind of error, and by no other."""
    try:
        return read(), None
    except refusing as refusal:
        return None, refusal


def _json(value: object) -> JsonValue:
    """As it comes off the wire, or nothing where it is no JSON."""
    return outcome(UnreadableJson, lambda: read_json(json.dumps(value).encode()))[0]


@st.composite
def replies(draw: st.DrawFn, message: object) -> Reply | NoReply:
    """How a call can end: with an answer that is nearly right, any bytes, or none."""
    if draw(st.integers(0, 9)) == 0:
        return NoReply(draw(st.sampled_from(["timeout", "tls", "refused_address", "else"])), draw(st.booleans()))
    body = draw(near_texts(message).map(str.encode) | st.binary(max_size=40))
    return Reply(draw(STATUSES), draw(HEADERS), body, draw(st.sampled_from([False, False, False, True])))


# --- Tokens ----------------------------------------------------------------------------------------------------------


@given(st.none() | st.text() | st.binary().map(lambda raw: raw.decode("latin-1")) | TEXTS.map("Token {}".format))
def test_any_authorization_is_at_most_two_tokens_that_can_be_looked_up(header: str | None) -> None:
    found = candidates(header)
    assert len(found) <= 2
    assert all(is_token(token) and len(token_hash(token)) == 64 for token in found)


@given(st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=64), st.sampled_from(" \t"))
def test_a_token_is_found_in_either_encoding_whatever_surrounds_it(token: str, space: str) -> None:
    coded = base64.b64encode(token.encode()).decode()
    assert candidates(f"{space}toKEN {space}{coded}{space}")[0] == token
    assert token in candidates(f"Token {token}")


# --- Answers of partners ---------------------------------------------------------------------------------------------


@given(replies(ENVELOPE))
def test_any_answer_to_a_result_is_a_receipt(answer: Reply | NoReply) -> None:
    receipt = receipt_of(answer, START)
    assert receipt.delivered == (receipt.error is None)
    assert receipt.retry_after is None or 0 <= receipt.retry_after <= MAX_RETRY_AFTER
    assert not receipt.delivered or isinstance(answer, Reply)
    # It goes into an item, a log line and a queue as it is.
    assert str(receipt).isprintable()


@examples(200)
@given(near_misses(version_list("2.2.1", "2.3.0")), near_misses(details("2.2.1", *NEEDED)))
def test_version_lists_and_details_of_partners_are_read_or_refused(offered: object, described: object) -> None:
    listed, _ = outcome(InvalidInput, lambda: read_versions(_json(offered)))
    chosen = newest_shared(listed or (), VERSIONS)
    assert chosen is None or chosen.version in VERSIONS
    endpoints, _ = outcome(InvalidInput, lambda: read_version_details(_json(described), "2.2.1"))
    assert all(0 < len(one.url) <= MAX_URL_LENGTH for one in endpoints or ())


@given(near_misses(CREDENTIALS))
def test_credentials_of_partners_are_read_or_refused_without_a_word_of_their_token(given: object) -> None:
    read, refusal = outcome(InvalidInput, lambda: Credentials.read(_json(given)))
    assert CREDENTIALS["token"] not in f"{refusal} {refusal and refusal.__context__}"
    if read is not None:
        assert is_token(read.token)
        assert 0 < len(read.url) <= MAX_URL_LENGTH


@given(replies(ENVELOPE | {"data": CREDENTIALS}), st.sampled_from(["GET", "POST", "DELETE"]))
def test_any_answer_of_a_platform_is_its_data_or_an_error_of_the_domain(answer: Reply | NoReply, method: str) -> None:
    platform = HttpPartnerPlatform(ScriptedExchange(answer))
    call = PlatformCall(method, "https://ocpi.partner.example/", "credentials", PlatformKey("secret-token"), None)
    _, refusal = outcome(BridgeError, lambda: platform.call(call, 1))
    assert "secret-token" not in str(refusal)


@given(replies({"access_token": "abc", "token_type": "Bearer", "expires_in": 3600}))
def test_any_answer_of_a_token_endpoint_is_a_token_or_a_refusal(answer: Reply | NoReply) -> None:
    clock = ManualClock()
    tokens = AccessTokens(ScriptedExchange(answer), clock, allow_loopback=False)
    client = OAuth2Client("https://login.partner.example/token", "client")
    end = clock.now() + timedelta(seconds=5)
    token, refusal = outcome(TokenRefused, lambda: tokens.get("jedlix", client, "client-secret", end))
    assert "client-secret" not in str(refusal)
    assert token is None or (token.isascii() and token.isprintable())


@examples(500)
@given(near_texts({"limit": 11000.5, "nested": [{"a": 1e3}]}).map(str.encode) | st.binary(max_size=60))
def test_json_of_others_is_finite_and_can_be_written_again(body: bytes) -> None:
    value, refusal = outcome(UnreadableJson, lambda: read_json(body))
    assert refusal is None or refusal.__context__ is None
    written = dumps(value)
    assert len(written) < 50 * len(body) + 50
    # Half a surrogate pair is JSON; each field refuses it by its name.
    json.loads(written, parse_constant=pytest.fail)


# --- What a charge point and a cursor say ----------------------------------------------------------------------------


@given(st.sampled_from([v16, v201]), st.sampled_from(RequestKind), near_misses(SCHEDULE | {"schedule": SCHEDULE}))
def test_any_payload_of_a_charge_point_is_an_answer(codec: ModuleType, kind: RequestKind, payload: object) -> None:
    done = codec.answer(kind, _json(payload), START)
    assert done.status
    if done.schedule is not None:
        assert done.schedule.periods[0].start == 0
        assert all(period.limit >= 0 for period in done.schedule.periods)


PLACE = {"s": 0, "t": "2026-01-15T17:00:00Z", "i": "s-1", "n": 3}


@examples(200)
@given(near_texts(PLACE).map(lambda text: base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")) | TEXTS)
def test_a_cursor_is_one_that_we_could_have_written_or_refused(text: str) -> None:
    cursor, refusal = outcome(InvalidInput, lambda: Cursor.decode(text))
    assert (cursor.encode() == text) if cursor else (refusal is not None and refusal.field == "cursor")


# --- Files of operators ----------------------------------------------------------------------------------------------

READERS: dict[str, Callable[[Path], object]] = {
    "partner.json": lambda path: files.read_partner(path, local=False),
    "partner-oauth2.json": lambda path: files.read_partner(path, local=False),
    "csms.json": lambda path: files.read_csms(path, local=False),
    "csms-bus.json": lambda path: files.read_csms(path, local=False),
    "stations.json": files.read_stations,
    "assignments.json": files.read_assignments,
    "locations.json": lambda path: read_locations(
        path, "acme", OcppVersion.V16, by_pattern(re.compile(r"(?P<station>.*?)(?P<connector>\d)?")), {}
    ),
    "ocpp-names.json": by_file,
}


@pytest.mark.parametrize("name", READERS)
@examples(60)
@given(data=st.data())
def test_a_file_of_an_operator_is_read_or_refused_with_what_is_wrong(
    tmp_path_factory: pytest.TempPathFactory, name: str, data: st.DataObject
) -> None:
    good = json.loads((EXAMPLES / name).read_text())
    path = tmp_path_factory.getbasetemp() / name
    path.write_bytes(data.draw(near_texts(good).map(str.encode) | st.binary(max_size=20)))
    _, refusal = outcome(files.FileRefused, lambda: READERS[name](path))
    assert refusal is None or str(path) in str(refusal)
