"""What repeated measurements say: a median and its spread, and ratios of what was measured side by side."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, slots=True)
class Sample:
    """One value a round, in the order of the rounds. Raises ValueError for none."""

    values: tuple[float, ...]

    def __post_init__(self) -> None:
        if not self.values:
            raise ValueError("nothing was measured")

    @classmethod
    def of(cls, values: Sequence[float]) -> Self:
        """A sample of these values."""
        return cls(tuple(values))

    @property
    def median(self) -> float:
        """The middle value."""
        return statistics.median(self.values)

    @property
    def least(self) -> float:
        """The smallest value."""
        return min(self.values)

    @property
    def most(self) -> float:
        """The largest value."""
        return max(self.values)

    def beyond(self, other: "Sample") -> "Sample":
        """What it is more than another sample, round by round. Raises ValueError for samples of different rounds."""
        return Sample.of([mine - theirs for mine, theirs in zip(self.values, other.values, strict=True)])

    def ratio(self, other: "Sample") -> float:
        """How many times another sample it is: the median of the rounds' quotients.

        A machine that was slow for a while was so for both values of a round, so quotients vary less than values do.
        Raises ValueError for samples of different rounds.
        """
        return statistics.median(mine / theirs for mine, theirs in zip(self.values, other.values, strict=True))
