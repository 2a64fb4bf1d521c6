"""The queues between the functions, each with a dead-letter queue."""

from dataclasses import dataclass
from typing import Final

from aws_cdk import Duration
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.constructs.acknowledgements import acknowledge
from infra.stages import StageSettings

WORKER_TIMEOUT: Final = Duration.seconds(30)
"""Longest run of a worker: one call of a partner with its retries inside one attempt fits in."""

WORKER_VISIBILITY: Final = Duration.seconds(180)
"""Six times the workers' timeout, as Lambda advises: a batch may wait for a free worker after it was taken."""

COMMAND_VISIBILITY: Final = Duration.seconds(30)
"""Just above the sender's timeout: a sender that is lost must not block its station past the command's deadline."""

DELIVERY_TIMEOUT: Final = Duration.seconds(12)
"""One attempt at a partner takes 8 s at the most; results are small and leave one by one."""

DELIVERY_VISIBILITY: Final = Duration.seconds(72)
"""Six times that, and still within the timeout that partners are told."""

COMMAND_TRIES: Final = 20
"""A station that is busy with another call makes the sender come back; its deadline ends that, not this number."""

RESULT_TRIES: Final = 20
"""Partner calls inside the announced timeout, with a reserve for receipts that Lambda throttles."""

EVENT_TRIES: Final = 5
"""A failure that five tries do not cure is one of the message or of the code."""

KEPT: Final = Duration.days(14)
"""As long as SQS keeps a message: time for a person to come back from a holiday and look."""


@dataclass(frozen=True, slots=True)
class BridgeQueue:
    """A queue, its dead-letter queue, and how functions and operators know them.

    Attributes:
        queue: Where messages are sent to and taken from.
        dead_letters: Where they end up after too many tries.
        variable: Environment variable that holds the queue's URL.
        tries: How often a message is handed out before it ends there.
        given_up: What has happened if a message lies in the dead-letter queue, in an operator's words.

    """

    queue: sqs.Queue
    dead_letters: sqs.Queue
    variable: str
    tries: int
    given_up: str


class Queues(Construct):
    """All queues: encrypted by SQS, over TLS only."""

    def __init__(self, scope: Construct, construct_id: str, settings: StageSettings) -> None:
        super().__init__(scope, construct_id)
        self._prefix = settings.prefix
        self.charger_commands = self._pair(
            "charger-commands",
            fifo=True,
            visibility=COMMAND_VISIBILITY,
            tries=COMMAND_TRIES,
            given_up="a command did not reach the CSMS",
        )
        self.request_deadlines = self._pair(
            "request-deadlines",
            visibility=DELIVERY_VISIBILITY,
            tries=RESULT_TRIES,
            given_up="an unanswered request was not expired",
        )
        self.result_callbacks = self._pair(
            "result-callbacks",
            visibility=DELIVERY_VISIBILITY,
            tries=RESULT_TRIES,
            given_up="a result did not reach its partner",
        )
        self.partner_updates = self._pair(
            "partner-updates", fifo=True, tries=EVENT_TRIES, given_up="a session update was not pushed"
        )
        self.csms_events = self._pair(
            "csms-events", tries=EVENT_TRIES, given_up="an event of a CSMS could not be taken in"
        )
        self.relay_failures = self._queue("relay-failures", retention=KEPT)
        acknowledge(
            self.relay_failures, "SQS3", "It is where failed stream batches end; the sweep repairs what they held."
        )

    @property
    def all(self) -> tuple[BridgeQueue, ...]:
        """Every queue that has a dead-letter queue."""
        return (
            self.charger_commands,
            self.request_deadlines,
            self.result_callbacks,
            self.partner_updates,
            self.csms_events,
        )

    def _pair(
        self, name: str, *, tries: int, given_up: str, fifo: bool = False, visibility: Duration = WORKER_VISIBILITY
    ) -> BridgeQueue:
        dead_letters = self._queue(f"{name}-dlq", fifo=fifo, retention=KEPT)
        queue = self._queue(
            name,
            fifo=fifo,
            visibility=visibility,
            dead_letters=sqs.DeadLetterQueue(max_receive_count=tries, queue=dead_letters),
        )
        return BridgeQueue(queue, dead_letters, f"{name.upper().replace('-', '_')}_QUEUE_URL", tries, given_up)

    def _queue(
        self,
        name: str,
        *,
        fifo: bool = False,
        visibility: Duration | None = None,
        retention: Duration | None = None,
        dead_letters: sqs.DeadLetterQueue | None = None,
    ) -> sqs.Queue:
        return sqs.Queue(
            self,
            name,
            queue_name=f"{self._prefix}-{name}.fifo" if fifo else f"{self._prefix}-{name}",
            fifo=fifo or None,
            # Limits and de-duplication count per station or session, not for the queue as a whole.
            deduplication_scope=sqs.DeduplicationScope.MESSAGE_GROUP if fifo else None,
            fifo_throughput_limit=sqs.FifoThroughputLimit.PER_MESSAGE_GROUP_ID if fifo else None,
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            visibility_timeout=visibility,
            retention_period=retention,
            dead_letter_queue=dead_letters,
        )
