"""Tables: encrypted, cleaned up, and kept where they hold what somebody would miss."""

import pytest

from tests.infra.stack_template import StackTemplate
from tests.support.tables import REQUESTS_DUE, SESSIONS_DUE

pytestmark = pytest.mark.integration

STREAMED = {"Tables/Sessions": SESSIONS_DUE, "Tables/Requests": REQUESTS_DUE}


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


@pytest.mark.parametrize(("path", "projected"), STREAMED.items())
def test_the_index_of_what_is_due_holds_what_the_sweep_reads_and_the_tests_tables_agree(
    production: StackTemplate, path: str, projected: tuple[str, ...]
) -> None:
    properties = production.resource(path)["Properties"]
    (index,) = properties["GlobalSecondaryIndexes"]

    assert index["IndexName"] == "due"
    assert [key["AttributeName"] for key in index["KeySchema"]] == ["due_shard", "due_at"]
    assert index["Projection"]["ProjectionType"] == "INCLUDE"
    assert tuple(index["Projection"]["NonKeyAttributes"]) == projected
    assert {"AttributeName": "due_at", "AttributeType": "N"} in properties["AttributeDefinitions"]
    assert properties["StreamSpecification"] == {"StreamViewType": "NEW_IMAGE"}


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
