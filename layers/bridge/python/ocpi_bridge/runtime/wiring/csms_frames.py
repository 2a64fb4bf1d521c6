"""What the door for raw frames is made of."""

from ocpi_bridge.adapters.csms.frames.posts import count_frames
from ocpi_bridge.adapters.csms.signing import can_be_frames_token, verify_frames_token
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

FORM = "frames"


@dataclass(frozen=True, slots=True)
class FrameIntake:
    """Takes what a CitrineOS posts to its secret URL; it waits in the queue as it came, with when it came.

    The same post may be taken twice: frames carry no signature, and what follows from one follows once.
    """

    keys: EventKeys
    clock: Clock
    queue_url: str

    def take(self, request: HttpRequest) -> tuple[int, JsonObject]:
        """202 with the number of frames. All of a post is taken or nothing of it; its frames are read later."""
        csms_id = request.path_parameters.get("csms_id", "")
        self._check(csms_id, request.path_parameters.get("token", ""))
        frames = count_frames(request.body)
        # Connections carry no time of their own, and must not seem newer for having waited.
        attributes = {"csms_id": csms_id, "form": FORM, "received_at": self.clock.now().isoformat()}
        clients.sqs().send_message(
            QueueUrl=self.queue_url,
            MessageBody=queued_text(request.body),
            MessageAttributes={
                name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()
            },
        )
        return 202, {"accepted": frames}

    def _check(self, csms_id: str, token: str) -> None:
        """Every refusal reads the same: whoever does not have the URL learns nothing of which CSMSs exist."""

        def check(key: str) -> None:
            if not verify_frames_token(csms_id, token, key):
                raise InvalidInput("token", "is not this CSMS's")

        if can_be_csms_id(csms_id) and can_be_frames_token(token):
            try:
                self.keys.checked(csms_id, check)
            except (InvalidInput, UnknownEntity) as error:
                logger.warning("frames.refused", extra={"csms_id": csms_id, "reason": str(error)})
            else:
                return
        raise Refused(403, "not an address that was given to a CSMS")


def frame_intake() -> FrameIntake:
    """The door for raw frames."""
    clock = SystemClock()
    secrets = SecretsManagerStore(clients.secrets_manager, variable("SECRETS_PREFIX"), clock)
    return FrameIntake(EventKeys(secrets, clock), clock, queue_url=variable("CSMS_EVENTS_QUEUE_URL"))
