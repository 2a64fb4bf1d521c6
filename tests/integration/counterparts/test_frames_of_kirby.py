"""What a subscriber gets of a real charge point, over real sockets: as from a CitrineOS."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tools.charge_point import ChargePoint
from tools.counterparts.http_service import HttpService, Request, Response
from tools.demo_csms import DemoCsms, Reports

pytestmark = pytest.mark.integration

STATION = "CP-001"
SECONDS = 20.0


@pytest.fixture
def inbox() -> Iterator[HttpService]:
    def answer(_: Request) -> Response:
        return Response(202)

    with HttpService(answer, name="frames-inbox") as inbox:
        yield inbox


@pytest.fixture
def csms() -> Iterator[DemoCsms]:
    with DemoCsms(reports=Reports.FRAMES) as csms:
        yield csms


def subscribe(csms: DemoCsms, url: str, **wanted: object) -> None:
    body = {"stationId": STATION, "tenantId": 1, "url": url, **wanted}
    assert httpx.post(f"{csms.http_url}/data/ocpprouter/subscription?tenantId=1", json=body).status_code == 200


def posted(inbox: HttpService) -> list[dict[str, Any]]:
    return [json.loads(request.body) for request in inbox.requests.entries()]


def test_a_subscriber_gets_what_passes_in_both_directions(csms: DemoCsms, inbox: HttpService) -> None:
    subscribe(csms, f"{inbox.url}/all", onConnect=True, onClose=True, onMessage=True, sentMessage=True)
    with ChargePoint(csms.ocpp_url, STATION) as charge_point:
        charge_point.wait_until_booted()
        transaction_id = charge_point.start_transaction()
    inbox.requests.wait_for(lambda request: b'"closed"' in request.body, SECONDS)

    first, boot, *_ = posts = posted(inbox)
    assert first == {"stationId": STATION, "event": "connected"}
    assert (boot["origin"], boot["info"]["action"], boot["info"]["protocol"]) == ("cs", "BootNotification", "ocpp1.6")
    answers = [json.loads(post["message"])[2] for post in posts if post.get("origin") == "csms"]
    assert [answer["transactionId"] for answer in answers if "transactionId" in answer] == [transaction_id]
    assert "authorization" not in inbox.requests.entries()[0].headers


def test_a_subscriber_gets_no_more_than_it_asked_for(csms: DemoCsms, inbox: HttpService) -> None:
    subscribe(csms, f"{inbox.url}/calls", onMessage=True, messageRegexFilter="StartTransaction")
    with ChargePoint(csms.ocpp_url, STATION) as charge_point:
        charge_point.wait_until_booted()
        charge_point.start_transaction()
    csms.feed.stop()
    assert [(post["event"], post["info"]["action"]) for post in posted(inbox)] == [("message", "StartTransaction")]


def test_a_subscriber_that_is_not_there_is_told_once(csms: DemoCsms, inbox: HttpService) -> None:
    with HttpService(lambda _: Response(202), name="gone") as gone:
        url = gone.url
    subscribe(csms, url, onConnect=True)
    with ChargePoint(csms.ocpp_url, STATION) as charge_point:
        charge_point.wait_until_booted()
        delivery = csms.feed.deliveries.wait_for(lambda _: True, SECONDS)
    assert delivery.status is None
    assert len(csms.feed.deliveries.entries()) == 1
