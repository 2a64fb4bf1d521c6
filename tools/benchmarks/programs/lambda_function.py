"""A function of the bridge: `python -I -S -B lambda_function.py SCENE CALLS PATH ...`, its own folder first.

Measures the import of its handler, which makes the clients that it always needs; the first request of the scene; and,
where CALLS is not 0, so many warm ones of each of the scene's warm requests.
"""

import sys
import time

scene_file, calls, *paths = sys.argv[1:]
sys.path[:0] = paths
started = time.process_time_ns()
handler = __import__("handler")
imported = (time.process_time_ns() - started) / 1e6

sys.path.append(__file__.rpartition("/tools/")[0])
import json  # noqa: E402 - after the clock
from functools import partial  # noqa: E402
from pathlib import Path  # noqa: E402

from tools.benchmarks.programs import canned_aws, measuring  # noqa: E402

real = measuring.silenced()
scene = json.loads(Path(scene_file).read_text(encoding="utf-8"))
aws = canned_aws.CannedAws(scene)
aws.stand_before_clients()

answers: list[object] = []
first = measuring.cpu_ms(lambda: answers.append(handler.lambda_handler(scene["first"], None)))
called = list(aws.called)
peak = measuring.peak_memory_mb()
warm: dict[str, list[float]] = {}
for name, event in scene["warm"].items() if int(calls) else ():
    answers.append(handler.lambda_handler(event, None))
    warm[name] = measuring.samples(partial(handler.lambda_handler, event, None), int(calls))

measuring.tell(real, import_ms=imported, first_ms=first, peak_mb=peak, called=called, warm_ms=warm, answers=answers)
