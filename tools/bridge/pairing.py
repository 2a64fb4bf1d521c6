"""Pairing as operators take part in it: codes for drivers to take to a partner, and codes that they bring from one."""

import uuid
from collections.abc import Callable
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Self

from ocpi_bridge.adapters.dynamodb.pairings import DynamoPairings
from ocpi_bridge.adapters.dynamodb.registry import DynamoRegistry
from ocpi_bridge.adapters.partner_http.guarded import guarded_partner_client
from ocpi_bridge.adapters.secrets.secrets_manager import SecretsManagerStore
from ocpi_bridge.domain.assignments import Assignment
from ocpi_bridge.domain.errors import BridgeError, Contended, UnknownEntity
from ocpi_bridge.domain.pairing import (
    LONGEST_VALIDITY,
    SHORTEST_VALIDITY,
    Grant,
    PairingCode,
    code_hash,
    ending_of,
    new_code,
)
from ocpi_bridge.domain.partners import Partner, Party
from ocpi_bridge.domain.registration import RegistrationRefused
from ocpi_bridge.domain.stations import Evse
from ocpi_bridge.ocpi.pairing import MAX_CODE_LENGTH, evse_fields
from ocpi_bridge.ports.clock import Clock
from ocpi_bridge.ports.partners import PartnerClient, PartnerMessage, Receipt
from ocpi_bridge.runtime.clock import SystemClock
from tools.bridge import rules

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_secretsmanager import SecretsManagerClient

# An operator waits for it, with a driver on the telephone.
CALL_BUDGET_SECONDS = 15.0
# Of a hundred million codes a few are open: two draws of an open one in a row say that something else is wrong.
DRAWS = 3

# The errors of a call that the partner may have got (adapters.bounded_http).
_ANSWER_LOST = frozenset({"timeout", "connection_lost", "protocol"})

_NOT_FOUND = 404
_PAIRED = 200


class PairingRefused(BridgeError):
    """A pairing was not done, and nothing was written. The text says why and what to do."""


class HalfPaired(BridgeError):
    """The partner has paired the charge point, and the registry has not. The text says how to complete it."""


@dataclass(frozen=True, slots=True)
class MadeCode:
    """A new code. Its clear text is here and nowhere else."""

    text: str = field(repr=False)
    stored: PairingCode


@dataclass(frozen=True, slots=True)
class Pairings:
    """Pairing in one deployment. `client` opens the client that calls partners, and closes its connections after."""

    registry: DynamoRegistry
    store: DynamoPairings
    client: Callable[[], AbstractContextManager[PartnerClient]]
    party: Party
    clock: Clock = field(default_factory=SystemClock)

    @classmethod
    def on_aws(
        cls,
        dynamodb: "DynamoDBClient",
        table: str,
        secrets_manager: "SecretsManagerClient",
        prefix: str,
        *,
        party: Party,
        allow_loopback: bool,
        ca_file: Path | None,
    ) -> Self:
        """Pairing with what a deployment keeps on AWS."""
        clock = SystemClock()

        def client() -> AbstractContextManager[PartnerClient]:
            secrets = SecretsManagerStore(lambda: secrets_manager, prefix, clock)
            return closing(guarded_partner_client(secrets, clock, allow_loopback=allow_loopback, extra_ca_file=ca_file))

        return cls(DynamoRegistry(dynamodb, table), DynamoPairings(dynamodb, table), client, party, clock)

    def make_code(self, grant: Grant, *, partner_id: str | None, validity: timedelta) -> MadeCode:
        """Makes a code for a driver, good once within `validity`, and for one partner where it is named.

        Raises UnknownEntity, PairingRefused (nobody could use it) or Contended.
        """
        if not SHORTEST_VALIDITY <= validity <= LONGEST_VALIDITY:
            raise PairingRefused("a code is valid for 1 minute to 7 days")
        now = self.clock.now()
        _check_key(grant)
        if partner_id is not None:
            self._check(grant.assignment(self._partner(partner_id).partner_id, "", now))
        elif not any(_pairs(partner) for partner in self.registry.list_partners()):
            raise PairingRefused("no partner can use a code: pairing is switched on by `pairing` in a partner's file")
        for _ in range(DRAWS):
            text = new_code()
            made = PairingCode(code_hash(text), ending_of(text), grant, now, now + validity, partner_id)
            if self.store.add(made):
                return MadeCode(text, made)
        raise Contended("no code could be stored; try again")

    def send_code(self, partner_id: str, code: str, grant: Grant) -> Assignment:
        """Tells a partner the EVSE of a driver who has a code from it; the assignment that this makes.

        Nothing is written unless the partner answers 200. What the registry would refuse is refused before the partner
        is called. Raises UnknownEntity, PairingRefused, HalfPaired or Contended.
        """
        partner = self._partner(partner_id)
        url = partner.pairing.url if partner.pairing is not None else None
        if url is None:
            raise PairingRefused(f"partner {partner_id!r} takes no codes: its file names no `pairing.url`")
        if not 0 < len(code) <= MAX_CODE_LENGTH or not (code.isascii() and code.isprintable()):
            raise PairingRefused(f"a code has 1 to {MAX_CODE_LENGTH} printable characters")
        _check_key(grant)
        assignment = grant.assignment(partner_id, ending_of(code), self.clock.now())
        self._check(assignment)
        message = PartnerMessage(
            method="POST",
            url=url,
            body={"code": code, "evse": evse_fields(self.evse(grant.evse_uid))},
            correlation_id=str(uuid.uuid4()),
            from_party=self.party,
            to_party=partner.party,
        )
        with self.client() as client:
            receipt = client.send(partner, message, CALL_BUDGET_SECONDS)
        if receipt.http_status != _PAIRED or not receipt.delivered:
            raise PairingRefused(_reason(partner_id, receipt))
        try:
            self.registry.add_assignments([assignment])
        except (RegistrationRefused, Contended) as error:
            raise HalfPaired(
                f"partner {partner_id!r} has paired the charge point, but its assignment could not be written: "
                f"{_problems(error)}; when that is settled, `bridge assignment add` completes it"
            ) from error
        return assignment

    def evse(self, evse_uid: str) -> Evse:
        """The EVSE of this uid. Raises UnknownEntity."""
        evse = self.store.evse(evse_uid)
        if evse is None:
            raise UnknownEntity("EVSE", evse_uid)
        return evse

    def _partner(self, partner_id: str) -> Partner:
        partner = self.registry.get_partner(partner_id)
        if partner is None:
            raise UnknownEntity("partner", partner_id)
        if partner.pairing is None:
            raise PairingRefused(
                f"pairing is switched off for partner {partner_id!r}; `pairing` in its file switches it on"
            )
        if not partner.connected:
            raise PairingRefused(f"partner {partner_id!r} is not connected: it is {partner.registration.value}")
        return partner

    def _check(self, assignment: Assignment) -> None:
        try:
            self.registry.check_assignments([assignment])
        except RegistrationRefused as refused:
            raise PairingRefused(_problems(refused)) from refused


def _check_key(grant: Grant) -> None:
    assignment = grant.assignment("", "", datetime.now(UTC))
    wrong = [problem.problem for problem in rules.check_assignment(assignment, "")]
    if wrong:
        raise PairingRefused(f"the {grant.scope.value} {'; '.join(wrong)}")


def _pairs(partner: Partner) -> bool:
    return partner.connected and partner.pairing is not None


def _problems(error: BridgeError) -> str:
    """What the registry says, without the places in a file that nobody gave."""
    return "; ".join(one.problem for one in error.problems) if isinstance(error, RegistrationRefused) else str(error)


def _reason(partner_id: str, receipt: Receipt) -> str:
    if receipt.http_status == _NOT_FOUND:
        return f"partner {partner_id!r} does not know this code: it may be mistyped, used already or expired"
    if receipt.error in _ANSWER_LOST:
        return (
            f"the answer of partner {partner_id!r} was lost ({receipt.error}), so nothing was written; it may have paired "
            "the charge point all the same"
        )
    if receipt.http_status is None:
        return f"partner {partner_id!r} could not be called ({receipt.error}); nothing was written"
    return f"partner {partner_id!r} did not pair it ({receipt.error or f'http_{receipt.http_status}'}); nothing was written"
