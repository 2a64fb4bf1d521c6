"""What the Receiver has told by itself by the end: results, sessions, active profiles, each against what came before."""

import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from tools.counterparts.journal import NotObservedError
from tools.counterparts.json_types import JsonObject, as_list, as_object
from tools.partner_simulator.datatypes import read_datetime
from tools.partner_simulator.models import ResultType, SessionStatus
from tools.partner_simulator.transport import REQUEST_ID
from tools.rehearsal import rules
from tools.rehearsal.checks.active_profiles import ReadProfile, judge_active_profile
from tools.rehearsal.checks.check import Check
from tools.rehearsal.checks.sessions import judge_session, list_sessions
from tools.rehearsal.checks.steering import LONG_SECONDS
from tools.rehearsal.counterpart import Ask
from tools.rehearsal.inbox import Acknowledgement, Arrival, Subject, bare
from tools.rehearsal.judgement import called
from tools.rehearsal.pushed_sessions import patched
from tools.rehearsal.stage import Need, Stage

# Our clock stops when a call has been read, the Receiver's when it was sent.
CLOCK_TOLERANCE = timedelta(seconds=1)
SHORTEST, LONGEST = timedelta(minutes=5), timedelta(minutes=60)
# A session moves forward through these ranks only.
_RANKS = {
    SessionStatus.PENDING: 0,
    SessionStatus.RESERVATION: 0,
    SessionStatus.ACTIVE: 1,
    SessionStatus.COMPLETED: 2,
    SessionStatus.INVALID: 2,
}


def let_drive(stage: Stage) -> None:
    """Our car charges on and leaves, so that its session is pushed to its end."""
    if stage.car is None:
        return
    for happens, what in ((stage.car.charge, "a meter value"), (stage.car.leave, "the end of the session")):
        mark = stage.inbox.arrivals.mark()
        happens()
        try:
            stage.inbox.arrivals.wait_for(
                lambda one: one.subject is Subject.SESSION, stage.options.patience.push, since=mark
            )
        except NotObservedError as error:
            stage.ledger.breach(
                rules.PUSH_OBJECT,
                where=what,
                expected="the session is pushed",
                seen=error,
            )


def judge_results(stage: Stage) -> None:
    """Every result that came, and every one that did not."""
    time.sleep(stage.options.patience.quiet)
    asks = {ask.key: ask for ask in stage.counterpart.asks}
    arrived: dict[str, list[Arrival]] = defaultdict(list)
    for arrival in stage.inbox.of(Subject.RESULT):
        arrived[arrival.key].append(arrival)
        is_known = arrival.key in asks
        seen = arrival.request.target
        where = called(arrival.request)
        stage.ledger.expect(rules.RESULT_URL, is_known, where=where, expected="a URL that we gave", seen=seen)
        if is_known:
            _judge_result(stage, asks[arrival.key], arrival)
    for hostile in stage.inbox.of(Subject.HOSTILE):
        where = called(hostile.request)
        stage.ledger.breach(rules.HOSTILE_URL, where=where, expected="no call", seen="one")
    refused = [ask for ask in asks.values() if not ask.is_accepted]
    if refused and all(not arrived[ask.key] for ask in refused):
        stage.ledger.keep(rules.RESULT_PROMISED)
    for key, ask in asks.items():
        if ask.is_accepted and arrived[key]:
            _judge_number(stage, ask, arrived[key])
    _judge_redirects(stage, asks.values(), arrived)


def _judge_result(stage: Stage, ask: Ask, arrival: Arrival) -> None:
    where, body = f"the result of {ask.answer.call.where}", arrival.body
    stage.ledger.expect(
        rules.RESULT_PROMISED, ask.is_accepted, where=where, expected=f"no result after {ask.result}", seen="one"
    )
    if not ask.is_accepted:
        return
    if ask.timeout is not None:
        late = arrival.at - (ask.answer.at + timedelta(seconds=ask.timeout))
        stage.ledger.expect(
            rules.RESULT_IN_TIME,
            late <= CLOCK_TOLERANCE,
            where=where,
            expected=f"within {ask.timeout} s",
            seen=f"{late.total_seconds():.1f} s later",
        )
    is_bare = bare(body)
    stage.ledger.expect(
        rules.RESULT_BARE, is_bare, where=where, expected="the result itself", seen=arrival.request.body
    )
    if not is_bare or body is None:
        return
    result = body.get("result")
    stage.ledger.expect(
        rules.RESULT_FORM, result in list(ResultType), where=where, expected=", ".join(ResultType), seen=body
    )
    has_profile = body.get("profile") is not None
    stage.ledger.expect(
        rules.RESULT_PROFILE,
        has_profile is (ask.method == "GET" and result == ResultType.ACCEPTED),
        where=where,
        expected="a profile with a GET's ACCEPTED, and only there",
        seen=body,
    )


def _judge_number(stage: Stage, ask: Ask, arrived: Sequence[Arrival]) -> None:
    where = f"the result of {ask.answer.call.where}"
    how, taken = stage.inbox.how(ask.key), [one for one in arrived if one.taken]
    if how is Acknowledgement.SLOW:
        rule = rules.RESULT_SLOW
    elif how is Acknowledgement.FAILING_ONCE:
        # Again or not again is both allowed; that it is not later than announced is looked at with each.
        in_time = all(
            one.at <= ask.answer.at + timedelta(seconds=ask.timeout or 0) + CLOCK_TOLERANCE for one in arrived
        )
        seen = f"{len(arrived)} attempts, {len(taken)} of them taken"
        stage.ledger.expect(
            rules.RESULT_RETRY,
            in_time and len(taken) <= 1,
            where=where,
            expected=f"no attempt after {ask.timeout} s, or after one that was taken",
            seen=seen,
        )
        return
    else:
        rule = rules.RESULT_ONCE
    if taken:
        stage.ledger.expect(rule, len(taken) == 1, where=where, expected="one", seen=f"{len(taken)} times")


def _judge_redirects(stage: Stage, asks: Iterable[Ask], arrived: dict[str, list[Arrival]]) -> None:
    redirected = [ask for ask in asks if stage.inbox.how(ask.key) is Acknowledgement.REDIRECTING and arrived[ask.key]]
    followed = stage.inbox.of(Subject.REDIRECTED)
    if redirected:
        stage.ledger.expect(
            rules.RESULT_REDIRECT,
            not followed,
            where="a redirect of ours",
            expected="it is not followed",
            seen=[one.request.method for one in followed],
        )


def judge_ids(stage: Stage) -> None:
    """X-Request-ID over all calls; the attempts of one result may share theirs."""
    owners: dict[str, set[tuple[object, ...]]] = defaultdict(set)
    calls = [one for one in stage.inbox.arrivals.entries() if one.subject not in {Subject.NOTHING, Subject.REDIRECTED}]
    for number, arrival in enumerate(calls):
        name = arrival.request.header(REQUEST_ID)
        attempt = (arrival.subject, arrival.key) if arrival.subject is Subject.RESULT else (number,)
        if name:
            owners[name].add(attempt)
    twice = [name for name, users in owners.items() if len(users) > 1]
    if owners:
        stage.ledger.expect(rules.CALL_UNIQUE, not twice, where="all calls", expected="each once", seen=twice)


def judge_pushes(stage: Stage) -> None:
    """The sessions that were pushed, in the order in which they came."""
    known: dict[tuple[str, str, str], JsonObject] = {}
    for arrival in stage.inbox.of(Subject.SESSION):
        if arrival.request.method != "GET" and arrival.owner is not None:
            key = (arrival.owner.country_code.casefold(), arrival.owner.party_id.casefold(), arrival.key.casefold())
            _judge_push(stage, arrival, known, key)
    if known:
        listed = {str(one.get("id")).casefold() for one in list_sessions(stage)}
        missing = [key[2] for key in known if key[2] not in listed]
        stage.ledger.expect(
            rules.PUSH_LISTED, not missing, where="GET sessions", expected="all that were pushed", seen=missing
        )


def _judge_push(
    stage: Stage,
    arrival: Arrival,
    known: dict[tuple[str, str, str], JsonObject],
    key: tuple[str, str, str],
) -> None:
    where, body = called(arrival.request), arrival.body
    is_bare = bare(body)
    stage.ledger.expect(rules.PUSH_BARE, is_bare, where=where, expected="the session itself", seen=arrival.request.body)
    if body is None or not is_bare:
        return
    before = known.get(key)
    if arrival.request.method == "PATCH":
        stage.ledger.expect(rules.PUSH_PUT_FIRST, before is not None, where=where, expected="a PUT before", seen="none")
        stage.ledger.expect(
            rules.PUSH_UPDATED, "last_updated" in body, where=where, expected="last_updated", seen=list(body)
        )
        if before is None:
            return
        starts = {as_object(one).get("start_date_time") for one in as_list(before.get("charging_periods"))}
        periods = as_list(body.get("charging_periods"))
        again = [one for one in periods if as_object(one).get("start_date_time") in starts]
        stage.ledger.expect(rules.PUSH_PERIODS, not again, where=where, expected="new periods", seen=again)
        after = patched(before, {**body, "charging_periods": [one for one in periods if one not in again]})
    else:
        stage.ledger.keep(rules.PUSH_PUT_FIRST)
        after = body
    told = tuple(str(body.get(name, "")).casefold() for name in ("country_code", "party_id", "id"))
    is_same = all(not one or one == wanted for one, wanted in zip(told, key, strict=True))
    seen = "/".join(told)
    stage.ledger.expect(rules.PUSH_URL, is_same, where=where, expected="/".join(key), seen=seen)
    read = judge_session(stage, rules.PUSH_OBJECT, after, where)
    if before is not None and read is not None:
        problem = _regression(before, after)
        stage.ledger.expect(rules.PUSH_FORWARD, not problem, where=where, expected="forward only", seen=problem)
    known[key] = after


def _regression(before: JsonObject, after: JsonObject) -> str:
    ranks = [_RANKS.get(SessionStatus(str(one["status"])), 0) for one in (before, after) if one.get("status") in _RANKS]
    if ranks and ranks[0] > ranks[-1]:
        return f"status from {before.get('status')} to {after.get('status')}"
    try:
        moments = [read_datetime(one.get("last_updated")) for one in (before, after)]
        kwh = [Decimal(str(one.get("kwh"))) for one in (before, after)]
    except (ValueError, ArithmeticError):
        # What has not the right type was told already.
        return ""
    if moments[1] < moments[0]:
        return f"last_updated from {moments[0]} to {moments[1]}"
    return f"kwh from {kwh[0]} to {kwh[1]}" if kwh[1] < kwh[0] else ""


def judge_updates(stage: Stage) -> None:
    """The active profiles that were pushed."""
    newest: dict[str, datetime] = {}
    for arrival in stage.inbox.of(Subject.UPDATE):
        where = called(arrival.request)
        puts = [
            ask
            for ask in stage.counterpart.asks
            if ask.method == "PUT" and ask.is_accepted and ask.session_id.casefold() == arrival.key.casefold()
        ]
        was_put = any(ask.answer.sent_at <= arrival.at for ask in puts)
        stage.ledger.expect(
            rules.UPDATE_AFTER_PUT, was_put, where=where, expected="a PUT of ours was accepted before", seen="none was"
        )
        is_bare = bare(arrival.body)
        stage.ledger.expect(
            rules.UPDATE_BARE, is_bare, where=where, expected="the profile itself", seen=arrival.request.body
        )
        read = judge_active_profile(stage.ledger, arrival.body or {}, where, arrival.at) if is_bare else None
        if read is not None:
            _judge_update(stage, arrival, read, newest)
    if stage.car is not None and stage.session_id is not None:
        # Its charge point has had a limit of its own before any PUT, and nothing was told.
        stage.ledger.keep(rules.UPDATE_AFTER_PUT)


def _judge_update(stage: Stage, arrival: Arrival, read: ReadProfile, newest: dict[str, datetime]) -> None:
    where, length = called(arrival.request), read.charging_profile.duration
    is_useful = length is not None and SHORTEST <= timedelta(seconds=length) <= LONGEST
    stage.ledger.expect(rules.UPDATE_LENGTH, is_useful, where=where, expected="300 to 3600 s", seen=length)
    before = newest.get(arrival.key.casefold(), read.start_date_time)
    stage.ledger.expect(
        rules.UPDATE_NEWEST,
        read.start_date_time >= before,
        where=where,
        expected=f"{before} or later",
        seen=read.start_date_time,
    )
    newest[arrival.key.casefold()] = max(before, read.start_date_time)


_CALLED = (Need.ENDPOINTS, Need.CALLBACKS)
CHECKS = (
    Check("Our car charges and leaves", let_drive, (), (*_CALLED, Need.SESSION, Need.CAR), LONG_SECONDS),
    Check(
        "Results",
        judge_results,
        (
            rules.RESULT_ONCE,
            rules.RESULT_IN_TIME,
            rules.RESULT_PROMISED,
            rules.RESULT_BARE,
            rules.RESULT_FORM,
            rules.RESULT_URL,
            rules.RESULT_PROFILE,
        ),
        _CALLED,
    ),
    Check(
        "Calls",
        judge_ids,
        (rules.CALL_TOKEN, rules.CALL_BASE64, rules.CALL_IDS, rules.CALL_TYPE, rules.CALL_ROUTING, rules.CALL_UNIQUE),
        _CALLED,
    ),
    Check(
        "Pushes of sessions",
        judge_pushes,
        (
            rules.PUSH_PUT_FIRST,
            rules.PUSH_OBJECT,
            rules.PUSH_BARE,
            rules.PUSH_URL,
            rules.PUSH_UPDATED,
            rules.PUSH_PERIODS,
            rules.PUSH_FORWARD,
            rules.PUSH_LISTED,
        ),
        _CALLED,
    ),
    Check(
        "Pushes of active profiles",
        judge_updates,
        (rules.UPDATE_AFTER_PUT, rules.UPDATE_BARE, rules.UPDATE_LENGTH, rules.UPDATE_NEWEST),
        _CALLED,
    ),
)
