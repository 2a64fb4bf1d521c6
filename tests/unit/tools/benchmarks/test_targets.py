"""Each target of a run: with numbers that meet them all, one number beyond its limit misses that target and no other."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from tools.benchmarks import cold, warm
from tools.benchmarks.peer import NAME
from tools.benchmarks.scenes import GUIDE_PUT
from tools.benchmarks.verdict import Status, Verdict

Measured = dict[str, list[dict[str, Any]]]

DOORS = ("ocpi_charging_profiles", "ocpi_versions", "csms_events", "relay_outbox", "send_charger_commands")
PUTS = {GUIDE_PUT: [0.9, 0.8, 1.0], "GET": [5.0, 5.0, 5.0]}


def start(import_ms: float) -> dict[str, Any]:
    return {"import_ms": import_ms, "make_ms": 3.0, "first_ms": 20.0, "peak_mb": 60.0}


def good_starts() -> Measured:
    """Three rounds: a bare client 200 ms, doors 240, what calls out 400, the peer 400."""
    functions = dict.fromkeys(DOORS, 240.0) | dict.fromkeys(cold.CALLS_OUT, 400.0)
    return {
        name: [start(value) for _ in range(3)] for name, value in {cold.BARE: 200.0, NAME: 400.0, **functions}.items()
    }


def good_runs() -> Measured:
    """Three rounds: the peer's PUT 2 ms, and 27 with its callback."""
    peer = {
        "warm_ms": [2.0, 1.9, 2.1],
        "callback_ms": [27.0, 26.0, 28.0],
        "answers": [{"statusCode": 422}, {}, {}],
    }
    callback = {"first_ms": 12.0, "warm_ms": {"client": [0.6, 0.6, 0.7], "function": [4.0, 4.0, 4.0]}}
    parsing = {"warm_ms": {"reading a PUT of 12 periods": [0.1]}}
    once: dict[str, dict[str, Any]] = {
        cold.PROFILES: {"warm_ms": PUTS},
        warm.OWN: {"warm_ms": PUTS},
        warm.PARSING: parsing,
        warm.CALLBACK: callback,
        NAME: peer,
    }
    return {name: [copy.deepcopy(measured) for _ in range(3)] for name, measured in once.items()}


def judged(starts: Measured, runs: Measured, why_no_peer: str = "") -> Verdict:
    return Verdict((*cold.sections(starts, why_no_peer), *warm.sections(runs, why_no_peer)))


def missed(verdict: Verdict) -> list[tuple[str, str]]:
    """Section and name of each row that is not as it must be."""
    bad = {Status.MISSED, Status.SKIPPED}
    return [(section.heading, row.name) for section in verdict.sections for row in section.rows if row.status in bad]


def test_a_good_run_meets_every_target() -> None:
    verdict = judged(good_starts(), good_runs())
    assert (missed(verdict), verdict.met) == ([], True)


def in_every_round(subject: str, name: str, value: float) -> Callable[[Measured, Measured], None]:
    def change(starts: Measured, _: Measured) -> None:
        for run in starts[subject]:
            run[name] = value

    return change


def in_every_run(subject: str, part: str, value: float) -> Callable[[Measured, Measured], None]:
    def change(_: Measured, runs: Measured) -> None:
        for run in runs[subject]:
            run["warm_ms"][part] = [value]

    return change


@pytest.mark.parametrize(
    ("change", "target"),
    [
        (in_every_round("ocpi_versions", "import_ms", 341), ("Import and clients", "ocpi_versions")),
        (in_every_round("send_charger_commands", "import_ms", 341), ("Import and clients", "send_charger_commands")),
        (in_every_round("push_updates", "import_ms", 501), ("Import and clients", "push_updates")),
        (
            in_every_round("ocpi_charging_profiles", "import_ms", 301),
            ("Import and clients", "ocpi_charging_profiles beside the peer's import"),
        ),
        (in_every_round("relay_outbox", "peak_mb", 129), ("Peak memory", "relay_outbox")),
        (in_every_run(warm.OWN, GUIDE_PUT, 1.01), ("Warm requests, the bridge's own code", GUIDE_PUT)),
        (in_every_run(warm.CALLBACK, "client", 2.51), ("Results delivered", "guarded client, connection kept")),
    ],
)
def test_a_number_beyond_its_limit_misses_its_own_target(
    change: Callable[[Measured, Measured], None], target: tuple[str, str]
) -> None:
    starts, runs = good_starts(), good_runs()
    change(starts, runs)
    verdict = judged(starts, runs)
    assert (missed(verdict), verdict.met) == ([target], False)


def test_one_slow_round_of_three_misses_nothing() -> None:
    starts = good_starts()
    starts["ocpi_versions"][1]["import_ms"] = 2000.0
    assert judged(starts, good_runs()).met


def test_what_calls_out_is_given_more_than_a_door_and_no_more_than_its_own_limit() -> None:
    rows = {row.name: row.limit for row in cold.sections(good_starts(), "")[0].rows}
    assert rows["ocpi_versions"] == cold.DOOR_LIMIT
    assert rows["deliver_results"] == cold.CALLS_OUT_LIMIT


def test_without_the_peer_its_targets_are_skipped_with_the_reason_and_the_others_judged() -> None:
    starts, runs = good_starts(), good_runs()
    del starts[NAME], runs[NAME]
    verdict = judged(starts, runs, "no registry")
    skipped = [row for row in verdict.failures() if row.status is Status.SKIPPED]
    assert [(row.name, row.note) for row in skipped] == [
        ("ocpi_charging_profiles beside the peer's import", "no registry"),
        (GUIDE_PUT, "no registry"),
    ]
    assert verdict.failures() == skipped
    assert not verdict.met


def test_without_the_peer_a_callback_is_compared_with_the_figure_that_is_stated() -> None:
    runs = good_runs()
    del runs[NAME]
    for value, status in ((2.0, Status.MET), (2.2, Status.MISSED)):
        in_every_run(warm.CALLBACK, "client", value)({}, runs)
        rows = warm.sections(runs, "no registry")[2].rows
        assert rows[0].status is status
        assert rows[-1].note == "measured on another machine: no registry"


def test_a_callback_of_the_peer_is_what_its_put_takes_more_with_one() -> None:
    *_, peer = warm.sections(good_runs(), "")[2].rows
    assert peer.sample is not None
    assert peer.sample.median == 25
