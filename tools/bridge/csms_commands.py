"""`bridge csms`: the charging station management systems behind the stations."""

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated

import typer

from ocpi_bridge.domain.errors import UnknownEntity
from tools.bridge import files, operations
from tools.bridge.citrineos import Change, CitrineOS, SubscriptionFailed, read_station_ids
from tools.bridge.questions import Yes, agreed
from tools.bridge.session import TO_BE_CONTINUED, Session, command
from tools.bridge.sources import FORMS, Source, parse_source

app = typer.Typer(no_args_is_help=True, help="CSMSs: the systems that hold the charge points' OCPP connections.")

File = Annotated[Path, typer.Argument(metavar="FILE", help="The CSMS as JSON (docs/configuration.md).")]
CsmsId = Annotated[str, typer.Argument(metavar="CSMS", help="The CSMS's id.")]
EventKey = Annotated[
    Source | None,
    typer.Option(
        metavar="SOURCE",
        parser=parse_source,
        help=f"The key with which the CSMS signs its events, from {FORMS}. `add` makes one and shows it once.",
    ),
]
ApiCredential = Annotated[
    Source | None,
    typer.Option(metavar="SOURCE", parser=parse_source, help=f"Our credential at the CSMS's API, from {FORMS}."),
]


@command(app, "add")
def add(session: Session, file: File, event_key: EventKey = None, api_credential: ApiCredential = None) -> None:
    """Add a CSMS. Its stations come after it (`bridge station import`)."""
    deployment = session.deployment
    csms = files.read_csms(file, local=deployment.local)
    key = operations.add_csms(
        deployment.registry,
        deployment.secrets,
        csms,
        event_key=event_key.read("event key") if event_key else None,
        api_credential=api_credential.read("API credential") if api_credential else None,
    )
    events_url = f"{deployment.csms_api_url}/csms/v1/events"
    content: dict[str, files.Json] = {"csms_id": csms.csms_id, "events_url": events_url}
    sentences = [f"CSMS {csms.csms_id} is registered.", f"It posts its events to {events_url}"]
    if event_key is None:
        content["event_key"] = key
        sentences.append(f"It signs them with this key, which is shown now and never again:\n{key}")
    session.output.done(content, *sentences)


@command(app, "replace")
def replace(session: Session, file: File, event_key: EventKey = None, api_credential: ApiCredential = None) -> None:
    """Replace what is known of a CSMS. Its stations, and secrets that are not given, stay."""
    deployment = session.deployment
    csms = files.read_csms(file, local=deployment.local)
    operations.replace_csms(
        deployment.registry,
        deployment.secrets,
        csms,
        event_key=event_key.read("event key") if event_key else None,
        api_credential=api_credential.read("API credential") if api_credential else None,
    )
    session.output.done({"csms_id": csms.csms_id}, f"CSMS {csms.csms_id} is replaced.")


@command(app, "list")
def list_all(session: Session) -> None:
    """List the CSMSs."""
    csmss = session.deployment.registry.list_csmss()
    session.output.table(
        [files.csms_document(csms) for csms in csmss],
        ("CSMS", "driver", "API", "mode", "address"),
        (
            (
                csms.csms_id,
                csms.driver,
                csms.preset or (csms.api.name if csms.api else "-"),
                csms.mode,
                csms.base_url or "-",
            )
            for csms in csmss
        ),
        none="There is no CSMS yet.",
    )


@command(app, "show")
def show(session: Session, csms_id: CsmsId) -> None:
    """Show a CSMS as its file has it."""
    csms = session.deployment.registry.get_csms(csms_id)
    if csms is None:
        raise UnknownEntity("CSMS", csms_id)
    session.output.document(files.csms_document(csms))


@command(app, "remove")
def remove(
    session: Session,
    csms_id: CsmsId,
    with_stations: Annotated[
        bool,
        typer.Option("--with-stations", help="Remove its stations too; without it they keep it from being removed."),
    ] = False,
    yes: Yes = False,
) -> None:
    """Remove a CSMS with what is shared with it: its events are refused from then on, and it is sent no command.

    A plan that is installed at one of its stations cannot be cleared any more: `bridge steering off --all CSMS` and
    `bridge release` first.
    """
    what = f"CSMS {csms_id}, its stations and its secrets" if with_stations else f"CSMS {csms_id} and its secrets"
    agreed(f"Remove {what}?", yes=yes)
    deployment = session.deployment
    removed = operations.remove_csms(deployment.registry, deployment.secrets, csms_id, with_stations=with_stations)
    session.output.done(
        {"csms_id": csms_id, "stations": [station.station_id for station in removed]},
        f"CSMS {csms_id} is removed, with {len(removed)} station(s).",
    )


@command(app, "test")
def ask(
    session: Session,
    csms_id: CsmsId,
    station: Annotated[
        str | None, typer.Option(metavar="STATION", help="The station to ask; one that is online, if not given.")
    ] = None,
) -> None:
    """Ask a station of the CSMS what it would charge with now: harmless, and the same way that every command goes.

    It is asked from this machine, with the bridge's credential and the registry's entry: a firewall may treat the bridge
    otherwise. The exit code is 1, with what to do, where the CSMS cannot be asked or does not pass it on.
    """
    deployment = session.deployment
    csms, outlet = operations.to_be_asked(deployment.registry, csms_id, station)
    finding = deployment.probe(csms, outlet)
    place = f"station {outlet.station.station_id}, EVSE {outlet.evse.uid}"
    if not finding.passed:
        raise operations.OperationRefused(f"{place}: {finding.text}")
    session.output.done(
        {
            "csms_id": csms_id,
            "station_id": outlet.station.station_id,
            "evse_uid": outlet.evse.uid,
            "told": finding.text,
        },
        f"{place}: {finding.text}",
    )


@command(app, "connect-citrineos")
def connect_citrineos(
    session: Session,
    csms_id: CsmsId,
    stations: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Stations, one id a line; all of the CSMS's in the registry, if not given."),
    ] = None,
    listing: Annotated[bool, typer.Option("--list", help="Change nothing; show which are subscribed.")] = False,
    disconnect: Annotated[bool, typer.Option("--disconnect", help="Remove the subscriptions.")] = False,
    show_url: Annotated[
        bool, typer.Option("--show-url", help="Show the URL in full: whoever has it can report events.")
    ] = False,
) -> None:
    """Subscribe stations at a CitrineOS: it posts their raw frames to the bridge from then on, and needs no other events.

    Running it again is harmless: what is as it should be is left. After a new event key, run it again. Connected stations
    are noticed within three minutes. The exit code is 3 where some stations failed; the others are done.
    """
    if listing and disconnect:
        raise typer.BadParameter("give --list or --disconnect, not both")
    deployment = session.deployment
    csms = deployment.registry.get_csms(csms_id)
    if csms is None:
        raise UnknownEntity("CSMS", csms_id)
    known = [station.station_id for station in deployment.registry.list_stations(csms_id)]
    chosen = known if stations is None else read_station_ids(stations, known)
    changes: dict[str, Change] = {}
    failures: dict[str, str] = {}
    with (
        session.output.progress("Asking the CitrineOS ...") as tell,
        CitrineOS.connected(csms, deployment.probe) as citrineos,
    ):
        change = citrineos.state if listing else citrineos.unsubscribe if disconnect else citrineos.subscribe
        for number, station_id in enumerate(chosen, 1):
            tell(f"{number} of {len(chosen)} station(s): {station_id}")
            try:
                changes[station_id] = change(station_id)
            except SubscriptionFailed as error:
                failures[station_id] = str(error)
    url = citrineos.url if show_url else citrineos.shown_url
    session.output.done(
        {"csms_id": csms_id, "url": url, "stations": {**changes}, "failed": {**failures}},
        *(f"{station_id}: {change}" for station_id, change in changes.items() if listing),
        *_counted(changes.values()),
        f"The frames go to {url}",
    )
    for station_id, problem in failures.items():
        session.output.problem(f"station {station_id}: {problem}")
    if failures:
        raise typer.Exit(TO_BE_CONTINUED)


def _counted(changes: Iterable[Change]) -> Iterator[str]:
    counted = Counter(changes)
    if not counted:
        yield "No station."
        return
    yield ", ".join(f"{number} station(s) {change}" for change, number in counted.items()) + "."
