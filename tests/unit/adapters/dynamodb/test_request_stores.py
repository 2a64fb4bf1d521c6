"""One suite for the stores of requests, pushes and watches, and for what the sweep reads of them.

In memory as models use them, on DynamoDB as moto has it, and on the DynamoDB of the embedded AWS.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from itertools import count

import boto3
import pytest

from ocpi_bridge.adapters.dynamodb.session_items import DUE_SHARDS, END_SEEN_AFTER, due_shard
from ocpi_bridge.adapters.dynamodb.sweep import SWEEP_PAGE
from ocpi_bridge.domain.assignments import Assignment, Rights, Scope
from ocpi_bridge.domain.controls import Control, Intake, NewestRequest
from ocpi_bridge.domain.events import EventType, SessionStatus
from ocpi_bridge.domain.plans import Plan, PlanPeriod, RateUnit
from ocpi_bridge.domain.requests import (
    Answer,
    Callback,
    Delivery,
    Fit,
    InstalledPlan,
    Origin,
    Request,
    RequestKind,
    RequestState,
    Result,
)
from ocpi_bridge.domain.sessions import ChargingPeriod, Session
from ocpi_bridge.domain.tokens import AcceptedToken
from ocpi_bridge.domain.watches import Watch
from ocpi_bridge.ports.callers import Caller
from ocpi_bridge.ports.pushes import Pushed
from ocpi_bridge.ports.sweep import DuePush, EndedSession, OpenRequest, Reassessment
from tests.support import registry_entries
from tests.support.clocks import START, ManualClock
from tests.support.stores import EVERYBODY, MemoryStores, Stores, TableStores
from tests.support.tables import AwsTables, create_tables
from tests.support.world import CARD, PAUSE_BETWEEN, RESPONSE_URL, event, session_of
from tools.local_stack import emulator
from tools.local_stack.layout import Layout

SET, CLEAR, GET = RequestKind.SET, RequestKind.CLEAR, RequestKind.GET
PENDING, SENT, ANSWERED = RequestState.PENDING, RequestState.SENT, RequestState.ANSWERED
YES, NO, NONE_THERE = (
    Answer(result, f"it said {result}") for result in (Result.ACCEPTED, Result.REJECTED, Result.UNKNOWN)
)
OWNED = Rights(frozenset({"jedlix"}), "jedlix")
PARTNER = registry_entries.partner()
# A short plan has its place beside the request, and a day in quarters of an hour has not.
DAY = Plan(RateUnit.WATT, tuple(PlanPeriod(900 * index, Decimal(11_000 - index)) for index in range(96)), START)
PLANS = pytest.mark.parametrize("plan", [PAUSE_BETWEEN, DAY], ids=["short", "long"])
FOLLOWED = Plan(RateUnit.WATT, (PlanPeriod(0, Decimal(4000)),), START, 900)
EMBEDDED = pytest.param("embedded", marks=[pytest.mark.e2e, pytest.mark.integration])
SECOND = timedelta(seconds=1)
_names = count(1)


@pytest.fixture(scope="session")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """An embedded AWS with nothing on it: how its services are reached."""
    started = emulator.start(Layout(tmp_path_factory.mktemp("aws") / "local"), port=0)
    try:
        started.await_ready()
        yield started.client_environment
    finally:
        started.stop()


def embedded_tables(environment: dict[str, str]) -> AwsTables:
    client = boto3.client(
        "dynamodb",
        region_name=environment["AWS_REGION"],
        endpoint_url=environment["AWS_ENDPOINT_URL"],
        verify=environment["AWS_CA_BUNDLE"],
        aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
    )
    number = next(_names)
    tables = AwsTables(client, f"sessions-{number}", f"requests-{number}", f"registry-{number}")
    create_tables(tables)
    return tables


@pytest.fixture(params=["memory", "dynamodb", EMBEDDED])
def stores(request: pytest.FixtureRequest) -> Stores:
    """The stores, on a registry with a partner, a CSMS and a station."""
    made: Stores
    match request.param:
        case "memory":
            made = MemoryStores()
        case "dynamodb":
            made = TableStores(request.getfixturevalue("aws"), ManualClock())
        case _:
            made = TableStores(embedded_tables(request.getfixturevalue("embedded")), ManualClock())
    made.add(PARTNER, registry_entries.csms(), registry_entries.station())
    return made


def asked(
    request_id: str = "r1", kind: RequestKind = SET, number: int | None = 1, session_id: str = "s1", seconds: float = 0
) -> Request:
    """A new request of the partner's, some seconds after the clock's start."""
    now = START + timedelta(seconds=seconds)
    return Request(
        request_id=request_id,
        origin=Origin.PARTNER,
        kind=kind,
        session_id=session_id,
        csms_id="acme",
        station_id="CP-001",
        state=PENDING,
        created_at=now,
        deadline=now + timedelta(seconds=50),
        timeout_at=now + timedelta(seconds=60),
        steps=(kind,),
        number=None if kind is GET else number,
        partner_id="jedlix",
        callback=Callback(RESPONSE_URL, "corr-1", registry_entries.partner().party, PARTNER.party),
        plan_ends_at=now + timedelta(hours=2) if kind is SET else None,
    )


def accepted(stores: Stores, request: Request, brought: Plan = PAUSE_BETWEEN) -> Request:
    """Accepts it as the newest of its session, with a plan where it is a SET."""
    before = stores.intake.control(request.session_id)
    after = replace(before, version=before.version + 1, accepted=request.number or before.accepted)
    plan = brought if request.kind is SET else None
    assert stores.intake.accept(request, plan, before, after)
    return request


def now_of(stores: Stores, request: Request) -> Request:
    found = stores.deliveries.request(request.request_id)
    assert found is not None
    return found


def sent(stores: Stores, request: Request) -> Request:
    assert stores.commands.mark_sent(request)
    return now_of(stores, request)


def answered(stores: Stores, request: Request, answer: Answer = YES) -> Request:
    assert stores.commands.record_answer(request, answer)
    return now_of(stores, request)


def control(stores: Stores) -> Control:
    return stores.intake.control("s1")


def opened(stores: Stores, **changes: object) -> Session:
    """A stored session."""
    made = replace(session_of(event(EventType.TRANSACTION_STARTED, token=CARD)), **changes)  # type: ignore[arg-type]
    assert stores.sessions.create(made, None)
    return made


# --- Who calls -------------------------------------------------------------------------------------------------------

TOKEN = AcceptedToken("hash", "jedlix", PARTNER.party, START)


def test_a_caller_is_known_by_any_of_its_tokens_and_finds_its_session_without_case(stores: Stores) -> None:
    stores.add(TOKEN)
    session = opened(stores, session_id="Sess-1")
    accepted(stores, asked(session_id="Sess-1"))
    caller = stores.intake.caller(["nobody's", "hash"], "sESS-1")
    assert caller == Caller("jedlix", PARTNER.party, TOKEN, session, stores.intake.control("Sess-1"))
    assert stores.intake.caller(["hash"], "Sess-2") == Caller("jedlix", PARTNER.party, TOKEN)
    assert stores.intake.caller(["hash"]) == Caller("jedlix", PARTNER.party, TOKEN)
    assert stores.intake.caller(["nobody's"], "Sess-1") == Caller(None)


def test_a_token_that_was_used_ends_those_before_it_once(stores: Stores) -> None:
    new, other = replace(TOKEN, token_hash="new", supersedes=("hash",)), replace(TOKEN, token_hash="other")
    stores.add(TOKEN, new, other)
    stores.intake.settle_token(replace(new, supersedes=("other",)))
    assert stores.intake.caller(["other"]).partner_id == "jedlix"
    stores.intake.settle_token(new)
    assert stores.intake.caller(["hash"]).partner_id is None
    assert stores.intake.caller(["new"]).token == replace(new, supersedes=())
    stores.add(TOKEN)
    stores.intake.settle_token(new)
    stores.intake.settle_token(replace(TOKEN, token_hash="gone", supersedes=("hash",)))
    assert stores.intake.caller(["hash"]).partner_id == "jedlix"


def test_what_is_around_a_session_is_what_the_registry_says_now(stores: Stores) -> None:
    session = opened(stores)
    bare = stores.intake.surroundings("jedlix", session, START)
    assert (bare.partner, bare.csms, bare.station, bare.rights) == (
        PARTNER,
        registry_entries.csms(),
        registry_entries.station(),
        Rights(),
    )
    stores.add(registry_entries.assignment(valid_until=START + SECOND))
    stores.states.set_online("acme", "CP-001", online=False, at=START)
    around = stores.intake.surroundings("jedlix", session, START)
    assert (around.rights, around.state.online) == (OWNED, False)
    assert stores.intake.surroundings("jedlix", session, START + SECOND).rights == Rights()
    assert stores.intake.surroundings("nobody", None, START).partner is None


def test_rights_that_were_decided_are_written_unless_an_event_was_faster(stores: Stores) -> None:
    session = opened(stores, rights=Rights())
    stores.intake.reassign(session, OWNED, START + SECOND)
    written = stores.pushes.push_context(session.session_id, "jedlix").session
    assert written is not None
    assert (written.rights, written.version, written.known_to) == (
        OWNED,
        session.version + 1,
        session.known_to | {"jedlix"},
    )
    stores.intake.reassign(session, Rights(frozenset({"other"})), START + SECOND)
    assert stores.pushes.push_context(session.session_id, "jedlix").session == written
    stores.intake.reassign(written, OWNED, START + 2 * SECOND)
    assert stores.pushes.push_context(session.session_id, "jedlix").session == written


# --- Accepting -------------------------------------------------------------------------------------------------------


def test_accepting_writes_the_request_its_plan_and_what_the_control_gains(stores: Stores) -> None:
    newest = NewestRequest("r1", "fingerprint", START + SECOND, 60)
    intakes = {"jedlix": Intake(newest=newest, first_set="r1")}
    before = control(stores)
    after = replace(before, version=1, accepted=1, unit=RateUnit.AMPERE, intakes=intakes)
    assert before == Control("s1")
    assert stores.intake.accept(asked(), PAUSE_BETWEEN, before, after)
    assert now_of(stores, asked()) == asked()
    assert stores.watches.plan("r1") == PAUSE_BETWEEN
    assert control(stores) == after
    assert stores.intake.control("S1") == replace(after, session_id="S1")


@PLANS
def test_a_plan_is_found_wherever_it_has_its_place_and_stays_there(stores: Stores, plan: Plan) -> None:
    session = opened(stores)
    request = accepted(stores, asked(session_id=session.session_id), plan)
    for about in (request.whereabouts, None, replace(request.whereabouts, station_id="CP-002")):
        context = stores.commands.command_context("r1", about)
        assert context is not None
        assert (context.request, context.plan, context.session) == (request, plan, session)
    delivered = answered(stores, sent(stores, request))
    stores.deliveries.delivered(delivered)
    assert now_of(stores, request) == replace(delivered, state=RequestState.DELIVERED)
    assert stores.watches.plan("r1") == plan


def test_a_request_without_a_plan_has_none(stores: Stores) -> None:
    request = accepted(stores, asked(kind=CLEAR))
    context = stores.commands.command_context("r1", request.whereabouts)
    assert context is not None
    assert (context.plan, stores.watches.plan("r1")) == (None, None)


def test_what_is_known_of_a_request_is_known_to_the_microsecond(stores: Stores) -> None:
    odd = timedelta(microseconds=123_457)
    at = START + odd
    request = replace(
        asked(),
        created_at=at,
        deadline=at + odd,
        timeout_at=at + 2 * odd,
        plan_ends_at=at + 3 * odd,
        fail_safe_at=at + 4 * odd,
    )
    assert now_of(stores, accepted(stores, request)) == request


def test_a_request_is_accepted_only_on_the_control_that_was_read(stores: Stores) -> None:
    before = control(stores)
    accepted(stores, asked())
    assert not stores.intake.accept(asked("r2"), PAUSE_BETWEEN, before, replace(before, version=1, accepted=1))
    stale = replace(control(stores), version=7)
    assert not stores.intake.accept(asked("r2"), PAUSE_BETWEEN, stale, replace(stale, version=8))
    assert (stores.deliveries.request("r2"), stores.watches.plan("r2"), control(stores).version) == (None, None, 1)


def test_a_request_is_accepted_once(stores: Stores) -> None:
    accepted(stores, asked())
    before = control(stores)
    assert not stores.intake.accept(asked(), PAUSE_BETWEEN, before, replace(before, version=2, accepted=2))
    assert control(stores) == before


def test_accepting_touches_nothing_that_sending_and_answering_know(stores: Stores) -> None:
    answered(stores, sent(stores, accepted(stores, asked())))
    known, stale = control(stores), replace(control(stores), sent=0, settled=0, installed=None, unit=None)
    assert stores.intake.accept(asked("r2", GET), None, stale, replace(stale, version=2))
    assert control(stores) == replace(known, version=2)


def test_the_unit_stays_where_a_request_has_none(stores: Stores) -> None:
    before = control(stores)
    stores.intake.accept(asked(), PAUSE_BETWEEN, before, replace(before, version=1, accepted=1, unit=RateUnit.AMPERE))
    accepted_before = control(stores)
    stores.intake.accept(asked("r2", GET), None, accepted_before, replace(accepted_before, version=2, unit=None))
    assert control(stores).unit is RateUnit.AMPERE


# --- Sending ---------------------------------------------------------------------------------------------------------


def test_a_command_knows_all_around_its_request(stores: Stores) -> None:
    session = opened(stores)
    request = accepted(stores, asked(session_id=session.session_id))
    context = stores.commands.command_context("r1")
    assert context is not None
    assert (context.request, context.plan, context.session) == (request, PAUSE_BETWEEN, session)
    assert context.control == stores.intake.control(session.session_id)
    assert (context.csms, context.station) == (registry_entries.csms(), registry_entries.station())
    assert stores.commands.command_context("r2") is None
    accepted(stores, replace(asked("r3", session_id="gone"), station_id="CP-404"))
    bare = stores.commands.command_context("r3")
    assert bare is not None
    assert (bare.session, bare.station) == (None, None)


def test_sending_is_noted_with_its_attempt_its_number_and_what_it_is_fitted_to(stores: Stores) -> None:
    fit = Fit(3, Decimal(11_000), reduces=True)
    request = replace(accepted(stores, asked()), fitted_to=fit)
    first = sent(stores, request)
    assert (first.state, first.attempts, first.step, first.fitted_to) == (SENT, 1, 0, fit)
    assert control(stores).sent == 1
    second = sent(stores, replace(first, fitted_to=None))
    assert (second.attempts, second.fitted_to) == (2, fit)


def test_attempts_that_reached_nobody_are_noted_while_the_request_is_as_it_was(stores: Stores) -> None:
    once = sent(stores, accepted(stores, asked()))
    stores.commands.nothing_sent(once)
    assert now_of(stores, once) == replace(once, unsent=1)
    twice = sent(stores, now_of(stores, once))
    for stale in (once, replace(twice, step=1), replace(twice, state=PENDING), asked("r9")):
        stores.commands.nothing_sent(stale)
    assert now_of(stores, once) == replace(once, attempts=2, unsent=1)
    answered(stores, twice)
    stores.commands.nothing_sent(twice)
    assert now_of(stores, once).unsent == 1


def test_only_what_was_read_last_is_sent(stores: Stores) -> None:
    request = accepted(stores, asked())
    assert not stores.commands.mark_sent(replace(request, step=1))
    assert not stores.commands.mark_sent(replace(request, attempts=1))
    assert not stores.commands.mark_sent(replace(request, state=SENT))
    assert not stores.commands.mark_sent(asked("r2"))
    assert (now_of(stores, request), control(stores).sent) == (request, 0)
    sent(stores, request)
    assert not stores.commands.mark_sent(request)
    assert now_of(stores, request).attempts == 1


def test_no_number_is_sent_below_the_last_one(stores: Stores) -> None:
    first, second = accepted(stores, asked()), accepted(stores, asked("r2", number=2))
    sent(stores, second)
    assert not stores.commands.mark_sent(first)
    assert (now_of(stores, first), control(stores).sent) == (first, 2)


def test_what_was_sent_is_sent_again_only_while_it_is_the_last_one(stores: Stores) -> None:
    first, second = accepted(stores, asked()), accepted(stores, asked("r2", number=2))
    again = sent(stores, first)
    again = sent(stores, again)
    sent(stores, second)
    assert not stores.commands.mark_sent(again)
    assert (now_of(stores, first), control(stores).sent) == (again, 2)


def test_a_request_without_a_number_is_sent_at_any_time_and_moves_none(stores: Stores) -> None:
    sent(stores, accepted(stores, asked("r2", number=2)))
    assert sent(stores, accepted(stores, asked("r3", GET))).state is SENT
    assert control(stores).sent == 2


# --- Answers ---------------------------------------------------------------------------------------------------------


def test_an_accepted_plan_is_installed(stores: Stores) -> None:
    fit = Fit(None, Decimal(7000))
    request = sent(stores, replace(accepted(stores, asked()), fitted_to=fit))
    after = answered(stores, request)
    assert (after.state, after.result, after.reason, after.supported) == (ANSWERED, Result.ACCEPTED, YES.reason, True)
    assert control(stores).settled == 1
    assert control(stores).installed == InstalledPlan("r1", 1, request.plan_ends_at, "jedlix", START, None, fit)


def test_there_is_one_answer_whoever_comes_twice(stores: Stores) -> None:
    request = sent(stores, accepted(stores, asked()))
    first = answered(stores, request, NO)
    assert not stores.commands.record_answer(request, YES)
    assert (now_of(stores, request), control(stores).installed) == (first, None)


def test_an_answer_to_another_step_or_to_nobody_counts_for_nothing(stores: Stores) -> None:
    request = sent(stores, accepted(stores, asked()))
    assert not stores.commands.record_answer(replace(request, step=1), YES)
    assert not stores.commands.record_answer(asked("r2"), YES)
    assert (now_of(stores, request), control(stores).installed) == (request, None)


def test_a_request_that_was_never_sent_may_be_answered(stores: Stores) -> None:
    assert answered(stores, accepted(stores, asked()), NO).result is Result.REJECTED
    assert control(stores).settled == 0


def test_what_is_not_offered_at_all_is_remembered(stores: Stores) -> None:
    request = accepted(stores, asked(kind=GET))
    assert not answered(stores, request, replace(NO, supported=False)).supported


@pytest.mark.parametrize("answer", [YES, NONE_THERE], ids=["accepted", "unknown"])
def test_a_clear_that_found_its_plan_or_none_leaves_none(stores: Stores, answer: Answer) -> None:
    answered(stores, sent(stores, accepted(stores, asked())))
    answered(stores, sent(stores, accepted(stores, asked("r2", CLEAR, 2))), answer)
    assert (control(stores).settled, control(stores).installed) == (2, None)


@pytest.mark.parametrize(("kind", "answer"), [(SET, NO), (CLEAR, NO), (SET, NONE_THERE)])
def test_a_refusal_leaves_what_was_installed(stores: Stores, kind: RequestKind, answer: Answer) -> None:
    answered(stores, sent(stores, accepted(stores, asked())))
    before = control(stores)
    answered(stores, sent(stores, accepted(stores, asked("r2", kind, 2))), answer)
    assert control(stores) == replace(before, version=2, accepted=2, sent=2)


def test_an_answer_that_comes_after_a_later_requests_settles_itself_alone(stores: Stores) -> None:
    first = sent(stores, accepted(stores, asked()))
    answered(stores, sent(stores, accepted(stores, asked("r2", number=2))))
    assert answered(stores, first).result is Result.ACCEPTED
    known = control(stores)
    assert known.installed is not None
    assert (known.settled, known.installed.request_id) == (2, "r2")


def test_an_outcome_that_nobody_knows_is_noted_instead_of_a_plan(stores: Stores) -> None:
    request = sent(stores, accepted(stores, asked()))
    assert stores.commands.record_answer(request, NO, uncertain=True)
    assert (control(stores).uncertain, control(stores).uncertain_by, control(stores).installed) == (1, "jedlix", None)


def test_a_doubt_about_an_earlier_request_does_not_hide_a_later_one(stores: Stores) -> None:
    first, second = accepted(stores, asked()), accepted(stores, replace(asked("r2", number=2), partner_id="other"))
    first = sent(stores, first)
    stores.commands.record_answer(sent(stores, second), NO, uncertain=True)
    assert stores.commands.record_answer(first, NO, uncertain=True)
    assert (now_of(stores, first).state, control(stores).uncertain, control(stores).uncertain_by) == (
        ANSWERED,
        2,
        "other",
    )


def test_the_active_profile_of_an_answer_is_kept(stores: Stores) -> None:
    request = sent(stores, accepted(stores, asked(kind=GET)))
    assert stores.deliveries.active_profile("r1") is None
    answered(stores, request, replace(YES, active_profile=FOLLOWED))
    assert stores.deliveries.active_profile("r1") == stores.watches.active_profile("r1") == FOLLOWED
    stores.watches.save_active_profile("r2", FOLLOWED)
    stores.watches.save_active_profile("r2", PAUSE_BETWEEN)
    assert stores.watches.active_profile("r2") == PAUSE_BETWEEN


# --- Steps -----------------------------------------------------------------------------------------------------------


def in_two_steps(stores: Stores, request_id: str = "r2", number: int = 2) -> Request:
    request = replace(asked(request_id, number=number), steps=(CLEAR, SET))
    return sent(stores, accepted(stores, request))


def test_a_step_on_means_that_nothing_is_installed(stores: Stores) -> None:
    answered(stores, sent(stores, accepted(stores, asked())))
    request = in_two_steps(stores)
    assert stores.commands.turn_to_step(request, 1)
    after = now_of(stores, request)
    assert (after.state, after.step, after.attempts) == (PENDING, 1, 1)
    assert (control(stores).settled, control(stores).installed) == (2, None)


def test_a_step_back_leaves_what_is_known_of_the_plan(stores: Stores) -> None:
    request = in_two_steps(stores)
    stores.commands.turn_to_step(request, 1)
    at_second = sent(stores, now_of(stores, request))
    known = control(stores)
    assert stores.commands.turn_to_step(at_second, 0)
    assert (now_of(stores, request).state, now_of(stores, request).step) == (PENDING, 0)
    assert control(stores) == known


def test_only_a_step_that_was_sent_is_left(stores: Stores) -> None:
    request = replace(asked(), steps=(CLEAR, SET))
    accepted(stores, request)
    assert not stores.commands.turn_to_step(request, 1)
    at_first = sent(stores, request)
    assert not stores.commands.turn_to_step(replace(at_first, step=1), 0)
    assert not stores.commands.turn_to_step(asked("r9"), 1)
    assert now_of(stores, request) == at_first


def test_a_step_on_after_a_later_requests_answer_touches_no_plan(stores: Stores) -> None:
    request = in_two_steps(stores, "r1", 1)
    answered(stores, sent(stores, accepted(stores, asked("r2", number=2))))
    known = control(stores)
    assert stores.commands.turn_to_step(request, 1)
    assert control(stores) == known


# --- Expiry ----------------------------------------------------------------------------------------------------------


def test_what_was_never_sent_expires_without_a_doubt(stores: Stores) -> None:
    request = accepted(stores, asked())
    expired = stores.deliveries.expire(request, NO)
    assert expired is not None
    assert (expired.state, expired.result, expired.reason) == (RequestState.EXPIRED, Result.REJECTED, NO.reason)
    assert now_of(stores, request) == expired
    assert (control(stores).uncertain, control(stores).uncertain_by) == (0, None)


def test_what_was_sent_expires_with_a_doubt(stores: Stores) -> None:
    assert stores.deliveries.expire(sent(stores, accepted(stores, asked())), NO) is not None
    assert (control(stores).uncertain, control(stores).uncertain_by) == (1, "jedlix")
    assert stores.deliveries.expire(sent(stores, accepted(stores, asked("r2", GET))), NO) is not None
    assert control(stores).uncertain == 1


def test_a_doubt_about_a_later_request_keeps_no_earlier_one_from_expiring(stores: Stores) -> None:
    first, second = accepted(stores, asked()), accepted(stores, replace(asked("r2", number=2), partner_id="other"))
    first = sent(stores, first)
    assert stores.commands.record_answer(sent(stores, second), NO, uncertain=True)
    assert stores.deliveries.expire(first, NO) is not None
    assert now_of(stores, first).state is RequestState.EXPIRED
    assert (control(stores).uncertain, control(stores).uncertain_by) == (2, "other")


def test_who_was_answered_or_sent_meanwhile_does_not_expire(stores: Stores) -> None:
    pending = accepted(stores, asked())
    once = sent(stores, pending)
    assert stores.deliveries.expire(pending, NO) is None
    assert (now_of(stores, pending).state, control(stores).uncertain) == (SENT, 0)
    answered(stores, once)
    assert stores.deliveries.expire(once, NO) is None
    assert stores.deliveries.expire(asked("r9"), NO) is None
    assert now_of(stores, pending).state is ANSWERED


# --- Delivery --------------------------------------------------------------------------------------------------------

LEASE = START + timedelta(seconds=12)


def to_deliver(stores: Stores) -> Request:
    return answered(stores, sent(stores, accepted(stores, asked())))


def test_one_delivers_at_a_time(stores: Stores) -> None:
    request = to_deliver(stores)
    leased = stores.deliveries.lease_delivery(request, LEASE, START)
    assert leased is not None
    assert leased.delivery == now_of(stores, request).delivery == Delivery(1, LEASE)
    assert stores.deliveries.lease_delivery(leased, LEASE + SECOND, LEASE - SECOND) is None
    assert stores.deliveries.lease_delivery(request, LEASE + SECOND, LEASE) is None
    again = stores.deliveries.lease_delivery(leased, LEASE + SECOND, LEASE)
    assert again is not None
    assert now_of(stores, request).delivery == Delivery(2, LEASE + SECOND)


def test_a_lease_that_is_given_back_is_free_at_once_and_its_error_stays(stores: Stores) -> None:
    request = to_deliver(stores)
    leased = stores.deliveries.lease_delivery(request, LEASE, START)
    assert leased is not None
    stores.deliveries.release_delivery(leased, "http_503")
    free = now_of(stores, request)
    assert free.delivery == Delivery(1, None, "http_503")
    assert stores.deliveries.lease_delivery(request, LEASE, START) is None
    assert stores.deliveries.lease_delivery(free, LEASE, START) is not None


@pytest.mark.parametrize("expired", [False, True], ids=["answered", "expired"])
def test_a_result_is_delivered_or_given_up_and_then_nobody_delivers(stores: Stores, expired: bool) -> None:
    request = sent(stores, accepted(stores, asked()))
    if expired:
        stores.deliveries.expire(request, NO)
    else:
        answered(stores, request)
    leased = stores.deliveries.lease_delivery(now_of(stores, request), LEASE, START)
    assert leased is not None
    stores.deliveries.delivered(leased)
    assert now_of(stores, request).state is RequestState.DELIVERED
    assert now_of(stores, request).delivery == Delivery(1)
    stores.deliveries.undelivered(leased, "too_late")
    stores.deliveries.release_delivery(leased, "too_late")
    assert stores.deliveries.lease_delivery(leased, LEASE, LEASE) is None
    assert (now_of(stores, request).state, now_of(stores, request).delivery.last_error) == (
        RequestState.DELIVERED,
        None,
    )


def test_who_gives_up_says_why(stores: Stores) -> None:
    request = to_deliver(stores)
    stores.deliveries.undelivered(request, "http_404")
    after = now_of(stores, request)
    assert (after.state, after.delivery.last_error) == (RequestState.UNDELIVERED, "http_404")
    stores.deliveries.delivered(request)
    assert now_of(stores, request) == after


def test_nothing_is_delivered_before_there_is_a_result(stores: Stores) -> None:
    request = sent(stores, accepted(stores, asked()))
    stores.deliveries.delivered(request)
    stores.deliveries.undelivered(request, "too_late")
    assert stores.deliveries.lease_delivery(replace(request, state=ANSWERED), LEASE, START) is None
    assert now_of(stores, request) == request
    stores.deliveries.delivered(asked("r9"))
    assert stores.deliveries.request("r9") is None


def test_partners_are_looked_up(stores: Stores) -> None:
    assert stores.deliveries.partner("jedlix") == PARTNER
    assert stores.deliveries.partner("nobody") is None


# --- Pushes and watches ----------------------------------------------------------------------------------------------

ACKNOWLEDGED = Pushed("s1", "jedlix", 3, {"kwh": Decimal("1.5"), "status": "ACTIVE"}, 2, START, attempts=1)


def test_what_is_between_a_session_and_a_partner_is_read_at_once(stores: Stores) -> None:
    session = opened(stores, session_id="s1")
    accepted(stores, asked())
    watch = Watch("s1", "jedlix", own="r1", due_at=START)
    stores.pushes.save_pushed(ACKNOWLEDGED, None)
    stores.watches.save_watch(watch)
    context = stores.pushes.push_context("s1", "jedlix")
    assert (context.session, context.partner, context.pushed, context.control, context.watch) == (
        session,
        PARTNER,
        ACKNOWLEDGED,
        control(stores),
        watch,
    )
    other = stores.pushes.push_context("s1", "other")
    assert (other.session, other.partner, other.pushed, other.watch) == (session, None, Pushed("s1", "other"), None)


def test_what_was_noted_last_stands(stores: Stores) -> None:
    final = replace(ACKNOWLEDGED, version=4, final=True, in_doubt=True, at=None)
    watch = Watch("s1", "jedlix", cleared=True)
    for pushed in (ACKNOWLEDGED, final):
        stores.pushes.save_pushed(pushed, START)
    for noted in (Watch("s1", "jedlix", own="r1", due_at=START), watch):
        stores.watches.save_watch(noted)
    context = stores.pushes.push_context("s1", "jedlix")
    assert (context.pushed, context.watch) == (final, watch)


def test_periods_after_an_index_come_in_their_order(stores: Stores) -> None:
    session = opened(stores)
    closed = [ChargingPeriod(index, START, START + SECOND, Decimal(1), Decimal(4)) for index in range(1, 12)]
    for version, period in enumerate(closed, session.version):
        before, after = replace(session, version=version), replace(session, version=version + 1)
        assert stores.sessions.update(before, after, period)
    assert list(stores.pushes.periods(session.session_id, 0)) == closed
    assert list(stores.pushes.periods(session.session_id, 9)) == closed[9:]


def test_a_watch_reads_requests_plans_and_places(stores: Stores) -> None:
    session = opened(stores)
    request = accepted(stores, asked(session_id=session.session_id))
    assert (stores.watches.request("r1"), stores.watches.request("r2")) == (request, None)
    assert (stores.watches.plan("r1"), stores.watches.plan("r2")) == (PAUSE_BETWEEN, None)
    assert stores.watches.place(session).station == registry_entries.station()


# --- The sweep -------------------------------------------------------------------------------------------------------


def test_requests_are_open_until_their_result_is_delivered_or_given_up(stores: Stores) -> None:
    request = accepted(stores, replace(asked(seconds=1.0005), deadline=START + timedelta(seconds=50.0009)))
    due = START + timedelta(milliseconds=1000)
    assert list(stores.sweeps.open_requests(due - timedelta(milliseconds=1))) == []
    seen = OpenRequest("r1", PENDING, 0, 0, "acme#CP-001", "jedlix", due, START + timedelta(seconds=50), due)
    assert list(stores.sweeps.open_requests(due)) == [seen]
    in_flight = sent(stores, request)
    assert list(stores.sweeps.open_requests(due)) == [replace(seen, state=SENT, attempts=1)]
    answered(stores, in_flight)
    assert list(stores.sweeps.open_requests(due)) == [replace(seen, state=ANSWERED, attempts=1)]
    stores.deliveries.delivered(now_of(stores, request))
    assert list(stores.sweeps.open_requests(due)) == []


def test_own_requests_are_open_until_they_are_answered_or_expire(stores: Stores) -> None:
    mine = [replace(asked(name, number=number), origin=Origin.BRIDGE) for number, name in enumerate(("o1", "o2"), 1)]
    for request in mine:
        accepted(stores, request)
    assert len(stores.sweeps.open_requests(START)) == 2
    answered(stores, mine[0])
    stores.deliveries.expire(mine[1], NO)
    assert list(stores.sweeps.open_requests(START)) == []


def test_the_most_overdue_requests_come_first(stores: Stores) -> None:
    for number, seconds in enumerate((3, 1, 2), 1):
        accepted(stores, asked(f"r{number}", number=number, seconds=seconds))
    found = stores.sweeps.open_requests(START + timedelta(seconds=3))
    assert [one.request_id for one in found] == ["r2", "r3", "r1"]
    assert len(found) < SWEEP_PAGE


def test_what_is_due_is_found_whichever_shard_it_stands_in_the_most_overdue_first(stores: Stores) -> None:
    names = [f"s{number}" for number in range(40)]
    assert len(set(map(due_shard, names))) == DUE_SHARDS
    for number, name in enumerate(reversed(names)):
        stores.pushes.save_pushed(replace(ACKNOWLEDGED, session_id=name), START + number * SECOND)
        accepted(stores, replace(asked(name, seconds=number), session_id=name))
    until = START + len(names) * SECOND
    assert [one.session_id for one in stores.sweeps.due_in_sessions(until).pushes] == names[::-1]
    assert [one.request_id for one in stores.sweeps.open_requests(until)] == names[::-1]


def test_ended_sessions_are_found_some_at_a_time_the_oldest_first(stores: Stores) -> None:
    names = ["s3", "s1", "s2"]
    for number, name in enumerate(names):
        session = opened(stores, session_id=name, transaction_id=name)
        at = START + number * SECOND
        over = replace(session, status=SessionStatus.COMPLETED, version=session.version + 1, last_updated=at)
        assert stores.sessions.update(session, over, None)
    due = START + END_SEEN_AFTER + 3 * SECOND
    assert [one.session_id for one in stores.sweeps.ended(due, 2)] == ["s3", "s1"]
    stores.sweeps.end_told("s3")
    stores.sweeps.end_told("s1")
    assert [one.session_id for one in stores.sweeps.ended(due, 2)] == ["s2"]


def test_pushes_and_watches_are_due_from_their_instant_on(stores: Stores) -> None:
    stores.pushes.save_pushed(ACKNOWLEDGED, START + SECOND)
    stores.watches.save_watch(Watch("s2", "jedlix", due_at=START))
    assert list(stores.sweeps.due_in_sessions(START - SECOND).pushes) == []
    assert list(stores.sweeps.due_in_sessions(START).pushes) == [DuePush("s2", "jedlix")]
    both = [DuePush("s2", "jedlix"), DuePush("s1", "jedlix")]
    assert list(stores.sweeps.due_in_sessions(START + SECOND).pushes) == both
    stores.pushes.save_pushed(ACKNOWLEDGED, None)
    stores.watches.save_watch(Watch("s2", "jedlix"))
    assert list(stores.sweeps.due_in_sessions(START + SECOND).pushes) == []


def test_a_session_that_is_over_is_due_once_more_until_everybody_was_woken(stores: Stores) -> None:
    session = opened(stores, known_to=frozenset({"other"}))
    over = replace(session, status=SessionStatus.COMPLETED, version=session.version + 1, last_updated=START)
    assert stores.sessions.update(session, over, None)
    unseen = opened(
        stores,
        session_id="s2",
        transaction_id="779",
        rights=Rights(),
        known_to=frozenset(),
        status=SessionStatus.COMPLETED,
    )
    assert not unseen.concerns
    due = START + END_SEEN_AFTER
    assert list(stores.sweeps.ended(due - timedelta(milliseconds=1), SWEEP_PAGE)) == []
    found = stores.sweeps.due_in_sessions(due)
    assert list(stores.sweeps.ended(due, SWEEP_PAGE)) == [EndedSession(session.session_id, ("jedlix", "other"))]
    assert (list(found.pushes), list(found.overdue)) == ([], [])
    stores.sweeps.end_told(session.session_id)
    stores.sweeps.end_told("gone")
    assert list(stores.sweeps.ended(due, SWEEP_PAGE)) == []
    assert stores.pushes.push_context(session.session_id, "jedlix").session == over
    assert stores.pushes.push_context("gone", "jedlix").session is None


def walked(stores: Stores, first: Reassessment) -> list[str]:
    """The live sessions that one walk meets."""
    met: list[str] = []
    place: Reassessment | None = first
    while place is not None:
        page, place = stores.sweeps.live_sessions(place)
        met += page
    return met


def test_a_walk_meets_every_live_session_that_the_partner_sees(stores: Stores) -> None:
    for number in range(12):
        status = SessionStatus.COMPLETED if number == 0 else SessionStatus.ACTIVE
        rights = Rights() if number == 1 else OWNED
        opened(stores, session_id=f"s{number}", transaction_id=str(number), status=status, rights=rights)
    stores.reassess("jedlix")
    [note] = stores.sweeps.reassessments()
    assert sorted(walked(stores, note)) == sorted(f"s{number}" for number in range(2, 12))
    assert walked(stores, replace(note, partner_id="other")) == []


def test_a_walk_goes_on_where_it_was_and_ends(stores: Stores) -> None:
    stores.reassess("jedlix")
    [note] = stores.sweeps.reassessments()
    further = replace(note, shard=3, after="s7")
    stores.sweeps.reassessed(note, further)
    assert list(stores.sweeps.reassessments()) == [further]
    stores.sweeps.reassessed(note, None)
    assert list(stores.sweeps.reassessments()) == [further]
    stores.sweeps.reassessed(further, None)
    assert list(stores.sweeps.reassessments()) == []


def test_a_walk_that_was_begun_anew_is_not_ended_by_the_one_before(stores: Stores) -> None:
    stores.reassess("jedlix")
    [before] = stores.sweeps.reassessments()
    stores.reassess("jedlix")
    [anew] = stores.sweeps.reassessments()
    stores.sweeps.reassessed(before, None)
    stores.sweeps.reassessed(before, replace(before, shard=1))
    assert list(stores.sweeps.reassessments()) == [anew]


def test_what_concerns_everybody_is_noted_for_each_partner(stores: Stores) -> None:
    stores.add(registry_entries.partner("other", name="Other"))
    stores.reassess(EVERYBODY)
    noted = [(one.partner_id, one.shard, one.after) for one in stores.sweeps.reassessments()]
    assert noted == [("jedlix", 0, ""), ("other", 0, "")]


# --- Two partners' assignments on one EVSE are one item of the registry; here each scope has one --------------------


def test_the_most_specific_assignment_steers(stores: Stores) -> None:
    def given(assignment: Assignment) -> Rights:
        stores.add(assignment)
        return stores.sessions.rights("BE*BEC*E041503001", "LOC1", CARD, START)

    at_place = registry_entries.assignment("other", Scope.LOCATION, "loc1")
    assert given(at_place) == Rights(frozenset({"other"}), "other")
    at_evse = registry_entries.assignment(key="be*bec*e041503001")
    assert given(at_evse) == Rights(frozenset({"jedlix", "other"}), "jedlix")
