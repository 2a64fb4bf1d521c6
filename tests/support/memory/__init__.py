"""Stores in memory that behave as the ones on DynamoDB do: both pass the same tests (test_session_stores, test_request_stores).

All of them stand on one MemoryBooks, as the real ones stand on the three tables.
"""

from tests.support.memory.books import MemoryBooks
from tests.support.memory.pushes import MemoryPreferences, MemoryPushStore, MemorySilences, MemoryWatchStore
from tests.support.memory.requests import MemoryCommandStore, MemoryDeliveryStore, MemoryIntakeStore
from tests.support.memory.sessions import MemorySessionStore
from tests.support.memory.station_states import MemoryStationStates
from tests.support.memory.sweep import MemorySweepStore

__all__ = [
    "MemoryBooks",
    "MemoryCommandStore",
    "MemoryDeliveryStore",
    "MemoryIntakeStore",
    "MemoryPreferences",
    "MemoryPushStore",
    "MemorySessionStore",
    "MemorySilences",
    "MemoryStationStates",
    "MemorySweepStore",
    "MemoryWatchStore",
]
