"""Who sees a session and who steers it, by the CPO's assignments."""

from datetime import datetime, timedelta

import pytest

from ocpi_bridge.domain.assignments import Assignment, Right, Rights, Scope, emsp_of, rights
from ocpi_bridge.domain.partners import Party
from tests.support.clocks import START
from tests.support.registry_entries import NEW_YEAR, assignment

SEE, STEER = Right.SEE, Right.STEER


def decided(*given: Assignment, at: datetime = START) -> Rights:
    return rights(given, at)


def test_without_an_assignment_nobody_sees_or_steers() -> None:
    assert decided() == Rights(frozenset(), None)


def test_who_may_see_does_not_steer() -> None:
    assert decided(assignment("a", right=SEE)) == Rights(frozenset({"a"}), None)


def test_who_may_steer_sees_too() -> None:
    assert decided(assignment("a", right=STEER)) == Rights(frozenset({"a"}), "a")


def test_many_may_see_and_one_steers() -> None:
    given = (assignment("a", right=SEE), assignment("b", right=STEER), assignment("c", Scope.LOCATION, right=STEER))
    assert decided(*given) == Rights(frozenset({"a", "b", "c"}), "b")


@pytest.mark.parametrize("reverse", [False, True])
def test_the_most_specific_scope_steers(reverse: bool) -> None:
    scopes = [Scope.TOKEN, Scope.CONTRACT, Scope.EVSE, Scope.LOCATION, Scope.EMSP]
    for index in range(len(scopes)):
        given = [assignment(scope.value, scope) for scope in scopes[index:]]
        assert decided(*(reversed(given) if reverse else given)).steered_by == scopes[index].value


def test_a_specific_right_to_see_does_not_take_the_steering_from_a_general_one() -> None:
    given = (assignment("a", Scope.TOKEN, right=SEE), assignment("b", Scope.EMSP, right=STEER))
    assert decided(*given).steered_by == "b"


def test_within_a_scope_the_oldest_assignment_steers() -> None:
    older = assignment("z", valid_from=NEW_YEAR - timedelta(days=1))
    assert decided(assignment("a"), older).steered_by == "z"


def test_assignments_of_the_same_age_are_decided_the_same_way_every_time() -> None:
    both = (assignment("b"), assignment("a"))
    assert decided(*both) == decided(*reversed(both))


@pytest.mark.parametrize(
    ("valid_from", "valid_until", "counts"),
    [
        (START, None, True),
        (START + timedelta(microseconds=1), None, False),
        (NEW_YEAR, START + timedelta(microseconds=1), True),
        (NEW_YEAR, START, False),
    ],
)
def test_an_assignment_counts_from_its_first_instant_until_before_its_last(
    valid_from: datetime,
    valid_until: datetime | None,
    counts: bool,
) -> None:
    given = assignment("a", valid_from=valid_from, valid_until=valid_until)
    assert decided(given).seen_by == (frozenset({"a"}) if counts else frozenset())


def test_an_assignment_that_is_over_does_not_keep_another_from_steering() -> None:
    over = assignment("a", Scope.TOKEN, valid_until=START)
    assert decided(over, assignment("b", Scope.EMSP)) == Rights(frozenset({"b"}), "b")


@pytest.mark.parametrize(
    ("contract_id", "emsp"),
    [
        ("NL-TNM-C12345678-X", Party("NL", "TNM")),
        ("nl-tnm-c12345678-x", Party("NL", "TNM")),
        ("NLTNMC12345678", Party("NL", "TNM")),
        ("BE-8AB-012345678", Party("BE", "8AB")),
        ("NL-TNM", None),
        ("12345678901234", None),
        ("N1-TNM-C12345678-X", None),
        ("\N{LATIN CAPITAL LETTER E WITH ACUTE}L-TNM-C12345678-X", None),
        ("", None),
    ],
)
def test_a_contract_id_names_its_emsp_or_nobody(contract_id: str, emsp: Party | None) -> None:
    assert emsp_of(contract_id) == emsp
