"""Requests for charging profiles that are wrong, or about a session that nobody knows (OCPI 5 and 14).

They name a session that does not exist, so that nothing can happen to a car. A Receiver that looks at the session before
it looks at the request is asked again with the real one, but only where profiles may be set.
"""

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from tools.counterparts.clock import utc_now, write_datetime
from tools.counterparts.json_types import JsonObject
from tools.partner_simulator.models import ResponseType
from tools.rehearsal import rules
from tools.rehearsal.checks.check import Check
from tools.rehearsal.counterpart import DURATION, Ask, without_ids
from tools.rehearsal.judgement import has_code
from tools.rehearsal.rules import Rule
from tools.rehearsal.stage import Need, Stage
from tools.rehearsal.wire import Answer

# Longer than URL allows (16.7).
TOO_LONG = 300
DATE_SHAPES = (
    "2026-01-15T17:00:00Z",
    "2026-01-15T17:00:00",
    "2026-01-15T17:00:00.2Z",
    "2026-01-15T17:00:00.2",
    "2026-01-15T17:00:00.123Z",
    "2026-01-15T17:00:00.123",
)


def unknown_session() -> str:
    """An id that no session has."""
    return f"rehearsal-{uuid.uuid4().hex[:16]}"


def flat_profile(watts: int = 11_000, **changes: object) -> JsonObject:
    """A valid profile with one limit from now on; `changes` add or replace fields."""
    profile: JsonObject = {
        "start_date_time": write_datetime(utc_now()),
        "charging_rate_unit": "W",
        "charging_profile_period": [{"start_period": 0, "limit": watts}],
    }
    return {**profile, **changes}


def ask_unknown(stage: Stage) -> None:
    """GET, PUT and DELETE about a session that does not exist."""
    counterpart = stage.counterpart
    for ask in (
        counterpart.get_profile(unknown_session(), "GET the profile of an unknown session"),
        counterpart.put_profile(unknown_session(), "PUT a profile for an unknown session", flat_profile()),
        counterpart.delete_profile(unknown_session(), "DELETE the profile of an unknown session"),
    ):
        holds = has_code(ask.answer, 200, 1000) and ask.result == ResponseType.UNKNOWN_SESSION
        stage.ledger.expect(
            rules.UNKNOWN_SESSION,
            holds,
            where=ask.answer.call.where,
            expected="HTTP 200, OCPI 1000, UNKNOWN_SESSION",
            seen=ask,
        )


def read_leniently(stage: Stage) -> None:
    """Proper requests in every form that is allowed: they may not be taken for wrong ones."""
    counterpart = stage.counterpart
    cases: list[tuple[Rule, JsonObject, str]] = [
        (rules.NULL_OPTIONALS, flat_profile(duration=None, min_charging_rate=None), "with null in optional fields"),
        (rules.UNKNOWN_FIELDS, flat_profile(rehearsal_field={"of": "nobody"}), "with an unknown field"),
        *((rules.DATE_FORMS, flat_profile(start_date_time=text), f"that starts at {text}") for text in DATE_SHAPES),
    ]
    for rule, profile, what in cases:
        _expect_read(stage, rule, counterpart.put_profile(unknown_session(), f"PUT a profile {what}", profile))
    for periods, what in (([], "an empty list of periods"), (None, "null for its periods")):
        profile = flat_profile(charging_profile_period=periods)
        ask = counterpart.put_profile(unknown_session(), f"PUT a profile with {what}", profile)
        _expect_read(stage, rules.EMPTY_PERIODS, ask)


@dataclass(frozen=True, slots=True)
class _Wrong:
    """A request that is wrong in one way: `ask` makes it for a session, named by `where`."""

    rule: Rule
    where: str
    ask: Callable[[Stage, str, str], Ask]


def _put(rule: Rule, what: str, profile: JsonObject | None, changes: Mapping[str, object] | None = None) -> _Wrong:
    return _Wrong(
        rule,
        f"PUT {what}",
        lambda stage, session, where: stage.counterpart.put_profile(session, where, profile, changes=changes),
    )


def _get(rule: Rule, what: str, query: str) -> _Wrong:
    return _Wrong(
        rule,
        f"GET {what}",
        lambda stage, session, where: stage.counterpart.get_profile(session, where, query=query),
    )


def _without(name: str) -> JsonObject:
    return {key: value for key, value in flat_profile().items() if key != name}


def _periods(*pairs: tuple[object, object]) -> JsonObject:
    return flat_profile(charging_profile_period=[{"start_period": start, "limit": limit} for start, limit in pairs])


def _wrong_requests() -> Sequence[_Wrong]:
    return (
        _put(rules.PUT_REQUIRED, "without a charging_profile", None),
        _put(rules.PUT_REQUIRED, "without a response_url", flat_profile(), {"response_url": None}),
        _put(rules.PUT_REQUIRED, "without a charging_rate_unit", _without("charging_rate_unit")),
        _put(rules.PUT_TYPES, "with the unit kW", flat_profile(charging_rate_unit="kW")),
        _put(rules.PUT_TYPES, "with a limit that is text", _periods((0, "11000"))),
        _put(rules.PUT_TYPES, "with a start that is no time", flat_profile(start_date_time="tomorrow")),
        _put(rules.PUT_TYPES, "with a duration that is text", flat_profile(duration="900")),
        _put(rules.FIRST_PERIOD, "with a first period at 60 s", _periods((60, 11000))),
        _put(rules.PERIODS_SORTED, "with periods out of order", _periods((0, 11000), (900, 7000), (600, 5000))),
        _get(rules.GET_DURATION, "without a duration", "response_url={url}"),
        _get(rules.GET_URL, "without a response_url", f"duration={DURATION}"),
        _get(rules.DURATION_FORM, "with a duration that is a word", "duration=soon&response_url={url}"),
        _Wrong(
            rules.DELETE_URL,
            "DELETE without a response_url",
            lambda stage, session, where: stage.counterpart.delete_profile(session, where, query=""),
        ),
        _Wrong(
            rules.URL_LENGTH,
            "GET with a response_url that is too long",
            lambda stage, session, where: stage.counterpart.get_profile(session, where, more="&x=" + "x" * TOO_LONG),
        ),
    )


def refuse_wrong(stage: Stage) -> None:
    """Readable requests with one thing wrong: HTTP 200 with 2001, never an HTTP error."""
    for wrong in _wrong_requests():
        ask = wrong.ask(stage, unknown_session(), wrong.where)
        if ask.result == ResponseType.UNKNOWN_SESSION:
            if not (stage.options.steer and stage.session_id is not None):
                why = "the session is looked at first, and no profile may be set on a real one: see --steer"
                stage.ledger.skip((wrong.rule,), why)
                continue
            ask = wrong.ask(stage, stage.session_id, f"{wrong.where}, for the running session")
        expect_2001(stage, wrong.rule, ask)


def expect_2001(stage: Stage, rule: Rule, ask: Ask) -> None:
    """Record whether a wrong request is answered as it should be; an HTTP error breaks a rule of its own."""
    answer, where = ask.answer, ask.answer.call.where
    is_http_error = answer.status >= 400
    stage.ledger.expect(
        rules.NO_HTTP_ERROR, not is_http_error, where=where, expected="HTTP 200", seen=f"HTTP {answer.status}"
    )
    if not is_http_error:
        stage.ledger.expect(rule, has_code(answer, 200, 2001), where=where, expected="HTTP 200, OCPI 2001", seen=ask)


def refuse_transport(stage: Stage) -> None:
    """What is wrong before anybody looks at a profile: no JSON, methods and paths that are not there, odd headers."""
    counterpart, url = stage.counterpart, stage.counterpart.profile_url(unknown_session())
    broken = counterpart.call("PUT", url, "PUT a body that is cut off", raw_body=b'{"charging_profile": {')
    _expect(stage, rules.INVALID_JSON, broken, broken.status == 400, "HTTP 400")
    for method in ("POST", "PATCH"):
        answer = counterpart.call(
            method, url, f"{method} a charging profile", body={"charging_profile": flat_profile()}
        )
        holds = answer.status == 405 and "allow" in answer.headers
        _expect(stage, rules.METHOD, answer, holds, "HTTP 405 with Allow")
    away = f"{counterpart.known_endpoints.sessions.rstrip('/')}/rehearsal/nothing/here"
    nothing = counterpart.call("GET", away, "GET a path that is not there")
    _expect(stage, rules.NOT_FOUND, nothing, nothing.status == 404, "HTTP 404")
    since = f"date_from={write_datetime(utc_now() - timedelta(hours=1))}"
    sessions = counterpart.known_endpoints.sessions
    slash = counterpart.call("GET", f"{sessions.rstrip('/')}/?{since}", "GET sessions with a trailing slash")
    _expect(stage, rules.TRAILING_SLASH, slash, slash.is_success, "HTTP 200, OCPI 1000")
    nameless = counterpart.call("GET", f"{sessions}?{since}", "GET sessions without ids", headers=without_ids())
    has_ids = all(nameless.headers.get(name) for name in ("x-request-id", "x-correlation-id"))
    _expect(stage, rules.WITHOUT_IDS, nameless, nameless.is_success and has_ids, "HTTP 200 with ids")


def address_others(stage: Stage) -> None:
    """A request to a party that the Receiver does not speak for."""
    stranger = {"OCPI-to-country-code": "XX", "OCPI-to-party-id": "XXX"}
    url = f"{stage.counterpart.known_endpoints.sessions}?date_from={write_datetime(utc_now())}"
    answer = stage.counterpart.call("GET", url, "GET sessions of a party that is not hosted", headers=stranger)
    _expect(stage, rules.FOREIGN_PARTY, answer, has_code(answer, 200, 2001), "HTTP 200, OCPI 2001")


def _expect(stage: Stage, rule: Rule, answer: Answer, holds: bool, expected: str) -> None:
    stage.ledger.expect(rule, holds, where=answer.call.where, expected=expected, seen=answer)


def _expect_read(stage: Stage, rule: Rule, ask: Ask) -> None:
    """Record whether a request was not taken for a wrong one; where HTTP ended it, nobody read it."""
    if ask.answer.status < 400:
        is_read = ask.answer.is_success
        stage.ledger.expect(rule, is_read, where=ask.answer.call.where, expected="HTTP 200, OCPI 1000", seen=ask)


CHECKS = (
    Check(
        "Sessions that nobody knows",
        ask_unknown,
        (rules.UNKNOWN_SESSION, rules.RESPONSE, rules.TIMEOUT),
        (Need.ENDPOINTS, Need.RESPONSE_URL),
    ),
    Check(
        "Proper requests in every form",
        read_leniently,
        (rules.NULL_OPTIONALS, rules.UNKNOWN_FIELDS, rules.DATE_FORMS, rules.EMPTY_PERIODS),
        (Need.ENDPOINTS, Need.RESPONSE_URL),
    ),
    Check(
        "Transport",
        refuse_transport,
        (rules.INVALID_JSON, rules.METHOD, rules.NOT_FOUND, rules.TRAILING_SLASH, rules.WITHOUT_IDS),
        (Need.ENDPOINTS,),
    ),
    Check("A party that is not there", address_others, (rules.FOREIGN_PARTY,), (Need.ENDPOINTS,)),
    Check(
        "Wrong requests",
        refuse_wrong,
        (*{wrong.rule: None for wrong in _wrong_requests()}, rules.NO_HTTP_ERROR),
        (Need.ENDPOINTS, Need.RESPONSE_URL),
    ),
)
