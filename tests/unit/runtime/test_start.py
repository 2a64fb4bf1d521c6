"""Garbage collection sleeps while a function loads, and only then."""

import gc
import subprocess
import sys
from collections.abc import Iterator

import pytest

from ocpi_bridge.runtime.start import started


@pytest.fixture
def switched_off() -> Iterator[None]:
    gc.disable()
    yield
    gc.enable()
    gc.unfreeze()


@pytest.mark.usefixtures("switched_off")
def test_the_end_of_a_start_switches_it_on_again_and_leaves_what_was_loaded_alone() -> None:
    assert started(len) is len

    assert gc.isenabled()
    assert gc.get_freeze_count() > 0


def test_where_it_was_never_off_nothing_happens() -> None:
    started(len)

    assert gc.isenabled()
    assert gc.get_freeze_count() == 0


@pytest.mark.integration
@pytest.mark.parametrize(("environment", "collects"), [({"AWS_LAMBDA_FUNCTION_NAME": "sweep"}, False), ({}, True)])
def test_it_is_switched_off_in_lambda_only(environment: dict[str, str], collects: bool) -> None:
    program = "import gc, ocpi_bridge; print(gc.isenabled())"
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)

    assert done.stdout.strip() == str(collects)
