"""What happens at a deployed bridge, each carried on until nothing moves: the CSMS reports, the partner asks."""

import json
from urllib.parse import urlsplit
from uuid import NAMESPACE_URL, uuid5

from ocpi_bridge.adapters.csms.signing import sign_event
from tests.support.deployed_functions import EVENT_KEY
from tests.support.deployed_site import AUTHORIZED, answered_by, ocpi, read, set_profile
from tests.support.lambda_events import proxy_event
from tests.support.metered_site import MeteredSite
from tests.support.world import CARD, RESPONSE_URL
from tools.bridge.cost_budgets import Mode

# The plan of the reference cycle: three hours in quarters.
PERIODS = [{"start_period": 900 * index, "limit": 11_000.0 - 500 * index} for index in range(12)]
# Before every session.
EVER = "2020-01-01T00:00:00Z"
QUERIES = {"GET": f"duration=900&response_url={RESPONSE_URL}", "DELETE": f"response_url={RESPONSE_URL}"}


def report(site: MeteredSite, kind: str, seconds: float, *, transaction_id: int = 778, **reading: object) -> None:
    """So many seconds later the CSMS posts one event, signed; with the bridge's own command, where it leads to one."""
    clock, number = site.world.clock, len(site.driver.commands)
    clock.advance(seconds)
    told = {
        "id": f"e-{clock.now():%H%M%S}",
        "type": kind,
        "time": clock.now().isoformat(),
        "station_id": "CP-001",
        "connector_id": 1,
        "transaction_id": transaction_id,
        "data": {**reading, **({"id_token": {"uid": CARD.uid}} if kind.endswith("started") else {})},
    }
    body = json.dumps({"events": [told]})
    headers = {"X-CSMS-Id": "acme", "X-Signature": sign_event(body.encode(), EVENT_KEY, clock.now())}
    answer = site.run("csms_events", proxy_event("POST", "/csms/v1/events", headers=headers, body=body))
    assert read(answer) == (202, {"accepted": 1})
    _carry_on(site, number)
    if site.put_off:
        clock.advance(60)
        site.come_due()


def cycle(site: MeteredSite, method: str) -> None:
    """The partner's request about the session of now, to its delivered result and on to its deadline."""
    cycle_to_result(site, method)
    site.world.clock.advance(60)
    site.come_due()


def cycle_to_result(site: MeteredSite, method: str) -> None:
    """The partner's request about the session of now, to its delivered result."""
    number, told = len(site.driver.commands), len(site.partner.messages)
    ids = {name: str(uuid5(NAMESPACE_URL, f"{name}-{number}")) for name in ("X-Request-ID", "X-Correlation-ID")}
    given = ocpi(
        method,
        "/ocpi/2.2.1/chargingprofiles/x",
        headers=AUTHORIZED | ids,
        session_id=site.session_id,
        query=QUERIES.get(method, ""),
        body=set_profile(charging_profile_period=PERIODS) if method == "PUT" else None,
    )
    assert read(site.run("ocpi_charging_profiles", given))[1]["data"]["result"] == "ACCEPTED"
    _carry_on(site, number)
    assert [(message.method, message.url) for message in site.partner.messages[told:]] == [("POST", RESPONSE_URL)]


def _carry_on(site: MeteredSite, number: int) -> None:
    """Until nothing moves; whatever was sent beyond that number of commands is answered."""
    site.settle()
    if site.mode is Mode.CALLBACK and len(site.driver.commands) > number:
        assert answered_by(site, site.driver.commands[-1]) == {"recorded": True}
        site.settle()


def page(site: MeteredSite, link: str) -> tuple[int, str | None]:
    """The partner reads a page of its sessions: how many are on it, and the link to the next one."""
    answer = site.run("ocpi_sessions", ocpi("GET", "/ocpi/2.2.1/sessions", query=urlsplit(link).query))
    status, body = read(answer)
    assert (status, body["status_code"]) == (200, 1000)
    following = answer["headers"].get("Link")
    return len(body["data"]), following and following.partition("<")[2].partition(">")[0]
