"""Rows of the report and whether each is as it must be. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from tools.benchmarks.samples import Sample


class Status(StrEnum):
    """How a row ends."""

    MET = "met"
    MISSED = "MISSED"
    SKIPPED = "skipped"
    TOLD = ""


@dataclass(frozen=True, slots=True)
class Baseline:
    """What a row is compared with."""

    name: str
    sample: Sample


@dataclass(frozen=True, slots=True)
class Limit:
    """The most that a row may be: in its own unit, or as many times its baseline."""

    most: float
    times: bool = True


@dataclass(frozen=True, slots=True)
class Row:
    """One measurement. Without a limit it is only told.

    `sample` is None where nothing could be measured; `note` then says why.
    """

    name: str
    unit: str
    sample: Sample | None
    baseline: Baseline | None = None
    limit: Limit | None = None
    note: str = ""

    @property
    def ratio(self) -> float | None:
        """How many times its baseline it is."""
        return None if self.sample is None or self.baseline is None else self.sample.ratio(self.baseline.sample)

    @property
    def status(self) -> Status:
        """Whether it is within its limit; at the limit it is. Raises ValueError for a limit in times of nothing."""
        if self.sample is None:
            return Status.SKIPPED
        if self.limit is None:
            return Status.TOLD
        judged = self.ratio if self.limit.times else self.sample.median
        if judged is None:
            raise ValueError(f"{self.name} has nothing that its limit is a multiple of")
        return Status.MET if judged <= self.limit.most else Status.MISSED


@dataclass(frozen=True, slots=True)
class Section:
    """Rows that belong together; `about` says what is in their numbers, and what is not."""

    heading: str
    about: str
    rows: Sequence[Row]


@dataclass(frozen=True, slots=True)
class Verdict:
    """The whole report. `without_peer`: that rows are skipped is the caller's own wish."""

    sections: Sequence[Section]
    without_peer: bool = False

    @property
    def met(self) -> bool:
        """Whether every target is met. One that could not be looked at is not, unless that was wished."""
        bad = {Status.MISSED} if self.without_peer else {Status.MISSED, Status.SKIPPED}
        return not any(row.status in bad for row in self._rows())

    def failures(self) -> list[Row]:
        """The rows that are not as they must be."""
        return [row for row in self._rows() if row.status in {Status.MISSED, Status.SKIPPED}]

    def _rows(self) -> Iterable[Row]:
        return (row for section in self.sections for row in section.rows)
