"""What `bridge station import` takes in, and what it tells of that."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from ocpi_bridge.domain.errors import InvalidInput
from ocpi_bridge.domain.registration import StationChange, StationImport
from ocpi_bridge.domain.stations import OcppVersion, Station
from tools.bridge import files, ocpi_locations
from tools.bridge.files import Json

# Paths of one station that a dry run names; whoever changes more looks at the whole.
MAX_DIFFERENCES = 8


def _as_it_is(problem: InvalidInput) -> InvalidInput:
    return problem


@dataclass(frozen=True, slots=True)
class Source:
    """Stations to be imported, and the file that they come from. `located` gives a problem its path in that file."""

    file: Path
    csms_id: str
    stations: tuple[Station, ...]
    versions: Mapping[str, int]
    located: Callable[[InvalidInput], InvalidInput] = _as_it_is
    notes: tuple[str, ...] = ()

    @classmethod
    def of_stations(cls, file: Path) -> Self:
        """A station file. Raises FileRefused."""
        content = files.read_stations(file)
        return cls(file, content.csms_id, content.stations, content.versions)

    @classmethod
    def of_locations(
        cls,
        file: Path,
        csms_id: str,
        version: OcppVersion,
        naming: ocpi_locations.Naming,
        known: Mapping[str, Station],
        *,
        capable: bool,
    ) -> Self:
        """A file with OCPI Locations. Raises FileRefused."""
        found = ocpi_locations.read_locations(file, csms_id, version, naming, known, capable=capable)
        notes = []
        if found.gone:
            notes.append(f"{found.gone} EVSE(s) with status REMOVED left out.")
        if found.incapable:
            notes.append(
                f"{len(found.incapable)} EVSE(s) do not have the capability CHARGING_PROFILE_CAPABLE, so profiles are "
                f"answered NOT_SUPPORTED there (--capable says otherwise): {', '.join(found.incapable)}"
            )
        return cls(file, csms_id, found.stations, {}, found.located, tuple(notes))


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import changed, or by a dry run would change."""

    source: Source
    result: StationImport
    dry_run: bool

    @property
    def document(self) -> Json:
        """For scripts."""
        return {
            "csms_id": self.source.csms_id,
            "dry_run": self.dry_run,
            "added": [*self._added],
            "replaced": [*self._replaced],
            "unchanged": [*self.result.unchanged],
            "moved": [{"evse_uid": uid, "from": before, "to": after} for uid, before, after in self._moved],
            "differences": {
                change.station.station_id: [*_differences(change)]
                for change in self._changes
                if change.before is not None
            },
        }

    @property
    def sentences(self) -> Iterator[str]:
        """For people."""
        would = "would be " if self.dry_run else ""
        yield (
            f"CSMS {self.source.csms_id}: {len(self._added)} station(s) {would}added, {len(self._replaced)} {would}"
            f"replaced, {len(self.result.unchanged)} as before."
        )
        for uid, before, after in self._moved:
            yield f"EVSE {uid} {'would move' if self.dry_run else 'moved'} from station {before} to {after}."
        if self.dry_run:
            for station_id in self._added:
                yield f"New: {station_id}"
            for change in self._changes:
                if change.before is not None:
                    yield f"Changed: {change.station.station_id}: {_told(_differences(change))}"
            yield "Nothing has been changed."
        yield from self.source.notes

    @property
    def _changes(self) -> tuple[StationChange, ...]:
        changes = [change for group in self.result.groups for change in group]
        return tuple(sorted(changes, key=lambda change: change.station.station_id))

    @property
    def _added(self) -> tuple[str, ...]:
        return tuple(change.station.station_id for change in self._changes if change.before is None)

    @property
    def _replaced(self) -> tuple[str, ...]:
        return tuple(change.station.station_id for change in self._changes if change.before is not None)

    @property
    def _moved(self) -> tuple[tuple[str, str, str], ...]:
        return tuple(
            (uid, owner.station_id, change.station.station_id)
            for change in self._changes
            for uid, owner in change.claims.items()
            if owner is not None
        )


def _told(paths: tuple[str, ...]) -> str:
    more = len(paths) - MAX_DIFFERENCES
    return ", ".join(paths[:MAX_DIFFERENCES]) + (f" and {more} more" if more > 0 else "")


def _differences(change: StationChange) -> tuple[str, ...]:
    """The paths of what a change alters in the station's document."""
    assert change.before is not None
    return tuple(_differing(files.station_document(change.before), files.station_document(change.station), ""))


def _differing(before: Json, after: Json, path: str) -> Iterator[str]:
    if isinstance(before, dict) and isinstance(after, dict):
        for name in sorted(before.keys() | after.keys()):
            yield from _differing(before.get(name), after.get(name), f"{path}.{name}" if path else name)
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for index, (one, other) in enumerate(zip(before, after, strict=True)):
            yield from _differing(one, other, f"{path}.{index}")
    elif before != after:
        yield path
