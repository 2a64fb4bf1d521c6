"""What must not write into the functions' logs, whatever level the root logger is given."""

import logging

import pytest

from ocpi_bridge.runtime.observability import TOO_TALKATIVE, logger


@pytest.mark.parametrize("name", [*TOO_TALKATIVE, "botocore.parsers", "botocore.endpoint", "httpcore.http11"])
def test_libraries_that_write_whole_answers_into_the_log_do_not_do_so_at_any_level_of_the_root(name: str) -> None:
    root = logging.getLogger()
    level = root.level
    root.setLevel(logging.DEBUG)
    try:
        assert not logging.getLogger(name).isEnabledFor(logging.INFO)
        assert logging.getLogger(name).isEnabledFor(logging.WARNING)
    finally:
        root.setLevel(level)


def test_the_bridge_itself_still_logs() -> None:
    assert logger._logger.isEnabledFor(logging.INFO)
