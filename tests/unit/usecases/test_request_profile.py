"""A partner's PUT, GET and DELETE: every check in its order, one transaction for what is accepted, nothing else written."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from itertools import count

import pytest

from ocpi_bridge.adapters.dynamodb import partner_items, registry_items
from ocpi_bridge.domain.assignments import Rights
from ocpi_bridge.domain.errors import Contended, InvalidInput
from ocpi_bridge.domain.events import EventType, SessionStatus
from ocpi_bridge.domain.partners import Party, Rate, Registration
from ocpi_bridge.domain.plans import Plan, PlanPeriod, RateUnit
from ocpi_bridge.domain.requests import Origin, RequestKind, RequestState
from ocpi_bridge.domain.sessions import Session
from ocpi_bridge.domain.stations import Capabilities, Quirk, Replacement
from ocpi_bridge.domain.tokens import token_hash
from ocpi_bridge.domain.url_guard.urls import MAX_URL_LENGTH
from ocpi_bridge.ocpi.charging_profiles import (
    ChargingProfileCall,
    ChargingProfileResponse,
    ClearProfile,
    ReadActiveProfile,
    ResponseType,
    SetProfile,
)
from ocpi_bridge.ocpi.transport import CallContext, MessageIds, TransportError
from ocpi_bridge.ports.callers import Caller
from ocpi_bridge.usecases.request_profile import ACCEPT_ATTEMPTS, RequestProfile
from tests.support.clocks import START
from tests.support.dynamodb_faults import conflicts, counted, meanwhile
from tests.support.registry_entries import station
from tests.support.world import PAUSE_BETWEEN, RESPONSE_URL, TIMEOUT, TOKEN, World, event

SET, CLEAR, GET = RequestKind.SET, RequestKind.CLEAR, RequestKind.GET
PUT = SetProfile(PAUSE_BETWEEN, RESPONSE_URL)
DELETE = ClearProfile(RESPONSE_URL)
READ = ReadActiveProfile(900, RESPONSE_URL)
ALL = pytest.mark.parametrize("call", [PUT, DELETE, READ], ids=["put", "delete", "get"])
ACCEPTED = ChargingProfileResponse(ResponseType.ACCEPTED, 60)


def refused(result: ResponseType) -> ChargingProfileResponse:
    return ChargingProfileResponse(result, 0)


class Door:
    """As the door of the endpoint calls: the token, the session and its control are read first, in one call."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.pauses: list[float] = []
        self.request_profile = RequestProfile(
            store=world.intake,
            clock=world.clock,
            result_timeout=TIMEOUT,
            allow_loopback_http=False,
            pause=self.pauses.append,
        )

    def caller(self, session: Session | str, token: str = TOKEN) -> Caller:
        session_id = session if isinstance(session, str) else session.session_id
        return self.world.intake.caller([token_hash(token)], session_id)

    def call(
        self,
        session: Session | str,
        call: ChargingProfileCall,
        *,
        x_request_id: str | None = None,
        to_party: Party | None = None,
        from_party: Party | None = None,
        token: str = TOKEN,
    ) -> ChargingProfileResponse:
        headers = {"x-correlation-id": "corr-1"} | ({"x-request-id": x_request_id} if x_request_id else {})
        context = CallContext(MessageIds.of(headers), from_party, to_party)
        return self.request_profile(self.caller(session, token), call, context)


@pytest.fixture
def door(world: World) -> Door:
    return Door(world)


@pytest.fixture
def session(world: World) -> Session:
    return world.open_session()


def limits(*watts: str, unit: RateUnit = RateUnit.WATT, duration: int | None = None) -> SetProfile:
    periods = tuple(PlanPeriod(900 * index, Decimal(limit)) for index, limit in enumerate(watts))
    return SetProfile(Plan(unit, periods, START, duration), RESPONSE_URL)


# --- Accepting -------------------------------------------------------------------------------------------------------


def test_an_accepted_put_becomes_a_pending_request_with_its_plan_and_the_next_number(
    world: World, door: Door, session: Session
) -> None:
    assert door.call(session, PUT) == ACCEPTED
    [request] = world.requests()
    assert (request.kind, request.state, request.origin) == (SET, RequestState.PENDING, Origin.PARTNER)
    assert (request.number, request.steps, request.step, request.attempts) == (1, (SET,), 0, 0)
    assert (request.session_id, request.station_key, request.partner_id) == (
        session.session_id,
        "acme#CP-001",
        "jedlix",
    )
    assert world.context(request.request_id).plan == PAUSE_BETWEEN
    control = world.control(session)
    assert (control.version, control.accepted, control.sent) == (1, 1, 0)


def test_the_result_goes_where_the_partner_said_from_the_sessions_party_to_whoever_called(
    world: World, door: Door, session: Session
) -> None:
    door.call(session, PUT, from_party=Party("NL", "HUB"))
    callback = world.requests()[0].callback
    assert callback is not None
    assert (callback.response_url, callback.correlation_id) == (RESPONSE_URL, "corr-1")
    assert (callback.our_party, callback.their_party) == (Party("NL", "ACM"), Party("NL", "HUB"))


def test_who_does_not_say_who_it_is_gets_the_result_as_the_registered_party(
    world: World, door: Door, session: Session
) -> None:
    door.call(session, PUT)
    callback = world.requests()[0].callback
    assert callback is not None
    assert callback.their_party == Party("NL", "JDX")


def test_our_deadline_leaves_time_to_deliver_before_the_announced_timeout(
    world: World, door: Door, session: Session
) -> None:
    answer = door.call(session, PUT)
    [request] = world.requests()
    assert request.timeout_at == START + timedelta(seconds=answer.timeout)
    assert request.deadline == request.timeout_at - timedelta(seconds=10)


@pytest.mark.parametrize(("timeout", "deadline"), [(30, 20), (14, 7), (900, 890)])
def test_a_csms_may_have_a_timeout_of_its_own(
    world: World, door: Door, session: Session, timeout: int, deadline: int
) -> None:
    world.put_csms(replace(world.csms, result_timeout=timeout))
    assert door.call(session, PUT).timeout == timeout
    assert world.requests()[0].deadline == START + timedelta(seconds=deadline)


def test_a_get_has_a_duration_and_no_number_and_is_answered_in_the_unit_last_used(
    world: World, door: Door, session: Session
) -> None:
    door.call(session, limits("16", unit=RateUnit.AMPERE))
    assert door.call(session, READ) == ACCEPTED
    [get] = [request for request in world.requests() if request.kind is GET]
    assert (get.number, get.duration, get.unit) == (None, 900, RateUnit.AMPERE)
    assert world.control(session).accepted == 1


def test_a_plans_end_is_remembered(world: World, door: Door, session: Session) -> None:
    door.call(session, limits("8000", duration=7200))
    assert world.requests()[0].plan_ends_at == START + timedelta(hours=2)


def test_a_relative_plan_ends_after_the_start_of_charging(world: World, door: Door, session: Session) -> None:
    world.clock.advance(600)
    relative = replace(PAUSE_BETWEEN, start=None, duration=7200)
    assert door.call(session, SetProfile(relative, RESPONSE_URL)) == ACCEPTED
    assert world.requests()[0].plan_ends_at == session.start + timedelta(hours=2)


def test_a_delete_is_accepted_though_nothing_was_set(world: World, door: Door, session: Session) -> None:
    assert door.call(session, DELETE) == ACCEPTED
    assert (world.requests()[0].kind, world.requests()[0].number) == (CLEAR, 1)


def test_the_session_is_found_however_its_id_is_spelled(world: World, door: Door, session: Session) -> None:
    assert door.call(session.session_id.upper(), PUT) == ACCEPTED
    assert world.requests()[0].session_id == session.session_id


def test_where_a_csms_refuses_to_replace_only_the_first_set_goes_without_a_clear(
    world: World, door: Door, session: Session
) -> None:
    world.put_csms(replace(world.csms, replacement=Replacement.CLEAR_THEN_SET))
    for call in (PUT, limits("5000"), DELETE):
        assert door.call(session, call) == ACCEPTED
    assert [request.steps for request in world.requests()] == [(SET,), (CLEAR, SET), (CLEAR,)]


def test_the_stations_way_to_replace_overrides_that_of_its_csms(world: World, door: Door, session: Session) -> None:
    world.put_csms(replace(world.csms, replacement=Replacement.CLEAR_THEN_SET))
    world.put_station(replace(world.station, replacement=Replacement.SAME_ID))
    for _ in range(2):
        door.call(session, PUT)
    assert [request.steps for request in world.requests()] == [(SET,), (SET,)]


@ALL
def test_an_uncontended_call_takes_two_reads_and_one_transaction(
    world: World, door: Door, session: Session, call: ChargingProfileCall
) -> None:
    with counted(world.tables.client) as operations:
        assert door.call(session, call) == ACCEPTED
    assert operations == ["BatchGetItem", "BatchGetItem", "TransactWriteItems"]


# --- The checks, in their order --------------------------------------------------------------------------------------
#
# Each obstacle is a condition of the world that makes one check say no. Where several stand in the way, the first one
# in the order of the decisions answers.

# By the assignments of this moment; the session itself still says what was true at its last event.
OTHERS = Rights(frozenset({"other"}), "other")
SEEN_ONLY = Rights(frozenset({"jedlix", "other"}), "other")

Obstacle = Callable[[World, Session], object]

OBSTACLES: list[tuple[str, Obstacle, ResponseType]] = [
    (
        "not visible",
        lambda world, _: world.assign(replace(world.stored_sessions()[0], rights=OTHERS)),
        ResponseType.UNKNOWN_SESSION,
    ),
    (
        "not to be steered",
        lambda world, _: world.assign(replace(world.stored_sessions()[0], rights=SEEN_ONLY)),
        ResponseType.REJECTED,
    ),
    ("steering suspended", lambda world, _: world.set_state(steering_suspended=True), ResponseType.REJECTED),
    (
        "session over",
        lambda world, session: world.put_session(
            replace(world.session(session.session_id), status=SessionStatus.COMPLETED)
        ),
        ResponseType.REJECTED,
    ),
    (
        "another car in its place",
        lambda world, session: world.put_session(
            replace(world.session(session.session_id), superseded_at=world.clock.now())
        ),
        ResponseType.REJECTED,
    ),
    (
        "OCPP's transaction unknown",
        lambda world, session: world.put_session(replace(world.session(session.session_id), transaction_known=False)),
        ResponseType.NOT_SUPPORTED,
    ),
    (
        "refused profiles before",
        lambda world, _: world.states.has_no_smart_charging("acme", "CP-001", START + timedelta(days=7)),
        ResponseType.NOT_SUPPORTED,
    ),
    (
        "says of itself that it takes none",
        lambda world, _: world.states.learned("acme", "CP-001", Capabilities(smart_charging=False), START),
        ResponseType.NOT_SUPPORTED,
    ),
    (
        "not capable",
        lambda world, _: world.put_station(
            replace(
                world.station,
                evses=tuple(replace(evse, capabilities=frozenset({"RESERVABLE"})) for evse in world.station.evses),
            )
        ),
        ResponseType.NOT_SUPPORTED,
    ),
    ("offline", lambda world, _: world.set_state(online=False), ResponseType.REJECTED),
    (
        "no unit that fits",
        lambda world, _: world.put_station(replace(world.station, max_periods=1)),
        ResponseType.REJECTED,
    ),
    (
        "the station wants a pause",
        lambda world, _: world.states.is_rate_limited("acme", "CP-001", START + timedelta(seconds=60)),
        ResponseType.TOO_OFTEN,
    ),
]


@pytest.mark.parametrize(
    ("obstacle", "answer"), [(o, a) for _, o, a in OBSTACLES], ids=[name for name, _, _ in OBSTACLES]
)
def test_each_obstacle_has_its_answer_and_nothing_is_written(
    world: World, door: Door, session: Session, obstacle: Obstacle, answer: ResponseType
) -> None:
    obstacle(world, session)
    with counted(world.tables.client) as operations:
        assert door.call(session, PUT) == refused(answer)
    assert operations == ["BatchGetItem", "BatchGetItem"]
    assert world.requests() == []


@pytest.mark.parametrize("first", range(len(OBSTACLES) - 1))
def test_of_several_obstacles_the_first_in_the_order_of_the_decisions_answers(
    world: World, door: Door, first: int
) -> None:
    session = world.open_session()
    *_, answer = OBSTACLES[first]
    later = [obstacle for _, obstacle, _ in OBSTACLES[first + 1 :]]
    for obstacle in later:
        obstacle(world, session)
    OBSTACLES[first][1](world, world.session(session.session_id))
    assert door.call(session, PUT) == refused(answer)


def test_not_supported_is_said_before_offline_and_rejected_before_not_supported(
    world: World, door: Door, session: Session
) -> None:
    checks = {name: obstacle for name, obstacle, _ in OBSTACLES}
    checks["offline"](world, session)
    checks["not capable"](world, session)
    assert door.call(session, PUT).result is ResponseType.NOT_SUPPORTED
    world.set_state(online=False, steering_suspended=True)
    assert door.call(session, PUT).result is ResponseType.REJECTED


@ALL
def test_a_session_that_is_not_the_partners_looks_like_one_that_does_not_exist(
    world: World, door: Door, session: Session, call: ChargingProfileCall
) -> None:
    world.assign(replace(session, rights=OTHERS))
    unassigned = door.call(session, call, to_party=Party("XX", "YYY"))
    unknown = door.call("no-such-session", call, to_party=Party("XX", "YYY"))
    assert unassigned == unknown == refused(ResponseType.UNKNOWN_SESSION)


@ALL
def test_who_may_only_see_a_session_steers_nothing(
    world: World, door: Door, session: Session, call: ChargingProfileCall
) -> None:
    world.assign(replace(session, rights=SEEN_ONLY))
    assert door.call(session, call) == refused(ResponseType.REJECTED)


@pytest.mark.parametrize("status", [status for status in SessionStatus if status is not SessionStatus.ACTIVE])
@ALL
def test_a_session_that_is_not_active_takes_nothing(
    world: World, door: Door, session: Session, status: SessionStatus, call: ChargingProfileCall
) -> None:
    world.put_session(replace(session, status=status))
    assert door.call(session, call) == refused(ResponseType.REJECTED)


def test_a_session_without_a_transaction_takes_nothing(world: World, door: Door, session: Session) -> None:
    world.put_session(replace(session, transaction_id=""))
    assert door.call(session, PUT) == refused(ResponseType.REJECTED)


def test_suspended_steering_still_lets_the_partner_read(world: World, door: Door, session: Session) -> None:
    world.set_state(steering_suspended=True)
    assert door.call(session, READ) == ACCEPTED
    assert door.call(session, DELETE) == refused(ResponseType.REJECTED)


@ALL
def test_a_station_that_is_not_in_the_registry_any_more_is_not_supported(
    world: World, door: Door, session: Session, call: ChargingProfileCall
) -> None:
    world.remove(registry_items.station_key("acme", "CP-001"))
    assert door.call(session, call) == refused(ResponseType.NOT_SUPPORTED)


def test_an_evse_that_is_not_in_the_registry_any_more_is_not_supported(
    world: World, door: Door, session: Session
) -> None:
    world.put_station(station(evse_uids=("another",)))
    assert door.call(session, PUT) == refused(ResponseType.NOT_SUPPORTED)


@pytest.mark.parametrize(("online", "answer"), [(True, ACCEPTED), (False, refused(ResponseType.REJECTED))])
def test_a_station_that_is_known_to_be_offline_takes_nothing(
    world: World,
    door: Door,
    session: Session,
    online: bool,
    answer: ChargingProfileResponse,
) -> None:
    world.set_state(online=online)
    assert door.call(session, PUT) == answer


def test_a_station_of_which_nothing_is_known_counts_as_online(world: World, door: Door, session: Session) -> None:
    assert door.call(session, PUT) == ACCEPTED


@pytest.mark.parametrize(
    "profile",
    [
        limits(),
        limits("8000", duration=0),
        SetProfile(replace(PAUSE_BETWEEN, start=START - timedelta(hours=3), duration=7200), RESPONSE_URL),
    ],
    ids=["no periods", "no time", "wholly in the past"],
)
def test_a_plan_that_nothing_can_be_done_with_is_rejected(
    world: World, door: Door, session: Session, profile: SetProfile
) -> None:
    assert door.call(session, profile) == refused(ResponseType.REJECTED)
    assert world.requests() == []


def test_more_periods_than_the_station_takes_are_rejected_unless_they_are_past_or_equal(
    world: World, door: Door, session: Session
) -> None:
    world.put_station(replace(world.station, max_periods=2))
    assert door.call(session, limits("1", "2", "3")) == refused(ResponseType.REJECTED)
    assert door.call(session, limits("1", "2", "2")) == ACCEPTED
    world.clock.advance(900)
    assert door.call(session, limits("1", "2", "3")) == ACCEPTED


# --- response_url and routing ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        "",
        "not a URL",
        "http://www.jedlix.com/r",
        "https://evil.example/r",
        "https://www.jedlix.com.evil.example/r",
        "https://jedlix.com@evil.example/r",
        "https://169.254.169.254/latest",
        "http://127.0.0.1/r",
        "https://www.jedlix.com/" + "x" * MAX_URL_LENGTH,
    ],
)
@pytest.mark.parametrize("kind", [SET, CLEAR, GET])
def test_a_response_url_that_is_not_the_partners_is_refused_before_anything_else(
    world: World, door: Door, kind: RequestKind, url: str
) -> None:
    calls: dict[RequestKind, ChargingProfileCall] = {
        SET: replace(PUT, response_url=url),
        CLEAR: replace(DELETE, response_url=url),
        GET: replace(READ, response_url=url),
    }
    with pytest.raises(InvalidInput) as invalid:
        door.call("no-such-session", calls[kind])
    assert invalid.value.field == "response_url"
    assert not url or url not in str(invalid.value)


def test_the_hosts_of_the_partners_own_endpoints_are_its_hosts(world: World, door: Door, session: Session) -> None:
    world.put_partner(replace(world.partner, callback_hosts=("results.jedlix.com",)))
    at_endpoint = replace(PUT, response_url="https://ocpi.jedlix.com/result/1")
    assert door.call(session, at_endpoint) == ACCEPTED
    with pytest.raises(InvalidInput):
        door.call(session, PUT)


def test_the_response_url_is_kept_byte_for_byte(world: World, door: Door, session: Session) -> None:
    url = "https://www.jedlix.com/a%2Fb?x=%26&y=1+2"
    door.call(session, replace(PUT, response_url=url))
    callback = world.requests()[0].callback
    assert callback is not None
    assert callback.response_url == url


@ALL
def test_a_call_to_another_party_than_the_sessions_is_refused(
    world: World, door: Door, session: Session, call: ChargingProfileCall
) -> None:
    with pytest.raises(InvalidInput, match="OCPI-to-party-id"):
        door.call(session, call, to_party=Party("NL", "XYZ"))
    assert door.call(session, call, to_party=Party("nl", "acm")) == ACCEPTED


def test_a_token_of_a_partner_that_is_gone_is_unknown(world: World, door: Door, session: Session) -> None:
    world.remove(partner_items.partner_key("jedlix"))
    with pytest.raises(TransportError) as unauthorized:
        door.call(session, PUT)
    assert unauthorized.value.http_status == 401


# --- Rates -----------------------------------------------------------------------------------------------------------


def test_who_asks_too_often_is_told_so_and_nothing_is_written(world: World, door: Door, session: Session) -> None:
    world.put_partner(replace(world.partner, rate=Rate(1, Decimal(10))))
    assert door.call(session, PUT) == ACCEPTED
    with counted(world.tables.client) as operations:
        assert door.call(session, PUT) == refused(ResponseType.TOO_OFTEN)
    assert operations == ["BatchGetItem", "BatchGetItem"]
    assert len(world.requests()) == 1
    world.clock.advance(10)
    assert door.call(session, PUT) == ACCEPTED


def test_a_driver_may_boost_though_the_partner_asked_too_often(world: World, door: Door, session: Session) -> None:
    world.put_partner(replace(world.partner, rate=Rate(1, Decimal(10))))
    answers = [door.call(session, call).result for call in (PUT, PUT, DELETE, READ)]
    assert answers == [
        ResponseType.ACCEPTED,
        ResponseType.TOO_OFTEN,
        ResponseType.ACCEPTED,
        ResponseType.TOO_OFTEN,
    ]


def test_sessions_have_rates_of_their_own(world: World, door: Door, session: Session) -> None:
    world.put_partner(replace(world.partner, rate=Rate(1, Decimal(10))))
    other = world.open_session(event(EventType.TRANSACTION_STARTED, transaction_id="779"))
    assert [door.call(at, PUT) for at in (session, other)] == [ACCEPTED, ACCEPTED]


def test_what_cannot_be_done_is_rejected_however_often_it_is_asked(world: World, door: Door, session: Session) -> None:
    world.put_partner(replace(world.partner, rate=Rate(1, Decimal(10))))
    assert {door.call(session, limits()).result for _ in range(3)} == {ResponseType.REJECTED}
    assert door.call(session, PUT) == ACCEPTED


# --- Repetitions -----------------------------------------------------------------------------------------------------


@ALL
def test_the_same_message_again_gets_the_same_answer_and_no_second_request(
    world: World, door: Door, session: Session, call: ChargingProfileCall
) -> None:
    first = door.call(session, call, x_request_id="x-1")
    before = world.control(session)
    world.clock.advance(59)
    assert door.call(session, call, x_request_id="x-1") == first
    assert len(world.requests()) == 1
    assert world.control(session) == before


def test_a_repetition_is_answered_as_before_whatever_became_of_the_session_meanwhile(
    world: World, door: Door, session: Session
) -> None:
    door.call(session, PUT, x_request_id="x-1")
    world.set_state(online=False)
    assert door.call(session, PUT, x_request_id="x-1") == ACCEPTED
    world.put_session(replace(session, status=SessionStatus.COMPLETED))
    assert door.call(session, PUT, x_request_id="x-1") == ACCEPTED
    assert door.call(session, PUT, x_request_id="x-2") == refused(ResponseType.REJECTED)
    assert len(world.requests()) == 1


def test_after_the_timeout_the_same_message_is_a_new_request(world: World, door: Door, session: Session) -> None:
    for _ in range(2):
        assert door.call(session, PUT, x_request_id="x-1") == ACCEPTED
        world.clock.advance(60)
    assert len(world.requests()) == 2


def test_the_same_id_with_other_content_is_a_new_request(world: World, door: Door, session: Session) -> None:
    for call in (PUT, limits("5000"), replace(PUT, response_url=f"{RESPONSE_URL}7")):
        door.call(session, call, x_request_id="constant")
    assert [request.number for request in world.requests()] == [1, 2, 3]


def test_put_a_delete_put_a_applies_a_again_though_the_peer_sends_one_constant_id(
    world: World, door: Door, session: Session
) -> None:
    for call in (PUT, DELETE, PUT):
        assert door.call(session, call, x_request_id="constant") == ACCEPTED
    assert [(request.kind, request.number) for request in world.requests()] == [(SET, 1), (CLEAR, 2), (SET, 3)]


def test_without_an_x_request_id_nothing_is_a_repetition(world: World, door: Door, session: Session) -> None:
    for _ in range(2):
        door.call(session, PUT)
    assert len(world.requests()) == 2


def test_the_same_message_on_another_session_is_no_repetition(world: World, door: Door, session: Session) -> None:
    other = world.open_session(event(EventType.TRANSACTION_STARTED, transaction_id="779"))
    for at in (session, other):
        door.call(at, PUT, x_request_id="x-1")
    assert len(world.requests()) == 2


def test_two_parties_behind_one_token_are_told_apart_and_each_gets_its_own_result(
    world: World, door: Door, session: Session
) -> None:
    parties = [Party("NL", "JDX"), Party("nl", "jdx"), Party("DE", "JDX")]
    for party in parties:
        assert door.call(session, PUT, x_request_id="x-1", from_party=party) == ACCEPTED
    routed = [request.callback.their_party for request in world.requests() if request.callback]
    assert routed == [parties[0], parties[2]]


# --- Contention ------------------------------------------------------------------------------------------------------


def test_two_puts_at_once_get_two_numbers(world: World, door: Door, session: Session) -> None:
    other = Door(world)
    with meanwhile(world.tables.client, lambda: other.call(session, limits("5000")), "TransactWriteItems"):
        assert door.call(session, PUT) == ACCEPTED
    assert [request.number for request in world.requests()] == [1, 2]
    assert world.control(session).accepted == 2
    assert world.context(world.requests()[1].request_id).plan == PAUSE_BETWEEN


def test_a_delivery_of_the_same_message_at_once_makes_one_request(world: World, door: Door, session: Session) -> None:
    other = Door(world)
    with meanwhile(world.tables.client, lambda: other.call(session, PUT, x_request_id="x-1"), "TransactWriteItems"):
        assert door.call(session, PUT, x_request_id="x-1") == ACCEPTED
    assert len(world.requests()) == 1


def test_the_sender_moving_the_control_does_not_disturb_an_accept(world: World, door: Door, session: Session) -> None:
    door.call(session, PUT)
    [first] = world.requests()
    with meanwhile(world.tables.client, lambda: world.commands.mark_sent(first), "TransactWriteItems"):
        assert door.call(session, limits("5000")) == ACCEPTED
    assert (world.control(session).accepted, world.control(session).sent) == (2, 1)
    assert door.pauses == []


def test_a_rate_is_kept_even_when_requests_come_at_once(world: World, door: Door, session: Session) -> None:
    world.put_partner(replace(world.partner, rate=Rate(1, Decimal(10))))
    other = Door(world)
    with meanwhile(world.tables.client, lambda: other.call(session, limits("5000")), "TransactWriteItems"):
        assert door.call(session, PUT) == refused(ResponseType.TOO_OFTEN)
    assert len(world.requests()) == 1


@pytest.mark.parametrize("times", [1, 3])
def test_a_conflict_of_writers_is_waited_out(world: World, door: Door, session: Session, times: int) -> None:
    with conflicts(world.tables.client, times) as met:
        assert door.call(session, PUT) == ACCEPTED
    assert met == ["TransactWriteItems"] * times
    assert len(world.requests()) == 1


def test_conflicts_without_end_are_an_honest_error_and_nothing_is_written(
    world: World, door: Door, session: Session
) -> None:
    with conflicts(world.tables.client, 1000), pytest.raises(Contended):
        door.call(session, PUT)
    assert world.requests() == []
    assert world.control(session).version == 0


def test_requests_that_are_always_faster_are_an_honest_error_and_nothing_is_written(
    world: World, door: Door, session: Session
) -> None:
    versions = count(1)

    def accept_another() -> None:
        world.set_control(session, version=next(versions))

    rivals = meanwhile(world.tables.client, accept_another, "TransactWriteItems", times=ACCEPT_ATTEMPTS)
    with rivals, pytest.raises(Contended):
        door.call(session, PUT)
    assert world.requests() == []
    assert len(door.pauses) == ACCEPT_ATTEMPTS - 1
    assert 0 < sum(door.pauses) < 2


# --- Rights of this moment ---------------------------------------------------------------------------------------------


def test_who_was_assigned_in_mid_session_may_steer_at_once_and_the_session_says_so(
    world: World, door: Door, session: Session
) -> None:
    world.put_session(replace(session, rights=Rights(), known_to=frozenset()))
    assert door.call(session, PUT) == ACCEPTED
    after = world.session(session.session_id)
    assert (after.rights, after.known_to, after.version) == (session.rights, frozenset({"jedlix"}), session.version + 1)


def test_a_call_that_is_refused_changes_no_rights(world: World, door: Door, session: Session) -> None:
    world.put_session(replace(session, rights=Rights(), known_to=frozenset()))
    world.set_state(online=False)
    assert door.call(session, PUT) == refused(ResponseType.REJECTED)
    assert world.session(session.session_id).rights == Rights()


@pytest.mark.parametrize("registration", [Registration.INVITED, Registration.LEFT])
def test_a_partner_that_is_not_registered_may_call_nothing(
    world: World, door: Door, session: Session, registration: Registration
) -> None:
    world.put_partner(replace(world.partner, registration=registration))
    with pytest.raises(TransportError) as refusal:
        door.call(session, PUT)
    assert refusal.value.http_status == 401


# --- What is remembered of stations ------------------------------------------------------------------------------------


@pytest.mark.parametrize("scope", ["EVSE", "session"])
def test_steering_is_suspended_for_an_evse_or_a_session_too_and_reading_goes_on(
    world: World, door: Door, session: Session, scope: str
) -> None:
    if scope == "EVSE":
        world.states.set_steering("acme", "CP-001", session.evse_uid.upper(), suspended=True, at=START)
    else:
        world.put_session(replace(session, steering_suspended=True))
    assert door.call(session, PUT) == refused(ResponseType.REJECTED)
    assert door.call(session, READ) == ACCEPTED


def test_what_a_station_refused_is_forgotten_after_its_time(world: World, door: Door, session: Session) -> None:
    world.states.has_no_smart_charging("acme", "CP-001", START + timedelta(days=7))
    world.clock.advance(7 * 86_400)
    assert door.call(session, replace_start(PUT, world)) == ACCEPTED


def test_a_station_that_wants_a_pause_may_be_read_and_cleared(world: World, door: Door, session: Session) -> None:
    world.states.is_rate_limited("acme", "CP-001", START + timedelta(seconds=60))
    assert door.call(session, READ) == door.call(session, DELETE) == ACCEPTED
    world.clock.advance(60)
    assert door.call(session, PUT) == ACCEPTED


def test_a_station_without_composite_schedules_can_be_steered_and_not_read(
    world: World, door: Door, session: Session
) -> None:
    world.put_station(replace(world.station, quirks=frozenset({Quirk.NO_COMPOSITE})))
    assert door.call(session, READ) == refused(ResponseType.NOT_SUPPORTED)
    assert door.call(session, PUT) == ACCEPTED


def test_a_plan_that_ends_in_a_pause_gets_a_fail_safe_end_if_its_partner_has_one(
    world: World, door: Door, session: Session
) -> None:
    pause = replace(
        PUT, plan=replace(PAUSE_BETWEEN, periods=(*PAUSE_BETWEEN.periods[:1], PlanPeriod(1800, Decimal(0))))
    )
    door.call(session, pause)
    world.put_partner(replace(world.partner, fail_safe=None))
    door.call(session, pause)
    door.call(session, PUT)
    ends = [request.fail_safe_at for request in world.requests()]
    assert ends == [START + timedelta(seconds=1800 + 7200), None, None]


def replace_start(call: SetProfile, world: World) -> SetProfile:
    """The same plan, from now on."""
    return replace(call, plan=replace(call.plan, start=world.clock.now()))
