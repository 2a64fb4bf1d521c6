from collections.abc import Iterator

import pytest

from ocpi_bridge.adapters.dynamodb import writes
from tests.support.tables import AwsTables, aws_tables
from tests.support.world import World


@pytest.fixture(scope="module")
def _tables() -> Iterator[AwsTables]:
    with aws_tables() as tables:
        yield tables


@pytest.fixture
def world(_tables: AwsTables, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """A world with a partner, a CSMS and a station; conflicts of writers are repeated without a pause."""
    monkeypatch.setattr(writes, "CONFLICT_PAUSES", (0.0,) * len(writes.CONFLICT_PAUSES))
    yield World(_tables)
    _tables.clear()
