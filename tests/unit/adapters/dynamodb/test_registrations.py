"""The registry as handshakes change it: all at once, and only on what was read."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from ocpi_bridge.adapters.dynamodb import reassessments, token_items
from ocpi_bridge.adapters.dynamodb.registrations import DynamoRegistrations
from ocpi_bridge.adapters.dynamodb.registry import DynamoRegistry
from ocpi_bridge.domain.partners import Partner, Party, Registration
from ocpi_bridge.domain.tokens import AcceptedToken, TokenUse
from ocpi_bridge.ports.credentials import Standing
from tests.support.clocks import START
from tests.support.registry_entries import csms
from tests.support.tables import AwsTables, aws_tables

PARTNER = Partner("jedlix", "Jedlix", Party("NL", "JED"), (".jedlix.com",), registration=Registration.INVITED)
OLD = AcceptedToken("old", "jedlix", PARTNER.party, START)
NEW = AcceptedToken("new", "jedlix", PARTNER.party, START, supersedes=("old",))


@pytest.fixture(scope="module")
def _tables() -> Iterator[AwsTables]:
    with aws_tables() as tables:
        yield tables


@pytest.fixture
def tables(_tables: AwsTables) -> Iterator[AwsTables]:
    yield _tables
    _tables.clear()


@pytest.fixture
def store(tables: AwsTables) -> DynamoRegistrations:
    return DynamoRegistrations(tables.client, tables.registry)


@pytest.fixture
def before(store: DynamoRegistrations) -> Standing:
    """The partner with its old token."""
    assert store.commit(None, PARTNER, (OLD,))
    return standing(store)


def standing(store: DynamoRegistrations) -> Standing:
    found = store.standing("jedlix")
    assert found is not None
    return found


def end(tables: AwsTables, token: AcceptedToken) -> None:
    pk, sk = token_items.token_key(token.token_hash)
    tables.client.delete_item(TableName=tables.registry, Key={"pk": {"S": pk}, "sk": {"S": sk}})


def test_what_is_committed_is_read_again(store: DynamoRegistrations, before: Standing) -> None:
    assert before == Standing(PARTNER, 1, (OLD,))
    after = replace(PARTNER, registration=Registration.REGISTERED)
    assert store.commit(before, after, (OLD, NEW))
    assert standing(store) == Standing(after, 2, (NEW, OLD))
    assert store.standing("nobody") is None


def test_tokens_that_are_not_named_end(store: DynamoRegistrations, before: Standing) -> None:
    assert store.commit(before, PARTNER, (NEW,))
    assert standing(store).tokens == (NEW,)


def test_nothing_is_written_on_what_was_read_too_early(
    store: DynamoRegistrations, before: Standing, tables: AwsTables
) -> None:
    assert store.commit(before, PARTNER, (OLD,))
    kept = tables.items(tables.registry)
    assert not store.commit(before, replace(PARTNER, name="Late"), (NEW,))
    assert not store.commit(None, replace(PARTNER, name="Late"), (NEW,))
    assert tables.items(tables.registry) == kept


@pytest.mark.parametrize("kept", [OLD, replace(OLD, spent_at=START)], ids=["as it was", "changed"])
def test_a_token_that_stays_must_not_have_ended_meanwhile(
    store: DynamoRegistrations, before: Standing, tables: AwsTables, kept: AcceptedToken
) -> None:
    end(tables, OLD)
    assert not store.commit(before, replace(PARTNER, name="Late"), (kept, NEW))
    assert standing(store) == Standing(PARTNER, 1, ())


def test_a_token_that_goes_may_have_ended_meanwhile(
    store: DynamoRegistrations, before: Standing, tables: AwsTables
) -> None:
    end(tables, OLD)
    assert store.commit(before, PARTNER, (NEW,))


def test_every_commit_lets_the_sessions_be_looked_at_again(
    store: DynamoRegistrations, before: Standing, tables: AwsTables
) -> None:
    pk, sk = reassessments.reassessment_key("jedlix")
    tables.client.delete_item(TableName=tables.registry, Key={"pk": {"S": pk}, "sk": {"S": sk}})
    assert store.commit(before, PARTNER, (OLD,))
    assert (pk, sk) in {(item["pk"]["S"], item["sk"]["S"]) for item in tables.items(tables.registry)}


def test_a_reservation_opens_nothing_for_ever_and_can_be_taken_back(
    store: DynamoRegistrations, before: Standing, tables: AwsTables
) -> None:
    reserved = replace(NEW, use=TokenUse.REGISTRATION, supersedes=())
    store.reserve(reserved, START + timedelta(hours=1))
    assert reserved in standing(store).tokens
    [expiry] = [item["expires_at"] for item in tables.items(tables.registry) if "expires_at" in item]
    assert expiry == {"N": str(int(START.timestamp()) + 3600)}
    store.release(reserved.token_hash)
    store.release(reserved.token_hash)
    assert standing(store).tokens == (OLD,)


def test_a_reservation_that_was_taken_up_stays(store: DynamoRegistrations, before: Standing, tables: AwsTables) -> None:
    store.reserve(replace(NEW, use=TokenUse.REGISTRATION), START + timedelta(hours=1))
    assert store.commit(standing(store), PARTNER, (NEW,))
    store.release(NEW.token_hash)
    assert standing(store).tokens == (NEW,)
    assert not [item for item in tables.items(tables.registry) if "expires_at" in item]


def test_the_tokens_of_other_partners_are_not_touched(store: DynamoRegistrations, before: Standing) -> None:
    other = replace(PARTNER, partner_id="other")
    token = AcceptedToken("theirs", "other", other.party, START)
    assert store.commit(None, other, (token,))
    assert store.commit(before, PARTNER, ())
    found = store.standing("other")
    assert found is not None
    assert found.tokens == (token,)


def test_the_parties_are_those_of_the_csmss(store: DynamoRegistrations, tables: AwsTables) -> None:
    assert list(store.parties()) == []
    registry = DynamoRegistry(tables.client, tables.registry)
    registry.add_csms(csms("b"))
    registry.add_csms(replace(csms("a"), country_code="BE", party_id="BEC"))
    assert list(store.parties()) == [Party("BE", "BEC"), Party("NL", "ACM")]
