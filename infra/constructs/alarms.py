"""Alarms: few, each with a person's next step in docs/operations.md."""

from collections.abc import Mapping, Sequence
from typing import Final

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.constructs.alarm_bell import PAGE, TICKET, AlarmBell, Rule
from infra.constructs.function import BridgeFunction
from infra.constructs.metrics import EACH_MINUTE, FIVE_MINUTES, of_function, of_queue, of_table, own, total
from infra.constructs.queues import BridgeQueue, Queues
from infra.constructs.tables import BridgeTable, Tables
from infra.stages import StageSettings
from ocpi_bridge.runtime import metric_catalogue as catalogue

OBJECTIVE_PERCENT: Final = 99
"""SLO: so many of 100 results reach their partner within the announced timeout, over 28 days."""
BUDGET_PERCENT: Final = 100 - OBJECTIVE_PERCENT
FAST_BURN: Final = 14.4
SLOW_BURN: Final = 6.0
"""At these multiples of the budget's pace a month's budget is gone in 2 and in 5 days (SRE workbook, chapter 5)."""
FEWEST_LOST: Final = 3
"""Below this a ratio says nothing: one lost result of two is a ticket by its dead letter, and no page."""

EXPIRED_PERCENT: Final = 25
"""One station offline is everyday; a quarter of all requests without an answer is the CSMS, or the way to it."""
FEWEST_EXPIRED: Final = 4

REMIND_AFTER: Final = Duration.days(3)
"""Time for a person to have looked at a dead letter, long before SQS deletes it after 14 days."""

LATE_MARGIN_SECONDS: Final = 60
"""So long after a request's end its messages may still lie in a queue: SQS counts minutes, not seconds."""
SESSIONS_LATE: Final = Duration.minutes(10)
"""A session that is this old at its partner makes for wrong plans; a retry or two take less."""
STREAM_LAG: Final = Duration.minutes(1)
"""Requests live for a minute or two; a relay that is later than this loses them to their deadlines."""

MINUTES_IN_A_ROW: Final = 3
"""A level that stays; a single minute may be one restart or one slow call."""
SILENT_MINUTES: Final = 5
"""The survey itself asks for a quarter of an hour of silence; this only keeps one odd reading from paging."""


class Alarms(Construct):
    """Subscribe to the topics (stack outputs PageTopicArn, TicketTopicArn) what reaches your operators.

    Args:
        functions: In groups that are told together when they are throttled; at most ten each, as many metrics as
            CloudWatch takes in one alarm.

    Attributes:
        bell: Has the topics.
        status: What the first row of a dashboard shows: severities first, then every alarm.

    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        settings: StageSettings,
        *,
        queues: Queues,
        tables: Tables,
        functions: Mapping[str, Sequence[BridgeFunction]],
    ) -> None:
        super().__init__(scope, construct_id)
        self._settings = settings
        self.bell = AlarmBell(self, "Bell", settings)
        self._watch_results()
        self._watch_partners()
        self._watch_queues(queues)
        for group, members in functions.items():
            self._watch_functions(group, members)
        self._watch_what_nobody_sees([one for members in functions.values() for one in members])
        for table in (tables.sessions, tables.requests, tables.registry):
            self._watch_throttles(table)
        self.status = tuple(self.bell.severities())

    def _watch_results(self) -> None:
        self._watch_burn("fast", FAST_BURN, Duration.hours(1), FIVE_MINUTES, PAGE)
        self._watch_burn("slow", SLOW_BURN, Duration.hours(6), Duration.minutes(30), TICKET)
        window = Duration.minutes(15)
        expired = cloudwatch.MathExpression(
            expression=f"IF(ended >= {FEWEST_EXPIRED}, 100 * expired / ended, 0)",
            using_metrics={
                "expired": self._own(catalogue.EXPIRED_REQUESTS, period=window),
                "ended": self._own(catalogue.EXPIRED_REQUESTS, "SampleCount", period=window),
            },
            label="expired, percent",
            period=window,
        )
        self.bell.watch(
            self,
            "requests-expire",
            "charge points do not answer",
            expired,
            PAGE,
            Rule(EXPIRED_PERCENT),
            words="Requests were answered REJECTED because no charge point answered in time.",
            runbook="charge-points-do-not-answer",
        )

    def _watch_burn(self, pace: str, burn: float, long: Duration, short: Duration, severity: str) -> None:
        """The budget burns at this pace, over a long window and still now."""
        self.bell.watch_all(
            self,
            f"slo-{pace}",
            f"results are lost, {pace} burn",
            {
                f"{window.to_minutes():g} minutes": self._lost(window, fewest)
                for window, fewest in ((long, FEWEST_LOST), (short, 1))
            },
            severity,
            Rule(burn * BUDGET_PERCENT),
            words=f"The budget of {BUDGET_PERCENT} % lost results is used at {burn:g} times its pace.",
            runbook="results-are-lost",
        )

    def _lost(self, window: Duration, fewest: int) -> cloudwatch.MathExpression:
        return cloudwatch.MathExpression(
            expression=f"IF(ended - good >= {fewest}, 100 * (ended - good) / ended, 0)",
            using_metrics={
                "good": self._own(catalogue.DELIVERED_RESULTS, period=window),
                "ended": self._own(catalogue.DELIVERED_RESULTS, "SampleCount", period=window),
            },
            label="lost, percent",
            period=window,
        )

    def _watch_partners(self) -> None:
        self.bell.watch(
            self,
            "partner-unauthorized",
            "a partner refuses our token",
            self._own(catalogue.PARTNER_CALLS, outcome=catalogue.PartnerError.UNAUTHORIZED),
            PAGE,
            words="A partner answered 401, also to the token that was read again.",
            runbook="a-partner-refuses-our-token",
        )
        self.bell.watch(
            self,
            "partner-silent",
            "a partner is silent while its sessions run",
            self._own(catalogue.SILENT_PARTNERS, "Maximum", period=EACH_MINUTE),
            PAGE,
            Rule(of_last=SILENT_MINUTES),
            words="A partner took no push for a quarter of an hour, though there was something to tell.",
            runbook="a-partner-is-silent",
        )
        self.bell.watch(
            self,
            "url-refused",
            "an address of a partner was refused",
            self._own(catalogue.REFUSED_URLS, period=Duration.minutes(15)),
            TICKET,
            words="A partner named an address that must not be called, such as a response_url on a host not on its list.",
            runbook="an-address-of-a-partner-was-refused",
        )

    def _watch_queues(self, queues: Queues) -> None:
        for pair in queues.all:
            self._watch_dead_letters(pair.queue.node.id, pair.given_up, pair.dead_letters)
        self._watch_dead_letters("relay-failures", "a change of an item was not relayed", queues.relay_failures)
        timeout = self._settings.result_timeout_seconds
        # A command that is older than any request may be is one that nobody takes out.
        self._watch_age(queues.charger_commands, Duration.seconds(timeout), PAGE)
        for pair in (queues.request_deadlines, queues.result_callbacks):
            self._watch_age(pair, Duration.seconds(timeout + LATE_MARGIN_SECONDS), PAGE)
        for pair in (queues.partner_updates, queues.csms_events):
            self._watch_age(pair, SESSIONS_LATE, TICKET)

    def _watch_dead_letters(self, name: str, given_up: str, queue: sqs.Queue) -> None:
        self.bell.watch(
            self,
            f"{name}-filled",
            given_up,
            of_queue(queue, "ApproximateNumberOfMessagesVisible", period=EACH_MINUTE),
            TICKET,
            words=f"Messages lie in {queue.node.id}.",
            runbook="dead-letters",
        )
        self.bell.watch(
            self,
            f"{name}-forgotten",
            f"{given_up}, and nobody has looked",
            of_queue(queue, "ApproximateAgeOfOldestMessage"),
            TICKET,
            Rule(REMIND_AFTER.to_seconds()),
            words=f"The oldest message in {queue.node.id} has lain there for {REMIND_AFTER.to_days():g} days.",
            runbook="dead-letters",
        )

    def _watch_age(self, pair: BridgeQueue, age: Duration, severity: str) -> None:
        name = pair.queue.node.id
        self.bell.watch(
            self,
            f"{name}-late",
            f"{name} is not worked off",
            of_queue(pair.queue, "ApproximateAgeOfOldestMessage", period=EACH_MINUTE),
            severity,
            Rule(age.to_seconds(), of_last=MINUTES_IN_A_ROW),
            words=f"The oldest message in {name} is older than {age.to_seconds():g} s.",
            runbook="a-queue-is-not-worked-off",
        )

    def _watch_functions(self, group: str, functions: Sequence[BridgeFunction]) -> None:
        for function in functions:
            self.bell.watch(
                self,
                f"{function.name}-raised",
                f"{function.name} raised an error",
                function.alias.metric_errors(period=FIVE_MINUTES),
                TICKET,
                words=f"See the log of {function.name}: a bug, a missing right, or a service of AWS that failed.",
                runbook="a-function-raised-or-caught-an-error",
            )
        self.bell.watch(
            self,
            f"{group}-throttled".replace(" ", "-"),
            f"functions are throttled: {group}",
            total([of_function(function, "Throttles") for function in functions], label="throttles"),
            PAGE,
            Rule(of_last=2),
            words=f"Lambda did not start functions for {group}.",
            runbook="functions-are-throttled",
        )

    def _watch_what_nobody_sees(self, functions: Sequence[BridgeFunction]) -> None:
        self.bell.watch(
            self,
            "internal-errors",
            "a function caught an error of its own",
            self._own(catalogue.INTERNAL_ERRORS),
            TICKET,
            words="A call was answered with an internal error, or a message failed and comes again.",
            runbook="a-function-raised-or-caught-an-error",
        )
        for relay in (function for function in functions if function.follows_streams):
            self.bell.watch(
                self,
                f"{relay.name}-behind",
                f"{relay.name} is behind its streams",
                of_function(relay, "IteratorAge", statistic="Maximum", period=EACH_MINUTE),
                PAGE,
                Rule(STREAM_LAG.to_milliseconds(), of_last=MINUTES_IN_A_ROW),
                words=f"A change of an item waits for more than {STREAM_LAG.to_seconds():g} s to be carried on.",
                runbook="the-relay-is-behind-its-streams",
            )
        self.bell.watch(
            self,
            "sweep-stopped",
            "the sweep does not run",
            self._own(catalogue.LIVE_SESSIONS, "SampleCount"),
            PAGE,
            Rule(of_last=2, dead_man=True),
            words="Nothing was counted for ten minutes: what a stream or a queue drops is not repaired.",
            runbook="the-sweep-does-not-run",
        )

    def _watch_throttles(self, table: BridgeTable) -> None:
        name = table.table.node.id
        events = [of_table(table, kind) for kind in ("ReadThrottleEvents", "WriteThrottleEvents")]
        # A write that an index cannot take in is counted there, and throttles the table.
        events += [of_table(table, "WriteThrottleEvents", index=index) for index in table.indexes]
        self.bell.watch(
            self,
            f"{name}-throttled",
            f"table {name} is throttled",
            total(events, label="throttled calls"),
            TICKET,
            Rule(of_last=2),
            words=f"DynamoDB refused reads or writes of {name}.",
            runbook="a-table-is-throttled",
        )

    def _own(
        self, metric: catalogue.Metric, statistic: str = "Sum", *, period: Duration = FIVE_MINUTES, **dimensions: str
    ) -> cloudwatch.Metric:
        return own(self._settings, metric, dimensions, statistic=statistic, period=period)
