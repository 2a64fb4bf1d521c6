"""`bridge assignment`: who may see and steer what."""

from pathlib import Path
from typing import Annotated

import typer

from ocpi_bridge.domain.assignments import Scope
from ocpi_bridge.domain.registration import RegistrationRefused
from tools.bridge import files
from tools.bridge.session import Session, command

app = typer.Typer(
    no_args_is_help=True, help="Assignments: who may see and steer what. Without one a partner sees nothing."
)


@command(app, "add")
def add(
    session: Session,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Assignments as JSON (docs/configuration.md).")],
) -> None:
    """Add assignments. Each replaces the same partner's earlier one for the same EVSE, location, token ....

    Nothing is written when anything is wrong. Adding the same file again is harmless.
    """
    assignments = files.read_assignments(file)
    try:
        session.deployment.registry.add_assignments(assignments)
    except RegistrationRefused as refused:
        raise files.FileRefused(file, refused.problems) from refused
    session.output.done({"assignments": len(assignments)}, f"{len(assignments)} assignment(s) are in force.")


@command(app, "list")
def list_all(
    session: Session,
    partner: Annotated[str | None, typer.Option(metavar="ID", help="Only this partner's.")] = None,
    scope: Annotated[Scope | None, typer.Option(help="Only those of this scope.")] = None,
) -> None:
    """List assignments."""
    assignments = session.deployment.registry.list_assignments(partner, scope)
    documents = [files.assignment_document(assignment) for assignment in assignments]
    session.output.table(
        documents,
        ("partner", "scope", "key", "right", "from", "until", "consent"),
        (
            tuple(
                str(document.get(name, "-"))
                for name in ("partner_id", "scope", "key", "right", "valid_from", "valid_until", "consent")
            )
            for document in documents
        ),
        none="There is no such assignment.",
    )


@command(app, "revoke")
def revoke(
    session: Session,
    partner_id: Annotated[str, typer.Argument(metavar="PARTNER", help="The partner's id.")],
    scope: Annotated[Scope, typer.Argument(help="The assignment's scope.")],
    key: Annotated[str, typer.Argument(metavar="KEY", help="The EVSE's uid, the location's id, the token's uid, ....")],
) -> None:
    """Revoke an assignment. It no longer counts for sessions that start from now on."""
    revoked = session.deployment.registry.revoke_assignment(partner_id, scope, key)
    session.output.done(
        files.assignment_document(revoked),
        f"Partner {partner_id} may no longer {revoked.right} {scope} {revoked.key}.",
    )
