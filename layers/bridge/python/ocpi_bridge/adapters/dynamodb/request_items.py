"""Items of the requests table: keys, and items to and from domain objects.

| pk           | sk      | entity  |                                                                        |
|--------------|---------|---------|------------------------------------------------------------------------|
| REQUEST#{id} | REQUEST | request | `document` is the request as accepted; what moves has attributes of its own |
|              | PLAN    | plan    | the partner's plan (SET)                                               |
|              | PROFILE | profile | the active profile that a GET was answered with                        |

Requests that are not at their end stand in the index `open`, by their creation; all of a session's in the index
`session`. Beside its state a request's item says when it came there: first_sent_at, sent_at, answered_at,
first_delivery_at, closed_at.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from ocpi_bridge.adapters.dynamodb.documents import compact, load
from ocpi_bridge.adapters.dynamodb.instants import epoch_ms, expiry, from_epoch_ms
from ocpi_bridge.adapters.dynamodb.session_items import due_shard
from ocpi_bridge.domain.plans import Plan
from ocpi_bridge.domain.requests import Delivery, Fit, Request, RequestState, Result

# The last accepted plan is sent again after a reboot, and sessions last days; operators look back weeks.
REQUEST_RETENTION = timedelta(days=30)


# Fields that the item has as attributes too, or in its key. Without them, and with all that its life adds, a request is
# below 1 KB: each of its five writes costs one write unit, and not two.
_ATTRIBUTES = ("session_id", "partner_id", "state")
_BESIDE = ("request_id", *_ATTRIBUTES)

# How the partition of a request begins.
REQUEST = "REQUEST#"


def request_key(request_id: str) -> tuple[str, str]:
    """The key of a request."""
    return f"{REQUEST}{request_id}", "REQUEST"


def plan_key(request_id: str) -> tuple[str, str]:
    """The key of a request's plan."""
    return f"{REQUEST}{request_id}", "PLAN"


def profile_key(request_id: str) -> tuple[str, str]:
    """The key of the active profile that a request was answered with."""
    return f"{REQUEST}{request_id}", "PROFILE"


def request_item(request: Request) -> dict[str, Any]:
    """The item of a new request."""
    pk, sk = request_key(request.request_id)
    return {
        "pk": pk,
        "sk": sk,
        "entity": "request",
        "document": compact(request, beside=_BESIDE),
        "session_id": request.session_id,
        "station_key": request.station_key,
        "partner_id": request.partner_id,
        "state": request.state.value,
        "step": request.step,
        "attempts": request.attempts,
        # Where it stands at nought the stream carries an answer on; later writes of a delivery call for no message.
        "delivery_attempts": 0,
        "created_at": epoch_ms(request.created_at),
        "deadline": epoch_ms(request.deadline),
        "due_shard": due_shard(request.request_id),
        "due_at": epoch_ms(request.created_at),
        "expires_at": expiry(request.created_at, REQUEST_RETENTION),
    }


def request_of(item: Mapping[str, Any]) -> Request:
    """The request as it is now."""
    lease = item.get("lease_until")
    return replace(
        load(
            Request,
            item["document"],
            request_id=str(item["pk"]).removeprefix(REQUEST),
            **{name: item[name] for name in _ATTRIBUTES if name in item},
        ),
        state=RequestState(item["state"]),
        step=int(item["step"]),
        attempts=int(item["attempts"]),
        unsent=int(item.get("unsent", 0)),
        result=Result(item["result"]) if "result" in item else None,
        reason=item.get("reason"),
        supported=item.get("supported", True),
        fitted_to=load(Fit, item["fitted_to"]) if "fitted_to" in item else None,
        delivery=Delivery(
            attempts=int(item.get("delivery_attempts", 0)),
            lease_until=from_epoch_ms(lease) if lease is not None else None,
            last_error=item.get("last_error"),
            until=from_epoch_ms(item["deliver_until"]) if "deliver_until" in item else None,
        ),
    )


def plan_item(key: tuple[str, str], entity: str, plan: Plan, expires_at: int) -> dict[str, Any]:
    """The item of a plan: the partner's, or the active profile."""
    pk, sk = key
    return {"pk": pk, "sk": sk, "entity": entity, "document": compact(plan), "expires_at": expires_at}


def plan_of(item: Mapping[str, Any] | None) -> Plan | None:
    """The plan of an item, None where there is none."""
    return None if item is None else load(Plan, item["document"])
