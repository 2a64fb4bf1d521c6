"""`bridge steering`, `bridge release`, `bridge cap`: the CPO's own word comes before any partner's."""

from collections.abc import Iterable
from datetime import timedelta
from decimal import Decimal, InvalidOperation
from typing import Annotated

import typer

from tools.bridge import files
from tools.bridge.questions import Yes, agreed
from tools.bridge.session import TO_BE_CONTINUED, Session, command
from tools.bridge.takeover import Concerned, Takeover, Target

app = typer.Typer()
steering_app = typer.Typer(
    no_args_is_help=True,
    help="Steering: take a station, an EVSE or a session back from the partners, and give it again.",
)
cap_app = typer.Typer(
    no_args_is_help=True, help="Caps: the most that you allow at an EVSE, whatever a partner asks for."
)
app.add_typer(steering_app, name="steering")
app.add_typer(cap_app, name="cap")

# Long enough for a CSMS that answers after its timeout, with one more attempt.
DEFAULT_WAIT_SECONDS = 120
MAX_WAIT_SECONDS = 3600


def parse_station(text: str) -> Target:
    """A station as options name it: `CSMS/STATION`."""
    csms_id, _, station_id = text.partition("/")
    if not csms_id or not station_id:
        raise typer.BadParameter("is CSMS/STATION: the CSMS's id and the station's OCPP identity")
    return Target(csms_id, station_id)


def parse_watts(text: str) -> Decimal:
    """A power in W."""
    try:
        watts = Decimal(text)
    except InvalidOperation:
        raise typer.BadParameter("is a number of W") from None
    if not watts.is_finite() or watts < 0:
        raise typer.BadParameter("must be 0 W or more")
    return watts


StationOption = Annotated[
    Target | None, typer.Option(metavar="CSMS/STATION", parser=parse_station, help="A whole station.")
]
EvseOption = Annotated[str | None, typer.Option(metavar="UID", help="One EVSE, by OCPI's uid.")]
SessionOption = Annotated[str | None, typer.Option("--session", metavar="ID", help="One session that is not over.")]
CsmsOption = Annotated[str | None, typer.Option("--all", metavar="CSMS", help="All stations of a CSMS.")]
EvseUid = Annotated[str, typer.Option("--evse", metavar="UID", help="The EVSE, by OCPI's uid.")]


@command(steering_app, "off")
def off(
    session: Session,
    station: StationOption = None,
    evse: EvseOption = None,
    session_id: SessionOption = None,
    all_of: CsmsOption = None,
    yes: Yes = False,
) -> None:
    """Take it back: plans there are cleared within seconds, partners are told, and their PUTs are REJECTED from now on.

    It holds until `bridge steering on` for the same station, EVSE or session; a session's word ends with the session.
    """
    takeover = session.deployment.takeover
    targets = _targets(takeover, station, evse, session_id, all_of)
    if all_of is not None:
        agreed(f"Take {len(targets)} station(s) of CSMS {all_of} back from all partners?", yes=yes)
    concerned = takeover.steer(targets, suspended=True)
    _tell(session, targets, concerned, "off", "is being released")


@command(steering_app, "on")
def on(
    session: Session,
    station: StationOption = None,
    evse: EvseOption = None,
    session_id: SessionOption = None,
    all_of: CsmsOption = None,
    yes: Yes = False,
) -> None:
    """Give it to the partners again. What was taken back by another name stays: an EVSE of a station that is given again.

    No plan comes back by itself: partners are told, and set a new one.
    """
    takeover = session.deployment.takeover
    targets = _targets(takeover, station, evse, session_id, all_of)
    if all_of is not None:
        agreed(f"Give {len(targets)} station(s) of CSMS {all_of} to the partners again?", yes=yes)
    concerned = takeover.steer(targets, suspended=False)
    _tell(session, targets, concerned, "on", "has a plan")


@command(steering_app, "show")
def show(
    session: Session,
    station: StationOption = None,
    evse: EvseOption = None,
    session_id: SessionOption = None,
    all_of: CsmsOption = None,
) -> None:
    """Show what is off: of one target with its live sessions, or, without one, all stations and EVSEs."""
    takeover = session.deployment.takeover
    taken_back = takeover.taken_back()
    if station is None and evse is None and session_id is None and all_of is None:
        session.output.table(
            [
                files.to_json({"csms": one.csms_id, "station": one.station_id, "evse": one.evse_uid})
                for one in taken_back
            ],
            ("CSMS", "station", "EVSE"),
            ((one.csms_id, one.station_id, one.evse_uid or "all") for one in taken_back),
            none="Steering is off at no station.",
        )
        return
    targets = _targets(takeover, station, evse, session_id, all_of)
    content: list[files.Json] = []
    rows: list[tuple[str, ...]] = []
    for target in targets:
        by_name = [one for one in taken_back if (one.csms_id, one.station_id) == (target.csms_id, target.station_id)]
        for one in takeover.concerned(target):
            evses = [off.evse_uid for off in by_name]
            steering = not (one.session.steering_suspended or None in evses or one.session.evse_uid.casefold() in evses)
            content.append({**_document(one), "steering": steering})
            rows.append((*_row(one), "on" if steering else "off"))
    session.output.table(
        content, ("session", "station", "EVSE", "plan", "steering"), rows, none="There is no live session."
    )


@command(app, "release")
def release(
    session: Session,
    all_of_them: Annotated[bool, typer.Option("--all", help="All plans, of all partners, everywhere.")] = False,
    partner: Annotated[
        str | None, typer.Option(metavar="ID", help="Plans in the sessions that this partner sees.")
    ] = None,
    station: Annotated[
        Target | None, typer.Option(metavar="CSMS/STATION", parser=parse_station, help="Plans at one station.")
    ] = None,
    wait: Annotated[
        int,
        typer.Option(metavar="SECONDS", min=0, max=MAX_WAIT_SECONDS, help="How long to wait for the charge points."),
    ] = DEFAULT_WAIT_SECONDS,
    yes: Yes = False,
) -> None:
    """Clear the plans that are installed at charge points now, and wait until they are gone.

    Partners are told, and may set a new plan at once: `bridge steering off` keeps them from that. The exit code is 3, with
    the sessions, where a charge point did not answer in time; its plan ends with its transaction, or by the fail-safe.
    Before the stack is taken down, run `bridge steering off` and this. `bridge partner remove` releases by itself.
    """
    if sum((all_of_them, partner is not None, station is not None)) != 1:
        raise typer.BadParameter("give exactly one of --all, --partner and --station")
    takeover = session.deployment.takeover
    if all_of_them:
        agreed("Clear all plans of all partners at all charge points?", yes=yes)
    with session.output.progress("Looking for plans ...") as tell:
        if station is not None:
            targets: tuple[Target, ...] = (takeover.station(station),)
        else:
            targets = takeover.sessions_of(partner) if partner is not None else takeover.everything()
        released = takeover.release(targets)
        left = takeover.remaining(
            released, timedelta(seconds=wait), lambda count: tell(f"{count} of {len(released)} plan(s) still installed")
        )
    remaining = [one.session_id for one in left]
    gone = len(released) - len(remaining)
    sentences = [f"{gone} plan(s) released." if released else "No plan is installed."]
    if remaining:
        sentences.append(f"{len(remaining)} could not be cleared yet, in session(s) {', '.join(remaining)}")
    session.output.done({"released": gone, "remaining": [*remaining]}, *sentences)
    if remaining:
        raise typer.Exit(TO_BE_CONTINUED)


@command(cap_app, "set")
def set_cap(
    session: Session,
    evse: EvseUid,
    watts: Annotated[
        Decimal, typer.Option(metavar="W", parser=parse_watts, help="The most that the EVSE may deliver, in W.")
    ],
) -> None:
    """Set a cap, for sessions that are under way too. It counts beside the registry's own `cap_w`: the lower one does."""
    concerned = session.deployment.takeover.cap(evse, watts)
    session.output.done(
        {"evse_uid": evse, "cap_w": files.to_json(watts), "sessions": [*map(_document, concerned)]},
        f"EVSE {evse} delivers at most {watts:f} W. {_counted(concerned)}",
    )


@command(cap_app, "lift")
def lift_cap(session: Session, evse: EvseUid) -> None:
    """Lift a cap that an event or `bridge cap set` set. The registry's own `cap_w` stays."""
    concerned = session.deployment.takeover.cap(evse, None)
    session.output.done(
        {"evse_uid": evse, "cap_w": None, "sessions": [*map(_document, concerned)]},
        f"The cap of EVSE {evse} is lifted. {_counted(concerned)}",
    )


def _targets(
    takeover: Takeover,
    station: Target | None,
    evse: str | None,
    session_id: str | None,
    csms_id: str | None,
) -> tuple[Target, ...]:
    """The one thing that the options name. Raises typer.BadParameter and UnknownEntity."""
    if sum(given is not None for given in (station, evse, session_id, csms_id)) != 1:
        raise typer.BadParameter("give exactly one of --station, --evse, --session and --all")
    if station is not None:
        return (takeover.station(station),)
    if evse is not None:
        return (takeover.evse(evse),)
    return (takeover.session(session_id),) if session_id is not None else takeover.all_of(csms_id or "")


def _tell(session: Session, targets: Iterable[Target], concerned: Iterable[Concerned], now: str, plan: str) -> None:
    stations = sorted({f"{target.csms_id}/{target.station_id}" for target in targets})
    listed = [*concerned]
    sentences = [f"Steering is {now} at {', '.join(stations) or 'no station'}. {_counted(listed)}"]
    for one in listed:
        told = f"; {plan}" if one.steered else ""
        sentences.append(f"Session {one.session.session_id} at EVSE {one.session.evse_uid}{told}")
    session.output.done({"steering": now, "stations": [*stations], "sessions": [*map(_document, listed)]}, *sentences)


def _counted(concerned: Iterable[Concerned]) -> str:
    count = len([*concerned])
    return f"{count} live session(s) concerned." if count else "No live session is concerned."


def _document(concerned: Concerned) -> dict[str, files.Json]:
    session = concerned.session
    return {
        "session_id": session.session_id,
        "station": f"{session.csms_id}/{session.station_id}",
        "evse_uid": session.evse_uid,
        "plan_installed": concerned.steered,
    }


def _row(concerned: Concerned) -> tuple[str, ...]:
    session = concerned.session
    plan = "installed" if concerned.steered else "-"
    return session.session_id, f"{session.csms_id}/{session.station_id}", session.evse_uid, plan
