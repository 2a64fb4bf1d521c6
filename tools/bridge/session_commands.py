"""`bridge session`: the sessions that are under way, what became of one, its picture, and an end that nobody told."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from ocpi_bridge.domain.errors import UnknownEntity
from ocpi_bridge.domain.histories import Happening, History
from ocpi_bridge.domain.sessions import Session as ChargingSession
from ocpi_bridge.rendering.story import story_page
from ocpi_bridge.usecases.session_story import LookBack
from tools.bridge import files
from tools.bridge.questions import Yes, agreed
from tools.bridge.session import Session, command
from tools.bridge.takeover import Concerned
from tools.bridge.takeover_commands import StationOption
from tools.bridge.wording import moment, rough

app = typer.Typer(no_args_is_help=True, help="Sessions: those under way, what became of one, its picture, and its end.")

# More lines than anybody reads; each costs two items to read.
DEFAULT_MOST, LARGEST_MOST = 100, 1000

SessionId = Annotated[str, typer.Argument(metavar="SESSION", help="The session's id.")]
AnyId = Annotated[
    str, typer.Argument(metavar="ID", help="Of a session, of one of its requests, or CSMS/STATION for its newest one.")
]


@command(app, "list")
def list_live(
    session: Session,
    partner: Annotated[str | None, typer.Option(metavar="ID", help="Those that a partner sees.")] = None,
    station: StationOption = None,
    most: Annotated[
        int, typer.Option("--most", metavar="N", min=1, max=LARGEST_MOST, help="List at most so many of a partner.")
    ] = DEFAULT_MOST,
) -> None:
    """List the sessions that are not over: of a station, of a partner, or without either of all partners.

    Those that no partner may see are listed by their station only.
    """
    if partner is not None and station is not None:
        raise typer.BadParameter("give --partner or --station, not both")
    takeover = session.deployment.takeover
    with session.output.progress("Reading the sessions ..."):
        if station is not None:
            found = takeover.concerned(takeover.station(station))
        else:
            found = takeover.seen_by([partner] if partner is not None else None, most)
    session.output.table(
        [_live_document(one) for one in found],
        ("session", "status", "station", "EVSE", "steered by", "plan", "kWh", "since", "heard of"),
        (_row(one, session) for one in found),
        none="No session is under way there.",
    )


@command(app, "show")
def show(session: Session, any_id: AnyId) -> None:
    """Show a session: how it stands, what its partners know, and what happened, in order.

    Nobody's card or contract is shown. `bridge trace` adds what the functions logged.
    """
    history = _history(session, any_id)
    session.output.done(_document(history), *_lines(history))


@command(app, "plot")
def plot(
    session: Session,
    any_id: AnyId,
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="Where the page is written to.")] = Path(
        "session.html"
    ),
) -> None:
    """Write a session's picture and story as one HTML page: what was asked for, confirmed and measured, and what happened.

    It is the page of the dashboard's widget, in this machine's time zone. It needs nothing from the network, and nothing
    is opened.
    """
    history = _history(session, any_id)
    zone = datetime.now().astimezone().tzinfo
    assert zone is not None
    try:
        out.write_text(story_page(history, zone), "utf-8")
    except OSError as error:
        raise files.FileRefused.unwritable(out, error) from error
    session.output.done(
        {"session_id": history.session.session_id, "file": str(out)},
        f"Session {history.session.session_id} is in {out}.",
    )


@command(app, "close")
def close(session: Session, session_id: SessionId, yes: Yes = False) -> None:
    """End a session that will never end by itself: the CSMS lost its end, or the charge point is gone.

    It is taken in as the CSMS's own end would be, so that all follows from it that follows from one: partners are told
    COMPLETED, a plan that is installed is cleared, and nothing can be steered any more. It cannot be undone; events of the
    CSMS that come later change nothing. Another car at the same place ends it by itself, 15 minutes later.
    """
    takeover = session.deployment.takeover
    target = takeover.session(session_id)
    known = target.session
    assert known is not None
    place = f"{known.csms_id}/{known.station_id}, EVSE {known.evse_uid}"
    heard = rough(takeover.clock.now() - known.last_event_at)
    agreed(
        f"Session {known.session_id} at {place} was last heard of {heard} ago. End it now, for all partners, for good?",
        yes=yes,
    )
    closed = takeover.close(target)
    session.output.done(
        {"session_id": closed.session_id, "status": closed.status.value, "end": files.to_json(closed.end)},
        f"Session {closed.session_id} is {closed.status.value}, with {closed.kwh} kWh. Its partners are being told.",
    )


def _history(session: Session, any_id: str) -> History:
    tracer = session.deployment.tracer()
    history = LookBack(tracer.stories, tracer.clock)(any_id)
    if history is None:
        raise UnknownEntity("session", any_id)
    return history


# --- Forms -----------------------------------------------------------------------------------------------------------


def _live_document(one: Concerned) -> dict[str, files.Json]:
    return {**_session_document(one.session), "plan": one.steered}


def _row(one: Concerned, session: Session) -> Sequence[str]:
    known, now = one.session, session.deployment.takeover.clock.now()
    return (
        known.session_id,
        known.status.value,
        f"{known.csms_id}/{known.station_id}",
        known.evse_uid,
        known.rights.steered_by or "-",
        "yes" if one.steered else "-",
        str(known.kwh),
        moment(known.start),
        f"{rough(now - known.last_event_at)} ago",
    )


def _session_document(known: ChargingSession) -> dict[str, files.Json]:
    """Without the driver."""
    return {
        "session_id": known.session_id,
        "status": known.status.value,
        "csms_id": known.csms_id,
        "station_id": known.station_id,
        "evse_uid": known.evse_uid,
        "transaction_id": known.transaction_id,
        "kwh": files.to_json(known.kwh),
        "start": files.to_json(known.start),
        "end": files.to_json(known.end),
        "last_event_at": files.to_json(known.last_event_at),
        "seen_by": [*sorted(known.rights.seen_by)],
        "steered_by": known.rights.steered_by,
        "steering_suspended": known.steering_suspended,
    }


def _document(history: History) -> dict[str, files.Json]:
    return {
        "session": _session_document(history.session),
        "partners": [
            {
                "partner_id": one.partner_id,
                "sees": one.sees,
                "steers": one.steers,
                "told_at": files.to_json(one.told_at),
                "active_profile_told_at": files.to_json(one.heard_at),
                "in_doubt": one.in_doubt,
                "failures": one.failures,
            }
            for one in history.partners
        ],
        "pending": [one.request_id for one in history.pending],
        "happenings": [
            {
                "at": files.to_json(one.at),
                "by": one.by.value,
                "name": one.name,
                "what": one.what,
                "result": one.result or None,
                "request_id": one.request_id,
            }
            for one in history.happenings
        ],
        "earlier_requests": history.earlier_requests,
        "others": [*history.others],
    }


def _lines(history: History) -> Iterator[str]:
    known = history.session
    yield f"Session {known.session_id}: {known.status.value}, {known.kwh} kWh since {moment(known.start)}"
    yield f"at {known.csms_id}/{known.station_id}, EVSE {known.evse_uid}, transaction {known.transaction_id or '-'}"
    for one in history.partners:
        rights = "steers" if one.steers else "sees" if one.sees else "saw"
        told = f"has it as of {moment(one.told_at)}" if one.told_at is not None else "was not told of it yet"
        doubt = ", but a later push is in doubt" if one.in_doubt else ""
        failures = f", {one.failures} push(es) failed since" if one.failures else ""
        yield f"partner {one.partner_id} {rights} it, and {told}{doubt}{failures}"
    if history.in_the_dark:
        yield "what the last command left at the charge point is not known; the bridge finds out"
    yield ""
    if history.earlier_requests:
        yield "(it has older requests than these)"
    yield from map(_happening, history.happenings)
    if history.pending:
        yield f"{len(history.pending)} request(s) wait: {', '.join(one.request_id for one in history.pending)}"
    if history.others:
        yield f"other sessions there: {', '.join(history.others)}"


def _happening(one: Happening) -> str:
    who = f"{one.by.value} {one.name}" if one.name else one.by.value
    took = f" ({one.took.total_seconds():.1f} s)" if one.took is not None else ""
    return f"{moment(one.at)}  {who}: {one.what}{f' - {one.result}' if one.result else ''}{took}"
