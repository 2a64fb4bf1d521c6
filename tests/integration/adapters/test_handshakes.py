"""Registration with the strict partner over real sockets: both directions, rotation, lost answers, the end of it.

The functions run behind a plain HTTP service in the gateway's place; the registry and the secrets are moto's.
"""

import importlib.util
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import boto3
import pytest

from ocpi_bridge.adapters.partner_http.guarded import guarded_partner_platform
from ocpi_bridge.adapters.partner_http.platform import HttpPartnerPlatform
from ocpi_bridge.domain.connections import OwnPlatform
from ocpi_bridge.domain.errors import EndpointMissing
from ocpi_bridge.domain.partners import Party as OcpiParty
from ocpi_bridge.domain.partners import Registration, TokenEncoding
from ocpi_bridge.runtime import clients
from tests.support.lambda_events import proxy_event
from tests.support.registrations import INVITED, PREFIX, Site
from tests.support.tables import REGION, AwsTables
from tools.bridge.registration import Handshakes, HandshakeUnclear
from tools.counterparts.http_service import Answer, HttpService, Request, Response
from tools.partner_simulator import (
    AnswerLostError,
    HandshakeError,
    Manner,
    OcpiVersion,
    PartnerSimulator,
    Party,
    VersionList,
)

pytestmark = pytest.mark.integration

FUNCTIONS = Path(__file__).parents[3] / "functions"
CPO = Party("NL", "CPO")
Handler = Callable[[Mapping[str, Any], object], dict[str, Any]]


def handler(name: str) -> Handler:
    spec = importlib.util.spec_from_file_location(f"handler_of_{name}", FUNCTIONS / name / "handler.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found: Handler = module.lambda_handler
    return found


class Bridge:
    """The configuration modules of the bridge at `http.url`, and its operator."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.http = HttpService(self._serve, name="bridge")
        self._functions: dict[str, Handler] = {}

    @property
    def versions_url(self) -> str:
        return f"{self.http.url}/ocpi/versions"

    @property
    def operator(self) -> Handshakes:
        return Handshakes(
            self.site.registrations,
            self.site.secrets,
            OwnPlatform(self.versions_url, OcpiParty("NL", "CPO"), "Example CPO"),
            lambda: guarded_partner_platform(allow_loopback=True),
            allow_loopback=True,
        )

    def load(self) -> None:
        self._functions = {name: handler(name) for name in ("ocpi_versions", "ocpi_credentials")}

    def _serve(self, request: Request) -> Response:
        name = "ocpi_credentials" if "credentials" in request.path else "ocpi_versions"
        event = proxy_event(request.method, request.path, headers=request.headers, body=request.body.decode() or None)
        answer = self._functions[name](event, None)
        return Response(answer["statusCode"], answer["body"].encode(), answer["headers"])


@pytest.fixture
def bridge(tables: AwsTables, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bridge]:
    site = Site(tables, boto3.client("secretsmanager", region_name=REGION))
    here = Bridge(site)
    environment = {
        "AWS_DEFAULT_REGION": REGION,
        "STAGE": "local",
        "REGISTRY_TABLE": tables.registry,
        "SECRETS_PREFIX": PREFIX,
        "OCPI_API_URL": here.http.url,
        "OCPI_COUNTRY_CODE": "NL",
        "OCPI_PARTY_ID": "CPO",
        "OCPI_BUSINESS_NAME": "Example CPO",
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    platforms: list[HttpPartnerPlatform] = []

    def platform(*, allow_loopback: bool) -> HttpPartnerPlatform:
        platforms.append(guarded_partner_platform(allow_loopback=allow_loopback))
        return platforms[-1]

    # The real one, closed at the end: a function keeps it as long as it lives.
    monkeypatch.setattr("ocpi_bridge.runtime.wiring.credentials.guarded_partner_platform", platform)
    made = (clients.dynamodb, clients.secrets_manager)
    for make in made:
        make.cache_clear()
    here.load()
    with here.http:
        yield here
    for one in platforms:
        one.close()
    for make in made:
        make.cache_clear()
    site.close()


@pytest.fixture
def partner(bridge: Bridge) -> Iterator[PartnerSimulator]:
    with PartnerSimulator(cpo=CPO) as simulator:
        yield simulator
        assert simulator.violations() == []
        assert list(bridge.http.errors.entries()) == []


# --- The partner begins ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", list(OcpiVersion))
def test_the_partner_registers_rotates_and_leaves(
    bridge: Bridge, partner: PartnerSimulator, version: OcpiVersion
) -> None:
    partner.register(bridge.versions_url, bridge.site.invite(INVITED), version=version)
    entry = bridge.site.standing.partner
    assert entry.registration is Registration.REGISTERED
    assert (entry.version, entry.sessions_url) == (version, partner.sessions_url)
    assert entry.charging_profiles_url == partner.charging_profiles_url
    first = partner.token
    partner.rotate()
    assert partner.token != first
    partner.rotate()
    assert not bridge.site.accepts(first)
    partner.unregister()
    assert bridge.site.standing.partner.registration is Registration.LEFT
    assert bridge.site.standing.tokens == ()
    assert bridge.site.secrets_held == {}


def test_a_partner_of_plain_tokens_registers(bridge: Bridge, partner: PartnerSimulator) -> None:
    partner.behave_as(Manner(plain_tokens=True))
    partner.register(bridge.versions_url, bridge.site.invite(INVITED))
    assert bridge.site.standing.partner.connected


def test_a_rotation_whose_answer_is_lost_is_mended_by_the_next(bridge: Bridge, partner: PartnerSimulator) -> None:
    partner.register(bridge.versions_url, bridge.site.invite(INVITED))
    partner.rotate()
    partner.behave_as(Manner(loses_answers=True))
    for _ in range(2):
        with pytest.raises(AnswerLostError):
            partner.rotate()
        assert len(bridge.site.standing.tokens) == 2
    partner.behave_as(Manner())
    partner.rotate()
    partner.rotate()
    assert len(bridge.site.secrets_held) == 1


@pytest.mark.parametrize(
    ("manner", "code"),
    [
        (Manner(versions_fault=Answer(Response(500))), 3001),
        (Manner(details_fault=Answer(Response(302, headers={"Location": "http://localhost/"}))), 3001),
        (Manner(version_list=VersionList.GARBAGE), 3001),
        (Manner(version_list=VersionList.NO_MUTUAL), 3002),
        (Manner(hidden_modules=frozenset({"chargingprofiles"})), 3003),
    ],
)
def test_a_broken_partner_learns_why_and_the_next_try_works(
    bridge: Bridge, partner: PartnerSimulator, manner: Manner, code: int
) -> None:
    token_a = bridge.site.invite(INVITED)
    before = bridge.site.state
    partner.behave_as(manner)
    with pytest.raises(HandshakeError) as raised:
        partner.register(bridge.versions_url, token_a)
    assert (raised.value.status, raised.value.status_code) == (200, code)
    assert bridge.site.state == before
    partner.behave_as(Manner())
    partner.register(bridge.versions_url, token_a)


# --- We begin --------------------------------------------------------------------------------------------------------


def test_we_register_rotate_and_leave(bridge: Bridge, partner: PartnerSimulator) -> None:
    bridge.operator.register(INVITED, *partner.invite())
    entry = bridge.site.standing.partner
    assert (entry.version, entry.sessions_url) == ("2.3.0", partner.sessions_url)
    first = partner.token
    assert bridge.site.accepts(first)
    bridge.operator.rotate("jedlix")
    assert partner.token != first
    partner.rotate()
    assert not bridge.site.accepts(first)
    assert bridge.operator.unregister("jedlix").not_told is None
    assert bridge.site.standing.partner.registration is Registration.LEFT


def test_we_register_at_a_partner_of_plain_tokens(bridge: Bridge, partner: PartnerSimulator) -> None:
    partner.behave_as(Manner(plain_tokens=True, versions=(OcpiVersion.V221,)))
    bridge.operator.register(INVITED, *partner.invite())
    entry = bridge.site.standing.partner
    assert (entry.version, entry.token_encoding) == ("2.2.1", TokenEncoding.PLAIN)


def test_we_register_at_no_partner_that_lacks_a_module(bridge: Bridge, partner: PartnerSimulator) -> None:
    before = bridge.site.state
    partner.behave_as(Manner(hidden_modules=frozenset({"sessions"})))
    with pytest.raises(EndpointMissing):
        bridge.operator.register(INVITED, *partner.invite())
    assert bridge.site.state == before


def test_our_rotation_whose_answer_is_lost_leaves_the_partner_in_and_is_mended(
    bridge: Bridge, partner: PartnerSimulator
) -> None:
    bridge.operator.register(INVITED, *partner.invite())
    first = partner.token
    partner.misbehave(Answer(Response(504), handled=True), path="credentials", method="PUT")
    with pytest.raises(HandshakeUnclear):
        bridge.operator.rotate("jedlix")
    assert partner.token != first
    assert bridge.site.accepts(first)
    assert bridge.site.accepts(partner.token)
    bridge.operator.rotate("jedlix")
    partner.rotate()
    assert len(bridge.site.standing.tokens) == 2
