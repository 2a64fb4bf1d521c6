"""What functions write while they run: the lines of their log, and the metrics that CloudWatch reads from it."""

import io
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, cast

import pytest
from aws_lambda_powertools.logging.formatter import LambdaPowertoolsFormatter
from aws_lambda_powertools.metrics.provider.cloudwatch_emf import cloudwatch

from ocpi_bridge.runtime.observability import logger

Series = tuple[str, frozenset[tuple[str, str]]]
"""A metric's name and dimensions."""


@dataclass(frozen=True, slots=True)
class Datapoint:
    """One value of a metric."""

    namespace: str
    name: str
    unit: str
    dimensions: frozenset[tuple[str, str]]
    value: float

    @property
    def series(self) -> Series:
        return self.name, self.dimensions


@dataclass
class Emissions:
    """What has been written so far."""

    _log: io.StringIO = field(default_factory=io.StringIO)
    _output: io.StringIO = field(default_factory=io.StringIO)

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self._log.getvalue().splitlines()]

    @property
    def written(self) -> list[str]:
        """All lines as they were written, metrics included."""
        return [*self._log.getvalue().splitlines(), *self._output.getvalue().splitlines()]

    def lines_of(self, message: str) -> list[dict[str, Any]]:
        return [line for line in self.lines if line["message"] == message]

    @property
    def datapoints(self) -> list[Datapoint]:
        found = []
        for line in self._output.getvalue().splitlines():
            content = json.loads(line)
            for directive in content["_aws"]["CloudWatchMetrics"]:
                for metric in directive["Metrics"]:
                    found += [
                        Datapoint(
                            directive["Namespace"],
                            metric["Name"],
                            metric["Unit"],
                            frozenset((name, content[name]) for name in names),
                            value,
                        )
                        for names in directive["Dimensions"]
                        for value in content[metric["Name"]]
                    ]
        return found

    def values_of(self, name: str, **dimensions: str) -> list[float]:
        wanted = (name, frozenset(dimensions.items()))
        return [point.value for point in self.datapoints if point.series == wanted]


@contextmanager
def emissions() -> Iterator[Emissions]:
    """Listens until its end."""
    heard = Emissions()
    handler = logging.StreamHandler(heard._log)
    handler.setFormatter(cast("LambdaPowertoolsFormatter", logger.registered_formatter))
    logger.addHandler(handler)
    try:
        with pytest.MonkeyPatch.context() as patch:
            # Not the standard output itself, which pytest puts in its place anew before each test.
            patch.setattr(cloudwatch, "print", lambda line: heard._output.write(f"{line}\n"), raising=False)
            yield heard
    finally:
        logger._logger.removeHandler(handler)
