"""What a handshake makes of a partner's tokens: never more than two, and none that a lost answer could need ends."""

from dataclasses import replace
from datetime import timedelta

import pytest

from ocpi_bridge.domain.connections import (
    REPEAT_WINDOW,
    Role,
    distinct_parties,
    handover,
    is_dead,
    main_party,
    succession,
)
from ocpi_bridge.domain.partners import Party
from ocpi_bridge.domain.tokens import AcceptedToken, TokenUse
from tests.support.clocks import START

JED, EMS = Party("NL", "JED"), Party("NL", "EMS")


def token(name: str, **changes: object) -> AcceptedToken:
    return replace(AcceptedToken(name, "jedlix", JED, START), **changes)  # type: ignore[arg-type]


A = token("a", use=TokenUse.REGISTRATION)


def test_the_presented_token_stays_until_its_successor_is_used() -> None:
    assert succession(token("old"), token("new"), START) == (token("old"), token("new", supersedes=("old",)))


def test_a_token_that_is_in_use_supersedes_nothing_any_more() -> None:
    kept, _ = succession(token("old", supersedes=("older",)), token("new"), START)
    assert kept == token("old")


def test_a_registration_token_is_spent_once() -> None:
    later = START + timedelta(minutes=1)
    kept, made = succession(A, token("c"), START)
    assert kept == replace(A, spent_at=START)
    assert made.supersedes == ("a",)
    assert succession(kept, token("c2"), later)[0] == kept


@pytest.mark.parametrize(
    ("method", "after", "dead"),
    [
        ("POST", timedelta(), False),
        ("POST", REPEAT_WINDOW, False),
        ("POST", REPEAT_WINDOW + timedelta(milliseconds=1), True),
        ("GET", timedelta(), True),
        ("PUT", timedelta(), True),
        ("DELETE", timedelta(), True),
    ],
)
def test_a_spent_token_repeats_its_post_for_ten_minutes(method: str, after: timedelta, dead: bool) -> None:
    assert is_dead(replace(A, spent_at=START), method, START + after) is dead
    assert not is_dead(A, method, START + after)
    assert not is_dead(token("c"), method, START + after)


def test_what_the_partner_uses_stays_until_it_uses_what_we_made_for_it() -> None:
    made = token("made", use=TokenUse.REGISTRATION)
    held = (token("old"), A, made)
    assert handover(held, made) == (token("old"), token("made", supersedes=("old",)))


def test_the_token_of_a_first_registration_supersedes_nothing() -> None:
    made = token("made", use=TokenUse.REGISTRATION)
    assert handover((made, A), made) == (token("made"),)
    assert handover((), made) == (token("made"),)


def test_parties_are_told_apart_without_case() -> None:
    roles = [Role("SCSP", JED), Role("EMSP", Party("nl", "jed")), Role("EMSP", EMS)]
    assert distinct_parties(roles) == (JED, EMS)


def test_who_is_spoken_to_is_the_operators_word_then_the_first_scsp() -> None:
    roles = [Role("EMSP", EMS), Role("SCSP", JED), Role("SCSP", Party("NL", "THR"))]
    assert main_party(roles, Party("nl", "thr")) == Party("nl", "thr")
    assert main_party(roles, Party("BE", "JED")) == JED
    assert main_party(roles[:1], Party("BE", "JED")) == EMS
