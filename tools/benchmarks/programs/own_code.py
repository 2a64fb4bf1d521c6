"""What of a function's warm requests is the bridge's own code: `python -I -S -B own_code.py SCENE CALLS PATH ...`.

As `lambda_function`, but its DynamoDB client is a class that answers at once. What is written is built all the same.
"""

import json
import sys
from functools import partial
from pathlib import Path

scene_file, calls, *paths = sys.argv[1:]
sys.path[:0] = [*paths, __file__.rpartition("/tools/")[0]]

from ocpi_bridge.runtime import clients  # noqa: E402 - from the paths
from tools.benchmarks.programs import canned_aws, measuring  # noqa: E402

scene = json.loads(Path(scene_file).read_text(encoding="utf-8"))
clients.dynamodb = lambda: canned_aws.CannedClient(scene)  # type: ignore[assignment]
handler = __import__("handler")

real = measuring.silenced()
answers: list[object] = []
warm: dict[str, list[float]] = {}
for name, event in scene["warm"].items():
    answers.append(handler.lambda_handler(event, None))
    warm[name] = measuring.samples(partial(handler.lambda_handler, event, None), int(calls))

measuring.tell(real, warm_ms=warm, answers=answers)
