"""Policies over all resources of every stage; and each policy seen to fail, on a copy of the template that breaks it."""

import copy
import inspect
from collections.abc import Callable
from typing import Any

import pytest

from tests.infra.policies import access, encryption, operations, sources
from tests.infra.policies.reading import Policy
from tests.infra.stack_template import StackTemplate

pytestmark = pytest.mark.integration

STAGES = ("production", "dev", "local")
ONLY_FOR = {"data_outlives_its_stack": ("production",), "nothing_outlives_its_stack": ("dev", "local")}


def policies_of(*modules: object) -> dict[str, Policy]:
    """Every public function of the modules that takes a template alone and gives violations."""
    return {
        name: function
        for module in modules
        for name, function in inspect.getmembers(module, inspect.isfunction)
        if not name.startswith("_")
        and function.__module__ == module.__name__  # type: ignore[attr-defined]
        and inspect.signature(function).return_annotation == list[str]
    }


POLICIES = policies_of(access, encryption, operations, sources)


@pytest.mark.parametrize(
    ("name", "stage"), [(name, stage) for name in POLICIES for stage in ONLY_FOR.get(name, STAGES)]
)
def test_the_stacks_of_every_stage_keep_the_policy(request: pytest.FixtureRequest, name: str, stage: str) -> None:
    template: StackTemplate = request.getfixturevalue(stage)

    for stack in filter(None, (template, template.edge)):
        assert POLICIES[name](stack) == []


# --- Each can fail ----------------------------------------------------------------------------------------------------

Resources = dict[str, Any]
Breaking = Callable[[Resources], object]


def of(kind: str, resources: Resources, index: int = 0, /, **having: object) -> Any:  # noqa: ANN401 - a part of a template
    """The properties of one resource of a type, which has these among them."""
    found = [
        one["Properties"]
        for one in resources.values()
        if one["Type"] == kind and having.items() <= one.get("Properties", {}).items()
    ]
    return found[index]


def put(kind: str, index: int = 0, **change: object) -> Breaking:
    """Properties of one resource of the type become these; None: are left out."""

    def breaking(resources: Resources) -> None:
        properties = of(kind, resources, index)
        for name, value in change.items():
            if value is None:
                del properties[name]
            else:
                properties[name] = value

    return breaking


def mapping(*, stream: bool, **change: object) -> Breaking:
    """The same with an event source mapping, of a stream or of a queue."""

    def breaking(resources: Resources) -> None:
        mappings = [one["Properties"] for one in resources.values() if one["Type"] == SOURCE]
        chosen = next(one for one in mappings if ("StartingPosition" in one) is stream)
        for name, value in change.items():
            if value is None:
                del chosen[name]
            else:
                chosen[name] = value

    return breaking


def statement(kind: str, document: str = "PolicyDocument", index: int = 0, **change: object) -> Breaking:
    """The first statement of one policy of the type is changed."""
    return lambda resources: of(kind, resources, index)[document]["Statement"][0].update(change)


def add(kind: str, **properties: object) -> Breaking:
    """One resource more."""

    def breaking(resources: Resources) -> None:
        resources["Added"] = {
            "Type": kind,
            "Properties": properties,
            "Metadata": {"aws:cdk:path": "stack/New/Resource"},
        }

    return breaking


def drop(kind: str, **having: object) -> Breaking:
    """One resource less."""

    def breaking(resources: Resources) -> None:
        gone = of(kind, resources, 0, **having)
        del resources[next(name for name, one in resources.items() if one.get("Properties") is gone)]

    return breaking


def policy(kind: str, **change: object) -> Breaking:
    """The deletion policy of one resource of the type, which stands beside its properties."""
    return lambda resources: next(one for one in resources.values() if one["Type"] == kind).update(change)


def short_commands(resources: Resources) -> None:
    of(FUNCTION, resources, FunctionName="ocpi-bridge-production-send-charger-commands")["Timeout"] = 20


def endless_commands(resources: Resources) -> None:
    next(
        one["Properties"]
        for one in resources.values()
        if one["Type"] == QUEUE and one["Properties"]["QueueName"].endswith("charger-commands.fifo")
    )["VisibilityTimeout"] = 90


def slow_door(resources: Resources) -> None:
    of(FUNCTION, resources, FunctionName="ocpi-bridge-production-ocpi-sessions")["Timeout"] = 29


def slow_pusher(resources: Resources) -> None:
    of(FUNCTION, resources, FunctionName="ocpi-bridge-production-push-updates")["Timeout"] = 31


def shared_role(resources: Resources) -> None:
    of(FUNCTION, resources, 1)["Role"] = of(FUNCTION, resources, 0)["Role"]


def secret_in_environment(resources: Resources) -> None:
    of(FUNCTION, resources)["Environment"]["Variables"]["KEY"] = "{{resolve:secretsmanager:key}}"


def unprotected(resources: Resources) -> None:
    of(TABLE, resources, 1)["Replicas"][0]["DeletionProtectionEnabled"] = False


def without_recovery(resources: Resources) -> None:
    specification = of(TABLE, resources, 2)["Replicas"][0]["PointInTimeRecoverySpecification"]
    specification["PointInTimeRecoveryEnabled"] = False


def traced(resources: Resources) -> None:
    of(STAGE, resources)["MethodSettings"][0]["DataTraceEnabled"] = True


def unthrottled(resources: Resources) -> None:
    del of(STAGE, resources, 1)["MethodSettings"][0]["ThrottlingRateLimit"]


def account_of_others(resources: Resources) -> None:
    of("AWS::KMS::Key", resources)["KeyPolicy"]["Statement"][0]["Principal"] = {"AWS": "*"}


def standard_dead_letters(resources: Resources) -> None:
    for one in resources.values():
        if one["Type"] == QUEUE and one["Properties"]["QueueName"].endswith("-dlq.fifo"):
            del one["Properties"]["FifoQueue"]


def short_dead_letters(resources: Resources) -> None:
    for one in resources.values():
        if one["Type"] == QUEUE and one["Properties"]["QueueName"].endswith("relay-failures"):
            one["Properties"]["MessageRetentionPeriod"] = 345_600


def unread_redrive(resources: Resources) -> None:
    for one in resources.values():
        if one["Type"] == QUEUE:
            one["Properties"].pop("RedrivePolicy", None)


def tried_rule(resources: Resources) -> None:
    of("AWS::Events::Rule", resources, ScheduleExpression="rate(1 minute)")["Targets"][0]["RetryPolicy"] = {}


def plain_queue(resources: Resources) -> None:
    of("AWS::SQS::QueuePolicy", resources, 3)["PolicyDocument"]["Statement"].pop(0)


def sampled(resources: Resources) -> None:
    of("AWS::WAFv2::WebACL", resources)["Rules"][0]["VisibilityConfig"]["SampledRequestsEnabled"] = True


FUNCTION, QUEUE, TABLE = "AWS::Lambda::Function", "AWS::SQS::Queue", "AWS::DynamoDB::GlobalTable"
SOURCE, STAGE, ROLE = "AWS::Lambda::EventSourceMapping", "AWS::ApiGateway::Stage", "AWS::IAM::Role"
ALARM, LOG, IAM = "AWS::CloudWatch::Alarm", "AWS::Logs::LogGroup", "AWS::IAM::Policy"

MUTATIONS: dict[str, tuple[Breaking, ...]] = {
    "queues_are_encrypted": (put(QUEUE, 4, SqsManagedSseEnabled=None), add(QUEUE, QueueName="new")),
    "tables_are_encrypted": (put(TABLE, SSESpecification=None), add("AWS::DynamoDB::Table", KeySchema=[])),
    "topics_are_encrypted": (put("AWS::SNS::Topic", KmsMasterKeyId=None), add("AWS::SNS::Topic")),
    "keys_rotate": (put("AWS::KMS::Key", EnableKeyRotation=False),),
    "secrets_are_made_by_aws": (put("AWS::SecretsManager::Secret", SecretString="known to all"),),
    "buses_and_logs_are_encrypted_by_their_service": (
        add("AWS::Events::Archive", SourceArn="bus"),
        put(LOG, KmsKeyId="arn:aws:kms:eu-west-1:111111111111:key/theirs"),
    ),
    "queues_and_topics_refuse_plain_http": (
        plain_queue,
        drop("AWS::SNS::TopicPolicy"),
        statement("AWS::SQS::QueuePolicy", Condition={"Bool": {"aws:SecureTransport": "true"}}),
        add(QUEUE, QueueName="new"),
    ),
    "domains_take_tls_12_or_newer": (add("AWS::ApiGateway::DomainName", DomainName="x.example"),),
    "keys_serve_services_and_the_account": (account_of_others,),
    "no_action_is_a_pattern": (statement(IAM, Action="dynamodb:*"), statement(IAM, Action=["sqs:Send*"])),
    "resources_are_named": (
        statement(IAM, Resource="*"),
        statement(IAM, index=5, Resource=["arn:aws:sqs:eu-west-1:111111111111:*"]),
    ),
    "no_statement_says_what_is_not_meant": (statement(IAM, NotAction="iam:*"),),
    "roles_are_assumed_by_one_service": (
        statement(ROLE, "AssumeRolePolicyDocument", Principal={"AWS": "*"}),
        put(ROLE, 1, ManagedPolicyArns=["arn:aws:iam::aws:policy/AdministratorAccess"]),
    ),
    "a_role_is_one_functions": (shared_role,),
    "functions_are_invoked_by_alias_for_one_source": (
        put("AWS::Lambda::Permission", Principal="*"),
        put("AWS::Lambda::Permission", 2, SourceArn=None),
        put("AWS::Lambda::Permission", 3, FunctionName="arn:aws:lambda:eu-west-1:111111111111:function:x"),
        add("AWS::Lambda::Url", AuthType="NONE"),
    ),
    "queues_and_buses_are_open_to_named_sources": (
        statement("AWS::SQS::QueuePolicy", Effect="Allow", Condition={}),
        add("AWS::Events::EventBusPolicy", Statement={"Effect": "Allow", "Principal": "*"}),
    ),
    "environments_hold_no_secret": (secret_in_environment,),
    "sources_feed_the_alias": (
        mapping(stream=False, FunctionName="arn:aws:lambda:eu-west-1:111111111111:function:x"),
        mapping(stream=True, FunctionName="arn:aws:lambda:eu-west-1:111111111111:function:x"),
    ),
    "queues_take_back_only_what_failed": (mapping(stream=False, FunctionResponseTypes=None),),
    "queues_run_a_bounded_number_of_workers": (mapping(stream=False, ScalingConfig=None),),
    "streams_fail_whole_batches_and_report_what_they_drop": (
        mapping(stream=True, BisectBatchOnFunctionError=None),
        mapping(stream=True, FunctionResponseTypes=["ReportBatchItemFailures"]),
        mapping(stream=True, MaximumRetryAttempts=-1),
        mapping(stream=True, MaximumRecordAgeInSeconds=86_400),
        mapping(stream=True, DestinationConfig=None),
        mapping(stream=True, StartingPosition="LATEST"),
    ),
    "messages_stay_hidden_while_they_are_worked_on": (short_commands, endless_commands, slow_pusher),
    "whoever_waits_at_a_gateway_is_answered": (slow_door,),
    "every_function_has_a_timeout_of_its_own": (put(FUNCTION, 7, Timeout=None),),
    "a_queue_that_is_read_has_dead_letters_kept_for_14_days": (
        unread_redrive,
        standard_dead_letters,
        short_dead_letters,
    ),
    "rules_keep_what_they_cannot_hand_on": (tried_rule,),
    "functions_that_raise_are_alarmed": (
        drop(ALARM, MetricName="Errors"),
        add(FUNCTION, FunctionName="new", Timeout=3),
    ),
    "dead_letters_are_alarmed": (
        drop(ALARM, MetricName="ApproximateNumberOfMessagesVisible"),
        lambda resources: of(ALARM, resources, MetricName="ApproximateNumberOfMessagesVisible").pop("AlarmActions"),
    ),
    "logs_forget": (put(LOG, 2, RetentionInDays=None), put(FUNCTION, LoggingConfig={})),
    "apis_log_access_and_nothing_more": (put(STAGE, AccessLogSetting=None), traced),
    "apis_are_throttled": (unthrottled,),
    "data_outlives_its_stack": (policy(TABLE, DeletionPolicy="Delete"), unprotected, without_recovery),
    "nothing_outlives_its_stack": (policy(LOG, DeletionPolicy="Retain"), policy(TABLE, DeletionPolicy="Retain")),
    "web_acls_show_no_secret": (
        sampled,
        put("AWS::WAFv2::LoggingConfiguration", 1, RedactedFields=[{"UriPath": {}}]),
        drop("AWS::WAFv2::LoggingConfiguration"),
        drop("AWS::WAFv2::WebACLAssociation"),
    ),
}


def test_every_policy_is_tried_on_a_template_that_breaks_it() -> None:
    assert set(MUTATIONS) == set(POLICIES)


@pytest.mark.parametrize(
    ("name", "number"), [(name, number) for name, breakings in MUTATIONS.items() for number in range(len(breakings))]
)
def test_a_template_that_breaks_the_policy_is_found(request: pytest.FixtureRequest, name: str, number: int) -> None:
    stage: StackTemplate = request.getfixturevalue(ONLY_FOR.get(name, STAGES)[0])
    template = stage.edge if name.startswith("web_acls") and stage.edge is not None else stage
    document = copy.deepcopy(template.document)
    assert POLICIES[name](StackTemplate(document, [])) == []

    MUTATIONS[name][number](document["Resources"])

    assert POLICIES[name](StackTemplate(document, [])) != []
