"""Codes for pairing: what they are, when they open, and how attempts are counted."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocpi_bridge.domain.assignments import Right, Scope, Share
from ocpi_bridge.domain.pairing import (
    ATTEMPT_WINDOW,
    CODE_DIGITS,
    Grant,
    PairingCode,
    attempts_since,
    code_hash,
    ending_of,
    new_code,
    seconds_until_next_window,
)
from tests.support.clocks import START

EVSE = Grant("CP-1", Scope.EVSE, "CP-1")
END = START + timedelta(minutes=15)

instants = st.integers(0, 10**15).map(lambda microseconds: datetime.fromtimestamp(microseconds / 10**6, UTC))
codes = st.text("0123456789", min_size=CODE_DIGITS, max_size=CODE_DIGITS)


def code(partner_id: str | None = None) -> PairingCode:
    return PairingCode(code_hash("12345678"), "78", EVSE, START, END, partner_id)


def test_a_new_code_has_eight_digits_and_is_a_new_one() -> None:
    made = [new_code() for _ in range(50)]
    assert all(len(one) == CODE_DIGITS and one.isdigit() and one.isascii() for one in made)
    # Fifty of a hundred million: two alike would be one chance in 80,000.
    assert len(set(made)) == len(made)


@given(codes, st.data())
def test_a_code_is_the_same_however_it_is_spaced(typed: str, data: st.DataObject) -> None:
    spaced = "".join(digit + data.draw(st.sampled_from(["", " ", "-"])) for digit in typed)
    assert code_hash(spaced) == code_hash(typed)
    assert ending_of(spaced) == typed[-2:]


@given(codes, codes)
def test_two_codes_are_told_apart(one: str, other: str) -> None:
    assert (code_hash(one) == code_hash(other)) == (one == other)


@pytest.mark.parametrize(
    ("partner_id", "at", "opens"),
    [
        (None, START, True),
        ("jedlix", START, True),
        ("other", START, False),
        (None, END - timedelta(microseconds=1), True),
        (None, END, False),
    ],
)
def test_a_code_opens_for_its_partner_until_it_expires(partner_id: str | None, at: datetime, opens: bool) -> None:
    assert code(partner_id).opens("jedlix", at) is opens


def test_a_pairing_lets_the_partner_steer_and_says_where_the_consent_comes_from() -> None:
    grant = Grant("CP-1", Scope.TOKEN, "04AA", frozenset({Share.TOKEN}))
    assignment = grant.assignment("jedlix", "78", START)
    assert (assignment.partner_id, assignment.scope, assignment.key) == ("jedlix", Scope.TOKEN, "04AA")
    assert (assignment.right, assignment.valid_from, assignment.valid_until) == (Right.STEER, START, None)
    assert assignment.consent == "pairing of EVSE CP-1 on 2026-01-15, code ...78"
    assert assignment.shares == {Share.TOKEN}


@given(instants)
def test_every_instant_lies_in_one_window_whose_end_is_told_to_the_second(at: datetime) -> None:
    since, left = attempts_since(at), seconds_until_next_window(at)
    assert since <= at < since + ATTEMPT_WINDOW
    assert attempts_since(since) == since
    assert 1 <= left <= ATTEMPT_WINDOW.total_seconds()
    assert attempts_since(at + timedelta(seconds=left)) == since + ATTEMPT_WINDOW
