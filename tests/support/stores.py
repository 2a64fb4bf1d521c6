"""All stores of the use cases, as one set: in memory, or on the three tables; and what a test puts into them."""

from typing import Any, Protocol
from uuid import uuid4

from ocpi_bridge.adapters.dynamodb import partner_items, reassessments, registry_items, token_items
from ocpi_bridge.adapters.dynamodb import tables as dynamo
from ocpi_bridge.adapters.dynamodb.commands import DynamoCommandStore
from ocpi_bridge.adapters.dynamodb.deliveries import DynamoDeliveryStore
from ocpi_bridge.adapters.dynamodb.intake import DynamoIntakeStore
from ocpi_bridge.adapters.dynamodb.pushes import DynamoPushStore
from ocpi_bridge.adapters.dynamodb.sessions import DynamoSessionStore
from ocpi_bridge.adapters.dynamodb.silences import DynamoSilences
from ocpi_bridge.adapters.dynamodb.station_states import DynamoStationStates
from ocpi_bridge.adapters.dynamodb.sweep import DynamoSweepStore
from ocpi_bridge.adapters.dynamodb.watches import DynamoWatchStore
from ocpi_bridge.domain.assignments import Assignment
from ocpi_bridge.domain.partners import Partner
from ocpi_bridge.domain.stations import Csms, Station
from ocpi_bridge.domain.tokens import AcceptedToken
from ocpi_bridge.ports.clock import Clock
from ocpi_bridge.ports.commands import CommandStore
from ocpi_bridge.ports.deliveries import DeliveryStore, PartnerReader
from ocpi_bridge.ports.pushes import PushStore
from ocpi_bridge.ports.requests import IntakeStore
from ocpi_bridge.ports.sessions import SessionStore
from ocpi_bridge.ports.silences import SilenceStore
from ocpi_bridge.ports.stations import StationStates
from ocpi_bridge.ports.sweep import Reassessment, SweepStore
from ocpi_bridge.ports.watches import WatchStore
from tests.support.memory import (
    MemoryBooks,
    MemoryCommandStore,
    MemoryDeliveryStore,
    MemoryIntakeStore,
    MemoryPushStore,
    MemorySilences,
    MemorySweepStore,
    MemoryWatchStore,
)
from tests.support.tables import AwsTables

# The partner of a note that concerns them all.
EVERYBODY = reassessments.EVERYBODY


class ResultStore(DeliveryStore, PartnerReader, Protocol):
    """DeliveryStore and PartnerReader: the delivery of results has one object for both."""


class Stores(Protocol):
    """The stores, one for each port, over the same contents."""

    intake: IntakeStore
    commands: CommandStore
    deliveries: ResultStore
    sessions: SessionStore
    pushes: PushStore
    silences: SilenceStore
    watches: WatchStore
    sweeps: SweepStore
    states: StationStates

    def add(self, *entries: Partner | Csms | Station | Assignment | AcceptedToken) -> None:
        """Puts registry entries in."""

    def reassess(self, partner_id: str) -> None:
        """Notes that a partner's live sessions are to be looked at again."""


class MemoryStores:
    """In memory; `books` hold all of it."""

    def __init__(self) -> None:
        self.books = MemoryBooks()
        self.intake: IntakeStore = MemoryIntakeStore(self.books)
        self.commands: CommandStore = MemoryCommandStore(self.books)
        self.deliveries: ResultStore = MemoryDeliveryStore(self.books)
        self.sessions: SessionStore = self.books.sessions
        self.pushes: PushStore = MemoryPushStore(self.books)
        self.silences: SilenceStore = MemorySilences(self.books)
        self.watches: WatchStore = MemoryWatchStore(self.books)
        self.sweeps: SweepStore = MemorySweepStore(self.books)
        self.states: StationStates = self.books.states

    def add(self, *entries: Partner | Csms | Station | Assignment | AcceptedToken) -> None:
        sessions = self.books.sessions
        for entry in entries:
            match entry:
                case Partner():
                    self.books.partners[entry.partner_id] = entry
                case Csms():
                    sessions.csmss[entry.csms_id] = entry
                case Station():
                    sessions.put_station(entry)
                case Assignment():
                    sessions.assignments.append(entry)
                case AcceptedToken():
                    self.books.tokens[entry.token_hash] = entry

    def reassess(self, partner_id: str) -> None:
        self.books.reassessments[partner_id] = Reassessment(partner_id, uuid4().hex)


class TableStores:
    """On the three tables, wherever they are."""

    def __init__(self, tables: AwsTables, clock: Clock) -> None:
        client, names = tables.client, (tables.sessions, tables.requests, tables.registry)
        self.tables = tables
        self.intake: IntakeStore = DynamoIntakeStore(client, *names)
        self.commands: CommandStore = DynamoCommandStore(client, *names, clock=clock)
        self.deliveries: ResultStore = DynamoDeliveryStore(client, *names, clock=clock)
        self.sessions: SessionStore = DynamoSessionStore(client, tables.sessions, tables.registry)
        self.pushes: PushStore = DynamoPushStore(client, tables.sessions, tables.registry, clock)
        self.silences: SilenceStore = DynamoSilences(client, tables.registry)
        self.watches: WatchStore = DynamoWatchStore(client, *names, clock=clock)
        self.sweeps: SweepStore = DynamoSweepStore(client, *names)
        self.states: StationStates = DynamoStationStates(client, tables.registry)

    def add(self, *entries: Partner | Csms | Station | Assignment | AcceptedToken) -> None:
        for entry in entries:
            match entry:
                case Partner():
                    self._put(partner_items.partner_item(entry, 1))
                case Csms():
                    self._put(registry_items.csms_item(entry, 1))
                case Station():
                    self._put(registry_items.station_item(entry, 1))
                case Assignment():
                    self._put(registry_items.assignments_item(entry.scope, entry.key, [entry], 1))
                case AcceptedToken():
                    self._put(token_items.token_item(entry))

    def reassess(self, partner_id: str) -> None:
        self._put(reassessments.reassessment_item(partner_id))

    def _put(self, item: Any) -> None:  # noqa: ANN401 - an item of the registry
        self.tables.put(self.tables.registry, dynamo.to_item(item))
