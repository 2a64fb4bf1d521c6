"""What a partner is told of a session: the newest, once, whole after a doubt, and never again after the end."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from ocpi_bridge.adapters.dynamodb import partner_items, pushes
from ocpi_bridge.domain.assignments import Rights, Share
from ocpi_bridge.domain.events import EventType, StationEvent
from ocpi_bridge.domain.partners import Party, Registration
from ocpi_bridge.domain.session_course import advance
from ocpi_bridge.domain.sessions import Session
from ocpi_bridge.ocpi.sessions import session_fields
from ocpi_bridge.ports.json_values import JsonValue
from ocpi_bridge.ports.partners import PartnerMessage, Receipt
from ocpi_bridge.usecases.partner_line import PartnerLines
from ocpi_bridge.usecases.push_session import GIVE_UP_AFTER, RETRY_AFTER, PushResult, PushSession
from tests.support.clocks import START
from tests.support.dynamodb_faults import meanwhile
from tests.support.fake_secrets import InMemorySecretStore
from tests.support.scripted import DELIVERED, NOT_FOUND, UNREACHABLE, ScriptedPartner
from tests.support.world import CARD, World, event, session_of

STARTED, UPDATED, ENDED = (
    EventType.TRANSACTION_STARTED,
    EventType.TRANSACTION_UPDATED,
    EventType.TRANSACTION_ENDED,
)
FIRST = event(STARTED, 0, meter="1000", token=CARD)
KEY = b"signing key"
INTERVAL = 300


class Partner:
    """The partner's end: what it was sent, and the copy of the session that it has from that."""

    def __init__(self, world: World, *receipts: Receipt) -> None:
        self.world = world
        self.http = ScriptedPartner(*receipts)
        secrets = InMemorySecretStore()
        secrets.signing_key = KEY
        self.push_session = PushSession(world.pushes, secrets, world.clock)

    def comes_back(self) -> None:
        """From now on it takes everything."""
        self.http = ScriptedPartner(DELIVERED)

    def push(self, session: Session, partner_id: str = "jedlix") -> PushResult:
        context = self.world.pushes.push_context(session.session_id, partner_id)
        line = PartnerLines(self.http, self.world.silences, self.world.clock).open(partner_id, context.silence)
        return self.push_session(context, line, partner_id, "corr-1")

    @property
    def last(self) -> PartnerMessage:
        return self.http.messages[-1]

    def periods(self, message: PartnerMessage) -> list[JsonValue]:
        told = message.body.get("charging_periods", [])
        assert isinstance(told, list)
        return [period["start_date_time"] for period in told]

    def copy(self) -> Mapping[str, JsonValue]:
        """The session as a partner has it that takes each message as OCPI 9.2.2 says."""
        held: dict[str, JsonValue] = {}
        periods: list[JsonValue] = []
        for message in self.http.messages:
            new = self.periods(message)
            held = dict(message.body) if message.method == "PUT" else held | dict(message.body)
            periods = new if message.method == "PUT" else periods + new
        return held | {"charging_periods": periods}


@pytest.fixture
def session(world: World) -> Session:
    return world.open_session(FIRST)


def happen(world: World, session: Session, *events: StationEvent) -> Session:
    """The session after events, stored with the periods that they close; the clock is at the last of them."""
    for event_ in events:
        done = advance(session, event_, event_.time)
        assert done is not None
        before, (session, period) = session, done
        assert world.sessions.update(before, session, period)
        world.clock.advance((event_.time - world.clock.now()).total_seconds())
    return session


def meter(minutes: float, wh: int, kind: EventType = UPDATED) -> StationEvent:
    return event(kind, minutes * 60, meter=str(wh))


# --- PUT first, PATCH after ------------------------------------------------------------------------------------------


def test_the_first_push_is_the_whole_session_at_its_own_address(world: World, session: Session) -> None:
    partner = Partner(world)
    assert partner.push(session) is PushResult.PUT
    assert partner.http.messages == [
        PartnerMessage(
            "PUT",
            f"https://ocpi.jedlix.com/ocpi/2.2.1/sessions/NL/ACM/{session.session_id}",
            session_fields(session, "jedlix", KEY),
            "corr-1",
            Party("NL", "ACM"),
            Party("NL", "JDX"),
        )
    ]


@pytest.mark.parametrize("url", ["https://ocpi.jedlix.com/sessions", "https://ocpi.jedlix.com/sessions/"])
def test_the_address_has_each_slash_once(world: World, session: Session, url: str) -> None:
    world.put_partner(replace(world.partner, sessions_url=url))
    partner = Partner(world)
    partner.push(session)
    assert partner.last.url == f"https://ocpi.jedlix.com/sessions/NL/ACM/{session.session_id}"


def test_a_change_is_a_patch_of_what_changed_and_when(world: World, session: Session) -> None:
    partner = Partner(world)
    partner.push(session)
    after = happen(world, session, meter(10, 2800))
    assert partner.push(after) is PushResult.PATCH
    assert partner.last.method == "PATCH"
    assert partner.last.body == {"kwh": Decimal("1.800"), "last_updated": "2026-01-15T17:10:00Z"}


def test_what_the_partner_knows_is_not_told_again(world: World, session: Session) -> None:
    partner = Partner(world)
    partner.push(session)
    assert partner.push(session) is PushResult.NOTHING_NEW
    assert len(partner.http.messages) == 1


def test_the_newest_state_is_told_whatever_the_message_was_about(world: World, session: Session) -> None:
    partner = Partner(world)
    partner.push(session)
    after = happen(world, session, meter(10, 2800), meter(14, 3400))
    assert [partner.push(after) for _ in range(3)] == [
        PushResult.PATCH,
        PushResult.NOTHING_NEW,
        PushResult.NOTHING_NEW,
    ]
    assert partner.last.body["kwh"] == Decimal("2.400")


def test_new_periods_are_appended_once_with_the_patch_that_comes_next(world: World, session: Session) -> None:
    partner = Partner(world)
    partner.push(session)
    for step in (1, 2):
        session = happen(world, session, meter(20 * step, 1000 + 3000 * step))
        assert partner.push(session) is PushResult.PATCH
    assert [partner.periods(message) for message in partner.http.messages] == [
        [],
        ["2026-01-15T17:00:00Z"],
        ["2026-01-15T17:20:00Z"],
    ]


def test_a_patch_without_a_new_period_has_no_list_of_them(world: World, session: Session) -> None:
    partner = Partner(world)
    session = happen(world, session, meter(20, 4000))
    partner.push(session)
    partner.push(happen(world, session, meter(30, 4500)))
    assert "charging_periods" not in partner.last.body


def test_a_period_that_closes_while_a_push_is_on_its_way_is_told_with_the_next_one(
    world: World, session: Session
) -> None:
    partner = Partner(world)
    partner.push(session)
    session = happen(world, session, meter(20, 4000))
    with meanwhile(world.tables.client, lambda: happen(world, session, meter(40, 7000)), "Query"):
        partner.push(session)
    world.clock.advance(INTERVAL)
    partner.push(session)
    assert partner.copy()["charging_periods"] == ["2026-01-15T17:00:00Z", "2026-01-15T17:20:00Z"]


def test_a_put_has_all_periods(world: World, session: Session) -> None:
    session = happen(world, session, meter(20, 4000), meter(40, 7000))
    partner = Partner(world)
    partner.push(session)
    assert len(partner.periods(partner.last)) == 2


def test_a_session_of_more_periods_than_a_page_is_told_whole(
    world: World, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pushes, "PERIODS_PAGE", 2)
    session = happen(world, session, *(meter(20 * step, 1000 + 1000 * step) for step in range(1, 6)))
    partner = Partner(world)
    partner.push(session)
    assert (session.periods, len(partner.periods(partner.last))) == (5, 5)


# --- When ------------------------------------------------------------------------------------------------------------


def test_a_move_of_the_meter_alone_waits_for_the_partners_interval(world: World, session: Session) -> None:
    partner = Partner(world)
    partner.push(session)
    session = happen(world, session, meter(4.99, 1500))
    assert partner.push(session) is PushResult.LATER
    assert world.due_pushes(START + timedelta(seconds=INTERVAL - 1)) == []
    assert world.due_pushes(START + timedelta(seconds=INTERVAL)) == [(session.session_id, "jedlix")]
    world.clock.advance(INTERVAL)
    assert partner.push(session) is PushResult.PATCH
    assert world.due_pushes(START + timedelta(days=1)) == []


def test_the_interval_is_the_partners_own(world: World, session: Session) -> None:
    world.put_partner(replace(world.partner, meter_push_interval=60))
    partner = Partner(world)
    partner.push(session)
    assert partner.push(happen(world, session, meter(1, 1100))) is PushResult.PATCH


@pytest.mark.parametrize(
    "change",
    [
        event(ENDED, 60, meter="1200"),
        replace(event(STARTED, -60, meter="990"), auth_method="AUTH_REQUEST"),
    ],
    ids=["ended", "start known late"],
)
def test_what_is_more_than_a_move_of_the_meter_goes_at_once(
    world: World, session: Session, change: StationEvent
) -> None:
    partner = Partner(world)
    partner.push(session)
    assert partner.push(happen(world, session, change)) is PushResult.PATCH


# --- The end ---------------------------------------------------------------------------------------------------------


def test_completed_is_the_last_that_a_partner_hears(world: World, session: Session) -> None:
    partner = Partner(world)
    partner.push(session)
    session = happen(world, session, meter(60, 8000, ENDED))
    assert partner.push(session) is PushResult.PATCH
    assert (partner.last.body["status"], partner.last.body["end_date_time"]) == ("COMPLETED", "2026-01-15T18:00:00Z")
    assert world.pushed(session).final
    world.put_session(replace(session, version=session.version + 1))
    assert partner.push(session) is PushResult.NOTHING_NEW
    assert world.due_pushes(START + timedelta(days=1)) == []


def test_a_session_that_was_over_before_anything_was_told_is_told_once_and_whole(
    world: World, session: Session
) -> None:
    partner = Partner(world)
    session = happen(world, session, meter(60, 8000, ENDED))
    assert [partner.push(session), partner.push(session)] == [PushResult.PUT, PushResult.NOTHING_NEW]
    assert partner.last.body["status"] == "COMPLETED"


# --- Failures --------------------------------------------------------------------------------------------------------


def test_after_a_failure_the_whole_of_it_is_told(world: World, session: Session) -> None:
    partner = Partner(world, DELIVERED, UNREACHABLE, DELIVERED)
    partner.push(session)
    session = happen(world, session, meter(20, 4000))
    assert [partner.push(session), partner.push(session)] == [PushResult.FAILED, PushResult.PUT]
    assert partner.http.methods == ["PUT", "PATCH", "PUT"]
    assert partner.copy()["charging_periods"] == ["2026-01-15T17:00:00Z"]


def test_the_sweep_wakes_failures_sooner_at_first_and_later_for_ever(world: World, session: Session) -> None:
    partner = Partner(world, UNREACHABLE)
    waits = []
    for _ in range(6):
        assert partner.push(session) is PushResult.FAILED
        wait = next(
            seconds
            for seconds in range(0, 3600, 60)
            if world.due_pushes(world.clock.now() + timedelta(seconds=seconds))
        )
        waits.append(timedelta(seconds=wait))
        world.clock.advance(wait)
    assert waits == [*RETRY_AFTER, RETRY_AFTER[-1], RETRY_AFTER[-1]]


def test_a_success_forgets_the_failures_before_it(world: World, session: Session) -> None:
    partner = Partner(world, UNREACHABLE, UNREACHABLE, DELIVERED)
    for _ in range(3):
        partner.push(session)
    pushed = world.pushed(session)
    assert (pushed.attempts, pushed.in_doubt, pushed.version) == (0, False, 1)
    assert world.due_pushes(START + timedelta(days=1)) == []


def test_a_patch_that_is_refused_for_good_is_followed_by_the_whole_at_once(world: World, session: Session) -> None:
    partner = Partner(world, DELIVERED, NOT_FOUND, DELIVERED)
    partner.push(session)
    session = happen(world, session, meter(20, 4000))
    assert partner.push(session) is PushResult.PUT
    assert partner.http.methods == ["PUT", "PATCH", "PUT"]
    assert partner.copy()["charging_periods"] == ["2026-01-15T17:00:00Z"]
    assert not world.pushed(session).in_doubt


def test_a_put_that_is_refused_for_good_is_not_repeated_in_the_same_step(world: World, session: Session) -> None:
    partner = Partner(world, NOT_FOUND)
    assert partner.push(session) is PushResult.FAILED
    assert partner.http.methods == ["PUT"]


def test_what_died_after_the_call_leaves_a_doubt_and_the_next_push_is_whole(world: World, session: Session) -> None:
    Partner(world).push(session)
    session = happen(world, session, meter(20, 4000))

    def die(_: PartnerMessage) -> None:
        raise RuntimeError("the process ends here")

    dying = Partner(world)
    dying.http = ScriptedPartner(on_send=die)
    with pytest.raises(RuntimeError):
        dying.push(session)
    assert world.pushed(session).in_doubt
    assert world.due_pushes(world.clock.now() + timedelta(minutes=1)) == [(session.session_id, "jedlix")]
    partner = Partner(world)
    assert partner.push(session) is PushResult.PUT
    assert len(partner.periods(partner.last)) == 1


def test_a_doubt_does_not_wait_for_the_meters_interval(world: World, session: Session) -> None:
    partner = Partner(world, DELIVERED, UNREACHABLE, DELIVERED)
    partner.push(session)
    session = happen(world, session, meter(6, 1500))
    assert [partner.push(session), partner.push(session)] == [PushResult.FAILED, PushResult.PUT]


def test_whatever_fails_on_the_way_the_partner_ends_with_the_truth(world: World, session: Session) -> None:
    receipts = [DELIVERED, UNREACHABLE, NOT_FOUND, UNREACHABLE, DELIVERED, NOT_FOUND, DELIVERED, DELIVERED]
    partner = Partner(world, *receipts)
    steps = [meter(20 * step, 1000 + 3000 * step) for step in range(1, 5)]
    for step in (*steps, meter(100, 13_000, ENDED)):
        partner.push(session)
        session = happen(world, session, step)
    for _ in range(4):
        partner.push(session)
    copy = partner.copy()
    assert (copy["status"], copy["kwh"]) == ("COMPLETED", Decimal("12.000"))
    starts = copy["charging_periods"]
    assert isinstance(starts, list)
    assert starts == sorted(set(starts))
    assert len(starts) == session.periods


# --- Who is told nothing ---------------------------------------------------------------------------------------------


def test_a_partner_that_does_not_see_the_session_is_told_nothing(world: World, session: Session) -> None:
    world.put_session(replace(session, rights=Rights(frozenset({"other"}), "other")))
    partner = Partner(world)
    assert partner.push(session) is PushResult.NOTHING_NEW
    assert partner.http.messages == []


@pytest.mark.parametrize("what", ["partner", "session", "endpoint"])
def test_where_something_is_gone_nothing_is_told(world: World, session: Session, what: str) -> None:
    if what == "partner":
        world.remove(partner_items.partner_key("jedlix"))
    if what == "session":
        session = session_of(event(STARTED, 0, transaction_id="unknown"))
    if what == "endpoint":
        world.put_partner(replace(world.partner, sessions_url=None))
    partner = Partner(world)
    assert partner.push(session) is PushResult.NOTHING_NEW
    assert partner.http.messages == []


@pytest.mark.parametrize("what", ["partner", "right"])
def test_a_push_that_nobody_may_have_any_more_is_not_woken_for_ever(world: World, session: Session, what: str) -> None:
    partner = Partner(world, UNREACHABLE)
    partner.push(session)
    if what == "partner":
        world.remove(partner_items.partner_key("jedlix"))
    else:
        world.put_session(replace(session, rights=Rights()))
    assert partner.push(session) is PushResult.NOTHING_NEW
    assert world.due_pushes(START + timedelta(days=1)) == []


@pytest.mark.parametrize("registration", [Registration.INVITED, Registration.LEFT])
def test_a_partner_that_is_not_registered_is_told_nothing(
    world: World, session: Session, registration: Registration
) -> None:
    partner = Partner(world)
    partner.push(session)
    world.put_partner(replace(world.partner, registration=registration))
    assert partner.push(happen(world, session, meter(20, 4000))) is PushResult.NOTHING_NEW
    assert len(partner.http.messages) == 1


def test_a_change_that_shows_in_nothing_is_no_news(world: World, session: Session) -> None:
    partner = Partner(world)
    partner.push(session)
    before = world.session(session.session_id)
    after = replace(before, version=2, last_updated=START + timedelta(hours=1), profile_doubt_at=START)
    assert world.sessions.update(before, after, None)
    assert partner.push(after) is PushResult.NOTHING_NEW
    assert (len(partner.http.messages), world.due_pushes(START + timedelta(days=1))) == (1, [])


def test_a_session_that_ended_while_the_partner_was_down_for_an_hour_arrives_whole(
    world: World, session: Session
) -> None:
    partner = Partner(world, DELIVERED, UNREACHABLE)
    partner.push(session)
    ended = happen(world, session, meter(20, 4000, ENDED))
    assert partner.push(ended) is PushResult.FAILED
    while world.clock.now() < START + timedelta(hours=1, minutes=20):
        if world.due_pushes():
            assert partner.push(ended) is PushResult.FAILED
        world.clock.advance(60)
    partner.comes_back()
    world.clock.advance(15 * 60)
    assert world.due_pushes() == [(session.session_id, "jedlix")]
    assert partner.push(ended) is PushResult.PUT
    assert (partner.last.body["status"], len(partner.periods(partner.last))) == ("COMPLETED", 1)
    assert world.due_pushes(START + timedelta(days=30)) == []


def test_a_partner_that_stays_down_for_days_after_the_end_is_left_to_fetch_what_it_missed(
    world: World, session: Session
) -> None:
    partner = Partner(world, UNREACHABLE)
    ended = happen(world, session, meter(20, 4000, ENDED))
    partner.push(ended)
    world.clock.advance(GIVE_UP_AFTER.total_seconds() + 1)
    assert partner.push(ended) is PushResult.GIVEN_UP
    assert (len(partner.http.messages), world.due_pushes(START + timedelta(days=30))) == (1, [])


def test_while_a_session_runs_nobody_gives_up(world: World, session: Session) -> None:
    partner = Partner(world, UNREACHABLE)
    partner.push(session)
    world.clock.advance(2 * GIVE_UP_AFTER.total_seconds())
    assert partner.push(session) is PushResult.FAILED


def test_who_sees_the_session_again_after_a_doubt_is_told_the_whole_of_it(world: World, session: Session) -> None:
    partner = Partner(world, DELIVERED, UNREACHABLE, DELIVERED)
    partner.push(session)
    session = happen(world, session, meter(20, 4000))
    partner.push(session)
    world.put_session(replace(session, rights=Rights()))
    partner.push(session)
    world.put_session(session)
    assert partner.push(session) is PushResult.PUT


def test_partners_are_told_apart_from_each_other(world: World, session: Session) -> None:
    other = replace(world.partner, partner_id="other", sessions_url="https://other.example/s", party=Party("BE", "OTH"))
    world.put_partner(other, token=None)
    world.put_session(replace(session, rights=Rights(frozenset({"jedlix", "other"}), "jedlix")))
    partner = Partner(world)
    assert [partner.push(session), partner.push(session, "other")] == [PushResult.PUT, PushResult.PUT]
    first, second = partner.http.messages
    assert second.url.startswith("https://other.example/s/")
    assert second.to_party == Party("BE", "OTH")
    assert first.body["cdr_token"] != second.body["cdr_token"]


def test_the_state_of_charge_is_told_to_whom_the_driver_consented_and_to_nobody_else(
    world: World, session: Session
) -> None:
    other = replace(world.partner, partner_id="other", sessions_url="https://other.example/s", party=Party("BE", "OTH"))
    world.put_partner(other, token=None)
    shares = {"jedlix": frozenset({Share.STATE_OF_CHARGE})}
    shared = replace(session, rights=Rights(frozenset({"jedlix", "other"}), "jedlix", shares))
    world.put_session(shared)
    after = happen(world, shared, event(UPDATED, 20 * 60, meter="4000", soc="41"))
    partner = Partner(world)
    partner.push(after)
    partner.push(after, "other")
    told = [str(message.body["charging_periods"]) for message in partner.http.messages]
    assert ["STATE_OF_CHARGE" in periods for periods in told] == [True, False]
