"""A place to charge at on the deployed stack: a world of its own, one OCPP 1.6 station of ours, one running session."""

import itertools
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from decimal import Decimal

from ocpi_bridge.domain.assignments import Assignment, Right, Scope
from ocpi_bridge.domain.partners import Partner, Rate
from ocpi_bridge.domain.partners import Party as OcpiParty
from ocpi_bridge.domain.stations import Csms, CsmsMode, Station
from ocpi_bridge.domain.tokens import new_token, token_hash
from tests.support.e2e_items import Items, items_of
from tools.charge_point import Behaviour, SilentChargePoint
from tools.counterparts.clock import utc_now
from tools.counterparts.http_service import Request
from tools.counterparts.json_types import as_list, as_object, write_json
from tools.counterparts.ocpp_json import Call
from tools.demo.world import DRIVER_TAG, GENEROUS_RATE, World, three_phase_station
from tools.demo_csms import DemoCsms, Direction, RecordedFrame
from tools.local_stack import LocalStack
from tools.partner_simulator import BridgeClient, ChargingProfile, Credentials, PartnerSimulator, Party, watt_profile

# What takes a second at most on an idle machine. The embedded AWS serves one command at a time, and one whose worker it
# lost comes back after 30 s: on a busy machine that is no fault.
SOON = 60.0
WATCHER = Party("DE", "WAT")
SMART_CHARGING = frozenset({"SetChargingProfile", "ClearChargingProfile", "GetCompositeSchedule"})
# Every site of a run has ids of its own, and so has every run on a stack that is kept.
_NUMBERS = itertools.count(int(utc_now().timestamp()) % 1_000_000 * 1000)


def site_name() -> str:
    """A name that no other site on the stack has."""
    return f"E2E{next(_NUMBERS)}"


def sites_station(name: str) -> Station:
    """The 22 kW station of a site, in a location of its own."""
    return replace(three_phase_station(f"CP-{name}"), location_id=f"LOC-{name}")


def site_world(
    stack: LocalStack,
    name: str,
    stations: Sequence[Station],
    *,
    mode: CsmsMode = CsmsMode.CALLBACK,
    timeout: int = 30,
    rate: Rate = GENEROUS_RATE,
    change_csms: Callable[[Csms], Csms] = lambda csms: csms,
    asks_capabilities: bool = False,
) -> World:
    """A world that meets no other one on the same stack.

    Its stations are not asked what they can take, unless it is told to: the embedded AWS sends one command at a time.
    """
    return World(
        stack,
        stations,
        mode=mode,
        result_timeout=timeout,
        rate=rate,
        csms_id=f"csms-{name}",
        partner_id=f"partner-{name}",
        change_csms=lambda csms: change_csms(replace(csms, asks_capabilities=asks_capabilities)),
    )


@dataclass(frozen=True, slots=True)
class Site:
    """A car that charges at `station_id` in `session_id`, its charge point, its CSMS and the partner that steers it."""

    world: World
    charge_point: SilentChargePoint
    session_id: str
    items: Items
    transaction_id: int

    @property
    def stack(self) -> LocalStack:
        return self.world.stack

    @property
    def csms(self) -> DemoCsms:
        return self.world.csms

    @property
    def partner(self) -> PartnerSimulator:
        return self.world.partner

    @property
    def bridge(self) -> BridgeClient:
        """The partner's client of the bridge."""
        return self.world.partner.bridge

    @property
    def station_id(self) -> str:
        return self.charge_point.station_id

    def commands(self, action: str | None = None) -> list[Call]:
        """The smart-charging commands that reached the charge point, in order; those of one action if it is given."""
        wanted = SMART_CHARGING if action is None else {action}
        return self.charge_point.commands.matching(lambda call: call.action in wanted)

    def posts(self) -> list[Request]:
        """What the bridge posted to the partner's response URLs."""
        return self.partner.http.requests.matching(lambda request: request.method == "POST")


@contextmanager
def charging_at(world: World, station_id: str, behaviour: Behaviour = Behaviour.ACCEPTING) -> Iterator[Site]:
    """A car that starts to charge at a station of the world, in a session that the partner knows."""
    evse_uid = f"{station_id}-1"
    with SilentChargePoint(world.csms.ocpp_url, station_id, behaviour=behaviour) as charge_point:
        transaction_id = charge_point.start_transaction(1, DRIVER_TAG)
        session = world.partner.wait_for_session(lambda one: one.evse_uid == evse_uid, SOON)
        yield Site(world, charge_point, session.id, items_of(world.stack), transaction_id)


@contextmanager
def site(
    stack: LocalStack,
    behaviour: Behaviour = Behaviour.ACCEPTING,
    *,
    mode: CsmsMode = CsmsMode.CALLBACK,
    timeout: int = 30,
    rate: Rate = GENEROUS_RATE,
    change_csms: Callable[[Csms], Csms] = lambda csms: csms,
) -> Iterator[Site]:
    """A world with one car that charges. It ends with the check that the bridge broke no rule of OCPI."""
    name = site_name()
    station = sites_station(name)
    with (
        site_world(stack, name, [station], mode=mode, timeout=timeout, rate=rate, change_csms=change_csms) as world,
        charging_at(world, station.station_id, behaviour) as place,
    ):
        yield place
        found = [f"{one.at:%H:%M:%S} {one.where}: {one.what}" for one in world.partner.violations()]
        assert not found, found


@contextmanager
def watching_partner(world: World) -> Iterator[PartnerSimulator]:
    """A second partner of the world, which may see its sessions and not steer them."""
    credentials = Credentials(ours=new_token(), theirs=new_token())
    watcher_id, now = f"{world.partner_id}-watcher", utc_now()
    with PartnerSimulator(credentials, cpo=world.partner.cpo, party=WATCHER) as watcher:
        watcher.connect(world.stack.ocpi_api_url, ca_file=world.stack.ca_file)
        world.stack.client("secretsmanager").create_secret(
            Name=f"{world.stack.outputs['SecretsPrefix']}/partners/{watcher_id}",
            SecretString=write_json({"token": credentials.theirs}),
        )
        world.registry.add_partner(
            Partner(
                partner_id=watcher_id,
                name="Watcher",
                party=OcpiParty(WATCHER.country_code, WATCHER.party_id),
                callback_hosts=("localhost",),
                sessions_url=watcher.sessions_url,
                charging_profiles_url=watcher.charging_profiles_url,
                rate=world.rate,
                clear_rate=world.rate,
            ),
            [token_hash(credentials.ours)],
            now,
        )
        world.registry.add_assignments(
            [
                Assignment(watcher_id, Scope.LOCATION, location, Right.SEE, valid_from=now, consent="test")
                for location in sorted({station.location_id for station in world.stations})
            ]
        )
        yield watcher


def token_of(partner: PartnerSimulator) -> str:
    """The token that the partner presents to the bridge, for calls that its client cannot make."""
    return partner._credentials.ours


def event_key_of(csms: DemoCsms) -> str:
    """The key with which the CSMS signs its events, for posts that its reporter cannot make."""
    if csms.reporter is None:
        raise ValueError("the CSMS reports to nobody")
    return csms.reporter._door.secret


def limits(call: Call) -> list[tuple[int, Decimal]]:
    """The periods of a SetChargingProfile of OCPP 1.6: start (s) and limit."""
    schedule = as_object(as_object(call.payload.get("csChargingProfiles")).get("chargingSchedule"))
    periods = [as_object(period) for period in as_list(schedule.get("chargingSchedulePeriod"))]
    return [(int(str(period["startPeriod"])), Decimal(str(period["limit"]))) for period in periods]


def profile_id(call: Call) -> object:
    """The id that a Set or ClearChargingProfile of OCPP 1.6 is about."""
    return as_object(call.payload.get("csChargingProfiles")).get("chargingProfileId", call.payload.get("id"))


def flat(watts: int) -> ChargingProfile:
    """A profile with one limit from now on."""
    return watt_profile([(0, Decimal(watts))], start=utc_now())


def sent_frames(csms: DemoCsms, station_id: str) -> list[RecordedFrame]:
    """The smart-charging commands that a CSMS sent to a station of any OCPP version."""
    frames = csms.frames(station_id, direction=Direction.TO_STATION, calls_only=True)
    return [frame for frame in frames if frame.action in SMART_CHARGING]
