"""Charging limits that are not the bridge's: told by stations (2.0.1, K11 to K13), or set by the CSMS itself.

OCPP 1.6 has no notification of limits; what the CSMS sets shows in its own frames. A profile whose id is not in the
range that is reserved for the bridge is the CPO's.
"""

from datetime import datetime
from typing import Any

from ocpi_bridge.adapters.csms.frames.fields import Outlet, Payload, Text, Whole, read_payload
from ocpi_bridge.adapters.csms.limits import course_of
from ocpi_bridge.domain.errors import InvalidInput
from ocpi_bridge.domain.events import ReportedLimit
from ocpi_bridge.domain.values import dataclass
from ocpi_bridge.ports.json_values import JsonObject

# ChargingLimitSource: of what the CSMS sets, and of whoever names himself in words that OCPP 2.0.1 does not know.
CPO, _OTHER = "CSO", "Other"
_SOURCES = frozenset({"EMS", "SO", CPO, _OTHER})
# A default gives way to our TxProfile (1.6, 3.13.1), so its course is no limit on it; a recurring or relative one has
# no place in absolute time.
_NO_LIMIT = "TxDefaultProfile"
_ABSOLUTE = "Absolute"


@dataclass(frozen=True, slots=True)
class LimitChange:
    """A limit changed at an outlet (None: the whole station); `limit` is None where only that is known."""

    connector_id: int | None
    evse_id: int | None
    limit: ReportedLimit | None = None


@dataclass(frozen=True, slots=True)
class ProfileChange:
    """A charging profile that the CSMS sets or clears by its own call; no id: by criteria, so it may be any.

    `course` is the profile's schedule where it limits a transaction in absolute time.
    """

    connector_id: int | None
    evse_id: int | None
    profile_id: int | None
    cleared: bool
    course: JsonObject | None = None

    @property
    def asked(self) -> LimitChange:
        """What follows from the call alone: the station may refuse it, but it may also have followed it already."""
        return LimitChange(self.connector_id, self.evse_id)

    def accepted(self, at: datetime) -> LimitChange | None:
        """What follows when the station has accepted it; None where that is no more than the call said."""
        if self.cleared:
            limit = None if self.profile_id is None else ReportedLimit(CPO)
        else:
            limit = _limit(CPO, self.course, at) if self.course is not None else None
        return None if limit is None else LimitChange(self.connector_id, self.evse_id, limit)


class _ChargingLimit(Payload):
    charging_limit_source: Text = _OTHER


class _NotifyChargingLimit(Payload):
    evse_id: Outlet | None = None
    charging_limit: _ChargingLimit = _ChargingLimit()
    charging_schedule: tuple[dict[str, Any], ...] = ()


class _ClearedChargingLimit(_ChargingLimit):
    evse_id: Outlet | None = None


class _Profile(Payload):
    charging_profile_id: Whole | None = None
    id: Whole | None = None
    charging_profile_purpose: str = ""
    charging_profile_kind: str = ""
    # One schedule in 1.6, a list of up to three in 2.0.1, of which more than one is for ISO 15118 only (K01.FR.34).
    charging_schedule: dict[str, Any] | tuple[dict[str, Any], ...] = ()


class _SetChargingProfile(Payload):
    connector_id: Outlet | None = None
    evse_id: Outlet | None = None
    cs_charging_profiles: _Profile | None = None
    charging_profile: _Profile | None = None


class _Criteria(Payload):
    evse_id: Outlet | None = None


class _ClearChargingProfile(Payload):
    id: Whole | None = None
    charging_profile_id: Whole | None = None
    connector_id: Outlet | None = None
    charging_profile_criteria: _Criteria = _Criteria()


def notified_limit(payload: JsonObject, at: datetime) -> LimitChange:
    """NotifyChargingLimit (2.0.1). Raises InvalidInput."""
    said = read_payload(_NotifyChargingLimit, payload)
    source = _source(said.charging_limit)
    limit = _limit(source, said.charging_schedule[0], at) if said.charging_schedule else None
    return LimitChange(None, said.evse_id or None, limit or ReportedLimit(source))


def cleared_limit(payload: JsonObject) -> LimitChange:
    """ClearedChargingLimit (2.0.1). Raises InvalidInput."""
    said = read_payload(_ClearedChargingLimit, payload)
    return LimitChange(None, said.evse_id or None, ReportedLimit(_source(said)))


def profile_set(payload: JsonObject) -> ProfileChange:
    """SetChargingProfile of both versions. Raises InvalidInput."""
    said = read_payload(_SetChargingProfile, payload)
    profile = said.cs_charging_profiles or said.charging_profile
    if profile is None:
        raise InvalidInput("chargingProfile", "is missing")
    schedules = (
        profile.charging_schedule if isinstance(profile.charging_schedule, tuple) else (profile.charging_schedule,)
    )
    limits = profile.charging_profile_purpose != _NO_LIMIT and profile.charging_profile_kind == _ABSOLUTE
    return ProfileChange(
        connector_id=said.connector_id or None,
        evse_id=said.evse_id or None,
        profile_id=profile.charging_profile_id if profile.charging_profile_id is not None else profile.id,
        cleared=False,
        course=schedules[0] if limits and schedules else None,
    )


def profile_cleared(payload: JsonObject) -> ProfileChange:
    """ClearChargingProfile of both versions. Raises InvalidInput."""
    said = read_payload(_ClearChargingProfile, payload)
    return ProfileChange(
        connector_id=said.connector_id or None,
        evse_id=said.charging_profile_criteria.evse_id or None,
        profile_id=said.id if said.id is not None else said.charging_profile_id,
        cleared=True,
    )


def _source(said: _ChargingLimit) -> str:
    return said.charging_limit_source if said.charging_limit_source in _SOURCES else _OTHER


def _limit(source: str, schedule: JsonObject, at: datetime) -> ReportedLimit | None:
    try:
        course = course_of(schedule, at)
    except ValueError:
        return None
    return ReportedLimit(source, course)
