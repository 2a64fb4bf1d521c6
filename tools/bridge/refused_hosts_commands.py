"""`bridge partner refused-hosts`: where partners wanted us to call, and what the URL guard said."""

from typing import Annotated

import typer

from ocpi_bridge.domain.errors import UnknownEntity
from ocpi_bridge.domain.refused_hosts import RefusedHost
from tools.bridge import files
from tools.bridge.session import Session

PartnerId = Annotated[
    str | None, typer.Argument(metavar="PARTNER", help="Only of this partner; without it of all of them.")
]


def refused_hosts(session: Session, partner_id: PartnerId = None) -> None:
    """List the hosts that a partner's URLs named in vain, the newest refusal first.

    Of each partner the last 20 are kept, until 30 days pass without another one. A host that is the partner's own
    belongs on its `callback_hosts` (`bridge partner replace FILE`); one that is not is a mistake of the partner, or an
    attempt to make the bridge call somebody else.
    """
    deployment = session.deployment
    if partner_id is None:
        partner_ids = [partner.partner_id for partner in deployment.registry.list_partners()]
    elif deployment.registry.get_partner(partner_id) is None and not deployment.refused_hosts.of(partner_id):
        raise UnknownEntity("partner", partner_id)
    else:
        partner_ids = [partner_id]
    found = [one for each in partner_ids for one in deployment.refused_hosts.of(each)]
    session.output.table(
        [_document(one) for one in found],
        ("partner", "host", "times", "last", "why"),
        (
            (
                one.partner_id,
                one.host or "(none that is spelled properly)",
                str(one.count),
                str(files.to_json(one.last_at.replace(microsecond=0))),
                one.reason,
            )
            for one in found
        ),
        none="No host was refused.",
    )


def _document(one: RefusedHost) -> files.Json:
    return {
        "partner_id": one.partner_id,
        "host": one.host,
        "reason": one.reason,
        "count": one.count,
        "first_at": files.to_json(one.first_at),
        "last_at": files.to_json(one.last_at),
    }
