"""Sessions, their pages and preferences have the shape of their fixtures and keep to the OpenAPI document.

Fields and their types are compared, both ways; values are ours.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given

from ocpi_bridge.domain.assignments import Share
from ocpi_bridge.domain.events import EventType, SessionStatus
from ocpi_bridge.domain.prices import Price
from ocpi_bridge.domain.sessions import ChargingPeriod, Session
from ocpi_bridge.ocpi import versions
from ocpi_bridge.ocpi.charging_preferences import ChargingPreferencesResponse
from ocpi_bridge.ocpi.session_pages import Cursor, SessionPage
from ocpi_bridge.ocpi.sessions import changed_fields, charging_periods, session_fields
from ocpi_bridge.ocpi.transport import StatusCode, TransportError
from ocpi_bridge.ports.json_values import JsonObject
from ocpi_bridge.ports.session_feed import FeedEntry
from ocpi_bridge.runtime.ocpi_door import Answer as DoorAnswer
from tests.contract import strategies
from tests.contract.catalogue import Message, files, fixture, text_of
from tests.contract.documented import answer_schema, on_the_wire, problems
from tests.contract.doors import answered, refusing
from tests.contract.shapes import lacking, same_shape, shape
from tests.support.clocks import START
from tests.support.feeds import ENDPOINT, parsed
from tests.support.world import CARD, event, session_of

KEY = b"key of the pseudonyms"
SESSIONS = {"2.2.1": "/ocpi/2.2.1/sessions", "2.3.0": "/ocpi/2.3.0/sessions"}

PERIODS = (
    ChargingPeriod(1, START, START + timedelta(minutes=7), Decimal("1.25"), Decimal("11.03"), Decimal(48), Decimal(40)),
    ChargingPeriod(2, START + timedelta(minutes=7), START + timedelta(minutes=12), Decimal("0.92"), Decimal("11.04")),
)
# Optional fields that the examples have and we never do: the tariff is the CPO's own affair.
NEVER_OURS = frozenset({"charging_periods[].tariff_id"})


def version_of(name: str) -> str:
    return "2.3.0" if name.startswith("spec-2.3.0/") else "2.2.1"


def with_content_of(sample: Mapping[str, Any]) -> Session:
    """A session that has happened to what the sample tells of."""
    price = sample.get("total_cost")
    has_vat = price is not None and ("incl_vat" in price or "taxes" in price)
    return replace(
        session_of(event(EventType.TRANSACTION_STARTED, meter="1000", token=CARD)),
        status=SessionStatus(sample.get("status", "ACTIVE")),
        end=START + timedelta(hours=2) if "end_date_time" in sample else None,
        meter_wh=Decimal(2500) if "kwh" in sample else Decimal(1000),
        total_cost=None if price is None else Price(Decimal("8.5"), Decimal("9.35") if has_vat else None),
    )


def written(sample: Mapping[str, Any], fields: JsonObject) -> Any:  # noqa: ANN401 - JSON
    """The fields with charging periods where the sample has them."""
    if "charging_periods" in sample:
        fields = {**fields, "charging_periods": charging_periods(PERIODS)}
    return on_the_wire(fields)


@pytest.mark.parametrize("name", files(Message.SESSION))
def test_a_session_has_the_fields_of_the_example(name: str) -> None:
    sample, version = fixture(name), version_of(name)
    ours = written(sample, session_fields(with_content_of(sample), "jedlix", KEY, version))
    absent = {path for path in NEVER_OURS if path in shape(sample)}
    assert lacking(shape(ours), shape(sample)) == absent
    # The first print of 2.2.1 forgot the eMSP's parties, which its own table requires (10.4.5).
    forgotten = {"cdr_token.country_code", "cdr_token.party_id"} if "original-2021" in name else set()
    assert lacking(shape(sample), shape(ours)) == forgotten
    assert problems("Session" if version == "2.2.1" else "TaxedSession", ours) == []


@pytest.mark.parametrize("name", files(Message.SESSION_PATCH))
def test_a_patch_has_the_fields_of_the_example_and_no_other(name: str) -> None:
    sample, version = fixture(name), version_of(name)
    before = session_fields(with_content_of({}), "jedlix", KEY, version)
    after = session_fields(with_content_of(sample), "jedlix", KEY, version)
    ours = written(sample, changed_fields(before, after))
    same_shape(ours, sample)
    assert problems("SessionPatch" if version == "2.2.1" else "TaxedSessionPatch", ours) == []


@pytest.mark.parametrize("name", files(Message.SESSION_PAGE))
def test_a_page_is_a_list_in_the_envelope(name: str) -> None:
    (sample,) = fixture(name)["data"]
    page = SessionPage([session_fields(with_content_of(sample), "jedlix", KEY)], 1, None)
    _, body, headers = answered(lambda _: DoorAnswer(page.sessions, page.headers(ENDPOINT)))
    same_shape(body, fixture(name))
    assert problems(answer_schema(SESSIONS["2.2.1"], "get"), body) == []
    assert "Link" not in headers


@pytest.mark.parametrize("version", versions.VERSIONS)
@given(session=strategies.sessions(), periods=strategies.charging_periods())
def test_whatever_happens_in_a_session_it_keeps_to_the_document(
    version: str, session: Session, periods: list[ChargingPeriod]
) -> None:
    shares = session.rights.shared_with("jedlix")
    fields = session_fields(session, "jedlix", KEY, version)
    ours = on_the_wire({**fields, "charging_periods": charging_periods(periods, shares)})
    plain = version == "2.2.1"
    assert problems("Session" if plain else "TaxedSession", ours) == []
    told = {one["type"] for period in ours["charging_periods"] for one in period["dimensions"]}
    assert "STATE_OF_CHARGE" not in told or Share.STATE_OF_CHARGE in shares


@pytest.mark.parametrize("version", versions.VERSIONS)
@given(before=strategies.sessions(), after=strategies.sessions(), periods=strategies.charging_periods())
def test_whatever_changes_in_a_session_its_patch_keeps_to_the_document(
    version: str, before: Session, after: Session, periods: list[ChargingPeriod]
) -> None:
    # What ended, and what it cost, is never taken back (domain.sessions).
    after = replace(after, end=after.end or before.end, total_cost=after.total_cost or before.total_cost)
    known = session_fields(before, "jedlix", KEY, version)
    changed = changed_fields(known, session_fields(after, "jedlix", KEY, version))
    ours = on_the_wire({**changed, "charging_periods": charging_periods(periods)})
    assert problems("SessionPatch" if version == "2.2.1" else "TaxedSessionPatch", ours) == []


@pytest.mark.parametrize("name", files(Message.LINK))
def test_our_link_is_written_as_the_examples_are_and_repeats_what_they_repeat(name: str) -> None:
    form = re.compile(r'<(https://[^<>\s]+)>; rel="next"')
    printed = form.fullmatch(re.sub(r"\s+(?=&)", "", text_of(name).strip().removeprefix("Link: ")))
    query = parsed("2016-01-01T00:00:00Z", date_to="2016-12-31T23:59:59Z", limit="50")
    following = query.following(Cursor(FeedEntry(0, query.since, "session-1"), 120), 50)
    ours = form.fullmatch(SessionPage([], 120, following).headers(ENDPOINT)["Link"])
    assert printed is not None
    assert ours is not None
    theirs_repeats, ours_repeats = (parse_qs(urlsplit(link[1]).query) for link in (printed, ours))
    assert theirs_repeats.keys() <= ours_repeats.keys()
    assert (ours_repeats["offset"], ours_repeats["limit"]) == (["50"], ["50"])


# --- Preferences ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", files(Message.PREFERENCES_ANSWER))
def test_the_answer_to_preferences_is_a_string(name: str) -> None:
    _, body, _ = answered(lambda _: ChargingPreferencesResponse(fixture(name)["data"]).value)
    assert body == fixture(name)
    assert problems(answer_schema(f"{SESSIONS['2.2.1']}/{{session_id}}/charging_preferences", "put"), body) == []


@pytest.mark.parametrize("name", files(Message.PREFERENCES_REFUSED))
def test_preferences_where_there_can_be_none_are_http_404_with_2001(name: str) -> None:
    refusal = TransportError(404, "no preferences", status_code=StatusCode.INVALID_PARAMETERS)
    status, body, _ = answered(refusing(refusal))
    assert status == 404
    same_shape(body, fixture(name))
    assert body["status_code"] == fixture(name)["status_code"]
    schema = answer_schema(f"{SESSIONS['2.2.1']}/{{session_id}}/charging_preferences", "put", 404)
    assert problems(schema, body) == []
