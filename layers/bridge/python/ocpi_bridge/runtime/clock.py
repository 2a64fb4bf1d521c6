"""The clock of the machine."""

from datetime import UTC, datetime


class SystemClock:
    """Clock that tells the machine's time."""

    def now(self) -> datetime:
        """Returns the present instant, aware, UTC."""
        return datetime.now(UTC)
