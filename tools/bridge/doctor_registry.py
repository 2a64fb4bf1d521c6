"""What the registry holds: whether it is complete, and what it was told of that it does not know."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Self

from ocpi_bridge.adapters.dynamodb.refused_hosts import DynamoRefusedHosts
from ocpi_bridge.adapters.dynamodb.registry import DynamoRegistry
from ocpi_bridge.adapters.dynamodb.unplaced import DynamoUnplaced
from ocpi_bridge.domain.assignments import Assignment, Scope
from ocpi_bridge.domain.partners import Partner
from ocpi_bridge.domain.stations import Csms, Station
from tools.bridge.doctor_findings import Finding, failed, ok, skipped, warning
from tools.bridge.unplaced_commands import ADVICE

STATIONS: Final = "stations"
UNPLACED: Final = "unplaced events"
PROFILE_IDS: Final = "profile ids"
ASSIGNMENTS: Final = "assignments"
REFUSED: Final = "refused hosts"
# What is older was seen by whoever looked then.
RECENT = timedelta(days=7)
# A finding is one line; the commands that it names list all.
NAMED = 3


@dataclass(frozen=True, slots=True)
class Known:
    """The registry, read once for all checks."""

    partners: Sequence[Partner]
    csmss: Sequence[Csms]
    stations: Mapping[str, Sequence[Station]]
    assignments: Sequence[Assignment]

    @classmethod
    def read(cls, registry: DynamoRegistry) -> Self:
        """What there is now."""
        csmss = registry.list_csmss()
        return cls(
            registry.list_partners(),
            csmss,
            {csms.csms_id: registry.list_stations(csms.csms_id) for csms in csmss},
            registry.list_assignments(),
        )


@dataclass(frozen=True, slots=True)
class RegistryChecks:
    """Checks of the registry's content."""

    known: Known
    unplaced: DynamoUnplaced
    refused_hosts: DynamoRefusedHosts
    now: datetime

    def stations(self) -> Iterable[Finding]:
        """Whether each CSMS has stations, and whether some report that are not imported."""
        for csms in self.known.csmss:
            about, count = f"CSMS {csms.csms_id}", len(self.known.stations[csms.csms_id])
            strange = sorted(
                {
                    one.station_id
                    for one in self.unplaced.of(csms.csms_id)
                    if one.reason == "unknown_station" and self._recent(one.last_at)
                }
                - {station.station_id for station in self.known.stations[csms.csms_id]}
            )
            if strange:
                seen = f"{_some(strange)} report events and are not in the registry"
                yield failed(
                    STATIONS, about, seen, f"`bridge station import`; `bridge station unplaced {csms.csms_id}`"
                )
            elif not count:
                yield failed(STATIONS, about, "it has no station", "`bridge station import FILE`")
            else:
                yield ok(STATIONS, about, f"{count} station(s)")

    def places(self) -> Iterable[Finding]:
        """What CSMSs reported of late that was not taken, for other reasons."""
        for csms in self.known.csmss:
            about = f"CSMS {csms.csms_id}"
            found = [
                one
                for one in self.unplaced.of(csms.csms_id)
                if one.reason != "unknown_station" and self._recent(one.last_at)
            ]
            if not found:
                yield ok(UNPLACED, about, "none in the last days")
                continue
            newest = max(found, key=lambda one: one.last_at)
            seen = f"{sum(one.count for one in found)} event(s) were not taken, the last one: {newest.reason}"
            advice = ADVICE.get(newest.reason, "see what they have in common")
            yield warning(UNPLACED, about, seen, f"{advice}; `bridge station unplaced {csms.csms_id}`")

    def profile_ids(self) -> Iterable[Finding]:
        """Whether the reserved range has an id for each place to charge at a station, so that two never share one."""
        for csms in self.known.csmss:
            about, reserved = f"CSMS {csms.csms_id}", csms.profile_ids
            size = reserved.last - reserved.first + 1
            largest = max((_places(station) for station in self.known.stations[csms.csms_id]), default=0)
            seen = f"{reserved.first} to {reserved.last}"
            if size < largest:
                remedy = "reserve more ids in the CSMS, then `profile_ids` in its file: `bridge csms replace FILE`"
                yield failed(PROFILE_IDS, about, f"{seen}, fewer than the {largest} places of a station", remedy)
            else:
                yield ok(PROFILE_IDS, about, f"{seen} are reserved")

    def assignments(self) -> Iterable[Finding]:
        """Whether each partner may see something, and whether what assignments name exists."""
        uids = {evse.uid.casefold() for station in self._stations for evse in station.evses}
        locations = {station.location_id.casefold() for station in self._stations}
        for partner in self.known.partners:
            about = f"partner {partner.partner_id}"
            own = [one for one in self.known.assignments if one.partner_id == partner.partner_id]
            valid = [one for one in own if one.valid_until is None or one.valid_until > self.now]
            lost = sorted(
                one.key
                for one in valid
                if (one.scope is Scope.EVSE and one.key.casefold() not in uids)
                or (one.scope is Scope.LOCATION and one.key.casefold() not in locations)
            )
            if not valid:
                yield warning(ASSIGNMENTS, about, "it sees no session", "`bridge assignment add`")
            elif lost:
                yield warning(
                    ASSIGNMENTS, about, f"{_some(lost)} are in no station", "import them, or `bridge assignment revoke`"
                )
            else:
                yield ok(ASSIGNMENTS, about, f"{len(valid)} assignment(s)")

    def refused(self) -> Iterable[Finding]:
        """The hosts that partners wanted us to call in vain of late."""
        for partner in self.known.partners:
            about = f"partner {partner.partner_id}"
            found = [one for one in self.refused_hosts.of(partner.partner_id) if self._recent(one.last_at)]
            if not found:
                yield ok(REFUSED, about, "none in the last days")
                continue
            hosts = [one.host or "(no proper name)" for one in found]
            seen = f"{_some(hosts)} were refused: {found[0].reason}"
            remedy = (
                "where they are the partner's own, add them to its `callback_hosts` (`bridge partner replace FILE`); "
                f"else ask the partner: `bridge partner refused-hosts {partner.partner_id}`"
            )
            yield warning(REFUSED, about, seen, remedy)

    def empty(self) -> Iterable[Finding]:
        """What has not been entered at all."""
        if not self.known.csmss:
            yield failed("registry", "CSMSs", "there is none", "`bridge csms add FILE`")
        if not self.known.partners:
            yield failed(
                "registry", "partners", "there is none", "`bridge partner add FILE` or `bridge partner invite`"
            )
        if self.known.csmss and self.known.partners:
            counts = f"{len(self.known.csmss)} CSMS(s), {len(self.known.partners)} partner(s)"
            yield ok("registry", "entries", counts)

    @property
    def _stations(self) -> list[Station]:
        return [station for of_one in self.known.stations.values() for station in of_one]

    def _recent(self, at: datetime) -> bool:
        return self.now - at <= RECENT


def unread(name: str) -> Finding:
    """In the place of what needs the registry, where that cannot be read."""
    return skipped(name, "all", "the registry could not be read")


def _places(station: Station) -> int:
    return sum(len(evse.connectors) for evse in station.evses)


def _some(names: Sequence[str]) -> str:
    rest = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (f" and {rest} more" if rest > 0 else "")
