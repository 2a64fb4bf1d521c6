"""A result on its way to a partner: `python -I -S -B callback.py SCENE CALLS PATH ...`, the folder of deliver_results first.

The partner is a TLS server on this machine, in another process; its certificate is trusted beside the public authorities.
Measures the first call, which resolves, vets and connects; then calls on the connection that is kept: the guarded client
alone, and the whole function with its reads and writes.
"""

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

scene_file, calls, *paths = sys.argv[1:]
sys.path[:0] = [*paths, __file__.rpartition("/tools/")[0]]

from ocpi_bridge.adapters.partner_http.guarded import guarded_partner_client  # noqa: E402 - from the paths
from ocpi_bridge.adapters.secrets.secrets_manager import SecretsManagerStore  # noqa: E402
from ocpi_bridge.domain.requests import Answer, Result  # noqa: E402
from ocpi_bridge.ocpi.charging_profiles import result_body  # noqa: E402
from ocpi_bridge.ports.partners import PartnerMessage  # noqa: E402
from ocpi_bridge.runtime import clients  # noqa: E402
from ocpi_bridge.runtime.partner_calls import ObservedPartnerClient  # noqa: E402
from ocpi_bridge.runtime.settings import variable  # noqa: E402
from tools.benchmarks.programs import canned_aws, measuring  # noqa: E402

real = measuring.silenced()
scene = json.loads(Path(scene_file).read_text(encoding="utf-8"))
canned_aws.CannedAws(scene).stand_before_clients()

handler: Any = __import__("handler")
delivery = handler.delivery
secrets = SecretsManagerStore(clients.secrets_manager, variable("SECRETS_PREFIX"), delivery.clock)
guarded = guarded_partner_client(secrets, delivery.clock, allow_loopback=True, extra_ca_file=Path(scene["certificate"]))
handler.delivery = replace(delivery, client=ObservedPartnerClient(guarded, delivery.clock))
request = delivery.store.request(scene["request_id"])
partner = delivery.store.partner(request.partner_id)
message = PartnerMessage(
    method="POST",
    url=request.callback.response_url,
    body=result_body(Answer(Result.ACCEPTED, "")),
    correlation_id=request.callback.correlation_id,
    from_party=request.callback.our_party,
    to_party=request.callback.their_party,
)
receipts: list[bool] = []


def send() -> None:
    """One callback."""
    receipts.append(guarded.send(partner, message, budget=8.0).delivered)


answers: list[object] = []


def deliver() -> None:
    """One run of the function."""
    answers.append(handler.lambda_handler(scene["first"], None))


first = measuring.cpu_ms(send)
warm = {"client": measuring.samples(send, int(calls)), "function": measuring.samples(deliver, int(calls))}
failed = receipts.count(False) + sum(answer != {"batchItemFailures": []} for answer in answers)
measuring.tell(real, first_ms=first, warm_ms=warm, failed=failed)
