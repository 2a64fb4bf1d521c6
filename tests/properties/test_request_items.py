"""Whatever a request is, and whatever its plan, the items give back."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from ocpi_bridge.adapters.dynamodb import tables
from ocpi_bridge.adapters.dynamodb.instants import exact_ms, from_exact_ms
from ocpi_bridge.adapters.dynamodb.item_sizes import most_bytes
from ocpi_bridge.adapters.dynamodb.request_items import plan_of, plan_stands_apart, request_items, request_of
from ocpi_bridge.domain.partners import Party
from ocpi_bridge.domain.plans import Plan, PlanPeriod, RateUnit
from ocpi_bridge.domain.requests import Callback, Origin, Request, RequestKind, RequestState
from tests.properties.strategies import plans
from tests.support import capacity

instants = st.datetimes(datetime(1970, 1, 1), datetime(2999, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001
ids = st.text(st.characters(codec="utf-8", exclude_categories=["C"]), min_size=1, max_size=60)
# As they come in headers: up to two and three characters of ASCII without space around them.
codes = st.from_regex(r"[!-~]{1,2}", fullmatch=True)
parties = st.builds(Party, codes, st.from_regex(r"[!-~]([ -~]?[!-~])?", fullmatch=True))
exact = st.decimals(allow_nan=False, allow_infinity=False)


@st.composite
def any_plans(draw: DrawFn) -> Plan:
    """Of any length, none included, with limits of any size and precision."""
    starts = draw(st.lists(st.integers(0, 366 * 86_400), max_size=80, unique=True).map(sorted))
    return Plan(
        draw(st.sampled_from(RateUnit)),
        tuple(PlanPeriod(start, draw(exact)) for start in starts),
        draw(st.none() | instants),
        draw(st.none() | st.integers(0, 366 * 86_400)),
        draw(st.none() | exact),
    )


@st.composite
def requests(draw: DrawFn) -> Request:
    """New ones, of every kind."""
    kind = draw(st.sampled_from(RequestKind))
    return Request(
        request_id=draw(ids),
        origin=draw(st.sampled_from(Origin)),
        kind=kind,
        session_id=draw(ids),
        # domain.csms_ids
        csms_id=draw(st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,35}", fullmatch=True)),
        station_id=draw(ids),
        state=RequestState.PENDING,
        created_at=draw(instants),
        deadline=draw(instants),
        timeout_at=draw(instants),
        steps=draw(st.sampled_from([(kind,), (RequestKind.CLEAR, kind)])),
        number=draw(st.none() | st.integers(1, 10**6)),
        partner_id=draw(st.none() | ids),
        callback=draw(st.none() | st.builds(Callback, ids, ids, parties, parties)),
        unit=draw(st.none() | st.sampled_from(RateUnit)),
        plan_ends_at=draw(st.none() | instants),
        fail_safe_at=draw(st.none() | instants),
        duration=draw(st.none() | st.integers(0, 10**6)),
    )


@given(requests(), plans() | any_plans())
def test_a_request_and_its_plan_are_read_as_they_were_written(request: Request, plan: Plan) -> None:
    request = replace(request, kind=RequestKind.SET)
    own, *apart = [tables.from_item(tables.to_item(item)) for item in request_items(request, plan)]
    assert request_of(own) == request
    assert plan_stands_apart(request, own) == bool(apart)
    assert plan_of(apart[0] if apart else own) == plan


@given(requests())
def test_a_request_without_a_plan_has_none(request: Request) -> None:
    [own] = [tables.from_item(tables.to_item(item)) for item in request_items(request, None)]
    assert (request_of(own), plan_of(own)) == (request, None)


@given(requests(), st.none() | any_plans())
def test_no_item_is_larger_than_it_is_reckoned(request: Request, plan: Plan | None) -> None:
    for item in request_items(request, plan):
        size = capacity.size(tables.to_item(item))
        assert size <= most_bytes(item) <= size + len(item)


@given(instants, st.integers(0, 999_999))
def test_instants_keep_their_microseconds(at: datetime, microseconds: int) -> None:
    moment = at.replace(microsecond=0) + timedelta(microseconds=microseconds)
    assert from_exact_ms(exact_ms(moment)) == moment
    assert exact_ms(moment) // 1 == (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
