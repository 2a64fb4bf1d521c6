"""Who a CSMS is, by the event key that it shares with us: what the doors for CSMSs have in common."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar

from ocpi_bridge.domain.errors import InvalidInput
from ocpi_bridge.ports import Clock, SecretStore

T = TypeVar("T")

# As the registry takes them: they stand in names of secrets, and what could not is nobody's.
_CSMS_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,35}")

# Junk must not make us read secrets without end: at most one fresh read for a CSMS in this time.
FRESH_KEY_INTERVAL = timedelta(minutes=1)


def can_be_csms_id(text: str) -> bool:
    """Whether a CSMS could have this id. For a door that will not read a secret for everybody who knocks."""
    return _CSMS_ID.fullmatch(text) is not None


@dataclass(frozen=True, slots=True)
class EventKeys:
    """The event keys of CSMSs, read again now and then before anybody is refused: a key may have been replaced."""

    secrets: SecretStore
    clock: Clock
    fresh: dict[str, datetime] = field(default_factory=dict)

    def checked(self, csms_id: str, check: Callable[[str], T]) -> T:
        """What `check` makes of the key. It raises InvalidInput where it finds the caller not to have it.

        Raises that InvalidInput, or UnknownEntity for a CSMS without secrets; a door answers both in the same way.
        """
        now = self.clock.now()
        key = self.secrets.csms_secrets(csms_id).event_key
        try:
            return check(key)
        except InvalidInput:
            if now < self.fresh.get(csms_id, now):
                raise
            self.fresh[csms_id] = now + FRESH_KEY_INTERVAL
            return check(self.secrets.csms_secrets(csms_id, fresh=True).event_key)
