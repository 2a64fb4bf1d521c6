"""Reading the JSON of another party."""

from decimal import Decimal

import pytest

from ocpi_bridge.adapters.bounded_http.json_body import UnreadableJson, read_json


def test_fractions_are_exact() -> None:
    assert read_json(b'{"limit":10.1,"start":0}') == {"limit": Decimal("10.1"), "start": 0}


@pytest.mark.parametrize("body", [b"\xef\xbb\xbf{}", "{}".encode("utf-16")])
def test_a_byte_order_mark_is_no_obstacle(body: bytes) -> None:
    assert read_json(body) == {}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"NaN",
        b"Infinity",
        b"-Infinity",
        b"[" * 60_000,
        b"1e999999999",
        b"1e9999999999999999999999",
        b"1e-999999999",
        b"9" * 5_000,
        b"9" * 100,
        b"0." + b"1" * 100,
        b"\xff\xfe\xfd",
    ],
)
def test_anything_else_is_unreadable_and_not_shown(body: bytes) -> None:
    with pytest.raises(UnreadableJson) as raised:
        read_json(body)
    assert raised.value.__context__ is None
