"""Subscriptions to raw frames as CitrineOS keeps them, without a socket."""

import json
from typing import Any

import pytest

from tools.counterparts.clock import utc_now
from tools.counterparts.http_service import Request
from tools.demo_csms import Subscriptions
from tools.demo_csms.subscriptions import PATH

Json = dict[str, Any]
WANTED: Json = {"stationId": "CP-1", "tenantId": 1, "onConnect": True, "onMessage": True, "url": "https://a.example/x"}


@pytest.fixture
def subscriptions() -> Subscriptions:
    return Subscriptions()


def ask(subscriptions: Subscriptions, method: str, query: str = "", body: object = None) -> tuple[int, Any]:
    request = Request(method, f"{PATH}?{query}", {}, json.dumps(body).encode(), 0, utc_now())
    answer = subscriptions.handle(request)
    assert answer is not None
    return answer.status, json.loads(answer.body)


def test_a_subscription_is_made_listed_and_removed(subscriptions: Subscriptions) -> None:
    status, number = ask(subscriptions, "POST", "tenantId=1", WANTED)
    assert status == 200
    status, listed = ask(subscriptions, "GET", "stationId=CP-1&tenantId=1")
    assert (status, [one["id"] for one in listed]) == (200, [number])
    assert listed[0]["messageRegexFilter"] is None
    assert {**listed[0], **WANTED} == listed[0]
    assert ask(subscriptions, "DELETE", f"id={number}") == (200, True)
    assert ask(subscriptions, "GET", "stationId=CP-1") == (200, [])


def test_each_post_makes_a_new_one(subscriptions: Subscriptions) -> None:
    numbers = {ask(subscriptions, "POST", "", WANTED)[1] for _ in range(2)}
    assert len(numbers) == len(subscriptions.of("CP-1")) == 2


def test_tenants_and_stations_have_their_own(subscriptions: Subscriptions) -> None:
    ask(subscriptions, "POST", "", {**WANTED, "tenantId": 2})
    assert ask(subscriptions, "GET", "stationId=CP-1&tenantId=1") == (200, [])
    assert ask(subscriptions, "GET", "stationId=CP-2&tenantId=2") == (200, [])


@pytest.mark.parametrize(
    "change",
    [{"stationId": None}, {"url": "x" * 256}, {"messageRegexFilter": "x" * 256}, {"onConnect": 0, "onMessage": 0}],
)
def test_what_is_not_valid_is_refused(subscriptions: Subscriptions, change: Json) -> None:
    assert ask(subscriptions, "POST", "", {**WANTED, **change})[0] == 400


@pytest.mark.parametrize(("method", "status"), [("GET", 400), ("DELETE", 400), ("PATCH", 404)])
def test_what_names_nothing_is_refused(subscriptions: Subscriptions, method: str, status: int) -> None:
    assert ask(subscriptions, method)[0] == status


def test_another_path_is_anothers(subscriptions: Subscriptions) -> None:
    assert subscriptions.handle(Request("GET", "/ocpp", {}, b"", 0, utc_now())) is None
