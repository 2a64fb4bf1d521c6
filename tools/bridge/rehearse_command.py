"""`bridge rehearse`: play a smart charging service provider at a Receiver, and report which rules of OCPI it keeps."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, NoReturn
from urllib.parse import urlsplit

import typer
from rich.console import Console

from tools.bridge.deployment import STACK_FILE
from tools.bridge.output import Output
from tools.bridge.session import REFUSED
from tools.bridge.sources import FORMS, Source, SourceFailed, parse_source
from tools.partner_simulator.transport import Party
from tools.rehearsal import DEFAULT_PARTY, Address, Car, Conformance, Options, Patience, Target, Verdict, rehearse
from tools.rehearsal.checks.configuration import LOOPBACK_HOSTS
from tools.rehearsal.documents import json_document, junit_document
from tools.rehearsal.html_report import html_report
from tools.rehearsal.terminal import show

app = typer.Typer()

_RECEIVER, _REACH, _CAR, _REPORT = "Receiver", "How it reaches us", "The car", "Report"
_LOCAL_PORT = 0


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """Everything that one rehearsal is about."""

    target: Target
    options: Options
    address: Address | None
    party: Party
    car: Car | None = None


def _party(text: str) -> Party:
    country_code, _, party_id = text.partition("/")
    if len(country_code) != 2 or not 1 <= len(party_id) <= 3:
        raise typer.BadParameter("a party is written as NL/ABC: country code and party id")
    return Party(country_code, party_id)


def _listen(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host or not port.isdigit() or int(port) > 65535:
        raise typer.BadParameter("an address is written as HOST:PORT, such as 0.0.0.0:8080")
    return host, int(port)


@app.command("rehearse")
def rehearse_command(
    context: typer.Context,
    versions_url: Annotated[
        str | None, typer.Option(metavar="URL", rich_help_panel=_RECEIVER, help="The Receiver's versions endpoint.")
    ] = None,
    token: Annotated[
        Source | None,
        typer.Option(
            metavar="SOURCE",
            parser=parse_source,
            rich_help_panel=_RECEIVER,
            help=f"Its registration token (CREDENTIALS_TOKEN_A), from {FORMS}. The rehearsal registers itself with it.",
        ),
    ] = None,
    registered: Annotated[
        bool,
        typer.Option(
            "--registered", rich_help_panel=_RECEIVER, help="The token is a final one: there is no handshake."
        ),
    ] = False,
    callback_token: Annotated[
        Source | None,
        typer.Option(
            metavar="SOURCE",
            parser=parse_source,
            rich_help_panel=_RECEIVER,
            help="With --registered: the token that the Receiver presents to us.",
        ),
    ] = None,
    cpo: Annotated[
        Party | None,
        typer.Option(
            metavar="CC/PARTY",
            parser=_party,
            rich_help_panel=_RECEIVER,
            help="Whom it speaks for; by default the first CPO in its credentials.",
        ),
    ] = None,
    party: Annotated[
        Party,
        typer.Option(
            metavar="CC/PARTY", parser=_party, rich_help_panel=_RECEIVER, help="As whom we speak (role SCSP)."
        ),
    ] = f"{DEFAULT_PARTY.country_code}/{DEFAULT_PARTY.party_id}",  # type: ignore[assignment]  # the parser reads it
    ca_file: Annotated[
        Path | None,
        typer.Option(metavar="FILE", rich_help_panel=_RECEIVER, help="A certificate authority to trust, too (PEM)."),
    ] = None,
    local: Annotated[
        bool,
        typer.Option(
            "--local",
            rich_help_panel=_RECEIVER,
            help="Rehearse with the stack on this machine (`make up`): with a charge point and a car of ours, nothing else "
            "has to be given.",
        ),
    ] = False,
    stack_file: Annotated[
        Path, typer.Option(metavar="PATH", rich_help_panel=_RECEIVER, help="With --local: the file that describes it.")
    ] = STACK_FILE,
    public_url: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            rich_help_panel=_REACH,
            help="The https address at which the Receiver reaches us: a tunnel, or a host of yours that ends TLS.",
        ),
    ] = None,
    listen: Annotated[
        tuple[str, int] | None,
        typer.Option(
            metavar="HOST:PORT",
            parser=_listen,
            rich_help_panel=_REACH,
            help="Where we serve plain HTTP for it. Without, only what needs no call of the Receiver's is looked at, unless "
            "it is on this machine.",
        ),
    ] = None,
    session: Annotated[
        str | None,
        typer.Option(
            metavar="ID",
            rich_help_panel=_CAR,
            help="The running session; by default the last that is listed as ACTIVE.",
        ),
    ] = None,
    wait_for_session: Annotated[
        float,
        typer.Option(metavar="SECONDS", min=0, rich_help_panel=_CAR, help="How long to wait for one to be pushed."),
    ] = 0.0,
    steer: Annotated[
        bool,
        typer.Option(
            "--steer",
            rich_help_panel=_CAR,
            help="Set and clear a charging profile and preferences on the session. THIS CHANGES HOW A REAL CAR CHARGES: "
            "11 kW at the most for a while, then whatever the charge point does without a profile.",
        ),
    ] = False,
    unregister: Annotated[
        bool, typer.Option("--unregister", rich_help_panel=_RECEIVER, help="End the registration afterwards.")
    ] = False,
    html: Annotated[
        Path | None, typer.Option(metavar="FILE", rich_help_panel=_REPORT, help="Write the report as HTML.")
    ] = None,
    junit: Annotated[
        Path | None, typer.Option(metavar="FILE", rich_help_panel=_REPORT, help="Write the report as JUnit XML.")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", rich_help_panel=_REPORT, help="Write one JSON document to stdout, for scripts.")
    ] = False,
    every_rule: Annotated[
        bool, typer.Option("--all", rich_help_panel=_REPORT, help="Show the rules that were kept one by one, too.")
    ] = False,
    strict: Annotated[
        bool,
        typer.Option(
            "--strict", rich_help_panel=_REPORT, help="Count warnings and notes as failures, for our own stages."
        ),
    ] = False,
) -> None:
    """Play a smart charging service provider at an OCPI 2.2.1 Receiver and report rule by rule what it keeps.

    Handshake, sessions, charging profiles, wrong requests, slow and failing callbacks, pushes (docs/rehearsal.md). Without
    `--steer` no profile is ever set or cleared. The exit code is 0 when nothing is broken that the specification demands.
    """
    output = Output(as_json=as_json)
    # Tests are less patient.
    patience = context.obj if isinstance(context.obj, Patience) else Patience()
    if local == (versions_url is not None):
        raise typer.BadParameter("say with whom to rehearse: --versions-url URL, or --local")
    if local:
        with _local(stack_file, output) as (target, own_party, car):
            options = Options(steer=True, unregister=True, patience=patience)
            found = _run(Rehearsed(target, options, Address(), own_party, car), output)
    else:
        if token is None or versions_url is None:
            raise typer.BadParameter("--token SOURCE is needed: what we present to the Receiver")
        presented, callback = _secrets(output, token, callback_token)
        options = Options(
            registered=registered,
            callback_token=callback,
            session_id=session,
            wait_for_session=wait_for_session,
            steer=steer,
            unregister=unregister,
            patience=patience,
        )
        address = _address(versions_url, public_url, listen)
        found = _run(Rehearsed(Target(versions_url, presented, cpo, ca_file), options, address, party), output)
    _report(found, output, html=html, junit=junit, as_json=as_json, every_rule=every_rule)
    if local and found.session_id is not None and not as_json:
        output.done({}, f"What became of it: bridge session plot {found.session_id} --local")
    is_spotless = all(one.verdict is not Verdict.FAILED for one in found.outcomes)
    if not found.conforms or found.left or (strict and not is_spotless):
        raise typer.Exit(REFUSED)


def _address(versions_url: str, public_url: str | None, listen: tuple[str, int] | None) -> Address | None:
    """Where we are reached: as told, by loopback where the Receiver is on this machine, else nowhere."""
    is_here = urlsplit(versions_url).hostname in LOOPBACK_HOSTS
    if listen is not None and public_url is None and not is_here:
        raise typer.BadParameter("--public-url is needed with --listen: the address at which the Receiver gets there")
    if listen is not None or public_url is not None:
        return Address(listen, public_url)
    return Address() if is_here else None


def _secrets(output: Output, token: Source, callback_token: Source | None) -> tuple[str, str | None]:
    try:
        presented = token.read("token")
        return presented, None if callback_token is None else callback_token.read("callback token")
    except SourceFailed as error:
        _refuse(output, str(error))


def _run(rehearsed: Rehearsed, output: Output) -> Conformance:
    with output.progress("Rehearsing") as tell:
        try:
            return rehearse(
                rehearsed.target,
                rehearsed.options,
                address=rehearsed.address,
                party=rehearsed.party,
                car=rehearsed.car,
                progress=tell,
            )
        except OSError as error:
            _refuse(output, f"--listen: {error}")


@contextmanager
def _local(stack_file: Path, output: Output) -> Iterator[tuple[Target, Party, Car]]:
    # Only this needs the packages of development, and a second to import them.
    from tools.local_stack import LocalStack, LocalStackError  # noqa: PLC0415
    from tools.partner_simulator import JEDLIX  # noqa: PLC0415
    from tools.rehearsal.demo_car import demo_site  # noqa: PLC0415

    try:
        stack = LocalStack.attach(stack_file.parent)
    except LocalStackError as error:
        _refuse(output, f"{error}; `make up` starts the local stack")
    with demo_site(stack) as site:
        invitation = site.invitation
        yield Target(invitation.versions_url, invitation.token, ca_file=invitation.ca_file), JEDLIX, site.car


def _report(
    found: Conformance, output: Output, *, html: Path | None, junit: Path | None, as_json: bool, every_rule: bool
) -> None:
    zone = datetime.now().astimezone().tzinfo
    written: list[tuple[Path | None, Callable[[], str]]] = [
        (html, lambda: html_report(found, zone=zone)) if zone is not None else (None, str),
        (junit, lambda: junit_document(found)),
    ]
    for path, document in written:
        if path is not None:
            try:
                path.write_text(document(), "utf-8")
            except OSError as error:
                _refuse(output, f"{path}: {error.strerror}")
    if as_json:
        output.document(json_document(found))
    else:
        show(found, Console(highlight=False, markup=False), every_rule=every_rule)


def _refuse(output: Output, problem: str) -> NoReturn:
    output.problem(problem)
    raise typer.Exit(REFUSED)
