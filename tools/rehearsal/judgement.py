"""What every answer of the Receiver and every call of it must keep, whatever it is about (OCPI 4)."""

from collections.abc import Mapping, Sequence

from tools.counterparts.http_service import Request
from tools.counterparts.json_types import as_int, as_text
from tools.partner_simulator.datatypes import read_datetime
from tools.partner_simulator.transport import (
    CORRELATION_ID,
    JSON_TYPE,
    REQUEST_ID,
    ROUTING_HEADERS,
    Party,
    read_token,
)
from tools.rehearsal import rules
from tools.rehearsal.ledger import Ledger
from tools.rehearsal.wire import Answer, Kind

UNAUTHORIZED = 401


def judge_answer(ledger: Ledger, answer: Answer, *, ours: Party, cpos: Sequence[Party]) -> None:
    """Record what an answer keeps and breaks of the rules for all answers.

    `ours` is the party that asked, `cpos` are those that the Receiver speaks for.
    """
    where = answer.call.where
    is_http_error = answer.status >= 400
    code = answer.status_code
    is_wrapped = code is not None and 1000 <= code <= 4999
    expected = "an object with status_code 1000 to 4999"
    # Credentials hold a token, which no report shows.
    is_secret = answer.call.kind is Kind.CONFIGURATION
    seen = f"{answer}, {len(answer.body)} bytes" if is_secret else answer.body
    ledger.expect(
        rules.ERROR_ENVELOPE if is_http_error else rules.ENVELOPE,
        is_wrapped,
        where=where,
        expected=expected,
        seen=seen,
    )
    if answer.envelope is not None and is_wrapped:
        timestamp = answer.envelope.get("timestamp")
        ledger.expect(
            rules.TIMESTAMP,
            is_datetime(timestamp),
            where=where,
            expected="timestamp such as 2026-01-15T17:05:00Z",
            seen=timestamp,
        )
    if answer.body:
        media = _media_type(answer.headers)
        ledger.expect(rules.CONTENT_TYPE, media == JSON_TYPE, where=where, expected=JSON_TYPE, seen=media)
    _judge_ids(ledger, answer)
    _judge_routing(ledger, answer, ours, cpos)


def judge_call(
    ledger: Ledger, request: Request, *, kind: Kind, tokens: Sequence[str], ours: Party, cpos: Sequence[Party]
) -> None:
    """Record what a call of the Receiver keeps and breaks: `tokens` are those that it may present.

    `cpos` are the parties that it speaks for; without any, whoever it names will do.
    """
    where = called(request)
    _judge_token(ledger, request, tokens, where)
    for name in (REQUEST_ID, CORRELATION_ID):
        ledger.expect(
            rules.CALL_IDS,
            bool(request.header(name)),
            where=where,
            expected=name,
            seen="no such header or an empty one",
        )
    if request.body:
        media = _media_type(request.headers)
        ledger.expect(rules.CALL_TYPE, media == JSON_TYPE, where=where, expected=JSON_TYPE, seen=media)
    if kind is Kind.CONFIGURATION:
        routed = [name for name in request.headers if name.startswith("ocpi-")]
        ledger.expect(
            rules.CALLS_UNROUTED, not routed, where=where, expected="no routing headers", seen=", ".join(routed)
        )
        return
    to, sender = party_in(request.headers, "to"), party_in(request.headers, "from")
    is_routed = (
        to is not None
        and to.is_same(ours)
        and sender is not None
        and (not cpos or any(sender.is_same(one) for one in cpos))
    )
    wanted = f"to {named(ours)}, from {' or '.join(map(named, cpos)) or 'a party'}"
    ledger.expect(
        rules.CALL_ROUTING, is_routed, where=where, expected=wanted, seen=f"to {named(to)}, from {named(sender)}"
    )


def called(request: Request) -> str:
    """How a call of the Receiver is named in the report, without its query."""
    return f"{request.method} {request.path} at the rehearsal"


def is_datetime(value: object) -> bool:
    """Whether a value is a DateTime in one of the six shapes (16.2)."""
    try:
        read_datetime(value)
    except ValueError:
        return False
    return isinstance(value, str)


def party_in(headers: Mapping[str, str], way: str) -> Party | None:
    """The party that the routing headers name, None where one of the two is missing; names are lower case."""
    country_code, party_id = (headers.get(f"ocpi-{way}-{name}") for name in ROUTING_HEADERS)
    return None if country_code is None or party_id is None else Party(country_code, party_id)


def named(party: Party | None) -> str:
    """A party as it stands in the report."""
    return "nobody" if party is None else f"{party.country_code}/{party.party_id}"


def has_code(answer: Answer, status: int, code: int) -> bool:
    """Whether HTTP and OCPI say exactly this."""
    return answer.status == status and answer.status_code == code


def _judge_ids(ledger: Ledger, answer: Answer) -> None:
    code = as_int((answer.envelope or {}).get("status_code")) or 0
    is_error = answer.status >= 400 or code >= 2000
    for name, rule in ((REQUEST_ID, rules.REQUEST_ID), (CORRELATION_ID, rules.CORRELATION_ID)):
        sent = answer.call.header(name)
        if sent is None:
            continue
        got = answer.headers.get(name.casefold())
        ledger.expect(
            rules.IDS_ON_ERRORS if is_error else rule,
            got == sent,
            where=answer.call.where,
            expected=f"{name}: {sent}",
            seen=f"{name}: {got}",
        )


def _judge_routing(ledger: Ledger, answer: Answer, ours: Party, cpos: Sequence[Party]) -> None:
    to, sender = party_in(answer.headers, "to"), party_in(answer.headers, "from")
    where = answer.call.where
    if answer.call.kind is Kind.CONFIGURATION:
        routed = [name for name in answer.headers if name.startswith("ocpi-")]
        ledger.expect(
            rules.ROUTING_NONE, not routed, where=where, expected="no routing headers", seen=", ".join(routed)
        )
        return
    # Who answers an unknown token does not know whom; who finds no module has none that is functional. And who does not
    # say who it is, as before registration, may be answered without a name.
    if answer.status in {UNAUTHORIZED, 404} or answer.call.header("OCPI-from-party-id") is None:
        return
    asked = party_in({name.casefold(): value for name, value in answer.call.headers.items()}, "to")
    # Nobody answers for a party that is not there.
    allowed = [one for one in cpos if asked is not None and one.is_same(asked)] or list(cpos)
    is_from = sender is not None and (not allowed or any(sender.is_same(one) for one in allowed))
    ledger.expect(
        rules.ROUTING_SWAPPED,
        is_from and to is not None and to.is_same(ours),
        where=where,
        expected=f"to {named(ours)}, from {' or '.join(map(named, allowed)) or 'a party'}",
        seen=f"to {named(to)}, from {named(sender)}",
    )


def _judge_token(ledger: Ledger, request: Request, tokens: Sequence[str], where: str) -> None:
    written = request.header("Authorization") or ""
    encoded, plain = read_token(written, plain=False), read_token(written, plain=True)
    is_known = encoded in tokens or plain in tokens
    seen = "no such header" if not written else "another one" if not is_known else "it"
    ledger.expect(rules.CALL_TOKEN, is_known, where=where, expected="the token that we gave", seen=seen)
    if is_known:
        ledger.expect(
            rules.CALL_BASE64, encoded in tokens, where=where, expected="the token in Base64", seen="the plain token"
        )


def _media_type(headers: Mapping[str, str]) -> str:
    return (as_text(headers.get("content-type")) or "").partition(";")[0].strip()
