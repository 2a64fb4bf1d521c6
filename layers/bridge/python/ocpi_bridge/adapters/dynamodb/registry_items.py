"""The registry table's items: their keys, and what they mean in the domain's terms. Pure; no call is made here.

    pk                        sk                          holds
    PARTNER                   {partner_id}                document, version
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
from datetime import UTC, datetime
from decimal import Decimal
from uuid import uuid4

from ocpi_bridge.adapters.dynamodb import documents
from ocpi_bridge.domain.assignments import Assignment, Scope
from ocpi_bridge.domain.partners import Partner, Party
from ocpi_bridge.domain.registration import StationRef
from ocpi_bridge.domain.stations import Capabilities, Csms, Station, StationState
from ocpi_bridge.domain.tokens import AcceptedToken, TokenUse
from ocpi_bridge.ports import Reassessment

# An item as plain values, as tables.from_item gives it and tables.to_item takes it.
PlainItem = Mapping[str, object]
# The values of pk and sk.
ItemKey = tuple[str, str]

PARTNERS = "PARTNER"
TOKENS = "TOKEN"
CSMSS = "CSMS"
REASSESSMENTS = "REASSESSMENT"
# Instead of a partner's id in a reassessment: all partners. No partner can be called so.
EVERYBODY = "*"


# --- Keys ------------------------------------------------------------------------------------------------------------


def partner_key(partner_id: str) -> ItemKey:
    """The key of a partner."""
    return PARTNERS, partner_id


def token_key(token_hash: str) -> ItemKey:
    """The key of a token that we accept, by its hash (domain.tokens.token_hash)."""
    return TOKENS, token_hash


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


def signature_key(csms_id: str, signature_hash: str) -> ItemKey:
    """The key of an event signature that was seen."""
    return f"SIGNATURE#{csms_id}", signature_hash


def reassessment_key(partner_id: str) -> ItemKey:
    """The key that says that a partner's live sessions are to be looked at again."""
    return REASSESSMENTS, partner_id


# --- From items ------------------------------------------------------------------------------------------------------


def partner_of(item: PlainItem) -> Partner:
    """The partner that an item holds."""
    return documents.load(Partner, str(item["document"]))


def token_of(item: PlainItem) -> AcceptedToken:
    """The token (by its hash) that an item holds, with the partner that presents it."""
    supersedes = item.get("supersedes", ())
    assert isinstance(supersedes, (list, tuple))
    return AcceptedToken(
        token_hash=str(item["sk"]),
        partner_id=str(item["partner_id"]),
        party=Party(str(item["country_code"]), str(item["party_id"])),
        created_at=_instant(item["created_at"]),
        use=TokenUse(str(item.get("use", TokenUse.CREDENTIALS))),
        supersedes=tuple(str(superseded) for superseded in supersedes),
        spent_at=_instant(item["spent_at"]) if item.get("spent_at") is not None else None,
        bearer=bool(item.get("bearer")),
    )


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


def reassessment_of(item: PlainItem) -> Reassessment:
    """How far the walk through a partner's live sessions is."""
    return Reassessment(str(item["partner_id"]), str(item["begun"]), int(str(item["shard"])), str(item["after"]))


def version_of(item: PlainItem | None) -> int:
    """How often the item was written; 0 for a missing one."""
    return int(str(item["version"])) if item is not None else 0


# --- To items --------------------------------------------------------------------------------------------------------


def partner_item(partner: Partner, version: int) -> dict[str, object]:
    """The item of a partner."""
    return _item(partner_key(partner.partner_id), "partner", document=documents.dump(partner), version=version)


def token_item(token: AcceptedToken) -> dict[str, object]:
    """The item of a token that we accept from a partner."""
    return _item(
        token_key(token.token_hash),
        "token",
        partner_id=token.partner_id,
        country_code=token.party.country_code,
        party_id=token.party.party_id,
        created_at=_epoch_ms(token.created_at),
        use=token.use.value,
        supersedes=list(token.supersedes),
        spent_at=None if token.spent_at is None else _epoch_ms(token.spent_at),
        bearer=token.bearer,
    )


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


def reassessment_item(partner_id: str) -> dict[str, object]:
    """The item that makes the sweep wake every live session of a partner: what it may see or steer has changed.

    Whoever changes that writes it in the same transaction; written again, the walk begins again.
    """
    return _item(
        reassessment_key(partner_id), "reassessment", partner_id=partner_id, begun=uuid4().hex, shard=0, after=""
    )


def signature_item(csms_id: str, signature_hash: str, expires_at: datetime) -> dict[str, object]:
    """The item of an event signature that was seen; it goes some time after `expires_at`."""
    return _item(signature_key(csms_id, signature_hash), "signature", expires_at=int(expires_at.timestamp()))


def _instant(value: object) -> datetime:
    return datetime.fromtimestamp(int(str(value)) / 1000, UTC)


def _instant_or_none(value: object) -> datetime | None:
    return None if value is None else _instant(value)


def _by_evse(item: PlainItem, attribute: str) -> Mapping[str, object]:
    """The attributes of a station's EVSEs (`cap_w/3256`), by EVSE.uid."""
    prefix = f"{attribute}/"
    return {name.removeprefix(prefix): value for name, value in item.items() if name.startswith(prefix)}


def _epoch_ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)


def _item(place: ItemKey, entity: str, **attributes: object) -> dict[str, object]:
    return {"pk": place[0], "sk": place[1], "entity": entity, **attributes}
