"""Hosts that partners wanted us to call in vain."""

from datetime import datetime

from ocpi_bridge.domain.values import dataclass


@dataclass(frozen=True, slots=True)
class RefusedHost:
    """A host that was refused for a partner; `host` is empty for URLs that have none that is spelled properly.

    `reason` is the newest refusal's.
    """

    partner_id: str
    host: str
    reason: str
    count: int
    first_at: datetime
    last_at: datetime
