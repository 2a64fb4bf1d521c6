"""The feed of sessions on the index `feed`: a partner's sessions by their last update, in shards."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from itertools import islice
from typing import TYPE_CHECKING, Any

from ocpi_bridge.adapters.dynamodb import instants, registry_items, session_items, tables
from ocpi_bridge.adapters.dynamodb.registry_table import READ_LIMIT, RegistryTable
from ocpi_bridge.adapters.dynamodb.session_items import FEED_SHARDS
from ocpi_bridge.domain.partners import Party
from ocpi_bridge.domain.sessions import ChargingPeriod, Session
from ocpi_bridge.domain.values import dataclass
from ocpi_bridge.ports.session_feed import FeedEntry, FeedWindow

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import QueryOutputTypeDef

FEED_INDEX = "feed"
# An entry is some 150 bytes and DynamoDB reads 1 MB at a time, some 6,000 entries: 24 pages are three of each shard, or
# 150,000 sessions. A partner that sees more is told the number up to there.
COUNT_PAGES = 24
# Where entries of our other parties are left out, DynamoDB drops them after reading. Where a query came back short, the
# next one reads at least so many, or each would cost a call for the handful that stays.
FILTERED_PAGE = 1000


@dataclass(frozen=True, slots=True)
class DynamoSessionFeed:
    """SessionFeed on the sessions and registry tables. The index is eventually consistent, all else is consistent."""

    client: "DynamoDBClient"
    sessions_table: str
    registry: str

    def entries(self, window: FeedWindow, after: FeedEntry | None, most: int) -> Sequence[FeedEntry]:
        """See SessionFeed: one query a shard, and none for the shards that are not needed to have so many."""
        found: list[FeedEntry] = []
        options: dict[str, Any] = {"Limit": most}
        for shard, answer in self._pages(window, after, options):
            found += [_entry(shard, tables.from_item(item)) for item in answer["Items"]]
            if len(found) >= most:
                break
            least = FILTERED_PAGE if "LastEvaluatedKey" in answer else 1
            options["Limit"] = max(most - len(found), least)
        return found[:most]

    def count(self, window: FeedWindow, after: FeedEntry) -> int:
        """See SessionFeed: one query a shard from there, and one for each further MB, up to COUNT_PAGES."""
        pages = self._pages(window, after, {"Select": "COUNT"})
        return sum(answer["Count"] for _, answer in islice(pages, COUNT_PAGES))

    def sessions(self, session_ids: Sequence[str]) -> Mapping[str, Session]:
        """See SessionFeed: one call for a hundred."""
        keys = {session_id: (self.sessions_table, *session_items.session_key(session_id)) for session_id in session_ids}
        found = self._read(keys.values())
        return {session_id: session_items.session_of(found[key]) for session_id, key in keys.items() if key in found}

    def periods(self, sessions: Sequence[Session]) -> Mapping[str, Sequence[ChargingPeriod]]:
        """See SessionFeed: one call for a hundred periods, of whichever session. The session tells how many it has."""
        keys = {
            session.session_id: [
                (self.sessions_table, *session_items.period_key(session.session_id, index))
                for index in range(1, session.periods + 1)
            ]
            for session in sessions
        }
        found = self._read(key for of_session in keys.values() for key in of_session)
        return {
            session_id: [session_items.period_of(found[key]) for key in of_session if key in found]
            for session_id, of_session in keys.items()
        }

    def is_ours(self, party: Party) -> bool:
        """See SessionFeed: one query of the registry."""
        items = RegistryTable(self.client, self.registry).query(registry_items.csms_key("")[0])
        csmss = [registry_items.csms_of(item) for item in items]
        return any(party.is_same(Party(csms.country_code, csms.party_id)) for csms in csmss)

    def _pages(
        self, window: FeedWindow, after: FeedEntry | None, options: Mapping[str, Any]
    ) -> Iterator[tuple[int, "QueryOutputTypeDef"]]:
        """The answers of DynamoDB, shard after shard, each asked for when it is wanted, with what `options` say then."""
        if window.until is not None and window.until <= window.since:
            # Nothing can be in it, and DynamoDB refuses a range that ends before it begins.
            return
        for shard in range(after.shard if after else 0, FEED_SHARDS):
            request = self._request(window, shard)
            if after is not None and after.shard == shard:
                request["ExclusiveStartKey"] = _start_key(window, after)
            while True:
                answer = self.client.query(**request, **options)
                yield shard, answer
                if "LastEvaluatedKey" not in answer:
                    break
                request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]

    def _request(self, window: FeedWindow, shard: int) -> dict[str, Any]:
        """A query of a shard; the partition is always the window's partner's."""
        condition = "feed = :feed AND feed_at >= :since"
        values: dict[str, object] = {
            "feed": session_items.feed_partition(window.partner_id, shard),
            "since": instants.epoch_ms(window.since),
        }
        if window.until is not None:
            condition = "feed = :feed AND feed_at BETWEEN :since AND :last"
            values["last"] = instants.epoch_ms(window.until - timedelta(milliseconds=1))
        request: dict[str, Any] = {
            "TableName": self.sessions_table,
            "IndexName": FEED_INDEX,
            "KeyConditionExpression": condition,
        }
        if window.party is not None:
            request["FilterExpression"] = "party = :party"
            values["party"] = session_items.party_text(window.party)
        return request | {"ExpressionAttributeValues": tables.values(**values)}

    def _read(self, keys: Iterable[tables.Key]) -> dict[tables.Key, dict[str, Any]]:
        wanted = list(keys)
        found: dict[tables.Key, dict[str, Any]] = {}
        for first in range(0, len(wanted), READ_LIMIT):
            found |= tables.get_many(self.client, wanted[first : first + READ_LIMIT])
        return found


def _start_key(window: FeedWindow, after: FeedEntry) -> dict[str, Any]:
    """The place behind an entry, whether it still stands there or not.

    A session has one entry in a partner's feed, its own item's or a view's. The view's sorts last of the two, so that
    it stands for both.
    """
    pk, sk = session_items.view_key(after.session_id, window.partner_id)
    return tables.to_item(
        {
            "feed": session_items.feed_partition(window.partner_id, after.shard),
            "feed_at": instants.epoch_ms(after.at),
            "pk": pk,
            "sk": sk,
        }
    )


def _entry(shard: int, item: Mapping[str, Any]) -> FeedEntry:
    return FeedEntry(shard, instants.from_epoch_ms(item["feed_at"]), item["session_id"])
