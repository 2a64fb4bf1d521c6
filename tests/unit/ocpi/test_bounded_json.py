"""Reading the JSON of another party: exact, and within bounds that are each reached and not passed."""

import json
from decimal import Decimal
from pathlib import Path

import pytest

from ocpi_bridge.ocpi.bounded_json import (
    MAX_DEPTH,
    MAX_EXPONENT,
    MAX_FIELDS,
    MAX_ITEMS,
    MAX_NUMBER_LENGTH,
    MAX_VALUES,
    JsonBeyondBounds,
    UnreadableJson,
    read_json,
)


def nested(levels: int, opening: str = "[", closing: str = "]") -> str:
    return opening * levels + "1" + closing * levels


def lists(values: int) -> str:
    """A document of so many values in all, in lists that are each within bounds."""
    full, rest = divmod(values - 1, MAX_ITEMS)
    sizes = [MAX_ITEMS - 1] * full + [rest - 1] * (rest > 0)
    return json.dumps([[0] * size for size in sizes])


def fields(count: int) -> str:
    return json.dumps({str(number): number for number in range(count)})


AT_THE_BOUND = {
    "depth": nested(MAX_DEPTH),
    "depth of objects": nested(MAX_DEPTH, '{"a":', "}"),
    "digits": "9" * MAX_NUMBER_LENGTH,
    "digits of a fraction": "0." + "1" * (MAX_NUMBER_LENGTH - 2),
    "a large exponent": f"1e{MAX_EXPONENT}",
    "a small exponent": f"1e-{MAX_EXPONENT}",
    "fields": fields(MAX_FIELDS),
    "items": json.dumps([0] * MAX_ITEMS),
    "values": lists(MAX_VALUES),
}
BEYOND_IT = {
    "depth": nested(MAX_DEPTH + 1),
    "depth of objects": nested(MAX_DEPTH + 1, '{"a":', "}"),
    "digits": "9" * (MAX_NUMBER_LENGTH + 1),
    "more digits than an int is made of": "9" * 10_000,
    "digits of a fraction": "0." + "1" * (MAX_NUMBER_LENGTH - 1),
    "a large exponent": f"1e{MAX_EXPONENT + 1}",
    "a small exponent": f"1e-{MAX_EXPONENT + 1}",
    "an exponent that a float has not": "1e400",
    "an exponent that nothing has": "1e9999999999999999999999",
    "fields": fields(MAX_FIELDS + 1),
    "items": json.dumps([0] * (MAX_ITEMS + 1)),
    "values": lists(MAX_VALUES + 1),
    "a field twice": '{"a": 1, "b": {"c": 1, "c": 1}}',
}


def test_fractions_are_exact() -> None:
    assert read_json(b'{"limit":10.1,"start":0}') == {"limit": Decimal("10.1"), "start": 0}


@pytest.mark.parametrize("body", [b"\xef\xbb\xbf{}", "{}".encode("utf-16")])
def test_a_byte_order_mark_is_no_obstacle(body: bytes) -> None:
    assert read_json(body) == {}


@pytest.mark.parametrize("text", AT_THE_BOUND.values(), ids=AT_THE_BOUND)
def test_what_is_within_bounds_is_read_as_it_is(text: str) -> None:
    assert read_json(text) == json.loads(text, parse_float=Decimal)


@pytest.mark.parametrize("text", BEYOND_IT.values(), ids=BEYOND_IT)
def test_what_is_beyond_a_bound_is_refused_for_that(text: str) -> None:
    with pytest.raises(JsonBeyondBounds) as raised:
        read_json(text.encode())
    assert raised.value.__context__ is None


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"NaN", b"Infinity", b"-Infinity", b"[" * 60_000, nested(60_000).encode(), b"\xff\xfe\xfd"],
    ids=lambda body: repr(body[:10]),
)
def test_anything_else_is_unreadable_and_not_shown(body: bytes) -> None:
    with pytest.raises(UnreadableJson) as raised:
        read_json(body)
    assert str(raised.value) == "is not valid JSON"
    assert raised.value.__context__ is None


def test_only_what_the_bridge_itself_wrote_is_read_without_bounds() -> None:
    root = Path(__file__).parents[3]
    modules = [*(root / "layers/bridge/python/ocpi_bridge").rglob("*.py"), *(root / "functions").rglob("*.py")]
    assert {path.name for path in modules if "json.load" in path.read_text()} == {
        "bounded_json.py",
        # Items and secrets of ours, messages that our relay sends, and why a worker of ours gave one up.
        "dead_letters.py",
        "documents.py",
        "frames.py",
        "pushed_items.py",
        "session_items.py",
        "secrets_manager.py",
        "partner_secrets.py",
        # The SDK's descriptions of its services.
        "clients.py",
        "queue_door.py",
    }
