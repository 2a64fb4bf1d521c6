"""Alarms that say what happened, all to one topic."""

from collections.abc import Iterable
from typing import Final

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.constructs.function import BridgeFunction
from infra.constructs.queues import Queues
from infra.stages import StageSettings

LOOK_EVERY: Final = Duration.minutes(1)
ERRORS_WITHIN: Final = Duration.minutes(5)


class Alarms(Construct):
    """A message that was given up, and a function that raised: both want a person to look.

    Subscribe to the topic (stack output AlarmTopicArn) what reaches your operators.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        settings: StageSettings,
        *,
        queues: Queues,
        functions: Iterable[BridgeFunction],
    ) -> None:
        super().__init__(scope, construct_id)
        self._prefix = settings.prefix
        self.topic = self._topic()
        for pair in queues.all:
            self._filled(pair.queue.node.id, pair.dead_letters, pair.given_up)
        self._filled("relay-failures", queues.relay_failures, "a change of an item was not relayed")
        for function in functions:
            self._raised(function)

    def _topic(self) -> sns.Topic:
        # CloudWatch cannot publish to a topic under the key that AWS manages for SNS: its policy does not name it.
        key = kms.Key(
            self,
            "Key",
            description=f"Encrypts the alarms of {self._prefix}.",
            enable_key_rotation=True,
            removal_policy=RemovalPolicy.DESTROY,
        )
        key.grant_encrypt_decrypt(iam.ServicePrincipal("cloudwatch.amazonaws.com"))
        return sns.Topic(self, "Topic", topic_name=f"{self._prefix}-alarms", master_key=key, enforce_ssl=True)

    def _filled(self, name: str, queue: sqs.Queue, what_happened: str) -> None:
        self._alarm(
            f"{name}-filled",
            what_happened,
            f"Messages lie in {queue.node.id}.",
            queue.metric_approximate_number_of_messages_visible(period=LOOK_EVERY, statistic="Maximum"),
        )

    def _raised(self, function: BridgeFunction) -> None:
        self._alarm(
            f"{function.name}-raised",
            f"{function.name} raised an error",
            f"See the log of {function.name}: a bug, a missing right, or a service of AWS that failed.",
            function.alias.metric_errors(period=ERRORS_WITHIN),
        )

    def _alarm(self, construct_id: str, what_happened: str, description: str, metric: cloudwatch.Metric) -> None:
        alarm = cloudwatch.Alarm(
            self,
            construct_id,
            alarm_name=f"{self._prefix}: {what_happened}",
            alarm_description=description,
            metric=metric,
            threshold=1,
            evaluation_periods=1,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
        alarm.add_alarm_action(actions.SnsAction(self.topic))
