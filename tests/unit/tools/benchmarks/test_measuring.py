"""Peak memory of a program is its own."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[4]
MEGABYTE = 1 << 20
PROGRAM = """
import sys
sys.path.append(sys.argv[1])
from tools.benchmarks.programs.measuring import peak_memory_mb
before = peak_memory_mb()
held = b"x" * int(sys.argv[2])
del held
print(before, peak_memory_mb())
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="elsewhere the kernel counts otherwise")
def test_peak_memory_counts_what_was_held_for_a_moment_and_nothing_of_the_parent() -> None:
    ballast = b"x" * (300 * MEGABYTE)
    command = [sys.executable, "-I", "-S", "-c", PROGRAM, str(ROOT), str(100 * MEGABYTE)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    before, after = map(float, done.stdout.split())
    assert len(ballast) > 200 * MEGABYTE
    assert before < 100
    assert after - before == pytest.approx(100, abs=10)
