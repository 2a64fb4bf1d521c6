"""The door for raw frames: a secret URL for each CSMS, and never a word about who exists."""

import base64
import hmac
import json
from collections.abc import Callable
from typing import Any

import pytest

from ocpi_bridge.adapters.csms.signing import frames_token, frames_url, verify
from ocpi_bridge.ports.secrets import CsmsSecrets
from ocpi_bridge.runtime import clients
from ocpi_bridge.runtime.csms_door import csms_endpoint
from ocpi_bridge.runtime.wiring.csms_frames import FrameIntake
from ocpi_bridge.runtime.wiring.csms_keys import EventKeys
from tests.support.clocks import START, ManualClock
from tests.support.fake_secrets import InMemorySecretStore
from tests.support.lambda_events import proxy_event, queue_event
from tests.support.queues import Queues
from tests.support.raw_frames import call

KEY = "key of the events"
TOKEN = frames_token("acme", KEY)
FRAME = json.dumps(call("Heartbeat", {}))
Lines = Callable[[], list[dict[str, Any]]]
Answer = tuple[int, dict[str, Any]]


@pytest.fixture
def secrets() -> InMemorySecretStore:
    store = InMemorySecretStore()
    store.csms["acme"] = CsmsSecrets(KEY)
    store.csms["other"] = CsmsSecrets(KEY)
    return store


class CitrineOS:
    """Posts to the URL that it was given, as it is."""

    def __init__(self, secrets: InMemorySecretStore, queues: Queues) -> None:
        self.clock = ManualClock()
        self.queues = queues
        self.intake = FrameIntake(EventKeys(secrets, self.clock), self.clock, queues.csms_events)

    def post(self, body: str = FRAME, *, csms_id: str = "acme", token: str = TOKEN, method: str = "POST") -> Answer:
        path = f"/csms/v1/citrineos/{csms_id}/{token}"
        event = proxy_event(
            method,
            path,
            body=body,
            path_parameters={"csms_id": csms_id, "token": token},
            resource="/csms/v1/citrineos/{csms_id}/{token}",
        )
        answer: dict[str, Any] = dict(csms_endpoint(self.intake.take)(event, None))
        return answer["statusCode"], json.loads(answer["body"])

    def queued(self) -> list[dict[str, Any]]:
        records: list[dict[str, Any]] = queue_event(self.queues.client, self.queues.csms_events)["Records"]
        return records


@pytest.fixture
def citrineos(secrets: InMemorySecretStore, queues: Queues, monkeypatch: pytest.MonkeyPatch) -> CitrineOS:
    monkeypatch.setattr(clients, "sqs", lambda: queues.client)
    return CitrineOS(secrets, queues)


def test_a_frame_waits_in_the_queue_as_it_was_posted_with_when_that_was(citrineos: CitrineOS) -> None:
    assert citrineos.post() == (202, {"accepted": 1})
    [record] = citrineos.queued()
    assert record["body"] == FRAME
    assert {name: value["stringValue"] for name, value in record["messageAttributes"].items()} == {
        "csms_id": "acme",
        "form": "frames",
        "received_at": START.isoformat(),
    }


def test_frames_may_come_as_a_list(citrineos: CitrineOS) -> None:
    assert citrineos.post(f"[{FRAME},{FRAME}]") == (202, {"accepted": 2})
    assert len(citrineos.queued()) == 1


def test_whoever_does_not_have_the_url_learns_nothing_of_which_csmss_exist(citrineos: CitrineOS) -> None:
    refusals = [
        citrineos.post(csms_id="nobody"),
        citrineos.post(csms_id="other"),
        citrineos.post(token=frames_token("acme", "another key")),
        citrineos.post(token="short"),
        citrineos.post(token=TOKEN + "A"),
        citrineos.post(token="\N{SNOWMAN}" * 43),
        citrineos.post(csms_id="a b"),
        citrineos.post("{", csms_id="nobody"),
    ]
    assert {json.dumps(refusal) for refusal in refusals} == {
        json.dumps((403, {"error": "not an address that was given to a CSMS"}))
    }
    assert citrineos.queued() == []


@pytest.mark.parametrize(("csms_id", "token"), [("a b", TOKEN), ("x" * 65, TOKEN), ("acme", ""), ("acme", "junk")])
def test_what_can_be_no_address_is_refused_before_any_secret_is_read(
    citrineos: CitrineOS, secrets: InMemorySecretStore, csms_id: str, token: str
) -> None:
    assert citrineos.post(csms_id=csms_id, token=token)[0] == 403
    assert secrets.reads == []


def test_a_key_that_was_replaced_ends_the_old_url_and_makes_a_new_one(
    citrineos: CitrineOS, secrets: InMemorySecretStore
) -> None:
    citrineos.post()
    secrets.csms["acme"] = CsmsSecrets("the new key")
    assert citrineos.post(token=frames_token("acme", "the new key"))[0] == 202
    assert citrineos.post()[0] == 403


def test_junk_does_not_make_us_read_secrets_without_end(citrineos: CitrineOS, secrets: InMemorySecretStore) -> None:
    for _ in range(10):
        assert citrineos.post(token="A" * 43)[0] == 403
    assert len(secrets.reads) == 2


def test_the_address_stays_out_of_the_log(citrineos: CitrineOS, log: Lines) -> None:
    wrong = frames_token("acme", "another key")
    citrineos.post()
    citrineos.post(token=wrong)
    citrineos.post("{")
    text = json.dumps(log())
    assert "frames.refused" in text
    assert TOKEN not in text
    assert wrong not in text


BODIES = {
    "no JSON": "{",
    "a number": "5",
    "no frames": "[]",
    "too many": f"[{','.join('{}' for _ in range(101))}]",
    "too long": json.dumps(["x" * 200_000]),
    "no character": '["\uffff"]',
}


@pytest.mark.parametrize("kind", BODIES)
def test_a_body_that_is_none_is_refused(citrineos: CitrineOS, kind: str) -> None:
    status, answer = citrineos.post(BODIES[kind])
    assert (status, answer["field"]) == (400, "body")
    assert citrineos.queued() == []


def test_frames_that_mean_nothing_are_taken_all_the_same(citrineos: CitrineOS) -> None:
    """What a frame means is looked at later: nobody would read the answer."""
    assert citrineos.post('{"stationId": 5}')[0] == 202


def test_a_queue_that_is_not_there_is_told(citrineos: CitrineOS, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        raise RuntimeError("the queue is not there")

    monkeypatch.setattr(clients, "sqs", refuse)
    assert citrineos.post()[0] == 503


def test_only_a_post_is_taken(citrineos: CitrineOS) -> None:
    assert citrineos.post(method="GET")[0] == 405


def test_the_url_names_the_csms_and_carries_its_token() -> None:
    url = frames_url("https://csms-api.example/live/", "acme", KEY)
    assert url == f"https://csms-api.example/live/csms/v1/citrineos/acme/{TOKEN}"
    assert frames_token("other", KEY) != TOKEN


def test_an_address_stays_what_it_is_as_long_as_the_key_does() -> None:
    """CitrineOS keeps it for years: another way to make it would end every subscription."""
    digest = hmac.digest(KEY.encode(), b"ocpi-bridge/csms-frames/v1\nacme", "sha256")
    assert base64.urlsafe_b64encode(digest).decode().rstrip("=") == TOKEN


def test_a_token_for_frames_signs_nothing_else() -> None:
    assert not verify("acme", TOKEN, KEY.encode())
