"""Erasure of a person's sessions. Every step may be repeated, and what was interrupted is completed by doing it again."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ocpi_bridge.adapters.dynamodb import persons, session_items, tables
from ocpi_bridge.adapters.dynamodb.sessions import DynamoSessionStore
from ocpi_bridge.domain.errors import Contended
from ocpi_bridge.domain.events import IdToken
from ocpi_bridge.domain.sessions import Session
from ocpi_bridge.domain.values import dataclass

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

# DynamoDB's limits for one BatchGetItem and one BatchWriteItem.
READ_LIMIT = 100
WRITE_LIMIT = 25
# Events come once in some seconds: whoever is too late this often in a row should look at what else is writing.
WRITE_ATTEMPTS = 5
# BatchWriteItem may leave deletions undone under load.
WRITE_ROUNDS = 10


@dataclass(frozen=True, slots=True)
class PersonSessions:
    """The sessions of a person, by id. `over` can be erased; of those the session itself may be gone already."""

    over: tuple[str, ...]
    live: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DynamoErasure:
    """Erases from the sessions table. `pause` waits some seconds where DynamoDB is too busy."""

    client: "DynamoDBClient"
    sessions: str
    registry: str
    pause: Callable[[float], None]

    def find(self, token: IdToken) -> PersonSessions:
        """The sessions that the token, or its contract, charged in. A query for each of the two."""
        ids = self._ids(token)
        known = self._known(ids)
        live = tuple(one for one in ids if one in known and not known[one].over)
        return PersonSessions(over=tuple(one for one in ids if one not in live), live=live)

    def forget(self, session_id: str, token: IdToken) -> None:
        """Deletes all that is stored of a session that is over, at last what it is found by.

        What a worker that read it before writes in the same seconds is deleted too if it comes before the end of this,
        and else goes by its own expiry. Raises Contended.
        """
        session = self._known([session_id]).get(session_id)
        found_by = {*persons.persons_of(token), *persons.persons_of(session.token if session else None)}
        if session is not None:
            self._forget_transaction(session)
        partition = session_items.session_key(session_id)[0]
        while keys := self._keys(partition):
            self._delete(keys)
        self._delete([(person, session_id) for person in sorted(found_by)])

    def unname(self, session_id: str, at: datetime) -> None:
        """Takes the token out of a session that is not over: from now on its partners are told a pseudonym of nobody.

        What it is found by stays, for when it is over. Nothing happens to one that is over, or gone. Raises Contended.
        """
        store = DynamoSessionStore(self.client, self.sessions, self.registry)
        for _ in range(WRITE_ATTEMPTS):
            before = self._known([session_id]).get(session_id)
            if before is None or before.over or before.token is None:
                return
            updated = max(at, before.last_updated)
            after = replace(before, token=None, version=before.version + 1, last_updated=updated)
            if store.update(before, after, None):
                return
        raise Contended("events keep changing a session; trying again goes on where this ended")

    def _ids(self, token: IdToken) -> list[str]:
        found: dict[str, None] = {}
        for person in persons.persons_of(token):
            found |= dict.fromkeys(sk for _, sk in self._keys(person))
        return list(found)

    def _known(self, session_ids: Sequence[str]) -> dict[str, Session]:
        found: dict[str, Session] = {}
        for first in range(0, len(session_ids), READ_LIMIT):
            part = session_ids[first : first + READ_LIMIT]
            keys = {(self.sessions, *session_items.session_key(one)): one for one in part}
            items = tables.get_many(self.client, keys)
            found |= {keys[key]: session_items.session_of(item) for key, item in items.items()}
        return found

    def _keys(self, partition: str) -> list[tuple[str, str]]:
        pages = self.client.get_paginator("query").paginate(
            TableName=self.sessions,
            KeyConditionExpression="pk = :pk",
            ProjectionExpression="pk, sk",
            ExpressionAttributeValues=tables.values(pk=partition),
            ConsistentRead=True,
        )
        items = [tables.from_item(item) for page in pages for item in page["Items"]]
        return [(item["pk"], item["sk"]) for item in items]

    def _forget_transaction(self, session: Session) -> None:
        """What the transaction and the place lead by, unless another session has come there since."""
        transaction = session_items.transaction_key(session.csms_id, session.station_id, session.transaction_id)
        for key in (transaction, session_items.car_key(session)):
            with suppress(self.client.exceptions.ConditionalCheckFailedException):
                self.client.delete_item(
                    TableName=self.sessions,
                    Key=tables.key(*key),
                    ConditionExpression="session_id = :session_id",
                    ExpressionAttributeValues=tables.values(session_id=session.session_id),
                )

    def _delete(self, keys: Sequence[tuple[str, str]]) -> None:
        for first in range(0, len(keys), WRITE_LIMIT):
            part = keys[first : first + WRITE_LIMIT]
            left: Any = {self.sessions: [{"DeleteRequest": {"Key": tables.key(*key)}} for key in part]}
            for attempt in range(WRITE_ROUNDS):
                left = self.client.batch_write_item(RequestItems=left)["UnprocessedItems"]
                if not left:
                    break
                self.pause(0.05 * 2**attempt)
            else:
                raise Contended("DynamoDB left deletions undone; trying again goes on where this ended")
