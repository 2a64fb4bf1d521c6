"""The hosts that partners wanted us to call in vain."""

from datetime import datetime
from typing import Protocol


class RefusedHosts(Protocol):
    """Counts refusals by partner and host."""

    def note_refused_host(self, partner_id: str, host: str, reason: str, at: datetime) -> None:
        """Counts one refusal. It may be lost where many come at once; however many come, what is kept is bounded."""
