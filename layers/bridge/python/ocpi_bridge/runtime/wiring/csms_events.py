"""What the event door is made of."""

from datetime import timedelta

from ocpi_bridge.adapters.csms.events import parse_events
from ocpi_bridge.adapters.csms.signing import SIGNATURE_HEADER, TOLERANCE, check_event_header, verify_event_signature
from ocpi_bridge.adapters.dynamodb.signatures import DynamoSignatures
from ocpi_bridge.adapters.secrets.secrets_manager import SecretsManagerStore
from ocpi_bridge.domain.csms_ids import can_be_csms_id
from ocpi_bridge.domain.errors import InvalidInput, UnknownEntity
from ocpi_bridge.domain.values import dataclass
from ocpi_bridge.ports.clock import Clock
from ocpi_bridge.ports.json_values import JsonObject
from ocpi_bridge.runtime import clients
from ocpi_bridge.runtime.clock import SystemClock
from ocpi_bridge.runtime.csms_bodies import queued_text
from ocpi_bridge.runtime.csms_door import Refused
from ocpi_bridge.runtime.gateway import HttpRequest
from ocpi_bridge.runtime.observability import logger
from ocpi_bridge.runtime.settings import variable
from ocpi_bridge.runtime.wiring.csms_keys import EventKeys

CSMS_HEADER = "x-csms-id"
# Marks outlive the signatures' tolerance in both directions, so that none is taken twice.
MARK_TIME = 2 * TOLERANCE + timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class EventIntake:
    """Takes the posts of a CSMS: signed, fresh, never twice, well-formed; then they wait in the queue."""

    signatures: DynamoSignatures
    keys: EventKeys
    clock: Clock
    queue_url: str

    def take(self, request: HttpRequest) -> tuple[int, JsonObject]:
        """202 with the number of events. All of a post is taken or nothing of it."""
        csms_id = request.headers.get(CSMS_HEADER, "")
        if not can_be_csms_id(csms_id):
            raise InvalidInput("X-CSMS-Id", "is missing, or nothing that a CSMS can be called")
        now = self.clock.now()
        signature = self._verified(csms_id, request)
        events = parse_events(csms_id, request.body)
        text = queued_text(request.body)
        if not self.signatures.mark(csms_id, signature, now + MARK_TIME):
            raise Refused(409, "this signature was used before; sign each attempt anew")
        try:
            clients.sqs().send_message(
                QueueUrl=self.queue_url,
                MessageBody=text,
                MessageAttributes={"csms_id": {"DataType": "String", "StringValue": csms_id}},
            )
        except Exception:
            self.signatures.forget(csms_id, signature)
            raise
        return 202, {"accepted": len(events)}

    def _verified(self, csms_id: str, request: HttpRequest) -> str:
        """The signature that names this post.

        Every refusal by key reads the same: whoever cannot sign learns nothing of which CSMSs exist.
        """
        header = request.headers.get(SIGNATURE_HEADER.lower())
        check_event_header(header, self.clock.now())
        try:
            return self.keys.checked(
                csms_id, lambda key: verify_event_signature(header, request.body, key, self.clock.now())
            )
        except (InvalidInput, UnknownEntity) as error:
            logger.warning("event.refused", extra={"csms_id": csms_id, "reason": str(error)})
        raise Refused(401, "unknown CSMS, or not signed with its key")


def event_intake() -> EventIntake:
    """The event door."""
    clock = SystemClock()
    return EventIntake(
        signatures=DynamoSignatures(clients.dynamodb(), variable("REGISTRY_TABLE")),
        keys=EventKeys(SecretsManagerStore(clients.secrets_manager, variable("SECRETS_PREFIX"), clock), clock),
        clock=clock,
        queue_url=variable("CSMS_EVENTS_QUEUE_URL"),
    )
