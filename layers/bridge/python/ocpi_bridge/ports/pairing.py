"""What pairing a driver's charge point needs of the registry."""

from datetime import datetime
from typing import Protocol

from ocpi_bridge.domain.assignments import Assignment
from ocpi_bridge.domain.pairing import PairingCode
from ocpi_bridge.domain.partners import Partner
from ocpi_bridge.domain.stations import Evse


class PairingStore(Protocol):
    """Codes, attempts, and what they lead to. What raises wrote nothing, but for a counted attempt."""

    def partner(self, partner_id: str) -> Partner | None:
        """The partner, or None."""

    def count_attempt(self, partner_id: str, at: datetime) -> bool:
        """Counts one more attempt of the partner; False, and it is not counted, when it has had all of this window.

        However many come at once, no more than that are let through. Raises Contended.
        """

    def code(self, code_hash: str) -> PairingCode | None:
        """The code that is stored under a hash, expired or not; None where there is none, or none any more."""

    def evse(self, evse_uid: str) -> Evse | None:
        """The EVSE of this uid (compared without case), or None."""

    def redeem(self, code: PairingCode, assignment: Assignment, attempt_at: datetime) -> None:
        """Ends the code, adds the assignment, and gives the attempt that was counted at that instant back; at once.

        Raises CodeUnknown when somebody used the code meanwhile, RegistrationRefused when the assignment cannot be
        (another partner steers, the EVSE has gone), or Contended; the code stays good in the last two cases.
        """
