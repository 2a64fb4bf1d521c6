"""Results leave quickly, once and to nobody else, or end in the dead-letter queue with the reason."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta

import pytest

from ocpi_bridge.domain.requests import RequestState
from tests.support.e2e_faults import Queue
from tests.support.e2e_site import SOON, Site, flat, site
from tools.counterparts.http_service import Answer, Fault, HttpService, NeverAnswer, ResetConnection, Response
from tools.counterparts.http_service import Request as HttpRequest
from tools.local_stack import LocalStack
from tools.partner_simulator import Exchange, ResponseType, ResultType, faults

# Ends the attempts at a partner that does not answer, and leaves room for the schedule of 0, 1, 3 and 7 s.
TIMEOUT = 25
RETRY_AFTER = 3
ALWAYS = None


@dataclass(frozen=True, slots=True)
class Case:
    """What the partner answers to results, how often, and how many attempts it takes until the result is there."""

    name: str
    fault: Fault
    times: int | None = 1
    attempts: int = 2


PASSING = (
    Case("500 twice", faults.http_error(500), times=2, attempts=3),
    Case("429 with Retry-After", faults.too_many_requests(RETRY_AFTER)),
    Case("408", faults.http_error(408)),
    Case("401", faults.http_error(401)),
    Case("an OCPI server error", faults.ocpi_error(3000)),
    Case("a lost connection", ResetConnection()),
    Case("an empty answer", faults.empty_body(), attempts=1),
    Case("an answer that is no envelope", Answer(Response(200, b"<html>welcome</html>"), handled=True), attempts=1),
)
FINAL = {
    "404": (faults.http_error(404), "http_404"),
    "an OCPI client error": (faults.ocpi_error(2001), "ocpi_2001"),
}
REDIRECT, SILENT = "redirect", "never answers"


@dataclass(frozen=True, slots=True)
class Delivery:
    """A result on its way to a partner that answers oddly."""

    place: Site
    exchange: Exchange

    def posts(self) -> list[HttpRequest]:
        return self.place.posts()


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[HttpService]:
    """A service that is not the partner's, where a redirect leads."""
    with HttpService(lambda _: Response.json(200, {"status_code": 1000}), name="elsewhere") as service:
        yield service


@pytest.fixture(scope="module")
def deliveries(stack: LocalStack, elsewhere: HttpService) -> Iterator[dict[str, Delivery]]:
    """All at once, each to a partner of its own."""
    planned: dict[str, tuple[Fault, int | None]] = {case.name: (case.fault, case.times) for case in PASSING}
    planned |= {name: (fault, ALWAYS) for name, (fault, _) in FINAL.items()}
    planned |= {REDIRECT: (faults.redirect(elsewhere.url), ALWAYS), SILENT: (NeverAnswer(), ALWAYS)}
    with ExitStack() as places:
        sites = {name: places.enter_context(site(stack, timeout=TIMEOUT)) for name in planned}
        for name, (fault, times) in planned.items():
            sites[name].partner.misbehave(fault, method="POST", times=times)
        # The silent one first: nobody behind it waits for it.
        names = sorted(planned, key=lambda name: name != SILENT)
        yield {
            name: Delivery(place, place.bridge.put_profile(place.session_id, flat(7000)))
            for name, place in ((name, sites[name]) for name in names)
        }


@pytest.mark.parametrize("case", PASSING, ids=lambda case: case.name)
def test_a_partner_that_fails_for_a_moment_gets_its_result_in_time(deliveries: dict[str, Delivery], case: Case) -> None:
    delivery = deliveries[case.name]
    assert delivery.exchange.result is ResponseType.ACCEPTED

    assert delivery.exchange.wait_for_result(TIMEOUT).result is ResultType.ACCEPTED

    delivery.place.items.wait_for_state(
        delivery.place.session_id, delivery.exchange.response_url, RequestState.DELIVERED, SOON
    )
    assert len(delivery.posts()) == case.attempts
    assert len({post.body for post in delivery.posts()}) == 1
    # Each attempt is a request of its own; the correlation id says that they belong together.
    assert len({post.header("X-Request-ID") for post in delivery.posts()}) == case.attempts
    assert len({post.header("X-Correlation-ID") for post in delivery.posts()}) == 1


def test_a_partner_that_asks_for_a_pause_gets_it(deliveries: dict[str, Delivery]) -> None:
    delivery = deliveries["429 with Retry-After"]
    delivery.exchange.wait_for_result(TIMEOUT)

    first, second = delivery.posts()

    assert second.at - first.at >= timedelta(seconds=RETRY_AFTER)


def dead_letter(delivery: Delivery) -> dict[str, object]:
    """What operators find of a result that was given up; the request says the same."""
    place, url = delivery.place, delivery.exchange.response_url
    request = place.items.wait_for_state(place.session_id, url, RequestState.UNDELIVERED, TIMEOUT)
    letter = Queue(place.stack, "ResultCallbacksDeadLetter").find(request.request_id, SOON)
    assert letter["partner_id"] == place.world.partner_id
    assert letter["session_id"] == place.session_id
    assert letter["host"] == "localhost"
    assert (letter["kind"], letter["result"]) == ("SET", "ACCEPTED")
    assert letter["attempts"] == len(delivery.posts()) == request.delivery.attempts
    assert letter["error"] == request.delivery.last_error
    assert delivery.exchange.results() == []
    return letter


@pytest.mark.parametrize("name", FINAL)
def test_a_refusal_is_final_and_ends_in_the_dead_letters_with_its_reason(
    deliveries: dict[str, Delivery], name: str
) -> None:
    letter = dead_letter(deliveries[name])

    assert (letter["error"], letter["attempts"]) == (FINAL[name][1], 1)


def test_a_redirect_is_not_followed(deliveries: dict[str, Delivery], elsewhere: HttpService) -> None:
    letter = dead_letter(deliveries[REDIRECT])

    assert (letter["error"], letter["attempts"]) == ("redirect", 1)
    assert elsewhere.requests.entries() == []


def test_a_partner_that_never_answers_delays_no_other_and_ends_in_the_dead_letters(
    deliveries: dict[str, Delivery],
) -> None:
    silent = deliveries[SILENT]
    silent.place.partner.http.requests.wait_for(lambda request: request.method == "POST", SOON)
    for name in ("an empty answer", "500 twice"):
        assert deliveries[name].exchange.wait_for_result(TIMEOUT).result is ResultType.ACCEPTED

    letter = dead_letter(silent)

    assert letter["error"] in {"timeout", "too_late"}
    # Told to nobody later: OCPI wants no queueing, and the partner has stopped waiting.
    assert silent.exchange.answer is not None
    last = silent.posts()[-1].at
    assert last <= silent.exchange.answer.at + timedelta(seconds=TIMEOUT)


def test_a_result_goes_out_with_the_partners_token_and_as_the_right_party(deliveries: dict[str, Delivery]) -> None:
    delivery = deliveries["an empty answer"]
    delivery.exchange.wait_for_result(TIMEOUT)

    # The simulator has a violation for a wrong token, missing ids, wrong routing headers and a wrapped body.
    assert delivery.place.partner.violations() == []
    (post,) = delivery.posts()
    assert post.body == b'{"result":"ACCEPTED"}'
    assert post.header("OCPI-from-party-id") == delivery.place.partner.cpo.party_id
    assert post.header("OCPI-to-party-id") == delivery.place.partner.party.party_id
