"""Sessions (OCPI 9): the Session object for one partner, and what of it changed.

Partners pull it from our Sender interface and are pushed it at their Receiver interface.
"""

import hmac
from collections.abc import Sequence
from decimal import Decimal

from ocpi_bridge.domain.assignments import Share, emsp_of
from ocpi_bridge.domain.events import IdToken
from ocpi_bridge.domain.partners import Party
from ocpi_bridge.domain.sessions import ChargingPeriod, Session
from ocpi_bridge.ocpi.datetimes import format_datetime
from ocpi_bridge.ocpi.prices import price_fields
from ocpi_bridge.ports.json_values import JsonObject, JsonValue

# Hours with four decimals, as OCPI numbers have unless stated otherwise (16.5).
FOUR_DECIMALS = Decimal("0.0001")
# 34 hexadecimal digits and a mark: fits CiString(36), and 136 bits do not collide.
PSEUDONYM_DIGITS = 34


def session_fields(
    session: Session, partner_id: str, pseudonym_key: bytes, version: str = "2.2.1"
) -> dict[str, JsonValue]:
    """The Session object (9.3.1) for one partner in a version of OCPI, without charging periods. Energy in kWh.

    The driver's token uid and contract id are replaced by pseudonyms, stable for one partner, unlike for another, unless
    the driver has consented that this partner may know them (Share.TOKEN).
    """
    fields: dict[str, JsonValue] = {
        "country_code": session.country_code,
        "party_id": session.party_id,
        "id": session.session_id,
        "start_date_time": format_datetime(session.start),
        "kwh": session.kwh,
        "cdr_token": _cdr_token(session, partner_id, pseudonym_key),
        "auth_method": session.auth_method,
        "location_id": session.location_id,
        "evse_uid": session.evse_uid,
        "connector_id": session.connector_id,
        "currency": session.currency,
        "status": session.status.value,
        "last_updated": format_datetime(session.last_updated),
    }
    if session.end is not None:
        fields["end_date_time"] = format_datetime(session.end)
    if session.total_cost is not None:
        fields["total_cost"] = price_fields(session.total_cost, version)
    return fields


def charging_periods(periods: Sequence[ChargingPeriod], shares: frozenset[Share] = frozenset()) -> list[JsonValue]:
    """Charging periods (10.4.6): ENERGY in kWh, POWER in kW, CURRENT in A over all phases, TIME and PARKING_TIME in hours.

    PARKING_TIME is when the vehicle asked for no power; a pause by a charging profile is none of it (10.4.3).
    STATE_OF_CHARGE (%) is the driver's to tell: it stands there only if `shares` (Rights.shared_with) has it.
    """
    return [_charging_period(period, with_soc=Share.STATE_OF_CHARGE in shares) for period in periods]


def changed_fields(known: JsonObject, current: JsonObject) -> dict[str, JsonValue]:
    """What a PATCH has to say: fields that differ from what the partner knows, and always `last_updated` (9.2.2.3)."""
    changed = {name: value for name, value in current.items() if name not in known or known[name] != value}
    return changed | {"last_updated": current["last_updated"]}


def _charging_period(period: ChargingPeriod, *, with_soc: bool) -> JsonValue:
    volumes: dict[str, Decimal | None] = {
        "ENERGY": period.energy,
        "POWER": period.power,
        "CURRENT": period.current,
        "STATE_OF_CHARGE": period.soc if with_soc else None,
        "TIME": period.time.quantize(FOUR_DECIMALS),
        "PARKING_TIME": None if period.parking is None else period.parking.quantize(FOUR_DECIMALS),
    }
    return {
        "start_date_time": format_datetime(period.start),
        "dimensions": [{"type": name, "volume": volume} for name, volume in volumes.items() if volume is not None],
    }


def _cdr_token(session: Session, partner_id: str, key: bytes) -> JsonObject:
    token = session.token or IdToken(uid=session.session_id, kind="OTHER")
    contract_id = token.contract_id or token.uid
    emsp = emsp_of(contract_id) or Party(session.country_code, session.party_id)
    shared = Share.TOKEN in session.rights.shared_with(partner_id)
    return {
        "country_code": emsp.country_code,
        "party_id": emsp.party_id,
        "uid": token.uid if shared else _pseudonym(token.uid, partner_id, key),
        "type": token.kind,
        "contract_id": contract_id if shared else _pseudonym(contract_id, partner_id, key),
    }


def _pseudonym(value: str, partner_id: str, key: bytes) -> str:
    digest = hmac.new(key, f"{partner_id}\n{value.casefold()}".encode(), "sha256").hexdigest()
    return f"p-{digest[:PSEUDONYM_DIGITS]}"
