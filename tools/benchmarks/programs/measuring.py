"""Clocks, peak memory, and the one line that a program prints."""

import json
import os
import resource
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import TextIO

# Before the first sample of a loop: enough for caches of botocore, pydantic and the interpreter's specialised bytecode.
WARM_UP_CALLS = 30
_STATUS = Path("/proc/self/status")


def silenced() -> TextIO:
    """Lets everything that is printed go nowhere from now on; gives the way to the real standard output.

    A program that fails says so where it was started all the same.
    """
    real, complaints = os.fdopen(os.dup(1), "w"), os.fdopen(os.dup(2), "w")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    sys.excepthook = lambda *failed: traceback.print_exception(*failed, file=complaints)
    return real


def tell(real: TextIO, **measured: object) -> None:
    """Prints the program's one line and ends it, without waiting for what lingers."""
    real.write(json.dumps(measured) + "\n")
    real.flush()
    os._exit(0)


def cpu_ms(call: Callable[[], object]) -> float:
    """The CPU time of this process that one call takes, in ms."""
    before = time.process_time_ns()
    call()
    return (time.process_time_ns() - before) / 1e6


def samples(call: Callable[[], object], count: int) -> list[float]:
    """CPU times of so many calls (ms), after those that warm up."""
    for _ in range(WARM_UP_CALLS):
        call()
    return [cpu_ms(call) for _ in range(count)]


def peak_memory_mb() -> float:
    """The most memory that this process held at a time, in MB.

    Not `ru_maxrss` where the kernel tells it better: that one begins with what the parent held when it forked.
    """
    if _STATUS.exists():
        lines = dict(line.split(":", 1) for line in _STATUS.read_text().splitlines())
        return int(lines["VmHWM"].split()[0]) / 1024
    held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return held / 1024 / (1024 if sys.platform == "darwin" else 1)
