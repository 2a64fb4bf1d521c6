"""Where charging preferences are kept."""

from typing import Protocol

from ocpi_bridge.domain.preferences import PreferencesChange


class PreferencesStore(Protocol):
    """Keeps the newest charging preferences of each session, and has its stream tell the CSMS of them."""

    def save(self, change: PreferencesChange) -> None:
        """Replaces what was set before. The CSMS is told at least once, by the bus."""
