"""The deployed bridge with its counterparts, and what AWS and they send to it."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from ocpi_bridge.ports.charge_points import ChargerCommand, Pending
from tests.support.deployed_functions import CSMS_API, deployed, handler_of
from tests.support.lambda_events import failed, image, proxy_event, queue_event, stream_event
from tests.support.queues import Queues
from tests.support.scripted import DELIVERED, ScriptedDriver, ScriptedPartner
from tests.support.world import RESPONSE_URL, TOKEN, World

AUTHORIZED = {"Authorization": f"Token {TOKEN}", "X-Request-ID": "req-1", "X-Correlation-ID": "corr-1"}


@dataclass
class Site:
    """The deployed bridge: its functions, its tables and queues, and the servers of its counterparts."""

    world: World
    queues: Queues
    partner: ScriptedPartner
    driver: ScriptedDriver

    def run(self, name: str, given: Mapping[str, Any]) -> Any:  # noqa: ANN401 - what the function gives back
        return handler_of(name)(given, None)

    def drain(self, name: str, url: str) -> list[str]:
        """Gives a worker what its queue has now; the messages that are to come again."""
        return list(failed(self.run(name, queue_event(self.queues.client, url))))

    def relay(self, *items: Mapping[str, Any]) -> None:
        """Gives the relay these items as the stream does."""
        self.run("relay_outbox", stream_event([image(item) for item in items]))


@contextmanager
def deployed_site(world: World, queues: Queues) -> Iterator[Site]:
    """The functions and their counterparts, on this world and these queues."""
    here = Site(world, queues, ScriptedPartner(DELIVERED), ScriptedDriver(Pending()))

    def partner_server(*_: object, **__: object) -> ScriptedPartner:
        return here.partner

    def csms_server(*_: object, **__: object) -> ScriptedDriver:
        return here.driver

    with deployed(world, queues) as patch:
        patch.setattr("ocpi_bridge.runtime.wiring.partners.guarded_partner_client", partner_server)
        patch.setattr("ocpi_bridge.runtime.wiring.commands.charge_point_drivers", csms_server)
        yield here


def ocpi(
    method: str,
    path: str,
    *,
    headers: Mapping[str, str] = AUTHORIZED,
    session_id: str | None = None,
    query: str = "",
    body: object = None,
) -> dict[str, Any]:
    return proxy_event(
        method,
        path,
        headers=headers,
        path_parameters={"session_id": session_id} if session_id else None,
        query=query,
        body=body if isinstance(body, str) or body is None else json.dumps(body),
    )


def read(answer: Mapping[str, Any]) -> tuple[int, dict[str, Any]]:
    return answer["statusCode"], json.loads(answer["body"])


def set_profile(**change: object) -> dict[str, object]:
    profile = {"charging_rate_unit": "W", "charging_profile_period": [{"start_period": 0, "limit": 8000}]}
    return {"charging_profile": profile | change, "response_url": RESPONSE_URL}


def answered_by(site: Site, command: ChargerCommand) -> dict[str, Any]:
    """The CSMS posts the charge point's answer to the URL that the command carried."""
    *_, command_id, signature = command.callback_url.split("/")
    parameters = {"command_id": command_id, "signature": signature}
    path = command.callback_url.removeprefix(CSMS_API)
    posted = proxy_event("POST", path, path_parameters=parameters, body='{"status": "Accepted"}')
    return read(site.run("csms_callback", posted))[1]
