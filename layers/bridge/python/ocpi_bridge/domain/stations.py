"""Stations (charge points) with their EVSEs and connectors, and the CSMS (charging station management system) behind.

The bridge never speaks OCPP itself: it calls the CSMS that owns the charge point's socket. What is said here about a
station is what the bridge must know to write a charging profile that the station can take.
"""

from collections.abc import Mapping
from dataclasses import field, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

from ocpi_bridge.domain.csms_api import CsmsApi
from ocpi_bridge.domain.partners import OAuth2Client
from ocpi_bridge.domain.plans import RateUnit
from ocpi_bridge.domain.values import dataclass

CHARGING_PROFILE_CAPABLE = "CHARGING_PROFILE_CAPABLE"

# OCPI and OCPP calculate with the nominal voltage between line and neutral, not with a measured one (OCPP K01.FR.50).
# Europe's, where the registry names no other.
NOMINAL_VOLTAGE = 230


class OcppVersion(StrEnum):
    """The OCPP version that a station speaks with its CSMS."""

    V16 = "1.6"
    V201 = "2.0.1"


class PowerType(StrEnum):
    """PowerType of a connector (OCPI 8.4.19)."""

    AC_1_PHASE = "AC_1_PHASE"
    AC_2_PHASE = "AC_2_PHASE"
    AC_2_PHASE_SPLIT = "AC_2_PHASE_SPLIT"
    AC_3_PHASE = "AC_3_PHASE"
    DC = "DC"

    @property
    def phases(self) -> int | None:
        """Phases that the connector can use, None for DC."""
        return {"AC_1_PHASE": 1, "AC_2_PHASE": 2, "AC_2_PHASE_SPLIT": 2, "AC_3_PHASE": 3, "DC": None}[self.value]


class Replacement(StrEnum):
    """How a TxProfile of a session is replaced by the next one."""

    SAME_ID = "same_id"  # the same profile id replaces: OCPP 1.6 (5.16.3) and 2.0.1 (K01.FR.05)
    CLEAR_THEN_SET = "clear_then_set"  # where the CSMS or the station refuses that


class Quirk(StrEnum):
    """What is known of a station that does not do as OCPP has it, where that changes what the bridge sends it."""

    NO_COMPOSITE = "no_composite"  # it is never asked for a composite schedule: what it answers is of no use
    NO_NUMBER_PHASES = "no_number_phases"  # it refuses a schedule that names numberPhases, so that is left out
    RELATIVE_AS_ABSOLUTE = (
        "relative_as_absolute"  # it takes no Relative profile: sent Absolute from the session's start
    )


@dataclass(frozen=True, slots=True)
class Connector:
    """One connector. `ocpp_connector_id` counts from 1 on the station (1.6) or on the EVSE (2.0.1).

    `max_voltage` in V (line to neutral for AC_3_PHASE, OCPI 8.4.x), `max_amperage` in A per phase,
    `max_electric_power` in W where it is lower than the product. `nominal_voltage` in V between line and neutral is what
    W and A are converted with; `max_voltage` only bounds the rating.
    """

    connector_id: str
    ocpp_connector_id: int
    power_type: PowerType
    max_voltage: int
    max_amperage: int
    max_electric_power: int | None = None
    nominal_voltage: int = NOMINAL_VOLTAGE


@dataclass(frozen=True, slots=True)
class Evse:
    """One EVSE. `uid` is OCPI's EVSE.uid (the partner's external id); `cap_w` is the CPO's own limit in W.

    `evse_id` is its id for people by eMI3 (`BE*BEC*E041503001`), None where it has none.
    """

    uid: str
    connectors: tuple[Connector, ...]
    ocpp_evse_id: int | None = None
    capabilities: frozenset[str] = frozenset({CHARGING_PROFILE_CAPABLE})
    cap_w: Decimal | None = None
    evse_id: str | None = None


@dataclass(frozen=True, slots=True)
class Station:
    """A charge point as the registry knows it. Its key is (csms_id, station_id); `station_id` is the OCPP identity.

    `max_periods` and `max_stack_level` are None where only the station itself can say (Capabilities).
    """

    csms_id: str
    station_id: str
    location_id: str
    ocpp_version: OcppVersion
    evses: tuple[Evse, ...]
    allowed_units: frozenset[RateUnit] = frozenset({RateUnit.WATT, RateUnit.AMPERE})
    preferred_unit: RateUnit | None = None
    max_periods: int | None = None
    max_stack_level: int | None = None
    replacement: Replacement | None = None
    currency: str = "EUR"
    quirks: frozenset[Quirk] = frozenset()


class StationRef(NamedTuple):
    """A station over all CSMSs."""

    csms_id: str
    station_id: str


@dataclass(frozen=True, slots=True)
class Outlet:
    """The one EVSE and connector of a station at which a transaction takes place."""

    station: Station
    evse: Evse
    connector: Connector

    @property
    def voltage(self) -> int:
        """What W and A per phase are converted with on AC: the nominal voltage in V between line and neutral."""
        return self.connector.nominal_voltage

    @property
    def ocpp_evse_id(self) -> int:
        """The OCPP 2.0.1 EVSE id; where the registry names none, the connector's number (one EVSE a connector)."""
        return self.evse.ocpp_evse_id if self.evse.ocpp_evse_id is not None else self.connector.ocpp_connector_id

    @property
    def number_at_station(self) -> int:
        """The place to charge, by OCPP's own count: the connector in 1.6, the EVSE in 2.0.1 (one car at a time)."""
        return self.ocpp_evse_id if self.station.ocpp_version is OcppVersion.V201 else self.connector.ocpp_connector_id


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a station says that it can take (GetConfiguration, GetVariables); None where it says nothing of it.

    `smart_charging` is False where it says that it takes no charging profiles at all.
    """

    allowed_units: frozenset[RateUnit] | None = None
    max_periods: int | None = None
    max_stack_level: int | None = None
    smart_charging: bool | None = None


@dataclass(frozen=True, slots=True)
class StationState:
    """What changes by itself. `online` is None as long as no event said anything, and then counts as online.

    `suspended_evses` and `caps_w` (W) are by EVSE.uid, folded. `not_supported_until`: the station answered that it has
    no smart charging; `rate_limited_until`: it wants to be left alone. What was learned of it is forgotten after a time
    (domain.learning), since stations are updated.
    """

    online: bool | None = None
    steering_suspended: bool = False
    suspended_evses: frozenset[str] = frozenset()
    caps_w: Mapping[str, Decimal] = field(default_factory=dict)
    not_supported_until: datetime | None = None
    rate_limited_until: datetime | None = None
    learned: Capabilities | None = None
    learned_at: datetime | None = None

    def suspends(self, evse_uid: str) -> bool:
        """Whether the CPO has taken the EVSE back (design decision 19)."""
        return self.steering_suspended or evse_uid.casefold() in self.suspended_evses


def as_it_is(station: Station, state: StationState) -> Station:
    """The station with what is known beside its registry entry: caps set by events, and limits that it told itself.

    A cap is the lower one of both. What the operator wrote into the registry overrules what the station says of itself,
    but for its units: one that it refuses is of no use whoever wrote it.
    """
    learned = state.learned or Capabilities()
    units = station.allowed_units & learned.allowed_units if learned.allowed_units else station.allowed_units
    preferred = station.preferred_unit if station.preferred_unit in units else None
    return replace(
        station,
        evses=tuple(_capped(evse, state.caps_w.get(evse.uid.casefold())) for evse in station.evses),
        allowed_units=units or station.allowed_units,
        preferred_unit=preferred if units else station.preferred_unit,
        max_periods=station.max_periods or learned.max_periods,
        max_stack_level=station.max_stack_level if station.max_stack_level is not None else learned.max_stack_level,
    )


class CsmsMode(StrEnum):
    """When the CSMS gives the charge point's answer: in its own answer, or later on a callback URL."""

    SYNCHRONOUS = "synchronous"
    CALLBACK = "callback"


class CsmsAuth(StrEnum):
    """How the bridge authenticates at the CSMS's API; the credential itself is kept in Secrets Manager."""

    NONE = "none"
    BEARER = "bearer"
    HEADER = "header"
    BASIC = "basic"
    OAUTH2 = "oauth2_client_credentials"


class CsmsDriver(StrEnum):
    """How the bridge reaches a CSMS: by its HTTP API, or by events on the bridge's EventBridge bus."""

    HTTP = "http"
    BUS = "bus"


@dataclass(frozen=True, slots=True)
class ProfileIdRange:
    """The chargingProfileIds that the CPO reserved for the bridge at this CSMS, both ends included.

    In OCPP 1.6 an id replaces whatever profile has it, the CPO's own included, so the range must be the bridge's alone.
    """

    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Csms:
    """A CSMS. `preset` names the driver's preset; times are in seconds.

    `result_timeout` is the `timeout` told to partners for its stations; None takes the stage's. `call_timeout` bounds
    one HTTP call to the CSMS. `api` describes its HTTP API where no preset does. `bus_accounts` are the AWS accounts that
    may report its events on the bus, beside the bridge's own. `asks_capabilities`: its stations are asked what they can
    take (GetConfiguration, GetVariables).
    """

    csms_id: str
    preset: str
    base_url: str
    mode: CsmsMode
    profile_ids: ProfileIdRange
    country_code: str
    party_id: str
    auth: CsmsAuth = CsmsAuth.NONE
    auth_header: str = "Authorization"
    stack_level: int = 1
    call_timeout: int = 20
    result_timeout: int | None = None
    replacement: Replacement | None = None
    parameters: tuple[tuple[str, str], ...] = field(default=())
    driver: CsmsDriver = CsmsDriver.HTTP
    oauth2: OAuth2Client | None = None
    api: CsmsApi | None = None
    bus_accounts: tuple[str, ...] = ()
    asks_capabilities: bool = True


def replacement_at(station: Station | None, csms: Csms | None) -> Replacement:
    """How plans replace each other there: the station's own way, else its CSMS's."""
    named = (station.replacement if station else None) or (csms.replacement if csms else None)
    return named or Replacement.SAME_ID


def find_outlet(station: Station, connector_id: int | None, evse_id: int | None) -> Outlet | None:
    """The outlet that OCPP's connector and EVSE numbers mean, or None.

    OCPP 1.6 counts connectors through the station and knows no EVSEs; 2.0.1 counts connectors within an EVSE. Numbers
    that could mean two outlets mean none: a guess would steer another car.
    """
    if station.ocpp_version is OcppVersion.V16:
        evse_id = None
    if connector_id is None and evse_id is None:
        return None
    meant = [
        Outlet(station, evse, connector)
        for evse in station.evses
        if evse_id is None or _evse_number(evse) == evse_id
        for connector in evse.connectors
        if connector_id is None or connector.ocpp_connector_id == connector_id
    ]
    return meant[0] if len(meant) == 1 else None


def outlet_by_uid(station: Station, evse_uid: str, connector_id: str) -> Outlet | None:
    """The outlet with these OCPI ids (compared without case), or None."""
    for evse in station.evses:
        for connector in evse.connectors:
            same_evse = evse.uid.casefold() == evse_uid.casefold()
            if same_evse and connector.connector_id.casefold() == connector_id.casefold():
                return Outlet(station, evse, connector)
    return None


def outlet_as_it_is(station: Station | None, state: StationState, evse_uid: str, connector_id: str) -> Outlet | None:
    """The outlet with these OCPI ids and all that is known of its station now; None where the registry lost either."""
    return None if station is None else outlet_by_uid(as_it_is(station, state), evse_uid, connector_id)


def maximum_power(outlet: Outlet) -> Decimal:
    """The most that the outlet may deliver in W: its rating, or the CPO's cap where that is lower."""
    connector = outlet.connector
    phases = connector.power_type.phases or 1
    rating = Decimal(connector.max_voltage * connector.max_amperage * phases)
    if connector.max_electric_power is not None:
        rating = min(rating, Decimal(connector.max_electric_power))
    cap = outlet.evse.cap_w
    return rating if cap is None else min(rating, cap)


def _capped(evse: Evse, cap_w: Decimal | None) -> Evse:
    caps = [cap for cap in (evse.cap_w, cap_w) if cap is not None]
    return replace(evse, cap_w=min(caps, default=None))


def _evse_number(evse: Evse) -> int:
    return evse.ocpp_evse_id if evse.ocpp_evse_id is not None else evse.connectors[0].ocpp_connector_id
