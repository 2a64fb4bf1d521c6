"""Payloads that OCPP 1.6 and 2.0.1 have in common, written: charging schedules, dateTimes."""

from datetime import datetime

from ocpi_bridge.domain.errors import InvalidInput
from ocpi_bridge.domain.fitting import number_of_phases
from ocpi_bridge.domain.plans import Plan
from ocpi_bridge.domain.times import in_utc
from ocpi_bridge.ports.charge_points import ChargerCommand
from ocpi_bridge.ports.json_values import JsonValue


def written_instant(instant: datetime) -> str:
    """The instant as OCPP's dateTime: UTC with Z, milliseconds only where there are any."""
    moment = in_utc(instant)
    return moment.isoformat(timespec="milliseconds" if moment.microsecond else "seconds").replace("+00:00", "Z")


def written_schedule(command: ChargerCommand) -> dict[str, JsonValue]:
    """The ChargingSchedule of a SET, with `numberPhases` in every period where it is called for.

    Limits are Decimals with at most one decimal. They must become JSON numbers with exactly these digits, which
    `float(limit)` writes (its shortest text is the decimal's), and a string is not. A validator must read them back as
    Decimals: by binary floats 8.1 is no multiple of 0.1.

    Raises ValueError for a command without a plan.
    """
    plan = _plan(command)
    schedule: dict[str, JsonValue] = {} if plan.start is None else {"startSchedule": written_instant(plan.start)}
    if plan.duration is not None:
        schedule["duration"] = plan.duration
    schedule["chargingRateUnit"] = plan.unit.value
    if plan.min_rate is not None:
        schedule["minChargingRate"] = plan.min_rate
    phases = number_of_phases(command.outlet, command.phases)
    numbered: dict[str, JsonValue] = {} if phases is None else {"numberPhases": phases}
    schedule["chargingSchedulePeriod"] = [
        {"startPeriod": period.start, "limit": period.limit, **numbered} for period in plan.periods
    ]
    return schedule


def profile_kind(command: ChargerCommand) -> str:
    """The chargingProfileKind: Absolute exactly where there is a start (K01.FR.40, K01.FR.41)."""
    return "Relative" if _plan(command).start is None else "Absolute"


def composite_query(command: ChargerCommand) -> dict[str, JsonValue]:
    """What GetCompositeSchedule asks for, but the outlet; without `unit` the station chooses.

    A unit that the station does not take is not asked for either: some answer Rejected to that, as if there were no
    profile.

    Raises ValueError for a command without a duration.
    """
    if command.duration is None:
        raise ValueError("a GET carries a duration")
    asked: dict[str, JsonValue] = {"duration": command.duration}
    station = command.outlet.station
    if command.unit is None or command.unit not in {*station.allowed_units, station.preferred_unit}:
        return asked
    return {**asked, "chargingRateUnit": command.unit.value}


def one_outlet(number: int, field: str) -> int:
    """A connector's or EVSE's number; 0 means the whole station and is refused with InvalidInput."""
    if number <= 0:
        raise InvalidInput(field, f"{number} is no single outlet of the station")
    return number


def _plan(command: ChargerCommand) -> Plan:
    if command.plan is None:
        raise ValueError("a SET carries a plan")
    return command.plan
