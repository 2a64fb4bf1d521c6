"""The versions that partners are told are the versions that are routed."""

import pytest

from infra.constructs.ocpi_api import VERSIONS as ROUTED
from ocpi_bridge.ocpi.versions import VERSIONS

pytestmark = pytest.mark.integration


def test_the_versions_that_are_told_are_those_that_are_routed() -> None:
    assert VERSIONS == ROUTED
