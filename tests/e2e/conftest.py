"""One deployed stack for all end-to-end tests of a worker; each test has partners, CSMSs and stations of its own on it.

E2E_STACK names the directory of a stack that runs already (`.local` after `make up`); it is used as it is and left running.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.e2e_site import flat, site
from tools.local_stack import LocalStack

HERE = Path(__file__).parent
# What partners are told by default: on a busy machine the first job takes a while.
STAGE_TIMEOUT = 90


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.e2e)
            item.add_marker(pytest.mark.integration)


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    running_in = os.environ.get("E2E_STACK")
    if running_in:
        yield LocalStack.attach(Path(running_in))
        return
    with LocalStack.start(tmp_path_factory.mktemp("stack") / "local", port=0) as running:
        warm_up(running)
        yield running


def warm_up(stack: LocalStack) -> None:
    """One job before the first test: functions that start for the first time are no test's matter."""
    with site(stack, timeout=STAGE_TIMEOUT) as place:
        place.bridge.put_profile(place.session_id, flat(7000)).wait_for_result(STAGE_TIMEOUT)
