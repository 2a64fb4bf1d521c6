"""A station on the deployed stack that none of us wrote: kirby-ocpp, with cars that draw what its limits leave them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path

from ocpi_bridge.domain.requests import WAITING
from ocpi_bridge.domain.stations import Station
from tests.support.e2e_faults import sweep
from tests.support.e2e_items import Items, items_of
from tests.support.e2e_site import SMART_CHARGING, SOON, site_name, site_world
from tests.support.e2e_waiting import Found, eventually
from tools.charge_point import Car, ChargePoint
from tools.counterparts.json_types import JsonObject, as_int, as_list, as_object
from tools.counterparts.ocpp_json import Call
from tools.demo.world import DRIVER_TAG, World, three_phase_station
from tools.demo_csms import DemoCsms
from tools.local_stack import LocalStack
from tools.partner_simulator import (
    ActiveProfilePush,
    ChargingProfile,
    PartnerSimulator,
    ResponseType,
    ResultType,
    SessionStatus,
)

# Longer than any plan here has until its last period begins.
SHOWN_SECONDS = 7200


@dataclass(frozen=True, slots=True)
class Metered:
    """What a meter shows: power in W; the current on each phase, and the current offered, in A."""

    power: float
    currents: tuple[float, ...]
    offered: float


@dataclass(frozen=True, slots=True)
class Charging:
    """A car that charges, in a session that the partner knows."""

    session_id: str
    transaction_id: int
    connector: int = 1


@dataclass(frozen=True, slots=True)
class KirbySite:
    """A station with its CSMS and the partner that steers the sessions there."""

    world: World
    charge_point: ChargePoint
    items: Items

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
    def station_id(self) -> str:
        return self.charge_point.station_id

    # What the driver, the partner and the bridge do

    def arrive(self, car: Car | None = None, connector: int = 1) -> Charging:
        """A car begins to charge; returns when the partner has its session."""
        known = {push.session.id for push in self.partner.session_pushes.entries()}
        self.charge_point.plug_in(connector, car or Car())
        transaction_id = self.charge_point.start_transaction(connector, DRIVER_TAG)
        evse_uid = f"{self.station_id}-{connector}"
        session = self.partner.wait_for_session(
            lambda one: one.id not in known and one.evse_uid == evse_uid and one.status is SessionStatus.ACTIVE, SOON
        )
        return Charging(session.id, transaction_id, connector)

    def leave(self, car: Charging) -> None:
        """The car stops to charge and drives away; returns when its session is COMPLETED at the partner."""
        self.charge_point.stop_transaction(car.connector, id_tag=DRIVER_TAG)
        self.charge_point.unplug(car.connector)
        self.wait_for_end(car)

    def wait_for_end(self, car: Charging) -> None:
        """Returns when the session is COMPLETED at the partner."""
        self.partner.wait_for_session(
            lambda one: one.id == car.session_id and one.status is SessionStatus.COMPLETED, SOON
        )

    def put(self, car: Charging, profile: ChargingProfile) -> None:
        """The partner PUTs a profile; returns when its result ACCEPTED is there."""
        put = self.partner.bridge.put_profile(car.session_id, profile)
        assert put.result is ResponseType.ACCEPTED, (put.status, put.result, put.message)
        assert put.wait_for_result(SOON).result is ResultType.ACCEPTED

    # What is seen at the charge point

    def commands(self, action: str | None = None) -> list[Call]:
        """The smart-charging commands in the charge point's own log, in order; those of one action if it is given."""
        wanted = SMART_CHARGING if action is None else {action}
        events = self.charge_point.events.matching(lambda one: one.level == "in")
        return [one.frame for one in events if isinstance(one.frame, Call) and one.frame.action in wanted]

    def wait_for_command(self, action: str, count: int = 1) -> Call:
        """The `count`-th command of an action at the charge point; a sweep wakes what waits for the next minute."""
        return self.swept(lambda: self.commands(action)[count - 1 : count], f"{count} {action} at the charge point")[0]

    def shown(self, connector: int = 1) -> list[tuple[int, Decimal]]:
        """The charge point's composite schedule as start (s) and limit; empty where it follows nothing."""
        asked: JsonObject = {"connectorId": connector, "duration": SHOWN_SECONDS}
        return periods_of(as_object(self.csms.call(self.station_id, "GetCompositeSchedule", asked)))

    def metered(self, connector: int = 1) -> Metered:
        """The meter, as the CSMS read it off the next MeterValues; the bridge gets them, too."""
        mark = self.csms.events.mark()
        self.charge_point.send_meter_values(connector)
        event = self.csms.events.wait_for(
            lambda one: one.get("station_id") == self.station_id and "power_w" in as_object(one["data"]),
            SOON,
            since=mark,
        )
        assert self.csms.flush_events(SOON)
        data = as_object(event["data"])
        currents = tuple(float(str(current)) for current in as_list(data["current_a"]))
        return Metered(float(str(data["power_w"])), currents, float(str(data["offered_a"])))

    # What is seen at the partner, and in the bridge's tables

    def told(self, car: Charging) -> list[ActiveProfilePush]:
        """The active profiles that the partner was told without asking."""
        return self.partner.active_profiles.matching(lambda one: one.session_id == car.session_id)

    def wait_until_told(self, car: Charging, limits: list[int]) -> None:
        """Returns when the newest active profile at the partner has these limits (W); a sweep wakes what waits."""

        def look() -> bool:
            pushes = self.told(car)
            return bool(pushes) and limits_of(pushes[-1]) == limits

        self.swept(look, f"an active profile of {limits} W at the partner")

    def active_profile(self, car: Charging) -> list[Decimal]:
        """The limits that the partner gets when it asks for the active profile."""
        get = self.partner.bridge.get_active_profile(car.session_id, SHOWN_SECONDS)
        profile = get.wait_for_result(SOON).profile
        assert profile is not None
        return [period.limit for period in profile.charging_profile.charging_profile_period or []]

    def wait_until_settled(self, session_id: str) -> None:
        """Returns when no request of the session waits for its charge point."""
        eventually(
            lambda: all(request.state not in WAITING for request in self.items.requests(session_id)),
            SOON,
            what="no pending command",
        )

    def swept(self, look: Callable[[], Found | None], what: str) -> Found:
        """Returns what `look` finds, while the sweep's minute comes over and over."""

        def woken() -> Found | None:
            found = look()
            if found:
                return found
            sweep(self.stack)
            return look() or None

        return eventually(woken, SOON, what=what)


def periods_of(composite: JsonObject) -> list[tuple[int, Decimal]]:
    """The periods of a schedule in a payload of OCPP 1.6: start (s) and limit."""
    schedule = as_object(composite.get("chargingSchedule"))
    periods = [as_object(period) for period in as_list(schedule.get("chargingSchedulePeriod"))]
    return [(as_int(period["startPeriod"]) or 0, Decimal(str(period["limit"]))) for period in periods]


def profile_of(command: Call) -> JsonObject:
    """The profile of a SetChargingProfile of OCPP 1.6."""
    return as_object(command.payload.get("csChargingProfiles"))


def limits_of(push: ActiveProfilePush) -> list[Decimal]:
    """The limits of an active profile, all in W."""
    profile = push.profile.charging_profile
    assert profile.charging_rate_unit == "W"
    return [period.limit for period in profile.charging_profile_period or []]


@contextmanager
def kirby_site(
    stack: LocalStack,
    *,
    connectors: int = 1,
    units: tuple[str, ...] | None = None,
    state_directory: Path | None = None,
    change_station: Callable[[Station], Station] = lambda station: station,
    timeout: int = 60,
) -> Iterator[KirbySite]:
    """A world with one station that is kirby-ocpp: 22 kW a connector, which takes limits in `units` only.

    It ends with the check that nobody broke a rule of OCPI or OCPP, and that no command is left pending.
    """
    name = site_name()
    station = replace(three_phase_station(f"CP-{name}", connectors=connectors), location_id=f"LOC-{name}")
    with (
        site_world(stack, name, [change_station(station)], timeout=timeout, asks_capabilities=True) as world,
        ChargePoint(
            world.csms.ocpp_url,
            station.station_id,
            connectors=connectors,
            units=units,
            state_directory=state_directory,
        ) as charge_point,
    ):
        charge_point.wait_until_booted()
        place = KirbySite(world, charge_point, items_of(stack))
        yield place
        for session_id in {push.session.id for push in world.partner.session_pushes.entries()}:
            place.wait_until_settled(session_id)
        found = [f"{one.at:%H:%M:%S} {one.where}: {one.what}" for one in world.partner.violations()]
        found += [f"OCPP {one.action}: {one.problem}" for one in world.csms.frames() if one.problem is not None]
        assert not found, found
