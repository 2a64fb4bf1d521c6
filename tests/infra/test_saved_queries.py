"""Saved queries ask for what the logs have, in one vocabulary of keys; and what runs is traced."""

import re

import pytest

from infra.constructs.saved_queries import QUESTIONS, Question
from ocpi_bridge.runtime import observability
from tests.infra.stack_template import FUNCTIONS, StackTemplate
from tests.support.emissions import Emissions

pytestmark = pytest.mark.integration

# What Logs Insights finds in every line, or makes of lines of Lambda's own.
INSIGHTS = {"@timestamp", "@log", "@type", "@initDuration"}
# What Powertools puts in every line, or with an error.
POWERTOOLS = {"level", "location", "message", "timestamp", "service", "exception", "exception_name", "stack_trace"}
COMMANDS = {"fields", "filter", "stats", "sort", "limit", "by", "as", "and", "or", "in", "asc", "desc"}
CALCULATING = {"count", "max", "min", "pct"}


@pytest.mark.parametrize("question", QUESTIONS, ids=[question.name for question in QUESTIONS])
def test_a_saved_query_asks_for_lines_and_keys_that_the_code_writes(told: Emissions, question: Question) -> None:
    asked = " | ".join(question.lines)
    messages = set(re.findall(r'"([a-z_]+\.[a-z_]+)"', asked))
    lines = [line for line in told.lines if not messages or line["message"] in messages]
    keys = {key for line in lines for key in line} | INSIGHTS

    assert messages == {line["message"] for line in lines} or not messages
    assert _keys_in(asked) - keys == set()
    for key, value in re.findall(r'(\w+) = "([A-Z]+)"', asked):
        assert any(line[key] == value for line in lines)


def test_every_key_of_a_line_is_in_the_vocabulary(told: Emissions) -> None:
    described = set(re.findall(r"\w+", str(observability.__doc__)))
    used = {key: line["message"] for line in told.lines for key in line}

    assert {key: message for key, message in used.items() if key not in described | POWERTOOLS} == {}


def test_saved_queries_are_over_the_logs_of_all_functions(production: StackTemplate) -> None:
    queries = dict(production.of_type("AWS::Logs::QueryDefinition"))

    assert {query["Name"] for query in queries.values()} == {
        f"ocpi-bridge-production/{question.name}" for question in QUESTIONS
    }
    for query in queries.values():
        assert len(query["LogGroupNames"]) == len(FUNCTIONS)


def test_apis_and_functions_are_traced(production: StackTemplate) -> None:
    assert all(function["TracingConfig"] == {"Mode": "Active"} for _, function in production.functions())
    stages = list(production.of_type("AWS::ApiGateway::Stage"))
    assert [stage["TracingEnabled"] for _, stage in stages] == [True, True]


def test_functions_behind_queues_streams_and_the_schedule_need_not_be_traced(dev: StackTemplate) -> None:
    modes = {name: function["TracingConfig"]["Mode"] for name, function in dev.functions()}
    untraced = {name for name, mode in modes.items() if mode == "PassThrough"}
    assert untraced == {
        "relay_outbox",
        "send_charger_commands",
        "deliver_results",
        "ingest_csms_events",
        "push_updates",
        "sweep",
    }


def _keys_in(asked: str) -> set[str]:
    bare = re.sub(r'"[^"]*"', "", asked)
    own = set(re.findall(r"\bas (\w+)", bare))
    words = set(re.findall(r"@?[A-Za-z_]\w*", bare))
    return words - own - COMMANDS - CALCULATING
