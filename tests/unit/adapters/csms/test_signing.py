"""One-time callback URLs and the signatures of events."""

import base64
import hashlib
import hmac
from collections.abc import Callable
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocpi_bridge.adapters.csms.signing import (
    SIGNATURE_HEADER,
    callback_url,
    command_of,
    sign_event,
    verify,
    verify_event_signature,
)
from ocpi_bridge.domain.errors import InvalidInput
from tests.support.clocks import START

KEY = b"a key of the stack"
EVENT_KEY = "a key of the CSMS"
BODY = b'{"id":"1","type":"station.online"}'


def signature_of(command_id: str, key: bytes = KEY) -> str:
    return callback_url("https://csms-api.example/live", command_id, key).rpartition("/")[2]


def test_the_callback_url_names_the_command_and_carries_its_signature() -> None:
    url = callback_url("https://csms-api.example/live/", "abc123.0", KEY)
    base, _, signature = url.rpartition("/")
    assert base == "https://csms-api.example/live/csms/v1/callback/abc123.0"
    assert verify("abc123.0", signature, KEY)


def test_the_signature_can_stand_in_a_url_as_it_is() -> None:
    for number in range(50):
        signature = signature_of(f"r{number}.0")
        assert len(signature) == 43
        assert set(signature) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


def test_a_command_id_cannot_break_out_of_its_place_in_the_url() -> None:
    url = callback_url("https://csms-api.example", "a/../b?c#d", KEY)
    assert url.startswith("https://csms-api.example/csms/v1/callback/a%2F..%2Fb%3Fc%23d/")


def test_a_callback_url_may_say_whose_command_it_is_and_signs_that_too() -> None:
    *_, name, signature = callback_url("https://csms-api.example", "abc123.0", KEY, "acme~2").split("/")
    assert verify(name, signature, KEY)
    assert command_of(name) == ("abc123.0", "acme~2")
    assert not verify("abc123.0", signature, KEY)
    assert command_of("abc123.0") == ("abc123.0", None)


def test_the_answer_to_one_step_does_not_sign_the_next() -> None:
    assert not verify("abc123.1", signature_of("abc123.0"), KEY)


def test_another_key_does_not_sign() -> None:
    assert not verify("abc123.0", signature_of("abc123.0", b"another key"), KEY)


@pytest.mark.parametrize("spoil", [lambda s: s[:-1], lambda s: s + "=", str.swapcase, lambda s: "", lambda s: "é" + s])
def test_a_spoiled_signature_does_not_sign(spoil: Callable[[str], str]) -> None:
    assert not verify("abc123.0", spoil(signature_of("abc123.0")), KEY)


@given(st.text(max_size=60))
def test_no_text_signs_by_chance_or_raises(text: str) -> None:
    assert not verify("abc123.0", text, KEY)


def test_the_same_bytes_under_the_same_key_sign_nothing_else() -> None:
    plain = hmac.new(KEY, b"abc123.0", hashlib.sha256).digest()
    assert not verify("abc123.0", base64.urlsafe_b64encode(plain).decode().rstrip("="), KEY)


def test_an_event_signed_by_the_documented_formula_is_taken() -> None:
    timestamp = int(START.timestamp())
    mac = hmac.new(EVENT_KEY.encode(), f"{timestamp}.".encode() + BODY, hashlib.sha256).hexdigest()
    assert verify_event_signature(f"t={timestamp},v1={mac}", BODY, EVENT_KEY, START) == mac
    assert sign_event(BODY, EVENT_KEY, START) == f"t={timestamp},v1={mac}"


@pytest.mark.parametrize("seconds", [-300, -1, 0, 1, 300])
def test_a_time_within_the_tolerance_is_taken(seconds: int) -> None:
    header = sign_event(BODY, EVENT_KEY, START + timedelta(seconds=seconds))
    verify_event_signature(header, BODY, EVENT_KEY, START)


@pytest.mark.parametrize("seconds", [-301, 301, -86_400])
def test_an_old_message_is_a_replay(seconds: int) -> None:
    header = sign_event(BODY, EVENT_KEY, START + timedelta(seconds=seconds))
    with pytest.raises(InvalidInput, match="300 s"):
        verify_event_signature(header, BODY, EVENT_KEY, START)


def test_an_old_message_with_a_new_time_is_not_taken() -> None:
    mac = sign_event(BODY, EVENT_KEY, START - timedelta(hours=1)).partition(",")[2]
    with pytest.raises(InvalidInput, match="no signature"):
        verify_event_signature(f"t={int(START.timestamp())},{mac}", BODY, EVENT_KEY, START)


def test_while_a_key_is_replaced_one_of_two_signatures_is_enough() -> None:
    old = sign_event(BODY, "the old key", START)
    new = sign_event(BODY, EVENT_KEY, START).partition(",")[2]
    assert verify_event_signature(f"{old}, {new}", BODY, EVENT_KEY, START) == new.partition("=")[2]


def test_the_mac_names_the_message_however_its_header_is_written() -> None:
    header = sign_event(BODY, EVENT_KEY, START)
    timestamp, _, mac = header.partition(",")
    shouted = f"{mac.upper().replace('V1', 'v1')},{timestamp},v2=whatever"
    assert verify_event_signature(header, BODY, EVENT_KEY, START) == verify_event_signature(
        shouted, BODY, EVENT_KEY, START
    )


def test_another_body_or_key_is_not_taken() -> None:
    header = sign_event(BODY, EVENT_KEY, START)
    with pytest.raises(InvalidInput):
        verify_event_signature(header, BODY + b" ", EVENT_KEY, START)
    with pytest.raises(InvalidInput):
        verify_event_signature(header, BODY, "another key", START)


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "nonsense",
        "t=1",
        "v1=" + "0" * 64,
        "t=now,v1=" + "0" * 64,
        "t=-1,v1=" + "0" * 64,
        "t=9999999999999999999,v1=" + "0" * 64,
        "t=\u0661,v1=" + "0" * 64,
        "t=1,t=2,v1=" + "0" * 64,
        "t=1,v1=" + "0" * 63,
        "t=1,v1=" + "é" * 64,
        "t=1," + ",".join(["v1=" + "0" * 64] * 4),
        "t=1,v1=" + "0" * 64 + "," * 600,
    ],
)
def test_a_malformed_header_is_named(header: str | None) -> None:
    with pytest.raises(InvalidInput) as raised:
        verify_event_signature(header, BODY, EVENT_KEY, START)
    assert raised.value.field == SIGNATURE_HEADER


def test_an_error_shows_neither_key_nor_signature() -> None:
    header = sign_event(BODY, EVENT_KEY, START)
    with pytest.raises(InvalidInput) as raised:
        verify_event_signature(header, BODY + b" ", EVENT_KEY, START)
    assert header.rpartition("=")[2] not in str(raised.value)
    assert EVENT_KEY not in str(raised.value)
