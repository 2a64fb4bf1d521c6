from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.support.emissions import emissions
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
    with emissions() as heard:
        yield lambda: heard.lines


@pytest.fixture
def queues(_tables: AwsTables) -> Iterator[Queues]:
    """The queues, empty."""
    with aws_queues() as queues:
        yield queues
