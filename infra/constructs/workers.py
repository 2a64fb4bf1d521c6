"""The functions behind streams and queues."""

from typing import Final

from aws_cdk import Aws, Duration
from constructs import Construct

from infra.constructs.csms_bus import CsmsBus
from infra.constructs.function import BridgeFunction, FunctionDefaults
from infra.constructs.queues import DELIVERY_TIMEOUT, WORKER_TIMEOUT, Queues
from infra.constructs.secrets import CSMSS, PARTNERS, SIGNING, Secrets
from infra.constructs.tables import Tables
from ocpi_bridge.usecases.relay_outbox import CARRIED_ON

SENDER_TIMEOUT: Final = Duration.seconds(25)
"""A CSMS is given 20 s; the rest is for reading the request before and writing the outcome after."""

EVENTS_AT_ONCE: Final = 10
"""Events are small and independent of each other, so a busy CSMS needs fewer runs."""


class Workers(Construct):
    """Relay, sender, deliverer, event intake and pusher.

    Args:
        csms_api_url: Where a CSMS posts its answers; the sender puts it into what it asks for.

    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        defaults: FunctionDefaults,
        *,
        tables: Tables,
        queues: Queues,
        secrets: Secrets,
        bus: CsmsBus,
        csms_api_url: str,
    ) -> None:
        super().__init__(scope, construct_id)
        self._defaults = defaults
        self._tables = tables
        self._queues = queues
        self._secrets = secrets
        self._bus = bus
        self.functions = (
            self._relay_outbox(),
            self._send_charger_commands(csms_api_url),
            self._deliver_results(),
            self._ingest_csms_events(),
            self._push_updates(),
        )

    def _relay_outbox(self) -> BridgeFunction:
        queues = self._queues
        relay = self._function("relay_outbox", "Carries changes of items on to the queues.")
        relay.follow(self._tables.sessions, "session", "preferences", failures=queues.relay_failures)
        relay.follow(
            self._tables.requests,
            "request",
            failures=queues.relay_failures,
            only={"state": CARRIED_ON, "delivery_attempts": 0},
        )
        self._bus.let_publish(relay)
        relay.send_to(
            queues.charger_commands, queues.request_deadlines, queues.result_callbacks, queues.partner_updates
        )
        return relay

    def _send_charger_commands(self, csms_api_url: str) -> BridgeFunction:
        sender = self._function("send_charger_commands", "Sends commands to the CSMS.", timeout=SENDER_TIMEOUT)
        sender.use_table(self._tables.requests, "BatchGetItem", "PutItem", "UpdateItem")
        sender.use_table(self._tables.sessions, "BatchGetItem", "UpdateItem")
        sender.use_table(self._tables.registry, "BatchGetItem", "UpdateItem")
        self._bus.let_publish(sender)
        sender.read_secrets(self._secrets, CSMSS, SIGNING)
        sender.consume(self._queues.charger_commands, batch_size=1, concurrency=self._concurrency, defers=True)
        sender.set(CSMS_API_URL=csms_api_url)
        return sender

    def _deliver_results(self) -> BridgeFunction:
        deliverer = self._function(
            "deliver_results", "Expires unanswered requests and posts results to partners.", timeout=DELIVERY_TIMEOUT
        )
        deliverer.use_table(self._tables.requests, "BatchGetItem", "UpdateItem")
        deliverer.use_table(self._tables.sessions, "UpdateItem")
        deliverer.use_table(self._tables.registry, "BatchGetItem", "UpdateItem")
        deliverer.read_secrets(self._secrets, PARTNERS)
        deliverer.consume(self._queues.result_callbacks, batch_size=1, concurrency=self._concurrency, defers=True)
        deliverer.consume(self._queues.request_deadlines, batch_size=1, concurrency=self._concurrency, defers=True)
        return deliverer

    def _ingest_csms_events(self) -> BridgeFunction:
        intake = self._function("ingest_csms_events", "Turns events of CSMSs into sessions.")
        intake.use_table(self._tables.registry, "BatchGetItem", "PutItem", "UpdateItem")
        intake.use_table(self._tables.sessions, "BatchGetItem", "DeleteItem", "PutItem", "Query", "UpdateItem")
        # Answers of charge points that come as events, and questions to a station that is new.
        intake.use_table(self._tables.requests, "BatchGetItem", "PutItem", "UpdateItem")
        # The bus tells of which account a report is; the bridge's own may report for every CSMS.
        intake.set(ACCOUNT_ID=Aws.ACCOUNT_ID)
        intake.consume(self._queues.csms_events, batch_size=EVENTS_AT_ONCE, concurrency=self._concurrency)
        return intake

    def _push_updates(self) -> BridgeFunction:
        pusher = self._function("push_updates", "Pushes the newest state of sessions to partners.")
        pusher.use_table(self._tables.sessions, "BatchGetItem", "DeleteItem", "PutItem", "Query", "UpdateItem")
        pusher.use_table(self._tables.requests, "BatchGetItem", "PutItem")
        pusher.use_table(self._tables.registry, "BatchGetItem", "UpdateItem")
        pusher.read_secrets(self._secrets, PARTNERS, SIGNING)
        pusher.consume(self._queues.partner_updates, batch_size=1, concurrency=self._concurrency, defers=True)
        return pusher

    @property
    def _concurrency(self) -> int:
        return self._defaults.settings.worker_concurrency

    def _function(self, name: str, description: str, *, timeout: Duration = WORKER_TIMEOUT) -> BridgeFunction:
        return BridgeFunction(
            self,
            name,
            self._defaults,
            description=description,
            timeout=timeout,
            memory_mb=self._defaults.settings.worker_memory_mb,
            reserved=self._defaults.settings.worker_reserved_concurrency,
            traced=self._defaults.settings.trace_workers,
        )
