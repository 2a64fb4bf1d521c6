"""The partner pulls sessions and sets preferences: how it asks, and every rule that it holds the bridge to."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from decimal import Decimal
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.support.partner_bridge import (
    CPO,
    MOST,
    START,
    TOKEN_A,
    Edit,
    ScriptedBridge,
    put,
    put_header,
)
from tools.counterparts.json_types import JsonObject, as_list, as_object, read_json
from tools.partner_simulator import (
    ChargingPreferences,
    OcpiVersion,
    PartnerSimulator,
    Party,
    PreferencesResponse,
    ProfileType,
    SessionPage,
)

pytestmark = pytest.mark.integration


@pytest.fixture
def partner() -> Iterator[PartnerSimulator]:
    with PartnerSimulator(cpo=CPO) as partner:
        yield partner


@pytest.fixture
def bridge(partner: PartnerSimulator) -> Iterator[ScriptedBridge]:
    bridge = ScriptedBridge(partner)
    with bridge.http:
        partner.register(bridge.versions_url, TOKEN_A)
        yield bridge


def noted(partner: PartnerSimulator) -> str:
    return "; ".join(violation.what for violation in partner.violations())


def ids(pages: list[SessionPage]) -> list[str]:
    return [session.id for page in pages for session in page.sessions]


def test_a_crawl_follows_link_to_the_end(partner: PartnerSimulator, bridge: ScriptedBridge) -> None:
    bridge.add_sessions(25)
    pages = partner.bridge.pull_sessions(START)

    assert [page.count for page in pages] == [10, 10, 5]
    assert ids(pages) == [f"session-{number}" for number in range(25)]
    assert [(page.total, page.limit) for page in pages] == [(25, MOST)] * 3
    assert [page.next_url is None for page in pages] == [False, False, True]
    assert partner.pages.entries() == pages
    assert partner.violations() == []


def test_the_filters_are_in_the_query_and_in_every_link(partner: PartnerSimulator, bridge: ScriptedBridge) -> None:
    bridge.add_sessions(25)
    pages = partner.bridge.pull_sessions(START, START + timedelta(seconds=20), 8)

    assert [page.count for page in pages] == [8, 8, 4]
    query = parse_qs(urlsplit(pages[-1].url).query)
    assert query == {
        "date_from": ["2026-01-15T16:00:00Z"],
        "date_to": ["2026-01-15T16:00:20Z"],
        "offset": ["16"],
        "limit": ["8"],
    }
    assert partner.violations() == []


def test_more_than_the_maximum_may_be_asked_for(partner: PartnerSimulator, bridge: ScriptedBridge) -> None:
    bridge.add_sessions(15)

    assert [page.count for page in partner.bridge.pull_sessions(START, limit=2000)] == [10, 5]
    assert partner.violations() == []


def test_no_session_is_one_empty_page(partner: PartnerSimulator, bridge: ScriptedBridge) -> None:
    (page,) = partner.bridge.pull_sessions(START)

    assert (page.total, page.sessions) == (0, ())
    assert partner.violations() == []


def test_a_single_page_by_its_offset(partner: PartnerSimulator, bridge: ScriptedBridge) -> None:
    bridge.add_sessions(25)
    page = partner.bridge.session_page(START, offset=22, limit=2)

    assert [session.id for session in page.sessions] == ["session-22", "session-23"]
    assert page.next_url is not None
    assert partner.violations() == []


def test_odd_queries_can_be_sent(partner: PartnerSimulator, bridge: ScriptedBridge) -> None:
    client = partner.bridge

    assert client.session_page(None).status_code == 2001
    client.session_page("today", offset="-1", limit="many")
    client.session_page(START, raw_query="date_from=x&date_from=y", headers={"X-Odd": "1"})
    assert client.session_page(START, token="another").status == 401
    second, third = bridge.http.requests.entries()[-3:-1]
    assert second.query == "date_from=today&limit=many&offset=-1"
    assert (third.query, third.header("X-Odd")) == ("date_from=x&date_from=y", "1")


def test_a_page_for_what_is_no_time_is_noted(partner: PartnerSimulator, bridge: ScriptedBridge) -> None:
    bridge.add_sessions(1)
    partner.bridge.session_page("+1", limit=1)

    assert "a page for +1 to None, which are no DateTimes" in noted(partner)


def test_a_crawl_reads_a_page_when_it_is_asked_for(partner: PartnerSimulator, bridge: ScriptedBridge) -> None:
    bridge.add_sessions(12)
    crawl = partner.bridge.crawl_sessions(START, changing=True)
    next(crawl)
    moved = {**bridge.sessions[0], "last_updated": "2026-01-15T17:00:00Z"}

    def move(body: JsonObject, _: dict[str, str]) -> None:
        body["data"] = [*as_list(body["data"]), moved]

    bridge.change("sessions", move)
    # It moves to the end and is seen again, which is no fault while sessions change.
    assert [session.id for session in next(crawl).sessions] == ["session-10", "session-11", "session-0"]
    assert list(crawl) == []
    assert partner.violations() == []


def test_a_bridge_that_walks_by_offset_loses_a_session_when_another_moves(
    partner: PartnerSimulator, bridge: ScriptedBridge
) -> None:
    bridge.add_sessions(12)
    crawl = partner.bridge.crawl_sessions(START, changing=True)
    next(crawl)
    bridge.sessions.append({**bridge.sessions.pop(0), "last_updated": "2026-01-15T17:00:00Z"})

    assert ids(list(crawl)) == ["session-11", "session-0"]
    assert noted(partner) == "no Link after 11 objects, although X-Total-Count is 12"


def test_a_session_that_is_never_seen_is_noted_even_while_they_change(
    partner: PartnerSimulator, bridge: ScriptedBridge
) -> None:
    bridge.add_sessions(25)
    bridge.change("sessions", repeat_last)
    partner.bridge.pull_sessions(START, changing=True)

    assert noted(partner) == "no Link after 22 objects, although X-Total-Count is 25"


def test_sessions_may_leave_a_window_that_has_an_end(partner: PartnerSimulator, bridge: ScriptedBridge) -> None:
    bridge.add_sessions(12)
    crawl = partner.bridge.crawl_sessions(START, START + timedelta(minutes=5), changing=True)
    next(crawl)
    total = put_header("X-Total-Count", "12")
    bridge.change("sessions", total)
    bridge.sessions[11]["last_updated"] = "2026-01-15T17:00:00Z"

    assert sum(page.count for page in crawl) == 1
    assert partner.violations() == []


def test_an_error_ends_the_crawl(partner: PartnerSimulator, bridge: ScriptedBridge) -> None:
    bridge.add_sessions(12)
    bridge.change("sessions", put("status_code", 3000))
    (page,) = partner.bridge.pull_sessions(START)

    assert (page.is_success, page.status_code) == (False, 3000)
    assert partner.violations() == []


def later(header: str, value: Callable[[str], str | None]) -> Edit:
    """Change a header of every page but the first one."""
    first = [True]

    def edit(_: JsonObject, headers: dict[str, str]) -> None:
        if not first.pop() if first else True:
            changed = value(headers.pop(header, ""))
            if changed is not None:
                headers[header] = changed

    return edit


def first_item(**changes: object) -> Edit:
    def edit(body: JsonObject, _: dict[str, str]) -> None:
        items = as_list(body["data"])
        body["data"] = [{**as_object(items[0]), **changes}, *items[1:]]

    return edit


def in_link(before: str, after: str) -> Edit:
    def edit(_: JsonObject, headers: dict[str, str]) -> None:
        if "Link" in headers:
            headers["Link"] = headers["Link"].replace(before, after)

    return edit


def repeat_last(body: JsonObject, _: dict[str, str]) -> None:
    items = as_list(body["data"])
    body["data"] = [*items[:-1], items[0]]


@pytest.mark.parametrize(
    ("edit", "expected"),
    [
        (put_header("X-Total-Count", None), "X-Total-Count is missing or no number"),
        (put_header("X-Total-Count", "many"), "X-Total-Count is missing or no number"),
        (put_header("X-Limit", None), "X-Limit is missing"),
        (put_header("X-Limit", "0"), "X-Limit is missing"),
        (put_header("X-Limit", "3"), "10 objects, although 3 is the limit"),
        (later("X-Limit", lambda _: "5"), "X-Limit was 10 on the first page and is 5"),
        (later("X-Total-Count", lambda _: "24"), "X-Total-Count was 25 on the first page and is 24"),
        (put_header("Link", None), "no Link after 10 objects, although X-Total-Count is 25"),
        (put_header("X-Total-Count", "3"), "25 objects, although X-Total-Count is 3"),
        (put_header("Link", "https://bridge.example/next"), "Link is not of the form"),
        (put_header("Link", '<https://bridge.example/x>; rel="last"'), "Link is not of the form"),
        (in_link("date_from", "date_after"), "Link does not repeat date_from"),
        (in_link("16%3A00%3A00Z", "16%3A00%3A01Z"), "Link does not repeat date_from"),
        (in_link("date_to=", "date_before="), "Link does not repeat date_to"),
        (in_link("limit=", "most="), "Link does not repeat limit"),
        (in_link("limit=10", "limit=99"), "the limit in Link is 99, although 10 is the limit"),
        (in_link("offset=10", "offset=0"), "the offset in Link does not go on"),
        (in_link("offset=10", "begin=10"), "the offset in Link does not go on"),
        (in_link("/sessions?", "/sessions/next?"), "Link leads to /there/2.3.0/sessions/next"),
        (in_link("http://localhost", "http://elsewhere.example"), "Link leads to http://elsewhere.example"),
        (put("data", {"sessions": []}), "data is no list"),
        (first_item(kwh="1"), "object 0: kwh"),
        (first_item(last_updated="2026-01-15T15:59:59Z"), "session-0 was last updated before date_from"),
        (first_item(last_updated="2026-01-15T16:05:00Z"), "was not last updated before date_to"),
        (first_item(total_cost={"excl_vat": 1}), "total_cost: before_taxes"),
        (repeat_last, "session-0 came twice"),
        (put_header("OCPI-to-party-id", "OTH"), "OCPI-to-party-id is OTH, not JED"),
        (put_header("OCPI-from-country-code", None), "OCPI-from-country-code is missing"),
        (put_header("X-Request-ID", None), "X-Request-ID is not repeated"),
        (put("timestamp", None), "timestamp"),
    ],
)
def test_a_rule_that_a_page_breaks_is_noted(
    partner: PartnerSimulator, bridge: ScriptedBridge, edit: Edit, expected: str
) -> None:
    bridge.add_sessions(25)
    bridge.change("sessions", edit)
    partner.bridge.pull_sessions(START, START + timedelta(minutes=5), 10)

    assert expected in noted(partner)


def test_the_other_objects_of_a_list_are_kept(partner: PartnerSimulator, bridge: ScriptedBridge) -> None:
    bridge.add_sessions(3)
    bridge.change("sessions", first_item(status="BUSY"))
    (page,) = partner.bridge.pull_sessions(START)

    assert page.count == 3
    assert [session.id for session in page.sessions] == ["session-1", "session-2"]


def test_a_link_in_a_circle_ends_the_crawl(partner: PartnerSimulator, bridge: ScriptedBridge) -> None:
    bridge.add_sessions(25)
    bridge.change("sessions", in_link("offset=20", "offset=10"))

    assert len(partner.bridge.pull_sessions(START)) == 2
    assert "Link leads back to a page that was read" in noted(partner)


def test_the_token_follows_no_link_to_another_host(partner: PartnerSimulator, bridge: ScriptedBridge) -> None:
    bridge.add_sessions(25)
    with ScriptedBridge(partner).http as elsewhere:
        bridge.change("sessions", in_link(bridge.http.url, elsewhere.url))
        partner.bridge.pull_sessions(START)

        assert elsewhere.requests.entries() == []
    assert f"Link leads to {elsewhere.url}" in noted(partner)


def test_a_link_to_an_empty_page_is_noted(partner: PartnerSimulator, bridge: ScriptedBridge) -> None:
    bridge.add_sessions(10)

    def link(_: JsonObject, headers: dict[str, str]) -> None:
        headers["Link"] = (
            f"<{bridge.http.url}/there/2.3.0/sessions?date_from=2026-01-15T16%3A00%3A00Z&offset=10>; rel=next"
        )

    bridge.change("sessions", link)
    partner.bridge.pull_sessions(START)

    assert "Link led to an empty page" in noted(partner)


def test_a_page_is_read_in_the_version_that_was_agreed_on(partner: PartnerSimulator, bridge: ScriptedBridge) -> None:
    taxed = {"before_taxes": 2, "taxes": [{"name": "VAT", "amount": Decimal("0.42")}]}
    bridge.add_sessions(1, total_cost=taxed, new_field=1)
    (page,) = partner.bridge.pull_sessions(START)
    assert page.sessions[0].total_cost is not None
    assert partner.violations() == []

    partner.rotate(version=OcpiVersion.V221)
    (page,) = partner.bridge.pull_sessions(START)
    assert page.sessions == ()
    assert "total_cost: excl_vat" in noted(partner)


def test_another_party_asks_with_the_same_token(partner: PartnerSimulator, bridge: ScriptedBridge) -> None:
    second = partner.bridge.as_party(Party("BE", "JE2"))
    second.pull_sessions(START)

    request = bridge.http.requests.entries()[-1]
    assert (request.header("OCPI-from-country-code"), request.header("OCPI-from-party-id")) == ("BE", "JE2")
    assert partner.violations() == []
    bridge.change("sessions", put_header("OCPI-to-party-id", "JED"))
    second.pull_sessions(START)
    assert "OCPI-to-party-id is JED, not JE2" in noted(partner)


def test_preferences_are_answered_with_a_string(partner: PartnerSimulator, bridge: ScriptedBridge) -> None:
    wanted = ChargingPreferences(
        profile_type=ProfileType.GREEN, departure_time=START, energy_need=Decimal("32.5"), discharge_allowed=False
    )
    answer = partner.bridge.set_preferences("ses/sion", wanted)

    request = bridge.http.requests.entries()[-1]
    assert (request.method, request.path) == ("PUT", "/there/2.3.0/sessions/ses%2Fsion/charging_preferences")
    assert read_json(request.body) == {
        "profile_type": "GREEN",
        "departure_time": "2026-01-15T16:00:00Z",
        "energy_need": Decimal("32.5"),
        "discharge_allowed": False,
    }
    assert answer.response is PreferencesResponse.ACCEPTED
    assert partner.violations() == []


@pytest.mark.parametrize("data", [{"result": "ACCEPTED"}, "accepted", ["ACCEPTED"], None])
def test_preferences_that_are_answered_otherwise_are_noted(
    partner: PartnerSimulator, bridge: ScriptedBridge, data: object
) -> None:
    bridge.change("charging_preferences", put("data", data))

    assert partner.bridge.set_preferences("session-1", {"profile_type": "FAST"}).response is None
    assert "no string of ChargingPreferencesResponse" in noted(partner)


def test_preferences_of_an_evse_without_the_capability_are_404_and_2001(
    partner: PartnerSimulator, bridge: ScriptedBridge
) -> None:
    codes = [2001, 2000]

    def refuse(body: JsonObject, _: dict[str, str]) -> None:
        body.pop("data")
        body |= {"http_status": 404, "status_code": codes.pop(0)}

    bridge.change("charging_preferences", refuse)
    answer = partner.bridge.set_preferences("session-1", {"profile_type": "FAST"})
    assert (answer.status, answer.status_code, partner.violations()) == (404, 2001, [])
    partner.bridge.set_preferences("session-1", {}, raw_body=b"{")
    assert "HTTP 404 with 2000, not 2001" in noted(partner)
