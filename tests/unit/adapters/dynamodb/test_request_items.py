"""Items of requests: what stands in them once, what they grow to, and those that were written before."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from ocpi_bridge.adapters.dynamodb import tables as dynamo
from ocpi_bridge.adapters.dynamodb.request_items import plan_key, request_items, request_of
from ocpi_bridge.adapters.dynamodb.stories import DynamoStories
from ocpi_bridge.domain.partners import Party
from ocpi_bridge.domain.plans import Plan, PlanPeriod, RateUnit
from ocpi_bridge.domain.requests import (
    Answer,
    Callback,
    Delivery,
    Fit,
    Origin,
    Request,
    RequestKind,
    RequestState,
    Result,
    Whereabouts,
)
from tests.support import capacity
from tests.support.clocks import START
from tests.support.dynamodb_faults import counted
from tests.support.tables import AwsTables
from tests.support.world import PAUSE_BETWEEN, RESPONSE_URL, World

# OCPI's longest URL.
LONGEST_URL = RESPONSE_URL.ljust(255, "x")
A_SECOND = timedelta(seconds=1)

# As they were written before attributes took the place of the document's fields.
OLD_DOCUMENT = (
    '{"origin":"partner","kind":"SET","csms_id":"acme","station_id":"CP-001","created_at":"2026-01-15T17:02:10.123456Z",'
    '"deadline":"2026-01-15T17:03:00.123456Z","timeout_at":"2026-01-15T17:03:10.123456Z","steps":["SET"],"number":2,'
    '"callback":{"response_url":"https://www.jedlix.com/r?id=1","correlation_id":"corr-1",'
    '"our_party":{"country_code":"NL","party_id":"ACM"},"their_party":{"country_code":"NL","party_id":"JDX"}},'
    '"unit":"W","plan_ends_at":"2026-01-15T20:00:00Z","fail_safe_at":"2026-01-15T19:02:10.123456Z"}'
)
OLD_REQUEST: dict[str, Any] = {
    "pk": {"S": "REQUEST#r1"},
    "sk": {"S": "REQUEST"},
    "entity": {"S": "request"},
    "document": {"S": OLD_DOCUMENT},
    "session_id": {"S": "s1"},
    "station_key": {"S": "acme#CP-001"},
    "partner_id": {"S": "jedlix"},
    "state": {"S": "SENT"},
    "step": {"N": "0"},
    "attempts": {"N": "1"},
    "delivery_attempts": {"N": "0"},
    "created_at": {"N": "1768496530123"},
    "deadline": {"N": "1768496580123"},
    "due_shard": {"S": "3"},
    "due_at": {"N": "1768496530123"},
    "expires_at": {"N": "1771088530"},
    "sent_at": {"N": "1768496530200"},
    "first_sent_at": {"N": "1768496530200"},
    "fitted_to": {"S": '{"phases":3,"maximum_w":"11000","reduces":false}'},
}
OLD_PLAN: dict[str, Any] = {
    "pk": {"S": "REQUEST#r1"},
    "sk": {"S": "PLAN"},
    "entity": {"S": "plan"},
    "document": {
        "S": '{"unit":"W","periods":[{"start":0,"limit":"10000.0"},{"start":1800,"limit":"0.0"},'
        '{"start":3600,"limit":"8000.0"}],"start":"2026-01-15T17:00:00Z"}'
    },
    "expires_at": {"N": "1771088530"},
}
AT = datetime(2026, 1, 15, 17, 2, 10, 123_456, tzinfo=UTC)
OLD = Request(
    request_id="r1",
    origin=Origin.PARTNER,
    kind=RequestKind.SET,
    session_id="s1",
    csms_id="acme",
    station_id="CP-001",
    state=RequestState.SENT,
    created_at=AT,
    deadline=AT + timedelta(seconds=50),
    timeout_at=AT + timedelta(seconds=60),
    steps=(RequestKind.SET,),
    attempts=1,
    number=2,
    partner_id="jedlix",
    callback=Callback("https://www.jedlix.com/r?id=1", "corr-1", Party("NL", "ACM"), Party("NL", "JDX")),
    unit=RateUnit.WATT,
    plan_ends_at=datetime(2026, 1, 15, 20, tzinfo=UTC),
    fail_safe_at=AT + timedelta(hours=2),
    fitted_to=Fit(3, Decimal(11_000)),
    delivery=Delivery(),
)


@pytest.fixture
def world(aws: AwsTables) -> World:
    return World(aws)


def a_plan(periods: int) -> Plan:
    """As a partner's planner makes it: some hours in quarters, from now on, with an end of its own."""
    steps = tuple(PlanPeriod(900 * index, Decimal(11_000 - 500 * index)) for index in range(periods))
    return Plan(RateUnit.WATT, steps, START, 900 * periods)


def a_request(response_url: str = RESPONSE_URL, **changes: object) -> Request:
    """A PUT as it is accepted: instants to the microsecond, ids of full length."""
    made = replace(
        OLD,
        request_id="f6305152a6d34c339232ec163e47f9e4",
        session_id="ff23ca38-5e13-5f04-b835-162a94eeab32",
        state=RequestState.PENDING,
        attempts=0,
        fitted_to=None,
        callback=Callback(response_url, "f5ba8632-b16c-5399-b0bd-385b1a0fc9e4", Party("NL", "ACM"), Party("NL", "JDX")),
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def largest(world: World, request: Request, plan: Plan, answer: Answer, error: str | None = None) -> int:
    """Bytes of the request's own item where it is largest, in a life with all that one has."""
    own, *apart = request_items(request, plan)
    for item in (own, *apart):
        world.tables.put(world.tables.requests, dynamo.to_item(item))
    sizes: list[int] = []

    def then() -> Request:
        sizes.append(capacity.size(dynamo.to_item(world.request_item(request.request_id))))
        return world.request(request.request_id)

    fitted = replace(request, fitted_to=Fit(3, Decimal("11000.0"), reduces=True))
    assert world.commands.mark_sent(fitted)
    assert world.commands.mark_sent(then())
    assert world.commands.record_answer(then(), answer)
    now = world.clock.now()
    leased = world.deliveries.lease_delivery(then(), now + A_SECOND, now)
    assert leased is not None
    if error is not None:
        world.deliveries.release_delivery(leased, error)
        leased = world.deliveries.lease_delivery(then(), now + A_SECOND, now)
        assert leased is not None
    then()
    world.deliveries.delivered(leased)
    then()
    return max(sizes)


ACCEPTED = Answer(Result.ACCEPTED, "Accepted")
REFUSED = Answer(Result.REJECTED, "Rejected: the profile's stack level is not one of ours")


# --- What is in it ---------------------------------------------------------------------------------------------------


def test_a_document_has_nothing_that_the_item_has_as_an_attribute() -> None:
    [item] = request_items(a_request(), a_plan(3))
    assert item["document"] == '{"number":2,"unit":"W"}'
    assert item["plan"] == '{"unit":"W","start":"2026-01-15T17:00:00Z","duration":2700}'
    assert item["periods"] == "0 11000;900 10500;1800 10000"
    assert (item["our_party"], item["their_party"], item["station_key"]) == ("NL ACM", "NL JDX", "acme#CP-001")
    assert (item["origin"], item["kind"]) == ("partner", "SET")
    assert item["timeout_at"] == Decimal("1768496590123.456")


def test_a_plan_for_which_there_is_no_room_is_an_item_of_its_own() -> None:
    request, plan = a_request(), a_plan(96)
    own, apart = request_items(request, plan)
    assert "plan" not in own
    assert (apart["pk"], apart["sk"]) == plan_key(request.request_id)
    assert apart["expires_at"] == own["expires_at"]


# --- How large it is -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "error"), [(ACCEPTED, None), (REFUSED, "http_503")], ids=["accepted", "refused, delivered at last"]
)
@pytest.mark.parametrize("url", [RESPONSE_URL, LONGEST_URL], ids=["guide", "longest"])
@pytest.mark.parametrize("periods", [1, 12, 96])
def test_a_request_stays_below_a_write_unit_to_its_end(
    world: World, periods: int, url: str, answer: Answer, error: str | None
) -> None:
    request = a_request(url)
    assert largest(world, request, a_plan(periods), answer, error) <= capacity.WRITE_UNIT


def test_as_much_of_plans_as_fits_is_in_requests(world: World) -> None:
    beside = [periods for periods in range(1, 97) if len(request_items(a_request(), a_plan(periods))) == 1]
    assert beside == list(range(1, 16))
    refused = largest(world, a_request(), a_plan(beside[-1]), REFUSED, "http_503")
    assert capacity.WRITE_UNIT - 50 < refused <= capacity.WRITE_UNIT


# --- What was written before -----------------------------------------------------------------------------------------


def test_a_request_that_was_written_before_is_read_as_it_was() -> None:
    assert request_of(dynamo.from_item(OLD_REQUEST)) == OLD


def test_the_plan_of_a_request_that_was_written_before_is_found_by_all_who_need_it(world: World) -> None:
    for item in (OLD_REQUEST, OLD_PLAN):
        world.tables.put(world.tables.requests, item)
    for about in (Whereabouts("acme", "CP-001", "s1"), None):
        context = world.commands.command_context("r1", about)
        assert context is not None
        assert (context.request, context.plan) == (OLD, PAUSE_BETWEEN)
    assert world.watches.plan("r1") == PAUSE_BETWEEN
    story = DynamoStories(world.tables.client, world.tables.sessions, world.tables.requests).request("r1")
    assert story is not None
    assert (story.request, story.plan) == (OLD, PAUSE_BETWEEN)


def test_a_request_that_was_written_before_goes_its_way(world: World) -> None:
    world.tables.put(world.tables.requests, OLD_REQUEST)
    assert world.commands.record_answer(OLD, ACCEPTED)
    answered = replace(OLD, state=RequestState.ANSWERED, result=Result.ACCEPTED, reason="Accepted")
    assert world.request() == answered


# --- What reading it costs -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("periods", "calls"), [(12, 1), (96, 2)], ids=["beside the request", "apart"])
def test_only_a_plan_that_stands_apart_is_read_in_a_call_of_its_own(world: World, periods: int, calls: int) -> None:
    plan = a_plan(periods)
    request = world.put_request(world.open_session(), plan=plan)
    with counted(world.tables.client) as operations:
        context = world.commands.command_context("r1", request.whereabouts)
    assert operations == ["BatchGetItem"] * calls
    with counted(world.tables.client) as operations:
        assert world.watches.plan("r1") == plan
    assert operations == ["BatchGetItem"] * calls
    assert context is not None
    assert context.plan == plan


@pytest.mark.parametrize("periods", [12, 96], ids=["beside the request", "apart"])
def test_a_story_has_the_plan_wherever_it_stands(world: World, periods: int) -> None:
    plan = a_plan(periods)
    world.put_request(world.open_session(), plan=plan)
    story = DynamoStories(world.tables.client, world.tables.sessions, world.tables.requests).request("r1")
    assert story is not None
    assert (story.plan, story.profile) == (plan, None)
