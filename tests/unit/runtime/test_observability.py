"""What must not write into the functions' logs, whatever level the root logger is given."""

import io
import json
import logging
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from ocpi_bridge.domain.errors import InvalidInput
from ocpi_bridge.runtime.observability import TOO_TALKATIVE, logger

CARD = "04AABBCC"
DENIED = ClientError({"Error": {"Code": "AccessDenied", "Message": "role/x may not call it"}}, "PutItem")


def line_of(act: Callable[[], object], monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What is logged of an error that an act raises."""
    stream = io.StringIO()
    handler = logger.registered_handler
    assert isinstance(handler, logging.StreamHandler)
    monkeypatch.setattr(handler, "stream", stream)
    try:
        act()
    except Exception:  # noqa: BLE001 - whatever it raises is logged
        logger.exception("queue.failed")
    line: dict[str, Any] = json.loads(stream.getvalue())
    return line


def raises(error: Exception) -> Callable[[], object]:
    def act() -> object:
        raise error

    return act


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


@pytest.mark.parametrize(
    "error", [ValueError(CARD), KeyError(CARD), TypeError(CARD), ExceptionGroup("of two", [ValueError(CARD)])]
)
def test_an_errors_words_that_may_quote_a_message_are_not_logged_and_its_place_is(
    error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = line_of(raises(error), monkeypatch)

    assert CARD not in json.dumps(line)
    assert type(error).__name__ in line["exception"]
    assert "in act" in line["exception"]
    assert line["exception_name"] == type(error).__name__


def test_what_an_error_was_raised_from_keeps_its_place_and_loses_its_words_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def act() -> object:
        try:
            raises(ValueError(CARD))()
        except ValueError as error:
            raise InvalidInput("id_token.uid", "is no text") from error
        return None

    line = line_of(act, monkeypatch)

    assert CARD not in json.dumps(line)
    assert "InvalidInput: id_token.uid: is no text" in line["exception"]
    assert "builtins.ValueError" in line["exception"]


@pytest.mark.parametrize("error", [InvalidInput("duration", "is missing"), DENIED, OSError("the disk is full")])
def test_words_of_ours_of_aws_and_of_the_operating_system_are_logged(
    error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert str(error) in line_of(raises(error), monkeypatch)["exception"]


def test_a_line_says_whose_it_is_and_when_in_utc(monkeypatch: pytest.MonkeyPatch) -> None:
    line = line_of(raises(ValueError()), monkeypatch)

    assert {"level", "location", "message", "timestamp", "service", "exception", "exception_name"} <= set(line)
    assert line["timestamp"].endswith(("Z", "+00:00"))
