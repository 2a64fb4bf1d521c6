"""Signatures of events: each one is new once."""

from typing import TYPE_CHECKING, Any, cast

import pytest

from ocpi_bridge.adapters.dynamodb.signatures import DynamoSignatures
from tests.support.registry_entries import NEW_YEAR
from tests.support.tables import AwsTables

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class LosesFirstAnswer:
    """A client of DynamoDB that puts each item twice, as the SDK does when the first answer is lost."""

    def __init__(self, client: "DynamoDBClient") -> None:
        self._client = cast("Any", client)

    def put_item(self, **request: object) -> object:
        self._client.put_item(**request)
        return self._client.put_item(**request)

    def __getattr__(self, name: str) -> object:
        return getattr(self._client, name)


@pytest.fixture
def signatures(aws: AwsTables) -> DynamoSignatures:
    return DynamoSignatures(aws.client, aws.registry)


def test_a_signature_is_new_once_for_each_csms(signatures: DynamoSignatures) -> None:
    assert signatures.mark("acme", "s1", NEW_YEAR)
    assert not signatures.mark("acme", "s1", NEW_YEAR)
    assert signatures.mark("other", "s1", NEW_YEAR)
    assert signatures.mark("acme", "s2", NEW_YEAR)


def test_a_signature_is_new_though_the_answer_to_the_first_write_of_it_was_lost(aws: AwsTables) -> None:
    """The SDK repeats such a write by itself; the event would be refused as a replay, and its CSMS would give it up."""
    client = cast("DynamoDBClient", LosesFirstAnswer(aws.client))
    signatures = DynamoSignatures(client, aws.registry)

    assert signatures.mark("acme", "s1", NEW_YEAR)
    assert not signatures.mark("acme", "s1", NEW_YEAR)


def test_a_forgotten_signature_is_new_again(signatures: DynamoSignatures) -> None:
    signatures.mark("acme", "s1", NEW_YEAR)
    signatures.forget("acme", "s1")
    assert signatures.mark("acme", "s1", NEW_YEAR)


def test_a_signature_is_kept_until_its_time_is_over(signatures: DynamoSignatures, aws: AwsTables) -> None:
    signatures.mark("acme", "s1", NEW_YEAR)
    [item] = aws.items(aws.registry)
    assert item["expires_at"] == {"N": str(int(NEW_YEAR.timestamp()))}
