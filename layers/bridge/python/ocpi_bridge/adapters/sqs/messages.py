"""Messages as they stand in the queues."""

import json
from collections.abc import Mapping
from dataclasses import asdict, fields
from datetime import datetime
from typing import Any

from ocpi_bridge.domain.events import EventType
from ocpi_bridge.domain.requests import Whereabouts
from ocpi_bridge.ports.messages import (
    CommandMessage,
    DeadlineMessage,
    FailedDelivery,
    Message,
    OverdueSession,
    PushMessage,
    ResultMessage,
)

_ABOUT = {field.name for field in fields(Whereabouts)}


def body_of(message: Message) -> str:
    """The message's body: small JSON with ids and no contents, so that nothing stale or secret lies in a queue."""
    match message:
        case CommandMessage():
            command: dict[str, object] = {"request_id": message.request_id, "step": message.step}
            return json.dumps(command | {"about": asdict(message.about)} if message.about else command)
        case DeadlineMessage():
            return json.dumps({"request_id": message.request_id, "deadline": message.deadline.isoformat()})
        case ResultMessage():
            return json.dumps({"request_id": message.request_id, "partner_id": message.partner_id})
        case PushMessage():
            body: dict[str, object] = {"session_id": message.session_id, "partner_id": message.partner_id}
            return json.dumps(body | {"reassess": True} if message.reassess else body)
        case OverdueSession():
            ended = {
                "id": f"overdue-{message.session_id}",
                "type": EventType.TRANSACTION_ENDED.value,
                "time": message.ended_at.isoformat(),
                "station_id": message.station_id,
                "transaction_id": message.transaction_id,
                "session_id": message.session_id,
            }
            return json.dumps({"events": [ended]})
        case FailedDelivery():
            return json.dumps({name: getattr(message, name) for name in message.__slots__})


def about_of(body: Mapping[str, Any]) -> Whereabouts | None:
    """What a command's message says that its request is about; None where it does not, or in no way that is known."""
    about = body.get("about")
    if not isinstance(about, Mapping) or about.keys() != _ABOUT:
        return None
    return Whereabouts(**about) if all(isinstance(name, str) for name in about.values()) else None


def deduplication_id(message: CommandMessage | PushMessage, again: str | None) -> str:
    """What a FIFO queue knows a repetition by."""
    if isinstance(message, CommandMessage):
        parts = [message.request_id, str(message.step), str(message.attempts)]
    else:
        parts = [message.session_id, message.partner_id, message.version]
    return "-".join([*parts, again] if again else parts)[:128]


def delay_seconds(message: DeadlineMessage, now: datetime) -> int:
    """How long the queue holds the message back: until the deadline, at most SQS's 15 minutes."""
    return max(0, min(900, round((message.deadline - now).total_seconds())))
