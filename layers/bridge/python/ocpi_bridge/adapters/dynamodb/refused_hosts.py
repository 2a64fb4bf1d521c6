"""The hosts that the URL guard refused, by partner, in the registry table for operators to find.

| pk           | sk           | entity       |                                                                      |
|--------------|--------------|--------------|----------------------------------------------------------------------|
| REFUSED_HOST | {partner_id} | refused_host | hosts (host -> count, first_at, last_at, reason), displaced, expires_at |

One item for a partner, of at most MAX_HOSTS hosts: a partner chooses the hosts that it is refused, and must not fill a
table with them. Beyond that a new host takes the place of the one that was refused longest ago, and `displaced` counts
it. Instants are epoch milliseconds. A URL without a host that is spelled properly counts under NO_HOST.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from ocpi_bridge.adapters.dynamodb import tables
from ocpi_bridge.adapters.dynamodb.instants import epoch_ms, from_epoch_ms
from ocpi_bridge.adapters.dynamodb.registry_table import RegistryTable
from ocpi_bridge.adapters.dynamodb.tables import ItemKey
from ocpi_bridge.domain.refused_hosts import RefusedHost
from ocpi_bridge.domain.values import dataclass

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

# More hosts than a partner has by mistake; names of full length make an item of some 8 KB.
MAX_HOSTS = 20
# After the last refusal. Long enough for whoever looks once a month.
RETENTION = timedelta(days=30)
# A count that is lost because others count at the same moment is no loss.
ATTEMPTS = 3
# No host name begins with a dash.
NO_HOST: Final = "-"

_PARTITION: Final = "REFUSED_HOST"


@dataclass(frozen=True, slots=True)
class DynamoRefusedHosts:
    """RefusedHosts on the registry table: one read and one conditional write for a refusal."""

    client: "DynamoDBClient"
    registry: str

    def note_refused_host(self, partner_id: str, host: str, reason: str, at: datetime) -> None:
        """See RefusedHosts."""
        key, name = _key(partner_id), host or NO_HOST
        for _ in range(ATTEMPTS):
            known = tables.get_many(self.client, [(self.registry, *key)]).get((self.registry, *key))
            try:
                self._write(key, _noted(known, name, reason, at), at)
            except self.client.exceptions.ConditionalCheckFailedException:
                continue
            return

    def of(self, partner_id: str) -> tuple[RefusedHost, ...]:
        """The hosts that were refused for a partner, the newest refusal first."""
        item = RegistryTable(self.client, self.registry).get(_key(partner_id)) or {}
        hosts: Any = item.get("hosts", {})
        found = [_refused(partner_id, host, told) for host, told in hosts.items()]
        return tuple(sorted(found, key=lambda one: (one.last_at, one.host), reverse=True))

    def _write(self, key: ItemKey, change: "_Change", at: datetime) -> None:
        names = {"#hosts": "hosts", "#entity": "entity", "#expires_at": "expires_at", **change.names}
        values = {"entity": "refused_host", "expires_at": int((at + RETENTION).timestamp()), **change.values}
        self.client.update_item(
            TableName=self.registry,
            Key=tables.key(*key),
            UpdateExpression=f"SET #entity = :entity, #expires_at = :expires_at, {change.update}",
            ConditionExpression=change.condition,
            ExpressionAttributeNames=names,
            ExpressionAttributeValues=tables.values(**values),
        )


@dataclass(frozen=True, slots=True)
class _Change:
    """What a refusal changes in a partner's item, if that still is as it was read."""

    update: str
    condition: str
    names: Mapping[str, str]
    values: Mapping[str, object]


def _noted(known: Mapping[str, Any] | None, host: str, reason: str, at: datetime) -> _Change:
    now = epoch_ms(at)
    entry = {"count": 1, "first_at": now, "last_at": now, "reason": reason}
    if known is None:
        return _Change("#hosts = :hosts", "attribute_not_exists(#hosts)", {}, {"hosts": {host: entry}})
    hosts = known["hosts"]
    if host in hosts:
        names = {"#host": host, "#count": "count", "#last_at": "last_at", "#reason": "reason"}
        return _Change(
            "#hosts.#host.#count = #hosts.#host.#count + :one, #hosts.#host.#last_at = :now, #hosts.#host.#reason = :reason",
            "attribute_exists(#hosts.#host)",
            names,
            {"one": 1, "now": now, "reason": reason},
        )
    if len(hosts) < MAX_HOSTS:
        return _Change(
            "#hosts.#host = :entry",
            "attribute_not_exists(#hosts.#host) AND size(#hosts) < :most",
            {"#host": host},
            {"entry": entry, "most": MAX_HOSTS},
        )
    oldest = min(hosts, key=lambda name: (hosts[name]["last_at"], name))
    return _Change(
        "#hosts.#host = :entry REMOVE #hosts.#oldest ADD #displaced :one",
        "attribute_exists(#hosts.#oldest) AND attribute_not_exists(#hosts.#host)",
        {"#host": host, "#oldest": oldest, "#displaced": "displaced"},
        {"entry": entry, "one": 1},
    )


def _key(partner_id: str) -> ItemKey:
    return _PARTITION, partner_id


def _refused(partner_id: str, host: str, told: Mapping[str, Any]) -> RefusedHost:
    return RefusedHost(
        partner_id=partner_id,
        host="" if host == NO_HOST else host,
        reason=str(told["reason"]),
        count=int(told["count"]),
        first_at=from_epoch_ms(told["first_at"]),
        last_at=from_epoch_ms(told["last_at"]),
    )
