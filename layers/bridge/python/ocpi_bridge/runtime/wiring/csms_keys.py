"""Who a CSMS is, by the event key that it shares with us: what the doors for CSMSs have in common."""

from collections.abc import Callable
from dataclasses import field
from datetime import datetime, timedelta
from typing import TypeVar

from ocpi_bridge.domain.errors import InvalidInput, UnknownEntity
from ocpi_bridge.domain.values import dataclass
from ocpi_bridge.ports.clock import Clock
from ocpi_bridge.ports.secrets import SecretStore

T = TypeVar("T")

# Junk must not make us read secrets without end: at most one fresh read for a CSMS in this time.
FRESH_KEY_INTERVAL = timedelta(minutes=1)
# Anybody can make up ids; beyond so many the one that was asked for longest ago is forgotten.
MAX_REMEMBERED = 1_000


@dataclass(frozen=True, slots=True)
class EventKeys:
    """The event keys of CSMSs, read again now and then before anybody is refused: a key may have been replaced.

    A CSMS that there is not costs as many reads as one whose key the caller has not: a stopwatch tells them apart no
    better than the answer does. One that was added since its id was last refused is known within FRESH_KEY_INTERVAL.
    """

    secrets: SecretStore
    clock: Clock
    fresh: dict[str, datetime] = field(default_factory=dict)
    unknown: set[str] = field(default_factory=set)

    def checked(self, csms_id: str, check: Callable[[str], T]) -> T:
        """What `check` makes of the key. It raises InvalidInput where it finds the caller not to have it.

        Raises that InvalidInput, or UnknownEntity for a CSMS without secrets; a door answers both in the same way.
        """
        read_again = self.clock.now() >= self.fresh.get(csms_id, self.clock.now())
        try:
            if csms_id in self.unknown:
                raise UnknownEntity("secret", f"csms/{csms_id}")
            return check(self.secrets.csms_secrets(csms_id).event_key)
        except (InvalidInput, UnknownEntity):
            if not read_again:
                raise
        self._remember(csms_id)
        try:
            key = self.secrets.csms_secrets(csms_id, fresh=True).event_key
        except UnknownEntity:
            self.unknown.add(csms_id)
            raise
        self.unknown.discard(csms_id)
        return check(key)

    def _remember(self, csms_id: str) -> None:
        self.fresh.pop(csms_id, None)
        if len(self.fresh) >= MAX_REMEMBERED:
            oldest = next(iter(self.fresh))
            del self.fresh[oldest]
            self.unknown.discard(oldest)
        self.fresh[csms_id] = self.clock.now() + FRESH_KEY_INTERVAL
