"""JSON that is nearly right: a valid message with some of its parts replaced, left out, repeated or wrapped.

What is nearly right reaches further into a reader than what is random, and further than a schema would let it.
"""

import copy
import json
import math
from collections.abc import Callable, Iterator
from typing import Any

from hypothesis import strategies as st

# Numbers that JSON can write and Python cannot, or computes with for ever. They are put into the text as they are.
_NUMBERS = ("1e999999999", "-1e-999999999", "1E+400", "-0.0", "0" * 3, "9" * 5000, "1" + "0" * 60, "0." + "3" * 60)
_MARK = "\N{SYMBOL FOR START OF TEXT}"
# So many values a repetition may have: without a bound, one of another of a third is a gigabyte.
_MOST_REPEATED = 5000

TEXTS = st.one_of(
    st.text(max_size=8),
    st.sampled_from(
        [
            *("", " ", "\x00", "\ud800", "\ufffe", "\u202e", "é", "null", "true", "0", "-1", "NaN", "x" * 300),
            *("2026-01-15T17:00:00Z", "2026-01-15T17:00:00", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59.9Z"),
            *("2026-02-30T00:00:00Z", "https://www.jedlix.com/r?a=1", "http://169.254.169.254/", "https://[::1]/"),
            *("https://user@www.jedlix.com/", "//", "..", "%2e%2e%2f", "W", "A", "Accepted", "778", "CP-001"),
        ]
    ),
)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 3),
    st.sampled_from([2**31, 2**53 + 1, 2**63, 10**20, -(10**30)]),
    st.floats(),
    # Python writes them as NaN and Infinity, which are no JSON.
    st.sampled_from([math.nan, math.inf, -math.inf]),
    TEXTS,
    st.sampled_from(_NUMBERS).map(lambda text: _MARK + text),
)
ANY_JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)

Place = tuple[str | int, ...]


@st.composite
def near_misses(draw: st.DrawFn, message: Any, most: int = 3) -> Any:  # noqa: ANN401 - any JSON
    """The message with up to `most` changes; without any, it is the message itself."""
    changed = copy.deepcopy(message)
    for _ in range(draw(st.integers(0, most))):
        changed = _changed(draw, changed, draw(st.sampled_from(list(_places(changed)))))
    return changed


@st.composite
def near_texts(draw: st.DrawFn, message: Any, most: int = 3) -> str:  # noqa: ANN401 - any JSON
    """A near miss as text; now and then the text itself is hurt."""
    text = json.dumps(draw(near_misses(message, most)), ensure_ascii=draw(st.booleans()))
    for number in _NUMBERS:
        text = text.replace(f'"{_MARK}{number}"', number).replace(f'"\\u2402{number}"', number)
    # Text that leaves as UTF-8 has no lone surrogates; their escapes stay.
    text = text.encode("utf-8", "replace").decode()
    hurt: Callable[[str], str] = draw(st.sampled_from(_INJURIES))
    return hurt(text)


_INJURIES: tuple[Callable[[str], str], ...] = (
    *((lambda text: text,) * 6),
    lambda text: text[:-1],
    lambda text: text + " x",
    lambda text: "\ufeff" + text,
    lambda text: text.replace("{", '{"id": 1, "id": 2, ', 1),
    lambda text: "[" * 30_000 + text,
    lambda text: '{"a":' * 900 + text + "}" * 900,
    lambda text: "",
)


def _places(value: Any, at: Place = ()) -> Iterator[Place]:  # noqa: ANN401 - any JSON
    yield at
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield from _places(inner, (*at, key))


def _changed(draw: st.DrawFn, value: Any, place: Place) -> Any:  # noqa: ANN401 - any JSON
    if not place:
        return draw(st.one_of(st.just([value]), st.just({"data": value}), ANY_JSON))
    holder = value
    for key in place[:-1]:
        holder = holder[key]
    key, old = place[-1], holder[place[-1]]
    match draw(st.sampled_from(["scalar", "scalar", "any", "gone", "wrapped", "repeated", "more", "text", "deep"])):
        case "scalar":
            holder[key] = draw(SCALARS)
        case "any":
            holder[key] = draw(ANY_JSON)
        case "gone":
            del holder[key]
        case "wrapped":
            holder[key] = [old]
        case "repeated":
            most = max(1, _MOST_REPEATED // sum(1 for _ in _places(old)))
            holder[key] = [old] * min(draw(st.sampled_from([2, 3, 101, 1025])), most)
        case "more" if isinstance(holder, dict):
            holder[draw(st.text(max_size=6))] = old
        case "text":
            holder[key] = old if isinstance(old, str) else str(old)
        case _:
            for _ in range(60):
                old = {"value": old}
            holder[key] = old
    return value
