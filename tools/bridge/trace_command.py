"""`bridge trace`: the whole story of a request or a session, from tables and logs, by whatever id is at hand."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Annotated

import typer
from rich.text import Text

from tools.bridge import files
from tools.bridge.session import Session
from tools.bridge.tracing import TABLES, Trace, Traced

DEFAULT_HOURS = 24
# As long as the longest retention of the default stages' logs.
MOST_HOURS = 24 * 90

AnyId = Annotated[
    str,
    typer.Argument(
        metavar="ID",
        help="Of a request or a session, CSMS/STATION, a correlation id, an X-Request-ID, or a transaction's.",
    ),
]
Hours = Annotated[
    float,
    typer.Option(
        "--hours",
        metavar="N",
        min=0.1,
        max=MOST_HOURS,
        help="How far back logs are searched for an id that only logs know: the last three kinds.",
    ),
]


def trace(session: Session, any_id: AnyId, hours: Hours = DEFAULT_HOURS) -> None:
    """Tell all that happened to a request or in a session, in order: each hop of every function, and what came of it.

    The tables tell what there is, the functions' logs how it came about: of the time of the request, or of the last day
    of the session. What was left out is told. No token, no driver and no URL is shown, for none is in the logs.
    """
    with session.output.progress("Looking into tables and logs ..."):
        found = session.deployment.tracer()(any_id, timedelta(hours=hours))
    session.output.done(_document(found), *_lines(found))


def _document(found: Trace) -> files.Json:
    first = found.events[0].at if found.events else None
    return {
        "session_id": found.session_id,
        "requests": [one.request_id for one in found.requests],
        "events": [
            {
                "at": files.to_json(one.at),
                "seconds": (one.at - first).total_seconds() if first is not None else 0,
                "where": one.where,
                "what": one.what,
                "outcome": one.outcome or None,
                "reason": one.reason or None,
                "request_id": one.request_id or None,
            }
            for one in found.events
        ],
        "left_out": [*found.left_out],
    }


def _lines(found: Trace) -> Iterator[Text]:
    if found.session_id is not None:
        count = len(found.requests)
        yield Text(f"Session {found.session_id}, {count} request{'' if count == 1 else 's'}; times are UTC.")
    width = max((len(one.where) for one in found.events), default=0)
    for one in found.events:
        yield _line(one, found.events[0], width)
    for sentence in found.left_out:
        yield Text(sentence, style="yellow")


def _line(one: Traced, first: Traced, width: int) -> Text:
    clock = f"{one.at:%m-%d %H:%M:%S}.{one.at.microsecond // 1000:03d}"
    passed = f"+{(one.at - first.at).total_seconds():.3f}"
    told = ": ".join(part for part in (one.outcome, one.reason) if part)
    return Text.assemble(
        (f"{clock}  {passed:>10}  ", "dim"),
        (f"{one.where:<{width}}  ", "cyan" if one.where == TABLES else "bold"),
        one.what,
        f" - {told}" if told else "",
    )
