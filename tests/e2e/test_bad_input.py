"""Bad input gets its documented answer, in the envelope, and no command leaves."""

import base64
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

import pytest

from tests.support.e2e_site import SOON, Site, flat, limits, site
from tools.counterparts.clock import utc_now, write_datetime
from tools.counterparts.json_types import JsonObject, write_json
from tools.local_stack import LocalStack
from tools.partner_simulator import Exchange, ResponseType, ResultType

FOREIGN = "https://attacker.example/response?request_id=1"
NOW = write_datetime(utc_now())


@pytest.fixture(scope="module")
def place(stack: LocalStack) -> Iterator[Site]:
    """One session for all cases. In the end one good PUT shows that the charge point heard of no other."""
    with site(stack) as one:
        yield one
        last = one.bridge.put_profile(one.session_id, flat(4242))
        assert last.wait_for_result(SOON).result is ResultType.ACCEPTED
        # A station's commands keep their order, so any earlier one would have come before.
        assert [limits(call) for call in one.commands()] == [[(0, Decimal(4242))]]
        assert len(one.items.requests(one.session_id)) == 1


def assert_refused(place: Site, exchange: Exchange, http: int, code: int, result: ResponseType | None = None) -> None:
    """The answer is the documented one, whole, and nothing was accepted. The simulator checks ids and routing."""
    answer = exchange.answer
    assert answer is not None
    assert answer.envelope is not None, answer.raw_body
    assert (answer.status, answer.envelope.status_code, exchange.result) == (http, code, result)
    assert answer.headers["content-type"].split(";")[0] == "application/json"
    assert place.items.requests(place.session_id) == []
    assert place.partner.violations() == []


def profile(**changes: object) -> JsonObject:
    """A valid ChargingProfile with what differs from it; None leaves a field out."""
    valid: JsonObject = {
        "start_date_time": NOW,
        "charging_rate_unit": "W",
        "charging_profile_period": [{"start_period": 0, "limit": 11000}, {"start_period": 900, "limit": 0}],
    }
    return {name: value for name, value in {**valid, **changes}.items() if value is not None}


def periods(*pairs: tuple[object, object]) -> JsonObject:
    return profile(charging_profile_period=[{"start_period": start, "limit": limit} for start, limit in pairs])


MISSING = object()
PERIOD = "charging_profile.charging_profile_period"


@dataclass(frozen=True, slots=True)
class Bad:
    """A body that is JSON and wrong, and the field that the answer must name. `{url}` is the partner's own URL."""

    name: str
    names: str
    profile: object = field(default_factory=profile)
    response_url: object = "{url}"
    body: object = None

    def wire(self, url: str) -> bytes:
        if self.body is not None:
            return write_json(self.body).encode()
        given = self.response_url.replace("{url}", url) if isinstance(self.response_url, str) else self.response_url
        fields = {"charging_profile": self.profile, "response_url": given}
        return write_json({name: value for name, value in fields.items() if value is not MISSING}).encode()


BODIES = (
    Bad("no charging profile", "charging_profile", profile=MISSING),
    Bad("a profile that is null", "charging_profile", profile=None),
    Bad("a profile that is a list", "charging_profile", profile=[]),
    Bad("no unit", "charging_rate_unit", profile(charging_rate_unit=None)),
    Bad("unit kW", "charging_rate_unit", profile(charging_rate_unit="kW")),
    Bad("unit as number", "charging_rate_unit", profile(charging_rate_unit=1)),
    Bad("a start that is no time", "start_date_time", profile(start_date_time="tomorrow")),
    Bad("a start that no calendar has", "start_date_time", profile(start_date_time="2026-13-01T00:00:00Z")),
    Bad("a start as number", "start_date_time", profile(start_date_time=1_700_000_000)),
    Bad("a negative duration", "duration", profile(duration=-1)),
    Bad("a duration as text", "duration", profile(duration="900")),
    Bad("a duration with a fraction", "duration", profile(duration=Decimal("0.5"))),
    Bad("a negative minimum", "min_charging_rate", profile(min_charging_rate=-6)),
    Bad("periods as object", PERIOD, profile(charging_profile_period={"start_period": 0, "limit": 1})),
    Bad("a first period that does not start at 0", f"{PERIOD}.0.start_period", periods((60, 1000))),
    Bad("periods out of order", f"{PERIOD}.2.start_period", periods((0, 1), (900, 2), (600, 3))),
    Bad("two periods at one time", f"{PERIOD}.1.start_period", periods((0, 1), (0, 2))),
    Bad("a negative start", f"{PERIOD}.0.start_period", periods((-1, 1000))),
    Bad("a negative limit", f"{PERIOD}.0.limit", periods((0, -1))),
    Bad("a limit as text", f"{PERIOD}.0.limit", periods((0, "11000"))),
    Bad("a limit as boolean", f"{PERIOD}.0.limit", periods((0, True))),
    Bad("a limit that is null", f"{PERIOD}.0.limit", periods((0, None))),
    Bad("a start as text", f"{PERIOD}.1.start_period", periods((0, 1), ("900", 2))),
    Bad("no response_url", "response_url", response_url=MISSING),
    Bad("a response_url that is null", "response_url", response_url=None),
    Bad("a response_url as number", "response_url", response_url=1),
    Bad("an empty response_url", "response_url", response_url=""),
    Bad("a relative response_url", "response_url", response_url="/ocpi/response?request_id=1"),
    Bad("plain http to a foreign host", "response_url", response_url="http://www.jedlix.com/response"),
    Bad("a foreign host", "response_url", response_url=FOREIGN),
    Bad("an address instead of a host", "response_url", response_url="https://169.254.169.254/latest/meta-data"),
    Bad("user information", "response_url", response_url="https://localhost@attacker.example/"),
    Bad("a response_url that is too long", "response_url", response_url="{url}&pad=" + "x" * 255),
    Bad("another scheme", "response_url", response_url="ftp://localhost/response"),
    Bad("a list", "body", body=[1]),
    Bad("a text", "body", body="charging_profile"),
)


@pytest.mark.parametrize("bad", BODIES, ids=lambda bad: bad.name)
def test_a_put_with_a_wrong_field_names_it(place: Site, bad: Bad) -> None:
    url = place.bridge.new_response_url()

    exchange = place.bridge.put_profile(place.session_id, {}, raw_body=bad.wire(url))

    assert_refused(place, exchange, 200, 2001)
    assert bad.names in (exchange.message or "")


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"not json", b'{"charging_profile": NaN}', b"\xff\xfe{}", b"[" * 60_000, b'{"a": 1} trailing'],
    ids=["empty", "cut off", "text", "NaN", "not UTF-8", "nested too deeply", "trailing text"],
)
def test_a_body_that_is_no_json_is_http_400(place: Site, body: bytes) -> None:
    exchange = place.bridge.put_profile(place.session_id, {}, raw_body=body)

    assert_refused(place, exchange, 400, 2001)


def test_a_body_beyond_all_sense_is_refused_in_the_envelope(place: Site) -> None:
    many = profile(charging_profile_period=[{"start_period": second, "limit": 1} for second in range(8000)])

    exchange = place.bridge.put_profile(place.session_id, many)

    assert_refused(place, exchange, 200, 2001)
    assert "body" in (exchange.message or "")


@pytest.mark.parametrize(
    ("method", "query", "named"),
    [
        ("GET", "response_url={url}", "duration"),
        ("GET", "duration=&response_url={url}", "duration"),
        ("GET", "duration=-1&response_url={url}", "duration"),
        ("GET", "duration=0&response_url={url}", "duration"),
        ("GET", "duration=soon&response_url={url}", "duration"),
        ("GET", "duration=15.5&response_url={url}", "duration"),
        ("GET", "duration=900&duration=901&response_url={url}", "duration"),
        ("GET", "duration=900", "response_url"),
        ("GET", "", "response_url"),
        ("GET", f"duration=900&response_url={FOREIGN}", "response_url"),
        ("GET", "duration=900&response_url={url}&response_url={url}", "response_url"),
        ("GET", "duration=900&response_url={url}&a=1&a=2", "response_url"),
        ("GET", "before=1&duration=900&response_url={url}", "response_url"),
        ("DELETE", "", "response_url"),
        ("DELETE", "response_url=", "response_url"),
        ("DELETE", f"response_url={FOREIGN}", "response_url"),
        ("DELETE", "response_url=http://www.jedlix.com/response", "response_url"),
        ("DELETE", "response_url={url}" + "x" * 255, "response_url"),
    ],
)
def test_a_query_with_a_wrong_parameter_names_it(place: Site, method: str, query: str, named: str) -> None:
    ask = place.bridge.get_active_profile if method == "GET" else place.bridge.delete_profile

    exchange = ask(place.session_id, raw_query=query.replace("{url}", place.bridge.new_response_url()))

    assert_refused(place, exchange, 200, 2001)
    assert named in (exchange.message or "")


@pytest.mark.parametrize("empty", [{"charging_profile_period": []}, {"charging_profile_period": None}])
def test_a_profile_without_periods_is_legal_and_rejected(place: Site, empty: Mapping[str, object]) -> None:
    wire = {**profile(), "charging_profile_period": empty["charging_profile_period"]}

    exchange = place.bridge.put_profile(place.session_id, wire)

    assert_refused(place, exchange, 200, 1000, ResponseType.REJECTED)


def test_a_profile_that_is_over_is_rejected(place: Site) -> None:
    exchange = place.bridge.put_profile(
        place.session_id, profile(start_date_time="2020-01-01T00:00:00Z", duration=3600)
    )

    assert_refused(place, exchange, 200, 1000, ResponseType.REJECTED)


@pytest.mark.parametrize("session_id", ["unknown", "00000000-0000-0000-0000-000000000000", "x" * 37, "a b", "é"])
def test_an_unknown_session_is_a_success_that_says_so(place: Site, session_id: str) -> None:
    for exchange in (
        place.bridge.put_profile(session_id, profile()),
        place.bridge.get_active_profile(session_id),
        place.bridge.delete_profile(session_id),
    ):
        assert_refused(place, exchange, 200, 1000, ResponseType.UNKNOWN_SESSION)
        assert exchange.timeout == 0


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "",
        "Token",
        "Token unknown",
        "Token " + base64.b64encode(b"unknown").decode(),
        "Basic " + base64.b64encode(b"user:password").decode(),
        "Token  two spaces",
    ],
)
def test_who_has_no_known_token_gets_401_for_everything(place: Site, authorization: str | None) -> None:
    headers = {"Authorization": authorization}
    for exchange in (
        place.bridge.put_profile(place.session_id, profile(), headers=headers),
        place.bridge.put_profile(place.session_id, {}, raw_body=b"{", headers=headers),
        place.bridge.get_active_profile(place.session_id, headers=headers),
        place.bridge.delete_profile("unknown", headers=headers),
    ):
        assert_refused(place, exchange, 401, 2000)


def test_a_routing_header_to_somebody_else_is_named(place: Site) -> None:
    exchange = place.bridge.put_profile(place.session_id, profile(), headers={"OCPI-to-party-id": "XXX"})

    assert_refused(place, exchange, 200, 2001)
    assert "OCPI-to-party-id" in (exchange.message or "")


def test_dates_and_null_fields_are_read_as_ocpi_allows(place: Site, stack: LocalStack) -> None:
    with site(stack) as other:
        for start in ("2026-01-15T17:00:00", "2026-01-15T17:00:00.250Z", "2026-01-15T17:00:00.2", None):
            wire = {**profile(), "start_date_time": start, "duration": None, "min_charging_rate": None, "extra": 1}
            exchange = other.bridge.put_profile(other.session_id, wire)
            assert exchange.result is ResponseType.ACCEPTED, json.dumps(wire)
            assert exchange.wait_for_result(SOON).result is ResultType.ACCEPTED
