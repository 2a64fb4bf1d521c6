"""The registry table's items: their keys, and what they mean in the domain's terms. Pure; no call is made here.

    pk                        sk                          holds
    PARTNER                   {partner_id}                document, version; silent_since, silent_until (see silences)
    TOKEN                     {sha256 of the token}       partner_id, created_at: a token that we accept
    CSMS                      {csms_id}                   document, version
    STATION#{csms_id}         {station_id}                document, version
    STATION_STATE#{csms_id}   {station_id}                what changes by itself (see station_states)
    EVSE                      {evse_uid}                  csms_id, station_id: an EVSE.uid belongs to one station only
    LOCATION#{location_id}    {csms_id}#{station_id}      nothing more: which stations a location has
    ASSIGNMENTS#{scope}       {key}                       assignments (partner_id -> document), version
    SIGNATURE#{csms_id}       {hash of the signature}     expires_at
    UNPLACED#{csms_id}        {station_id}#{place}#{reason}  what was reported in vain (see unplaced)
    REFUSED_HOST              {partner_id}                hosts that the URL guard refused (see refused_hosts)
    FRAME#{csms_id}#{station_id}  {message_id}            half of a call and its answer (see frames)
    REASSESSMENT              {partner_id}, or *          begun, shard, after: its live sessions are looked at again
    PAIRING_CODE              {sha256 of the code}        a code that a driver has (see pairings)
    PAIRING_ATTEMPTS          {partner_id}#{window}       how often a partner was wrong (see pairings)

Ids that OCPI compares without case (EVSE, location, keys of assignments) are folded in keys. A document is the JSON of
the domain's dataclass: read in one step, and an attribute that the domain gains later gets its default.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal

from ocpi_bridge.adapters.dynamodb import documents
from ocpi_bridge.adapters.dynamodb.instants import from_epoch_ms
from ocpi_bridge.adapters.dynamodb.tables import ItemKey, PlainItem
from ocpi_bridge.domain.assignments import Assignment, Scope
from ocpi_bridge.domain.stations import Capabilities, Csms, Station, StationRef, StationState

CSMSS = "CSMS"


# --- Keys ------------------------------------------------------------------------------------------------------------


def csms_key(csms_id: str) -> ItemKey:
    """The key of a CSMS."""
    return CSMSS, csms_id


def stations_of(csms_id: str) -> str:
    """The partition with all stations of a CSMS."""
    return f"STATION#{csms_id}"


def station_key(csms_id: str, station_id: str) -> ItemKey:
    """The key of a station; `station_id` is its OCPP identity, compared exactly."""
    return stations_of(csms_id), station_id


def station_states_of(csms_id: str) -> str:
    """The partition with what changes by itself of all stations of a CSMS."""
    return f"STATION_STATE#{csms_id}"


def station_state_key(csms_id: str, station_id: str) -> ItemKey:
    """The key of what changes by itself about a station."""
    return station_states_of(csms_id), station_id


def evse_key(evse_uid: str) -> ItemKey:
    """The key of an EVSE.uid's ownership."""
    return "EVSE", evse_uid.casefold()


def stations_at(location_id: str) -> str:
    """The partition with all stations at a location."""
    return f"LOCATION#{location_id.casefold()}"


def location_key(location_id: str, csms_id: str, station_id: str) -> ItemKey:
    """The key that says that a station is at a location."""
    return stations_at(location_id), f"{csms_id}#{station_id}"


def assignments_in(scope: Scope) -> str:
    """The partition with all assignments of a scope."""
    return f"ASSIGNMENTS#{scope}"


def assignments_key(scope: Scope, key: str) -> ItemKey:
    """The key of all partners' assignments on one EVSE, location, token, contract or eMSP."""
    return assignments_in(scope), key.casefold()


# --- From items ------------------------------------------------------------------------------------------------------


def csms_of(item: PlainItem) -> Csms:
    """The CSMS that an item holds."""
    return documents.load(Csms, str(item["document"]))


def station_of(item: PlainItem) -> Station:
    """The station that an item holds."""
    return documents.load(Station, str(item["document"]))


def station_state_of(item: PlainItem | None) -> StationState:
    """What is known of a station's state; a missing item means that no event said anything yet."""
    if item is None:
        return StationState()
    online, learned = item.get("online"), item.get("learned")
    return StationState(
        online=None if online is None else bool(online),
        steering_suspended=bool(item.get("steering_suspended")),
        suspended_evses=frozenset(uid for uid, suspended in _by_evse(item, "suspended").items() if suspended),
        caps_w={uid: Decimal(str(cap)) for uid, cap in _by_evse(item, "cap_w").items()},
        not_supported_until=_instant_or_none(item.get("not_supported_until")),
        rate_limited_until=_instant_or_none(item.get("rate_limited_until")),
        learned=documents.load(Capabilities, str(learned)) if learned is not None else None,
        learned_at=_instant_or_none(item.get("learned_at")),
    )


def evse_owner_of(item: PlainItem) -> StationRef:
    """The station that an EVSE belongs to."""
    return StationRef(str(item["csms_id"]), str(item["station_id"]))


def assignments_of(item: PlainItem | None) -> tuple[Assignment, ...]:
    """All partners' assignments on one key, by partner id; none for a missing item."""
    if item is None:
        return ()
    held = item["assignments"]
    assert isinstance(held, Mapping)
    return tuple(documents.load(Assignment, held[partner_id]) for partner_id in sorted(held))


def version_of(item: PlainItem | None) -> int:
    """How often the item was written; 0 for a missing one."""
    return int(str(item["version"])) if item is not None else 0


# --- To items --------------------------------------------------------------------------------------------------------


def csms_item(csms: Csms, version: int) -> dict[str, object]:
    """The item of a CSMS."""
    return _item(csms_key(csms.csms_id), "csms", document=documents.dump(csms), version=version)


def station_item(station: Station, version: int) -> dict[str, object]:
    """The item of a station."""
    place = station_key(station.csms_id, station.station_id)
    return _item(place, "station", document=documents.dump(station), version=version)


def evse_item(evse_uid: str, csms_id: str, station_id: str) -> dict[str, object]:
    """The item that says which station an EVSE.uid belongs to."""
    return _item(evse_key(evse_uid), "evse", csms_id=csms_id, station_id=station_id)


def location_item(location_id: str, csms_id: str, station_id: str) -> dict[str, object]:
    """The item that says that a station is at a location."""
    return _item(location_key(location_id, csms_id, station_id), "location")


def assignments_item(scope: Scope, key: str, assignments: Iterable[Assignment], version: int) -> dict[str, object]:
    """The item of all partners' assignments on one key; one assignment a partner."""
    held = {assignment.partner_id: documents.dump(assignment) for assignment in assignments}
    return _item(assignments_key(scope, key), "assignments", assignments=held, version=version)


def _instant_or_none(value: object) -> datetime | None:
    return None if value is None else from_epoch_ms(value)


def _by_evse(item: PlainItem, attribute: str) -> Mapping[str, object]:
    """The attributes of a station's EVSEs (`cap_w/3256`), by EVSE.uid."""
    prefix = f"{attribute}/"
    return {name.removeprefix(prefix): value for name, value in item.items() if name.startswith(prefix)}


def _item(place: ItemKey, entity: str, **attributes: object) -> dict[str, object]:
    return {"pk": place[0], "sk": place[1], "entity": entity, **attributes}
