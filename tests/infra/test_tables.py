"""Tables: encrypted, cleaned up, and kept where they hold what somebody would miss."""

import pytest

from infra.constructs import capacity
from tests.infra.stack_template import Properties, StackTemplate
from tests.support.tables import REQUESTS_INDEXES, SESSIONS_INDEXES, Index

pytestmark = pytest.mark.integration

# What the stage of these tests is deployed for (conftest.py).
PROVISIONED_SESSIONS = 20_000

STREAMED = {"Tables/Sessions": SESSIONS_INDEXES, "Tables/Requests": REQUESTS_INDEXES}


def test_every_table_is_encrypted_paid_by_request_and_cleans_up_by_its_expiry_attribute(
    production: StackTemplate,
) -> None:
    tables = dict(production.of_type("AWS::DynamoDB::GlobalTable"))

    assert set(tables) == {*STREAMED, "Tables/Registry"}
    for properties in tables.values():
        assert properties["SSESpecification"]["SSEEnabled"] is True
        assert properties["BillingMode"] == "PAY_PER_REQUEST"
        assert properties["TimeToLiveSpecification"] == {"AttributeName": "expires_at", "Enabled": True}
        assert [key["AttributeName"] for key in properties["KeySchema"]] == ["pk", "sk"]


def test_tables_of_a_large_fleet_are_provisioned_between_a_tenth_and_twice_of_what_it_takes(dev: StackTemplate) -> None:
    tables = dict(dev.of_type("AWS::DynamoDB::GlobalTable"))
    assert {properties["BillingMode"] for properties in tables.values()} == {"PROVISIONED"}

    taken = PROVISIONED_SESSIONS / 0.7
    sessions = tables["Tables/Sessions"]
    assert _bounds(sessions["WriteProvisionedThroughputSettings"]) == {
        "MinCapacity": round(capacity.SESSIONS.writes * taken / 10),
        "MaxCapacity": round(capacity.SESSIONS.writes * taken * 2),
        "TargetValue": 70,
    }
    (replica,) = sessions["Replicas"]
    assert _bounds(replica["ReadProvisionedThroughputSettings"])["MaxCapacity"] == round(
        capacity.SESSIONS.reads * taken * 2
    )


def test_each_index_of_a_provisioned_table_is_provisioned_for_what_it_takes_itself(dev: StackTemplate) -> None:
    properties = dev.resource("Tables/Sessions")["Properties"]
    writes = {
        index["IndexName"]: _bounds(index["WriteProvisionedThroughputSettings"])["MaxCapacity"]
        for index in properties["GlobalSecondaryIndexes"]
    }
    taken = PROVISIONED_SESSIONS / 0.7
    assert writes == {
        "feed": round(capacity.FEED.writes * taken * 2),
        "due": round(capacity.DUE.writes * taken * 2),
        # Few come and go: the least that anything has.
        "live": max(10, round(capacity.LIVE.writes * taken * 2)),
    }
    (replica,) = properties["Replicas"]
    assert {index["IndexName"] for index in replica["GlobalSecondaryIndexes"]} == set(writes)


@pytest.mark.parametrize(("path", "indexes"), STREAMED.items())
def test_indexes_hold_what_is_read_from_them_and_the_tests_tables_agree(
    production: StackTemplate, path: str, indexes: dict[str, Index]
) -> None:
    properties = production.resource(path)["Properties"]
    types = {one["AttributeName"]: one["AttributeType"] for one in properties["AttributeDefinitions"]}

    assert {index["IndexName"]: _index(index, types) for index in properties["GlobalSecondaryIndexes"]} == indexes


@pytest.mark.parametrize("path", STREAMED)
def test_a_stream_has_items_as_they_are_after_each_change(production: StackTemplate, path: str) -> None:
    assert production.resource(path)["Properties"]["StreamSpecification"] == {"StreamViewType": "NEW_IMAGE"}


def test_the_registry_has_neither_stream_nor_index(production: StackTemplate) -> None:
    properties = production.resource("Tables/Registry")["Properties"]

    assert "StreamSpecification" not in properties
    assert "GlobalSecondaryIndexes" not in properties


@pytest.mark.parametrize(("stage", "kept"), [("production", True), ("local", False)])
def test_tables_survive_their_stack_only_on_stages_that_retain_data(
    request: pytest.FixtureRequest, stage: str, kept: bool
) -> None:
    template: StackTemplate = request.getfixturevalue(stage)
    for path, properties in template.of_type("AWS::DynamoDB::GlobalTable"):
        (replica,) = properties["Replicas"]
        assert replica["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"] is kept
        assert replica.get("DeletionProtectionEnabled", False) is kept
        assert template.resource(path)["DeletionPolicy"] == ("Retain" if kept else "Delete")


def test_no_name_of_a_table_is_fixed_so_that_a_kept_one_does_not_block_the_next_stack(
    production: StackTemplate,
) -> None:
    for path, properties in production.of_type("AWS::DynamoDB::GlobalTable"):
        assert "TableName" not in properties, path


def _bounds(settings: Properties) -> dict[str, int]:
    """Between what auto scaling moves, and what it aims at."""
    [(_, scaling)] = settings.items()
    target = scaling["TargetTrackingScalingPolicyConfiguration"]
    return {"MinCapacity": scaling["MinCapacity"], "MaxCapacity": scaling["MaxCapacity"], **target}


def _index(index: Properties, types: dict[str, str]) -> Index:
    """An index of the template as the tests' tables describe it."""
    partition, sort = (key["AttributeName"] for key in index["KeySchema"])
    assert [key["KeyType"] for key in index["KeySchema"]] == ["HASH", "RANGE"]
    assert types[partition] == "S"
    projection = index["Projection"]
    projected = tuple(projection.get("NonKeyAttributes", ()))
    assert projection["ProjectionType"] == ("INCLUDE" if projected else "KEYS_ONLY")
    return Index(partition, sort, types[sort], projected)
