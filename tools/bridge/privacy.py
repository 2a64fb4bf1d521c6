"""Erasure of a person: everything that the bridge keeps of a token, and of a contract where it is named."""

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from ocpi_bridge.adapters.dynamodb.erasure import DynamoErasure
from ocpi_bridge.adapters.dynamodb.pairings import DynamoPairings
from ocpi_bridge.adapters.dynamodb.registry import DynamoRegistry
from ocpi_bridge.domain.assignments import Assignment, Scope
from ocpi_bridge.domain.events import IdToken
from ocpi_bridge.domain.pairing import PairingCode
from ocpi_bridge.ports.clock import Clock
from ocpi_bridge.runtime.clock import SystemClock

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


@dataclass(frozen=True, slots=True)
class Kept:
    """What the bridge keeps of a person. `live` sessions can be erased when they are over; the others at once."""

    over: tuple[str, ...]
    live: tuple[str, ...]
    assignments: tuple[Assignment, ...]
    codes: tuple[PairingCode, ...]

    @property
    def nothing(self) -> bool:
        """Whether there is nothing of the person."""
        return not (self.over or self.live or self.assignments or self.codes)


@dataclass(frozen=True, slots=True)
class Erasure:
    """Erasure in one deployment."""

    registry: DynamoRegistry
    codes: DynamoPairings
    sessions: DynamoErasure
    clock: Clock = field(default_factory=SystemClock)

    @classmethod
    def on_aws(cls, dynamodb: "DynamoDBClient", *, registry: str, sessions: str) -> Self:
        """Erasure from the tables of a deployment."""
        return cls(
            DynamoRegistry(dynamodb, registry),
            DynamoPairings(dynamodb, registry),
            DynamoErasure(dynamodb, sessions, registry, time.sleep),
        )

    def find(self, person: IdToken) -> Kept:
        """What there is of a person now."""
        named = [(Scope.TOKEN, person.uid)]
        if person.contract_id is not None:
            named.append((Scope.CONTRACT, person.contract_id))
        assigned = [
            one
            for scope, key in named
            for one in self.registry.list_assignments(scope=scope)
            if one.key.casefold() == key.casefold()
        ]
        folded = {(scope, key.casefold()) for scope, key in named}
        codes = [one for one in self.codes.codes() if (one.grant.scope, one.grant.key.casefold()) in folded]
        sessions = self.sessions.find(person)
        return Kept(sessions.over, sessions.live, tuple(assigned), tuple(codes))

    def erase(self, person: IdToken) -> Kept:
        """Erases what can be erased now; returns what was found. Interrupted, it is completed by calling it again.

        Live sessions lose the token and stay, to be erased when they are over. Assignments go first: from then on no
        partner has a right that rests on the person. Raises Contended.
        """
        kept = self.find(person)
        for assignment in kept.assignments:
            self.registry.revoke_assignment(assignment.partner_id, assignment.scope, assignment.key)
        for code in kept.codes:
            self.codes.withdraw(code.code_hash)
        for session_id in kept.live:
            self.sessions.unname(session_id, self.clock.now())
        for session_id in kept.over:
            self.sessions.forget(session_id, person)
        return kept
