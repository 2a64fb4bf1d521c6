"""`bridge erase`: everything that the bridge keeps of a person."""

from typing import Annotated

import typer

from ocpi_bridge.domain.events import IdToken
from tools.bridge import files
from tools.bridge.privacy import Kept
from tools.bridge.session import TO_BE_CONTINUED, Session, command

app = typer.Typer()


@command(app, "erase")
def erase(
    session: Session,
    token: Annotated[str, typer.Option(metavar="UID", help="The uid of the person's token.")],
    contract: Annotated[
        str | None,
        typer.Option(metavar="ID", help="The contract's id too: all sessions of it, whatever token they began with."),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do it. Without, it is only told what there is.")] = False,
) -> None:
    """Erase a person: the sessions of a token, and the assignments and pairing codes that name it.

    A session that is not over loses the token at once and is erased when it is over: run the command again then; the exit
    code is 3 as long as there is one. What else keeps personal data, and for how long, says docs/privacy.md.
    """
    person = IdToken(uid=token, contract_id=contract)
    erasure = session.deployment.erasure
    kept = erasure.erase(person) if yes else erasure.find(person)
    session.output.done({"erased": yes, **_document(kept)}, *_sentences(kept, done=yes))
    if yes and kept.live:
        raise typer.Exit(TO_BE_CONTINUED)


def _document(kept: Kept) -> dict[str, files.Json]:
    return {
        "sessions": [*kept.over],
        "live_sessions": [*kept.live],
        "assignments": [files.assignment_document(one) for one in kept.assignments],
        "pairing_codes": len(kept.codes),
    }


def _sentences(kept: Kept, *, done: bool) -> tuple[str, ...]:
    if kept.nothing:
        return ("Nothing is kept of this person.",)
    parts = (
        f"{len(kept.over)} session(s), {len(kept.assignments)} assignment(s) and {len(kept.codes)} pairing code(s)",
        f"{len(kept.live)} session(s)",
    )
    if not done:
        dry = f"{parts[0]} would be erased. Nothing has been changed: --yes does it."
        return (dry, f"{parts[1]} not over yet would lose the token.") if kept.live else (dry,)
    told = f"{parts[0]} erased."
    return (
        (told, f"{parts[1]} not over yet: without the token now; run this again when they are over.")
        if kept.live
        else (told,)
    )
