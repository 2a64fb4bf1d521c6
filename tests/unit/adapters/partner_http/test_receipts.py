"""What a partner's answer means for a delivery."""

import json

import pytest

from ocpi_bridge.adapters.bounded_http.exchange import NoReply, Reply
from ocpi_bridge.adapters.partner_http.receipts import receipt_of
from ocpi_bridge.ports.json_values import JsonValue
from ocpi_bridge.ports.partners import Receipt
from tests.support.clocks import START
from tests.support.fake_http import reply


def envelope(code: JsonValue) -> JsonValue:
    return {"status_code": code, "status_message": "whatever", "timestamp": "2026-01-15T17:00:00Z"}


@pytest.mark.parametrize("status", [200, 201, 202])
@pytest.mark.parametrize("code", [1000, 1999, "1000"])
def test_a_2xx_with_a_1xxx_is_delivered(status: int, code: JsonValue) -> None:
    assert receipt_of(reply(status, envelope(code)), START) == Receipt(
        delivered=True, http_status=status, ocpi_status=int(str(code))
    )


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"OK",
        b"<html></html>",
        b"null",
        b"[]",
        b"[" * 60_000,
        b"{}",
        b'{"status_code":null}',
        b'{"status_code":true}',
        b'{"status_code":"fine"}',
        b'{"status_code":1e999999999}',
        b"\xff\xfe",
    ],
)
def test_a_2xx_without_a_readable_code_is_delivered(body: bytes) -> None:
    receipt = receipt_of(Reply(200, body=body), START)
    assert receipt.delivered
    assert receipt.ocpi_status is None


@pytest.mark.parametrize(
    ("code", "final"),
    [
        (2000, True),
        (2001, True),
        (2999, True),
        (3000, False),
        (3001, False),
        (4001, False),
        (4003, False),
        (999, False),
    ],
)
def test_another_code_in_a_2xx_is_no_delivery(code: int, final: bool) -> None:
    assert receipt_of(reply(200, envelope(code)), START) == Receipt(
        delivered=False, error=f"ocpi_{code}", final=final, http_status=200, ocpi_status=code
    )


@pytest.mark.parametrize(
    ("status", "final"),
    [
        (400, True),
        (401, False),
        (403, True),
        (404, True),
        (405, True),
        (408, False),
        (410, True),
        (425, False),
        (429, False),
        (500, False),
        (502, False),
        (503, False),
    ],
)
def test_an_http_error_is_final_or_passing(status: int, final: bool) -> None:
    receipt = receipt_of(reply(status, envelope(2001)), START)
    assert receipt == Receipt(
        delivered=False, error=f"http_{status}", final=final, http_status=status, ocpi_status=2001
    )


@pytest.mark.parametrize("status", [301, 302, 304, 307, 308])
def test_a_redirect_is_final(status: int) -> None:
    receipt = receipt_of(reply(status, headers={"location": "https://evil.example/"}), START)
    assert (receipt.delivered, receipt.error, receipt.final) == (False, "redirect", True)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7),
        (" 7 ", 7),
        ("0", 0),
        ("999999999999999999999999", 3600),
        ("Thu, 15 Jan 2026 17:00:30 GMT", 30),
        ("Thu, 15 Jan 2026 17:00:30 -0000", 30),
        ("Thu, 15 Jan 2026 16:00:00 GMT", 0),
        ("Thu, 15 Jan 2099 16:00:00 GMT", 3600),
        ("-5", None),
        ("soon", None),
        ("", None),
        ("\u0667", None),
        ("Thu, 99 Jan 2026 17:00:30 GMT", None),
    ],
)
def test_a_retry_after_is_read_and_bounded(header: str, seconds: int | None) -> None:
    assert receipt_of(reply(503, headers={"retry-after": header}), START).retry_after == seconds


def test_an_answer_beyond_the_cap_is_no_delivery_but_an_error_stays_what_it_is() -> None:
    body = json.dumps(envelope(1000)).encode()
    assert receipt_of(Reply(200, body=body, truncated=True), START) == Receipt(
        delivered=False, error="body_too_large", final=True, http_status=200
    )
    assert receipt_of(Reply(503, body=body, truncated=True), START).error == "http_503"


@pytest.mark.parametrize(
    ("error", "final"),
    [
        ("refused_address", True),
        ("invalid_request", True),
        ("dns", False),
        ("tls", False),
        ("connect", False),
        ("connect_timeout", False),
        ("timeout", False),
        ("connection_lost", False),
        ("protocol", False),
    ],
)
def test_no_answer_keeps_its_reason(error: str, final: bool) -> None:
    assert receipt_of(NoReply(error, sent=False), START) == Receipt(delivered=False, error=error, final=final)
