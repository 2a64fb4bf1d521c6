"""The registry: partners, CSMSs, stations and assignments, as operators change it.

Every change is planned on fresh consistent reads, refused whole before anything is written, and written on condition
that what was read still stands; when another writer was faster it is planned again. So a change that was interrupted is
completed by the same call again. The hot path reads the same items through registry_items, in batches over tables.
"""

import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, NamedTuple

from ocpi_bridge.adapters.dynamodb import partner_items, reassessments, registry_items, token_items
from ocpi_bridge.adapters.dynamodb.registry_table import TRANSACTION_LIMIT, RegistryTable
from ocpi_bridge.adapters.dynamodb.tables import ItemKey, PlainItem
from ocpi_bridge.domain.assignments import Assignment, Scope
from ocpi_bridge.domain.errors import InvalidInput, UnknownEntity
from ocpi_bridge.domain.partners import Partner, Silence
from ocpi_bridge.domain.registration import (
    RegistrationRefused,
    StationChange,
    StationImport,
    evse_uids,
    merge_assignments,
    plan_import,
)
from ocpi_bridge.domain.replacements import Replacement, replacement
from ocpi_bridge.domain.stations import Csms, Station, StationRef, StationState
from ocpi_bridge.domain.tokens import AcceptedToken
from ocpi_bridge.domain.values import dataclass

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from ocpi_bridge.adapters.dynamodb.registry_table import Batch

_ANY_VERSION: Mapping[str, int] = {}


@dataclass(frozen=True, slots=True)
class RemovedPartner:
    """What went with a partner."""

    tokens: int
    assignments: tuple[Assignment, ...]


class VersionedStation(NamedTuple):
    """A station and how often it was written; an import may be for one version only."""

    station: Station
    version: int


class DynamoRegistry:
    """The registry on DynamoDB.

    Changes raise RegistrationRefused (with every problem found), UnknownEntity or Contended.
    """

    def __init__(self, client: "DynamoDBClient", table: str, pause: Callable[[float], None] = time.sleep) -> None:
        self._table = RegistryTable(client, table, pause)

    # --- Partners ----------------------------------------------------------------------------------------------------

    def get_partner(self, partner_id: str) -> Partner | None:
        """The partner, or None."""
        item = self._table.get(partner_items.partner_key(partner_id))
        return partner_items.partner_of(item) if item is not None else None

    def get_silence(self, partner_id: str) -> Silence | None:
        """The partner's silence; None where it answers, as far as anybody knows, or is not there."""
        item = self._table.get(partner_items.partner_key(partner_id))
        return partner_items.silence_of(item) if item is not None else None

    def list_partners(self) -> tuple[Partner, ...]:
        """All partners, by id."""
        return tuple(partner_items.partner_of(item) for item in self._table.query(partner_items.PARTNERS))

    def list_tokens(self, partner_id: str) -> tuple[AcceptedToken, ...]:
        """The tokens that we accept from a partner, the oldest first."""
        tokens = map(token_items.token_of, self._token_items(partner_id))
        return tuple(sorted(tokens, key=lambda token: token.created_at))

    def add_partner(self, partner: Partner, token_hashes: Collection[str], at: datetime) -> None:
        """Adds a partner and the hashes of the tokens that we accept from it, in one transaction.

        Refused when the id is taken, or when a token is another partner's: it must tell who calls (OCPI 4.1.2).
        """

        def plan() -> "Iterable[Batch]":
            found = self._table.get_all(
                [partner_items.partner_key(partner.partner_id), *map(token_items.token_key, token_hashes)]
            )
            problems = []
            if partner_items.partner_key(partner.partner_id) in found:
                problems.append(
                    InvalidInput("partner_id", f"partner {partner.partner_id!r} is in the registry already")
                )
            if any(pk == token_items.TOKENS for pk, _ in found):
                problems.append(InvalidInput("token", "a partner has this token already; every token is for one only"))
            if problems:
                raise RegistrationRefused(problems)
            batch = self._table.put(partner_items.partner_item(partner, version=1), None)
            for token_hash in token_hashes:
                token = AcceptedToken(token_hash, partner.partner_id, partner.party, at, bearer=partner.accepts_bearer)
                batch |= self._table.put(token_items.token_item(token), None)
            yield batch

        self._table.change(plan)

    def replace_partner(self, partner: Partner) -> Replacement:
        """Replaces what an operator may say of a partner; its registration, tokens and assignments stay.

        Returns what it is now, and the fields that its registration kept.
        """
        replacements: list[Replacement] = []

        def plan() -> "Iterable[Batch]":
            item = self._table.get(partner_items.partner_key(partner.partner_id))
            if item is None:
                raise UnknownEntity("partner", partner.partner_id)
            replacements.append(replacement(partner_items.partner_of(item), partner))
            version = registry_items.version_of(item)
            after = replacements[-1].partner
            yield self._table.put(
                partner_items.partner_item(after, version + 1), {"version": version}
            ) | self._mirrored(after)

        self._table.change(plan)
        return replacements[-1]

    def remove_partner(self, partner_id: str) -> RemovedPartner:
        """Removes a partner: first it and its tokens, at once, so that it is cut off; then all its assignments.

        Raises UnknownEntity when nothing of it is left. Interrupted, it is completed by calling it again.
        """
        tokens = self.list_tokens(partner_id)
        partner = self._table.get(partner_items.partner_key(partner_id))

        def plan() -> "Iterable[Batch]":
            batch = self._table.delete(partner_items.partner_key(partner_id), {})
            for token in self.list_tokens(partner_id):
                batch |= self._table.delete(token_items.token_key(token.token_hash), {})
            # Its plans are cleared by whoever is woken for its live sessions.
            yield batch | self._table.put(reassessments.reassessment_item(partner_id), {})

        self._table.change(plan)
        # After that no assignment can be added any more, so none is missed.
        assignments = self.list_assignments(partner_id)
        for assignment in assignments:
            self.revoke_assignment(partner_id, assignment.scope, assignment.key)
        if partner is None and not tokens and not assignments:
            raise UnknownEntity("partner", partner_id)
        return RemovedPartner(len(tokens), assignments)

    def _token_items(self, partner_id: str) -> list[PlainItem]:
        # A few in all: an index by partner would cost more than it saves.
        items = self._table.query(token_items.TOKENS)
        return [item for item in items if item["partner_id"] == partner_id]

    def _mirrored(self, partner: Partner) -> "Batch":
        """The partner's tokens, where they do not say what the entry says; they are all that the door reads."""
        batch: Batch = {}
        for item in self._token_items(partner.partner_id):
            token = token_items.token_of(item)
            mirrored = replace(token, party=partner.party, bearer=partner.accepts_bearer)
            if mirrored != token:
                # Over the item as it is: that of a handshake under way also says when it goes by itself.
                changed = {**item, **token_items.token_item(mirrored)}
                batch |= self._table.put(changed, {"partner_id": partner.partner_id})
        return batch

    # --- CSMSs -------------------------------------------------------------------------------------------------------

    def get_csms(self, csms_id: str) -> Csms | None:
        """The CSMS, or None."""
        item = self._table.get(registry_items.csms_key(csms_id))
        return registry_items.csms_of(item) if item is not None else None

    def list_csmss(self) -> tuple[Csms, ...]:
        """All CSMSs, by id."""
        return tuple(registry_items.csms_of(item) for item in self._table.query(registry_items.CSMSS))

    def add_csms(self, csms: Csms) -> None:
        """Adds a CSMS. Refused when the id is taken."""

        def plan() -> "Iterable[Batch]":
            if self._table.get(registry_items.csms_key(csms.csms_id)) is not None:
                problem = InvalidInput("csms_id", f"CSMS {csms.csms_id!r} is in the registry already")
                raise RegistrationRefused([problem])
            yield self._table.put(registry_items.csms_item(csms, version=1), None)

        self._table.change(plan)

    def replace_csms(self, csms: Csms) -> None:
        """Replaces what is known of a CSMS; its stations stay."""

        def plan() -> "Iterable[Batch]":
            before = self._table.get(registry_items.csms_key(csms.csms_id))
            if before is None:
                raise UnknownEntity("CSMS", csms.csms_id)
            version = registry_items.version_of(before)
            yield self._table.put(registry_items.csms_item(csms, version + 1), {"version": version})

        self._table.change(plan)

    def remove_csms(self, csms_id: str, *, with_stations: bool) -> tuple[Station, ...]:
        """Removes a CSMS: first it, so that no station can be added any more; then its stations, which are returned.

        Refused while it has stations, unless `with_stations`; one that somebody imports at that very moment goes with it.
        Raises UnknownEntity when nothing of it is left. Interrupted, it is completed by calling it again.
        """

        def plan() -> "Iterable[Batch]":
            item = self._table.get(registry_items.csms_key(csms_id))
            has_stations = self._table.holds(registry_items.stations_of(csms_id))
            if item is None and not has_stations:
                raise UnknownEntity("CSMS", csms_id)
            if has_stations and not with_stations:
                problem = f"CSMS {csms_id!r} has stations, which would be lost to it; they can be removed with it"
                raise RegistrationRefused([InvalidInput("csms_id", problem)])
            if item is not None:
                version = registry_items.version_of(item)
                yield self._table.delete(registry_items.csms_key(csms_id), {"version": version})

        self._table.change(plan)
        stations = self.list_stations(csms_id)
        for station in stations:
            self.remove_station(csms_id, station.station_id)
        return stations

    # --- Stations ----------------------------------------------------------------------------------------------------

    def get_station(self, csms_id: str, station_id: str) -> Station | None:
        """The station, or None."""
        found = self.versioned_station(csms_id, station_id)
        return found.station if found is not None else None

    def list_stations(self, csms_id: str) -> tuple[Station, ...]:
        """All stations of a CSMS, by id."""
        return tuple(found.station for found in self.versioned_stations(csms_id))

    def versioned_station(self, csms_id: str, station_id: str) -> VersionedStation | None:
        """The station with its version, or None."""
        item = self._table.get(registry_items.station_key(csms_id, station_id))
        return _versioned(item) if item is not None else None

    def versioned_stations(self, csms_id: str) -> tuple[VersionedStation, ...]:
        """All stations of a CSMS with their versions, by id."""
        return tuple(map(_versioned, self._table.query(registry_items.stations_of(csms_id))))

    def station_states(self, csms_id: str) -> Mapping[str, StationState]:
        """What changes by itself of the stations of a CSMS, by station id, as far as anything is known."""
        items = self._table.query(registry_items.station_states_of(csms_id))
        return {str(item["sk"]): registry_items.station_state_of(item) for item in items}

    def owner(self, evse_uid: str) -> StationRef | None:
        """The station that an EVSE (by its uid, without case) belongs to, or None."""
        item = self._table.get(registry_items.evse_key(evse_uid))
        return registry_items.evse_owner_of(item) if item is not None else None

    def import_stations(
        self, csms_id: str, stations: Sequence[Station], versions: Mapping[str, int] = _ANY_VERSION
    ) -> StationImport:
        """Imports stations of one CSMS; each replaces the one with its id, stations not named stay as they are.

        `versions` tells, by station id, which version a change was made from: it is refused where somebody changed the
        station since. Refused whole, before anything is written, when an EVSE.uid would belong to two stations. Written
        in as few transactions as possible; each station and the ownership of its EVSEs change at once. Returns what was
        changed.
        """
        plans: list[StationImport] = []

        def plan() -> "Iterable[Batch]":
            planned, known = self._planned_import(csms_id, stations, versions)
            plans.append(planned)
            return [self._replacement(group, known) for group in planned.groups]

        self._table.change(plan)
        return plans[0]

    def plan_import(
        self, csms_id: str, stations: Sequence[Station], versions: Mapping[str, int] = _ANY_VERSION
    ) -> StationImport:
        """What `import_stations` would change now. Raises as it does; nothing is written."""
        return self._planned_import(csms_id, stations, versions)[0]

    def _planned_import(
        self, csms_id: str, stations: Sequence[Station], expected: Mapping[str, int]
    ) -> tuple[StationImport, Mapping[str, int]]:
        """The import, and the versions that are known."""
        if self._table.get(registry_items.csms_key(csms_id)) is None:
            raise UnknownEntity("CSMS", csms_id)
        items = self._table.get_all(registry_items.station_key(csms_id, station.station_id) for station in stations)
        known = {station_id: registry_items.station_of(item) for (_, station_id), item in items.items()}
        versions = {station_id: registry_items.version_of(item) for (_, station_id), item in items.items()}
        planned = plan_import(csms_id, stations, known, self._owners(stations, known))
        outdated = [*_outdated(stations, planned, expected, versions)]
        if outdated:
            raise RegistrationRefused(outdated)
        return planned, versions

    def remove_station(self, csms_id: str, station_id: str) -> Station:
        """Removes a station with its state and the ownership of its EVSEs; returns what it was."""
        removed: list[Station] = []

        def plan() -> "Iterable[Batch]":
            item = self._table.get(registry_items.station_key(csms_id, station_id))
            if item is None:
                raise UnknownEntity("station", station_id)
            station = registry_items.station_of(item)
            removed.append(station)
            version = {"version": registry_items.version_of(item)}
            yield (
                self._table.delete(registry_items.station_key(csms_id, station_id), version)
                | self._table.delete(registry_items.station_state_key(csms_id, station_id), {})
                | self._table.delete(registry_items.location_key(station.location_id, csms_id, station_id), {})
                | self._released(StationRef(csms_id, station_id), evse_uids(station))
            )

        self._table.change(plan)
        return removed[-1]

    def _owners(self, stations: Iterable[Station], known: Mapping[str, Station]) -> dict[str, StationRef]:
        """Who has the EVSEs that are new to their stations; what a station has already is its own."""
        new = [evse_uids(station) - evse_uids(known.get(station.station_id)) for station in stations]
        found = self._table.get_all(registry_items.evse_key(uid) for uids in new for uid in sorted(uids))
        return {uid: registry_items.evse_owner_of(item) for (_, uid), item in found.items()}

    def _replacement(self, group: Sequence[StationChange], versions: Mapping[str, int]) -> "Batch":
        batch: Batch = {}
        for change in group:
            station, before = change.station, change.before
            place = StationRef(station.csms_id, station.station_id)
            version = versions.get(station.station_id)
            batch |= self._table.demand(registry_items.csms_key(station.csms_id))
            batch |= self._table.put(
                registry_items.station_item(station, (version or 0) + 1),
                None if version is None else {"version": version},
            )
            batch |= self._released(place, change.releases)
            if before is not None:
                batch |= self._table.delete(registry_items.location_key(before.location_id, *place), {})
            # After the deletion: where the location stays, the put takes its place in the batch.
            batch |= self._table.put(registry_items.location_item(station.location_id, *place), {})
            for uid, owner in change.claims.items():
                item = registry_items.evse_item(uid, *place)
                batch |= self._table.put(item, None if owner is None else owner._asdict())
        if len(batch) > TRANSACTION_LIMIT:
            names = ", ".join(change.station.station_id for change in group)
            problem = f"too many EVSEs for one transaction; import these stations in smaller steps: {names}"
            raise RegistrationRefused([InvalidInput("stations", problem)])
        return batch

    def _released(self, owner: StationRef, uids: Iterable[str]) -> "Batch":
        batch: Batch = {}
        for uid in uids:
            batch |= self._table.delete(registry_items.evse_key(uid), owner._asdict())
        return batch

    # --- Assignments -------------------------------------------------------------------------------------------------

    def list_assignments(self, partner_id: str | None = None, scope: Scope | None = None) -> tuple[Assignment, ...]:
        """All assignments, or those of one partner or in one scope."""
        return tuple(
            assignment
            for one in ([scope] if scope is not None else Scope)
            for item in self._table.query(registry_items.assignments_in(one))
            for assignment in registry_items.assignments_of(item)
            if partner_id in {None, assignment.partner_id}
        )

    def add_assignments(self, assignments: Sequence[Assignment], along: "Callable[[], Batch] | None" = None) -> None:
        """Adds assignments; each replaces the same partner's earlier one on the same key.

        Refused whole, before anything is written, with the path of each problem (`assignments.0.key`): a partner, EVSE
        or location that the registry does not know, or two partners that may steer the same key at the same time.
        `along` gives writes that become true with the first of them; it is asked again for each new plan.
        """

        def plan() -> "Iterable[Batch]":
            further = along() if along is not None else {}
            changes = self._assignment_changes(assignments)
            # Whoever steers so far may have to give way to the new one.
            again = self._table.put(reassessments.reassessment_item(reassessments.EVERYBODY), {})
            batches = [change | again for change in changes] or [{}]
            return [batches[0] | further, *batches[1:]]

        self._table.change(plan)

    def check_assignments(self, assignments: Sequence[Assignment]) -> None:
        """Raises RegistrationRefused if `add_assignments` would refuse these now; nothing is written."""
        self._assignment_changes(assignments)

    def revoke_assignment(self, partner_id: str, scope: Scope, key: str) -> Assignment:
        """Revokes a partner's assignment on a key; returns what it was.

        Its live sessions are looked at again, and a plan that it may not keep is cleared.
        """
        revoked: list[Assignment] = []

        def plan() -> "Iterable[Batch]":
            item = self._table.get(registry_items.assignments_key(scope, key))
            held = {assignment.partner_id: assignment for assignment in registry_items.assignments_of(item)}
            if item is None or partner_id not in held:
                raise UnknownEntity("assignment", f"{partner_id} {scope} {key}")
            revoked.append(held.pop(partner_id))
            again = self._table.put(reassessments.reassessment_item(partner_id), {})
            if held:
                yield self._assignments(held.values(), item) | again
            else:
                # A key may name a person's token: nothing of it stays.
                before = {"assignments": item["assignments"]}
                yield self._table.delete(registry_items.assignments_key(scope, key), before) | again

        self._table.change(plan)
        return revoked[-1]

    def _assignment_changes(self, assignments: Sequence[Assignment]) -> "list[Batch]":
        """What adding these changes, a batch for each key. Raises RegistrationRefused."""
        places: dict[ItemKey, dict[int, Assignment]] = {}
        for index, assignment in enumerate(assignments):
            place = registry_items.assignments_key(assignment.scope, assignment.key)
            places.setdefault(place, {})[index] = assignment
        items = self._table.get_all(places)
        problems = self._unknown_references(assignments)
        changes: list[Batch] = []
        for place, given in places.items():
            held = registry_items.assignments_of(items.get(place))
            merged, conflicts = merge_assignments(held, given)
            problems += conflicts
            if set(merged.values()) != set(held):
                checks = (self._reference_checks(assignment) for assignment in given.values())
                changes.append(reduce(or_, checks, self._assignments(merged.values(), items.get(place))))
        if problems:
            raise RegistrationRefused(problems)
        return changes

    def _assignments(self, assignments: Collection[Assignment], before: PlainItem | None) -> "Batch":
        """Conditional on content, not on the version: that one starts over when an emptied item was deleted."""
        first = next(iter(assignments))
        version = registry_items.version_of(before) + 1
        item = registry_items.assignments_item(first.scope, first.key, assignments, version)
        return self._table.put(item, None if before is None else {"assignments": before["assignments"]})

    def _reference_checks(self, assignment: Assignment) -> "Batch":
        checks = self._table.demand(partner_items.partner_key(assignment.partner_id))
        if assignment.scope is Scope.EVSE:
            checks |= self._table.demand(registry_items.evse_key(assignment.key))
        return checks

    def _unknown_references(self, assignments: Sequence[Assignment]) -> list[InvalidInput]:
        partners = {partner_items.partner_key(given.partner_id) for given in assignments}
        evses = {registry_items.evse_key(given.key) for given in assignments if given.scope is Scope.EVSE}
        locations = {given.key.casefold() for given in assignments if given.scope is Scope.LOCATION}
        known = self._table.get_all(partners | evses)
        known_locations = {one for one in locations if self._table.holds(registry_items.stations_at(one))}
        problems = []
        for index, given in enumerate(assignments):
            if partner_items.partner_key(given.partner_id) not in known:
                problems.append(
                    InvalidInput(f"assignments.{index}.partner_id", f"unknown partner {given.partner_id!r}")
                )
            if given.scope is Scope.EVSE and registry_items.evse_key(given.key) not in known:
                problem = f"no station has an EVSE with the uid {given.key!r}"
                problems.append(InvalidInput(f"assignments.{index}.key", problem))
            if given.scope is Scope.LOCATION and given.key.casefold() not in known_locations:
                problem = f"no station is at a location with the id {given.key!r}"
                problems.append(InvalidInput(f"assignments.{index}.key", problem))
        return problems


def _versioned(item: PlainItem) -> VersionedStation:
    return VersionedStation(registry_items.station_of(item), registry_items.version_of(item))


def _outdated(
    stations: Sequence[Station], planned: StationImport, expected: Mapping[str, int], versions: Mapping[str, int]
) -> Iterable[InvalidInput]:
    """Changes made from another version than the present one; a station that stays as it is may have any."""
    changed = {change.station.station_id for group in planned.groups for change in group}
    for index, station in enumerate(stations):
        wanted, present = expected.get(station.station_id), versions.get(station.station_id, 0)
        if wanted is not None and wanted != present and station.station_id in changed:
            since = f"the station has version {present} by now" if present else "the station was removed"
            problem = f"{since}: export it again and change that, or leave the version out to overrule what is there"
            yield InvalidInput(f"stations.{index}.version", problem)
