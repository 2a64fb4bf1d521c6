"""Everything once a round, in turn."""

from functools import partial

from tools.benchmarks.rounds import in_turn


def run(rounds: int) -> tuple[dict[str, list[int]], list[str]]:
    """What came of three subjects that count their own runs, and the order in which they ran."""
    order: list[str] = []

    def measure(name: str) -> int:
        order.append(name)
        return order.count(name)

    measured = in_turn({name: partial(measure, name) for name in "abc"}, rounds, lambda _: None)
    return measured, order


def test_the_first_run_of_each_is_not_counted() -> None:
    measured, _ = run(2)
    assert measured == {name: [2, 3] for name in "abc"}


def test_all_run_once_before_any_runs_again_and_none_is_always_the_first() -> None:
    _, order = run(3)
    rounds = ["".join(order[start : start + 3]) for start in range(0, len(order), 3)]
    assert rounds == ["abc", "bca", "cab", "abc"]
