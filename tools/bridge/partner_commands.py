"""`bridge partner`: the Smart Charging Service Providers."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from ocpi_bridge.domain.errors import UnknownEntity
from tools.bridge import files, operations
from tools.bridge.partner_secrets import how_to_give
from tools.bridge.questions import Yes, agreed
from tools.bridge.session import Session, command
from tools.bridge.sources import FORMS, Source, parse_source

app = typer.Typer(
    no_args_is_help=True, help="Partners: the Smart Charging Service Providers that see and steer sessions."
)

File = Annotated[Path, typer.Argument(metavar="FILE", help="The partner as JSON (docs/configuration.md).")]
PartnerId = Annotated[str, typer.Argument(metavar="PARTNER", help="The partner's id.")]
PresentToken = Annotated[
    Source | None,
    typer.Option(
        metavar="SOURCE",
        parser=parse_source,
        help=f"The token that we present to the partner, from {FORMS}.",
    ),
]
ClientSecret = Annotated[
    Source | None,
    typer.Option(
        metavar="SOURCE",
        parser=parse_source,
        help=f"With OAuth 2.0: our client secret at the partner's authorization server, from {FORMS}.",
    ),
]
ApiKey = Annotated[
    Source | None,
    typer.Option(
        metavar="SOURCE",
        parser=parse_source,
        help=f"With OAuth 2.0: the API key that goes beside the access token, from {FORMS}.",
    ),
]
AcceptToken = Annotated[
    Source | None,
    typer.Option(
        metavar="SOURCE",
        parser=parse_source,
        help=f"The token that the partner presents to us, from {FORMS}. Without it one is made, and shown once.",
    ),
]


@command(app, "add")
def add(
    session: Session,
    file: File,
    present_token: PresentToken = None,
    accept_token: AcceptToken = None,
    client_secret: ClientSecret = None,
    api_key: ApiKey = None,
) -> None:
    """Add a partner that needs no handshake: its endpoints, and the tokens of both sides, come from you.

    It sees and steers nothing until assignments say so (`bridge assignment add`).
    """
    deployment = session.deployment
    partner = files.read_partner(file, local=deployment.local)
    accepted = operations.add_partner(
        deployment.registry,
        deployment.secrets,
        partner,
        present_token=_read(present_token, "token to present"),
        accept_token=_read(accept_token, "token to accept"),
        client_secret=_read(client_secret, "client secret"),
        api_key=_read(api_key, "API key"),
        at=datetime.now(UTC),
    )
    versions_url = f"{deployment.ocpi_api_url}/ocpi/versions"
    content: dict[str, files.Json] = {"partner_id": partner.partner_id, "versions_url": versions_url}
    sentences = [f"Partner {partner.partner_id} is registered.", f"Its address for OCPI is {versions_url}"]
    if accept_token is None:
        content["accept_token"] = accepted
        sentences.append(f"It authenticates with this token, which is shown now and never again:\n{accepted}")
    if present_token is None and client_secret is None:
        sentences.append(
            "There is nothing to show to it yet, so nothing can be delivered to it: "
            f"{how_to_give(partner)} to `bridge partner replace FILE`"
        )
    session.output.done(content, *sentences)


@command(app, "replace")
def replace(
    session: Session,
    file: File,
    present_token: PresentToken = None,
    client_secret: ClientSecret = None,
    api_key: ApiKey = None,
) -> None:
    """Replace what is known of a partner.

    The tokens that it presents to us, its assignments, and what its registration decided stay.
    """
    deployment = session.deployment
    partner = files.read_partner(file, local=deployment.local)
    replaced = operations.replace_partner(
        deployment.registry,
        deployment.secrets,
        partner,
        present_token=_read(present_token, "token to present"),
        client_secret=_read(client_secret, "client secret"),
        api_key=_read(api_key, "API key"),
    )
    sentences = [f"Partner {partner.partner_id} is replaced."]
    if replaced.kept:
        sentences.append(f"Its registration decided these, so they stay as they were: {', '.join(replaced.kept)}.")
    session.output.done({"partner_id": partner.partner_id, "kept": [*replaced.kept]}, *sentences)


@command(app, "list")
def list_all(session: Session) -> None:
    """List the partners."""
    partners = session.deployment.registry.list_partners()
    session.output.table(
        [files.partner_document(partner) for partner in partners],
        ("partner", "name", "party", "registration", "sessions go to"),
        (
            (
                one.partner_id,
                one.name,
                f"{one.party.country_code}/{one.party.party_id}",
                one.registration.value,
                one.sessions_url or "-",
            )
            for one in partners
        ),
        none="There is no partner yet.",
    )


@command(app, "show")
def show(session: Session, partner_id: PartnerId) -> None:
    """Show a partner as its file has it, its registration, when the tokens that we accept were made, its assignments.

    One that answered nothing lately is `silent`: no push calls it until then.
    """
    registry = session.deployment.registry
    partner = registry.get_partner(partner_id)
    if partner is None:
        raise UnknownEntity("partner", partner_id)
    tokens: list[files.Json] = [files.to_json(token.created_at) for token in registry.list_tokens(partner_id)]
    assignments: list[files.Json] = [files.assignment_document(one) for one in registry.list_assignments(partner_id)]
    silence = registry.get_silence(partner_id)
    silent: files.Json = None
    if silence is not None:
        silent = {"since": files.to_json(silence.since), "until": files.to_json(silence.until)}
    session.output.document(
        {
            "partner": files.partner_document(partner),
            "registration": partner.registration.value,
            "silent": silent,
            "accepted_tokens_since": tokens,
            "assignments": assignments,
        }
    )


@command(app, "remove")
def remove(
    session: Session,
    partner_id: PartnerId,
    yes: Yes = False,
) -> None:
    """Remove a partner at once, with its tokens and assignments.

    Plans that it has installed are cleared at the charge points within a minute or two.
    """
    agreed(f"Remove partner {partner_id}, its tokens and its assignments?", yes=yes)
    deployment = session.deployment
    removed = operations.remove_partner(deployment.registry, deployment.secrets, partner_id)
    content: dict[str, files.Json] = {
        "partner_id": partner_id,
        "tokens": removed.tokens,
        "assignments": [files.assignment_document(assignment) for assignment in removed.assignments],
    }
    session.output.done(
        content,
        f"Partner {partner_id} is removed, with {removed.tokens} token(s) and "
        f"{len(removed.assignments)} assignment(s).",
    )


def _read(source: Source | None, what: str) -> str | None:
    return source.read(what) if source is not None else None
