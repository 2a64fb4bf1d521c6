"""Registry entries for tests, each complete and valid, and what differs from that."""

from datetime import UTC, datetime
from decimal import Decimal

from ocpi_bridge.domain.assignments import Assignment, Right, Scope
from ocpi_bridge.domain.partners import Partner, Party
from ocpi_bridge.domain.stations import (
    Connector,
    Csms,
    CsmsMode,
    Evse,
    OcppVersion,
    PowerType,
    ProfileIdRange,
    Station,
)

NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)


def partner(partner_id: str = "jedlix", *, name: str = "Jedlix") -> Partner:
    return Partner(
        partner_id,
        name,
        Party("NL", "JDX"),
        (".jedlix.com",),
        sessions_url="https://ocpi.jedlix.com/ocpi/2.2.1/sessions",
    )


def csms(csms_id: str = "acme", *, base_url: str = "https://csms.example") -> Csms:
    return Csms(
        csms_id,
        "citrineos",
        base_url,
        CsmsMode.CALLBACK,
        ProfileIdRange(100_000, 199_999),
        country_code="NL",
        party_id="ACM",
        parameters=(("tenantId", "1"),),
    )


def station(
    station_id: str = "CP-001",
    evse_uids: tuple[str, ...] = ("BE*BEC*E041503001",),
    *,
    csms_id: str = "acme",
    location_id: str = "LOC1",
    max_amperage: int = 32,
) -> Station:
    """A station of OCPP 1.6 with one connector for each EVSE."""
    evses = tuple(
        Evse(uid, (Connector("1", number, PowerType.AC_3_PHASE, 230, max_amperage),), cap_w=Decimal(11_000))
        for number, uid in enumerate(evse_uids, 1)
    )
    return Station(csms_id, station_id, location_id, OcppVersion.V16, evses)


def assignment(
    partner_id: str = "jedlix",
    scope: Scope = Scope.EVSE,
    key: str = "BE*BEC*E041503001",
    right: Right = Right.STEER,
    *,
    valid_from: datetime = NEW_YEAR,
    valid_until: datetime | None = None,
) -> Assignment:
    return Assignment(partner_id, scope, key, right, valid_from, valid_until, consent="contract of 2026-01-01")
