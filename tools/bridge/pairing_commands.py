"""`bridge pairing`: a driver's charge point is made known to a partner by a code."""

import re
from datetime import timedelta
from typing import Annotated

import typer

from ocpi_bridge.domain.assignments import Scope, Share
from ocpi_bridge.domain.pairing import DEFAULT_VALIDITY, Grant
from tools.bridge import files
from tools.bridge.session import Session, command

app = typer.Typer(
    no_args_is_help=True,
    help=(
        "Pairing by a code: a driver's charge point is made known to a partner, with the driver's word, and the "
        "partner may steer it. It is switched on by `pairing` in the partner's file (docs/pairing.md); "
        "`bridge assignment revoke` ends what it led to."
    ),
)

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_DURATION = re.compile(r"(\d{1,6})([smhd])")


def parse_duration(text: str) -> timedelta:
    """A time span as options have it: 90s, 15m, 2h or 1d."""
    match = _DURATION.fullmatch(text)
    if match is None:
        raise typer.BadParameter("is a number with s, m, h or d behind it, such as 15m")
    return timedelta(**{_UNITS[match[2]]: int(match[1])})


EvseUid = Annotated[str, typer.Argument(metavar="EVSE_UID", help="The charge point: OCPI's EVSE.uid.")]
Token = Annotated[
    str | None,
    typer.Option(
        metavar="UID", help="The partner may steer this token's sessions wherever it charges, not the EVSE's."
    ),
]
Contract = Annotated[
    str | None,
    typer.Option(metavar="ID", help="Likewise all sessions of this contract."),
]
Shares = Annotated[
    list[Share] | None,
    typer.Option("--share", help="What the driver consents to share with the partner; may be given twice."),
]
DEFAULT_TEXT = f"{DEFAULT_VALIDITY // timedelta(minutes=1)}m"


@command(app, "code")
def code(
    session: Session,
    evse_uid: EvseUid,
    partner: Annotated[str | None, typer.Option(metavar="ID", help="Only this partner may use it.")] = None,
    valid_for: Annotated[
        timedelta, typer.Option(metavar="TIME", parser=parse_duration, help="From 1m to 7d.")
    ] = DEFAULT_TEXT,  # type: ignore[assignment]  # typer parses defaults too
    token: Token = None,
    contract: Contract = None,
    share: Shares = None,
) -> None:
    """Make a code for a driver, who types it into the partner's app.

    It is shown once, opens once, and expires. With it the partner learns of the EVSE and may steer its sessions, or those
    of the driver's token or contract where you name one.
    """
    pairings = session.deployment.pairings
    grant = _grant(pairings.evse(evse_uid).uid, token, contract, share)
    made = pairings.make_code(grant, partner_id=partner, validity=valid_for)
    until = files.to_json(made.stored.expires_at.replace(microsecond=0))
    session.output.done(
        {
            "code": made.text,
            "evse_uid": grant.evse_uid,
            "partner_id": partner,
            "expires_at": until,
            "scope": grant.scope.value,
            "key": grant.key,
            "shares": files.to_json(grant.shares),
        },
        f"For {f'partner {partner}' if partner else 'any partner that pairs'}, once, until {until}; it is shown now and "
        f"never again:\n{made.text}",
    )


@command(app, "send")
def send(
    session: Session,
    partner: Annotated[str, typer.Argument(metavar="PARTNER", help="The partner's id.")],
    code: Annotated[str, typer.Argument(metavar="CODE", help="The code that the driver has from the partner.")],
    evse_uid: EvseUid,
    token: Token = None,
    contract: Contract = None,
    share: Shares = None,
) -> None:
    """Tell a partner the EVSE of a driver who has a code from it.

    If the partner knows the code it may steer from now on, as with `code`. If not, nothing is written.
    """
    pairings = session.deployment.pairings
    grant = _grant(pairings.evse(evse_uid).uid, token, contract, share)
    assignment = pairings.send_code(partner, code, grant)
    session.output.done(
        files.assignment_document(assignment),
        f"Partner {partner} has paired EVSE {grant.evse_uid} and may steer {assignment.scope} {assignment.key}.",
    )


def _grant(evse_uid: str, token: str | None, contract: str | None, shares: list[Share] | None) -> Grant:
    if token is not None and contract is not None:
        raise typer.BadParameter("give --token or --contract, not both")
    scope, key = Scope.EVSE, evse_uid
    if token is not None:
        scope, key = Scope.TOKEN, token
    if contract is not None:
        scope, key = Scope.CONTRACT, contract
    return Grant(evse_uid, scope, key, frozenset(shares or ()))
