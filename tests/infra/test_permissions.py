"""Each function may do what it needs, and nothing else."""

from collections.abc import Iterable

import pytest

from tests.infra.called_operations import operations_of
from tests.infra.stack_template import FUNCTIONS, StackTemplate

pytestmark = pytest.mark.integration

SESSIONS, REQUESTS, REGISTRY = "Tables/Sessions", "Tables/Requests", "Tables/Registry"
SECRET = "arn:<AWS::Partition>:secretsmanager:<AWS::Region>:<AWS::AccountId>:secret:ocpi-bridge/production/"
PARTNERS, CSMSS, SIGNING = f"{SECRET}partners/*", f"{SECRET}csms/*", f"{SECRET}callback-signing-??????"
COMMANDS, DEADLINES = "Queues/charger-commands", "Queues/request-deadlines"
RESULTS, UPDATES, EVENTS = "Queues/result-callbacks", "Queues/partner-updates", "Queues/csms-events"

RECEIVE = ("sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage")
DEFER = "sqs:ChangeMessageVisibility"
SEND = ("sqs:SendMessage", "sqs:SendMessageBatch")
READ_SECRET = "secretsmanager:GetSecretValue"
WRITE_SECRET = (
    "secretsmanager:CreateSecret",
    "secretsmanager:DeleteSecret",
)
TRACE = {("xray:PutTraceSegments", "*"), ("xray:PutTelemetryRecords", "*")}
READ_STREAM = ("dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator")


def _items(table: str, *actions: str) -> set[tuple[str, str]]:
    return {(f"dynamodb:{action}", table) for action in actions}


def _each(actions: Iterable[str], *resources: str) -> set[tuple[str, str]]:
    return {(action, resource) for action in actions for resource in resources}


# Who calls, and the end of a token whose successor has come into use.
KNOWING = _items(REGISTRY, "BatchGetItem", "DeleteItem", "UpdateItem")

EXPECTED = {
    "ocpi_versions": KNOWING,
    "ocpi_credentials": KNOWING
    | _items(REGISTRY, "ConditionCheckItem", "PutItem", "Query")
    | _each([READ_SECRET, *WRITE_SECRET], PARTNERS),
    "ocpi_sessions": KNOWING
    | _items(REGISTRY, "Query")
    | _items(SESSIONS, "BatchGetItem", "PutItem")
    | {("dynamodb:Query", f"{SESSIONS}/index/feed"), (READ_SECRET, SIGNING)},
    "ocpi_charging_profiles": KNOWING
    | _items(SESSIONS, "BatchGetItem", "DeleteItem", "PutItem", "UpdateItem")
    | _items(REQUESTS, "PutItem"),
    "ocpi_pairing": _items(
        REGISTRY, "BatchGetItem", "ConditionCheckItem", "DeleteItem", "PutItem", "Query", "UpdateItem"
    ),
    "ocpi_fallback": KNOWING,
    "csms_events": _items(REGISTRY, "PutItem", "DeleteItem") | _each(SEND, EVENTS) | {(READ_SECRET, CSMSS)},
    "csms_frames": _each(SEND, EVENTS) | {(READ_SECRET, CSMSS)},
    "csms_sessions": _items(REGISTRY, "BatchGetItem") | _each(SEND, EVENTS) | {(READ_SECRET, CSMSS)},
    "csms_callback": _items(REGISTRY, "BatchGetItem", "UpdateItem")
    | _items(REQUESTS, "BatchGetItem", "PutItem", "UpdateItem")
    | _items(SESSIONS, "BatchGetItem", "UpdateItem")
    | {(READ_SECRET, SIGNING)},
    "relay_outbox": _each(READ_STREAM, f"{SESSIONS}.StreamArn", f"{REQUESTS}.StreamArn")
    | _each(["dynamodb:ListStreams"], f"{SESSIONS}/stream/*", f"{REQUESTS}/stream/*")
    | _each(SEND, COMMANDS, DEADLINES, RESULTS, UPDATES, "Queues/relay-failures")
    | {("events:PutEvents", "CsmsBus/Bus")},
    "send_charger_commands": _items(REQUESTS, "BatchGetItem", "PutItem", "UpdateItem")
    | _items(SESSIONS, "BatchGetItem", "UpdateItem")
    | _items(REGISTRY, "BatchGetItem", "UpdateItem")
    | _each([READ_SECRET], CSMSS, SIGNING)
    | _each([*RECEIVE, DEFER], COMMANDS)
    | _each(SEND, f"{COMMANDS}-dlq")
    | {("events:PutEvents", "CsmsBus/Bus")},
    "deliver_results": _items(REQUESTS, "BatchGetItem", "UpdateItem")
    | _items(SESSIONS, "UpdateItem")
    | _items(REGISTRY, "BatchGetItem", "UpdateItem")
    | {(READ_SECRET, PARTNERS)}
    | _each([*RECEIVE, DEFER], RESULTS, DEADLINES)
    | _each(SEND, f"{RESULTS}-dlq", f"{DEADLINES}-dlq"),
    "ingest_csms_events": _items(REGISTRY, "BatchGetItem", "PutItem", "UpdateItem")
    | _items(SESSIONS, "BatchGetItem", "DeleteItem", "PutItem", "Query", "UpdateItem")
    | _items(REQUESTS, "BatchGetItem", "PutItem", "UpdateItem")
    | _each(RECEIVE, EVENTS)
    | _each(SEND, f"{EVENTS}-dlq"),
    "push_updates": _items(SESSIONS, "BatchGetItem", "DeleteItem", "PutItem", "Query", "UpdateItem")
    | _items(REQUESTS, "BatchGetItem", "PutItem")
    | _items(REGISTRY, "BatchGetItem", "UpdateItem")
    | _each([READ_SECRET], PARTNERS, SIGNING)
    | _each([*RECEIVE, DEFER], UPDATES)
    | _each(SEND, f"{UPDATES}-dlq"),
    "sweep": _each(
        ["dynamodb:Query"], f"{SESSIONS}/index/due", f"{SESSIONS}/index/live", f"{REQUESTS}/index/open", REGISTRY
    )
    | _items(REQUESTS, "BatchGetItem")
    | _items(SESSIONS, "BatchGetItem", "UpdateItem")
    | _items(REGISTRY, "DeleteItem", "PutItem", "UpdateItem")
    | _each(SEND, COMMANDS, DEADLINES, RESULTS, UPDATES, EVENTS),
    "session_widget": _items(SESSIONS, "BatchGetItem", "Query")
    | _items(REQUESTS, "BatchGetItem")
    | {("dynamodb:Query", f"{REQUESTS}/index/session")},
}


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_may_do_exactly_what_is_written_here(production: StackTemplate, function: str) -> None:
    own_log = next(path for path, _ in production.of_type("AWS::Logs::LogGroup") if f"/{function}/" in path)
    log = _each(["logs:CreateLogStream", "logs:PutLogEvents"], own_log)

    assert production.policy(function) == EXPECTED[function] | log | TRACE


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_is_granted_nothing_that_its_code_cannot_call(production: StackTemplate, function: str) -> None:
    by_lambda = {*RECEIVE, *READ_STREAM, "dynamodb:ListStreams", "logs:CreateLogStream", "logs:PutLogEvents"}
    granted = {action for action, _ in production.policy(function) - TRACE} - by_lambda
    called = operations_of(function)
    if called & {"SendMessage", "SendMessageBatch"}:
        # One right on AWS; the embedded AWS asks for each by its name.
        granted -= set(SEND)

    assert {action for action in granted if action.partition(":")[2] not in called} == set()


def test_every_function_has_a_role_of_its_own_that_only_lambda_may_assume(production: StackTemplate) -> None:
    roles = [production.name(properties["Role"]) for _, properties in production.functions()]

    assert len(set(roles)) == len(FUNCTIONS)
    for role in roles:
        properties = production.resource(role)["Properties"]
        (statement,) = properties["AssumeRolePolicyDocument"]["Statement"]
        assert statement["Principal"] == {"Service": "lambda.amazonaws.com"}
        assert "ManagedPolicyArns" not in properties


def test_only_an_api_or_the_schedule_may_invoke_a_function_and_only_by_its_alias(production: StackTemplate) -> None:
    invokers = {
        (production.name(properties["FunctionName"]).split("/")[1], properties["Principal"])
        for _, properties in production.of_type("AWS::Lambda::Permission")
        if production.name(properties["FunctionName"]).endswith("/Alias")
    }

    assert invokers == {
        ("ocpi_versions", "apigateway.amazonaws.com"),
        ("ocpi_credentials", "apigateway.amazonaws.com"),
        ("ocpi_sessions", "apigateway.amazonaws.com"),
        ("ocpi_pairing", "apigateway.amazonaws.com"),
        ("ocpi_charging_profiles", "apigateway.amazonaws.com"),
        ("ocpi_fallback", "apigateway.amazonaws.com"),
        ("csms_events", "apigateway.amazonaws.com"),
        ("csms_frames", "apigateway.amazonaws.com"),
        ("csms_sessions", "apigateway.amazonaws.com"),
        ("csms_callback", "apigateway.amazonaws.com"),
        ("sweep", "events.amazonaws.com"),
    }
    assert len(list(production.of_type("AWS::Lambda::Permission"))) == len(invokers)
