"""Arithmetic: at how many sessions which bound is reached, and what a number of sessions needs."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from infra.stages import StageSettings
from ocpi_bridge.usecases.partner_line import PUSH_BUDGET
from ocpi_bridge.usecases.sweep import ENDS_AT_ONCE, ENDS_FOR
from tools.benchmarks.simulation.assumptions import PRODUCTION, Demand, Quotas, Service, Shards, Units

# A message should not wait longer for a worker, on average (s).
SHORT_WAIT = 0.1


class Whose(StrEnum):
    """Who sets a bound."""

    SETTING = "a setting"
    CODE = "our code"
    AWS = "AWS"


@dataclass(frozen=True, slots=True)
class Bound:
    """A bound, reached at so many sessions; `raised` says how it is raised."""

    what: str
    whose: Whose
    sessions: int
    raised: str


@dataclass(frozen=True, slots=True)
class Paper:
    """The assumptions together."""

    demand: Demand = field(default_factory=Demand)
    service: Service = field(default_factory=Service)
    quotas: Quotas = field(default_factory=Quotas)
    units: Units = field(default_factory=Units)
    shards: Shards = field(default_factory=Shards)
    settings: StageSettings = PRODUCTION


def bounds(paper: Paper) -> list[Bound]:
    """All bounds, the one that is reached first first."""
    return sorted((*_of_settings(paper), *_of_code(paper), *_of_aws(paper)), key=lambda bound: bound.sessions)


def _of_settings(paper: Paper) -> Iterator[Bound]:
    demand, service, settings = paper.demand, paper.service, paper.settings
    posts = demand.readings / demand.events_per_post
    token = settings.token_requests_per_minute / 60
    yield _bound(
        "calls of one CSMS that its web ACL lets through", Whose.SETTING, token, posts,
        "token_requests_per_minute and address_requests_per_minute; more events a call; the bus",
    )  # fmt: skip
    yield _bound(
        "calls that the CSMSs' API lets through", Whose.SETTING, settings.api_requests_per_second, posts,
        "api_requests_per_second; more events a call; the bus",
    )  # fmt: skip
    yield _bound(
        "requests of one partner that its web ACL lets through", Whose.SETTING, token, demand.requests,
        "token_requests_per_minute and address_requests_per_minute",
    )  # fmt: skip
    workers = settings.worker_concurrency
    for what, rate, seconds in (
        ("workers that push", demand.readings, service.of_reading(demand)),
        ("workers that take events in", demand.readings, service.ingest),
        ("workers that send commands", demand.requests, service.send),
        ("workers that deliver results", demand.requests, service.deliver),
    ):
        yield _bound(what, Whose.SETTING, workers / seconds, rate, "worker_concurrency")


def _of_code(paper: Paper) -> Iterator[Bound]:
    demand, quotas, units, shards = paper.demand, paper.quotas, paper.units, paper.shards
    writes, reads = quotas.partition_writes, quotas.partition_reads
    yield _bound(
        "the index due, written by pushes", Whose.CODE, shards.due * writes / units.due_writes, demand.pushes,
        "DUE_SHARDS",
    )  # fmt: skip
    yield _bound(
        "the index open, written by requests", Whose.CODE, shards.due * writes / units.open_writes, demand.requests,
        "DUE_SHARDS",
    )  # fmt: skip
    yield _bound(
        "the index feed of one partner", Whose.CODE, shards.feed * writes / units.feed_writes, demand.readings,
        "FEED_SHARDS, which makes each poll of sessions longer",
    )  # fmt: skip
    yield _bound(
        "one partner's entry in the registry, read by each push", Whose.CODE, reads, demand.readings,
        "reading it less often: kept for seconds, or without consistency (twice as many)",
    )  # fmt: skip
    yield _bound(
        "marks of one CSMS's calls in the registry", Whose.CODE, writes, demand.readings / demand.events_per_post,
        "more events a call; the bus; DynamoDB splits the key by itself, in minutes",
    )  # fmt: skip
    yield _bound(
        "ends that a sweep tells again", Whose.CODE, ends_per_minute(paper) / 60, 1 / demand.length,
        "worker_memory_mb; a loss of an end's record is then found later",
    )  # fmt: skip


def _of_aws(paper: Paper) -> Iterator[Bound]:
    demand, quotas, units, service = paper.demand, paper.quotas, paper.units, paper.service
    request = "a quota increase"
    yield _bound("Lambda's concurrency of the account", Whose.AWS, quotas.lambda_concurrency, busy(paper, 1), request)
    yield _bound(
        "concurrency of one event source mapping (pushes)", Whose.AWS,
        quotas.mapping_concurrency / service.of_reading(demand), demand.readings,
        "several messages a run; or a second stage",
    )  # fmt: skip
    yield _bound(
        "a new sessions table's first writes", Whose.AWS, quotas.new_table_writes, units.table_writes(demand),
        "nothing: it grows to twice its peak in half an hour; or warm throughput",
    )  # fmt: skip
    yield _bound("writes of the sessions table", Whose.AWS, quotas.table_writes, units.table_writes(demand), request)
    yield _bound(
        "reads of the sessions table", Whose.AWS, quotas.table_reads, demand.readings * units.reading_reads, request
    )
    yield _bound(
        "reads of the registry", Whose.AWS, quotas.table_reads, demand.readings * units.registry_reads, request
    )
    yield _bound(
        "API Gateway's rate of the account", Whose.AWS, quotas.api_rate, demand.readings / demand.events_per_post,
        f"{request}; more events a call; the bus",
    )  # fmt: skip
    yield _bound("PutEvents on the bus", Whose.AWS, quotas.put_events, demand.readings, f"ten events a call; {request}")
    yield _bound("calls to partner-updates.fifo", Whose.AWS, quotas.fifo_calls, demand.readings, request)
    hidden = demand.requests * paper.settings.result_timeout_seconds
    yield _bound("results in flight while a partner is away", Whose.AWS, quotas.in_flight, hidden, request)


def _bound(what: str, whose: Whose, most: float, each: float, raised: str) -> Bound:
    """A bound of so much in a second, of which each session takes some."""
    return Bound(what, whose, math.floor(most / each), raised)


def busy(paper: Paper, sessions: float) -> float:
    """How many copies of functions are busy at once, on average."""
    demand, service = paper.demand, paper.service
    of_reading = service.post / demand.events_per_post + service.ingest + service.of_reading(demand)
    of_request = service.door + service.send + service.deliver + service.post
    return sessions * (demand.readings * of_reading + demand.requests * of_request)


def silenced(paper: Paper) -> int:
    """How many sessions of a partner have so many pushes due that all workers hang before the first call has timed out."""
    held = paper.service.held + PUSH_BUDGET
    return math.floor(paper.settings.worker_concurrency / held / paper.demand.pushes)


def ends_per_minute(paper: Paper) -> float:
    """How many ends a sweep tells: pages, as many as begin before its time for that is over."""
    page = ENDS_AT_ONCE * paper.service.end_told
    return ENDS_AT_ONCE * max(1, math.ceil(ENDS_FOR.total_seconds() / page))


def workers_needed(rate: float, seconds: float) -> int:
    """The fewest workers with which a message waits no longer than SHORT_WAIT on average (Erlang's formula C)."""
    count = max(1, math.ceil(rate * seconds))
    while mean_wait(count, rate, seconds) > SHORT_WAIT:
        count += 1
    return count


def mean_wait(workers: int, rate: float, seconds: float) -> float:
    """How long a message waits for one of the workers, on average (s); infinite where they cannot keep up."""
    load = rate * seconds
    if load >= workers:
        return math.inf
    blocked = 1.0
    for number in range(1, workers + 1):
        # Erlang's formula B, by its recursion.
        blocked = load * blocked / (number + load * blocked)
    waits = blocked / (1 - load / workers * (1 - blocked))
    return waits * seconds / (workers - load)
