"""Profile ids: the chargingProfileId of each session, from the range that the CPO reserved for the bridge."""

from collections.abc import Sequence
from zlib import crc32

from ocpi_bridge.domain.stations import Evse, ProfileIdRange

# Places to charge at one station never share a profile id, whatever the hash; larger stations take larger slots.
PLACES_PER_STATION = 64


def profile_id(
    reserved: ProfileIdRange, session_id: str, number_at_station: int, *, places: int = PLACES_PER_STATION
) -> int:
    """The chargingProfileId of a session, from the CSMS's reserved range.

    The same for every plan of the session, so that a new plan replaces the old one; another one for the next session,
    so that a late clear never hits the next car; never equal for two of the `places` to charge of a station, where the
    range has that many.
    """
    size = reserved.last - reserved.first + 1
    places = min(places, size)
    slot = crc32(session_id.encode()) % (size // places)
    return reserved.first + slot * places + number_at_station % places


def places_at(evses: Sequence[Evse]) -> int:
    """As many slots as OCPP's numbers at the station need."""
    connectors = [connector.ocpp_connector_id for evse in evses for connector in evse.connectors]
    numbers = connectors + [evse.ocpp_evse_id or 0 for evse in evses]
    return max(PLACES_PER_STATION, max(numbers, default=0) + 1)
