from collections.abc import Mapping, Sequence
from datetime import timedelta

import pytest

from ocpi_bridge.domain.assignments import Right
from ocpi_bridge.domain.registration import RegistrationRefused, merge_assignments, plan_import
from ocpi_bridge.domain.stations import Station, StationRef
from tests.support.registry_entries import NEW_YEAR, assignment, station


def problems_of(stations: Sequence[Station], owners: Mapping[str, StationRef] | None = None) -> dict[str, str]:
    with pytest.raises(RegistrationRefused) as refused:
        plan_import("acme", stations, {}, owners or {})
    return {problem.field: problem.problem for problem in refused.value.problems}


def test_a_new_station_claims_its_evses() -> None:
    planned = plan_import("acme", [station("CP-001", ("A", "B"))], {}, {})
    [[change]] = planned.groups
    assert change.before is None
    assert change.claims == {"a": None, "b": None}


def test_a_station_that_is_known_as_it_is_is_left_alone() -> None:
    planned = plan_import("acme", [station()], {"CP-001": station()}, {})
    assert planned.groups == ()
    assert planned.unchanged == ("CP-001",)


def test_an_evse_that_a_station_lost_is_released() -> None:
    planned = plan_import("acme", [station("CP-001", ("A",))], {"CP-001": station("CP-001", ("A", "B"))}, {})
    [[change]] = planned.groups
    assert change.claims == {}
    assert change.releases == {"b"}


def test_an_evse_spelled_in_another_case_is_the_same_evse() -> None:
    planned = plan_import("acme", [station("CP-001", ("ab*1",))], {"CP-001": station("CP-001", ("AB*1",))}, {})
    [[change]] = planned.groups
    assert change.claims == {}
    assert not change.releases


def test_an_evse_may_move_between_stations_of_one_import_and_both_change_at_once() -> None:
    known = {"CP-001": station("CP-001", ("A", "B")), "CP-002": station("CP-002", ("C",))}
    stations = [station("CP-001", ("A",)), station("CP-002", ("B", "C")), station("CP-003", ("D",))]
    planned = plan_import("acme", stations, known, {"b": StationRef("acme", "CP-001")})
    moved, added = sorted(planned.groups, key=len, reverse=True)
    assert {change.station.station_id for change in moved} == {"CP-001", "CP-002"}
    assert all(change.releases == frozenset() for change in moved)
    assert [change.station.station_id for change in added] == ["CP-003"]


def test_a_circle_of_moves_is_one_group() -> None:
    names = ("A", "B", "C", "D")
    known = {f"CP-{name}": station(f"CP-{name}", (name,)) for name in names}
    owners = {name.lower(): StationRef("acme", f"CP-{name}") for name in names}
    turned = [station(f"CP-{name}", (following,)) for name, following in zip(names, "BCDA", strict=True)]
    [group] = plan_import("acme", turned, known, owners).groups
    assert len(group) == 4


def test_an_evse_of_another_csms_is_refused_with_its_path() -> None:
    problems = problems_of([station("CP-001", ("A", "B"))], owners={"b": StationRef("other", "X")})
    assert problems == {"stations.0.evses.1.uid": "EVSE 'B' belongs to station 'X' of CSMS 'other'"}


def test_an_evse_of_a_station_that_is_not_imported_is_refused() -> None:
    problems = problems_of([station("CP-002", ("A",))], owners={"a": StationRef("acme", "CP-001")})
    assert list(problems) == ["stations.0.evses.0.uid"]


def test_all_problems_of_an_import_are_told_at_once() -> None:
    stations = [station("CP-001", ("A",)), station("CP-001", ("B",)), station("CP-002", ("a",), csms_id="other")]
    assert set(problems_of(stations)) == {
        "stations.1.station_id",
        "stations.2.evses.0.uid",
        "stations.2.csms_id",
    }


def test_a_new_assignment_replaces_the_partners_earlier_one_and_leaves_others() -> None:
    see = assignment("watcher", right=Right.SEE)
    merged, problems = merge_assignments([assignment(), see], {0: assignment(right=Right.SEE)})
    assert merged == {"jedlix": assignment(right=Right.SEE), "watcher": see}
    assert problems == []


def test_two_partners_may_not_steer_the_same_key_at_the_same_time() -> None:
    _, problems = merge_assignments([assignment("other")], {3: assignment()})
    [problem] = problems
    assert problem.field == "assignments.3.right"
    assert "partner 'other'" in problem.problem


def test_one_partner_may_steer_after_another() -> None:
    end = NEW_YEAR + timedelta(days=30)
    _, problems = merge_assignments([assignment("other", valid_until=end)], {0: assignment(valid_from=end)})
    assert problems == []


def test_steering_may_pass_from_one_partner_to_another_in_one_step() -> None:
    given = {0: assignment("new"), 1: assignment("old", right=Right.SEE)}
    merged, problems = merge_assignments([assignment("old")], given)
    assert problems == []
    assert merged["new"].right is Right.STEER


def test_a_partner_given_twice_on_one_key_is_refused() -> None:
    _, problems = merge_assignments([], {0: assignment(), 1: assignment(right=Right.SEE)})
    assert [problem.field for problem in problems] == ["assignments.1.key"]
