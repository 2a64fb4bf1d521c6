"""The three tables: sessions, requests and the registry."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from aws_cdk import RemovalPolicy
from aws_cdk import aws_dynamodb as dynamodb
from constructs import Construct

from infra.constructs import capacity
from infra.constructs.capacity import Load
from infra.stages import StageSettings

DUE_INDEX: Final = "due"
"""What the sweep reads: items that carry `due_shard` and `due_at`, the earliest first."""

OPEN_INDEX: Final = "open"
"""Likewise of requests that are not at their end. It has nothing that changes on their way, which would be written twice."""

FEED_INDEX: Final = "feed"
"""What a partner may list: the sessions that it sees, by their last update; `feed` is partner and shard."""

LIVE_INDEX: Final = "live"
"""The sessions of a partner that are not over; `live` is partner and shard. Those that are leave the index."""

SESSION_INDEX: Final = "session"
"""The requests of a session, by their creation: for people who want to know what became of it."""


@dataclass(frozen=True, slots=True)
class Index:
    """A global secondary index over the items that carry both of its keys."""

    name: str
    partition_key: str
    sort_key: str
    sort_type: dynamodb.AttributeType
    projected: tuple[str, ...]
    load: Load


def _due(name: str, load: Load, *projected: str) -> Index:
    return Index(name, "due_shard", "due_at", dynamodb.AttributeType.NUMBER, projected, load)


@dataclass(frozen=True, slots=True)
class BridgeTable:
    """A table with its indexes, the variable by which functions know it, and what must be known to write its items."""

    table: dynamodb.TableV2
    variable: str
    settings: Mapping[str, str] = field(default_factory=dict)
    indexes: tuple[str, ...] = ()


class Tables(Construct):
    """The bridge's state: encrypted, cleaned up by `expires_at`, paid by request or provisioned, as the stage has it.

    Names are generated. A table that was kept when its stack went must not stand in the way of the next stack.
    """

    def __init__(self, scope: Construct, construct_id: str, settings: StageSettings) -> None:
        super().__init__(scope, construct_id)
        self.sessions = BridgeTable(
            self._table(
                "Sessions",
                settings,
                capacity.SESSIONS,
                stream=dynamodb.StreamViewType.NEW_IMAGE,
                indexes=(
                    _due(DUE_INDEX, capacity.DUE, "version", "session_id", "partner_id", "entity"),
                    Index(
                        FEED_INDEX,
                        "feed",
                        "feed_at",
                        dynamodb.AttributeType.NUMBER,
                        ("session_id", "party"),
                        capacity.FEED,
                    ),
                    Index(LIVE_INDEX, "live", "session_id", dynamodb.AttributeType.STRING, (), capacity.LIVE),
                ),
            ),
            "SESSIONS_TABLE",
            {"SESSION_RETENTION_DAYS": str(settings.session_retention_days)},
            indexes=(DUE_INDEX, FEED_INDEX, LIVE_INDEX),
        )
        self.requests = BridgeTable(
            self._table(
                "Requests",
                settings,
                capacity.REQUESTS,
                stream=dynamodb.StreamViewType.NEW_IMAGE,
                indexes=(
                    _due(OPEN_INDEX, capacity.OPEN, "station_key"),
                    Index(
                        SESSION_INDEX,
                        "session_id",
                        "created_at",
                        dynamodb.AttributeType.NUMBER,
                        (),
                        capacity.REQUESTS_OF_SESSION,
                    ),
                ),
            ),
            "REQUESTS_TABLE",
            indexes=(OPEN_INDEX,),
        )
        self.registry = BridgeTable(self._table("Registry", settings, capacity.REGISTRY), "REGISTRY_TABLE")

    def _table(
        self,
        construct_id: str,
        settings: StageSettings,
        load: Load,
        *,
        stream: dynamodb.StreamViewType | None = None,
        indexes: tuple[Index, ...] = (),
    ) -> dynamodb.TableV2:
        text, sessions = dynamodb.AttributeType.STRING, settings.provisioned_sessions
        table = dynamodb.TableV2(
            self,
            construct_id,
            partition_key=dynamodb.Attribute(name="pk", type=text),
            sort_key=dynamodb.Attribute(name="sk", type=text),
            billing=dynamodb.Billing.on_demand() if sessions is None else load.billing(sessions),
            encryption=dynamodb.TableEncryptionV2.aws_managed_key(),
            time_to_live_attribute="expires_at",
            dynamo_stream=stream,
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=settings.retain_data
            ),
            deletion_protection=settings.retain_data,
            removal_policy=RemovalPolicy.RETAIN if settings.retain_data else RemovalPolicy.DESTROY,
        )
        for index in indexes:
            table.add_global_secondary_index(
                index_name=index.name,
                partition_key=dynamodb.Attribute(name=index.partition_key, type=text),
                sort_key=dynamodb.Attribute(name=index.sort_key, type=index.sort_type),
                projection_type=(
                    dynamodb.ProjectionType.INCLUDE if index.projected else dynamodb.ProjectionType.KEYS_ONLY
                ),
                non_key_attributes=list(index.projected) or None,
                read_capacity=None if sessions is None else index.load.reading(sessions),
                write_capacity=None if sessions is None else index.load.writing(sessions),
            )
        return table
