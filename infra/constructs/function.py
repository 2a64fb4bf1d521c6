"""One Lambda function of the bridge, so that no function drifts from the others."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, cast

import jsii
from aws_cdk import CfnElement, Duration, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.bundling import FUNCTION_ROOT, Sources, SourceTree, Target, code_of
from infra.constructs.acknowledgements import acknowledge
from infra.constructs.log_groups import log_group
from infra.constructs.queues import BridgeQueue
from infra.constructs.secrets import Secrets
from infra.constructs.tables import BridgeTable
from infra.stages import StageSettings

ALIAS: Final = "live"
"""Everything that calls a function calls this alias, so that a version can be put back by moving it."""

STREAM_BATCH: Final = 25
STREAM_TRIES: Final = 10
STREAM_MAX_AGE: Final = Duration.hours(1)
"""An older change is no news to anybody: the sweep has taken care of what it was to start."""

SENDING: Final = ("sqs:SendMessage", "sqs:SendMessageBatch")
"""On AWS the first allows batches too; the embedded AWS asks for the second by its own name."""
RECEIVING: Final = ("sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage")
"""What Lambda needs of the role to poll a queue."""


@dataclass(frozen=True, slots=True)
class FunctionDefaults:
    """What all functions of a stack have in common."""

    settings: StageSettings
    tree: SourceTree
    target: Target
    layers: Sequence[lambda_.ILayerVersion]


class BridgeFunction(Construct):
    """A function with a role, a log group and an alias of its own.

    It can do nothing but write its log until it is told what it uses. Each of these methods gives both the permission
    and the environment variable, so that a function never has one without the other.

    Args:
        reserved: So many copies are kept for it, and no more may run at once; None: what the account has.
        traced: X-Ray samples its runs; else only those whose caller is sampled.

    Attributes:
        name: Name of its folder under `functions/`.
        alias: What may call it is attached here.
        function: The function itself.
        log: Its log group.
        timeout: The longest that it may run.
        follows_streams: It reads a table's stream.

    """

    def __init__(
        self,
        scope: Construct,
        name: str,
        defaults: FunctionDefaults,
        *,
        description: str,
        timeout: Duration,
        memory_mb: int,
        reserved: int | None = None,
        traced: bool = True,
    ) -> None:
        super().__init__(scope, name)
        settings = defaults.settings
        self.name = name
        self.timeout = timeout
        self.follows_streams = False
        full_name = f"{settings.prefix}-{name.replace('_', '-')}"
        self.log = log_group(self, "Log", f"/aws/lambda/{full_name}", settings)
        self._role = iam.Role(
            self,
            "Role",
            assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
            description=f"What {full_name} may do.",
        )
        self._allow(("logs:CreateLogStream", "logs:PutLogEvents"), self.log.log_group_arn)
        self.function = lambda_.Function(
            self,
            "Function",
            function_name=full_name,
            description=description,
            runtime=lambda_.Runtime.PYTHON_3_13,
            architecture=lambda_.Architecture.ARM_64,
            handler="handler.lambda_handler",
            code=code_of(Sources(defaults.tree.function(name), FUNCTION_ROOT, defaults.target), defaults.tree),
            layers=list(defaults.layers),
            timeout=timeout,
            memory_size=memory_mb,
            reserved_concurrent_executions=reserved,
            role=self._role,
            log_group=self.log,
            # Sampled by Lambda itself: the functions carry no SDK for it (docs/decisions/0021-watching.md).
            tracing=lambda_.Tracing.ACTIVE if traced else lambda_.Tracing.PASS_THROUGH,
            environment={
                "STAGE": settings.name,
                "LOG_LEVEL": settings.log_level,
                "POWERTOOLS_SERVICE_NAME": name,
                # There are none; looking through all packages for them costs each start (docs/decisions/0025).
                "PYDANTIC_DISABLE_PLUGINS": "__all__",
                "POWERTOOLS_METRICS_NAMESPACE": settings.metrics_namespace,
            },
        )
        self.alias = lambda_.Alias(self, "Alias", alias_name=ALIAS, version=self.function.current_version)
        self._acknowledge_wildcard("*", "X-Ray's actions know no resources; they only write what the function did.")
        acknowledge(
            self.function, "L1", "Python 3.13 starts faster than 3.14 on Lambda (measured); both are fully supported."
        )

    def set(self, **variables: str) -> None:
        """Put values into the function's environment."""
        for name, value in variables.items():
            self.function.add_environment(name, value)

    def use_table(self, table: BridgeTable, *actions: str) -> None:
        """Let it call these DynamoDB actions on the table's items."""
        self.set(**table.settings)
        self.read_table(table, *actions)

    def read_table(self, table: BridgeTable, *actions: str) -> None:
        """Let it read the table's items with these actions; how long items are kept is none of its business."""
        self.set(**{table.variable: table.table.table_name})
        self._allow(tuple(f"dynamodb:{action}" for action in actions), table.table.table_arn)

    def query_index(self, table: BridgeTable, index: str) -> None:
        """Let it query this index of the table, and nothing else of the table."""
        self.set(**{table.variable: table.table.table_name})
        self._allow(("dynamodb:Query",), f"{table.table.table_arn}/index/{index}")

    def send_to(self, *queues: BridgeQueue) -> None:
        """Let it send messages to these queues."""
        for queue in queues:
            self.set(**{queue.variable: queue.queue.queue_url})
            self._allow(SENDING, queue.queue.queue_arn)

    def give_up_to(self, queue: BridgeQueue) -> None:
        """Let it put a message into the queue's dead-letter queue, with a reason that a redrive could not give."""
        self.set(**{queue.variable.replace("_QUEUE_URL", "_DLQ_URL"): queue.dead_letters.queue_url})
        self._allow(SENDING, queue.dead_letters.queue_arn)

    def consume(self, queue: BridgeQueue, *, batch_size: int, concurrency: int, defers: bool = False) -> None:
        """Run the alias for the queue's messages; its answer names those that failed and are to come back.

        What fails at its last try it puts into the dead-letter queue itself, so it is told how many there are.

        Args:
            queue: Where messages come from.
            batch_size: Most messages in one run.
            concurrency: Most copies that run at once.
            defers: It may say when a message comes back.

        """
        self.set(
            **{
                queue.variable: queue.queue.queue_url,
                queue.variable.replace("_QUEUE_URL", "_TRIES"): str(queue.tries),
            }
        )
        self._allow(RECEIVING, queue.queue.queue_arn)
        self.give_up_to(queue)
        if defers:
            self._allow(("sqs:ChangeMessageVisibility",), queue.queue.queue_arn)
        self.alias.add_event_source_mapping(
            f"From-{queue.queue.node.id}",
            event_source_arn=queue.queue.queue_arn,
            batch_size=batch_size,
            max_concurrency=concurrency,
            report_batch_item_failures=True,
        )

    def follow(
        self,
        table: BridgeTable,
        *entities: str,
        failures: sqs.IQueue,
        only: Mapping[str, Sequence[str] | int] | None = None,
    ) -> None:
        """Run the alias for each new or changed item of these entities, in the order of each item's changes.

        With `only`, where these attributes are then this number, or one of these texts.
        A failed batch is halved and tried again; the mapping does not name single failures, because the embedded AWS
        takes no notice of them on streams. What fails in the end is reported to `failures` by its position only.
        """
        self.follows_streams = True
        stream_arn = table.table.table_stream_arn
        if stream_arn is None:
            raise ValueError(f"{table.table.node.path} has no stream")
        self._allow(("dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"), stream_arn)
        self._allow(("dynamodb:ListStreams",), f"{table.table.table_arn}/stream/*")
        logical_id = Stack.of(self).get_logical_id(cast(CfnElement, table.table.node.default_child))
        self._acknowledge_wildcard(
            f"<{logical_id}.Arn>/stream/*", "Lambda insists on ListStreams, which lists the streams of the one table."
        )
        self._allow(SENDING, failures.queue_arn)
        self.alias.add_event_source_mapping(
            f"From-{table.table.node.id}",
            event_source_arn=stream_arn,
            starting_position=lambda_.StartingPosition.TRIM_HORIZON,
            batch_size=STREAM_BATCH,
            bisect_batch_on_error=True,
            retry_attempts=STREAM_TRIES,
            max_record_age=STREAM_MAX_AGE,
            parallelization_factor=1,
            on_failure=_Failures(failures),
            filters=[_new_image_of({"entity": entities, **(only or {})})],
        )

    def read_secrets(self, secrets: Secrets, *names: str) -> None:
        """Let it read the secrets of these names, which may be patterns."""
        self.set(SECRETS_PREFIX=secrets.prefix)
        self._allow(("secretsmanager:GetSecretValue",), *(secrets.arn(name) for name in names))
        for name in names:
            if name.endswith("*"):
                self._acknowledge_wildcard(
                    f"arn:<AWS::Partition>:secretsmanager:<AWS::Region>:<AWS::AccountId>:secret:{secrets.prefix}/{name}",
                    "Secrets of partners and CSMSs are made when these are registered; their folder is fixed.",
                )

    def write_secrets(self, secrets: Secrets, pattern: str) -> None:
        """Let it make and delete the secrets of this pattern; what is in one never changes."""
        self.read_secrets(secrets, pattern)
        actions = ("CreateSecret", "DeleteSecret")
        self._allow(tuple(f"secretsmanager:{action}" for action in actions), secrets.arn(pattern))

    def _acknowledge_wildcard(self, resource: str, reason: str) -> None:
        acknowledge(self._role, "IAM5", reason, finding=f"Resource::{resource}")

    def _allow(self, actions: Sequence[str], *resources: str) -> None:
        self._role.add_to_principal_policy(iam.PolicyStatement(actions=list(actions), resources=list(resources)))


def _new_image_of(wanted: Mapping[str, Sequence[str] | int]) -> dict[str, object]:
    # DynamoDB has a number as text.
    image = {
        name: {"N": lambda_.FilterRule.is_equal(str(one))}
        if isinstance(one, int)
        else {"S": lambda_.FilterRule.or_(*one)}
        for name, one in wanted.items()
    }
    return dict(lambda_.FilterCriteria.filter({"dynamodb": {"NewImage": image}}))


@jsii.implements(lambda_.IEventSourceDlq)
class _Failures:
    """A queue as a stream's destination for failures, without the rights beyond sending that the CDK's own gives."""

    def __init__(self, queue: sqs.IQueue) -> None:
        self._arn = queue.queue_arn

    def bind(self, _target: object, _target_handler: object) -> lambda_.DlqDestinationConfig:
        """Name the queue."""
        return lambda_.DlqDestinationConfig(destination=self._arn)
