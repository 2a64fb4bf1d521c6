"""The bus between the bridge and CSMSs on AWS: what they are told, and what they report (docs/csms-bus.md)."""

from typing import Final

from aws_cdk import Duration
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from constructs import Construct

from infra.constructs.function import BridgeFunction
from infra.constructs.queues import Queues
from infra.stages import StageSettings

REPORTS: Final = "csms.events"
"""The detail-type of what CSMSs report; everything else on the bus is for them."""

REPORTS_KEPT: Final = Duration.hours(24)
"""For so long EventBridge tries to hand a report on, as long as it can; a queue is hardly ever away for minutes."""


class CsmsBus(Construct):
    """An EventBridge bus of the stage. The CPO attaches the rules that carry its events on to a CSMS.

    What CSMSs report on it goes to the queue of events, whatever account it is from; which account may report for which
    CSMS is decided where the registry can be read.

    Attributes:
        name: Name of the bus; fixed for a stage, so that rules of another stack can name it.

    """

    def __init__(self, scope: Construct, construct_id: str, settings: StageSettings, *, queues: Queues) -> None:
        super().__init__(scope, construct_id)
        self.name = f"{settings.prefix}-csms"
        self._bus = events.EventBus(
            self,
            "Bus",
            event_bus_name=self.name,
            description="What the OCPI bridge tells CSMSs, such as a driver's charging preferences, and what they report.",
        )
        events.Rule(
            self,
            "Reports",
            rule_name=f"{self.name}-reports",
            description="What CSMSs report about their stations.",
            event_bus=self._bus,
            event_pattern=events.EventPattern(detail_type=[REPORTS]),
            targets=[
                targets.SqsQueue(
                    queues.csms_events.queue,
                    dead_letter_queue=queues.csms_events.dead_letters,
                    max_event_age=REPORTS_KEPT,
                )
            ],
        )
        for account in settings.csms_bus_accounts:
            self._let_report(account)

    def let_publish(self, function: BridgeFunction) -> None:
        """Let the function publish on it, and tell it the bus's name."""
        function.set(CSMS_BUS_NAME=self._bus.event_bus_name)
        self._bus.grant_put_events_to(function.function)

    def _let_report(self, account: str) -> None:
        """Let another account put reports on the bus, and nothing that would pass for the bridge's own word."""
        self._bus.add_to_resource_policy(
            iam.PolicyStatement(
                sid=f"Reports{account}",
                principals=[iam.AccountPrincipal(account)],
                actions=["events:PutEvents"],
                resources=[self._bus.event_bus_arn],
                conditions={"StringEquals": {"events:detail-type": REPORTS}},
            )
        )
