"""An item was written: the messages that carry it on. Nobody writes an item and then sends a message by himself."""

from collections.abc import Sequence

from ocpi_bridge.domain.preferences import PreferencesChange
from ocpi_bridge.domain.requests import UNDELIVERED_RESULT, Origin, Request, RequestKind, RequestState, Result
from ocpi_bridge.domain.sessions import Session
from ocpi_bridge.ports.bus import CsmsBus
from ocpi_bridge.ports.messages import CommandMessage, DeadlineMessage, Message, Outbox, PushMessage, ResultMessage
from ocpi_bridge.usecases.announce_preferences import announcement

Change = Request | Session | PreferencesChange

# States of requests that may call for a message, before a delivery was begun. The stream leaves the rest out
# (infra/constructs/workers.py): a run of the relay for each of them would cost, and do nothing.
CARRIED_ON = (RequestState.PENDING, RequestState.ANSWERED, RequestState.EXPIRED)


def relay_outbox(outbox: Outbox, bus: CsmsBus, changes: Sequence[Change]) -> list[Change]:
    """Sends what the changed items call for; gives those that called for a message.

    Raises when anything was not taken; all of it is then relayed again.
    """
    called_for = [(change, messages_for(change)) for change in changes]
    messages = [message for _, wanted in called_for for message in wanted]
    if messages:
        outbox.send(messages)
    events = [announcement(change) for change in changes if isinstance(change, PreferencesChange)]
    if events:
        bus.publish(events)
    return [change for change, wanted in called_for if wanted]


def messages_for(change: Change) -> list[Message]:
    """The messages that an item's new state calls for."""
    if isinstance(change, PreferencesChange):
        return []
    if isinstance(change, Session):
        return [PushMessage(change.session_id, partner_id, str(change.version)) for partner_id in change.concerns]
    if change.origin is Origin.BRIDGE and change.state in UNDELIVERED_RESULT:
        # Nothing to deliver: whoever watches the session for the partner goes on from here.
        return _watched(change) if change.partner_id else []
    match change.state:
        case RequestState.PENDING:
            command = CommandMessage(
                change.request_id, change.step, change.attempts, change.station_key, change.whereabouts
            )
            first = change.step == 0 and change.attempts == 0
            return [command, DeadlineMessage(change.request_id, change.deadline)] if first else [command]
        case RequestState.ANSWERED if _has_delivery(change) and change.delivery.attempts == 0:
            result = ResultMessage(change.request_id, change.partner_id or "")
            return [result, *_watched(change)] if _leaves_a_duty(change) else [result]
        case RequestState.EXPIRED if change.delivery.attempts == 0 and _leaves_a_duty(change):
            return _watched(change)
        case _:
            return []


def _watched(request: Request) -> list[Message]:
    return [PushMessage(request.session_id, request.partner_id or "", request.request_id)]


def _leaves_a_duty(request: Request) -> bool:
    """Whether the end of a partner's request leaves something to do or to find out at its charge point.

    Its outcome may be unknown (design decision 16), its plan may need renewal (15), or the CPO's limit cut it (14).
    """
    if request.kind is RequestKind.GET or not request.attempts:
        return False
    reduced = request.fitted_to is not None and request.fitted_to.reduces
    return request.result is not Result.ACCEPTED or request.fail_safe_at is not None or reduced


def _has_delivery(request: Request) -> bool:
    return request.origin is Origin.PARTNER and request.state in UNDELIVERED_RESULT
