"""What each function is given: a first request as AWS hands it over, and what must come of it.

A scene that goes wrong would measure how fast the bridge refuses. So each names what the answer must have and the
AWS operations that must have been called.
"""

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import unquote

from ocpi_bridge.adapters.csms.signing import callback_url, frames_token, sign_event
from ocpi_bridge.adapters.dynamodb import request_items
from ocpi_bridge.adapters.dynamodb import tables as dynamo
from ocpi_bridge.adapters.sqs.messages import body_of
from ocpi_bridge.domain.requests import RequestState
from ocpi_bridge.usecases.relay_outbox import messages_for
from tools.benchmarks import world as w
from tools.benchmarks.world import World
from tools.counterparts.clock import write_datetime
from tools.lambda_events import proxy_event, queue_record, stream_event

Event = dict[str, Any]

GUIDE_PERIODS: Final = ((0, 22_000), (1_800, 0), (3_600, 10_000))
"""The periods of the PUT in Jedlix's guide "Receive OCPI Charging Profiles"."""

GUIDE_PUT: Final = "PUT of the guide, 3 periods"


@dataclass(frozen=True, slots=True)
class Scene:
    """One function's input. `environment` comes on top of what the stack gives it."""

    function: str
    first: Event
    answer_has: str
    calls: Sequence[str] = ()
    warm: Mapping[str, Event] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)

    def document(self, world: World) -> dict[str, Any]:
        """The scene as its program reads it."""
        return {"tables": world.tables, "secrets": world.secrets, "first": self.first, "warm": dict(self.warm)}


class WrongAnswer(Exception):
    """A function did not do what its scene is for; the message has what it answered."""


def check(scene: Scene, answer: object, called: Sequence[str]) -> None:
    """Raises WrongAnswer unless a request was answered, and AWS called, as the scene says."""
    text = json.dumps(answer)
    if scene.answer_has not in text or not set(scene.calls) <= set(called):
        raise WrongAnswer(
            f"{scene.function}: it called {', '.join(called) or 'nothing'} and answered ... {text[-500:]}"
        )


def scene_of(function: str, world: World) -> Scene:
    """The scene of a function. Raises LookupError for a function that has none."""
    for scene in (*doors(world), *workers(world)):
        if scene.function == function:
            return scene
    raise LookupError(f"{function} has no scene to be measured in")


def doors(world: World) -> tuple[Scene, ...]:
    """The functions behind an API."""
    session_id = world.session.session_id
    profile = f"/ocpi/2.2.1/chargingprofiles/{session_id}"
    put = _ocpi("PUT", profile, session_id=session_id, body=put_body(world, GUIDE_PERIODS))
    day = put_body(world, w.quarters(96))
    answered = f"response_url={w.JEDLIX_URL}"
    read, accepted = ("BatchGetItem",), ("BatchGetItem", "TransactWriteItems")
    return (
        Scene("ocpi_versions", _ocpi("GET", "/ocpi/versions"), "2.2.1", read),
        Scene("ocpi_credentials", _ocpi("GET", "/ocpi/2.2.1/credentials"), "roles", read),
        Scene("ocpi_sessions", _ocpi("GET", "/ocpi/2.2.1/sessions", query="date_from=2020-01-01T00:00:00Z"),
              session_id, ("BatchGetItem", "Query")),
        Scene("ocpi_charging_profiles", put, "ACCEPTED", accepted, warm={
            GUIDE_PUT: put,
            "PUT of a day, 96 periods": _ocpi("PUT", profile, session_id=session_id, body=day),
            "GET": _ocpi("GET", profile, session_id=session_id, query=f"duration=900&{answered}"),
            "DELETE": _ocpi("DELETE", profile, session_id=session_id, query=answered),
        }),
        Scene("ocpi_fallback", _ocpi("GET", "/ocpi/2.2.1/tariffs"), '"statusCode": 404', read),
        Scene("ocpi_pairing", _pairing(), w.EVSE_UID, accepted),
        Scene("csms_events", _signed_events(world), '"statusCode": 202', ("GetSecretValue", "SendMessage")),
        Scene("csms_frames", _frames(), '"statusCode": 202', ("GetSecretValue", "SendMessage")),
        Scene("csms_sessions", _csms_session(world), "1000", ("GetSecretValue", "SendMessage")),
        Scene("csms_callback", _callback(), "true", ("GetSecretValue", *accepted)),
    )  # fmt: skip


def workers(world: World) -> tuple[Scene, ...]:
    """The functions behind queues, streams, the schedule and the dashboard. Those that call out meet `world.peers`."""
    waiting = world.request(w.WAITING, RequestState.PENDING)
    changed = dynamo.to_item(request_items.request_item(waiting))
    command, *_ = messages_for(waiting)
    result, *_ = messages_for(world.request(w.ANSWERED, RequestState.ANSWERED))
    push, *_ = messages_for(world.session)
    # The one stage whose functions may call this machine.
    here = {"STAGE": "local"}
    done = '"batchItemFailures": []'
    return (
        Scene("relay_outbox", stream_event([changed]), "null", ("SendMessageBatch",)),
        Scene("send_charger_commands", _queued("CHARGER_COMMANDS", body_of(command)),
              done, ("BatchGetItem", "GetSecretValue"), environment=here),
        Scene("deliver_results", _queued("RESULT_CALLBACKS", body_of(result)),
              done, ("BatchGetItem", "GetSecretValue", "UpdateItem"), environment=here),
        Scene("ingest_csms_events", _queued("CSMS_EVENTS", json.dumps({"events": [_meter(world)]}), csms_id=w.CSMS_ID),
              done, ("BatchGetItem", "PutItem")),
        Scene("push_updates", _queued("PARTNER_UPDATES", body_of(push)),
              done, ("BatchGetItem", "GetSecretValue", "PutItem"), environment=here),
        Scene("sweep", {"source": "aws.events"}, "null", ("Query",)),
        Scene("session_widget", {"id": world.session.session_id, "widgetContext": {"width": 900}},
              "<svg", ("BatchGetItem", "Query")),
    )  # fmt: skip


def put_body(world: World, periods: Sequence[tuple[int, int]]) -> Event:
    """A SetChargingProfile (14.5.5) with these periods (s, W), as the guide has it but for its start, which is now.

    In the guide it begins in 2023, and all but the last of its periods would be dropped as past.
    """
    profile = {
        "start_date_time": write_datetime(world.now.replace(microsecond=0)),
        "charging_rate_unit": "W",
        "charging_profile_period": [{"start_period": start, "limit": limit} for start, limit in periods],
    }
    return {"charging_profile": profile, "response_url": w.JEDLIX_URL}


def token_header(token: str) -> dict[str, str]:
    """The headers of a request that shows a token as OCPI asks (4.1.2), with the ids of 4.2."""
    encoded = base64.b64encode(token.encode()).decode()
    ids = {"X-Request-ID": "6f9d1a52-request", "X-Correlation-ID": "0b7c-correlation"}
    return {"Authorization": f"Token {encoded}", "Content-Type": "application/json", **ids}


def json_event(
    method: str, path: str, *, headers: Mapping[str, str], query: str = "", body: object = None, **parameters: str
) -> Event:
    """What a REST API hands to a function, with a body as JSON and the parameters of its path."""
    text = None if body is None else json.dumps(body)
    return proxy_event(method, path, headers=headers, query=query, body=text, path_parameters=parameters)


def _ocpi(method: str, path: str, *, query: str = "", body: object = None, **parameters: str) -> Event:
    return json_event(method, path, headers=token_header(w.TOKEN), query=query, body=body, **parameters)


def _pairing() -> Event:
    headers = {"Authorization": f"Bearer {w.TOKEN}", "Content-Type": "application/json"}
    return json_event("POST", "/v1/cpo/ocpi2.2/pair", headers=headers, body={"code": w.PAIRING_CODE})


def _meter(world: World) -> Event:
    return {
        "id": "event-2",
        "type": "transaction.updated",
        "time": write_datetime(world.now),
        "station_id": w.STATION_ID,
        "connector_id": 1,
        "transaction_id": 778,
        "data": {"meter_wh": 2500, "current_a": [16, 16, 16], "power_w": 11_040},
    }


def _signed_events(world: World) -> Event:
    event = json_event("POST", "/csms/v1/events", headers={}, body={"events": [_meter(world)]})
    signature = sign_event(event["body"].encode(), w.EVENT_KEY, world.now)
    headers = {"X-CSMS-Id": w.CSMS_ID, "X-Signature": signature, "Content-Type": "application/json"}
    return event | {"headers": headers}


def _frames() -> Event:
    token = frames_token(w.CSMS_ID, w.EVENT_KEY)
    frame = {"stationId": w.STATION_ID, "event": "message", "origin": "cs", "message": '[2,"1","Heartbeat",{}]'}
    path = f"/csms/v1/citrineos/{w.CSMS_ID}/{token}"
    return json_event("POST", path, headers={}, body=frame, csms_id=w.CSMS_ID, token=token)


def _csms_session(world: World) -> Event:
    party = {"country_code": w.OUR_PARTY.country_code, "party_id": w.OUR_PARTY.party_id}
    session = {
        **party,
        "id": "S-1",
        "start_date_time": write_datetime(world.session.start),
        "kwh": 1.25,
        "evse_uid": w.EVSE_UID,
        "connector_id": "1",
        "status": "ACTIVE",
        "last_updated": write_datetime(world.now),
    }
    path = f"/csms/v1/ocpi/{w.CSMS_ID}/sessions/{'/'.join(party.values())}/S-1"
    headers = token_header(w.EVENT_KEY)
    return json_event("PUT", path, headers=headers, body=session, csms_id=w.CSMS_ID, session_id="S-1", **party)


def _callback() -> Event:
    url = callback_url("", f"{w.WAITING}.0", w.SIGNING_KEY.encode(), w.CSMS_ID)
    *_, name, signature = url.split("/")
    command_id = unquote(name)
    body = {"status": "Accepted"}
    return json_event("POST", url, headers={}, body=body, command_id=command_id, signature=signature)


def _queued(queue: str, body: str, **attributes: str) -> Event:
    """A message of the queue that the stack's variable `{queue}_QUEUE_URL` names."""
    return {"Records": [queue_record(queue, body, attributes=attributes)]}
