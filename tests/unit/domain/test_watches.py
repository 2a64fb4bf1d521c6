"""How far the duty to tell a partner of the active profile is done."""

from datetime import timedelta

import pytest

from ocpi_bridge.domain.watches import Watch
from tests.support.clocks import START

NOW = START


def test_a_doubt_is_settled_by_a_look_that_came_after_it() -> None:
    watch = Watch("s1", "jedlix")
    assert (watch.in_doubt(None), watch.in_doubt(NOW)) == (False, True)
    settled = watch.settled(NOW)
    assert (settled.in_doubt(NOW), settled.in_doubt(NOW + timedelta(seconds=1))) == (False, True)


def test_a_failure_is_counted_until_something_succeeds() -> None:
    failed = Watch("s1", "jedlix", own="r1").failed().failed(forced=True)
    assert (failed.own, failed.attempts, failed.in_doubt(None)) == (None, 2, True)
    assert failed.settled(NOW) == Watch("s1", "jedlix", settled_at=NOW)


@pytest.mark.parametrize(
    ("watch", "hint", "expected"),
    [
        ({}, None, False),
        ({}, 0, True),
        ({"settled_at": NOW}, 0, False),
        ({"settled_at": NOW}, 1, True),
        ({"hints_at": NOW}, 0, False),
        ({"settled_at": NOW, "hints_at": NOW + timedelta(seconds=5)}, 5, False),
        ({"settled_at": NOW + timedelta(seconds=5), "hints_at": NOW}, 6, True),
    ],
)
def test_a_hint_counts_until_it_was_explained_or_looked_into(
    watch: dict[str, object], hint: int | None, expected: bool
) -> None:
    hinted = None if hint is None else NOW + timedelta(seconds=hint)
    assert Watch("s1", "jedlix", **watch).hinted(hinted) is expected  # type: ignore[arg-type]


def test_a_lost_plan_is_sent_again_once_for_each_doubt() -> None:
    watch = Watch("s1", "jedlix")
    assert watch.found_missing("r1", NOW)
    again = Watch("s1", "jedlix", resent="r2", resent_at=NOW + timedelta(seconds=5))
    assert not again.found_missing("r2", NOW)
    assert not again.found_missing("r2", None)
    assert again.found_missing("r2", NOW + timedelta(seconds=6))
    assert again.found_missing("r3", NOW)
