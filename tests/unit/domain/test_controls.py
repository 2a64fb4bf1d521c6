"""The control of a session: who is next, who asks too often, and what is a repetition."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from ocpi_bridge.domain.controls import Control, NewestRequest, admit, repeated
from ocpi_bridge.domain.partners import Partner, Rate
from ocpi_bridge.domain.plans import RateUnit
from ocpi_bridge.domain.requests import InstalledPlan, RequestKind
from tests.support.clocks import START
from tests.support.registry_entries import partner

SET, CLEAR, GET = RequestKind.SET, RequestKind.CLEAR, RequestKind.GET
JEDLIX = replace(partner(), rate=Rate(2, Decimal(10)), clear_rate=Rate(3, Decimal(2)))
FRESH = Control("s1")


def newest(fingerprint: str = "f1", *, at: float = 0, timeout: int = 60) -> NewestRequest:
    return NewestRequest(f"r-{fingerprint}", fingerprint, START + timedelta(seconds=at + timeout), timeout)


def admitted(control: Control, kind: RequestKind, at: float = 0, by: Partner = JEDLIX) -> Control:
    accepted = admit(control, by, kind, newest(at=at), START + timedelta(seconds=at))
    assert accepted is not None
    return accepted[0]


def too_often(control: Control, kind: RequestKind, at: float = 0, by: Partner = JEDLIX) -> bool:
    return admit(control, by, kind, newest(at=at), START + timedelta(seconds=at)) is None


def number_of(control: Control, kind: RequestKind) -> int | None:
    accepted = admit(control, JEDLIX, kind, newest(), START)
    assert accepted is not None
    return accepted[1]


# --- Numbers ---------------------------------------------------------------------------------------------------------


def test_set_and_clear_are_numbered_in_the_order_in_which_they_are_accepted() -> None:
    after_one = admitted(FRESH, SET)
    after_two = admitted(after_one, CLEAR)
    assert [number_of(FRESH, SET), number_of(after_one, CLEAR), number_of(after_two, SET)] == [1, 2, 3]


def test_a_get_has_no_number_and_takes_none_from_the_next() -> None:
    assert number_of(FRESH, GET) is None
    assert number_of(admitted(FRESH, GET), SET) == 1


def test_every_accepted_request_moves_the_control_on() -> None:
    versions = [FRESH.version, admitted(FRESH, GET).version, admitted(admitted(FRESH, GET), SET).version]
    assert versions == [0, 1, 2]


def test_accepting_leaves_alone_what_the_sender_writes() -> None:
    control = replace(FRESH, sent=4, accepted=4, installed=InstalledPlan("r0", 4), unit=RateUnit.AMPERE)
    after = admitted(control, CLEAR)
    assert (after.sent, after.installed, after.unit) == (4, control.installed, RateUnit.AMPERE)


# --- Buckets ---------------------------------------------------------------------------------------------------------


def test_a_partner_has_a_burst_and_then_asks_too_often() -> None:
    twice = admitted(admitted(FRESH, SET), SET)
    assert too_often(twice, SET)


def test_set_and_get_share_a_bucket() -> None:
    twice = admitted(admitted(FRESH, SET), GET)
    assert too_often(twice, SET)
    assert too_often(twice, GET)


def test_clear_has_a_bucket_of_its_own() -> None:
    twice = admitted(admitted(FRESH, SET), SET)
    thrice = admitted(admitted(admitted(twice, CLEAR), CLEAR), CLEAR)
    assert too_often(thrice, CLEAR)
    assert not too_often(admitted(admitted(admitted(FRESH, CLEAR), CLEAR), CLEAR), SET)


@pytest.mark.parametrize(("seconds", "refused"), [(9.99, True), (10, False)])
def test_a_bucket_fills_by_one_request_in_its_time(seconds: float, refused: bool) -> None:
    twice = admitted(admitted(FRESH, SET), SET)
    assert too_often(twice, SET, at=seconds) is refused


def test_a_bucket_holds_no_more_than_its_burst_however_long_nobody_asks() -> None:
    control = admitted(admitted(FRESH, SET), SET)
    control = admitted(admitted(control, SET, at=86_400), SET, at=86_400)
    assert too_often(control, SET, at=86_400)


def test_asking_all_the_time_at_the_rate_is_never_too_often() -> None:
    control = admitted(admitted(FRESH, SET), SET)
    for step in range(1, 50):
        control = admitted(control, SET, at=step * 10)


def test_a_clock_that_goes_back_gives_no_tokens_and_takes_none() -> None:
    once = admitted(FRESH, SET, at=100)
    twice = admitted(once, SET, at=0)
    assert too_often(twice, SET, at=100)
    assert not too_often(twice, SET, at=110)


def test_partners_have_buckets_of_their_own() -> None:
    other = replace(JEDLIX, partner_id="other")
    twice = admitted(admitted(FRESH, SET), SET)
    assert not too_often(twice, SET, by=other)
    assert admitted(twice, SET, by=other).accepted == 3


def test_asking_too_often_changes_nothing() -> None:
    twice = admitted(admitted(FRESH, SET), SET)
    assert admit(twice, JEDLIX, SET, newest(), START) is None
    assert number_of(twice, CLEAR) == 3


# --- Repetitions -----------------------------------------------------------------------------------------------------


def accepted_as(fingerprint: str, control: Control = FRESH, kind: RequestKind = SET) -> Control:
    after = admit(control, JEDLIX, kind, newest(fingerprint), START)
    assert after is not None
    return after[0]


def test_the_newest_request_is_known_again_within_its_timeout() -> None:
    control = accepted_as("f1")
    known = repeated(control, "jedlix", "f1", START + timedelta(seconds=59.9))
    assert known is not None
    assert (known.request_id, known.timeout) == ("r-f1", 60)


def test_after_its_timeout_it_is_a_new_request() -> None:
    assert repeated(accepted_as("f1"), "jedlix", "f1", START + timedelta(seconds=60)) is None


def test_only_the_newest_request_counts() -> None:
    control = accepted_as("f2", accepted_as("f1"), CLEAR)
    assert repeated(control, "jedlix", "f1", START) is None
    assert repeated(control, "jedlix", "f2", START) is not None


def test_another_partners_request_is_no_repetition() -> None:
    assert repeated(accepted_as("f1"), "other", "f1", START) is None


def test_a_session_that_never_had_a_request_repeats_none() -> None:
    assert repeated(FRESH, "jedlix", "f1", START) is None


# --- The installed plan ----------------------------------------------------------------------------------------------


def test_a_plan_is_in_force_until_its_end() -> None:
    ends_at = START + timedelta(hours=1)
    assert InstalledPlan("r1", 1).in_force(START + timedelta(days=30))
    assert InstalledPlan("r1", 1, ends_at).in_force(ends_at - timedelta(microseconds=1))
    assert not InstalledPlan("r1", 1, ends_at).in_force(ends_at)


# --- What a partner is owed --------------------------------------------------------------------------------------------


def test_a_partner_is_owed_the_active_profile_from_its_first_accepted_put_on_and_not_for_gets_and_deletes() -> None:
    asked = admitted(admitted(FRESH, GET), CLEAR)
    assert asked.intake("jedlix").first_set is None
    first = admit(asked, JEDLIX, SET, newest("first"), START + timedelta(seconds=60))
    assert first is not None
    again = admit(first[0], JEDLIX, SET, newest("second"), START + timedelta(seconds=90))
    assert again is not None
    assert again[0].intake("jedlix").first_set == "r-first"
    assert again[0].intake("other").first_set is None
