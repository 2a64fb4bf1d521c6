"""`bridge station`: the charge points with their EVSEs and connectors."""

import json
from pathlib import Path
from typing import Annotated

import typer

from ocpi_bridge.domain.errors import UnknownEntity
from ocpi_bridge.domain.registration import RegistrationRefused
from tools.bridge import files
from tools.bridge.session import Session, command

app = typer.Typer(no_args_is_help=True, help="Stations: the charge points of a CSMS, with their EVSEs and connectors.")

CsmsId = Annotated[str, typer.Argument(metavar="CSMS", help="The CSMS's id.")]
StationId = Annotated[str, typer.Argument(metavar="STATION", help="The station's id: its OCPP identity.")]


@command(app, "import")
def import_file(
    session: Session,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Stations as JSON (docs/configuration.md).")],
) -> None:
    """Import stations of one CSMS. Each replaces the station with its id; stations not in the file stay.

    Nothing is written when anything is wrong. Importing the same file again is harmless.
    """
    content = files.read_stations(file)
    try:
        imported = session.deployment.registry.import_stations(content.csms_id, content.stations)
    except RegistrationRefused as refused:
        raise files.FileRefused(file, refused.problems) from refused
    changes = [change for group in imported.groups for change in group]
    added = sorted(change.station.station_id for change in changes if change.before is None)
    replaced = sorted(change.station.station_id for change in changes if change.before is not None)
    session.output.done(
        {
            "csms_id": content.csms_id,
            "added": [*added],
            "replaced": [*replaced],
            "unchanged": [*imported.unchanged],
        },
        f"CSMS {content.csms_id}: {len(added)} station(s) added, {len(replaced)} replaced, "
        f"{len(imported.unchanged)} as before.",
    )


@command(app, "list")
def list_all(session: Session, csms_id: CsmsId) -> None:
    """List the stations of a CSMS."""
    stations = session.deployment.registry.list_stations(csms_id)
    session.output.table(
        [files.station_document(station) for station in stations],
        ("station", "location", "OCPP", "EVSEs"),
        (
            (one.station_id, one.location_id, one.ocpp_version, ", ".join(evse.uid for evse in one.evses))
            for one in stations
        ),
        none=f"CSMS {csms_id} has no station yet.",
    )


@command(app, "show")
def show(session: Session, csms_id: CsmsId, station_id: StationId) -> None:
    """Show a station as its file has it."""
    station = session.deployment.registry.get_station(csms_id, station_id)
    if station is None:
        raise UnknownEntity("station", station_id)
    session.output.document(files.station_document(station))


@command(app, "export")
def export(
    session: Session,
    csms_id: CsmsId,
    file: Annotated[Path | None, typer.Argument(metavar="FILE", help="Where to; stdout without it.")] = None,
) -> None:
    """Export all stations of a CSMS as a file that `import` takes."""
    stations = session.deployment.registry.list_stations(csms_id)
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
    """Remove a station; its EVSE uids are free for another one. Sessions that run there are not ended."""
    session.deployment.registry.remove_station(csms_id, station_id)
    session.output.done(
        {"csms_id": csms_id, "station_id": station_id}, f"Station {station_id} of CSMS {csms_id} is removed."
    )
