"""`bridge partner invite | register | rotate | unregister`: registration by OCPI's handshake, from either end."""

from pathlib import Path
from typing import Annotated

import typer

from ocpi_bridge.ocpi.versions import versions_url as own_versions_url
from ocpi_bridge.usecases.commit_registration import Committed
from tools.bridge import files
from tools.bridge.partner_commands import File, PartnerId, app
from tools.bridge.questions import Yes, agreed
from tools.bridge.session import Session, command
from tools.bridge.sources import FORMS, Source, parse_source

# The commands below join those of partner_commands.
__all__ = ["app"]

Whom = Annotated[
    str,
    typer.Argument(
        metavar="FILE|PARTNER",
        help="A partner as JSON (docs/configuration.md), or the id of one that is invited or has left.",
    ),
]
VersionsUrl = Annotated[str, typer.Option(metavar="URL", help="The partner's versions endpoint.")]
RegistrationToken = Annotated[
    Source,
    typer.Option(
        metavar="SOURCE",
        parser=parse_source,
        help=f"The registration token that the partner gave us (CREDENTIALS_TOKEN_A), from {FORMS}.",
    ),
]


@command(app, "invite")
def invite(session: Session, file: File) -> None:
    """Let a partner register by itself: make its entry and the token with which it begins.

    Inviting it again replaces both, as long as it has not registered.
    """
    deployment = session.deployment
    partner = files.read_partner(file, local=deployment.local)
    token = deployment.handshakes.invite(partner)
    versions_url = own_versions_url(deployment.ocpi_api_url)
    session.output.done(
        {"partner_id": partner.partner_id, "versions_url": versions_url, "registration_token": token},
        f"Partner {partner.partner_id} may register.",
        f"Its address for OCPI is {versions_url}",
        f"It registers with this token, which is shown now and never again:\n{token}",
    )


@command(app, "register")
def register(session: Session, whom: Whom, versions_url: VersionsUrl, token: RegistrationToken) -> None:
    """Register at a partner with the address and the token that it gave us.

    The partner calls our API back meanwhile, so that must be reachable for it.
    """
    deployment = session.deployment
    if whom.endswith(".json") or Path(whom).is_file():
        partner = files.read_partner(Path(whom), local=deployment.local)
    else:
        partner = deployment.handshakes.known(whom)
    registration_token = token.read("registration token")
    _tell(session, "registered", deployment.handshakes.register(partner, versions_url, registration_token))


@command(app, "rotate")
def rotate(session: Session, partner_id: PartnerId) -> None:
    """Exchange the tokens of both sides for new ones, and read the partner's versions and endpoints again.

    The partner's former token is accepted until it first uses the new one.
    """
    _tell(session, "rotated", session.deployment.handshakes.rotate(partner_id))


@command(app, "unregister")
def unregister(
    session: Session,
    partner_id: PartnerId,
    yes: Yes = False,
) -> None:
    """End a partner's registration: ask the partner, then cut it off whatever it says.

    Its assignments stay for when it comes back; plans that it has at charge points are cleared.
    """
    agreed(f"End the registration of partner {partner_id}?", yes=yes)
    ended = session.deployment.handshakes.unregister(partner_id)
    sentences = [f"The registration of partner {partner_id} is ended."]
    if ended.not_told is not None:
        sentences.append(f"The partner could not be asked to end it too: {ended.not_told}")
    sentences += _leftover(ended.committed)
    session.output.done({"partner_id": partner_id, "partner_not_told": ended.not_told}, *sentences)


def _tell(session: Session, done: str, committed: Committed) -> None:
    partner = committed.partner
    content: dict[str, files.Json] = {
        "partner_id": partner.partner_id,
        "version": partner.version,
        "parties": [f"{party.country_code}/{party.party_id}" for party in partner.parties],
        "sessions_url": partner.sessions_url,
        "charging_profiles_url": partner.charging_profiles_url,
    }
    sentences = [
        f"Partner {partner.partner_id} is {done}, with OCPI {partner.version}.",
        f"Sessions go to {partner.sessions_url}",
        f"Charging profiles go to {partner.charging_profiles_url}",
    ]
    session.output.done(content, *sentences, *_leftover(committed))


def _leftover(committed: Committed) -> list[str]:
    if committed.leftover is None:
        return []
    return [f"A secret that nobody uses any more could not be removed from Secrets Manager: {committed.leftover}"]
