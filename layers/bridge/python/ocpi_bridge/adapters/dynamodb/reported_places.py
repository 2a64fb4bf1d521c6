"""What is known around a session that a CSMS reports by OCPI's ids: its EVSE in the registry, and the session so far."""

from typing import TYPE_CHECKING

from ocpi_bridge.adapters.dynamodb import registry_items, session_items, tables
from ocpi_bridge.domain.sessions import Session
from ocpi_bridge.domain.stations import Csms, Station
from ocpi_bridge.domain.values import dataclass

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


@dataclass(frozen=True, slots=True)
class DynamoReportedPlaces:
    """Consistent reads. `sessions` is empty for a function that has no business with sessions."""

    client: "DynamoDBClient"
    registry: str
    sessions: str = ""

    def csms(self, csms_id: str) -> Csms | None:
        """The CSMS, or None."""
        key = (self.registry, *registry_items.csms_key(csms_id))
        found = tables.get_many(self.client, [key])
        return registry_items.csms_of(found[key]) if key in found else None

    def station_with(self, csms_id: str, evse_uid: str) -> Station | None:
        """The CSMS's station that has the EVSE; None where it is nobody's or another CSMS's."""
        evse = (self.registry, *registry_items.evse_key(evse_uid))
        owned = tables.get_many(self.client, [evse])
        owner = registry_items.evse_owner_of(owned[evse]) if evse in owned else None
        if owner is None or owner.csms_id != csms_id:
            return None
        key = (self.registry, *registry_items.station_key(*owner))
        found = tables.get_many(self.client, [key])
        return registry_items.station_of(found[key]) if key in found else None

    def around(self, csms_id: str, session_id: str) -> tuple[Csms | None, Session | None]:
        """The CSMS and the session of that id (compared without case), whichever CSMS that one is of."""
        csms = (self.registry, *registry_items.csms_key(csms_id))
        session = (self.sessions, *session_items.session_key(session_id))
        found = tables.get_many(self.client, [csms, session])
        return (
            registry_items.csms_of(found[csms]) if csms in found else None,
            session_items.session_of(found[session]) if session in found else None,
        )
