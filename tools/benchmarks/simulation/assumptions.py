"""What is assumed: what sessions do, how long each run of a function takes, and AWS's default quotas."""

from dataclasses import dataclass
from typing import Final

from infra.stages import STAGES, StageSettings
from ocpi_bridge.adapters.dynamodb.session_items import DUE_SHARDS, FEED_SHARDS
from ocpi_bridge.domain.partners import DEFAULT_METER_PUSH_INTERVAL
from tools.bridge.cost_durations import (
    AWS_CALL_CPU_MS,
    AWS_CALL_WAIT_MS,
    CPU_MS,
    HTTP_CALL_CPU_MS,
    RUN_CPU_MS,
    WHOLE_CPU_MB,
)

PRODUCTION: Final[StageSettings] = STAGES["production"]


@dataclass(frozen=True, slots=True)
class Demand:
    """What each session asks of the bridge. All of them belong to one partner and one CSMS: the worst case for keys.

    Attributes:
        reading_every: Seconds between two meter readings, each an event of its own.
        push_interval: The least time between two pushes that only move the meter (s), the partner's.
        requests_per_hour: Profile requests of the partner.
        length: How long a session lasts (s).
        events_per_post: How many events a CSMS puts into one call.

    """

    reading_every: float = 60.0
    push_interval: float = DEFAULT_METER_PUSH_INTERVAL
    requests_per_hour: float = 1.0
    length: float = 3 * 3600.0
    events_per_post: float = 1.0

    @property
    def push_every(self) -> float:
        """Seconds between two pushes.

        The reading at the end of the interval comes a moment too early, so the push waits for a sweep or the next
        reading, half of what lies between two of them on average.
        """
        return self.push_interval + min(self.reading_every, 60.0) / 2

    @property
    def readings(self) -> float:
        """Readings of a session in a second."""
        return 1 / self.reading_every

    @property
    def pushes(self) -> float:
        """Pushes of a session in a second."""
        return 1 / max(self.push_every, self.reading_every)

    @property
    def requests(self) -> float:
        """Requests for a session in a second."""
        return self.requests_per_hour / 3600


def took(function: str, calls: int, memory_mb: int, *, others: float = 0.0) -> float:
    """How long a run of a function takes (s).

    Its CPU time as it was measured, scaled to its memory; its calls of AWS; and whom it waits for (`others`, by HTTP).
    """
    cpu = CPU_MS[function] + RUN_CPU_MS + calls * AWS_CALL_CPU_MS + (HTTP_CALL_CPU_MS if others else 0)
    return float(cpu * WHOLE_CPU_MB / memory_mb + calls * AWS_CALL_WAIT_MS) / 1000 + others


API, WORKER = PRODUCTION.api_memory_mb, PRODUCTION.worker_memory_mb


@dataclass(frozen=True, slots=True)
class Service:
    """How long one message or call keeps a function of the stage busy (s).

    From the functions' CPU time (tools/bridge/cost_durations.py), their calls of AWS, 0.15 s of a partner and 0.3 s of a
    CSMS.

    Attributes:
        door: A request of the partner: two reads, one transaction.
        post: A call of the CSMS: its mark, its message.
        ingest: An event: three reads, one write.
        held: A push that waits for its interval: one read, one write.
        nothing: A push of which the partner knows: one read.
        pushed: A push: one read, two writes, the partner.
        send: A command: two reads, two writes, the CSMS.
        deliver: A result: two reads, two writes, the partner.
        give_up: A result that is too late: two reads, a message, a write.
        refused: What a call takes whose connection is refused: assumed.
        end_told: An ended session in a sweep: its write, and its share of reads and messages.

    """

    door: float = took("ocpi_charging_profiles", 3, API)
    post: float = took("csms_events", 2, API)
    ingest: float = took("ingest_csms_events", 4, WORKER)
    held: float = took("push_updates", 2, WORKER)
    nothing: float = took("push_updates", 1, WORKER)
    pushed: float = took("push_updates", 3, WORKER, others=0.15)
    send: float = took("send_charger_commands", 4, WORKER, others=0.3)
    deliver: float = took("deliver_results", 4, WORKER, others=0.15)
    give_up: float = took("deliver_results", 4, WORKER)
    refused: float = 0.1
    end_told: float = 0.0125

    def of_reading(self, demand: Demand) -> float:
        """What the pusher spends on a reading, on average."""
        share = demand.pushes / demand.readings
        return share * self.pushed + (1 - share) * self.held


@dataclass(frozen=True, slots=True)
class Quotas:
    """Public default quotas of AWS in eu-west-1, to be checked in Service Quotas; what each is from is in the document."""

    lambda_concurrency: int = 1_000
    mapping_concurrency: int = 1_000
    api_rate: int = 10_000
    put_events: int = 10_000
    partition_writes: int = 1_000
    partition_reads: int = 3_000
    table_writes: int = 40_000
    table_reads: int = 40_000
    new_table_writes: int = 4_000
    fifo_calls: int = 70_000
    in_flight: int = 120_000


@dataclass(frozen=True, slots=True)
class Units:
    """DynamoDB units by what happens, as the budgets count them (tools/bridge/cost_budgets.py): items are below 1 KB.

    Attributes:
        reading_writes: Of the sessions table, by a reading: the session.
        reading_reads: Likewise: its pointer, it, and what the pusher reads (session, pushed, control, watch).
        held_writes: Of the sessions table, by a push that waits.
        push_writes: Likewise by a push: before and after the call.
        feed_writes: Of one shard of the index `feed`, by a reading: the old place goes, the new one comes.
        due_writes: Of one shard of the index `due`, by a push: its waiting comes, moves at the call, and goes.
        open_writes: Of one shard of the index `open`, by a request: it comes and goes.
        registry_reads: Of the registry, by a reading: five keys of assignments, and the partner.

    """

    reading_writes: int = 1
    reading_reads: int = 6
    held_writes: int = 1
    push_writes: int = 2
    feed_writes: int = 2
    due_writes: int = 4
    open_writes: int = 2
    registry_reads: int = 6

    def table_writes(self, demand: Demand) -> float:
        """Write units of the sessions table by a session in a second."""
        held = demand.readings - demand.pushes
        return demand.readings * self.reading_writes + held * self.held_writes + demand.pushes * self.push_writes


@dataclass(frozen=True, slots=True)
class Shards:
    """Into how many partitions the code splits what would be one: FEED_SHARDS, DUE_SHARDS."""

    feed: int = FEED_SHARDS
    due: int = DUE_SHARDS
