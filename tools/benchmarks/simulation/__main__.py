"""Command line: `python -m tools.benchmarks.simulation` prints the tables of docs/scale-and-cost.md as Markdown."""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace

from tools.benchmarks.simulation import tables
from tools.benchmarks.simulation.assumptions import Demand
from tools.benchmarks.simulation.bounds import Paper

DESCRIPTION = """\
What binds first as sessions grow, what so many sessions need, and what a partner that is away for
ten minutes leaves behind. Reckoned and simulated, not measured.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints the tables; the exit status."""
    options = _parser().parse_args(arguments)
    demand = replace(
        Demand(),
        reading_every=options.reading_every,
        requests_per_hour=options.requests_per_hour,
        events_per_post=options.events_per_post,
    )
    paper = Paper(demand=demand)
    for lines in (tables.binding(paper), tables.needs(paper), tables.outage(paper), tables.sweeps(paper)):
        print(*lines, "", sep="\n")
    return 0


def _parser() -> argparse.ArgumentParser:
    usual = Demand()
    parser = argparse.ArgumentParser(prog="python -m tools.benchmarks.simulation", description=DESCRIPTION)
    for option, default, what in (
        ("reading-every", usual.reading_every, "seconds between two meter readings of a session"),
        ("requests-per-hour", usual.requests_per_hour, "profile requests for a session in an hour"),
        ("events-per-post", usual.events_per_post, "events that a CSMS puts into one call"),
    ):
        parser.add_argument(f"--{option}", type=_positive, default=default, help=f"{what} ({default:g})")
    return parser


def _positive(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if value > 0:
        return value
    raise argparse.ArgumentTypeError(f"a positive number is needed, not {text!r}")


if __name__ == "__main__":
    sys.exit(main())
