"""The tables as Markdown."""

import math
from collections.abc import Sequence

from ocpi_bridge.adapters.dynamodb.session_items import FEED_SHARDS
from ocpi_bridge.adapters.dynamodb.sweep import SWEEP_PAGE
from tools.benchmarks.simulation.bounds import (
    Bound,
    Paper,
    Whose,
    bounds,
    busy,
    ends_per_minute,
    silenced,
    workers_needed,
)
from tools.benchmarks.simulation.pushes import Outage, PushSimulation, Site
from tools.benchmarks.simulation.results import ResultSimulation

SIZES = (10_000, 100_000, 1_000_000)
# Whoever comes back after an outage finds a backlog: workers for a quiet day alone would never be through with it.
HEADROOM = 2
# A run simulates about so many sessions; larger sites are divided with all that serves them.
SIMULATED = 2_000
# An entry of the index `live` with its keys and their names (bytes), and what one query of it reads at most.
LIVE_ENTRY = 120
QUERY_BYTES = 1_048_576
READ_UNIT = 4_096
# A query that reads a whole megabyte, as the function at 512 MB sees it (s).
QUERY_SECONDS = 0.1


def binding(paper: Paper) -> list[str]:
    """The bounds in the order in which growing sessions reach them."""
    rows = [_bound(bound) for bound in bounds(paper)]
    return _table(("sessions", "what", "set by", "raised by"), rows)


def needs(paper: Paper) -> list[str]:
    """What each size needs of what can be set."""
    demand, service, units = paper.demand, paper.service, paper.units
    rows: dict[str, list[str]] = {}

    def row(name: str, value: float) -> None:
        rows.setdefault(name, [name]).append(_number(value))

    for sessions in SIZES:
        readings, pushes, requests = (sessions * rate for rate in (demand.readings, demand.pushes, demand.requests))
        row("readings a second", readings)
        row("pushes to the partner a second", pushes)
        row("requests of the partner a second", requests)
        row("calls to the CSMSs' API a second", readings / demand.events_per_post)
        row("workers that take events in", workers_needed(readings, service.ingest))
        row("workers that push", workers_needed(readings, service.of_reading(demand)))
        row("workers that send commands", workers_needed(requests, service.send))
        row("workers that deliver results", workers_needed(requests, service.deliver))
        row("copies of all functions that are busy", busy(paper, sessions))
        row("write units of the sessions table", sessions * units.table_writes(demand))
        row("read units of the sessions table", readings * units.reading_reads)
        row("write units of the fullest shard of `feed`", readings * units.feed_writes / paper.shards.feed)
        row("write units of the fullest shard of `due`", pushes * units.due_writes / paper.shards.due)
        row("read units of the partner's entry", readings)
    return _table(("at so many sessions", *(f"{size:,}" for size in SIZES)), list(rows.values()))


def outage(paper: Paper) -> list[str]:
    """What ten minutes without the partner leave behind, with twice the workers that a quiet day needs, or the usual."""
    demand, service = paper.demand, paper.service
    rows = []
    for sessions in SIZES:
        for silent in (True, False):
            away = Outage(silent=silent)
            workers = _workers(paper, sessions * demand.readings, service.of_reading(demand))
            divisor = max(1, min(sessions // SIMULATED, workers))
            site = Site(sessions // divisor, round(workers / divisor), max(1, round(SWEEP_PAGE / divisor)))
            pushed = PushSimulation(site, away, demand, service).run()
            rate = sessions * demand.requests
            deliverers = _workers(paper, rate, service.deliver)
            timeout = paper.settings.result_timeout_seconds
            results = ResultSimulation(rate, deliverers, timeout, away, service).run()
            rows.append(
                (
                    f"{sessions:,}",
                    "answers nothing" if silent else "refuses at once",
                    str(workers),
                    _number(pushed.most_waiting * divisor),
                    f"{pushed.longest_wait:.0f} s",
                    "later than an hour" if pushed.drained is None else f"{pushed.drained:.0f} s",
                    str(deliverers),
                    _number(results.owed_meanwhile),
                    _number(results.given_up),
                    f"{results.longest_wait:.0f} s",
                    f"{max(0.0, results.drained):.0f} s",
                )
            )
    many = f"{silenced(paper):,} sessions of a partner that falls silent take all {paper.settings.worker_concurrency}"
    headings = (
        "sessions", "the partner", "workers that push", "pushes waiting, at most", "longest wait", "all told after",
        "workers that deliver", "results owed meanwhile", "given up", "longest wait", "settled after",
    )  # fmt: skip
    return [*_table(headings, rows), "", f"{many} workers that push until the first call has run into its time."]


def _workers(paper: Paper, rate: float, seconds: float) -> int:
    return max(paper.settings.worker_concurrency, HEADROOM * workers_needed(rate, seconds))


def sweeps(paper: Paper) -> list[str]:
    """What a sweep and the survey after it have to do each minute."""
    rows = []
    for sessions in SIZES:
        ended = 60 * sessions / paper.demand.length
        pages = FEED_SHARDS * max(1, math.ceil(sessions * LIVE_ENTRY / FEED_SHARDS / QUERY_BYTES))
        rows.append(
            (
                f"{sessions:,}",
                _number(ended),
                _number(ends_per_minute(paper)),
                f"{min(ended, ends_per_minute(paper)) * paper.service.end_told:.1f} s",
                str(pages),
                _number(sessions * LIVE_ENTRY / READ_UNIT / 2),
                f"{pages * QUERY_SECONDS:.1f} s",
            )
        )
    headings = (
        "sessions", "ends a minute", "told at most", "takes", "queries of the survey", "read units of it", "takes",
    )  # fmt: skip
    return _table(headings, rows)


def _bound(bound: Bound) -> tuple[str, ...]:
    name = f"**{bound.what}**" if bound.whose is Whose.CODE else bound.what
    return f"{bound.sessions:,}", name, bound.whose, bound.raised


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 or value == round(value) else f"{value:.1f}"


def _table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    lines = [headings, ["---" for _ in headings], *rows]
    return ["| " + " | ".join(line) + " |" for line in lines]
