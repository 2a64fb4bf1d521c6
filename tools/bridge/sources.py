"""Where a secret comes from: never the command line, which every process on the machine can read."""

import getpass
import os
import sys
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import typer

from ocpi_bridge.domain.errors import BridgeError

FORMS = "env:NAME, file:PATH or - (asked for, or the next line of stdin)"


class SourceFailed(BridgeError):
    """A secret could not be read. The text names the source and never what it holds."""


class SourceKind(StrEnum):
    """The forms of a source."""

    ENVIRONMENT = "env"
    FILE = "file"
    STDIN = "-"


@dataclass(frozen=True, slots=True)
class Source:
    """A place that holds a secret."""

    kind: SourceKind
    name: str = ""

    def read(self, what: str) -> str:
        """The secret; `what` names it when a person is asked. One line break at its end does not belong to it."""
        secret = self._raw(what).removesuffix("\n").removesuffix("\r")
        if not secret:
            raise SourceFailed(f"{what}: {self._place} is empty")
        return secret

    @property
    def _place(self) -> str:
        return "stdin" if self.kind is SourceKind.STDIN else f"{self.kind}:{self.name}"

    def _raw(self, what: str) -> str:
        if self.kind is SourceKind.STDIN:
            return getpass.getpass(f"{what}: ") if sys.stdin.isatty() else sys.stdin.readline()
        if self.kind is SourceKind.ENVIRONMENT:
            if self.name not in os.environ:
                raise SourceFailed(f"{what}: environment variable {self.name} is not set")
            return os.environ[self.name]
        try:
            return Path(self.name).read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "is not UTF-8 text"
            raise SourceFailed(f"{what}: {self.name}: {reason}") from error


def parse_source(text: str) -> Source:
    """The source that an option names. The message of the error does not repeat what may be a secret."""
    if text == SourceKind.STDIN:
        return Source(SourceKind.STDIN)
    kind, _, name = text.partition(":")
    if name and kind in {SourceKind.ENVIRONMENT, SourceKind.FILE}:
        return Source(SourceKind(kind), name)
    raise typer.BadParameter(f"a secret is not given on the command line, but as {FORMS}")
