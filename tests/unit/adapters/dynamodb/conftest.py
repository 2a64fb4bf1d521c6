from collections.abc import Iterator

import pytest

from tests.support.tables import AwsTables, aws_tables


@pytest.fixture(scope="module")
def _shared_tables() -> Iterator[AwsTables]:
    with aws_tables() as made:
        yield made


@pytest.fixture
def aws(_shared_tables: AwsTables) -> Iterator[AwsTables]:
    """The three tables, empty."""
    yield _shared_tables
    _shared_tables.clear()
