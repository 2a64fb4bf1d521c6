"""Queues: nothing is lost silently, read by others, or taken twice while it is being worked on."""

import pytest

from tests.infra.stack_template import StackTemplate

pytestmark = pytest.mark.integration

PAIRS = {
    "charger-commands": (30, 20, True),
    "request-deadlines": (72, 20, False),
    "result-callbacks": (72, 20, False),
    "partner-updates": (180, 5, True),
    "csms-events": (180, 5, False),
}
FOURTEEN_DAYS = 14 * 24 * 3600


@pytest.mark.parametrize(("name", "expected"), PAIRS.items())
def test_a_message_that_keeps_failing_ends_in_a_dead_letter_queue_of_the_same_kind(
    production: StackTemplate, name: str, expected: tuple[int, int, bool]
) -> None:
    visibility, tries, fifo = expected
    queue = production.resource(f"Queues/{name}")["Properties"]
    dead_letters = production.resource(f"Queues/{name}-dlq")["Properties"]

    assert production.name(queue["RedrivePolicy"]["deadLetterTargetArn"]) == f"Queues/{name}-dlq"
    assert (queue["VisibilityTimeout"], queue["RedrivePolicy"]["maxReceiveCount"]) == (visibility, tries)
    assert (queue.get("FifoQueue", False), dead_letters.get("FifoQueue", False)) == (fifo, fifo)
    assert dead_letters["MessageRetentionPeriod"] == FOURTEEN_DAYS


def test_a_worker_is_told_how_often_its_queue_hands_a_message_out_and_where_it_ends(production: StackTemplate) -> None:
    told = {
        variable.removesuffix("_TRIES"): (int(tries), production.name(variables[f"{variable[:-6]}_DLQ_URL"]))
        for _, properties in production.functions()
        for variables in [properties["Environment"]["Variables"]]
        for variable, tries in variables.items()
        if variable.endswith("_TRIES")
    }

    assert told == {
        name.upper().replace("-", "_"): (tries, f"Queues/{name}-dlq") for name, (_, tries, _) in PAIRS.items()
    }


def test_there_are_no_queues_but_these_and_the_one_for_what_the_relay_dropped(production: StackTemplate) -> None:
    expected = {f"Queues/{name}{suffix}" for name in PAIRS for suffix in ("", "-dlq")} | {"Queues/relay-failures"}

    assert {path for path, _ in production.of_type("AWS::SQS::Queue")} == expected


def test_what_the_relay_dropped_is_kept_as_long_as_dead_letters(production: StackTemplate) -> None:
    relay_failures = production.resource("Queues/relay-failures")["Properties"]

    assert relay_failures["MessageRetentionPeriod"] == FOURTEEN_DAYS


def test_a_fifo_queue_counts_limits_and_duplicates_per_message_group(production: StackTemplate) -> None:
    for path, properties in production.of_type("AWS::SQS::Queue"):
        if properties.get("FifoQueue"):
            assert properties["DeduplicationScope"] == "messageGroup", path
            assert properties["FifoThroughputLimit"] == "perMessageGroupId", path
            assert "ContentBasedDeduplication" not in properties, path
