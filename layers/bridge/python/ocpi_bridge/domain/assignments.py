"""Assignments: the CPO's word on who may see and who may steer which sessions, and what of a person they may know."""

from collections.abc import Mapping
from dataclasses import field
from datetime import datetime
from enum import StrEnum

from ocpi_bridge.domain.events import IdToken
from ocpi_bridge.domain.partners import Party
from ocpi_bridge.domain.values import dataclass

# Country, party and nine characters of its own, without the optional check digit: what is shorter is no eMI3 id.
MIN_CONTRACT_ID = 14


class Scope(StrEnum):
    """What an assignment is about, the most specific first."""

    TOKEN = "token"
    CONTRACT = "contract"
    EVSE = "evse"
    LOCATION = "location"
    EMSP = "emsp"


class Right(StrEnum):
    """What an assignment allows: to see sessions, or to steer (and see) them."""

    SEE = "see"
    STEER = "steer"


class Share(StrEnum):
    """What a person has consented to share beyond the session itself; without it a partner gets a pseudonym or nothing."""

    TOKEN = "token"  # uid and contract id of the driver's token as they are
    STATE_OF_CHARGE = "state_of_charge"


@dataclass(frozen=True, slots=True)
class Assignment:
    """The CPO's word that a partner may see or steer the sessions in a scope. Without one a partner sees nothing.

    `key` is the EVSE's uid, the location's id, the token's uid, the contract's id, or `CC/PPP` of the eMSP.
    `consent` says where the permission comes from, for the CPO's own records; `shares` is what it covers of the person.
    """

    partner_id: str
    scope: Scope
    key: str
    right: Right
    valid_from: datetime
    valid_until: datetime | None = None
    consent: str = ""
    shares: frozenset[Share] = frozenset()

    def valid(self, at: datetime) -> bool:
        """Whether it counts at an instant; the end is no longer part of it."""
        return self.valid_from <= at and (self.valid_until is None or at < self.valid_until)


@dataclass(frozen=True, slots=True)
class Rights:
    """Who sees a session, the one partner that may steer it (at most one), and what each may know of the person."""

    seen_by: frozenset[str] = frozenset()
    steered_by: str | None = None
    shares: Mapping[str, frozenset[Share]] = field(default_factory=dict)

    def shared_with(self, partner_id: str) -> frozenset[Share]:
        """What the partner may know of the person."""
        return self.shares.get(partner_id, frozenset())


def emsp_of(contract_id: str) -> Party | None:
    """The eMSP that a contract id by eMI3 begins with (NL-ABC-C12345678-X or NLABC...); None where it names none."""
    plain = contract_id.replace("-", "").upper()
    if len(plain) < MIN_CONTRACT_ID or not (plain.isascii() and plain[:2].isalpha() and plain[2:5].isalnum()):
        return None
    return Party(plain[:2], plain[2:5])


def scopes_of(evse_uid: str, location_id: str, token: IdToken | None) -> tuple[tuple[Scope, str], ...]:
    """The scopes that touch a session at this EVSE with this token, each with its key."""
    scopes = [(Scope.EVSE, evse_uid), (Scope.LOCATION, location_id)]
    if token is not None:
        scopes.append((Scope.TOKEN, token.uid))
        if token.contract_id is not None:
            scopes.append((Scope.CONTRACT, token.contract_id))
            emsp = emsp_of(token.contract_id)
            if emsp is not None:
                scopes.append((Scope.EMSP, f"{emsp.country_code}/{emsp.party_id}"))
    return tuple(scopes)


def rights(assignments: tuple[Assignment, ...], at: datetime) -> Rights:
    """Decides who sees and who steers, from the assignments that touch a session, at an instant.

    Where several partners may steer, the most specific scope wins, then the oldest assignment.
    """
    valid = [assignment for assignment in assignments if assignment.valid(at)]
    scopes = list(Scope)
    steering = sorted(
        (assignment for assignment in valid if assignment.right is Right.STEER),
        key=lambda assignment: (scopes.index(assignment.scope), assignment.valid_from, assignment.partner_id),
    )
    shares: dict[str, frozenset[Share]] = {}
    for assignment in valid:
        if assignment.shares:
            shares[assignment.partner_id] = shares.get(assignment.partner_id, frozenset()) | assignment.shares
    return Rights(
        seen_by=frozenset(assignment.partner_id for assignment in valid),
        steered_by=steering[0].partner_id if steering else None,
        shares=shares,
    )
