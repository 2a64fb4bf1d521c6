"""Tokens while they are being replaced: which hold, and which are refused without or with blame."""

import pytest

from tools.partner_simulator import Credentials, NotConnectedError
from tools.partner_simulator.keyring import STALE_SECONDS, Keyring, Recognition

STATIC = Credentials(ours="partner-to-bridge", theirs="bridge-to-partner")


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def keys(clock: Clock) -> Keyring:
    return Keyring(STATIC, clock=clock)


def test_without_tokens_nobody_is_known() -> None:
    keys = Keyring()

    assert keys.recognise("") is Recognition.UNKNOWN
    with pytest.raises(NotConnectedError):
        _ = keys.ours
    with pytest.raises(NotConnectedError):
        _ = keys.theirs


def test_static_tokens_hold(keys: Keyring) -> None:
    assert (keys.ours, keys.theirs) == ("partner-to-bridge", "bridge-to-partner")
    assert keys.recognise("bridge-to-partner") is Recognition.CURRENT
    assert keys.recognise("BRIDGE-TO-PARTNER") is Recognition.UNKNOWN


def test_an_open_handshake_accepts_both_and_ends_neither(keys: Keyring) -> None:
    new = keys.expect()

    assert [keys.recognise(token) for token in (new, STATIC.theirs, new)] == [Recognition.CURRENT] * 3
    assert keys.theirs == STATIC.theirs


def test_the_first_sight_of_a_settled_token_ends_the_old_one(keys: Keyring, clock: Clock) -> None:
    new = keys.expect()
    keys.settle()

    assert keys.theirs == new
    assert keys.recognise(STATIC.theirs) is Recognition.CURRENT
    assert keys.recognise(new) is Recognition.CURRENT
    assert keys.recognise(STATIC.theirs) is Recognition.JUST_REPLACED
    clock.now += STALE_SECONDS + 1
    assert keys.recognise(STATIC.theirs) is Recognition.REPLACED
    assert keys.recognise(new) is Recognition.CURRENT


def test_a_lost_answer_leaves_the_attempt_open(keys: Keyring) -> None:
    first = keys.expect()

    assert keys.expect() == first
    keys.settle()
    assert keys.expect() != first


def test_an_attempt_with_another_token_keeps_those_before(keys: Keyring) -> None:
    first, second = keys.expect(), keys.expect("chosen-token")

    assert second == "chosen-token"
    assert [keys.recognise(token) for token in (second, first)] == [Recognition.CURRENT] * 2


def test_a_refused_handshake_takes_its_token_back(keys: Keyring) -> None:
    new = keys.expect()
    keys.abandon(new)

    assert keys.recognise(new) is Recognition.JUST_REPLACED
    assert keys.recognise(STATIC.theirs) is Recognition.CURRENT
    assert keys.expect() != new


def test_a_registration_token_lives_until_the_registration(keys: Keyring) -> None:
    registration = keys.invite()

    assert keys.recognise(STATIC.theirs) is Recognition.JUST_REPLACED
    assert keys.recognise(registration) is Recognition.REGISTRATION
    new = keys.expect()
    assert keys.recognise(registration) is Recognition.REGISTRATION
    keys.settle()
    assert keys.recognise(registration) is Recognition.JUST_REPLACED
    assert keys.recognise(new) is Recognition.CURRENT


def test_the_end_ends_everything(keys: Keyring) -> None:
    new = keys.expect()
    keys.clear()

    assert {keys.recognise(token) for token in (new, STATIC.theirs)} == {Recognition.JUST_REPLACED}
    with pytest.raises(NotConnectedError):
        _ = keys.ours


def test_new_tokens_fit_the_specification(keys: Keyring) -> None:
    token = keys.expect()

    assert len(token) <= 64
    assert token.isascii()
    assert token.isprintable()


def test_no_token_stands_in_the_representation(keys: Keyring) -> None:
    assert STATIC.theirs not in repr(keys)
    assert STATIC.ours not in repr(keys)
