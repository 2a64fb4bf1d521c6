"""What feeds the functions: nothing is lost silently, nothing taken twice at once, nobody starved by another."""

from tests.infra.policies.reading import function_of, queue_of
from tests.infra.stack_template import Properties, StackTemplate
from tools.bridge.rules import MAX_CALL_TIMEOUT

COMMANDS = "Queues/charger-commands"
"""Its visibility is short (design 2.4): a lost sender must not block its station past the command's deadline."""

GATEWAY_SECONDS = 29
"""API Gateway waits no longer for a function."""

DAY = 24 * 3600
FOURTEEN_DAYS = 14 * DAY


def _mappings(template: StackTemplate) -> list[tuple[str, Properties]]:
    return list(template.of_type("AWS::Lambda::EventSourceMapping"))


def _timeouts(template: StackTemplate) -> dict[str, int]:
    return {function_of(path): one["Timeout"] for path, one in template.of_type("AWS::Lambda::Function")}


def sources_feed_the_alias(template: StackTemplate) -> list[str]:
    """So that a version can be put back for them too."""
    return [path for path, one in _mappings(template) if not template.name(one["FunctionName"]).endswith("/Alias:live")]


def queues_take_back_only_what_failed(template: StackTemplate) -> list[str]:
    """ReportBatchItemFailures: a message that fails does not bring back those that did not."""
    return [
        path
        for path, one in _mappings(template)
        if queue_of(template, one) and one.get("FunctionResponseTypes") != ["ReportBatchItemFailures"]
    ]


def queues_run_a_bounded_number_of_workers(template: StackTemplate) -> list[str]:
    """MaximumConcurrency: a flood in one queue leaves the account's concurrency to the others."""
    return [
        path
        for path, one in _mappings(template)
        if queue_of(template, one) and not 2 <= one.get("ScalingConfig", {}).get("MaximumConcurrency", 0) <= 1000
    ]


def streams_fail_whole_batches_and_report_what_they_drop(template: StackTemplate) -> list[str]:
    """From the oldest record on; halved, tried a bounded number of times, for less than the day that a stream keeps."""
    return [
        path
        for path, one in _mappings(template)
        if queue_of(template, one) is None
        and not (
            one.get("StartingPosition") == "TRIM_HORIZON"
            and "FunctionResponseTypes" not in one
            and one.get("BisectBatchOnFunctionError") is True
            and 1 <= one.get("MaximumRetryAttempts", -1) <= 20
            and 60 <= one.get("MaximumRecordAgeInSeconds", -1) < DAY
            and one.get("DestinationConfig", {}).get("OnFailure", {}).get("Destination")
        )
    ]


def messages_stay_hidden_while_they_are_worked_on(template: StackTemplate) -> list[str]:
    """Six times the function's timeout; of commands just longer than it, and gone before the partner's time is."""
    timeouts, wrong = _timeouts(template), []
    for path, one in _mappings(template):
        queue = queue_of(template, one)
        if queue is None:
            continue
        timeout = timeouts[function_of(path)]
        visibility = template.resource(queue)["Properties"].get("VisibilityTimeout", 30)
        short = queue == COMMANDS and MAX_CALL_TIMEOUT < timeout < visibility < _told_seconds(template)
        if not (short if queue == COMMANDS else visibility >= 6 * timeout):
            wrong.append(f"{path}: {timeout} s of {visibility} s")
    return wrong


def _told_seconds(template: StackTemplate) -> int:
    variables = dict(template.functions())["ocpi_charging_profiles"]["Environment"]["Variables"]
    return int(variables["RESULT_TIMEOUT_SECONDS"])


def whoever_waits_at_a_gateway_is_answered(template: StackTemplate) -> list[str]:
    """A function behind an API ends before API Gateway gives up on it."""
    timeouts = _timeouts(template)
    behind = {
        template.name(one["FunctionName"]).split("/")[1]
        for _, one in template.of_type("AWS::Lambda::Permission")
        if one["Principal"] == "apigateway.amazonaws.com"
    }
    return [f"{name}: {timeouts[name]} s" for name in behind if timeouts[name] >= GATEWAY_SECONDS]


def every_function_has_a_timeout_of_its_own(template: StackTemplate) -> list[str]:
    """Lambda's default of 3 s is nobody's decision."""
    return [path for path, one in template.of_type("AWS::Lambda::Function") if "Timeout" not in one]


def a_queue_that_is_read_has_dead_letters_kept_for_14_days(template: StackTemplate) -> list[str]:
    """FIFO for FIFO; what a stream or a rule could not hand on is kept as long."""
    queues, wrong = dict(template.of_type("AWS::SQS::Queue")), []
    for path, one in _mappings(template):
        queue = queue_of(template, one)
        redrive = queues[queue].get("RedrivePolicy") if queue else None
        if queue and redrive is None:
            wrong.append(f"{queue}: no dead letters")
        elif queue and redrive:
            target = template.name(redrive["deadLetterTargetArn"])
            if queues[target].get("FifoQueue") != queues[queue].get("FifoQueue"):
                wrong.append(f"{path}: {target}")
    dead = dead_letter_queues(template)
    return wrong + [path for path in dead if queues[path].get("MessageRetentionPeriod") != FOURTEEN_DAYS]


def rules_keep_what_they_cannot_hand_on(template: StackTemplate) -> list[str]:
    """In dead letters; or the rule comes again each minute and so tries nothing twice."""
    return [
        path
        for path, rule in template.of_type("AWS::Events::Rule")
        for target in rule["Targets"]
        if "DeadLetterConfig" not in target and target.get("RetryPolicy", {}).get("MaximumRetryAttempts") != 0
    ]


def dead_letter_queues(template: StackTemplate) -> set[str]:
    """The paths of the queues that something is given up to."""
    redrives = [queue["RedrivePolicy"] for _, queue in template.of_type("AWS::SQS::Queue") if "RedrivePolicy" in queue]
    dropped = [one["DestinationConfig"] for _, one in _mappings(template) if "DestinationConfig" in one]
    return {template.name(one["deadLetterTargetArn"]) for one in redrives} | {
        template.name(one["OnFailure"]["Destination"]) for one in dropped if one.get("OnFailure")
    }
