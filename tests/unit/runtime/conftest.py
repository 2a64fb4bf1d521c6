import io
import json
import logging
from collections.abc import Callable, Iterator
from typing import Any, cast

import pytest
from aws_lambda_powertools.logging.formatter import LambdaPowertoolsFormatter

from ocpi_bridge.runtime.observability import logger
from tests.support.queues import Queues, aws_queues
from tests.support.tables import AwsTables, aws_tables
from tests.support.world import World


@pytest.fixture(scope="module")
def _tables() -> Iterator[AwsTables]:
    with aws_tables() as tables:
        yield tables


@pytest.fixture
def world(_tables: AwsTables) -> Iterator[World]:
    """A world with a partner, a CSMS and a station."""
    yield World(_tables)
    _tables.clear()


Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def log() -> Iterator[Lines]:
    """What the functions log meanwhile, line by line."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(cast("LambdaPowertoolsFormatter", logger.registered_formatter))
    logger.addHandler(handler)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    logger._logger.removeHandler(handler)


@pytest.fixture
def queues(_tables: AwsTables) -> Iterator[Queues]:
    """The queues, empty."""
    with aws_queues() as queues:
        yield queues
