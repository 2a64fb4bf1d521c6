"""The three tables: sessions, requests and the registry."""

from dataclasses import dataclass
from typing import Final

from aws_cdk import RemovalPolicy
from aws_cdk import aws_dynamodb as dynamodb
from constructs import Construct

from infra.stages import StageSettings

DUE_INDEX: Final = "due"
"""What the sweep reads: items that carry `due_shard` and `due_at`, the earliest first."""


@dataclass(frozen=True, slots=True)
class BridgeTable:
    """A table and the environment variable by which functions know it."""

    table: dynamodb.TableV2
    variable: str


class Tables(Construct):
    """The bridge's state: encrypted, paid by request, cleaned up by `expires_at`.

    Names are generated. A table that was kept when its stack went must not stand in the way of the next stack.
    """

    def __init__(self, scope: Construct, construct_id: str, settings: StageSettings) -> None:
        super().__init__(scope, construct_id)
        self.sessions = BridgeTable(
            self._table(
                "Sessions",
                settings,
                stream=dynamodb.StreamViewType.NEW_IMAGE,
                due=("version", "session_id", "partner_id", "entity"),
            ),
            "SESSIONS_TABLE",
        )
        self.requests = BridgeTable(
            self._table(
                "Requests",
                settings,
                stream=dynamodb.StreamViewType.NEW_IMAGE,
                due=("state", "step", "request_id", "station_key", "partner_id", "deadline", "created_at", "attempts"),
            ),
            "REQUESTS_TABLE",
        )
        self.registry = BridgeTable(self._table("Registry", settings), "REGISTRY_TABLE")

    def _table(
        self,
        construct_id: str,
        settings: StageSettings,
        *,
        stream: dynamodb.StreamViewType | None = None,
        due: tuple[str, ...] = (),
    ) -> dynamodb.TableV2:
        text = dynamodb.AttributeType.STRING
        number = dynamodb.AttributeType.NUMBER
        table = dynamodb.TableV2(
            self,
            construct_id,
            partition_key=dynamodb.Attribute(name="pk", type=text),
            sort_key=dynamodb.Attribute(name="sk", type=text),
            billing=dynamodb.Billing.on_demand(),
            encryption=dynamodb.TableEncryptionV2.aws_managed_key(),
            time_to_live_attribute="expires_at",
            dynamo_stream=stream,
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=settings.retain_data
            ),
            deletion_protection=settings.retain_data,
            removal_policy=RemovalPolicy.RETAIN if settings.retain_data else RemovalPolicy.DESTROY,
        )
        if due:
            table.add_global_secondary_index(
                index_name=DUE_INDEX,
                partition_key=dynamodb.Attribute(name="due_shard", type=text),
                sort_key=dynamodb.Attribute(name="due_at", type=number),
                projection_type=dynamodb.ProjectionType.INCLUDE,
                non_key_attributes=list(due),
            )
        return table
