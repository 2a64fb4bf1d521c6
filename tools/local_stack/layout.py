"""Where a local stack keeps its files: one directory that it owns whole."""

import json
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from tools.local_stack.errors import AlreadyInUse


@dataclass(frozen=True, slots=True)
class Layout:
    """The files of one local stack.

    Attributes:
        directory: Made at the start and removed, with all that is in it, at the end.

    """

    directory: Path

    @property
    def owner(self) -> Path:
        """Marks the directory as ours and names the process."""
        return self.directory / "emulator.json"

    @property
    def description(self) -> Path:
        """What tools and people read to reach the stack; written last."""
        return self.directory / "stack.json"

    @property
    def certificate(self) -> Path:
        """The certificate that clients have to trust."""
        return self.directory / "ca.pem"

    @property
    def key(self) -> Path:
        """The certificate's private key."""
        return self.directory / "server.key"

    @property
    def log(self) -> Path:
        """What the embedded AWS and, through it, the functions log."""
        return self.directory / "emulator.log"

    @property
    def deployment_log(self) -> Path:
        """What the CDK said."""
        return self.directory / "deploy.log"

    @property
    def temporary(self) -> Path:
        """Temporary folder of the embedded AWS, its functions and the CDK."""
        return self.directory / "tmp"

    def create(self) -> None:
        """Make the directory. Raises AlreadyInUse if it holds anything that we did not put there."""
        if self.directory.exists() and any(self.directory.iterdir()) and not self.owner.exists():
            raise AlreadyInUse(f"{self.directory} is not empty and not a local stack's: choose another directory")
        self.remove()
        self.temporary.mkdir(parents=True)
        # Marked as ours from the first moment, so that a start that is cut short can be cleaned up.
        self.owner.touch()

    def remove(self) -> None:
        """Remove the directory and everything in it."""
        shutil.rmtree(self.directory, ignore_errors=True)


@dataclass(frozen=True, slots=True)
class EmulatorRecord:
    """Which process runs the embedded AWS; the start time tells it from a later one with the same number."""

    pid: int
    started: float
    port: int

    def write(self, file: Path) -> None:
        """Write it as JSON."""
        file.write_text(json.dumps(asdict(self)))

    @classmethod
    def read(cls, file: Path) -> Self | None:
        """Return what the file says, or None if there is none or it is not ours."""
        try:
            content = json.loads(file.read_text())
            return cls(pid=int(content["pid"]), started=float(content["started"]), port=int(content["port"]))
        except (OSError, ValueError, KeyError, TypeError):
            return None
