"""Log groups with the stage's retention."""

from typing import Final

from aws_cdk import RemovalPolicy
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.stages import StageError, StageSettings

_RETENTION: Final = {
    1: logs.RetentionDays.ONE_DAY,
    7: logs.RetentionDays.ONE_WEEK,
    14: logs.RetentionDays.TWO_WEEKS,
    30: logs.RetentionDays.ONE_MONTH,
    90: logs.RetentionDays.THREE_MONTHS,
    180: logs.RetentionDays.SIX_MONTHS,
    365: logs.RetentionDays.ONE_YEAR,
    731: logs.RetentionDays.TWO_YEARS,
}


def log_group(scope: Construct, construct_id: str, name: str, settings: StageSettings) -> logs.LogGroup:
    """Return a log group that keeps its entries as long as the stage says, and goes with the stack."""
    if settings.log_retention_days not in _RETENTION:
        choices = ", ".join(str(days) for days in _RETENTION)
        raise StageError(f"log_retention_days must be one of {choices}, not {settings.log_retention_days}")
    return logs.LogGroup(
        scope,
        construct_id,
        log_group_name=name,
        retention=_RETENTION[settings.log_retention_days],
        removal_policy=RemovalPolicy.DESTROY,
    )
