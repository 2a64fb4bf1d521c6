"""Frames that wait for their other half, in the registry table, and which transaction runs where, by its sessions.

    FRAME#{csms_id}#{station_id}   CALL#{message id}   call, call_at, result, result_at, expires_at
                                   KEPT#{name}         call, call_at, expires_at

Instants are epoch milliseconds. Items carry id tags, so they go soon: their time to live is FRAME_LIFETIME.
"""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from ocpi_bridge.adapters.dynamodb import tables
from ocpi_bridge.adapters.dynamodb.instants import epoch_ms, from_epoch_ms
from ocpi_bridge.domain.stations import find_outlet
from ocpi_bridge.domain.values import dataclass
from ocpi_bridge.ports.frames import Exchange, ExchangePart, KeptFrame
from ocpi_bridge.ports.sessions import SessionStore

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

# A CSMS answers a call within seconds; the rest is for posts that our queue brings late.
FRAME_LIFETIME = timedelta(minutes=15)
# A session begins when its transaction does, by the station's clock to the millisecond; other reports of the station may
# have their times cut to the second.
START_TOLERANCE = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class DynamoFrameStore:
    """See FrameStore. One call each."""

    client: "DynamoDBClient"
    registry: str

    def exchange(self, csms_id: str, station_id: str, part: ExchangePart, frame: KeptFrame) -> Exchange:
        """See FrameStore."""
        item = self._write((_partition(csms_id, station_id), f"CALL#{frame.message_id}"), part, frame)
        return Exchange(call=_frame(item, ExchangePart.CALL), result=_frame(item, ExchangePart.RESULT))

    def keep(self, csms_id: str, station_id: str, name: str, frame: KeptFrame) -> None:
        """See FrameStore."""
        self._write((_partition(csms_id, station_id), f"KEPT#{name}"), ExchangePart.CALL, frame)

    def kept(self, csms_id: str, station_id: str, name: str) -> KeptFrame | None:
        """See FrameStore."""
        key = (self.registry, _partition(csms_id, station_id), f"KEPT#{name}")
        return _frame(tables.get_many(self.client, [key]).get(key, {}), ExchangePart.CALL)

    def _write(self, key: tuple[str, str], part: ExchangePart, frame: KeptFrame) -> dict[str, Any]:
        """Writes one part unless a newer one stands there; the item as it is then, empty where one does."""
        try:
            answer = self.client.update_item(
                TableName=self.registry,
                Key=tables.key(*key),
                UpdateExpression="SET entity = :entity, #part = :frame, #at = :at, expires_at = :expires_at",
                ConditionExpression="attribute_not_exists(#at) OR #at <= :at",
                ExpressionAttributeNames={"#part": part, "#at": f"{part}_at"},
                ExpressionAttributeValues=tables.values(
                    entity="frame",
                    # Numbers as text: whoever reads OCPP takes both, and some of a station's are too large for JSON.
                    frame=json.dumps(
                        {"message_id": frame.message_id, "action": frame.action, "payload": frame.payload}, default=str
                    ),
                    at=epoch_ms(frame.at),
                    expires_at=int((frame.at + FRAME_LIFETIME).timestamp()),
                ),
                ReturnValues="ALL_NEW",
            )
        except self.client.exceptions.ConditionalCheckFailedException:
            return {}
        return tables.from_item(answer["Attributes"])


@dataclass(frozen=True, slots=True)
class SessionTransactions:
    """LiveTransactions by the sessions that are not over: two calls, and one where the station has none."""

    sessions: SessionStore

    def transaction_at(
        self, csms_id: str, station_id: str, connector_id: int | None, evse_id: int | None, at: datetime
    ) -> str | None:
        """See LiveTransactions. One whose place was taken by another car meanwhile is not looked at."""
        live = [
            session
            for session in self.sessions.live_at(csms_id, station_id)
            if session.superseded_at is None and session.start <= at + START_TOLERANCE
        ]
        station = self.sessions.place(csms_id, station_id).station if live else None
        outlet = find_outlet(station, connector_id, evse_id) if station else None
        here = [one for one in live if outlet is not None and one.evse_uid == outlet.evse.uid]
        newest = max(here, key=lambda one: one.start, default=None)
        return None if newest is None else newest.transaction_id


def _partition(csms_id: str, station_id: str) -> str:
    return f"FRAME#{csms_id}#{station_id}"


def _frame(item: Mapping[str, Any], part: ExchangePart) -> KeptFrame | None:
    if part not in item:
        return None
    content = json.loads(item[part], parse_float=Decimal)
    return KeptFrame(
        message_id=content["message_id"],
        at=from_epoch_ms(item[f"{part}_at"]),
        payload=content["payload"],
        action=content["action"],
    )
