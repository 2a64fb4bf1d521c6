"""Where at a station an event happened: by OCPI's ids where it has them, else by OCPP's numbers."""

from ocpi_bridge.domain.events import StationEvent
from ocpi_bridge.domain.stations import Evse, OcppVersion, Outlet, Station, find_outlet, outlet_by_uid


def outlet_of(station: Station, event: StationEvent) -> Outlet | None:
    """The outlet that the event names, or None; an EVSE with one connector needs no id for it."""
    if event.evse_uid is None:
        return find_outlet(station, event.connector_id, event.evse_id)
    if event.outlet_id is not None:
        return outlet_by_uid(station, event.evse_uid, event.outlet_id)
    evse = evse_of(station, event)
    return Outlet(station, evse, evse.connectors[0]) if evse is not None and len(evse.connectors) == 1 else None


def evse_of(station: Station, event: StationEvent) -> Evse | None:
    """The EVSE that the event names, or None; it need not say which of the EVSE's connectors."""
    if event.evse_uid is not None:
        uid = event.evse_uid.casefold()
        return next((evse for evse in station.evses if evse.uid.casefold() == uid), None)
    found = find_outlet(station, event.connector_id, event.evse_id)
    if found is not None:
        return found.evse
    if event.evse_id is None or station.ocpp_version is OcppVersion.V16:
        return None
    numbered = [evse for evse in station.evses if evse.ocpp_evse_id == event.evse_id]
    return numbered[0] if len(numbered) == 1 else None


def names_a_place(event: StationEvent) -> bool:
    """Whether the event is about one EVSE; else it is about its station."""
    return any(name is not None for name in (event.evse_uid, event.connector_id, event.evse_id))


def one_after_the_other(outlet: Outlet) -> str:
    """How Session.place begins for all sessions that cannot be at the same time as one at this outlet.

    OCPP 2.0.1 has one car at a time at an EVSE; in 1.6 each connector has its own, whatever EVSE it was put into.
    """
    whole = outlet.station.ocpp_version is OcppVersion.V201
    return f"{outlet.evse.uid}/{'' if whole else outlet.connector.connector_id}".casefold()
