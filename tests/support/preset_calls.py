"""What a preset makes of a command: the call that goes out, and what an answer to it means."""

import json
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from ocpi_bridge.adapters.bounded_http.exchange import Reply
from ocpi_bridge.adapters.csms.driver import HttpChargePointDriver
from ocpi_bridge.domain.plans import Plan, PlanPeriod, RateUnit
from ocpi_bridge.domain.requests import RequestKind
from ocpi_bridge.domain.stations import Csms, CsmsMode, OcppVersion, ProfileIdRange
from ocpi_bridge.ports.charge_points import ChargerCommand, Done, Failed, Pending
from tests.support.clocks import START, ManualClock
from tests.support.fake_http import ScriptedExchange, reply
from tests.support.fake_secrets import InMemorySecretStore
from tests.support.outlets import command, outlet

PLAN = Plan(RateUnit.WATT, (PlanPeriod(0, Decimal(11000)), PlanPeriod(900, Decimal("4100.5"))), START, duration=3600)


@dataclass(frozen=True, slots=True)
class Called:
    """One call and what its answer meant."""

    method: str
    path: str
    query: dict[str, str]
    body: Any
    outcome: Done | Pending | Failed


def csms_of(name: str, mode: CsmsMode = CsmsMode.SYNCHRONOUS, **parameters: str) -> Csms:
    return Csms(
        csms_id="acme",
        preset=name,
        base_url="https://csms.example",
        mode=mode,
        profile_ids=ProfileIdRange(1000, 1999),
        country_code="BE",
        party_id="BEC",
        parameters=tuple(parameters.items()),
    )


def a_command(kind: RequestKind, version: OcppVersion = OcppVersion.V16) -> ChargerCommand:
    at = outlet(ocpp_version=version, ocpp_connector_id=2, ocpp_evse_id=3)
    made = command(kind, at, plan=PLAN, phases=3, duration=900, unit=RateUnit.WATT)
    return replace(made, deadline=START + timedelta(seconds=50))


def call(csms: Csms, kind: RequestKind, version: OcppVersion = OcppVersion.V16, answer: Reply | None = None) -> Called:
    """The call of the preset for the command; without `answer` the CSMS says `{"status": "Accepted"}`."""
    http = ScriptedExchange(answer or reply(200, {"status": "Accepted"}))
    driver = HttpChargePointDriver(InMemorySecretStore(), ManualClock(), http)
    outcome = driver.submit(csms, a_command(kind, version))
    assert http.calls, outcome
    made = http.calls[0]
    url = urlsplit(made.url)
    body = json.loads(made.body) if made.body else None
    return Called(made.method, url.path, dict(parse_qsl(url.query)), body, outcome)


def refusal(csms: Csms, kind: RequestKind, version: OcppVersion = OcppVersion.V16) -> str:
    """Why the preset makes no call for the command."""
    outcome = HttpChargePointDriver(InMemorySecretStore(), ManualClock(), ScriptedExchange()).submit(
        csms, a_command(kind, version)
    )
    assert isinstance(outcome, Failed)
    assert (outcome.nothing_sent, outcome.retryable) == (True, False)
    return outcome.reason
