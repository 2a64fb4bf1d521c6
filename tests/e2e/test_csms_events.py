"""What a CSMS reports: signed, fresh, once, well-formed; else it is refused and says why."""

import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

import httpx
import pytest

from tests.support.e2e_faults import sweep
from tests.support.e2e_log import FunctionLog
from tests.support.e2e_site import SOON, Site, event_key_of, site
from tests.support.e2e_waiting import eventually
from tools.counterparts.clock import utc_now, write_datetime
from tools.counterparts.json_types import JsonObject, as_object, read_json, write_json
from tools.demo_csms import signature
from tools.demo_csms.event_reporter import EVENTS_PATH, trusting_client
from tools.local_stack import LocalStack

# The bridge takes a signature that is at most 5 minutes old.
TOO_OLD = timedelta(minutes=6)


@dataclass(frozen=True, slots=True)
class Door:
    """The door for events, and the CSMS of a site that is known to it."""

    place: Site
    http: httpx.Client
    key: str

    def post(
        self,
        body: bytes,
        *,
        signed: str | None = None,
        csms_id: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> httpx.Response:
        return self.http.post(
            self.place.stack.csms_api_url + EVENTS_PATH,
            content=body,
            headers={
                "Content-Type": "application/json",
                "X-CSMS-Id": csms_id or self.place.csms.csms_id,
                "X-Signature": self.sign(body) if signed is None else signed,
                **(headers or {}),
            },
        )

    def sign(self, body: bytes, *, age: timedelta = timedelta(0), key: str | None = None) -> str:
        return signature(key or self.key, int(time.time() - age.total_seconds()), body)

    def sign_for_another_second(self, body: bytes) -> str:
        """A signature that is right for the second before."""
        now = int(time.time())
        return signature(self.key, now - 1, body).replace(f"t={now - 1}", f"t={now}")


@pytest.fixture(scope="module")
def door(stack: LocalStack) -> Iterator[Door]:
    with site(stack) as place, trusting_client(stack.ca_file, SOON) as http:
        yield Door(place, http, event_key_of(place.csms))


def event(place: Site, **changes: object) -> JsonObject:
    """A meter reading of the site's running transaction, and what differs from it; None leaves a field out."""
    valid: JsonObject = {
        "id": str(uuid.uuid4()),
        "type": "transaction.updated",
        "time": write_datetime(utc_now()),
        "csms": place.csms.csms_id,
        "station_id": place.station_id,
        "connector_id": 1,
        "evse_id": 1,
        "transaction_id": str(place.transaction_id),
        "data": {"charging_state": "Charging"},
    }
    return {name: value for name, value in {**valid, **changes}.items() if value is not None}


def post_of(*events: object) -> bytes:
    return write_json({"events": list(events)}).encode()


def error(answer: httpx.Response) -> JsonObject:
    return as_object(read_json(answer.content))


def test_a_signed_meter_reading_reaches_the_partner_when_its_turn_has_come(door: Door) -> None:
    answer = door.post(post_of(event(door.place, data={"charging_state": "Charging", "meter_wh": 4500})))
    assert (answer.status_code, error(answer)) == (202, {"accepted": 1})

    def pushed() -> bool:
        # Readings are throttled: the sweep sends the newest one when the partner's interval is over.
        sweep(door.place.stack)
        return any(session.kwh == Decimal("4.5") for session in door.place.partner.sessions.all())

    eventually(pushed, SOON, what="4.5 kWh at the partner")


REFUSED: dict[str, tuple[Callable[[Door, bytes], httpx.Response], int]] = {
    "wrong key": (lambda door, body: door.post(body, signed=door.sign(body, key="another-key")), 401),
    "wrong body": (lambda door, body: door.post(body, signed=door.sign(body + b" ")), 401),
    "signature of another time": (lambda door, body: door.post(body, signed=door.sign_for_another_second(body)), 401),
    "unknown CSMS": (lambda door, body: door.post(body, csms_id="nobody"), 401),
    "stale": (lambda door, body: door.post(body, signed=door.sign(body, age=TOO_OLD)), 400),
    "from the future": (lambda door, body: door.post(body, signed=door.sign(body, age=-TOO_OLD)), 400),
    "no signature": (lambda door, body: door.post(body, signed=""), 400),
    "not a signature": (lambda door, body: door.post(body, signed="Bearer abc"), 400),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_signed_properly_is_refused_and_changes_nothing(door: Door, name: str) -> None:
    send, status = REFUSED[name]
    log, bad, good = FunctionLog(door.place.stack), event(door.place, type="transaction.ended"), event(door.place)

    answer = send(door, post_of(bad))

    assert answer.status_code == status
    assert error(answer)["error"]
    assert (error(answer).get("field") == "X-Signature") == (status == 400)
    assert_only_taken(door, log, good, bad)


def assert_only_taken(door: Door, log: FunctionLog, good: JsonObject, bad: JsonObject) -> None:
    """The good event is taken in; the bad one, which was posted before it, was not."""
    assert door.post(post_of(good)).status_code == 202
    log.wait_for(SOON, message="event.ingested", event_id=good["id"])
    assert log.lines(message="event.ingested", event_id=bad["id"]) == []


def test_the_same_signed_post_is_taken_once(door: Door) -> None:
    body = post_of(event(door.place))
    signed = door.sign(body)

    first, again = (door.post(body, signed=signed) for _ in range(2))

    assert (first.status_code, again.status_code) == (202, 409)
    assert door.post(body, signed=signature(door.key, int(time.time()) + 1, body)).status_code == 202


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"id": None}, "events.0.id"),
        ({"type": "transaction.begun"}, "events.0.type"),
        ({"type": None}, "events.0.type"),
        ({"time": "yesterday"}, "events.0.time"),
        ({"time": "2026-01-15T17:00:00"}, "events.0.time"),
        ({"time": 1_700_000_000}, "events.0.time"),
        ({"station_id": ""}, "events.0.station_id"),
        ({"transaction_id": None}, "events.0.transaction_id"),
        ({"connector_id": "1"}, "events.0.connector_id"),
        ({"connector_id": 0}, "events.0.connector_id"),
        ({"data": {"meter_wh": "4500"}}, "events.0.data.meter_wh"),
        ({"data": {"meter_wh": -1}}, "events.0.data.meter_wh"),
        ({"data": {"current_a": [1, 2, 3, 4]}}, "events.0.data.current_a"),
        ({"data": {"charging_state": "Sleeping"}}, "events.0.data.charging_state"),
        ({"data": []}, "events.0.data"),
    ],
)
def test_a_bad_event_names_its_field(door: Door, changes: dict[str, object], field: str) -> None:
    answer = door.post(post_of(event(door.place, **changes)))

    assert (answer.status_code, error(answer).get("field")) == (400, field)


@pytest.mark.parametrize(
    ("body", "field"), [(b"{", "body"), (b"[]", "body"), (b"{}", "events"), (b'{"events": []}', "events")]
)
def test_a_post_without_events_is_refused(door: Door, body: bytes, field: str) -> None:
    answer = door.post(body)

    assert answer.status_code == 400
    assert field in str(error(answer).get("field"))


def test_one_bad_event_keeps_the_whole_post_out(door: Door) -> None:
    log, ended, good = FunctionLog(door.place.stack), event(door.place, type="transaction.ended"), event(door.place)

    answer = door.post(post_of(ended, event(door.place, time="yesterday")))

    assert (answer.status_code, error(answer).get("field")) == (400, "events.1.time")
    assert_only_taken(door, log, good, ended)


@pytest.mark.parametrize(
    ("changes", "outcome"),
    [({"station_id": "CP-NOBODY-KNOWS"}, "unknown_station"), ({"connector_id": 7, "evse_id": 7}, "unknown_connector")],
)
def test_an_event_from_an_unknown_place_is_taken_and_logged_as_lost(
    door: Door, changes: dict[str, object], outcome: str
) -> None:
    log = FunctionLog(door.place.stack)
    sent = event(door.place, type="transaction.started", transaction_id=str(uuid.uuid4()), **changes)

    answer = door.post(post_of(sent))

    assert answer.status_code == 202
    (line,) = log.wait_for(SOON, message="event.ingested", event_id=sent["id"])
    assert (line["level"], line["outcome"]) == ("WARNING", outcome)


def test_a_callback_url_that_is_not_ours_is_refused(door: Door) -> None:
    request_id = "0" * 32
    for path in (f"{request_id}.0/forged", f"{request_id}.0/" + "A" * 43, "a/b"):
        url = f"{door.place.stack.csms_api_url}/csms/v1/callback/{path}"
        answer = door.http.post(url, content=b'{"status":"Accepted"}', headers={"Content-Type": "application/json"})
        assert answer.status_code == 403, path


def test_events_that_come_late_and_twice_leave_the_session_as_it_is(stack: LocalStack) -> None:
    with site(stack) as place, trusting_client(stack.ca_file, SOON) as http:
        door = Door(place, http, event_key_of(place.csms))
        ended = event(place, type="transaction.ended", data={"meter_wh": 9000, "stop_reason": "Local"})
        late = event(place, time=write_datetime(utc_now() - timedelta(seconds=1)), data={"meter_wh": 5000})
        assert door.post(post_of(ended)).status_code == 202
        final = place.partner.wait_for_session(lambda one: one.status == "COMPLETED", SOON)
        log = FunctionLog(stack)

        for body in (post_of(late), post_of(ended), post_of(late, ended)):
            assert door.post(body, signed=signature(door.key, int(time.time()) + 2, body)).status_code == 202

        log.wait_for(SOON, 2, message="event.ingested", event_id=ended["id"], outcome="unchanged")
        log.wait_for(SOON, 2, message="event.ingested", event_id=late["id"], outcome="unchanged")
        assert place.partner.wait_for_session(lambda _: True, SOON) == final
