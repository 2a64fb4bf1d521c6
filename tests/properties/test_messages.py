"""Whatever a partner or a CSMS sends is read, or refused with the name of a field: never an error of ours."""

import json
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from ocpi_bridge.adapters.csms.events import parse_events
from ocpi_bridge.adapters.csms.ocpi_sessions import Change, events_of, parse_session
from ocpi_bridge.domain.errors import InvalidInput
from ocpi_bridge.domain.events import EventType, StationEvent
from ocpi_bridge.domain.plans import RateUnit
from ocpi_bridge.domain.sessions import REPORTED_PERIODS
from ocpi_bridge.ocpi.charging_profiles import ClearProfile, ReadActiveProfile, SetProfile, charging_profile
from ocpi_bridge.ocpi.transport import MessageIds, OcpiRequest, TransportError, dumps
from tests.support.registry_entries import csms

WORDS = [
    "charging_profile",
    "response_url",
    "start_date_time",
    "duration",
    "charging_rate_unit",
    "min_charging_rate",
    "charging_profile_period",
    "start_period",
    "limit",
]
EVENT_WORDS = ["events", "id", "type", "time", "station_id", "connector_id", "transaction_id", "data", "meter_wh"]
VALUES = ["W", "A", "2026-01-15T17:00:00Z", "transaction.started", 0, 1, -1, 900, 0.5, 1e300, 10**30, True, None, ""]


def messages(words: list[str]) -> st.SearchStrategy[object]:
    """JSON of the words of a module, nested in any way."""
    leaves = st.one_of(st.sampled_from(VALUES), st.text(max_size=5), st.integers(), st.floats())
    return st.recursive(
        leaves,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(words), inner),
        max_leaves=20,
    )


def request(body: bytes = b"", query: list[tuple[str, str]] | None = None) -> OcpiRequest:
    return OcpiRequest("PUT", {}, tuple(query or ()), {}, MessageIds.of({}), body)


@given(messages(WORDS) | messages(WORDS).map(lambda inner: {"charging_profile": inner, "response_url": "https://x"}))
def test_a_body_is_a_profile_or_refused(body: object) -> None:
    try:
        parsed = SetProfile.parse(request(json.dumps(body).encode()))
    except (InvalidInput, TransportError):
        return
    assert parsed.plan.unit in RateUnit
    # What was taken can be written again.
    assert json.loads(dumps(charging_profile(parsed.plan)))


@given(st.binary(max_size=40))
def test_any_bytes_are_a_body_or_refused(body: bytes) -> None:
    try:
        SetProfile.parse(request(body))
    except (InvalidInput, TransportError):
        return


NUMBERS = st.from_regex(r"-?(0|[1-9][0-9]{0,40})(\.[0-9]{1,40})?([eE][+-]?[0-9]{1,12})?", fullmatch=True)


@given(NUMBERS, NUMBERS)
def test_a_number_is_taken_within_its_bounds_or_refused_whatever_its_size(limit: str, start: str) -> None:
    body = (
        '{"response_url": "https://x", "charging_profile": {"charging_rate_unit": "W", "charging_profile_period":'
        f'[{{"start_period": 0, "limit": {limit}}}, {{"start_period": {start}, "limit": 0}}]}}}}'
    )
    try:
        first, second = SetProfile.parse(request(body.encode())).plan.periods
    except (InvalidInput, TransportError):
        return
    assert Decimal(0) <= first.limit <= Decimal(limit).max(0)
    assert second.start == Decimal(start)


KEYS = st.sampled_from(["duration", "response_url", "a", "b"]) | st.text(max_size=4)


@given(st.lists(st.tuples(KEYS, st.text(max_size=8)), max_size=5))
def test_any_query_is_read_or_refused(query: list[tuple[str, str]]) -> None:
    for kind in (ReadActiveProfile, ClearProfile):
        try:
            response_url, refused = kind.parse(request(query=query)).response_url, None
        except InvalidInput as refusal:
            response_url, refused = "", refusal.field
        assert refused in {None, "duration", "response_url"}
        assert refused or response_url.startswith(dict(query)["response_url"])


LIMIT_WORDS = [
    *("source", "schedule", "chargingRateUnit", "startSchedule", "scheduleStart", "duration", "minChargingRate"),
    *("chargingSchedulePeriod", "startPeriod", "limit"),
]
LIMIT = {"id": "1", "type": "charging_limit.changed", "time": "2026-01-15T17:00:00Z", "station_id": "CP-001"}


@given(messages(LIMIT_WORDS))
def test_a_limit_of_a_csms_is_a_course_in_the_wanted_form_or_refused(schedule: object) -> None:
    event = LIMIT | {"data": {"limit": {"source": "EMS", "schedule": schedule}}}
    try:
        [read] = parse_events("acme", json.dumps({"events": [event]}).encode())
    except InvalidInput:
        return
    assert isinstance(read, StationEvent)
    assert read.limit is not None
    if read.limit.plan is not None:
        assert read.limit.plan.start is not None
        assert 0 < len(read.limit.plan.periods) <= REPORTED_PERIODS
        assert read.limit.plan.periods[0].start == 0


SESSION_WORDS = [
    *("id", "start_date_time", "kwh", "cdr_token", "uid", "type", "evse_uid", "location", "evses", "connectors"),
    *("charging_periods", "dimensions", "volume", "total_cost", "excl_vat", "before_taxes", "taxes", "amount"),
    *("status", "last_updated"),
]
SESSION = {
    "start_date_time": "2026-01-15T17:00:00Z",
    "kwh": 1,
    "evse_uid": "1",
    "status": "ACTIVE",
    "last_updated": "2026-01-15T17:00:00Z",
}


@given(
    st.dictionaries(st.sampled_from(SESSION_WORDS), messages(SESSION_WORDS)),
    st.sampled_from(Change),
)
def test_a_session_of_a_csms_is_events_or_refused(change: dict[str, object], kind: Change) -> None:
    try:
        session = parse_session(csms(), kind, "S-1", request(json.dumps(SESSION | change).encode()).json())
    except (InvalidInput, TransportError):
        return
    *starts, now = events_of(session, "acme", "CP-001")
    assert [start.type for start in starts] == [EventType.TRANSACTION_STARTED] * (session.start is not None)
    assert now.transaction_known is False


@given(messages(EVENT_WORDS) | messages(EVENT_WORDS).map(lambda inner: {"events": [inner]}))
def test_a_post_of_a_csms_is_events_or_refused(body: object) -> None:
    try:
        parse_events("acme", json.dumps(body).encode())
    except InvalidInput:
        return
