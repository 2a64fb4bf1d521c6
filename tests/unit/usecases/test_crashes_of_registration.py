"""Handshakes and pairings die at each call of a port, before and after its effect; the same call again mends it.

Enumerated as in test_crash_everywhere. The calls are listed, so that a test's name says who died where, and a test of its
own says that no other call is made.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import boto3
import pytest

from ocpi_bridge.adapters.dynamodb import registry_items
from ocpi_bridge.adapters.dynamodb import tables as dynamo
from ocpi_bridge.adapters.dynamodb.pairings import DynamoPairings
from ocpi_bridge.adapters.partner_http.platform import HttpPartnerPlatform
from ocpi_bridge.domain.assignments import Scope
from ocpi_bridge.domain.pairing import CodeUnknown, Grant, PairingCode, code_hash, ending_of
from ocpi_bridge.domain.partners import Pairing, Registration
from ocpi_bridge.domain.tokens import TokenUse
from ocpi_bridge.usecases.accept_registration import AcceptRegistration
from ocpi_bridge.usecases.commit_registration import CommitRegistration
from ocpi_bridge.usecases.discover_platform import DiscoverPlatform
from ocpi_bridge.usecases.end_registration import EndRegistration
from ocpi_bridge.usecases.outbound_registration import OutboundRegistration
from ocpi_bridge.usecases.pair_driver import PairDriver
from tests.support import registry_entries
from tests.support.model.hazard import Died, Hazard, Side
from tests.support.partner_platform import VERSIONS_URL, enveloped
from tests.support.registrations import INVITED, OURS, Site, credentials_body
from tests.support.tables import REGION, AwsTables
from tests.support.world import World

DISCOVERS = ("platform.call", "platform.call")
POST = (*DISCOVERS, "secrets.put", "registrations.commit")
PUT = (*POST, "secrets.remove")
DELETE = ("registrations.commit", "secrets.remove")
REGISTERS = (
    "registrations.standing",
    *DISCOVERS,
    "registrations.reserve",
    "registrations.parties",
    "platform.call",
    "registrations.standing",
    "secrets.put",
    "registrations.commit",
    "registrations.release",
)
ROTATES = (
    "registrations.standing",
    "secrets.token",
    *DISCOVERS,
    "registrations.reserve",
    "registrations.parties",
    "platform.call",
    "registrations.standing",
    "secrets.put",
    "registrations.commit",
    "secrets.remove",
    "registrations.release",
)
PAIRS = ("pairings.partner", "pairings.count_attempt", "pairings.code", "pairings.evse", "pairings.redeem")


def at_each_of(calls: tuple[str, ...]) -> pytest.MarkDecorator:
    """Every call and both of its sides."""
    points = [
        pytest.param(number, side, id=f"dies {side} {number} {name}")
        for number, name in enumerate(calls, 1)
        for side in Side
    ]
    return pytest.mark.parametrize(("call", "side"), points)


@dataclass
class Office:
    """A site whose ports are counted, and whose use cases may die."""

    site: Site
    hazard: Hazard

    def __post_init__(self) -> None:
        site, guarded = self.site, self.hazard.guarded
        registrations = guarded("registrations", site.registrations)
        platform = guarded("platform", HttpPartnerPlatform(site.partner))
        commit = CommitRegistration(registrations, guarded("secrets", site.secrets))
        discover = DiscoverPlatform(platform, site.clock)
        site.accept = AcceptRegistration(discover, commit, site.clock)
        site.end = EndRegistration(commit)
        site.outbound = OutboundRegistration(discover, platform, registrations, commit, OURS, site.clock)

    def dies(self, call: int, side: Side, act: Callable[[], object]) -> None:
        self.hazard.arm(call, side)
        with pytest.raises(Died):
            act()
        self._names_no_secret_that_is_gone()

    def _names_no_secret_that_is_gone(self) -> None:
        standing = self.site.registrations.standing("jedlix")
        if standing is not None and standing.partner.connected:
            assert standing.partner.secret_name in self.site.secrets_held

    def is_registered(self, token: str) -> None:
        """The partner's token opens everything, and once it was used, it alone; what was reserved goes by itself."""
        assert self.site.standing.partner.registration is Registration.REGISTERED
        self._names_no_secret_that_is_gone()
        self.site.use(token)
        [left] = [one for one in self.site.standing.tokens if one.use is TokenUse.CREDENTIALS]
        assert left == self.site.accepted(token)


@pytest.fixture
def office(_tables: AwsTables) -> Iterator[Office]:
    site = Site(_tables, boto3.client("secretsmanager", region_name=REGION))
    yield Office(site, Hazard())
    site.close()


# --- The partner's own handshakes ------------------------------------------------------------------------------------


@pytest.fixture
def token_a(office: Office) -> str:
    return office.site.invite(INVITED)


@pytest.fixture
def token_c(office: Office, token_a: str) -> str:
    token = office.site.call(token_a).token
    office.site.use(token)
    office.hazard.reset()
    return token


@at_each_of(POST)
def test_a_partner_whose_registration_died_registers_by_the_same_call(
    office: Office, token_a: str, call: int, side: Side
) -> None:
    office.dies(call, side, lambda: office.site.call(token_a))
    office.is_registered(office.site.call(token_a).token)


@at_each_of(PUT)
def test_a_partner_whose_renewal_died_renews_by_the_same_call(
    office: Office, token_c: str, call: int, side: Side
) -> None:
    office.dies(call, side, lambda: office.site.call(token_c))
    office.is_registered(office.site.call(token_c).token)


@at_each_of(DELETE)
def test_a_partner_whose_end_died_has_left_or_leaves_by_the_same_call(
    office: Office, token_c: str, call: int, side: Side
) -> None:
    office.dies(call, side, lambda: office.site.end(office.site.standing))
    if office.site.accepts(token_c):
        office.site.end(office.site.standing)
    assert (office.site.standing.partner.registration, office.site.standing.tokens) == (Registration.LEFT, ())
    assert office.site.standing.partner.secret_name not in office.site.secrets_held


def test_the_partners_handshakes_make_no_other_call(office: Office, token_a: str) -> None:
    token = office.site.call(token_a).token
    assert tuple(office.hazard.calls) == POST
    office.site.use(token)
    office.hazard.reset()
    office.site.call(token)
    assert tuple(office.hazard.calls) == PUT
    office.hazard.reset()
    office.site.end(office.site.standing)
    assert tuple(office.hazard.calls) == DELETE


# --- Ours ------------------------------------------------------------------------------------------------------------

REGISTRATION_TOKEN, TOKEN_C = "their-registration-token", "their-token-c"


def partner_knows(office: Office) -> str:
    """The token that we gave the partner last."""
    token: str = next(body["token"] for body in reversed(office.site.partner.bodies) if body is not None)
    return token


def answers(office: Office, token: str) -> None:
    """The partner's answer to our POST or PUT; it takes its former token as long as this one was not used."""
    office.site.partner.answers["/2.3.0/credentials"] = enveloped(credentials_body(token))


@pytest.fixture
def ours(office: Office) -> Office:
    office.site.partner.token = REGISTRATION_TOKEN
    answers(office, TOKEN_C)
    return office


def register(office: Office) -> None:
    office.site.outbound.register(INVITED, VERSIONS_URL, REGISTRATION_TOKEN)


@at_each_of(REGISTERS)
def test_a_registration_at_a_partner_that_died_is_done_or_can_be_done_again(
    ours: Office, call: int, side: Side
) -> None:
    ours.dies(call, side, lambda: register(ours))
    standing = ours.site.registrations.standing("jedlix")
    if standing is None:
        register(ours)
    ours.is_registered(partner_knows(ours))


@pytest.fixture
def registered(ours: Office) -> Office:
    register(ours)
    ours.site.use(partner_knows(ours))
    ours.site.partner.token = TOKEN_C
    answers(ours, "their-token-c2")
    ours.hazard.reset()
    return ours


@at_each_of(ROTATES)
def test_a_rotation_that_died_leaves_the_partner_a_token_that_opens(registered: Office, call: int, side: Side) -> None:
    before = partner_knows(registered)
    registered.dies(call, side, lambda: registered.site.outbound.rotate("jedlix"))
    opens = [token for token in (before, partner_knows(registered)) if registered.site.accepts(token)]
    assert opens
    # The partner takes the token that we hold: its former one as long as its newer one was not used.
    held = registered.site.secrets_held[registered.site.standing.partner.secret_name]
    registered.site.partner.token = held["token"]
    registered.site.outbound.rotate("jedlix")
    registered.is_registered(partner_knows(registered))


def test_our_handshakes_make_no_other_call(ours: Office) -> None:
    register(ours)
    assert tuple(ours.hazard.calls) == REGISTERS
    ours.site.use(partner_knows(ours))
    ours.site.partner.token = TOKEN_C
    ours.hazard.reset()
    ours.site.outbound.rotate("jedlix")
    assert tuple(ours.hazard.calls) == ROTATES


# --- Pairing ---------------------------------------------------------------------------------------------------------

UID, CODE = "BE*BEC*E041503001", "12345678"


@pytest.fixture
def desk(world: World) -> tuple[World, Hazard, PairDriver]:
    hazard, now = Hazard(), world.clock.now()
    store = DynamoPairings(world.tables.client, world.tables.registry)
    world.put_partner(replace(registry_entries.partner(), pairing=Pairing()))
    world.tables.put(world.tables.registry, dynamo.to_item(registry_items.evse_item(UID, "acme", "CP-001")))
    grant = Grant(UID, Scope.EVSE, UID)
    assert store.add(PairingCode(code_hash(CODE), ending_of(CODE), grant, now, now + timedelta(minutes=15), None))
    return world, hazard, PairDriver(hazard.guarded("pairings", store), world.clock)


def assigned(world: World) -> list[Any]:
    key = (world.tables.registry, *registry_items.assignments_key(Scope.EVSE, UID))
    return list(registry_items.assignments_of(dynamo.get_many(world.tables.client, [key]).get(key)))


@at_each_of(PAIRS)
def test_a_pairing_that_died_is_done_once_or_can_be_done_again(
    desk: tuple[World, Hazard, PairDriver], call: int, side: Side
) -> None:
    world, hazard, pair = desk
    hazard.arm(call, side)
    with pytest.raises(Died):
        pair("jedlix", CODE)
    done = bool(assigned(world))
    assert done is (call == len(PAIRS) and side is Side.AFTER)
    if done:
        with pytest.raises(CodeUnknown):
            pair("jedlix", CODE)
    else:
        pair("jedlix", CODE)
    assert len(assigned(world)) == 1


def test_a_pairing_makes_no_other_call(desk: tuple[World, Hazard, PairDriver]) -> None:
    _, hazard, pair = desk
    pair("jedlix", CODE)
    assert tuple(hazard.calls) == PAIRS
