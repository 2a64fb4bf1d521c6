"""How long profiles took, and what is said of it: median, 95th percentile, maximum."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(slots=True)
class Measurement:
    """Seconds from each PUT until the command was at the charge point, and until the result was at the partner."""

    to_charge_point: list[float] = field(default_factory=list)
    to_result: list[float] = field(default_factory=list)

    def rows(self) -> tuple[tuple[str, tuple[float, float, float]], ...]:
        """What was measured, with its median, 95th percentile and maximum (s). Raises ValueError before a first PUT."""
        return (
            ("PUT to SetChargingProfile at the charge point", summary(self.to_charge_point)),
            ("PUT to the result at the partner", summary(self.to_result)),
        )

    def table(self) -> str:
        """The rows as lines of text."""
        count = f"{len(self.to_result)} PUTs in sequence, seconds"
        lines = [f"{count:<48}{'p50':>8}{'p95':>8}{'max':>8}"]
        lines += [f"{name:<48}" + "".join(f"{value:>8.3f}" for value in values) for name, values in self.rows()]
        return "\n".join(lines)


def summary(seconds: Sequence[float]) -> tuple[float, float, float]:
    """Median, 95th percentile and maximum (nearest rank). Raises ValueError for no value."""
    ordered = sorted(seconds)
    if not ordered:
        raise ValueError("there is nothing to summarise")
    return _percentile(ordered, 50), _percentile(ordered, 95), ordered[-1]


def _percentile(ordered: Sequence[float], percent: int) -> float:
    return ordered[math.ceil(len(ordered) * percent / 100) - 1]
