"""Outlets and charger commands for tests: a home-like AC outlet of 3 x 32 A, and what differs from it."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from ocpi_bridge.domain.plans import Plan, RateUnit
from ocpi_bridge.domain.requests import RequestKind
from ocpi_bridge.domain.stations import Connector, Evse, OcppVersion, Outlet, PowerType, Quirk, Station
from ocpi_bridge.ports.charge_points import ChargerCommand

BOTH_UNITS = frozenset(RateUnit)


def outlet(
    power_type: PowerType = PowerType.AC_3_PHASE,
    *,
    max_voltage: int = 230,
    max_amperage: int = 32,
    max_electric_power: int | None = None,
    cap_w: Decimal | None = None,
    allowed_units: frozenset[RateUnit] = BOTH_UNITS,
    preferred_unit: RateUnit | None = None,
    max_periods: int | None = None,
    ocpp_version: OcppVersion = OcppVersion.V16,
    ocpp_connector_id: int = 1,
    ocpp_evse_id: int | None = None,
    nominal_voltage: int = 230,
    quirks: frozenset[Quirk] = frozenset(),
) -> Outlet:
    connector = Connector(
        "1", ocpp_connector_id, power_type, max_voltage, max_amperage, max_electric_power, nominal_voltage
    )
    evse = Evse("BE*BEC*E041503001", (connector,), ocpp_evse_id, cap_w=cap_w)
    station = Station(
        "acme",
        "CP-001",
        "LOC1",
        ocpp_version,
        (evse,),
        allowed_units,
        preferred_unit,
        max_periods=max_periods,
        quirks=quirks,
    )
    return Outlet(station, evse, connector)


def command(
    kind: RequestKind,
    at: Outlet | None = None,
    *,
    transaction_id: str = "778",
    plan: Plan | None = None,
    phases: int | None = None,
    duration: int | None = None,
    unit: RateUnit | None = None,
) -> ChargerCommand:
    return ChargerCommand(
        correlation_id="corr-1",
        request_id="r1",
        session_id="SESSION-1",
        command_id="r1.0",
        kind=kind,
        outlet=at or outlet(),
        transaction_id=transaction_id,
        profile_id=1042,
        stack_level=1,
        deadline=datetime(2026, 1, 15, 17, 0, tzinfo=UTC) + timedelta(seconds=50),
        callback_url="https://csms-api.example/csms/v1/callback/r1.0/signature",
        plan=plan,
        phases=phases,
        duration=duration,
        unit=unit,
    )
