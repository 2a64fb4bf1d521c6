"""Questions to the logs that come up again and again, kept in CloudWatch Logs Insights."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.constructs.function import BridgeFunction
from infra.stages import StageSettings

PASTE: Final = "paste an id here"


@dataclass(frozen=True, slots=True)
class Question:
    """A question, and its query in the vocabulary of ocpi_bridge.runtime.observability."""

    name: str
    lines: tuple[str, ...]


QUESTIONS: Final = (
    Question(
        "one request from call to result",
        (
            "fields @timestamp, service, message, kind, state, outcome, result, http_status, error, reason, request_id",
            f'filter correlation_id = "{PASTE}" or request_id = "{PASTE}"',
            "sort @timestamp asc",
            "limit 200",
        ),
    ),
    Question(
        "one session",
        (
            "fields @timestamp, service, message, kind, state, outcome, error, reason, request_id",
            f'filter session_id = "{PASTE}"',
            "sort @timestamp asc",
            "limit 500",
        ),
    ),
    Question(
        "refused addresses of partners",
        ('filter message = "url.refused"', "stats count(*) as refused by partner_id, host, reason"),
    ),
    Question(
        "partner errors",
        (
            'filter message = "partner.called" and outcome != "delivered"',
            "stats count(*) as calls, max(duration_ms) as longest_ms by partner_id, host, method, outcome, error",
            "sort calls desc",
        ),
    ),
    Question(
        "slow commands",
        (
            'filter message in ["outbox.relayed", "command.turn", "command.answered", "result.expired"]',
            "stats (max(@timestamp) - min(@timestamp)) / 1000 as seconds, max(attempts) by request_id, kind, station_key",
            "sort seconds desc",
            "limit 50",
        ),
    ),
    Question(
        "stations that do not answer",
        (
            'filter message = "result.expired"',
            "stats count(*) as expired by station_key, kind",
            "sort expired desc",
        ),
    ),
    Question(
        "events that were refused or belong nowhere",
        (
            'filter message in ["event.refused", "event.ingested", "frames.refused", "session.refused"]',
            'filter level = "WARNING"',
            "stats count(*) as events by csms_id, station_key, event_type, outcome, reason",
            "sort events desc",
        ),
    ),
    Question(
        "silent partners",
        ('filter message = "partner.silent"', "stats count(*) as minutes, max(@timestamp) as last by partner_id"),
    ),
    Question(
        "internal errors",
        (
            "fields @timestamp, service, message, exception_name, queue, request_id, session_id, exception",
            'filter level = "ERROR"',
            "sort @timestamp desc",
            "limit 100",
        ),
    ),
)


class SavedQueries(Construct):
    """The questions, over the logs of all functions. The embedded AWS has no place for saved queries."""

    def __init__(
        self, scope: Construct, construct_id: str, settings: StageSettings, *, functions: Sequence[BridgeFunction]
    ) -> None:
        super().__init__(scope, construct_id)
        if settings.embedded:
            return
        for question in QUESTIONS:
            logs.CfnQueryDefinition(
                self,
                question.name.replace(" ", "-"),
                name=f"{settings.prefix}/{question.name}",
                query_string="\n| ".join(question.lines),
                log_group_names=[function.log.log_group_name for function in functions],
            )
