from collections.abc import Iterator

import pytest

from tests.support.tables import AwsTables, aws_tables


@pytest.fixture(scope="module")
def _tables() -> Iterator[AwsTables]:
    with aws_tables() as tables:
        yield tables


@pytest.fixture
def tables(_tables: AwsTables) -> Iterator[AwsTables]:
    """The three tables, empty."""
    yield _tables
    _tables.clear()
