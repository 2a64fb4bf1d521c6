from collections.abc import Iterator

import pytest

from tests.fuzz.bridge import Bridge, fuzzed_bridge


@pytest.fixture(scope="module")
def bridge() -> Iterator[Bridge]:
    """The deployed functions; each example begins with `bridge.afresh()`."""
    with fuzzed_bridge() as bridge:
        yield bridge
