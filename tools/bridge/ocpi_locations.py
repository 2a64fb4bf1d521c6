"""Stations from OCPI Locations: what a CPO's other systems know of its charge points already.

OCPI knows locations, EVSEs and connectors, and nothing of OCPP: not the identity of the station that an EVSE belongs to,
nor the numbers by which the station counts. That comes from a naming rule or from a file, and is never guessed: a wrong
number would steer another car. What OCPI does not know (caps, limits, quirks, ...) stays as the registry has it.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from ocpi_bridge.domain.errors import InvalidInput
from ocpi_bridge.domain.stations import (
    CHARGING_PROFILE_CAPABLE,
    Connector,
    Evse,
    OcppVersion,
    PowerType,
    Station,
)
from tools.bridge import files, rules
from tools.bridge.files import FileRefused, Json

# EVSE status (OCPI 8.4.22): it is no longer there, and its object is kept only to say so.
_REMOVED = "REMOVED"
# What OCPI 2.1.1 (8.3.3) called the maxima of a connector.
_NAMES_OF_2_1_1 = {"voltage": "max_voltage", "amperage": "max_amperage"}
_NUMBER = re.compile(r"[0-9]{1,9}")


@dataclass(frozen=True, slots=True)
class OcppPlace:
    """Where OCPP has an EVSE: its station, and its numbers as far as they are told.

    `connector` is the number of its only connector, `connectors` are those of several, by OCPI's Connector.id; `evse` is
    the EVSE's number in OCPP 2.0.1.
    """

    station_id: str
    connector: int | None = None
    evse: int | None = None
    connectors: Mapping[str, int] = field(default_factory=dict)


Naming = Callable[[str, str | None], OcppPlace | None]
"""Tells the place of an EVSE by its uid and its evse_id; None where it does not know."""


@dataclass(frozen=True, slots=True)
class LocatedStations:
    """The stations in a file of Locations.

    `gone` counts the EVSEs that were REMOVED; `incapable` are the uids of those that do not say that they take charging
    profiles. `places` has the path in the file for each station and EVSE.
    """

    stations: tuple[Station, ...]
    gone: int
    incapable: tuple[str, ...]
    places: Mapping[str, str]

    def located(self, problem: InvalidInput) -> InvalidInput:
        """A problem of `stations.0...` with its path in the file."""
        steps = problem.field.split(".")
        for length in range(len(steps), 0, -1):
            place = self.places.get(".".join(steps[:length]))
            if place is not None:
                return InvalidInput(".".join([place, *steps[length:]]), problem.problem)
        return problem


# --- What a file of Locations says ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _OcpiConnector:
    id: str
    power_type: PowerType
    max_voltage: int
    max_amperage: int
    max_electric_power: int | None = None


@dataclass(frozen=True, slots=True)
class _OcpiEvse:
    uid: str
    connectors: tuple[_OcpiConnector, ...]
    status: str = ""
    evse_id: str | None = None
    capabilities: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class _OcpiLocation:
    id: str
    evses: tuple[_OcpiEvse, ...] | None = None


@dataclass(frozen=True, slots=True)
class _Found:
    """An EVSE with its place in OCPP, its location, and its path in the file."""

    evse: _OcpiEvse
    place: OcppPlace
    location_id: str
    path: str


_LOCATION = TypeAdapter(_OcpiLocation)
_PLACES = TypeAdapter(dict[str, OcppPlace])


# --- Naming ----------------------------------------------------------------------------------------------------------


def by_pattern(pattern: re.Pattern[str]) -> Naming:
    """Places by a naming rule: a pattern that matches a whole uid, or else a whole evse_id.

    Its groups are `station`, and `connector` or `evse` for the number.
    """

    def named(uid: str, evse_id: str | None) -> OcppPlace | None:
        match = pattern.fullmatch(uid) or (pattern.fullmatch(evse_id) if evse_id is not None else None)
        if match is None:
            return None
        groups = match.groupdict()
        return OcppPlace(groups["station"] or "", _number(groups.get("connector")), _number(groups.get("evse")))

    return named


def by_file(path: Path) -> Naming:
    """Places by a file: an object of EVSE uids (compared without case). Raises FileRefused."""
    raw = files.load_json(path)
    problems = [*files.unknown_names(dict[str, OcppPlace], raw, "")]
    try:
        places = _PLACES.validate_python(raw)
    except ValidationError as error:
        raise FileRefused(path, [*problems, *files.findings(error)]) from None
    if problems:
        raise FileRefused(path, problems)
    folded = {uid.casefold(): place for uid, place in places.items()}
    return lambda uid, _: folded.get(uid.casefold())


def _number(text: str | None) -> int | None:
    """The number of a group; a group that took no part, or no digits, tells none."""
    return int(text) if text is not None and _NUMBER.fullmatch(text) else None


# --- Reading ---------------------------------------------------------------------------------------------------------


def read_locations(
    path: Path,
    csms_id: str,
    version: OcppVersion,
    naming: Naming,
    known: Mapping[str, Station],
    *,
    capable: bool = False,
) -> LocatedStations:
    """The stations of one CSMS in a file with OCPI Locations (2.1.1, 2.2.1 or 2.3.0).

    The file is a Location, a list of them, or the response that brought either. `known` are the stations of the registry,
    by id. `capable`: all EVSEs take charging profiles, whatever their capabilities say. Raises FileRefused with all that
    is wrong.
    """
    locations = _locations(path)
    problems: list[InvalidInput] = []
    named: list[_Found] = []
    for evse, location_id, place in _evses(locations):
        where = naming(evse.uid, evse.evse_id)
        if where is None or not where.station_id:
            problems.append(InvalidInput(f"{place}.uid", "nothing tells which station it belongs to"))
        else:
            named.append(_Found(evse, where, location_id, place))
    stations: list[Station] = []
    places: dict[str, str] = {}
    for station_id in dict.fromkeys(one.place.station_id for one in named):
        parts = [one for one in named if one.place.station_id == station_id]
        index = len(stations)
        places[f"stations.{index}"] = parts[0].path
        places |= {f"stations.{index}.evses.{number}": one.path for number, one in enumerate(parts)}
        problems += _elsewhere(parts)
        evses, unnumbered = _numbered(parts, version, capable=capable)
        problems += unnumbered
        station = Station(csms_id, station_id, parts[0].location_id, version, evses)
        stations.append(_with_what_is_known(station, known.get(station_id)))
    located = LocatedStations(
        tuple(stations),
        gone=sum(evse.status == _REMOVED for location in locations.values() for evse in location.evses or ()),
        incapable=tuple(
            evse.uid
            for station in stations
            for evse in station.evses
            if CHARGING_PROFILE_CAPABLE not in evse.capabilities
        ),
        places=places,
    )
    if not problems:
        # A number that is not known would be told as a wrong one.
        problems += [
            located.located(problem)
            for index, station in enumerate(stations)
            for problem in rules.check_station(station, f"stations.{index}.")
        ]
    if problems:
        raise FileRefused(path, problems)
    return located


def _locations(path: Path) -> dict[str, _OcpiLocation]:
    """The Locations of a file, by their paths in it."""
    content, prefix = files.load_json(path), ""
    if isinstance(content, dict) and "data" in content:
        status = content.get("status_code", 1000)
        if not (isinstance(status, int) and 1000 <= status < 2000):
            raise FileRefused(path, [InvalidInput("status_code", "is not that of a response that went well (1xxx)")])
        content, prefix = content["data"], "data."
    raw = {f"{prefix}{index}.": one for index, one in enumerate(content)} if isinstance(content, list) else None
    locations: dict[str, _OcpiLocation] = {}
    problems: list[InvalidInput] = []
    for place, location in ({prefix: content} if raw is None else raw).items():
        _rename(location)
        try:
            locations[place] = _LOCATION.validate_python(location)
        except ValidationError as error:
            found = files.findings(error)
            problems += [InvalidInput((place + one.field).removesuffix(".file"), one.problem) for one in found]
    if problems:
        raise FileRefused(path, problems)
    return locations


def _rename(location: Json) -> None:
    for evse in _members(location, "evses"):
        for connector in _members(evse, "connectors"):
            for old, new in _NAMES_OF_2_1_1.items():
                if isinstance(connector, dict) and old in connector:
                    connector.setdefault(new, connector[old])


def _members(holder: Json, name: str) -> Iterable[Json]:
    members = holder.get(name) if isinstance(holder, dict) else None
    return members if isinstance(members, list) else ()


def _evses(locations: Mapping[str, _OcpiLocation]) -> Iterator[tuple[_OcpiEvse, str, str]]:
    """The EVSEs that are there, each with its location's id and its path in the file."""
    for place, location in locations.items():
        for index, evse in enumerate(location.evses or ()):
            if evse.status != _REMOVED:
                yield evse, location.id, f"{place}evses.{index}"


# --- Stations --------------------------------------------------------------------------------------------------------


def _elsewhere(parts: Sequence[_Found]) -> Iterator[InvalidInput]:
    first = parts[0]
    for one in parts:
        if one.location_id.casefold() != first.location_id.casefold():
            problem = f"belongs to station {one.place.station_id!r}, which is at another location by {first.path}"
            yield InvalidInput(f"{one.path}.uid", problem)


def _numbered(
    parts: Sequence[_Found], version: OcppVersion, *, capable: bool
) -> tuple[tuple[Evse, ...], list[InvalidInput]]:
    """The EVSEs of a station with OCPP's numbers; a station's only place to charge is number 1."""
    problems: list[InvalidInput] = []
    evses = []
    alone = len(parts) == 1
    for one in parts:
        evse_number = one.place.evse if version is OcppVersion.V201 else None
        numbers = _connector_numbers(one, version, alone=alone)
        if version is OcppVersion.V201 and evse_number is None:
            # With one EVSE for each connector, as OCPP 1.6 counts, the connector's number is the EVSE's.
            evse_number = one.place.connector if one.place.connector is not None else (1 if alone else None)
        if numbers is None or (version is OcppVersion.V201 and evse_number is None):
            problems.append(InvalidInput(f"{one.path}.uid", _unnumbered(one, version)))
            continue
        evses.append(
            Evse(
                uid=one.evse.uid,
                connectors=tuple(
                    Connector(
                        connector.id,
                        number,
                        connector.power_type,
                        connector.max_voltage,
                        connector.max_amperage,
                        connector.max_electric_power,
                    )
                    for connector, number in zip(one.evse.connectors, numbers, strict=True)
                ),
                ocpp_evse_id=evse_number,
                capabilities=_capabilities(one.evse, capable=capable),
                evse_id=one.evse.evse_id,
            )
        )
    return tuple(evses), problems


def _connector_numbers(one: _Found, version: OcppVersion, *, alone: bool) -> Sequence[int] | None:
    """OCPP's number of each connector, or None where that is not known."""
    connectors = one.evse.connectors
    told = [one.place.connectors.get(connector.id) for connector in connectors]
    if all(number is not None for number in told):
        return [number for number in told if number is not None]
    if one.place.connectors:
        return None
    if version is OcppVersion.V201:
        # OCPP 2.0.1 counts the connectors of an EVSE from 1 without a gap (part 1, 7.2).
        return range(1, len(connectors) + 1)
    if len(connectors) != 1:
        return None
    number = one.place.connector if one.place.connector is not None else one.place.evse
    if number is not None:
        return [number]
    return [1] if alone else None


def _unnumbered(one: _Found, version: OcppVersion) -> str:
    station = repr(one.place.station_id)
    if one.place.connectors:
        return f"`connectors` must have OCPP's number for each of its connectors on station {station}"
    if version is OcppVersion.V16 and len(one.evse.connectors) != 1:
        return f"has several connectors: a mapping file must tell OCPP's number of each on station {station}"
    return f"nothing tells by which number station {station} counts it"


def _capabilities(evse: _OcpiEvse, *, capable: bool) -> frozenset[str]:
    """Those that OCPI 2.2.1 knows; nothing here looks at others, which 2.3.0 allows (an OpenEnum)."""
    told = frozenset(evse.capabilities or ()) & rules.CAPABILITIES
    return told | {CHARGING_PROFILE_CAPABLE} if capable else told


def _with_what_is_known(station: Station, known: Station | None) -> Station:
    """The station with what the registry knows of it and OCPI cannot say."""
    if known is None:
        return station
    evses = {evse.uid.casefold(): evse for evse in known.evses}
    return replace(
        known,
        location_id=station.location_id,
        ocpp_version=station.ocpp_version,
        evses=tuple(_evse_with(evse, evses.get(evse.uid.casefold())) for evse in station.evses),
    )


def _evse_with(evse: Evse, known: Evse | None) -> Evse:
    if known is None:
        return evse
    connectors = {connector.connector_id.casefold(): connector for connector in known.connectors}
    return replace(
        evse,
        cap_w=known.cap_w,
        connectors=tuple(
            _connector_with(connector, connectors.get(connector.connector_id.casefold()))
            for connector in evse.connectors
        ),
    )


def _connector_with(connector: Connector, known: Connector | None) -> Connector:
    return connector if known is None else replace(connector, nominal_voltage=known.nominal_voltage)
