"""What a partner's answer means for a delivery (OCPI 4.1.7, 5). Pure: an answer in, a receipt out.

Two layers speak. HTTP decides where it says no; where it says 2xx, an OCPI status code in the body has the last word.
A 2xx without a readable code is delivered: the answer to a result has no data and some partners leave the envelope out,
and the partner's server did take the message; sending it again would only make it arrive twice.
"""

import email.utils
from collections.abc import Mapping
from datetime import datetime
from typing import Final

from ocpi_bridge.adapters.bounded_http.exchange import NoReply, Reply
from ocpi_bridge.domain.times import in_utc
from ocpi_bridge.ocpi.bounded_json import UnreadableJson, read_json
from ocpi_bridge.ports.json_values import JsonValue
from ocpi_bridge.ports.partners import Receipt

# Nothing that we deliver is worth more patience, and a date of a wrong clock must not silence a partner for years.
MAX_RETRY_AFTER = 3600

# Client errors that pass: the credential may be renewed, the server was slow, too early, or too busy.
_PASSING: Final = frozenset({401, 408, 425, 429})
# Failures on our side of the wire that no repetition changes.
_FINAL_FAILURES: Final = frozenset({"refused_address", "invalid_request"})


def receipt_of(answer: Reply | NoReply, now: datetime) -> Receipt:
    """Classifies the end of one attempt.

    Final: redirects (never followed: the token goes along), 4xx but 401, 408, 425 and 429, OCPI 2xxx (the message is at
    fault), a 2xx with a body beyond the cap (it can be repeated only to the same end). All else may be tried again:
    5xx, OCPI 3xxx and other codes, a hub's 4001 to 4003, and whatever the network does.
    """
    if isinstance(answer, NoReply):
        return Receipt(delivered=False, error=answer.error, final=answer.error in _FINAL_FAILURES)
    status, code = answer.status, _ocpi_status(answer)
    if 200 <= status < 300:
        return _receipt_of_success(answer, code)
    if status < 400:
        return Receipt(delivered=False, error="redirect", final=True, http_status=status)
    return Receipt(
        delivered=False,
        error=f"http_{status}",
        final=status < 500 and status not in _PASSING,
        http_status=status,
        ocpi_status=code,
        retry_after=retry_after(answer.headers.get("retry-after"), now),
    )


def retry_after(value: str | None, now: datetime) -> int | None:
    """The seconds that a Retry-After header asks for (RFC 9110, 10.2.3: seconds or a date); None if it says nothing."""
    if value is None:
        return None
    text = value.strip()
    if text.isascii() and text.isdigit():
        return min(int(text[:9]), MAX_RETRY_AFTER)
    try:
        at = in_utc(email.utils.parsedate_to_datetime(text))
    except (ValueError, TypeError, OverflowError):
        return None
    return min(max(int((at - now).total_seconds()), 0), MAX_RETRY_AFTER)


def _receipt_of_success(answer: Reply, code: int | None) -> Receipt:
    if answer.truncated:
        return Receipt(delivered=False, error="body_too_large", final=True, http_status=answer.status)
    if code is None or 1000 <= code < 2000:
        return Receipt(delivered=True, http_status=answer.status, ocpi_status=code)
    return Receipt(
        delivered=False,
        error=f"ocpi_{code}",
        final=2000 <= code < 3000,
        http_status=answer.status,
        ocpi_status=code,
    )


def _ocpi_status(answer: Reply) -> int | None:
    if answer.truncated:
        return None
    try:
        body = read_json(answer.body)
    except UnreadableJson:
        return None
    return status_code(body) if isinstance(body, Mapping) else None


def status_code(envelope: Mapping[str, JsonValue]) -> int | None:
    """The OCPI status code of an envelope, also where a sloppy peer writes it as text; None where it has none."""
    code = envelope.get("status_code")
    if isinstance(code, str) and len(code) == 4 and code.isascii() and code.isdigit():
        return int(code)
    return code if isinstance(code, int) and not isinstance(code, bool) else None
