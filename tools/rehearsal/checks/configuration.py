"""Versions, endpoints and tokens (OCPI 4.1.2 and 6)."""

from collections.abc import Iterable
from urllib.parse import urlsplit

from pydantic import BaseModel, ValidationError

from tools.counterparts.json_types import JsonObject, as_list, as_object, as_text
from tools.partner_simulator.models import findings
from tools.partner_simulator.platform_models import (
    CHARGING_PROFILES,
    CREDENTIALS,
    SESSIONS,
    Endpoint,
    PlatformCredentials,
    Version,
)
from tools.partner_simulator.transport import authorization
from tools.rehearsal import rules
from tools.rehearsal.checks.check import Check
from tools.rehearsal.counterpart import Endpoints
from tools.rehearsal.inbox import VERSION
from tools.rehearsal.stage import Need, Stage
from tools.rehearsal.wire import Answer, Headers, Kind

LOOPBACK_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})
UNKNOWN = "rehearsal-unknown-token"


def discover(stage: Stage) -> None:
    """Reads versions and details, with the registration token or the final one."""
    listed = _configuration(stage, stage.counterpart.versions_url, "GET versions")
    entries = as_list(listed.data)
    problem = "" if entries else "no list, or an empty one"
    for entry in entries:
        problem = problem or _problem(Version, entry)
    stage.ledger.expect(
        rules.VERSION_LIST, not problem, where="GET versions", expected="version and url in each", seen=problem
    )
    names = [as_text(as_object(entry).get("version")) or "" for entry in entries]
    stage.ledger.expect(
        rules.VERSION_ONCE, len(set(names)) == len(names), where="GET versions", expected="each once", seen=names
    )
    offered = {name: as_text(as_object(entry).get("url")) for name, entry in zip(names, entries, strict=True)}
    url = offered.get(VERSION)
    stage.ledger.expect(
        rules.VERSION_221, url is not None, where="GET versions", expected=VERSION, seen=", ".join(names) or "none"
    )
    if url is not None:
        _read_details(stage, url)


def _read_details(stage: Stage, url: str) -> None:
    where = f"GET version details of {VERSION}"
    answer = _configuration(stage, url, where)
    details = as_object(answer.data)
    endpoints = [as_object(one) for one in as_list(details.get("endpoints"))]
    problem = "" if details.get("version") == VERSION else f"version is {details.get('version')!r}"
    for endpoint in endpoints:
        problem = problem or _problem(Endpoint, endpoint)
    stage.ledger.expect(
        rules.DETAILS, not problem, where=where, expected=f"{VERSION}, identifier, role, url", seen=problem
    )
    keys = [
        (one.get("identifier"), "" if one.get("identifier") == CREDENTIALS else one.get("role")) for one in endpoints
    ]
    stage.ledger.expect(rules.ENDPOINT_ONCE, len(set(keys)) == len(keys), where=where, expected="each once", seen=keys)
    found = Endpoints(
        credentials=_url_of(endpoints, CREDENTIALS) or "",
        sessions=_url_of(endpoints, SESSIONS, "SENDER") or "",
        charging_profiles=_url_of(endpoints, CHARGING_PROFILES, "RECEIVER") or "",
    )
    is_complete = all((found.credentials, found.sessions, found.charging_profiles))
    listed = ", ".join(f"{one.get('identifier')} {one.get('role')}" for one in endpoints)
    stage.ledger.expect(rules.ENDPOINTS, is_complete, where=where, expected="all three", seen=listed or "no endpoints")
    if is_complete:
        stage.counterpart.endpoints = found
        _judge_urls(stage, [stage.counterpart.versions_url, url, *(as_text(one.get("url")) or "" for one in endpoints)])


def _judge_urls(stage: Stage, urls: Iterable[str]) -> None:
    plain = [url for url in urls if urlsplit(url).scheme != "https"]
    if plain and all(urlsplit(url).hostname in LOOPBACK_HOSTS for url in plain):
        stage.ledger.exempt(rules.TLS, "the Receiver is on this machine")
    else:
        stage.ledger.expect(rules.TLS, not plain, where="versions and details", expected="https", seen=plain)


def refuse_strangers(stage: Stage) -> None:
    """Calls without a token that is known."""
    token = stage.counterpart.token
    swapped = token.swapcase()
    cases: list[tuple[str, Headers]] = [
        ("an unknown token", {"Authorization": authorization(UNKNOWN, plain=False)}),
        ("Basic instead of Token", {"Authorization": authorization(token, plain=False).replace("Token", "Basic")}),
    ]
    missing = _versions(stage, "GET versions without a token", {"Authorization": None})
    _expect_401(stage, rules.MISSING_TOKEN, missing)
    if missing.status == 401:
        is_told = "www-authenticate" in missing.headers
        stage.ledger.expect(
            rules.CHALLENGE, is_told, where=missing.call.where, expected="WWW-Authenticate", seen="no such header"
        )
    for name, headers in cases:
        _expect_401(stage, rules.UNKNOWN_TOKEN, _versions(stage, f"GET versions with {name}", headers))
    if swapped != token:
        headers = {"Authorization": authorization(swapped, plain=False)}
        _expect_401(stage, rules.TOKEN_CASE, _versions(stage, "GET versions with a token in the other case", headers))
    fed = {"Authorization": authorization(f"{token}\n", plain=False)}
    answer = _versions(stage, "GET versions with a token that ends in a line feed", fed)
    stage.ledger.expect(
        rules.LINE_FEED, answer.is_success, where=answer.call.where, expected="HTTP 200, OCPI 1000", seen=answer
    )


def limit_registration(stage: Stage) -> None:
    """The registration token at functional modules, and at the credentials that it cannot change yet."""
    endpoints = stage.counterpart.known_endpoints
    for where, url in (
        ("GET sessions with the registration token", f"{endpoints.sessions}?date_from=2026-01-01T00:00:00Z"),
        ("GET a charging profile with the registration token", f"{endpoints.charging_profiles.rstrip('/')}/rehearsal"),
    ):
        _expect_401(stage, rules.REGISTRATION_SCOPE, stage.counterpart.call("GET", url, where))


def identify(stage: Stage) -> None:
    """Who a Receiver is that we are registered with already."""
    answer = _configuration(stage, stage.counterpart.known_endpoints.credentials, "GET credentials")
    take_credentials(stage, answer)
    judge_shown_token(stage, answer)


def judge_shown_token(stage: Stage, answer: Answer) -> None:
    """Record whether GET credentials shows the token that we present."""
    is_ours = as_object(answer.data).get("token") == stage.counterpart.token
    stage.ledger.expect(
        rules.CREDENTIALS_GET,
        is_ours,
        where=answer.call.where,
        expected="the token that was presented",
        # A token is not shown.
        seen=f"{answer}, another token" if answer.is_success else answer,
    )


def take_credentials(stage: Stage, answer: Answer) -> str | None:
    """Judges Credentials in an answer and learns who the CPO is; the token in them."""
    where, data = answer.call.where, answer.data
    try:
        told = PlatformCredentials.model_validate(data, extra="ignore")
    except ValidationError as error:
        problem = findings(error)
        is_double = "twice" in problem
        rule = rules.CREDENTIALS_ROLE if is_double else rules.CREDENTIALS_OBJECT
        seen = problem if answer.is_success else answer
        stage.ledger.breach(rule, where=where, expected="token, url, roles", seen=seen)
        return as_text(as_object(data).get("token"))
    stage.ledger.keep(rules.CREDENTIALS_OBJECT)
    cpos = told.parties("CPO")
    roles = ", ".join(one.role for one in told.roles)
    stage.ledger.expect(rules.CREDENTIALS_ROLE, bool(cpos), where=where, expected="a CPO", seen=roles)
    # Whoever is no CPO is spoken to all the same, so that the other rules can be seen.
    spoken = cpos or tuple(one.party for one in told.roles)
    # Whom we spoke to, or were told to speak to, stays the first.
    first = stage.counterpart.cpos[:1]
    stage.counterpart.cpos = tuple(sorted(spoken, key=lambda one: not any(one.is_same(known) for known in first)))
    return told.token


def _configuration(stage: Stage, url: str, where: str) -> Answer:
    answer = stage.counterpart.call("GET", url, where, kind=Kind.CONFIGURATION)
    seen, expected = str(answer), "HTTP 200, OCPI 1000"
    stage.ledger.expect(rules.BASE64, answer.status != 401, where=where, expected=expected, seen=seen)
    if stage.registration_token == stage.counterpart.token:
        stage.ledger.expect(rules.REGISTRATION_OPENS, answer.is_success, where=where, expected=expected, seen=seen)
    return answer


def _versions(stage: Stage, where: str, headers: Headers) -> Answer:
    counterpart = stage.counterpart
    return counterpart.call("GET", counterpart.versions_url, where, kind=Kind.CONFIGURATION, headers=headers)


def _expect_401(stage: Stage, rule: rules.Rule, answer: Answer) -> None:
    stage.ledger.expect(rule, answer.status == 401, where=answer.call.where, expected="HTTP 401", seen=answer)


def _url_of(endpoints: Iterable[JsonObject], identifier: str, role: str | None = None) -> str | None:
    found = (one for one in endpoints if one.get("identifier") == identifier and role in {None, one.get("role")})
    return next((as_text(one.get("url")) for one in found), None)


def _problem(model: type[BaseModel], value: object) -> str:
    try:
        model.model_validate(value, extra="ignore")
    except ValidationError as error:
        return findings(error)
    return ""


CHECKS = (
    Check(
        "Versions and endpoints",
        discover,
        (
            rules.BASE64,
            rules.TLS,
            rules.VERSION_LIST,
            rules.VERSION_ONCE,
            rules.VERSION_221,
            rules.DETAILS,
            rules.ENDPOINTS,
            rules.ENDPOINT_ONCE,
        ),
    ),
    Check(
        "Strangers",
        refuse_strangers,
        (rules.MISSING_TOKEN, rules.UNKNOWN_TOKEN, rules.TOKEN_CASE, rules.CHALLENGE, rules.LINE_FEED),
    ),
)
REGISTERING = (
    Check(
        "What the registration token opens",
        limit_registration,
        (rules.REGISTRATION_SCOPE, rules.REGISTRATION_OPENS),
        (Need.REGISTRATION,),
    ),
)
REGISTERED = (
    Check("Who the Receiver is", identify, (rules.CREDENTIALS_OBJECT, rules.CREDENTIALS_ROLE, rules.CREDENTIALS_GET)),
)
