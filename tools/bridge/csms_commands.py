"""`bridge csms`: the charging station management systems behind the stations."""

from pathlib import Path
from typing import Annotated

import typer

from ocpi_bridge.domain.errors import UnknownEntity
from tools.bridge import files, operations
from tools.bridge.session import Session, command
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
        ("CSMS", "preset", "mode", "address"),
        ((csms.csms_id, csms.preset, csms.mode, csms.base_url) for csms in csmss),
        none="There is no CSMS yet.",
    )


@command(app, "show")
def show(session: Session, csms_id: CsmsId) -> None:
    """Show a CSMS as its file has it."""
    csms = session.deployment.registry.get_csms(csms_id)
    if csms is None:
        raise UnknownEntity("CSMS", csms_id)
    session.output.document(files.csms_document(csms))
