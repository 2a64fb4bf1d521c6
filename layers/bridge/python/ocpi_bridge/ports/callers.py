"""Whoever calls, and the store that knows."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from ocpi_bridge.domain.partners import Party
from ocpi_bridge.domain.tokens import AcceptedToken
from ocpi_bridge.domain.values import dataclass

if TYPE_CHECKING:
    # Doors that are about no session never load one: with all that it knows, it is a tenth of such a door's start.
    from ocpi_bridge.domain.controls import Control
    from ocpi_bridge.domain.sessions import Session


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls, and the session that the call is about, as one read finds them. `party` is the partner's own.

    `token` is the one that was presented; None with nobody known.
    """

    partner_id: str | None
    party: Party | None = None
    token: AcceptedToken | None = None
    session: "Session | None" = None
    control: "Control | None" = None


class CallerStore(Protocol):
    """What knowing a partner that calls needs."""

    def caller(self, token_hashes: Sequence[str], session_id: str | None = None) -> Caller:
        """Who one of the token hashes belongs to, with the session of that id (compared without case)."""

    def settle_token(self, token: AcceptedToken) -> None:
        """Ends the tokens that this one supersedes, now that it was used; all at once, and once however many call.

        Nothing is written where somebody else did so, or the token has gone. Raises Contended.
        """
