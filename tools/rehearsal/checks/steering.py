"""The running session: its active profile is read, and where that was asked for, a profile is set and cleared (14)."""

import time
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from urllib.parse import urlsplit

from tools.counterparts.clock import utc_now, write_datetime
from tools.counterparts.journal import NotObservedError
from tools.partner_simulator.models import ResponseType, ResultType
from tools.rehearsal import rules
from tools.rehearsal.checks.active_profiles import (
    ReadProfile,
    judge_active_profile,
    judge_length,
    judge_limit,
    result_profile,
)
from tools.rehearsal.checks.check import Check
from tools.rehearsal.checks.sessions import list_sessions
from tools.rehearsal.checks.wrong_input import expect_2001, flat_profile
from tools.rehearsal.counterpart import DURATION, Ask
from tools.rehearsal.inbox import Acknowledgement, Arrival, Subject, bare
from tools.rehearsal.pushed_sessions import is_running
from tools.rehearsal.rules import Rule
from tools.rehearsal.stage import Need, Stage

# Half of what a public AC charger gives, and a limit of the charge point's own that is lower.
WATTS, OWN_WATTS = 11_000, 6_000
# A partner's bucket is filled again after a while; a rehearsal has no more time than that.
TRIES = 4
# Results and pushes of a busy charge point.
LONG_SECONDS = 600.0


def find_session(stage: Stage) -> None:
    """The session that was named, else that of our own car, one that is listed, or one that is pushed."""
    stage.session_id = stage.options.session_id
    if stage.session_id is None and stage.car is not None:
        evse_uid = stage.car.arrive()
        # Whoever is not told of it finds it in the list, so that the other rules can be seen.
        stage.session_id = _pushed(stage, stage.options.patience.push, evse_uid) or _listed(stage, evse_uid)
    if stage.session_id is None:
        stage.session_id = _listed(stage)
    if stage.session_id is None and stage.counterpart.inbox is not None:
        stage.session_id = _pushed(stage, stage.options.wait_for_session)


def _listed(stage: Stage, evse_uid: str | None = None) -> str | None:
    running = [one for one in list_sessions(stage) if is_running(one, evse_uid)]
    return str(running[-1]["id"]) if running and "id" in running[-1] else None


def _pushed(stage: Stage, seconds: float, evse_uid: str | None = None) -> str | None:
    inbox = stage.inbox
    try:
        inbox.arrivals.wait_for(
            lambda one: one.subject is Subject.SESSION and bool(inbox.sessions.running(evse_uid)), seconds
        )
    except NotObservedError:
        return None
    return inbox.sessions.running(evse_uid)[0]


def read_profile(stage: Stage) -> None:
    """GET, with the response URL encoded and as it is, and with the session's id in other case."""
    counterpart, session = stage.counterpart, stage.session
    first = patiently(stage, lambda: counterpart.get_profile(session, "GET the active profile"))
    _expect_accepted(stage, rules.GET_ACCEPTED, first)
    raw = patiently(
        stage,
        lambda: counterpart.get_profile(
            session, "GET with a response_url that is not encoded", encoded=False, more="&part=2"
        ),
    )
    stage.ledger.expect(
        rules.UNENCODED_URL,
        raw.answer.is_success,
        where=raw.answer.call.where,
        expected="HTTP 200, OCPI 1000",
        seen=raw,
    )
    _judge_case(stage, session, first)
    _judge_read(stage, first)
    if first.is_accepted and (stage.inbox.results(first.key) or _altered(stage)):
        called = bool(stage.inbox.results(first.key))
        stage.ledger.expect(
            rules.ENCODED_URL, called, where="GET the active profile", expected="a result at our URL", seen="elsewhere"
        )
    if raw.is_accepted:
        _await_raw(stage, raw)


def _judge_case(stage: Stage, session: str, first: Ask) -> None:
    swapped = session.swapcase()
    if swapped == session:
        stage.ledger.exempt(rules.SESSION_CASE, "the session's id has no letters")
        return
    what = "GET with the session's id in other case"
    other = patiently(stage, lambda: stage.counterpart.get_profile(swapped, what))
    is_known = other.answer.is_success and other.result != ResponseType.UNKNOWN_SESSION
    stage.ledger.expect(rules.SESSION_CASE, is_known, where=what, expected=str(first.result), seen=other)
    _judge_read(stage, other)


def _await_raw(stage: Stage, ask: Ask) -> None:
    """Wait for the result at a response URL with a & that was not encoded: whole, or cut there."""
    patience = min(float(ask.timeout or 0), stage.options.patience.result)
    try:
        found = stage.inbox.arrivals.wait_for(
            lambda one: one.subject in {Subject.RESULT, Subject.CUT} and one.key == ask.key, patience
        )
    except NotObservedError:
        return
    stage.ledger.expect(
        rules.UNENCODED_URL,
        found.subject is Subject.RESULT,
        where=ask.answer.call.where,
        expected="a result at our whole URL",
        seen="one at the part before the &",
    )


def _altered(stage: Stage) -> list[Arrival]:
    return [one for one in stage.inbox.of(Subject.RESULT) if not one.key]


def refuse_hostile(stage: Stage) -> None:
    """Response URLs of ours that are not those of the partner that asks."""
    parts = urlsplit(stage.inbox.public_url)
    bases = {
        "user information": f"{parts.scheme}://rehearsal@{parts.netloc}{parts.path}",
        "another scheme": f"ftp://{parts.netloc}{parts.path}",
    }
    if parts.hostname == "localhost":
        bases["an address instead of the name"] = f"{parts.scheme}://127.0.0.1:{parts.port}{parts.path}"
    if parts.scheme == "https":
        bases["plain http"] = f"http://{parts.netloc}{parts.path}"
    for name, base in bases.items():
        where = f"GET with a response_url that has {name}"
        ask = stage.counterpart.get_profile(stage.session, where, base=base)
        expect_2001(stage, rules.HOSTILE_URL, ask)


def try_patience(stage: Stage) -> None:
    """Results that we take late, not at once, or answer with a redirect."""
    counterpart, session = stage.counterpart, stage.session
    asks = [
        patiently(stage, partial(counterpart.get_profile, session, f"GET whose result we take {how.value}", how=how))
        for how in (Acknowledgement.SLOW, Acknowledgement.FAILING_ONCE, Acknowledgement.REDIRECTING)
    ]
    for ask in asks:
        if ask.is_accepted:
            stage.await_result(ask)


def steer(stage: Stage) -> None:
    """PUT, and GET what became of it; profiles that cannot be followed."""
    counterpart, session = stage.counterpart, stage.session
    for profile, rule, what in (
        (flat_profile(charging_profile_period=[]), rules.EMPTY_REJECTED, "PUT a profile without periods"),
        (_past_profile(), rules.PAST_REJECTED, "PUT a profile that is over"),
    ):
        ask = patiently(stage, partial(counterpart.put_profile, session, what, profile))
        if ask.answer.is_success:
            holds = ask.result == ResponseType.REJECTED
            stage.ledger.expect(rule, holds, where=ask.answer.call.where, expected="REJECTED", seen=ask)
    put = patiently(stage, lambda: counterpart.put_profile(session, "PUT a profile", flat_profile(WATTS)))
    if not _expect_accepted(stage, rules.PUT_ACCEPTED, put):
        return
    result = stage.await_result(put)
    read = patiently(stage, lambda: counterpart.get_profile(session, "GET the active profile after the PUT"))
    told = _judge_read(stage, read)
    if told is not None and result is not None and (result.body or {}).get("result") == ResultType.ACCEPTED:
        judge_limit(stage.ledger, told, read.answer.call.where, WATTS)


def see_limit(stage: Stage) -> None:
    """The charge point takes a limit of its own, and we are told."""
    if stage.car is None or not _has_steered(stage):
        stage.ledger.skip((rules.UPDATE_COMES,), "no PUT was accepted")
        return
    mark = stage.inbox.arrivals.mark()
    stage.car.limit(OWN_WATTS)
    try:
        found = stage.inbox.arrivals.wait_for(
            lambda one: one.subject is Subject.UPDATE, stage.options.patience.push, since=mark
        )
        seen = found.body
    except NotObservedError:
        seen = None
    stage.ledger.expect(
        rules.UPDATE_COMES,
        seen is not None,
        where="a limit of the charge point's own",
        expected="the active profile is pushed",
        seen=f"nothing in {stage.options.patience.push:g} s",
    )


def clear(stage: Stage) -> None:
    """DELETE, and once more when nothing is left."""
    counterpart, session = stage.counterpart, stage.session
    first = patiently(stage, lambda: counterpart.delete_profile(session, "DELETE the profile"))
    if not _expect_accepted(stage, rules.DELETE_ACCEPTED, first):
        return
    stage.await_result(first)
    second = patiently(stage, lambda: counterpart.delete_profile(session, "DELETE with nothing left"))
    result = stage.await_result(second) if second.is_accepted else None
    if result is None or not bare(result.body):
        return
    said = (result.body or {}).get("result")
    stage.ledger.expect(
        rules.SECOND_DELETE,
        said in {ResultType.UNKNOWN, ResultType.ACCEPTED},
        where=second.answer.call.where,
        expected="UNKNOWN or ACCEPTED",
        seen=said,
    )


def leave_no_profile(stage: Stage) -> str:
    """Clear what a check that was given up may have left at the car; what could not be cleared. Raises UnansweredError."""
    puts = [one for one in stage.counterpart.asks if one.method == "PUT" and one.is_accepted]
    clears = [one for one in stage.counterpart.asks if one.method == "DELETE" and one.is_accepted]
    if puts and (not clears or clears[-1].answer.at < puts[-1].answer.at):
        session = puts[-1].session_id
        last = patiently(stage, lambda: stage.counterpart.delete_profile(session, "DELETE what was set"))
        if not last.is_accepted:
            return f"the profile of session {session} was not cleared: {last}"
    return ""


def patiently(stage: Stage, ask: Callable[[], Ask]) -> Ask:
    """Ask, and again after a while where it is TOO_OFTEN, as a Receiver may say (14.6.5)."""
    answered = ask()
    for _ in range(TRIES - 1):
        if answered.result != ResponseType.TOO_OFTEN:
            break
        time.sleep(stage.options.patience.too_often)
        answered = ask()
    return answered


def _judge_read(stage: Stage, ask: Ask) -> ReadProfile | None:
    """Wait for the result of a GET and judge the profile in it; None where there is none."""
    result = stage.await_result(ask) if ask.is_accepted else None
    if result is None or not bare(result.body) or (result.body or {}).get("result") != ResultType.ACCEPTED:
        return None
    profile, where = result_profile(result.body), f"the result of {ask.answer.call.where}"
    read = judge_active_profile(stage.ledger, profile, where, result.at) if profile else None
    if read is not None:
        judge_length(stage.ledger, read, where, DURATION)
    return read


def _has_steered(stage: Stage) -> bool:
    return any(one.method == "PUT" and one.is_accepted for one in stage.counterpart.asks)


def _past_profile() -> dict[str, object]:
    return flat_profile(start_date_time=write_datetime(utc_now() - timedelta(days=1)), duration=3600)


def _expect_accepted(stage: Stage, rule: Rule, ask: Ask) -> bool:
    if ask.result == ResponseType.TOO_OFTEN:
        stage.ledger.skip((rule,), "TOO_OFTEN, again and again, which is allowed")
        return False
    return stage.ledger.expect(
        rule, ask.is_accepted, where=ask.answer.call.where, expected="HTTP 200, OCPI 1000, ACCEPTED", seen=ask
    )


_NEEDS = (Need.ENDPOINTS, Need.CALLBACKS, Need.SESSION)
FIND = Check("The running session", find_session, (), (Need.ENDPOINTS,), LONG_SECONDS)
READING = (
    Check(
        "The active profile",
        read_profile,
        (
            rules.GET_ACCEPTED,
            rules.ENCODED_URL,
            rules.UNENCODED_URL,
            rules.SESSION_CASE,
            rules.RESULT_COMES,
            rules.ACTIVE_FORM,
            rules.ACTIVE_FIRST,
            rules.ACTIVE_ORDER,
            rules.ACTIVE_START,
            rules.ACTIVE_CLIPPED,
        ),
        _NEEDS,
        LONG_SECONDS,
    ),
    Check("Response URLs that are not ours", refuse_hostile, (rules.HOSTILE_URL,), _NEEDS),
    Check(
        "Results that we do not take at once",
        try_patience,
        (rules.RESULT_SLOW, rules.RESULT_RETRY, rules.RESULT_REDIRECT),
        _NEEDS,
        LONG_SECONDS,
    ),
)
STEERING = (
    Check(
        "A profile is set",
        steer,
        (rules.PUT_ACCEPTED, rules.EMPTY_REJECTED, rules.PAST_REJECTED, rules.ACTIVE_UNIT, rules.ACTIVE_LIMIT),
        (*_NEEDS, Need.STEER),
        LONG_SECONDS,
    ),
    Check("A limit of the charge point's own", see_limit, (rules.UPDATE_COMES,), (*_NEEDS, Need.STEER, Need.CAR)),
    Check(
        "The profile is cleared",
        clear,
        (rules.DELETE_ACCEPTED, rules.SECOND_DELETE),
        (*_NEEDS, Need.STEER),
        LONG_SECONDS,
    ),
)
