"""The deployed bridge with a meter on it: every call of AWS counted, streams and queues carried on as Lambda does.

One event source mapping run has one record or message: so it is while little happens, and it is what costs the most.
Lambda's poller receives once and deletes once for each such run.
"""

import time
from collections import Counter, defaultdict, deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from moto.backends import get_backend
from moto.core.botocore_stubber import BotocoreStubber
from moto.dynamodb.models.dynamo_type import DynamoType

from ocpi_bridge.domain.plans import Plan, PlanPeriod, RateUnit
from ocpi_bridge.domain.requests import RequestKind
from ocpi_bridge.domain.stations import Csms
from ocpi_bridge.ports.charge_points import ChargerCommand, Done, Pending
from ocpi_bridge.runtime import clients
from ocpi_bridge.usecases.relay_outbox import CARRIED_ON
from tests.support import capacity
from tests.support.capacity import Item
from tests.support.deployed_functions import Handler, handler_of
from tests.support.deployed_site import Site, deployed_site
from tests.support.lambda_events import failed, sent_event, stream_event
from tests.support.queues import FIFO, Queues
from tests.support.scripted import Outcome, ScriptedDriver
from tests.support.tables import ACCOUNT, REGION, REQUESTS_INDEXES, SESSIONS_INDEXES, Index
from tests.support.world import World
from tools.bridge.cost_budgets import Budget, Mode

if TYPE_CHECKING:
    from botocore.model import OperationModel

INDEXES: Mapping[str, Mapping[str, Index]] = {"sessions": SESSIONS_INDEXES, "requests": REQUESTS_INDEXES}
# What the event source mappings let through (infra/constructs/workers.py; tests/infra/test_functions.py has it too).
STREAMED = {"sessions": {"session", "preferences"}, "requests": {"request"}}
WORKERS = {
    "charger_commands": "send_charger_commands",
    "request_deadlines": "deliver_results",
    "result_callbacks": "deliver_results",
    "partner_updates": "push_updates",
    "csms_events": "ingest_csms_events",
}
READS = {"GetItem", "BatchGetItem", "Query", "Scan"}
TRANSACTIONS = {"TransactWriteItems"}
RECEIVE_AND_DELETE = 2
# Bytes of an entry of the index `feed`, where a query only counts them.
FEED_ENTRY = 180

# Table, partition key and sort key.
Place = tuple[str, str, str]


@dataclass
class Count:
    """What was called."""

    calls: Counter[str] = field(default_factory=Counter)
    # Units by table, and by `table/index`.
    read_units: dict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    write_units: dict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    queue_calls: Counter[str] = field(default_factory=Counter)
    runs: Counter[str] = field(default_factory=Counter)
    api: int = 0
    cpu: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    def budget(self) -> Budget:
        """As a budget, without secrets: they are read again every five minutes, and not for each message."""
        reads = sum(number for name, number in self.calls.items() if name in READS)
        apart = ("GetSecretValue", "PutEvents")
        return Budget(
            reads=reads,
            writes=self.calls.total() - reads - sum(self.calls[name] for name in apart),
            read_units=sum(self.read_units.values(), Decimal(0)),
            write_units=sum(self.write_units.values(), Decimal(0)),
            standard=self.queue_calls["standard"],
            fifo=self.queue_calls["fifo"],
            api=self.api,
            events=self.calls["PutEvents"],
            runs=dict(self.runs),
        )


class ModeDriver(ScriptedDriver):
    """A CSMS that answers every command at once, or says that the answer follows."""

    def __init__(self, mode: Mode) -> None:
        super().__init__(Pending())
        self.mode = mode

    def submit(self, csms: Csms, command: ChargerCommand) -> Outcome:
        pending = super().submit(csms, command)
        if self.mode is Mode.CALLBACK:
            return pending
        start = command.deadline.replace(second=0)
        schedule = Plan(RateUnit.WATT, (PlanPeriod(0, Decimal(8000)),), start, 900)
        return Done("Accepted", schedule if command.kind is RequestKind.GET else None)


class MeteredSite(Site):
    """The deployed bridge. `put_off` are messages that their queue holds back, until `come_due`; `session_id` is whose
    session or request was written last.

    The CPU of a run (s) is the function's own: botocore's up to the request that is signed and from the answer on, not
    moto's and not the meter's.
    """

    def __init__(self, site: Site, mode: Mode) -> None:
        super().__init__(site.world, site.queues, site.partner, site.driver)
        self.mode = mode
        self.count = Count()
        self.put_off: list[tuple[str, dict[str, Any]]] = []
        self.session_id = ""
        self._handlers: dict[str, Handler] = {}
        self._running = False
        self._apart = 0.0
        self._params: Mapping[str, Any] = {}
        self._before: dict[Place, Item | None] = {}
        self._changes: deque[Item] = deque()
        self._messages: deque[tuple[str, dict[str, Any]]] = deque()
        self._names = {getattr(self.queues, name): name for name in WORKERS}
        for client in (clients.dynamodb(), clients.sqs(), clients.secrets_manager(), clients.events()):
            service = client.meta.service_model.service_name
            client.meta.events.register(f"provide-client-params.{service}", self._asked)
            client.meta.events.register(f"after-call.{service}", self._answered)

    @contextmanager
    def counting(self) -> Iterator[Count]:
        """What is called meanwhile."""
        self.count = Count()
        yield self.count

    def run(self, name: str, given: Mapping[str, Any]) -> Any:  # noqa: ANN401 - what the function gives back
        """Runs a function that is warm from its second run on."""
        if name not in self._handlers:
            self._handlers[name] = handler_of(name)
        self.count.runs[name] += 1
        self.count.api += "httpMethod" in given
        self._running, self._apart = True, 0.0
        begun = time.process_time()
        try:
            return self._handlers[name](given, None)
        finally:
            self.count.cpu[name].append(time.process_time() - begun - self._apart)
            self._running = False

    def settle(self) -> None:
        """Carries on what was written and sent, until nothing moves."""
        while self._changes or self._messages:
            if self._changes:
                self.run("relay_outbox", stream_event([dict(self._changes.popleft())]))
            else:
                self._deliver(*self._messages.popleft())

    def come_due(self) -> None:
        """What was put off is delivered now."""
        self._messages += self.put_off
        self.put_off = []
        self.settle()

    def _deliver(self, queue: str, entry: dict[str, Any]) -> None:
        self.count.queue_calls[_kind(queue)] += RECEIVE_AND_DELETE
        answer = self.run(WORKERS[queue], sent_event(getattr(self.queues, queue), entry))
        assert list(failed(answer)) == [], f"a message of {queue} is to come again"

    @contextmanager
    def apart(self) -> Iterator[None]:
        """What is done meanwhile is not the function's own work."""
        begun = time.process_time()
        yield
        self._apart += time.process_time() - begun

    # --- What botocore tells of each call ----------------------------------------------------------------------------

    def _asked(self, params: dict[str, Any], model: "OperationModel", **_: object) -> None:
        if not self._running:
            return
        self._params = params
        with self.apart():
            if model.service_model.service_name == "dynamodb":
                self._before = {place: stored(*place) for place in _places(params)}

    def _answered(self, parsed: dict[str, Any], model: "OperationModel", **_: object) -> None:
        if not self._running:
            return
        with self.apart():
            match model.service_model.service_name:
                case "dynamodb":
                    self.count.calls[model.name] += 1
                    self._count_units(model.name, parsed)
                case "sqs":
                    self._take(model.name)
                case _:
                    self.count.calls[model.name] += 1

    def _take(self, operation: str) -> None:
        queue = self._names[self._params["QueueUrl"]]
        self.count.queue_calls[_kind(queue)] += 1
        if operation == "ChangeMessageVisibility":
            return
        for entry in self._params.get("Entries", [self._params]):
            (self.put_off if entry.get("DelaySeconds") else self._messages).append((queue, entry))

    def _count_units(self, operation: str, parsed: Mapping[str, Any]) -> None:
        if operation in READS:
            for source, units in self._units_read(operation, parsed):
                self.count.read_units[source] += units
            return
        for place, before in self._before.items():
            table, after = place[0], stored(*place)
            self.count.write_units[table] += capacity.write_units(before, after, transaction=operation in TRANSACTIONS)
            for name, index in INDEXES.get(table, {}).items():
                self.count.write_units[f"{table}/{name}"] += capacity.index_units(index, before, after)
            if after is not None and after != before and _is_streamed(table, after):
                self._changes.append(after)
                self.session_id = after["session_id"]["S"]

    def _units_read(self, operation: str, parsed: Mapping[str, Any]) -> Iterator[tuple[str, Decimal]]:
        """Units of each table or index that was read."""
        if operation == "BatchGetItem":
            for (table, _, _), item in self._before.items():
                yield table, capacity.read_units(capacity.size(item))
            return
        table, consistent = self._params["TableName"], self._params.get("ConsistentRead", False)
        if operation == "GetItem":
            yield table, capacity.read_units(capacity.size(parsed.get("Item")), consistent=consistent)
        else:
            source = f"{table}/{self._params['IndexName']}" if "IndexName" in self._params else table
            yield source, self._units_queried(parsed)

    def _units_queried(self, parsed: Mapping[str, Any]) -> Decimal:
        """All that was passed over, rounded up once. What is only counted is as large as its entries are."""
        if self._params.get("Select") == "COUNT":
            passed = parsed["ScannedCount"] * FEED_ENTRY
        else:
            assert parsed["ScannedCount"] == parsed["Count"], "what a filter drops is read too, and not seen here"
            passed = sum(capacity.size(item) for item in parsed["Items"])
        return capacity.read_units(passed, consistent=self._params.get("ConsistentRead", False))


def stored(table: str, pk: str, sk: str) -> Item | None:
    """An item as moto has it, without a call."""
    items = get_backend("dynamodb")[ACCOUNT][REGION].tables[table].items
    found = next((one for key, one in items.get(_text(pk), {}).items() if key.value == sk), None)
    return None if found is None else found.to_json()["Attributes"]


def _is_streamed(table: str, item: Item) -> bool:
    carried_on = "state" not in item or (item["state"]["S"] in CARRIED_ON and item["delivery_attempts"]["N"] == "0")
    return carried_on and item["entity"]["S"] in STREAMED.get(table, ())


def _kind(queue: str) -> str:
    return "fifo" if queue in FIFO else "standard"


def _places(params: Mapping[str, Any]) -> Iterator[Place]:
    """The items that a call names."""
    for table, wanted in params.get("RequestItems", {}).items():
        yield from (_place(table, key) for key in wanted["Keys"])
    for entry in params.get("TransactItems", ()):
        yield from _places(next(iter(entry.values())))
    if "TableName" in params and ("Key" in params or "Item" in params):
        yield _place(params["TableName"], params.get("Key") or params["Item"])


def _place(table: str, key: Item) -> Place:
    return table, key["pk"]["S"], key["sk"]["S"]


def _text(value: str) -> DynamoType:
    return DynamoType({"S": value})


@contextmanager
def metered_site(world: World, queues: Queues, mode: Mode) -> Iterator[MeteredSite]:
    """The deployed bridge with a CSMS of this mode."""
    with deployed_site(world, queues) as site, pytest.MonkeyPatch.context() as patch:
        site.driver = ModeDriver(mode)
        metered = MeteredSite(site, mode)
        answer = BotocoreStubber.process_request

        def process_request(self: BotocoreStubber, request: Any) -> Any:  # noqa: ANN401 - moto's own
            with metered.apart():
                return answer(self, request)

        patch.setattr(BotocoreStubber, "process_request", process_request)
        yield metered
