"""A partner that comes by OCPI's handshake to the deployed stack, and what the operator sees of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from ocpi_bridge.domain.assignments import Assignment, Right, Scope
from ocpi_bridge.domain.connections import OwnPlatform
from ocpi_bridge.domain.partners import Partner
from ocpi_bridge.domain.partners import Party as OcpiParty
from ocpi_bridge.ocpi.versions import versions_url
from tests.support.e2e_site import SOON, Site, charging_at, site_name, site_world, sites_station
from tools.bridge.registration import Handshakes
from tools.charge_point import Behaviour
from tools.counterparts.clock import utc_now
from tools.demo.world import GENEROUS_RATE
from tools.local_stack import LocalStack
from tools.partner_simulator import Manner, PartnerSimulator, Party
from tools.partner_simulator import Registration as Handshake

GUEST = Party("BE", "GST")
BY_THE_BOOK = Manner()


@dataclass(frozen=True, slots=True)
class Guest:
    """A partner that the operator has an entry of; it is at the bridge when it registers."""

    stack: LocalStack
    partner: PartnerSimulator
    entry: Partner
    handshakes: Handshakes

    @property
    def versions_url(self) -> str:
        return versions_url(self.stack.ocpi_api_url)

    def invite(self) -> str:
        """The operator invites it; the registration token."""
        return self.handshakes.invite(self.entry)

    def register(self, token: str) -> Handshake:
        return self.partner.register(self.versions_url, token, ca_file=self.stack.ca_file)

    def state(self) -> tuple[object, ...]:
        """All that the bridge has of it: entry, tokens (as hashes) and the names of its secrets."""
        standing = self.handshakes.registrations.standing(self.entry.partner_id)
        return (
            (standing.partner, standing.tokens, self.secrets()) if standing is not None else (None, (), self.secrets())
        )

    def known(self) -> Partner:
        """Its entry as it is now."""
        return self.handshakes.known(self.entry.partner_id)

    def secrets(self) -> list[str]:
        """The names of the secrets that are kept for it."""
        manager = self.stack.client("secretsmanager")
        prefix = f"{self.stack.outputs['SecretsPrefix']}/partners/{self.entry.partner_id}"
        pages = manager.get_paginator("list_secrets").paginate()
        names = [str(secret["Name"]) for page in pages for secret in page["SecretList"] if "DeletedDate" not in secret]
        return sorted(name for name in names if name == prefix or name.startswith(f"{prefix}/"))


@contextmanager
def guest(stack: LocalStack, manner: Manner = BY_THE_BOOK) -> Iterator[Guest]:
    """A partner that nobody knows yet. It ends with the check that the bridge broke no rule of OCPI."""
    outputs = stack.outputs
    cpo = Party(outputs["CountryCode"], outputs["PartyId"])
    handshakes = Handshakes.on_aws(
        stack.client("dynamodb"),
        outputs["RegistryTableName"],
        stack.client("secretsmanager"),
        outputs["SecretsPrefix"],
        own=OwnPlatform(
            versions_url(stack.ocpi_api_url), OcpiParty(cpo.country_code, cpo.party_id), outputs["BusinessName"]
        ),
        allow_loopback=True,
        ca_file=stack.ca_file,
    )
    entry = Partner(
        partner_id=f"guest-{site_name()}",
        name="Guest",
        party=OcpiParty(GUEST.country_code, GUEST.party_id),
        callback_hosts=("localhost",),
        rate=GENEROUS_RATE,
        clear_rate=GENEROUS_RATE,
        meter_push_interval=1,
    )
    with PartnerSimulator(cpo=cpo, party=GUEST, manner=manner) as partner:
        yield Guest(stack, partner, entry, handshakes)
        assert partner.violations() == []


@dataclass(frozen=True, slots=True)
class GuestSite:
    """A car that charges under the eyes of a registered partner, which alone may steer it."""

    guest: Guest
    place: Site

    @property
    def partner(self) -> PartnerSimulator:
        return self.guest.partner

    @property
    def session_id(self) -> str:
        return self.place.session_id


@contextmanager
def guest_site(stack: LocalStack, manner: Manner = BY_THE_BOOK, *, timeout: int = 60) -> Iterator[GuestSite]:
    """A partner registers by the handshake, a car comes, and its session arrives at the discovered endpoint."""
    name = site_name()
    station = sites_station(name)
    with guest(stack, manner) as coming, site_world(stack, name, [station], timeout=timeout) as world:
        coming.register(coming.invite())
        evse_uid = station.evses[0].uid
        # More specific than the world's own partner, which has the location.
        world.registry.add_assignments(
            [Assignment(coming.entry.partner_id, Scope.EVSE, evse_uid, Right.STEER, utc_now(), consent="test")]
        )
        with charging_at(world, station.station_id, Behaviour.FOLLOWING) as place:
            coming.partner.wait_for_session(lambda one: one.id == place.session_id, SOON)
            yield GuestSite(coming, place)
