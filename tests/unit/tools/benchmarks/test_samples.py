"""Medians and ratios of what was measured side by side."""

import pytest

from tools.benchmarks.samples import Sample


def test_one_slow_round_does_not_move_the_median() -> None:
    sample = Sample.of([10, 11, 90])
    assert (sample.median, sample.least, sample.most) == (11, 10, 90)


def test_a_ratio_is_taken_within_each_round() -> None:
    """Three times as long in two rounds of three; the medians alone would say twice."""
    ours, theirs = Sample.of([3, 20, 30]), Sample.of([1, 10, 10])
    assert ours.ratio(theirs) == 3


def test_a_round_that_hit_only_one_of_the_two_does_not_move_the_ratio() -> None:
    assert Sample.of([2, 2, 40]).ratio(Sample.of([1, 1, 1])) == 2


def test_what_one_takes_beyond_the_other_is_taken_within_each_round() -> None:
    assert Sample.of([5, 25]).beyond(Sample.of([1, 11])).values == (4, 14)


def test_samples_of_different_rounds_are_not_compared() -> None:
    with pytest.raises(ValueError, match="zip"):
        Sample.of([1, 2]).ratio(Sample.of([1]))


def test_nothing_measured_is_no_sample() -> None:
    with pytest.raises(ValueError, match="nothing"):
        Sample.of([])
