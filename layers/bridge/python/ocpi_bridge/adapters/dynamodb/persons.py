"""Persons in the sessions table: which sessions a token or a contract charged in, so that they can be erased by it.

| pk                                       | sk           | entity |                                                      |
|------------------------------------------|--------------|--------|------------------------------------------------------|
| PERSON#{kind}#{sha256 of the folded id}  | {session_id} | person | nothing more: a session with this token, or contract |

A hash without salt hides an id from whoever glances at the table, not from somebody who tries all ids. It stands here so
that the id itself stands in one place, the session, which erasure removes.
"""

import hashlib
from typing import Any

from ocpi_bridge.adapters.dynamodb import instants, session_items
from ocpi_bridge.domain.events import IdToken
from ocpi_bridge.domain.sessions import Session


def persons_of(token: IdToken | None) -> tuple[str, ...]:
    """The partitions of a token: its uid's, and its contract's if it has one. Ids are compared without case."""
    if token is None:
        return ()
    contracts = () if token.contract_id is None else (_partition("CONTRACT", token.contract_id),)
    return (_partition("TOKEN", token.uid), *contracts)


def person_items(session: Session) -> list[dict[str, Any]]:
    """The items by which the session is found for its person; none as long as no token is known."""
    expires_at = instants.expiry(session.last_updated, session_items.RETENTION.sessions)
    return [
        {"pk": person, "sk": session.session_id, "entity": "person", "expires_at": expires_at}
        for person in persons_of(session.token)
    ]


def newly_known(before: Session, after: Session) -> list[dict[str, Any]]:
    """The items that a change of the session makes: where a token is new, and at the end, when they live on with it.

    In between they stay as they were, so that a meter reading is one write.
    """
    ended = after.over and not before.over
    return person_items(after) if ended or after.token != before.token else []


def _partition(kind: str, identity: str) -> str:
    return f"PERSON#{kind}#{hashlib.sha256(identity.casefold().encode()).hexdigest()}"
