"""What the URL guard refuses is answered, logged and counted by host, whichever way the URL came."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from ocpi_bridge.adapters.dynamodb.refused_hosts import DynamoRefusedHosts
from ocpi_bridge.domain.partners import OAuth2Client, OutboundAuth, Party
from ocpi_bridge.ports.partners import PartnerMessage, Receipt
from ocpi_bridge.runtime.partner_calls import RefusalsCounted
from tests.support import registry_entries
from tests.support.clocks import START, ManualClock
from tests.support.deployed_functions import deployed, handler_of
from tests.support.lambda_events import proxy_event
from tests.support.queues import Queues
from tests.support.scripted import DELIVERED, ScriptedPartner
from tests.support.world import TOKEN, World

Lines = Callable[[], list[dict[str, Any]]]
MESSAGE = PartnerMessage("POST", "https://evil.example/r?secret=1", {}, "c-1", Party("NL", "CPO"), Party("NL", "JDX"))


class Noted:
    """RefusedHosts that remembers; with `broken` it fails instead."""

    def __init__(self, *, broken: bool = False) -> None:
        self.refusals: list[tuple[str, str, str, datetime]] = []
        self._broken = broken

    def note_refused_host(self, partner_id: str, host: str, reason: str, at: datetime) -> None:
        if self._broken:
            raise OSError("the table is away")
        self.refusals.append((partner_id, host, reason, at))


@pytest.fixture
def site(world: World, queues: Queues) -> Iterator[World]:
    """A deployed bridge, by what is in its tables."""
    with deployed(world, queues):
        yield world


def put(site: World, response_url: str) -> dict[str, Any]:
    profile = {"charging_rate_unit": "W", "charging_profile_period": [{"start_period": 0, "limit": 8000}]}
    session = site.open_session()
    given = proxy_event(
        "PUT",
        f"/ocpi/2.2.1/chargingprofiles/{session.session_id}",
        headers={"Authorization": f"Token {TOKEN}"},
        path_parameters={"session_id": session.session_id},
        body=json.dumps({"charging_profile": profile, "response_url": response_url}),
    )
    answer: dict[str, Any] = json.loads(handler_of("ocpi_charging_profiles")(given, None)["body"])
    return answer


def refused(site: World) -> list[tuple[str, str, int]]:
    hosts = DynamoRefusedHosts(site.tables.client, site.tables.registry)
    return [(one.host, one.reason, one.count) for one in hosts.of("jedlix")]


def test_a_response_url_that_is_not_the_partners_is_2001_logged_and_counted_by_host(site: World, log: Lines) -> None:
    for path in ("a", "b?secret=1"):
        answer = put(site, f"https://Evil.example/{path}")
        assert answer["status_code"] == 2001
        assert "evil" not in answer["status_message"]
    reason = "has a host (or port) that is not on the partner's list"
    assert refused(site) == [("evil.example", reason, 2)]
    lines = [line for line in log() if line["message"] == "url.refused"]
    assert [(line["partner_id"], line["host"], line["reason"]) for line in lines] == [
        ("jedlix", "evil.example", reason)
    ] * 2
    assert "secret" not in json.dumps(log())
    assert site.requests() == []


def test_a_url_without_a_proper_host_counts_too(site: World) -> None:
    assert put(site, "https://10.0.0.1/r")["status_code"] == 2001
    assert refused(site) == [("", "has an IP address instead of a host name", 1)]


def test_nothing_is_counted_of_a_url_that_is_the_partners(site: World) -> None:
    assert put(site, "https://www.jedlix.com/r")["status_code"] == 1000
    assert refused(site) == []


@pytest.mark.parametrize("error", ["refused_host", "refused_address"])
def test_a_host_that_is_refused_when_calling_is_counted(error: str, log: Lines) -> None:
    noted, receipt = Noted(), Receipt(delivered=False, error=error, final=True)
    client = RefusalsCounted(ScriptedPartner(receipt), noted, ManualClock())
    assert client.send(registry_entries.partner(), MESSAGE, 1.0) is receipt
    [(partner_id, host, _, at)] = noted.refusals
    assert (partner_id, host, at) == ("jedlix", "evil.example", START)
    assert [line["host"] for line in log() if line["message"] == "url.refused"] == ["evil.example"]


@pytest.mark.parametrize("error", ["oauth_refused_host", "oauth_refused_address"])
def test_a_token_url_that_is_refused_is_counted_by_its_own_host(error: str) -> None:
    noted = Noted()
    login = OAuth2Client("https://login.example/token", "us")
    partner = replace(registry_entries.partner(), auth=OutboundAuth.OAUTH2, oauth2=login)
    RefusalsCounted(ScriptedPartner(Receipt(delivered=False, error=error)), noted, ManualClock()).send(
        partner, MESSAGE, 1.0
    )
    assert [host for _, host, _, _ in noted.refusals] == ["login.example"]


@pytest.mark.parametrize("receipt", [DELIVERED, Receipt(delivered=False, error="connect")])
def test_what_was_not_refused_is_not_counted(receipt: Receipt) -> None:
    noted = Noted()
    RefusalsCounted(ScriptedPartner(receipt), noted, ManualClock()).send(registry_entries.partner(), MESSAGE, 1.0)
    assert noted.refusals == []


def test_a_count_that_fails_costs_no_answer(log: Lines) -> None:
    receipt = Receipt(delivered=False, error="refused_host", final=True)
    client = RefusalsCounted(ScriptedPartner(receipt), Noted(broken=True), ManualClock())
    assert client.send(registry_entries.partner(), MESSAGE, 1.0) is receipt
    assert "url.refusal_not_counted" in [line["message"] for line in log()]
