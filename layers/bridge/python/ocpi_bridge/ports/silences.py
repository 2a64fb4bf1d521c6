"""The store of partners' silences. Writes as in requests."""

from datetime import datetime
from typing import Protocol

from ocpi_bridge.domain.partners import Silence


class SilenceStore(Protocol):
    """Silences stand beside the entries of partners, so that whoever reads an entry has them; instants are whole ms.

    Each write is one call, and raises Contended where others held the entry.
    """

    def begin_silence(self, partner_id: str, silence: Silence) -> bool:
        """Notes that a partner fell silent; False where it is silent at that instant already, or is gone."""

    def move_silence(self, partner_id: str, silence: Silence, until: datetime) -> bool:
        """Sets another end; False where the silence is not the one that was read any more."""

    def end_silence(self, partner_id: str, silence: Silence) -> bool:
        """The partner answers; False where the silence is not the one that was read any more."""
