"""What the registry takes in: the rules that hold between its entries, decided before anything is written."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime

from ocpi_bridge.domain.assignments import Assignment, Right
from ocpi_bridge.domain.errors import BridgeError, InvalidInput
from ocpi_bridge.domain.stations import Station, StationRef
from ocpi_bridge.domain.values import dataclass

_FOREVER = datetime.max.replace(tzinfo=UTC)


class RegistrationRefused(BridgeError):
    """The registry cannot take an entry; nothing was written. `problems` has all that was found, a field each."""

    def __init__(self, problems: Iterable[InvalidInput]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(str(problem) for problem in self.problems))


@dataclass(frozen=True, slots=True)
class StationChange:
    """What an import does to one station: `before` is what was known of it.

    `claims` are its new EVSE uids (folded) with the station that each belonged to; `releases` are those that no station
    has any more.
    """

    station: Station
    before: Station | None
    claims: Mapping[str, StationRef | None]
    releases: frozenset[str]


@dataclass(frozen=True, slots=True)
class StationImport:
    """What an import does: groups of changes that must become true at once, and the ids of stations it leaves alone."""

    groups: tuple[tuple[StationChange, ...], ...]
    unchanged: tuple[str, ...]


def evse_uids(station: Station | None) -> frozenset[str]:
    """The station's EVSE uids, folded: OCPI compares them without case."""
    return frozenset(evse.uid.casefold() for evse in station.evses) if station is not None else frozenset()


def plan_import(
    csms_id: str, stations: Sequence[Station], known: Mapping[str, Station], owners: Mapping[str, StationRef]
) -> StationImport:
    """Plans an import of stations of one CSMS; each replaces the station known under its id, others are left alone.

    `known` are the stations of this CSMS by id, `owners` says to whom EVSE uids (folded) belong. An EVSE may move between
    stations of the same import. Raises RegistrationRefused with the path of each problem (`stations.0.evses.1.uid`).
    """
    problems = [*_foreign(csms_id, stations), *_repeated(stations), *_taken(csms_id, stations, owners)]
    if problems:
        raise RegistrationRefused(problems)
    changes: dict[str, StationChange] = {}
    imported = frozenset(uid for station in stations for uid in evse_uids(station))
    for station in stations:
        before = known.get(station.station_id)
        if station != before:
            claims = {uid: owners.get(uid) for uid in sorted(evse_uids(station) - evse_uids(before))}
            changes[station.station_id] = StationChange(station, before, claims, evse_uids(before) - imported)
    return StationImport(
        groups=_groups(changes),
        unchanged=tuple(station.station_id for station in stations if station.station_id not in changes),
    )


def merge_assignments(
    held: Iterable[Assignment], given: Mapping[int, Assignment]
) -> tuple[dict[str, Assignment], list[InvalidInput]]:
    """All assignments on one key, by partner, after new ones (by their place in the file); and what speaks against it.

    A partner has one assignment on a key: a new one replaces it. Two partners must not be able to steer at the same time
    (design decision 18): which of them does would be decided by age.
    """
    merged = {assignment.partner_id: assignment for assignment in held}
    problems: list[InvalidInput] = []
    places: dict[str, int] = {}
    for index, assignment in given.items():
        first = places.setdefault(assignment.partner_id, index)
        if first != index:
            problem = f"{_named(assignment)} is given at assignments.{first} already; a partner has one on each key"
            problems.append(InvalidInput(f"assignments.{index}.key", problem))
        merged[assignment.partner_id] = assignment
    for index, assignment in given.items():
        rivals = [other for other in merged.values() if _may_both_steer(assignment, other)]
        for rival in rivals:
            until = f"until {rival.valid_until.isoformat()}" if rival.valid_until else "without end"
            problem = (
                f"{_named(rival)} may steer from {rival.valid_from.isoformat()} {until}; "
                "one partner at a time may steer, so revoke or end that first"
            )
            problems.append(InvalidInput(f"assignments.{index}.right", problem))
    return merged, problems


def _may_both_steer(one: Assignment, other: Assignment) -> bool:
    both_steer = one.right is Right.STEER and other.right is Right.STEER
    return one.partner_id != other.partner_id and both_steer and _overlap(one, other)


def _named(assignment: Assignment) -> str:
    return f"the assignment of {assignment.scope} {assignment.key!r} to partner {assignment.partner_id!r}"


def _overlap(one: Assignment, other: Assignment) -> bool:
    one_ends, other_ends = one.valid_until or _FOREVER, other.valid_until or _FOREVER
    return one.valid_from < other_ends and other.valid_from < one_ends


def _foreign(csms_id: str, stations: Sequence[Station]) -> Iterable[InvalidInput]:
    for index, station in enumerate(stations):
        if station.csms_id != csms_id:
            yield InvalidInput(f"stations.{index}.csms_id", f"an import is for one CSMS, here {csms_id!r}")


def _repeated(stations: Sequence[Station]) -> Iterable[InvalidInput]:
    seen: dict[tuple[str, str], str] = {}
    for index, station in enumerate(stations):
        entries = [("station_id", station.station_id, f"stations.{index}.station_id")]
        entries += [
            ("EVSE uid", evse.uid.casefold(), f"stations.{index}.evses.{number}.uid")
            for number, evse in enumerate(station.evses)
        ]
        for kind, identity, path in entries:
            first = seen.setdefault((kind, identity), path)
            if first != path:
                yield InvalidInput(path, f"{kind} {identity!r} is given at {first} already")


def _taken(csms_id: str, stations: Sequence[Station], owners: Mapping[str, StationRef]) -> Iterable[InvalidInput]:
    imported = {StationRef(csms_id, station.station_id) for station in stations}
    for index, station in enumerate(stations):
        for number, evse in enumerate(station.evses):
            owner = owners.get(evse.uid.casefold())
            if owner is not None and owner not in imported:
                problem = f"EVSE {evse.uid!r} belongs to station {owner.station_id!r} of CSMS {owner.csms_id!r}"
                yield InvalidInput(f"stations.{index}.evses.{number}.uid", problem)


def _groups(changes: Mapping[str, StationChange]) -> tuple[tuple[StationChange, ...], ...]:
    """Stations between which EVSEs move stand in one group: in between, an EVSE would have two stations or none."""
    members = {station_id: [station_id] for station_id in changes}
    for station_id, change in changes.items():
        for owner in change.claims.values():
            if owner is not None and owner.station_id in members:
                mine, theirs = members[station_id], members[owner.station_id]
                if mine is not theirs:
                    mine.extend(theirs)
                    members.update(dict.fromkeys(theirs, mine))
    groups = {id(group): group for group in members.values()}
    return tuple(tuple(changes[station_id] for station_id in group) for group in groups.values())
