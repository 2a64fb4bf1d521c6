"""`bridge dlq`: what was given up, why, and what to do about it (docs/dead-letters.md)."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated

import typer

from ocpi_bridge.domain.requests import Request
from tools.bridge import files
from tools.bridge.dlq_entries import Entry, Standing
from tools.bridge.dlq_redrive import MOST, Done, Found, Listed
from tools.bridge.operations import OperationRefused
from tools.bridge.questions import Yes, agreed
from tools.bridge.request_documents import request_document
from tools.bridge.session import TO_BE_CONTINUED, Session, command
from tools.bridge.wording import lines, moment, rough, whole_seconds

app = typer.Typer(
    no_args_is_help=True,
    help="What was given up: look at it, have it done again, or delete it (docs/dead-letters.md).",
)

# More at once would take longer than letters are held.
MOST_AT_ONCE = 1000
# What a table shows of an id; it is enough to name an entry by.
SHORT = 8

EntryId = Annotated[str, typer.Argument(metavar="ENTRY", help="The id of an entry, or how it begins.")]
EntryOrNone = Annotated[
    str | None, typer.Argument(metavar="ENTRY", help="The id of an entry, or how it begins; else --queue.")
]
Queue = Annotated[
    str | None, typer.Option("--queue", metavar="NAME", help="Only this queue, such as result-callbacks.")
]
Most = Annotated[
    int, typer.Option("--most", metavar="N", min=1, max=MOST_AT_ONCE, help="Read at most so many of each queue.")
]


@command(app, "list")
def list_entries(session: Session, queue: Queue = None, most: Most = MOST) -> None:
    """List the queues with what lies in them: why, how often it was tried, whom it is about, and since when.

    Looking changes nothing: what was read lies there again at once.
    """
    letters = session.deployment.dead_letters
    with session.output.progress("Reading the dead-letter queues ..."):
        listed = [*letters.listed(queue, most)]
    now = letters.clock.now()
    session.output.tables(
        [_queue_document(one, now) for one in listed],
        (("queue", "letters", "oldest", "not read"), [_queue_row(one, now) for one in listed]),
        (
            ("entry", "queue", "reason", "tried", "partner", "session", "request", "age"),
            [_row(entry, now) for one in listed for entry, _ in one.entries],
        ),
    )


@command(app, "show")
def show(session: Session, entry: EntryId, queue: Queue = None, most: Most = MOST) -> None:
    """Show all of an entry, how its request and session stand now, and what a redrive would do.

    Of what a CSMS sent, everything that might be a person's is masked.
    """
    letters = session.deployment.dead_letters
    found = letters.find(entry, queue, most)
    document = _full_document(found, letters.clock.now())
    session.output.done(document, *lines(document))


@command(app, "redrive")
def redrive(
    session: Session, entry: EntryOrNone = None, queue: Queue = None, most: Most = MOST, yes: Yes = False
) -> None:
    """Have it done again: one entry, or all of a queue. What would lead to nothing is left where it is.

    A result whose timeout is over asks first: the partner stopped waiting, and OCPI wants nothing old sent again (4.4).
    The exit code is 3 where entries of the queue were not read: run it again.
    """
    letters = session.deployment.dead_letters
    found, unread = _chosen(session, entry, queue, most)
    if entry is not None and not found[0].effect.useful:
        raise OperationRefused(f"a redrive would do {found[0].effect.does}; `bridge dlq discard` removes the entry")
    stale = [one for one in found if one.effect.stale]
    if stale:
        agreed(_stale_question(stale, letters.clock.now()), yes=yes)
    _tell(session, found, letters.redrive(found, most), unread)


@command(app, "discard")
def discard(
    session: Session, entry: EntryOrNone = None, queue: Queue = None, most: Most = MOST, yes: Yes = False
) -> None:
    """Delete for good: one entry, or all of a queue. It asks first.

    The exit code is 3 where entries of the queue were not read: run it again.
    """
    letters = session.deployment.dead_letters
    found, unread = _chosen(session, entry, queue, most)
    if found:
        what = f"entry {found[0].entry.entry_id}" if entry is not None else f"{len(found)} entries"
        undone = sum(one.effect.useful for one in found)
        rest = f" {undone} of them could still be redriven." if undone else ""
        agreed(f"Delete {what} of {found[0].entry.queue.name} for good?{rest}", yes=yes)
    _tell(session, found, letters.discard(found, most), unread)


def _chosen(session: Session, entry: str | None, queue: str | None, most: int) -> tuple[list[Found], int]:
    """The entries that are meant, and how many of their queue were not read."""
    letters = session.deployment.dead_letters
    if entry is not None:
        return [letters.find(entry, queue, most)], 0
    if queue is None:
        raise typer.BadParameter("give an ENTRY, or --queue for all of a queue")
    [listed] = letters.listed(queue, most)
    return [letters.judged(one, request) for one, request in listed.entries], listed.looked.unread


def _stale_question(stale: Sequence[Found], now: datetime) -> str:
    return "\n".join([*(_stale_sentence(one, now) for one in stale), "Deliver all the same?"])


def _stale_sentence(found: Found, now: datetime) -> str:
    """What the partner would be told, how late, and what it knows better by now."""
    request, entry = found.standing.request, found.entry
    if request is None or request.result is None:
        raise ValueError("a stale result has its request")
    told_at = found.standing.profile_told_at
    if told_at is not None and told_at >= request.created_at:
        truth = f"The truth was told already: a push of the active profile, at {moment(told_at)}."
    else:
        truth = "No push of the active profile has reached it since; changes are pushed as long as the session goes on."
    return (
        f"Partner {entry.partner_id} would be told {request.result.value} for its {request.kind.value} on session "
        f"{entry.session_id}. It was told to wait until {moment(request.timeout_at)}, {rough(now - request.timeout_at)} "
        f"ago, and takes it for failed. {truth}"
    )


def _tell(session: Session, found: Sequence[Found], done: Mapping[str, Done], unread: int) -> None:
    by_end: dict[str, list[files.Json]] = {end.value: [] for end in Done}
    sentences: list[str] = []
    for one in found:
        end = done[one.entry.entry_id]
        by_end[end.value].append(one.entry.entry_id)
        sentences.append(f"{one.entry.entry_id}: {_end(one, end)}")
    if not found:
        sentences.append("There is no entry.")
    if unread:
        sentences.append(f"About {unread} more were not read: run it again.")
    listed: dict[str, files.Json] = {name: [*entries] for name, entries in by_end.items()}
    session.output.done({**listed, "not_read": unread}, *sentences)
    if unread:
        raise typer.Exit(TO_BE_CONTINUED)


def _end(found: Found, end: Done) -> str:
    match end:
        case Done.REDRIVEN:
            return f"on its way; {found.effect.does}"
        case Done.DISCARDED:
            return "deleted"
        case Done.GONE:
            return "is not there any more: somebody else was faster"
        case Done.LEFT:
            return found.effect.does if not found.effect.useful else "left: its result is on its way already"


# --- Forms -----------------------------------------------------------------------------------------------------------


def _queue_document(listed: Listed, now: datetime) -> files.Json:
    return {
        "queue": listed.queue.name,
        "letters": listed.looked.depth,
        "oldest_seconds": whole_seconds(now - listed.entries[0][0].at) if listed.entries else None,
        "not_read": listed.looked.unread,
        "entries": [_document(entry, request, now) for entry, request in listed.entries],
    }


def _queue_row(listed: Listed, now: datetime) -> tuple[str, ...]:
    oldest = rough(now - listed.entries[0][0].at) if listed.entries else "-"
    unread = str(listed.looked.unread) if listed.looked.unread else "-"
    return listed.queue.name, str(listed.looked.depth), oldest, unread


def _document(entry: Entry, request: Request | None, now: datetime) -> dict[str, files.Json]:
    failure = entry.letter.failure
    return {
        "entry": entry.entry_id,
        "queue": entry.queue.name,
        "error": entry.error,
        "reason": entry.reason,
        "where": failure.where if failure is not None else None,
        "attempts": entry.attempts,
        "partner_id": entry.partner_id,
        "session_id": entry.session_id,
        "request_id": entry.request_id,
        "request_state": request.state.value if request is not None else None,
        "host": entry.host,
        "status": entry.status,
        "about": dict(entry.about),
        "at": moment(entry.at),
        "age_seconds": whole_seconds(now - entry.at),
    }


def _full_document(found: Found, now: datetime) -> dict[str, files.Json]:
    attributes: dict[str, files.Json] = dict(found.entry.letter.attributes)
    return {
        **_document(found.entry, found.standing.request, now),
        "message": found.entry.content,
        "attributes": attributes,
        **_standing_document(found.standing),
        "redrive": {"does": found.effect.does, "useful": found.effect.useful, "asks": found.effect.stale},
    }


def _standing_document(standing: Standing) -> dict[str, files.Json]:
    """Without the response_url's query, and without the driver."""
    request, session = standing.request, standing.session
    told: dict[str, files.Json] = {"request": None, "session": None, "active_profile_told_at": None}
    if request is not None:
        told["request"] = request_document(request)
    if session is not None:
        told["session"] = {
            "status": session.status.value,
            "station": f"{session.csms_id}/{session.station_id}",
            "evse_uid": session.evse_uid,
            "last_updated": moment(session.last_updated),
            "seen_by": [*sorted(session.rights.seen_by)],
            "steered_by": session.rights.steered_by,
        }
    if standing.profile_told_at is not None:
        told["active_profile_told_at"] = moment(standing.profile_told_at)
    return told


def _row(entry: Entry, now: datetime) -> tuple[str, ...]:
    about = ", ".join(entry.about.values())
    return (
        entry.entry_id[:SHORT],
        entry.queue.name,
        f"{entry.reason} ({entry.host})" if entry.host else entry.reason,
        str(entry.attempts) if entry.attempts is not None else "-",
        entry.partner_id or "-",
        entry.session_id or about or "-",
        entry.request_id or "-",
        rough(now - entry.at),
    )
