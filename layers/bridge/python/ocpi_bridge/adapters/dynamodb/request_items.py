"""Items of the requests table: keys, and items to and from domain objects.

| pk           | sk      | entity  |                                                                    |
|--------------|---------|---------|--------------------------------------------------------------------|
| REQUEST#{id} | REQUEST | request | the request, and the partner's plan (SET) where it has room for it |
|              | PLAN    | plan    | a plan for which it has none                                       |
|              | PROFILE | profile | the active profile that a GET was answered with                    |

What never changes of a request and has no attribute is its `document`. Older items have all of it there, and every plan
in an item of its own.

Requests that are not at their end stand in the index `open`, by their creation; all of a session's in the index
`session`. Beside its state a request's item says when it came there: first_sent_at, sent_at, answered_at,
first_delivery_at, closed_at.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from ocpi_bridge.adapters.dynamodb.documents import compact, load
from ocpi_bridge.adapters.dynamodb.instants import epoch_ms, exact_ms, expiry, from_epoch_ms, from_exact_ms
from ocpi_bridge.adapters.dynamodb.item_sizes import WRITE_UNIT, most_bytes
from ocpi_bridge.adapters.dynamodb.plan_attributes import plan_attributes, plan_of_attributes
from ocpi_bridge.adapters.dynamodb.session_items import due_shard
from ocpi_bridge.domain.partners import Party
from ocpi_bridge.domain.plans import Plan
from ocpi_bridge.domain.requests import Callback, Delivery, Fit, Request, RequestKind, RequestState, Result

# The last accepted plan is sent again after a reboot, and sessions last days; operators look back weeks.
REQUEST_RETENTION = timedelta(days=30)

# How the partition of a request begins.
REQUEST = "REQUEST#"

# Fields that the item has as attributes, in its key, or as parts of an attribute. Without them, and with all that its
# life adds, a request is below 1 KB: each of its five writes costs one write unit, and not two.
_ATTRIBUTES = ("origin", "kind", "session_id", "partner_id", "state")
_INSTANTS = ("created_at", "deadline", "timeout_at", "plan_ends_at", "fail_safe_at")
_BESIDE = ("request_id", "csms_id", "station_id", "callback", *_ATTRIBUTES, *_INSTANTS)

# Bytes that the life of a request adds to its item: instants and the lease of a delivery, what its plan is fitted to,
# and its result, with a reason or an error of some 60 characters. More would only cost another write unit.
LIFE = 240


# --- Keys ------------------------------------------------------------------------------------------------------------


def request_key(request_id: str) -> tuple[str, str]:
    """The key of a request."""
    return f"{REQUEST}{request_id}", "REQUEST"


def plan_key(request_id: str) -> tuple[str, str]:
    """The key of a request's plan where that is an item of its own."""
    return f"{REQUEST}{request_id}", "PLAN"


def profile_key(request_id: str) -> tuple[str, str]:
    """The key of the active profile that a request was answered with."""
    return f"{REQUEST}{request_id}", "PROFILE"


# --- Requests --------------------------------------------------------------------------------------------------------


def request_items(request: Request, plan: Plan | None) -> Sequence[dict[str, Any]]:
    """The items of a new request: its own first, and one for its plan where both would pass 1 KB in the request's life."""
    item = request_item(request)
    if plan is None:
        return [item]
    whole = item | plan_attributes(plan)
    if most_bytes(whole) + LIFE <= WRITE_UNIT:
        return [whole]
    return [item, plan_item(plan_key(request.request_id), "plan", plan, item["expires_at"])]


def request_item(request: Request) -> dict[str, Any]:
    """The item of a new request without its plan."""
    pk, sk = request_key(request.request_id)
    return {
        "pk": pk,
        "sk": sk,
        "entity": "request",
        # Most take one step, which is what they are.
        "document": compact(request, beside=(*_BESIDE, "steps") if request.steps == (request.kind,) else _BESIDE),
        "origin": request.origin.value,
        "kind": request.kind.value,
        "session_id": request.session_id,
        "station_key": request.station_key,
        "partner_id": request.partner_id,
        "state": request.state.value,
        "step": request.step,
        "attempts": request.attempts,
        # Where it stands at nought the stream carries an answer on; later writes of a delivery call for no message.
        "delivery_attempts": 0,
        **{name: exact_ms(at) for name in _INSTANTS if (at := getattr(request, name)) is not None},
        **(_callback_attributes(request.callback) if request.callback is not None else {}),
        "due_shard": due_shard(request.request_id),
        "due_at": epoch_ms(request.created_at),
        "expires_at": expiry(request.created_at, REQUEST_RETENTION),
    }


def request_of(item: Mapping[str, Any]) -> Request:
    """The request as it is now."""
    lease = item.get("lease_until")
    # No CSMS has a # in its id (domain.csms_ids).
    csms_id, _, station_id = item["station_key"].partition("#")
    return replace(
        load(
            Request,
            item["document"],
            request_id=str(item["pk"]).removeprefix(REQUEST),
            csms_id=csms_id,
            station_id=station_id,
            **{name: item[name] for name in _ATTRIBUTES if name in item},
            **({"steps": (item["kind"],)} if "kind" in item else {}),
            **{name: from_exact_ms(item[name]) for name in _INSTANTS if name in item},
            **({"callback": _callback_of(item)} if "response_url" in item else {}),
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


def _callback_attributes(callback: Callback) -> dict[str, str]:
    return {
        "response_url": callback.response_url,
        "correlation_id": callback.correlation_id,
        "our_party": _party_text(callback.our_party),
        "their_party": _party_text(callback.their_party),
    }


def _callback_of(item: Mapping[str, Any]) -> Callback:
    parties = _party_of(item["our_party"]), _party_of(item["their_party"])
    return Callback(item["response_url"], item["correlation_id"], *parties)


def _party_text(party: Party) -> str:
    return f"{party.country_code} {party.party_id}"


def _party_of(text: str) -> Party:
    # A country code has two characters and no space around them, so there is none in it either.
    country_code, _, party_id = text.partition(" ")
    return Party(country_code, party_id)


# --- Plans -----------------------------------------------------------------------------------------------------------


def plan_item(key: tuple[str, str], entity: str, plan: Plan, expires_at: int) -> dict[str, Any]:
    """The item of a plan: the partner's, or the active profile."""
    pk, sk = key
    return {"pk": pk, "sk": sk, "entity": entity, **plan_attributes(plan), "expires_at": expires_at}


def plan_stands_apart(request: Request, item: Mapping[str, Any]) -> bool:
    """Whether the plan of a request, of which this is the item, is in an item of its own."""
    return request.kind is RequestKind.SET and "plan" not in item


def plan_of(item: Mapping[str, Any] | None) -> Plan | None:
    """The plan that an item has, a request's or one for the plan alone; None where there is none."""
    if item is None:
        return None
    plan = plan_of_attributes(item)
    if plan is None and item["entity"] != "request":
        return load(Plan, item["document"])
    return plan
