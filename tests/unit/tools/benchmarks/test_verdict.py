"""A target is met, missed, or not looked at; only the first lets a run end well."""

import pytest

from tools.benchmarks.samples import Sample
from tools.benchmarks.verdict import Baseline, Limit, Row, Section, Status, Verdict

BARE = Baseline("bare client", Sample.of([100, 100, 100]))


def verdict(*rows: Row, without_peer: bool = False) -> Verdict:
    return Verdict([Section("Section", "About it.", rows)], without_peer)


@pytest.mark.parametrize(
    ("milliseconds", "status"), [(169, Status.MET), (170, Status.MET), (171, Status.MISSED), (300, Status.MISSED)]
)
def test_a_ratio_beyond_its_limit_is_missed(milliseconds: float, status: Status) -> None:
    row = Row("door", "ms", Sample.of([milliseconds] * 3), BARE, limit=Limit(1.7))
    assert row.status is status
    assert verdict(row).met is (status is Status.MET)


@pytest.mark.parametrize(("megabytes", "met"), [(60, True), (128, True), (129, False)])
def test_a_limit_in_the_rows_own_unit_is_that_of_its_median(megabytes: float, met: bool) -> None:
    assert verdict(Row("door", "MB", Sample.of([megabytes]), limit=Limit(128, times=False))).met is met


def test_one_target_that_is_missed_spoils_a_run_and_is_named() -> None:
    met, missed = (
        Row(name, "MB", Sample.of([size]), limit=Limit(128, times=False)) for name, size in (("a", 1), ("b", 200))
    )
    judged = verdict(met, missed)
    assert not judged.met
    assert judged.failures() == [missed]


def test_what_has_no_limit_is_told_however_large_it_is() -> None:
    row = Row("first request", "ms", Sample.of([10_000] * 3), BARE)
    assert (row.status, row.ratio) == (Status.TOLD, 100)
    assert verdict(row).met


def test_what_could_not_be_measured_is_not_met_unless_that_was_wished() -> None:
    row = Row("beside the peer", "ms", None, limit=Limit(0.75), note="no registry")
    assert row.status is Status.SKIPPED
    assert not verdict(row).met
    assert verdict(row, without_peer=True).met
    assert verdict(row, without_peer=True).failures() == [row]


def test_a_wish_to_do_without_the_peer_excuses_no_target_that_was_missed() -> None:
    missed = Row("door", "ms", Sample.of([300] * 3), BARE, limit=Limit(1.7))
    assert not verdict(missed, without_peer=True).met


def test_a_limit_in_times_of_nothing_is_no_limit_that_is_met() -> None:
    with pytest.raises(ValueError, match="door has nothing"):
        _ = Row("door", "ms", Sample.of([1]), limit=Limit(1.7)).status
