"""Refused hosts are counted by partner and host, and however many a partner names, what is kept is bounded."""

from collections.abc import Iterable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from ocpi_bridge.adapters.dynamodb import tables as dynamo
from ocpi_bridge.adapters.dynamodb.refused_hosts import MAX_HOSTS, RETENTION, DynamoRefusedHosts
from ocpi_bridge.domain.refused_hosts import RefusedHost
from tests.support.clocks import START
from tests.support.tables import AwsTables

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

LATER = START + timedelta(minutes=5)


@pytest.fixture
def hosts(aws: AwsTables) -> DynamoRefusedHosts:
    return DynamoRefusedHosts(aws.client, aws.registry)


def test_the_first_and_the_newest_refusal_are_remembered_and_all_are_counted(hosts: DynamoRefusedHosts) -> None:
    hosts.note_refused_host("jedlix", "evil.example", "is not on the list", START)
    hosts.note_refused_host("jedlix", "evil.example", "is not https", LATER)
    assert hosts.of("jedlix") == (RefusedHost("jedlix", "evil.example", "is not https", 2, START, LATER),)


def test_each_partner_and_host_counts_for_itself_the_newest_first(hosts: DynamoRefusedHosts) -> None:
    hosts.note_refused_host("jedlix", "a.example", "why", START)
    hosts.note_refused_host("jedlix", "", "why", LATER)
    hosts.note_refused_host("other", "a.example", "why", LATER)
    assert [(one.host, one.count) for one in hosts.of("jedlix")] == [("", 1), ("a.example", 1)]
    assert [(one.host, one.count) for one in hosts.of("other")] == [("a.example", 1)]
    assert hosts.of("nobody") == ()


def test_a_partner_that_names_ever_new_hosts_fills_no_table(aws: AwsTables, hosts: DynamoRefusedHosts) -> None:
    names = [f"{number}.evil.example" for number in range(2 * MAX_HOSTS)]
    for number, name in enumerate(names):
        hosts.note_refused_host("jedlix", name, "why", START + timedelta(seconds=number))
    kept = [one.host for one in hosts.of("jedlix")]
    assert kept == list(reversed(names[-MAX_HOSTS:]))
    [item] = [dynamo.from_item(item) for item in aws.items(aws.registry)]
    assert item["displaced"] == MAX_HOSTS


def test_a_host_that_is_refused_again_and_again_is_not_displaced(hosts: DynamoRefusedHosts) -> None:
    for number in range(2 * MAX_HOSTS):
        hosts.note_refused_host("jedlix", "steady.example", "why", START + timedelta(seconds=2 * number))
        hosts.note_refused_host("jedlix", f"{number}.example", "why", START + timedelta(seconds=2 * number + 1))
    steady = [one for one in hosts.of("jedlix") if one.host == "steady.example"]
    assert [one.count for one in steady] == [2 * MAX_HOSTS]


def test_a_host_with_the_longest_name_is_kept_whole(hosts: DynamoRefusedHosts) -> None:
    name = ".".join(["a" * 62] * 4)
    hosts.note_refused_host("jedlix", name, "why", START)
    assert [one.host for one in hosts.of("jedlix")] == [name]


def test_it_goes_when_nothing_more_was_refused(aws: AwsTables, hosts: DynamoRefusedHosts) -> None:
    for at in (START, LATER):
        hosts.note_refused_host("jedlix", "evil.example", "why", at)
    [item] = [dynamo.from_item(item) for item in aws.items(aws.registry)]
    assert item["expires_at"] == int((LATER + RETENTION).timestamp())


@pytest.mark.parametrize("known", [0, 1, MAX_HOSTS])
def test_somebody_who_counts_at_the_same_moment_costs_no_refusal(
    aws: AwsTables, hosts: DynamoRefusedHosts, monkeypatch: pytest.MonkeyPatch, known: int
) -> None:
    for number in range(known):
        hosts.note_refused_host("jedlix", f"{number}.example", "why", START)
    read, others = dynamo.get_many, iter([("new.example", START)])

    def read_before_another_writes(
        client: "DynamoDBClient", keys: Iterable[dynamo.Key]
    ) -> dict[dynamo.Key, dict[str, Any]]:
        found = read(client, keys)
        for host, at in others:
            hosts.note_refused_host("jedlix", host, "why", at)
        return found

    monkeypatch.setattr(dynamo, "get_many", read_before_another_writes)
    hosts.note_refused_host("jedlix", "new.example", "why", LATER)
    monkeypatch.undo()

    assert {one.host: one.count for one in hosts.of("jedlix")}["new.example"] == 2
    assert len(hosts.of("jedlix")) == min(known + 1, MAX_HOSTS)
