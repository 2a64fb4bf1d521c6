"""What a new copy of each function costs: import, first request, memory; beside a bare client and the peer."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Final

from tools.benchmarks.neighbours import Neighbours
from tools.benchmarks.peer import NAME, Peer
from tools.benchmarks.running import Measured, Programs
from tools.benchmarks.samples import Sample
from tools.benchmarks.scenes import check, scene_of
from tools.benchmarks.verdict import Baseline, Limit, Row, Section
from tools.benchmarks.world import World

BARE: Final = "bare client"
PEER_IMPORT: Final = "peer's import"
PROFILES: Final = "ocpi_charging_profiles"

CALLS_OUT: Final = frozenset({"ocpi_credentials", "deliver_results", "push_updates"})
"""Functions that cannot do their work without an HTTP client, so they load one. The sender of commands loads it when a
CSMS needs it: a fleet on the bus never does."""

DOOR_LIMIT: Final = Limit(1.7)
CALLS_OUT_LIMIT: Final = Limit(2.5)
"""How many bare clients an import may take; what calls out has httpx and the public authorities to read beside it."""

PEER_LIMIT: Final = Limit(0.75)
"""How much of the peer's import ours may take, although ours has the AWS SDK in it."""

MEMORY_LIMIT: Final = Limit(128, times=False)
"""In MB: the smallest size of a Lambda. Whatever a stage chooses, memory is no reason for it."""


@dataclass(frozen=True, slots=True)
class Cold:
    """What to start. `peer` is None where it could not be installed."""

    programs: Programs
    neighbours: Neighbours
    peer: Peer | None

    def subjects(self) -> Mapping[str, Callable[[], Measured]]:
        """What each subject runs once a round."""
        peers = {} if self.peer is None else {NAME: self._run_peer}
        functions = {name: partial(self._run_function, name) for name in self.programs.place.functions}
        return {BARE: partial(self.programs.run, "bare_client"), **peers, **functions}

    def _run_function(self, name: str) -> Measured:
        # Made anew for each run: signatures and deadlines in it are good for a minute.
        world = World(datetime.now(UTC), self.neighbours.plain)
        scene = scene_of(name, world)
        measured = self.programs.play("lambda_function", scene, world)
        check(scene, measured["answers"][0], measured["called"])
        return measured

    def _run_peer(self) -> Measured:
        assert self.peer is not None
        scene = self.peer.scene(World(datetime.now(UTC), self.neighbours.secure), self.neighbours.certificate, 0)
        return self.programs.run("peer", paths=(self.peer.packages,), scene=scene)


def sections(measured: Mapping[str, Sequence[Measured]], no_peer: str) -> tuple[Section, ...]:
    """The rows of what `Cold` measured; `no_peer` says why the peer is not among them."""
    functions = [name for name in measured if name not in {BARE, NAME}]
    return (_imports(measured, functions, no_peer), _first_requests(measured, functions), _memory(measured, functions))


def _imports(measured: Mapping[str, Sequence[Measured]], functions: Sequence[str], no_peer: str) -> Section:
    bare = Baseline(BARE, _sample(measured[BARE], "import_ms"))
    rows = [Row(BARE, "ms", bare.sample)]
    for name in functions:
        limit = CALLS_OUT_LIMIT if name in CALLS_OUT else DOOR_LIMIT
        rows.append(Row(name, "ms", _sample(measured[name], "import_ms"), bare, limit))
    beside = f"{PROFILES} beside the peer's import"
    if NAME in measured:
        peer = Baseline(PEER_IMPORT, _sample(measured[NAME], "import_ms"))
        making = _sample(measured[NAME], "make_ms")
        rows += [
            Row(PEER_IMPORT, "ms", peer.sample, bare, note="with Mangum; no AWS SDK"),
            Row("making its application", "ms", making, note="not counted against it below"),
            Row(beside, "ms", _sample(measured[PROFILES], "import_ms"), peer, PEER_LIMIT),
        ]
    else:
        rows.append(Row(beside, "ms", None, limit=PEER_LIMIT, note=no_peer))
    about = (
        "CPU time of a new process from before the first import until the handler is there, with the AWS clients that "
        f"the function always needs. A {BARE} is `import boto3; boto3.client('dynamodb')`."
    )
    return Section("Import and clients", about, rows)


def _first_requests(measured: Mapping[str, Sequence[Measured]], functions: Sequence[str]) -> Section:
    named = [*functions, *([NAME] if NAME in measured else [])]
    rows = [Row(name, "ms", _sample(measured[name], "first_ms")) for name in named]
    about = (
        "CPU time of the first request after that: what is made on first use, such as clients of SQS and Secrets Manager. "
        "AWS answers inside botocore, so no connection to it is in here; calls to a partner or CSMS go over plain HTTP."
    )
    return Section("First request", about, rows)


def _memory(measured: Mapping[str, Sequence[Measured]], functions: Sequence[str]) -> Section:
    rows = [Row(name, "MB", _sample(measured[name], "peak_mb"), limit=MEMORY_LIMIT) for name in functions]
    rows += [Row(name, "MB", _sample(measured[name], "peak_mb")) for name in (BARE, NAME) if name in measured]
    about = (
        "The most memory that the process held (resident), after its first request; "
        f"for a {BARE} after its making. Lambda's own runtime comes on top."
    )
    return Section("Peak memory", about, rows)


def _sample(runs: Sequence[Measured], name: str) -> Sample:
    return Sample.of([float(run[name]) for run in runs])
