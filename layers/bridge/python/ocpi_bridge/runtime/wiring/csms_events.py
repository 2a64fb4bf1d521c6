"""What the event door is made of."""

from dataclasses import dataclass
from datetime import timedelta

from ocpi_bridge.adapters.csms.events import parse_events
from ocpi_bridge.adapters.csms.signing import SIGNATURE_HEADER, TOLERANCE, verify_event_signature
from ocpi_bridge.adapters.dynamodb.registry import DynamoRegistry
from ocpi_bridge.adapters.secrets.secrets_manager import SecretsManagerStore
from ocpi_bridge.domain.errors import InvalidInput, UnknownEntity
from ocpi_bridge.ports import Clock, JsonObject, SecretStore
from ocpi_bridge.runtime import clients
from ocpi_bridge.runtime.clock import SystemClock
from ocpi_bridge.runtime.csms_door import Refused
from ocpi_bridge.runtime.gateway import HttpRequest
from ocpi_bridge.runtime.observability import logger
from ocpi_bridge.runtime.settings import variable

CSMS_HEADER = "x-csms-id"
# A CSMS's id is part of names of ours; what is longer is none.
MAX_CSMS_ID = 64
# Marks outlive the signatures' tolerance in both directions, so that none is taken twice.
MARK_TIME = 2 * TOLERANCE + timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class EventIntake:
    """Takes the posts of a CSMS: signed, fresh, never twice, well-formed; then they wait in the queue."""

    registry: DynamoRegistry
    secrets: SecretStore
    clock: Clock
    queue_url: str

    def take(self, request: HttpRequest) -> tuple[int, JsonObject]:
        """202 with the number of events. All of a post is taken or nothing of it."""
        csms_id = request.headers.get(CSMS_HEADER, "")
        if not 0 < len(csms_id) <= MAX_CSMS_ID:
            raise InvalidInput("X-CSMS-Id", "is missing or too long")
        now = self.clock.now()
        signature = self._verified(csms_id, request)
        events = parse_events(csms_id, request.body)
        if not self.registry.mark_signature(csms_id, signature, now + MARK_TIME):
            raise Refused(409, "this signature was used before; sign each attempt anew")
        try:
            clients.sqs().send_message(
                QueueUrl=self.queue_url,
                MessageBody=request.body.decode(),
                MessageAttributes={"csms_id": {"DataType": "String", "StringValue": csms_id}},
            )
        except Exception:
            self.registry.forget_signature(csms_id, signature)
            raise
        return 202, {"accepted": len(events)}

    def _verified(self, csms_id: str, request: HttpRequest) -> str:
        """The signature that names this post. The key is read again once: it may have been replaced.

        Every refusal reads the same: whoever cannot sign learns nothing of which CSMSs exist.
        """
        header = request.headers.get(SIGNATURE_HEADER.lower())
        for fresh in (False, True):
            try:
                key = self.secrets.csms_secrets(csms_id, fresh=fresh).event_key
                return verify_event_signature(header, request.body, key, self.clock.now())
            except (InvalidInput, UnknownEntity) as error:
                logger.warning("event.refused", extra={"csms_id": csms_id, "reason": str(error)})
        raise Refused(401, "unknown CSMS, or the signature is missing, too old or wrong")


def event_intake() -> EventIntake:
    """The event door."""
    clock = SystemClock()
    return EventIntake(
        registry=DynamoRegistry(clients.dynamodb(), variable("REGISTRY_TABLE")),
        secrets=SecretsManagerStore(clients.secrets_manager, variable("SECRETS_PREFIX"), clock),
        clock=clock,
        queue_url=variable("CSMS_EVENTS_QUEUE_URL"),
    )
