"""Registration by OCPI's handshake, with us as the side that begins (OCPI 7)."""

import secrets

from tools.counterparts.json_types import JsonObject
from tools.rehearsal import rules
from tools.rehearsal.checks.check import Check
from tools.rehearsal.checks.configuration import judge_shown_token, take_credentials
from tools.rehearsal.inbox import Shape, Subject
from tools.rehearsal.judgement import has_code
from tools.rehearsal.stage import Need, Stage
from tools.rehearsal.wire import Answer, Kind

# 43 characters, all allowed in a credentials token of at most 64 (7.3.1).
TOKEN_BYTES = 32
NAME = "OCPI rehearsal"
# The Receiver calls back while its answer is awaited: versions and details, at four attempts and two rotations.
HANDSHAKE_SECONDS = 300.0


def refuse_unregistered(stage: Stage) -> None:
    """PUT and DELETE before there is a registration, and a POST that says too little."""
    for method, rule in (("PUT", rules.PUT_UNREGISTERED), ("DELETE", rules.DELETE_UNREGISTERED)):
        body = _credentials(stage, Shape.PROPER) if method == "PUT" else None
        _expect_405(stage, rule, _call(stage, method, "before registration", body))
    incomplete: JsonObject = {"token": new_token()}
    answer = _call(stage, "POST", "without url and roles", incomplete)
    _expect_code(stage, rules.CREDENTIALS_INVALID, answer, 2001)


def refuse_unusable(stage: Stage) -> None:
    """Registrations that cannot succeed, because of what the Receiver finds when it calls us."""
    for shape, rule, code in (
        (Shape.UNUSABLE, rules.CLIENT_UNUSABLE, 3001),
        (Shape.PARTIAL, rules.CLIENT_LACKS, 3003),
        (Shape.OUTDATED, rules.CLIENT_VERSION, 3002),
    ):
        answer = _call(stage, "POST", f"with versions that are {shape}", _credentials(stage, shape))
        _expect_code(stage, rule, answer, code)


def register(stage: Stage) -> None:
    """POST: the Receiver reads our endpoints and gives a new token."""
    given = _credentials(stage, Shape.PROPER)
    mark = stage.inbox.arrivals.mark()
    answer = _call(stage, "POST", "to register", given)
    _expect_reading(stage, rules.CALLS_BACK, answer, mark)
    _take_token(stage, rules.NEW_TOKEN, answer, given)


def show(stage: Stage) -> None:
    """What is open with the new token, and what no more with the one for registration."""
    counterpart = stage.counterpart
    shown = _call(stage, "GET", "with the new token")
    judge_shown_token(stage, shown)
    sessions = counterpart.known_endpoints.sessions
    answer = counterpart.call("GET", f"{sessions}?date_from=2026-01-01T00:00:00Z", "GET sessions with the new token")
    stage.ledger.expect(
        rules.TOKEN_OPENS, answer.status != 401, where=answer.call.where, expected="not HTTP 401", seen=answer
    )
    ended = counterpart.call(
        "GET",
        counterpart.versions_url,
        "GET versions with the registration token, after the new one",
        kind=Kind.CONFIGURATION,
        token=stage.registration_token,
    )
    _expect_401(stage, rules.REGISTRATION_ENDS, ended)


def refuse_again(stage: Stage) -> None:
    """POST when registered, and a method that credentials do not have."""
    given = _credentials(stage, Shape.PROPER)
    answer = _call(stage, "POST", "when registered", given)
    _expect_405(stage, rules.POST_REGISTERED, answer)
    if answer.is_success:
        # It counts as a registration, so that the other rules can be seen.
        stage.counterpart.token = take_credentials(stage, answer) or stage.counterpart.token
        stage.inbox.expect_token(str(given["token"]))
    answer = _call(stage, "PATCH", "", _credentials(stage, Shape.PROPER))
    _expect_405(stage, rules.PATCH_UNDEFINED, answer)


def rotate(stage: Stage) -> None:
    """PUT: both sides get a new token, and the old one ends."""
    former, given = stage.counterpart.token, _credentials(stage, Shape.PROPER)
    mark = stage.inbox.arrivals.mark()
    answer = _call(stage, "PUT", "to rotate the tokens", given)
    _expect_reading(stage, rules.PUT_READS, answer, mark)
    _take_token(stage, rules.PUT_TOKEN, answer, given)
    judge_shown_token(stage, _call(stage, "GET", "after the rotation"))
    if stage.counterpart.token != former:
        ended = stage.counterpart.call(
            "GET",
            stage.counterpart.versions_url,
            "GET versions with the replaced token",
            kind=Kind.CONFIGURATION,
            token=former,
        )
        _expect_401(stage, rules.OLD_TOKEN_ENDS, ended)


def unregister(stage: Stage) -> None:
    """DELETE: the registration ends, and nobody calls any more."""
    answer = _call(stage, "DELETE", "to unregister")
    stage.ledger.expect(
        rules.UNREGISTER, answer.is_success, where=answer.call.where, expected="HTTP 200, OCPI 1000", seen=answer
    )
    _expect_401(stage, rules.UNREGISTER, _call(stage, "GET", "after DELETE"))


def new_token() -> str:
    """A token that nobody guesses."""
    return secrets.token_urlsafe(TOKEN_BYTES)


def _call(stage: Stage, method: str, what: str, body: JsonObject | None = None) -> Answer:
    url = stage.counterpart.known_endpoints.credentials
    return stage.counterpart.call(
        method, url, f"{method} credentials {what}".strip(), kind=Kind.CONFIGURATION, body=body
    )


def _credentials(stage: Stage, shape: Shape) -> JsonObject:
    """Our Credentials with a new token, which opens our side for who reads our versions with it."""
    token, party = new_token(), stage.counterpart.party
    stage.inbox.offer_token(token)
    role = {
        "role": "SCSP",
        "party_id": party.party_id,
        "country_code": party.country_code,
        "business_details": {"name": NAME},
    }
    return {"token": token, "url": stage.inbox.versions_url(shape), "roles": [role]}


def _take_token(stage: Stage, rule: rules.Rule, answer: Answer, given: JsonObject) -> None:
    """Use the token in an answer from now on; without one the registration has failed."""
    token = take_credentials(stage, answer)
    if token is None:
        stage.counterpart.cpos = ()
        return
    is_new = token not in {stage.counterpart.token, stage.registration_token, given["token"]}
    stage.ledger.expect(rule, is_new, where=answer.call.where, expected="a new token", seen="one that is known already")
    stage.counterpart.token = token
    stage.inbox.expect_token(str(given["token"]))


def _expect_reading(stage: Stage, rule: rules.Rule, answer: Answer, mark: int) -> None:
    read = [one.request.path for one in stage.inbox.of(Subject.CONFIGURATION, mark)]
    is_read = any(path.endswith("/versions") for path in read) and any(path.endswith("/2.2.1") for path in read)
    stage.ledger.expect(
        rule,
        is_read,
        where=answer.call.where,
        expected="our versions and our details are read before the answer",
        seen=", ".join(read) or "neither",
    )


def _expect_401(stage: Stage, rule: rules.Rule, answer: Answer) -> None:
    stage.ledger.expect(rule, answer.status == 401, where=answer.call.where, expected="HTTP 401", seen=answer)


def _expect_405(stage: Stage, rule: rules.Rule, answer: Answer) -> None:
    stage.ledger.expect(rule, answer.status == 405, where=answer.call.where, expected="HTTP 405", seen=answer)


def _expect_code(stage: Stage, rule: rules.Rule, answer: Answer, code: int) -> None:
    stage.ledger.expect(
        rule, has_code(answer, 200, code), where=answer.call.where, expected=f"HTTP 200, OCPI {code}", seen=answer
    )


_NEEDS = (Need.REGISTRATION, Need.CALLBACKS)
BEFORE = (
    Check(
        "Credentials before registration",
        refuse_unregistered,
        (rules.PUT_UNREGISTERED, rules.DELETE_UNREGISTERED, rules.CREDENTIALS_INVALID),
        _NEEDS,
    ),
    Check(
        "Registrations that cannot succeed",
        refuse_unusable,
        (rules.CLIENT_UNUSABLE, rules.CLIENT_LACKS, rules.CLIENT_VERSION, rules.CALLS_UNROUTED),
        _NEEDS,
        HANDSHAKE_SECONDS,
    ),
    Check(
        "Registration",
        register,
        (rules.CALLS_BACK, rules.CALLS_UNROUTED, rules.CREDENTIALS_OBJECT, rules.CREDENTIALS_ROLE, rules.NEW_TOKEN),
        _NEEDS,
        HANDSHAKE_SECONDS,
    ),
)
AFTER = (
    Check(
        "The new token",
        show,
        (rules.CREDENTIALS_GET, rules.TOKEN_OPENS, rules.REGISTRATION_ENDS),
        (*_NEEDS, Need.ENDPOINTS),
    ),
    Check(
        "Credentials after registration",
        refuse_again,
        (rules.POST_REGISTERED, rules.PATCH_UNDEFINED),
        (*_NEEDS, Need.ENDPOINTS),
    ),
    Check(
        "Rotation of the tokens",
        rotate,
        (rules.PUT_READS, rules.PUT_TOKEN, rules.OLD_TOKEN_ENDS),
        (*_NEEDS, Need.ENDPOINTS),
        HANDSHAKE_SECONDS,
    ),
)
END = (
    Check("The end of the registration", unregister, (rules.UNREGISTER,), (*_NEEDS, Need.UNREGISTER, Need.ENDPOINTS)),
)
