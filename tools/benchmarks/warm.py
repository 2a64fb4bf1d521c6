"""What requests cost in a function that is warm; parsing and mapping alone; results on their way; beside the peer."""

import json
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import Final

from tools.benchmarks.cold import PROFILES
from tools.benchmarks.neighbours import Neighbours
from tools.benchmarks.peer import NAME, STATED_CALLBACK_MS, Peer
from tools.benchmarks.running import Measured, ProgramFailed, Programs
from tools.benchmarks.samples import Sample
from tools.benchmarks.scenes import GUIDE_PUT, WrongAnswer, check, put_body, scene_of
from tools.benchmarks.verdict import Baseline, Limit, Row, Section
from tools.benchmarks.world import ANSWERED, World, quarters

DELIVERY: Final = "deliver_results"
OWN: Final = "own code"
PARSING: Final = "parsing"
CALLBACK: Final = "callback"

PUT_LIMIT: Final = Limit(0.5)
"""How much of the peer's PUT ours may take, both with storage that answers at once."""
CALLBACK_LIMIT: Final = Limit(0.1)
"""How much of the peer's callback ours may take: the peer reads the public authorities anew for each."""

# A callback of the peer takes some ten times as long as anything else here.
_CALLBACKS_SHARE: Final = 5


@dataclass(frozen=True, slots=True)
class Warm:
    """What to run, with so many calls in each run. `peer` is None where it could not be installed."""

    programs: Programs
    neighbours: Neighbours
    peer: Peer | None
    calls: int

    def subjects(self) -> Mapping[str, Callable[[], Measured]]:
        """What each subject runs once a round."""
        peers = {} if self.peer is None else {NAME: self._run_peer}
        return {
            PROFILES: partial(self._run_profiles, "lambda_function"),
            **peers,
            OWN: partial(self._run_profiles, "own_code"),
            PARSING: self._run_parsing,
            CALLBACK: self._run_callback,
        }

    def _run_profiles(self, program: str) -> Measured:
        world = World(datetime.now(UTC), self.neighbours.plain)
        scene = scene_of(PROFILES, world)
        measured = self.programs.play(program, scene, world, calls=self.calls)
        for answer in measured["answers"]:
            check(scene, answer, measured.get("called", scene.calls))
        return measured

    def _run_parsing(self) -> Measured:
        world = World(datetime.now(UTC))
        bodies = {f"{count} periods": json.dumps(put_body(world, quarters(count))) for count in (12, 96)}
        return self.programs.run("parsing", scene={"bodies": bodies}, calls=self.calls)

    def _run_callback(self) -> Measured:
        world = World(datetime.now(UTC), self.neighbours.secure)
        measured = self.programs.play(
            "callback",
            scene_of(DELIVERY, world),
            world,
            calls=self.calls,
            certificate=str(self.neighbours.certificate),
            request_id=ANSWERED,
        )
        if measured["failed"]:
            raise ProgramFailed(f"callback: {measured['failed']} of its results did not arrive")
        return measured

    def _run_peer(self) -> Measured:
        assert self.peer is not None
        world = World(datetime.now(UTC), self.neighbours.secure)
        scene = self.peer.scene(world, self.neighbours.certificate, max(1, self.calls // _CALLBACKS_SHARE))
        measured = self.programs.run("peer", paths=(self.peer.packages,), scene=scene, calls=self.calls)
        _, first, with_callback = measured["answers"]
        for answer, result in ((first, "REJECTED"), (with_callback, "ACCEPTED")):
            if result not in json.dumps(answer):
                raise WrongAnswer(f"{NAME} answered {json.dumps(answer)[:500]}")
        return measured


def sections(measured: Mapping[str, Sequence[Measured]], no_peer: str) -> tuple[Section, ...]:
    """The rows of what `Warm` measured; `no_peer` says why the peer is not among them."""
    runs = measured.get(NAME)
    peer_put = None if runs is None else Baseline("peer's PUT", _p50(runs, "warm_ms"))
    return (
        Section("Warm requests, with their AWS requests", _WITH_AWS, _requests(measured[PROFILES], peer_put)),
        Section(
            "Warm requests, the bridge's own code",
            _OWN_CODE,
            [*_limited(_requests(measured[OWN], peer_put), no_peer), *_peer_put_row(measured, peer_put)],
        ),
        Section("Results delivered", _DELIVERED, _callbacks(measured, peer_put, no_peer)),
        Section("Reading and writing alone", _ALONE, _parsing(measured[PARSING])),
    )


_WITH_AWS: Final = (
    "CPU time of one request in a warm process, p50 of each run: token, validation, checks, and the writes of an ACCEPTED. "
    "Requests to AWS are built and signed, and answers parsed; what is not in here is the connection."
)
_OWN_CODE: Final = (
    "The same requests with the AWS client replaced by a class that answers at once, as the peer's storage is: what is left "
    "is the bridge's own code, the building of items and conditions included."
)
_DELIVERED: Final = (
    "CPU time of one result posted over TLS to a server on this machine, the server's own not counted. The guarded client "
    "checks the URL, authenticates, sends and reads the answer. The peer makes a client for each, which reads the public "
    "authorities anew."
)
_ALONE: Final = "CPU time from the bytes of a PUT to a plan, and from a plan to the JSON that the charge point gets."


def _requests(runs: Sequence[Measured], peer: Baseline | None) -> list[Row]:
    return [Row(name, "ms", _p50(runs, "warm_ms", name), peer) for name in runs[0]["warm_ms"]]


def _limited(rows: Sequence[Row], no_peer: str) -> list[Row]:
    """With the target of the guide's PUT, which needs the peer."""
    limited = [replace(row, limit=PUT_LIMIT) if row.name == GUIDE_PUT else row for row in rows]
    return [row if row.baseline or not row.limit else _skipped(row.name, row.limit, no_peer) for row in limited]


def _peer_put_row(measured: Mapping[str, Sequence[Measured]], peer: Baseline | None) -> list[Row]:
    if peer is None:
        return []
    status = measured[NAME][0]["answers"][0]["statusCode"]
    note = f"it refuses the guide's own message with HTTP {status}, so one period and a min_charge_rate"
    return [Row(peer.name, "ms", peer.sample, note=note)]


def _callbacks(measured: Mapping[str, Sequence[Measured]], peer_put: Baseline | None, no_peer: str) -> list[Row]:
    runs = measured[CALLBACK]
    if peer_put is not None:
        taken = _p50(measured[NAME], "callback_ms").beyond(peer_put.sample)
        peer, note = Baseline("peer's callback", taken), "a PUT with its callback less one without"
    else:
        taken = Sample.of([STATED_CALLBACK_MS] * len(runs))
        peer, note = Baseline("peer's callback, as stated", taken), f"measured on another machine: {no_peer}"
    client, function = (_p50(runs, "warm_ms", part) for part in ("client", "function"))
    return [
        Row("guarded client, connection kept", "ms", client, peer, CALLBACK_LIMIT),
        Row("all of deliver_results, with its AWS requests", "ms", function, peer),
        Row("first call: resolved, vetted, connected", "ms", Sample.of([run["first_ms"] for run in runs]), peer),
        Row(peer.name, "ms", peer.sample, note=note),
    ]


def _parsing(runs: Sequence[Measured]) -> list[Row]:
    return [Row(name, "ms", _p50(runs, "warm_ms", name)) for name in runs[0]["warm_ms"]]


def _skipped(name: str, limit: Limit, why: str) -> Row:
    return Row(name, "ms", None, limit=limit, note=why)


def _p50(runs: Sequence[Measured], part: str, name: str | None = None) -> Sample:
    """The median of the calls of each run."""
    return Sample.of([statistics.median(run[part] if name is None else run[part][name]) for run in runs])
