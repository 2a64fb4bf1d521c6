"""Functions: alike where they should be, fed by the right sources, and told what they use."""

import json
from collections.abc import Iterator

import pytest

from tests.infra.stack_template import FUNCTIONS, Properties, StackTemplate

pytestmark = pytest.mark.integration

COMMON = {
    "STAGE",
    "LOG_LEVEL",
    "POWERTOOLS_SERVICE_NAME",
    "POWERTOOLS_METRICS_NAMESPACE",
    "PYDANTIC_DISABLE_PLUGINS",
}
CONSUMES = {
    "send_charger_commands": ("CHARGER_COMMANDS",),
    "deliver_results": ("RESULT_CALLBACKS", "REQUEST_DEADLINES"),
    "ingest_csms_events": ("CSMS_EVENTS",),
    "push_updates": ("PARTNER_UPDATES",),
}
PARTY = {"OCPI_COUNTRY_CODE", "OCPI_PARTY_ID"}
OUTLETS = {
    "CHARGER_COMMANDS_QUEUE_URL",
    "REQUEST_DEADLINES_QUEUE_URL",
    "RESULT_CALLBACKS_QUEUE_URL",
    "PARTNER_UPDATES_QUEUE_URL",
}
ENVIRONMENT = {
    "ocpi_versions": {"REGISTRY_TABLE", "OCPI_API_URL"} | PARTY,
    "ocpi_credentials": {"REGISTRY_TABLE", "OCPI_API_URL", "OCPI_BUSINESS_NAME", "SECRETS_PREFIX"} | PARTY,
    "ocpi_sessions": {"REGISTRY_TABLE", "SESSIONS_TABLE", "OCPI_API_URL", "SECRETS_PREFIX"} | PARTY,
    "ocpi_charging_profiles": {"REGISTRY_TABLE", "SESSIONS_TABLE", "REQUESTS_TABLE", "RESULT_TIMEOUT_SECONDS"} | PARTY,
    "ocpi_pairing": {"REGISTRY_TABLE"} | PARTY,
    "ocpi_fallback": {"REGISTRY_TABLE"} | PARTY,
    "csms_events": {"REGISTRY_TABLE", "SECRETS_PREFIX", "CSMS_EVENTS_QUEUE_URL"},
    "csms_frames": {"SECRETS_PREFIX", "CSMS_EVENTS_QUEUE_URL"},
    "csms_sessions": {"REGISTRY_TABLE", "SECRETS_PREFIX", "CSMS_EVENTS_QUEUE_URL"},
    "csms_callback": {"REGISTRY_TABLE", "REQUESTS_TABLE", "SESSIONS_TABLE", "SECRETS_PREFIX"},
    "relay_outbox": OUTLETS | {"CSMS_BUS_NAME"},
    "send_charger_commands": {
        "REGISTRY_TABLE",
        "REQUESTS_TABLE",
        "SESSIONS_TABLE",
        "SECRETS_PREFIX",
        "CSMS_API_URL",
        "CSMS_BUS_NAME",
    },
    "deliver_results": {
        "REGISTRY_TABLE",
        "REQUESTS_TABLE",
        "SESSIONS_TABLE",
        "SECRETS_PREFIX",
    },
    "ingest_csms_events": {"REGISTRY_TABLE", "REQUESTS_TABLE", "SESSIONS_TABLE", "ACCOUNT_ID"},
    "push_updates": {
        "REGISTRY_TABLE",
        "REQUESTS_TABLE",
        "SESSIONS_TABLE",
        "SECRETS_PREFIX",
    },
    "sweep": {"REGISTRY_TABLE", "REQUESTS_TABLE", "SESSIONS_TABLE", "CSMS_EVENTS_QUEUE_URL"} | OUTLETS,
    "session_widget": {"REQUESTS_TABLE", "SESSIONS_TABLE"},
}
# They must know how long what they write is kept.
WRITE_SESSIONS = {
    "ocpi_sessions",
    "ocpi_charging_profiles",
    "csms_callback",
    "send_charger_commands",
    "deliver_results",
    "ingest_csms_events",
    "push_updates",
    "sweep",
}

QUEUE_SOURCES = {
    ("send_charger_commands", "Queues/charger-commands", 1),
    ("deliver_results", "Queues/request-deadlines", 1),
    ("deliver_results", "Queues/result-callbacks", 1),
    ("ingest_csms_events", "Queues/csms-events", 10),
    ("push_updates", "Queues/partner-updates", 1),
}
TIMEOUTS = {
    "ocpi_versions": 10,
    "ocpi_credentials": 28,
    "ocpi_sessions": 10,
    "ocpi_charging_profiles": 10,
    "ocpi_pairing": 10,
    "ocpi_fallback": 10,
    "csms_events": 10,
    "csms_frames": 10,
    "csms_sessions": 10,
    "csms_callback": 10,
    "send_charger_commands": 25,
    "deliver_results": 12,
    "session_widget": 10,
}


def _mappings(template: StackTemplate) -> Iterator[tuple[str, Properties]]:
    for path, properties in template.of_type("AWS::Lambda::EventSourceMapping"):
        yield path.split("/")[1], properties


def test_the_functions_differ_in_what_they_do_and_not_in_how_they_run(production: StackTemplate) -> None:
    functions = dict(production.functions())

    assert set(functions) == set(FUNCTIONS)
    for name, properties in functions.items():
        assert properties["FunctionName"] == f"ocpi-bridge-production-{name.replace('_', '-')}"
        assert (properties["Runtime"], properties["Architectures"]) == ("python3.13", ["arm64"])
        assert properties["Handler"] == "handler.lambda_handler"
        assert properties["Timeout"] == TIMEOUTS.get(name, 30)
        layers = {production.name(layer) for layer in properties["Layers"]}
        assert layers == {"Layers/Dependencies", "Layers/Bridge"}


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_is_told_what_it_uses_and_nothing_else(production: StackTemplate, function: str) -> None:
    variables = dict(production.functions())[function]["Environment"]["Variables"]

    retention = {"SESSION_RETENTION_DAYS"} if function in WRITE_SESSIONS else set()
    sources = {f"{queue}_{kind}" for queue in CONSUMES.get(function, ()) for kind in ("QUEUE_URL", "DLQ_URL", "TRIES")}
    assert set(variables) == COMMON | ENVIRONMENT[function] | retention | sources
    assert variables.get("SESSION_RETENTION_DAYS", "90") == "90"
    assert variables["STAGE"] == "production"
    assert variables["POWERTOOLS_SERVICE_NAME"] == function


def test_every_function_logs_into_a_group_of_its_own_that_forgets(production: StackTemplate) -> None:
    groups = dict(production.of_type("AWS::Logs::LogGroup"))
    for name, properties in production.functions():
        group = groups[production.name(properties["LoggingConfig"]["LogGroup"])]
        assert group["LogGroupName"] == f"/aws/lambda/{properties['FunctionName']}", name
    assert all(group["RetentionInDays"] == 365 for group in groups.values())


def test_queues_feed_the_alias_one_message_at_a_time_and_take_back_only_what_failed(production: StackTemplate) -> None:
    found = set()
    for function, mapping in _mappings(production):
        source = production.name(mapping["EventSourceArn"])
        if source.startswith("Queues/"):
            assert production.name(mapping["FunctionName"]).endswith(f"/{function}/Alias:live")
            assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
            assert mapping["ScalingConfig"] == {"MaximumConcurrency": 50}
            found.add((function, source, mapping["BatchSize"]))

    assert found == QUEUE_SOURCES


@pytest.mark.parametrize(
    ("table", "image"),
    [
        ("Sessions", {"entity": {"S": ["session", "preferences"]}}),
        (
            "Requests",
            {
                "entity": {"S": ["request"]},
                "state": {"S": ["PENDING", "ANSWERED", "EXPIRED"]},
                "delivery_attempts": {"N": ["0"]},
            },
        ),
    ],
)
def test_the_relay_follows_what_is_to_be_carried_on_and_reports_what_it_drops(
    production: StackTemplate, table: str, image: dict[str, object]
) -> None:
    (mapping,) = (
        properties
        for function, properties in _mappings(production)
        if production.name(properties["EventSourceArn"]) == f"Tables/{table}.StreamArn" and function == "relay_outbox"
    )
    (rule,) = mapping["FilterCriteria"]["Filters"]

    assert json.loads(rule["Pattern"]) == {"dynamodb": {"NewImage": image}}
    assert production.name(mapping["FunctionName"]).endswith("/relay_outbox/Alias:live")
    assert mapping["StartingPosition"] == "TRIM_HORIZON"
    assert (mapping["BatchSize"], mapping["ParallelizationFactor"]) == (25, 1)
    assert mapping["BisectBatchOnFunctionError"] is True
    assert (mapping["MaximumRetryAttempts"], mapping["MaximumRecordAgeInSeconds"]) == (10, 3600)
    assert production.name(mapping["DestinationConfig"]["OnFailure"]["Destination"]) == "Queues/relay-failures"
    assert "FunctionResponseTypes" not in mapping


def test_the_sweep_runs_each_minute_and_is_not_tried_again(production: StackTemplate) -> None:
    (rule,) = (rule for path, rule in production.of_type("AWS::Events::Rule") if path.startswith("Schedule/"))
    (target,) = rule["Targets"]
    ((_, invocation),) = production.of_type("AWS::Lambda::EventInvokeConfig")

    assert rule["ScheduleExpression"] == "rate(1 minute)"
    assert production.name(target["Arn"]) == "Schedule/sweep/Alias"
    assert target["RetryPolicy"]["MaximumRetryAttempts"] == 0
    assert invocation["MaximumRetryAttempts"] == 0


def test_the_sender_knows_the_address_under_which_a_csms_reaches_the_bridge(
    production: StackTemplate, local: StackTemplate
) -> None:
    def address(template: StackTemplate) -> str:
        return template.name(
            dict(template.functions())["send_charger_commands"]["Environment"]["Variables"]["CSMS_API_URL"]
        )

    assert address(production) == ("https://CsmsApi/csms/Api.execute-api.<AWS::Region>.<AWS::URLSuffix>/production")
    assert address(local) == "https://localhost:4566/apis/CsmsApi/csms/Api/local"
