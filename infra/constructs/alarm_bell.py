"""What makes an alarm: its name, its words, its topic, and the severity that it belongs to."""

from dataclasses import dataclass
from typing import Final

from aws_cdk import RemovalPolicy
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from constructs import Construct

from infra.constructs.metrics import unlabelled
from infra.stages import StageSettings

RUNBOOK: Final = "docs/operations.md"

PAGE: Final = "page"
"""Cars do not follow their plans, or a partner's calls fail: a person is needed now."""
TICKET: Final = "ticket"
"""Something is to be looked at on a working day."""


@dataclass(frozen=True, slots=True)
class Rule:
    """When a metric is bad: at or above the threshold in the last datapoints, all of them.

    `dead_man`: below the threshold instead, and where there is no data at all.
    """

    threshold: float = 1
    of_last: int = 1
    dead_man: bool = False


ANY: Final = Rule()


class AlarmBell(Construct):
    """The topics of the two severities, and the alarms that ring there.

    What pages does so once, whatever else joins in: one incident, one page. A ticket is told for each alarm, since one
    that stays open for days must not hide the next.

    The embedded AWS takes neither alarms on metric math nor composite alarms, and evaluates none of them: there those
    are left out, and what pages does so by itself.
    """

    def __init__(self, scope: Construct, construct_id: str, settings: StageSettings) -> None:
        super().__init__(scope, construct_id)
        self._settings = settings
        self._raised: dict[str, list[cloudwatch.IAlarm]] = {PAGE: [], TICKET: []}
        # CloudWatch cannot publish to a topic under the key that AWS manages for SNS: its policy does not name it.
        key = kms.Key(
            self,
            "Key",
            description=f"Encrypts the alarms of {settings.prefix}.",
            enable_key_rotation=True,
            removal_policy=RemovalPolicy.DESTROY,
        )
        key.grant_encrypt_decrypt(iam.ServicePrincipal("cloudwatch.amazonaws.com"))
        self.page_topic = self._topic("Pages", PAGE, key)
        self.ticket_topic = self._topic("Tickets", TICKET, key)

    def watch(
        self,
        scope: Construct,
        construct_id: str,
        what_happened: str,
        metric: cloudwatch.IMetric,
        severity: str,
        rule: Rule = ANY,
        *,
        words: str,
        runbook: str,
    ) -> None:
        """Raise an alarm by this metric. `words` explain it; `runbook` is the anchor of its entry in the runbook."""
        alarm = self._alarm(scope, construct_id, what_happened, metric, rule, f"{words} {RUNBOOK}#{runbook}")
        if alarm is not None:
            self._tell(alarm, severity)

    def watch_all(
        self,
        scope: Construct,
        construct_id: str,
        what_happened: str,
        metrics: dict[str, cloudwatch.IMetric],
        severity: str,
        rule: Rule,
        *,
        words: str,
        runbook: str,
    ) -> None:
        """Raise one alarm when all of these metrics, by name, are bad at once."""
        found = [
            self._alarm(
                scope,
                f"{construct_id}-{name.replace(' ', '-')}",
                f"{what_happened}, {name}",
                metric,
                rule,
                f"Only a part of the alarm {what_happened!r}. {RUNBOOK}#{runbook}",
            )
            for name, metric in metrics.items()
        ]
        parts = [alarm for alarm in found if alarm is not None]
        if self._settings.embedded or len(parts) < len(found):
            return
        composite = cloudwatch.CompositeAlarm(
            scope,
            construct_id,
            composite_alarm_name=self._name(what_happened),
            alarm_description=f"{words} {RUNBOOK}#{runbook}",
            alarm_rule=cloudwatch.AlarmRule.all_of(*parts),
        )
        self._tell(composite, severity)

    def severities(self) -> list[cloudwatch.IAlarm]:
        """Sum all alarms so far up in one a severity, and return these first, then all the others."""
        alarms = [*self._raised[PAGE], *self._raised[TICKET]]
        return alarms if self._settings.embedded else [self._severity(PAGE), self._severity(TICKET), *alarms]

    def _alarm(
        self,
        scope: Construct,
        construct_id: str,
        what_happened: str,
        metric: cloudwatch.IMetric,
        rule: Rule,
        description: str,
    ) -> cloudwatch.Alarm | None:
        if self._settings.embedded and isinstance(metric, cloudwatch.MathExpression):
            return None
        comparison, missing = cloudwatch.ComparisonOperator, cloudwatch.TreatMissingData
        return cloudwatch.Alarm(
            scope,
            construct_id,
            alarm_name=self._name(what_happened),
            alarm_description=description,
            metric=unlabelled(metric) if isinstance(metric, cloudwatch.Metric) else metric,
            threshold=rule.threshold,
            evaluation_periods=rule.of_last,
            comparison_operator=(
                comparison.LESS_THAN_THRESHOLD if rule.dead_man else comparison.GREATER_THAN_OR_EQUAL_TO_THRESHOLD
            ),
            treat_missing_data=missing.BREACHING if rule.dead_man else missing.NOT_BREACHING,
        )

    def _tell(self, alarm: cloudwatch.AlarmBase, severity: str) -> None:
        self._raised[severity].append(alarm)
        if severity == TICKET:
            alarm.add_alarm_action(actions.SnsAction(self.ticket_topic))
        elif self._settings.embedded:
            alarm.add_alarm_action(actions.SnsAction(self.page_topic))

    def _severity(self, severity: str) -> cloudwatch.CompositeAlarm:
        composite = cloudwatch.CompositeAlarm(
            self,
            severity,
            composite_alarm_name=self._name(severity),
            alarm_description=f"One alarm or more of the severity {severity}. {RUNBOOK}#two-severities",
            alarm_rule=cloudwatch.AlarmRule.any_of(*self._raised[severity]),
        )
        if severity == PAGE:
            composite.add_alarm_action(actions.SnsAction(self.page_topic))
            composite.add_ok_action(actions.SnsAction(self.page_topic))
        return composite

    def _name(self, what_happened: str) -> str:
        return f"{self._settings.prefix}: {what_happened}"

    def _topic(self, construct_id: str, severity: str, key: kms.Key) -> sns.Topic:
        return sns.Topic(
            self, construct_id, topic_name=f"{self._settings.prefix}-{severity}s", master_key=key, enforce_ssl=True
        )
