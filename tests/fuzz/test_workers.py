"""Whatever lies in a queue or comes from the bus or a stream, a worker never breaks: it says what is to come again."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fuzz.bridge import Bridge
from tests.fuzz.messages import EVENTS, FRAMES, SESSION
from tests.support.examples import also_proved, examples
from tests.support.lambda_events import failed, stream_event
from tests.support.near_misses import TEXTS, near_misses, near_texts
from tests.support.tables import ACCOUNT, REGION

pytestmark = also_proved()

GUEST = "111111111111"
# What each worker is given, by the queue it comes from, and the attributes beside it.
ABOUT = {"csms_id": "acme", "station_id": "CP-001", "session_id": "s-1"}
COMMAND: dict[str, Any] = {"request_id": "r1", "step": 0, "about": ABOUT}
RESULT: dict[str, Any] = {"request_id": "r1"}
DEADLINE: dict[str, Any] = {"request_id": "r1", "deadline": "2026-01-15T17:00:50Z"}
UPDATE: dict[str, Any] = {"session_id": "s-1", "partner_id": "jedlix", "reassess": True}
BY_DOOR = {"csms_id": "acme"}
AS_FRAMES = BY_DOOR | {"form": "frames", "received_at": "2026-01-15T17:00:00+00:00"}
AS_SESSION = BY_DOOR | {"form": "sessions", "change": "PUT", "session_id": "S-1", "station_id": "CP-001"}
QUEUED: list[tuple[str, str, Any, Mapping[str, str]]] = [
    ("send_charger_commands", "charger-commands.fifo", COMMAND, {}),
    ("deliver_results", "result-callbacks", RESULT, {}),
    ("deliver_results", "request-deadlines", DEADLINE, {}),
    ("push_updates", "partner-updates.fifo", UPDATE, {}),
    ("ingest_csms_events", "csms-events", EVENTS, BY_DOOR),
    ("ingest_csms_events", "csms-events", FRAMES, AS_FRAMES),
    ("ingest_csms_events", "csms-events", SESSION, AS_SESSION),
]
# Of what SQS itself writes, a worker may count on these.
OF_SQS = ("messageId", "eventSource", "eventSourceARN", "receiptHandle")


def record(number: int, queue: str, body: str, attributes: Mapping[str, str], receipts: str = "1") -> dict[str, Any]:
    return {
        "messageId": f"message-{number}",
        "receiptHandle": f"handle-{number}",
        "body": body,
        "attributes": {"ApproximateReceiveCount": receipts},
        "messageAttributes": {name: {"stringValue": value, "dataType": "String"} for name, value in attributes.items()},
        "md5OfBody": "",
        "eventSource": "aws:sqs",
        "eventSourceARN": f"arn:aws:sqs:{REGION}:{ACCOUNT}:{queue}",
        "awsRegion": REGION,
    }


@st.composite
def records(draw: st.DrawFn, number: int, queue: str, message: object, usual: Mapping[str, str]) -> dict[str, Any]:
    """A record that is nearly what SQS makes of a message."""
    attributes = dict(usual)
    for name in draw(st.lists(st.sampled_from([*usual, "form", "else"]), max_size=2)):
        attributes[name] = draw(TEXTS)
    made = record(
        number, queue, draw(near_texts(message)), attributes, draw(st.sampled_from(["1", "1", "2", "9", "x"]))
    )
    if draw(st.integers(0, 4)) == 0:
        del made[draw(st.sampled_from([name for name in made if name not in OF_SQS]))]
    return made


@pytest.mark.parametrize(("function", "queue", "message", "attributes"), QUEUED)
@examples(30)
@given(data=st.data())
def test_a_worker_says_of_each_message_whether_it_is_done_whatever_it_holds(
    bridge: Bridge, function: str, queue: str, message: object, attributes: Mapping[str, str], data: st.DataObject
) -> None:
    bridge.afresh()
    count = data.draw(st.integers(1, 1 if queue.endswith("commands.fifo") else 3))
    batch = [data.draw(records(number, queue, message, attributes)) for number in range(count)]
    again = list(failed(bridge.run(function, {"Records": batch})))
    ids = [one["messageId"] for one in batch]
    assert set(again) <= set(ids)
    assert len(again) == len(set(again))
    if queue.endswith(".fifo"):
        assert again == ids[len(ids) - len(again) :], "a message went ahead of one before it"


@examples(60)
@given(data=st.data())
def test_whatever_is_put_on_the_bus_is_digested(bridge: Bridge, data: st.DataObject) -> None:
    bridge.afresh()
    detail = data.draw(near_misses({"csms_id": "acme", **EVENTS}))
    envelope: dict[str, Any] = {
        "version": "0",
        "id": "b-1",
        "detail-type": data.draw(st.sampled_from(["csms.events", "csms.events", "csms.events", "else"])),
        "source": data.draw(st.sampled_from(["com.example.csms", "ocpi-bridge"])),
        "account": data.draw(st.sampled_from([ACCOUNT, ACCOUNT, GUEST])),
        "time": "2026-01-15T17:00:01Z",
        "region": REGION,
        "resources": [],
        # EventBridge takes objects only, and JSON only.
        "detail": detail if isinstance(detail, dict) else {"csms_id": "acme", "events": detail},
    }
    text = json.dumps(envelope)
    if "NaN" in text or "Infinity" in text:
        return
    arrived = {"Records": [record(1, "csms-events", text, {})]}
    assert bridge.run("ingest_csms_events", arrived) == {"batchItemFailures": []}
    assert bridge.errors.taken() == []


@pytest.fixture(scope="module")
def images(bridge: Bridge) -> list[dict[str, Any]]:
    """All items of a small world."""
    bridge.afresh()
    tables = bridge.tables
    return [item for table in (tables.sessions, tables.requests, tables.registry) for item in tables.items(table)]


RELAYED = {"request", "session", "preferences"}


@examples(40)
@given(data=st.data())
def test_a_change_of_no_concern_to_the_relay_is_passed_over(
    bridge: Bridge, images: list[dict[str, Any]], data: st.DataObject
) -> None:
    others = [image for image in images if image.get("entity", {}).get("S") not in RELAYED]
    values = st.recursive(
        st.one_of(
            TEXTS.map(lambda text: {"S": text}),
            st.integers(-(10**37), 10**37).map(lambda number: {"N": str(number)}),
            st.booleans().map(lambda value: {"BOOL": value}),
            st.just({"NULL": True}),
            st.binary(max_size=5).map(lambda value: {"B": value}),
        ),
        lambda inner: st.one_of(
            st.lists(inner, max_size=3).map(lambda listed: {"L": listed}),
            st.dictionaries(st.text(max_size=5), inner, max_size=3).map(lambda mapped: {"M": mapped}),
        ),
        max_leaves=6,
    )
    image = data.draw(st.sampled_from(others)) | data.draw(
        st.dictionaries(st.text(max_size=8).filter(lambda name: name != "entity"), values, max_size=3)
    )
    assert bridge.run("relay_outbox", stream_event([image, None])) is None


@examples(40)
@given(data=st.data())
def test_a_batch_of_a_stream_that_cannot_be_read_sends_nothing_of_it(
    bridge: Bridge, images: list[dict[str, Any]], data: st.DataObject
) -> None:
    known = [image for image in images if image.get("entity", {}).get("S") in RELAYED]
    bad = dict(data.draw(st.sampled_from(known)))
    name = data.draw(st.sampled_from(sorted(set(bad) - {"entity"})))
    bad[name] = data.draw(st.sampled_from([{"S": "?"}, {"N": "-1"}, {"NULL": True}, {"L": []}, {"M": {}}]))
    batch = stream_event([data.draw(st.sampled_from(known)), bad])
    queues = bridge.queues
    urls = (queues.charger_commands, queues.request_deadlines, queues.result_callbacks, queues.partner_updates)
    raised = False
    try:
        bridge.run("relay_outbox", batch)
    except Exception:  # noqa: BLE001 - a stream's door raises whatever it meets, for the whole batch
        raised = True
    sent = [message for url in urls for message in queues.take(url)]
    assert not (raised and sent)
