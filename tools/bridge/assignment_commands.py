"""`bridge assignment`: who may see and steer what."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from ocpi_bridge.domain.assignments import Assignment, Right, Scope, Share
from ocpi_bridge.domain.errors import BridgeError, InvalidInput
from ocpi_bridge.domain.registration import RegistrationRefused
from ocpi_bridge.domain.times import in_utc
from tools.bridge import files, rules
from tools.bridge.session import Session, command

app = typer.Typer(
    no_args_is_help=True, help="Assignments: who may see and steer what. Without one a partner sees nothing."
)


class OptionsRefused(BridgeError):
    """The assignment that the options describe cannot be taken; each problem names its option."""

    def __init__(self, problems: Iterable[InvalidInput]) -> None:
        options = ((_OPTIONS.get(problem.field.removeprefix(_PLACE), problem.field), problem) for problem in problems)
        super().__init__("\n".join(f"{option}: {problem.problem}" for option, problem in options))


@dataclass(frozen=True, slots=True)
class _One:
    """The options for one assignment."""

    partner: str | None = None
    scope: Scope | None = None
    key: str | None = None
    right: Right | None = None
    since: datetime | None = None
    until: datetime | None = None
    consent: str | None = None
    shares: tuple[Share, ...] = ()

    def assignment(self, now: datetime) -> Assignment:
        """The assignment. Raises typer.BadParameter where an option is missing."""
        if self.partner is None or self.scope is None or self.key is None or self.right is None:
            needed = ("partner", "scope", "key", "right")
            missing = ", ".join(f"--{name}" for name in needed if getattr(self, name) is None)
            raise typer.BadParameter(f"one assignment needs {missing}, too")
        return Assignment(
            partner_id=self.partner,
            scope=self.scope,
            key=self.key,
            right=self.right,
            valid_from=self.since or now,
            valid_until=self.until,
            consent=self.consent or "",
            shares=frozenset(self.shares),
        )


_NOTHING = _One()
# Where the registry finds a problem, and the option that it comes from.
_PLACE = "assignments.0."
_OPTIONS = {
    "partner_id": "--partner",
    "key": "--key",
    "right": "--right",
    "valid_until": "--until",
    "consent": "--consent",
}
_COLUMNS = ("partner_id", "scope", "key", "right", "valid_from", "valid_until", "shares", "consent")


def parse_instant(text: str) -> datetime:
    """An instant as files have it (RFC 3339); without a zone it is UTC."""
    try:
        return in_utc(datetime.fromisoformat(text))
    except ValueError:
        raise typer.BadParameter("is a time such as 2026-12-31T23:00:00Z, or a date") from None


_ONE = "One assignment, instead of a file"


@command(app, "add")
def add(
    session: Session,
    file: Annotated[
        Path | None, typer.Argument(metavar="FILE", help="Assignments as JSON (docs/configuration.md).")
    ] = None,
    partner: Annotated[str | None, typer.Option(metavar="ID", rich_help_panel=_ONE, help="Who.")] = None,
    scope: Annotated[Scope | None, typer.Option(rich_help_panel=_ONE, help="What kind of thing.")] = None,
    key: Annotated[
        str | None,
        typer.Option(
            metavar="KEY",
            rich_help_panel=_ONE,
            help="Which one: the EVSE's uid, the location's id, the token's uid, the contract's id, or CC/PPP of the eMSP.",
        ),
    ] = None,
    right: Annotated[
        Right | None, typer.Option(rich_help_panel=_ONE, help="`see` its sessions, or `steer` (and see) them.")
    ] = None,
    since: Annotated[
        datetime | None,
        typer.Option(
            "--from", metavar="TIME", parser=parse_instant, rich_help_panel=_ONE, help="From now if not given."
        ),
    ] = None,
    until: Annotated[
        datetime | None,
        typer.Option(metavar="TIME", parser=parse_instant, rich_help_panel=_ONE, help="Without end if not given."),
    ] = None,
    consent: Annotated[
        str | None,
        typer.Option(metavar="TEXT", rich_help_panel=_ONE, help="Where the permission comes from, for your records."),
    ] = None,
    share: Annotated[
        list[Share] | None,
        typer.Option(
            "--share",
            rich_help_panel=_ONE,
            help="What the person has consented to share: without it the partner gets pseudonyms instead of the token's "
            "uid and contract id, and no state of charge. May be given twice; asks for --consent.",
        ),
    ] = None,
) -> None:
    """Add assignments from a file, or the one that the options describe.

    Each replaces the same partner's earlier one for the same EVSE, location, token .... It counts at once, for sessions
    that are under way too. Nothing is written when anything is wrong; adding the same again is harmless.
    """
    registry = session.deployment.registry
    given = _One(partner, scope, key, right, since, until, consent, tuple(share or ()))
    if (file is None) == (given == _NOTHING):
        raise typer.BadParameter("give either a FILE, or --partner, --scope, --key and --right")
    if file is not None:
        assignments = files.read_assignments(file)
        try:
            registry.add_assignments(assignments)
        except RegistrationRefused as refused:
            raise files.FileRefused(file, refused.problems) from refused
    else:
        assignments = (given.assignment(datetime.now(UTC)),)
        problems = list(rules.check_assignment(assignments[0], _PLACE))
        if problems:
            raise OptionsRefused(problems)
        try:
            registry.add_assignments(assignments)
        except RegistrationRefused as refused:
            raise OptionsRefused(refused.problems) from refused
    session.output.done({"assignments": len(assignments)}, f"{len(assignments)} assignment(s) are in force.")


@command(app, "list")
def list_all(
    session: Session,
    partner: Annotated[str | None, typer.Option(metavar="ID", help="Only this partner's.")] = None,
    scope: Annotated[Scope | None, typer.Option(help="Only those of this scope.")] = None,
    valid: Annotated[
        bool, typer.Option("--valid", help="Only those in force now, neither ended nor yet to begin.")
    ] = False,
) -> None:
    """List assignments."""
    now = datetime.now(UTC)
    assignments = session.deployment.registry.list_assignments(partner, scope)
    documents = [files.assignment_document(one) for one in assignments if not valid or one.valid(now)]
    session.output.table(
        documents,
        ("partner", "scope", "key", "right", "from", "until", "shares", "consent"),
        (tuple(_cell(document.get(name)) for name in _COLUMNS) for document in documents),
        none="There is no such assignment.",
    )


@command(app, "revoke")
def revoke(
    session: Session,
    partner_id: Annotated[str, typer.Argument(metavar="PARTNER", help="The partner's id.")],
    scope: Annotated[Scope, typer.Argument(help="The assignment's scope.")],
    key: Annotated[str, typer.Argument(metavar="KEY", help="The EVSE's uid, the location's id, the token's uid, ....")],
) -> None:
    """Revoke an assignment. It counts no more, for sessions under way either: a plan that rests on it is cleared."""
    revoked = session.deployment.registry.revoke_assignment(partner_id, scope, key)
    session.output.done(
        files.assignment_document(revoked),
        f"Partner {partner_id} may no longer {revoked.right} {scope} {revoked.key}.",
    )


def _cell(value: files.Json) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "-"
    return str(value or "-")
