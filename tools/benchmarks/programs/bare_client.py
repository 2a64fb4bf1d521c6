"""A bare DynamoDB client: `python -I -S -B bare_client.py PATH ...`."""

import sys
import time

sys.path[:0] = sys.argv[1:]
started = time.process_time_ns()
import boto3  # noqa: E402 - timed

boto3.client("dynamodb")
imported = (time.process_time_ns() - started) / 1e6

sys.path.append(__file__.rpartition("/tools/")[0])
from tools.benchmarks.programs import measuring  # noqa: E402 - after the clock

measuring.tell(sys.stdout, import_ms=imported, peak_mb=measuring.peak_memory_mb())
