"""Tracebacks in the log: where an error came from, and its own words only where these quote nothing that was sent to us.

A ValueError or KeyError of a parser names what it could not read, and that may be a card's number or a token.
"""

import traceback
from collections.abc import Iterator
from types import TracebackType

from aws_lambda_powertools.logging.formatter import LambdaPowertoolsFormatter
from botocore.exceptions import BotoCoreError, ClientError

from ocpi_bridge.domain.errors import BridgeError
from ocpi_bridge.runtime.settings import MissingSetting

# Errors whose words are ours, AWS's about a call of ours, or the operating system's.
TRUSTED = (BridgeError, MissingSetting, BotoCoreError, ClientError, OSError)
# A chain of errors that is longer than this tells nothing more.
LONGEST_CHAIN = 8

ExceptionInfo = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


class TracebackFormatter(LambdaPowertoolsFormatter):
    """JSON lines whose `exception` holds tracebacks without what was sent to us."""

    def __init__(self) -> None:
        # The structured copy of the traceback repeats the error's words.
        super().__init__(utc=True, use_rfc3339=True, serialize_stacktrace=False)

    def formatException(self, ei: ExceptionInfo) -> str:  # noqa: N802 - the name is logging's
        """The errors from the one that was caught back to the first, each with its frames."""
        return "" if ei[1] is None else "\n".join(_told(ei[1]))


def _told(caught: BaseException) -> Iterator[str]:
    error: BaseException | None = caught
    for _ in range(LONGEST_CHAIN):
        if error is None:
            return
        yield "".join(traceback.format_tb(error.__traceback__)) + _line(error)
        if isinstance(error, BaseExceptionGroup):
            yield from (f"  of these: {_line(one)}" for one in error.exceptions[:LONGEST_CHAIN])
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def _line(error: BaseException) -> str:
    name = f"{type(error).__module__}.{type(error).__qualname__}"
    return f"{name}: {error}" if isinstance(error, TRUSTED) else name
