"""What happens each minute: the sweep wakes what a stream dropped or what has become due."""

from typing import Final

from aws_cdk import Duration
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from constructs import Construct

from infra.constructs.function import BridgeFunction, FunctionDefaults
from infra.constructs.queues import WORKER_TIMEOUT, Queues
from infra.constructs.tables import DUE_INDEX, LIVE_INDEX, OPEN_INDEX, Tables

EVERY: Final = Duration.minutes(1)
"""The shortest that EventBridge offers."""


class Schedule(Construct):
    """The sweep and its rule. A run that fails is not tried again: the next one does the same work."""

    def __init__(
        self, scope: Construct, construct_id: str, defaults: FunctionDefaults, *, tables: Tables, queues: Queues
    ) -> None:
        super().__init__(scope, construct_id)
        self.sweep = BridgeFunction(
            self,
            "sweep",
            defaults,
            description="Wakes what is due and what was dropped.",
            timeout=WORKER_TIMEOUT,
            memory_mb=defaults.settings.worker_memory_mb,
            traced=defaults.settings.trace_workers,
        )
        self.sweep.query_index(tables.requests, OPEN_INDEX)
        self.sweep.use_table(tables.requests, "BatchGetItem")
        self.sweep.query_index(tables.sessions, DUE_INDEX)
        self.sweep.query_index(tables.sessions, LIVE_INDEX)
        self.sweep.use_table(tables.sessions, "BatchGetItem", "UpdateItem")
        self.sweep.use_table(tables.registry, "Query", "PutItem", "UpdateItem", "DeleteItem")
        self.sweep.send_to(
            queues.charger_commands,
            queues.request_deadlines,
            queues.result_callbacks,
            queues.partner_updates,
            queues.csms_events,
        )
        self.sweep.alias.configure_async_invoke(retry_attempts=0, max_event_age=EVERY)
        events.Rule(
            self,
            "EachMinute",
            description="Starts the sweep.",
            schedule=events.Schedule.rate(EVERY),
            targets=[targets.LambdaFunction(self.sweep.alias, retry_attempts=0, max_event_age=EVERY)],
        )
