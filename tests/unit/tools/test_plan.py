"""Which deviation applies next, and how often."""

import pytest

from tools.counterparts.plan import Plan


def test_a_deviation_applies_as_often_as_planned_and_then_no_more() -> None:
    plan: Plan[str, str] = Plan()
    plan.add("fault", when=lambda subject: subject.startswith("/sessions"), times=2)

    taken = [plan.take(subject) for subject in ("/sessions/1", "/other", "/sessions/2", "/sessions/3")]

    assert taken == ["fault", None, "fault", None]


def test_deviations_apply_in_the_order_they_were_planned() -> None:
    plan: Plan[str, int] = Plan()
    plan.add(500, when=lambda _: True)
    plan.add(503, when=lambda _: True, times=None)

    assert [plan.take("x") for _ in range(3)] == [500, 503, 503]


def test_nothing_applies_after_clearing() -> None:
    plan: Plan[str, int] = Plan()
    plan.add(500, when=lambda _: True, times=None)
    plan.clear()

    assert plan.take("x") is None


def test_a_deviation_that_would_never_apply_is_refused() -> None:
    plan: Plan[str, int] = Plan()

    with pytest.raises(ValueError, match="at least once"):
        plan.add(500, when=lambda _: True, times=0)
