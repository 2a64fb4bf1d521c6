"""Percentiles of what was measured."""

import pytest

from tools.demo.measurement import Measurement, summary


def test_percentiles_are_values_that_were_measured() -> None:
    assert summary([float(number) for number in range(100, 0, -1)]) == (50.0, 95.0, 100.0)


def test_one_value_is_its_own_percentile() -> None:
    assert summary([0.25]) == (0.25, 0.25, 0.25)


def test_nothing_measured_is_no_zero() -> None:
    with pytest.raises(ValueError, match="nothing"):
        summary([])


def test_the_table_names_what_was_measured_and_how_often() -> None:
    lines = Measurement([0.1, 0.2], [0.3, 0.4]).table().splitlines()

    assert lines[0].split() == ["2", "PUTs", "in", "sequence,", "seconds", "p50", "p95", "max"]
    assert lines[1].split()[-3:] == ["0.100", "0.200", "0.200"]
    assert lines[2].startswith("PUT to the result at the partner")
