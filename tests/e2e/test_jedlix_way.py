"""A partner as Jedlix publishes itself: no handshake, OAuth 2.0 and an API key outwards, Bearer inwards, pairing by code."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest

from ocpi_bridge.domain.assignments import Scope
from ocpi_bridge.domain.pairing import DEFAULT_VALIDITY, Grant
from ocpi_bridge.domain.partners import OAuth2Client, OutboundAuth, Pairing, Partner
from ocpi_bridge.domain.partners import Party as OcpiParty
from ocpi_bridge.domain.tokens import new_token
from tests.support.e2e_site import SOON, Site, charging_at, flat, site_name, site_world, sites_station
from tools.bridge import operations
from tools.bridge.pairing import Pairings
from tools.bridge.secrets import OperatorSecrets
from tools.charge_point import Behaviour
from tools.counterparts.clock import utc_now
from tools.demo.world import GENEROUS_RATE
from tools.local_stack import LocalStack
from tools.partner_simulator import (
    Credentials,
    Manner,
    OAuthSettings,
    PartnerSimulator,
    Party,
    ResponseType,
    ResultType,
)

JEDLIX = Party("NL", "JDX")
SETTINGS = OAuthSettings(
    client_id="the-cpo", client_secret="s3cret-of-the-cpo", audience="https://ocpi.example", api_key="key-of-the-cpo"
)


@dataclass(frozen=True, slots=True)
class Paired:
    """A car at a charge point that a driver has paired with the partner."""

    partner: PartnerSimulator
    place: Site

    def put(self, watts: int) -> None:
        exchange = self.partner.bridge.put_profile(self.place.session_id, flat(watts))
        assert exchange.result is ResponseType.ACCEPTED
        assert exchange.wait_for_result(SOON).result is ResultType.ACCEPTED


@pytest.fixture
def partner(stack: LocalStack) -> Iterator[PartnerSimulator]:
    cpo = Party(stack.outputs["CountryCode"], stack.outputs["PartyId"])
    # What it presents to us; towards it we show access tokens, so the other one is never used.
    credentials = Credentials(ours=new_token(), theirs=new_token())
    manner = Manner(calls_with_bearer=True)
    with PartnerSimulator(credentials, cpo=cpo, party=JEDLIX, manner=manner, oauth=SETTINGS) as partner:
        partner.connect(stack.ocpi_api_url, ca_file=stack.ca_file)
        yield partner
        assert [violation.what for violation in partner.violations()] == []


def entry_of(partner: PartnerSimulator, name: str) -> Partner:
    """The partner as its file has it, for `bridge partner add`."""
    return Partner(
        partner_id=f"jedlix-{name}",
        name="Jedlix",
        party=OcpiParty(JEDLIX.country_code, JEDLIX.party_id),
        callback_hosts=("localhost",),
        sessions_url=partner.sessions_url,
        charging_profiles_url=partner.charging_profiles_url,
        rate=GENEROUS_RATE,
        clear_rate=GENEROUS_RATE,
        auth=OutboundAuth.OAUTH2,
        oauth2=OAuth2Client(
            token_url=partner.token_url,
            client_id=SETTINGS.client_id,
            audience=SETTINGS.audience,
            api_key_header=SETTINGS.api_key_header,
        ),
        accepts_bearer=True,
        pairing=Pairing(partner.pairing_url),
    )


def pairings_of(stack: LocalStack) -> Pairings:
    outputs = stack.outputs
    return Pairings.on_aws(
        stack.client("dynamodb"),
        outputs["RegistryTableName"],
        stack.client("secretsmanager"),
        outputs["SecretsPrefix"],
        party=OcpiParty(outputs["CountryCode"], outputs["PartyId"]),
        allow_loopback=True,
        ca_file=stack.ca_file,
    )


@pytest.mark.parametrize("code_from", ["the CPO", "Jedlix"])
def test_a_driver_pairs_and_the_car_is_steered(stack: LocalStack, partner: PartnerSimulator, code_from: str) -> None:
    name = site_name()
    station = sites_station(name)
    station = replace(station, evses=tuple(replace(evse, evse_id="NL*LOC*E000001") for evse in station.evses))
    uid = station.evses[0].uid
    with site_world(stack, name, [station], timeout=60) as world:
        entry = entry_of(partner, name)
        secrets = OperatorSecrets(stack.client("secretsmanager"), stack.outputs["SecretsPrefix"])
        operations.add_partner(
            world.registry,
            secrets,
            entry,
            present_token=None,
            accept_token=partner.token,
            at=utc_now(),
            client_secret=SETTINGS.client_secret,
            api_key=SETTINGS.api_key,
        )
        pairings, grant = pairings_of(stack), Grant(uid, Scope.EVSE, uid)
        if code_from == "the CPO":
            code = pairings.make_code(grant, partner_id=entry.partner_id, validity=DEFAULT_VALIDITY).text
            assert partner.pairing.pair(stack.ocpi_api_url, "00000000").status == 404
            told = partner.pairing.pair(stack.ocpi_api_url, code)
            assert (told.status, told.evse.uid if told.evse else None) == (200, uid)
            assert partner.pairing.pair(stack.ocpi_api_url, code).status == 404
        else:
            partner.pairing.expect("362821")
            pairings.send_code(entry.partner_id, "362821", grant)
            assert [paired.evse.uid for paired in partner.pairing.paired.entries()] == [uid]

        with charging_at(world, station.station_id, Behaviour.FOLLOWING) as place:
            partner.wait_for_session(lambda one: one.id == place.session_id, SOON)
            at = Paired(partner, place)
            at.put(9000)
            issued = partner.oauth.issued
            # Every access token ends at once: one refresh, and the result still arrives.
            partner.oauth.revoke_all()
            at.put(7000)
            assert partner.oauth.issued > issued
