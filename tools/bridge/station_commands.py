"""`bridge station`: the charge points with their EVSEs and connectors."""

import json
import re
from pathlib import Path
from typing import Annotated

import typer

from ocpi_bridge.domain.errors import UnknownEntity
from ocpi_bridge.domain.registration import RegistrationRefused
from ocpi_bridge.domain.stations import OcppVersion, StationState
from tools.bridge import files, ocpi_locations
from tools.bridge.session import Session, command
from tools.bridge.station_imports import Imported, Source

app = typer.Typer(no_args_is_help=True, help="Stations: the charge points of a CSMS, with their EVSEs and connectors.")

CsmsId = Annotated[str, typer.Argument(metavar="CSMS", help="The CSMS's id.")]
StationId = Annotated[str, typer.Argument(metavar="STATION", help="The station's id: its OCPP identity.")]

_OCPI = "From OCPI Locations, instead of a file of stations"


def parse_naming(text: str) -> re.Pattern[str]:
    """A naming rule: a regular expression with a group `station`."""
    try:
        pattern = re.compile(text)
    except re.error as error:
        raise typer.BadParameter(f"is no regular expression: {error}") from error
    if "station" not in pattern.groupindex:
        raise typer.BadParameter(
            "needs a group (?P<station>...), and (?P<connector>...) or (?P<evse>...) for the number"
        )
    return pattern


@command(app, "import")
def import_file(
    session: Session,
    file: Annotated[
        Path | None, typer.Argument(metavar="FILE", help="Stations as JSON (docs/configuration.md).")
    ] = None,
    ocpi: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", rich_help_panel=_OCPI, help="A Location, a list of them, or the response that brought them."
        ),
    ] = None,
    csms: Annotated[
        str | None, typer.Option(metavar="CSMS", rich_help_panel=_OCPI, help="The CSMS that the stations belong to.")
    ] = None,
    ocpp_version: Annotated[
        OcppVersion | None, typer.Option(rich_help_panel=_OCPI, help="What the stations speak with the CSMS.")
    ] = None,
    station_from: Annotated[
        re.Pattern[str] | None,
        typer.Option(
            metavar="REGEX",
            parser=parse_naming,
            rich_help_panel=_OCPI,
            help="Matches a whole EVSE uid, or else evse_id: its groups `station`, and `connector` or `evse`, are OCPP's "
            "identity and number.",
        ),
    ] = None,
    mapping: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", rich_help_panel=_OCPI, help="Instead of --station-from: OCPP's names, by EVSE uid."
        ),
    ] = None,
    capable: Annotated[
        bool,
        typer.Option(
            "--capable", rich_help_panel=_OCPI, help="All take charging profiles, whatever their capabilities say."
        ),
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Tell what would change, and change nothing.")] = False,
) -> None:
    """Import stations of one CSMS. Each replaces the station with its id; stations not in the file stay.

    Nothing is written when anything is wrong. Importing the same file again is harmless. A station that somebody changed
    since it was exported is refused.
    """
    registry = session.deployment.registry
    source: Source
    if file is not None:
        if capable or any(given is not None for given in (ocpi, csms, ocpp_version, mapping, station_from)):
            raise typer.BadParameter("give either a FILE of stations, or --ocpi with what belongs to it")
        source = Source.of_stations(file)
    elif ocpi is None or csms is None or ocpp_version is None:
        raise typer.BadParameter("give a FILE of stations, or --ocpi FILE with --csms and --ocpp-version")
    elif (station_from is None) == (mapping is None):
        raise typer.BadParameter("OCPI does not know OCPP's names: give one of --station-from and --mapping")
    else:
        naming = (
            ocpi_locations.by_pattern(station_from)
            if station_from is not None
            else ocpi_locations.by_file(mapping or Path())
        )
        known = {station.station_id: station for station in registry.list_stations(csms)}
        source = Source.of_locations(ocpi, csms, ocpp_version, naming, known, capable=capable)
    change = registry.plan_import if dry_run else registry.import_stations
    try:
        imported = Imported(source, change(source.csms_id, source.stations, source.versions), dry_run=dry_run)
    except RegistrationRefused as refused:
        raise files.FileRefused(source.file, map(source.located, refused.problems)) from refused
    session.output.done(imported.document, *imported.sentences)


@command(app, "list")
def list_all(session: Session, csms_id: CsmsId) -> None:
    """List the stations of a CSMS, with what is known of them now."""
    registry = session.deployment.registry
    found = registry.versioned_stations(csms_id)
    states = registry.station_states(csms_id)
    session.output.table(
        [
            {
                **files.station_document(station),
                "version": version,
                "state": files.state_document(states.get(station.station_id)),
            }
            for station, version in found
        ],
        ("station", "location", "OCPP", "EVSEs", "version", "now"),
        (
            (
                station.station_id,
                station.location_id,
                station.ocpp_version,
                ", ".join(evse.uid for evse in station.evses),
                str(version),
                _now(states.get(station.station_id)),
            )
            for station, version in found
        ),
        none=f"CSMS {csms_id} has no station yet.",
    )


@command(app, "show")
def show(session: Session, csms_id: CsmsId, station_id: StationId) -> None:
    """Show a station as its file has it, its version, and what is known of it now.

    `state` has whether it is online, what the CPO took back, caps that events set, and what it said of itself.
    """
    registry = session.deployment.registry
    found = registry.versioned_station(csms_id, station_id)
    if found is None:
        raise UnknownEntity("station", station_id)
    state = session.deployment.states.state(csms_id, station_id)
    session.output.document(
        {
            "station": files.station_document(found.station),
            "version": found.version,
            "state": files.state_document(state),
        }
    )


@command(app, "export")
def export(
    session: Session,
    csms_id: CsmsId,
    file: Annotated[Path | None, typer.Argument(metavar="FILE", help="Where to; stdout without it.")] = None,
) -> None:
    """Export all stations of a CSMS as a file that `import` takes.

    Each station has its version in it: what somebody else changed meanwhile is not overwritten by a later import.
    """
    stations = session.deployment.registry.versioned_stations(csms_id)
    if not stations and session.deployment.registry.get_csms(csms_id) is None:
        raise UnknownEntity("CSMS", csms_id)
    content = files.stations_document(csms_id, stations)
    if file is None:
        session.output.document(content)
        return
    try:
        file.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", "utf-8")
    except OSError as error:
        raise files.FileRefused.unwritable(file, error) from error
    session.output.done(
        {"csms_id": csms_id, "stations": len(stations), "file": str(file)},
        f"{len(stations)} station(s) of CSMS {csms_id} are in {file}.",
    )


@command(app, "remove")
def remove(session: Session, csms_id: CsmsId, station_id: StationId) -> None:
    """Remove a station; its EVSE uids are free for another one.

    Sessions that run there are not ended, and a plan that is installed there cannot be cleared any more: `bridge release`
    first.
    """
    session.deployment.registry.remove_station(csms_id, station_id)
    session.output.done(
        {"csms_id": csms_id, "station_id": station_id}, f"Station {station_id} of CSMS {csms_id} is removed."
    )


def _now(state: StationState | None) -> str:
    """What is worth a look, in a few words."""
    if state is None:
        return "nothing heard yet"
    online = "nothing heard yet" if state.online is None else "online" if state.online else "offline"
    words = [
        online,
        "steering off" if state.steering_suspended else "",
        f"steering off at {', '.join(sorted(state.suspended_evses))}" if state.suspended_evses else "",
        f"capped at {', '.join(sorted(state.caps_w))}" if state.caps_w else "",
        "no smart charging" if state.not_supported_until is not None else "",
    ]
    return "; ".join(filter(None, words))
