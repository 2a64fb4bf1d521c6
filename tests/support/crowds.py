"""Tables that hold many sessions beside the one that a test is about, within moto and in seconds."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, cast

import pytest
from moto.backends import get_backend
from moto.dynamodb.models.dynamo_type import DynamoType, Item, LimitedSizeDict
from moto.dynamodb.models.table import Table

from ocpi_bridge.adapters.dynamodb import pushed_items, request_items, session_items
from ocpi_bridge.adapters.dynamodb import tables as dynamo
from ocpi_bridge.adapters.dynamodb.instants import epoch_ms
from ocpi_bridge.domain.events import SessionStatus
from ocpi_bridge.ports.pushes import Pushed
from tests.support.clocks import START
from tests.support.feeds import session_in_feed
from tests.support.tables import ACCOUNT, REGION

Stored = dict[str, dict[Any, dict[Any, Item]]]


class Crowds:
    """Several states of one world's tables, between which a test goes to and fro.

    Everybody in a crowd is over, seen by the world's partner, told to it, and had one request like the world's own.
    """

    def __init__(self) -> None:
        self._alone = _stored()

    def with_others(self, number: int) -> Stored:
        """The tables as they were at the beginning, and so many other sessions, each last changed a second before."""
        stored = {name: _copied(items) for name, items in self._alone.items()}
        request = next(one for below in stored["requests"].values() for one in below.values() if "state" in one.attrs)
        session = _item(session_items.session_item(session_in_feed("crowd", status=SessionStatus.COMPLETED, end=START)))
        told = Pushed("crowd", "jedlix", version=9, at=START, final=True)
        pushed = _item(pushed_items.pushed_item(told, None, START))
        for index in range(number):
            session_id = crowd_id(index)
            shard = DynamoType({"S": session_items.feed_partition("jedlix", session_items.feed_shard(session_id))})
            at = DynamoType({"N": str(epoch_ms(START) - 1000 * index)})
            pk = session_items.session_key(session_id)[0]
            named = {"session_id": DynamoType({"S": session_id})}
            _add(stored["sessions"], session, pk, **named, feed=shard, feed_at=at)
            _add(stored["sessions"], pushed, pk, **named)
            _add(stored["requests"], request, f"{request_items.REQUEST}{session_id}", **named, created_at=at)
        return stored


def crowd_id(index: int) -> str:
    """The id of the session that was changed so many seconds before START."""
    return f"crowd-{index:06d}"


def go_to(stored: Stored) -> None:
    """The tables are as they were left there."""
    for name, table in _tables().items():
        table.items = stored[name]  # type: ignore[assignment]


@contextmanager
def without_copies() -> Iterator[None]:
    """Moto copies whole tables before each transaction, to be able to undo it. Where none fails, that is in vain."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Table, "__deepcopy__", lambda table, _: table, raising=False)
        yield


def _tables() -> dict[str, Table]:
    return dict(get_backend("dynamodb")[ACCOUNT][REGION].tables)


def _stored() -> Stored:
    return {name: _copied(table.items) for name, table in _tables().items()}


def _copied(items: Mapping[Any, Any]) -> dict[Any, dict[Any, Item]]:
    return defaultdict(dict, {key: dict(below) for key, below in items.items()})


def _item(plain: Mapping[str, Any]) -> Item:
    item = dynamo.to_item(plain)
    return Item(DynamoType(item["pk"]), DynamoType(item["sk"]), item)


def _add(items: dict[Any, dict[Any, Item]], pattern: Item, pk: str, **changed: DynamoType) -> None:
    """An item like the pattern. Its unchanged values are shared: nobody changes them."""
    one = cast(Item, Item.__new__(Item))
    one.hash_key, one.range_key = DynamoType({"S": pk}), pattern.range_key
    one.attrs = LimitedSizeDict.__new__(LimitedSizeDict)
    dict.update(one.attrs, {**pattern.attrs, "pk": one.hash_key, **changed})
    items[one.hash_key][one.range_key] = one
