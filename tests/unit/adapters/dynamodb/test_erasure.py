"""Persons in the sessions table: they are found without a scan, and nothing of them stays."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

import pytest

from ocpi_bridge.adapters.dynamodb import persons, session_items
from ocpi_bridge.adapters.dynamodb import tables as dynamo
from ocpi_bridge.adapters.dynamodb.erasure import WRITE_ATTEMPTS, DynamoErasure, PersonSessions
from ocpi_bridge.adapters.dynamodb.preferences import DynamoPreferencesStore
from ocpi_bridge.domain.assignments import Rights
from ocpi_bridge.domain.errors import Contended
from ocpi_bridge.domain.events import EventType, IdToken, SessionStatus
from ocpi_bridge.domain.preferences import ChargingPreferences, PreferencesChange, ProfileType
from ocpi_bridge.domain.session_course import advance
from ocpi_bridge.domain.sessions import ChargingPeriod, Session
from ocpi_bridge.domain.watches import Watch
from ocpi_bridge.ports.pushes import Pushed
from tests.support.dynamodb_faults import counted, meanwhile
from tests.support.tables import AwsTables
from tests.support.world import CARD, World, event, session_of

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

UID = IdToken(uid=CARD.uid)
OTHER_CARD = IdToken(uid="04FF", contract_id=CARD.contract_id)
STRANGER = IdToken(uid="04EE", contract_id="NL-TNM-C99999999-X")
TWO = Rights(frozenset({"jedlix", "other"}), "jedlix")


class People:
    """Sessions of several persons, made and ended as events do."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.client, self.table = world.tables.client, world.tables.sessions
        self.erasure = DynamoErasure(self.client, self.table, world.tables.registry, lambda _: None)

    def charge(
        self,
        token: IdToken | None = CARD,
        transaction_id: str = "1",
        **changes: Any,  # noqa: ANN401 - any field of a session
    ) -> Session:
        first = event(EventType.TRANSACTION_STARTED, meter="1000", token=token, transaction_id=transaction_id)
        session = replace(session_of(first, self.world.csms, self.world.station), **changes)
        assert self.world.sessions.create(session, None)
        return session

    def report(self, session: Session, seconds: float, *, token: IdToken | None = None, end: bool = False) -> Session:
        kind = EventType.TRANSACTION_ENDED if end else EventType.TRANSACTION_UPDATED
        reading = event(kind, seconds, meter="2000", token=token, transaction_id=session.transaction_id)
        changed = advance(session, reading, self.world.clock.now() + timedelta(seconds=seconds))
        assert changed is not None
        after, period = changed
        assert self.world.sessions.update(session, after, period)
        return after

    def end(self, session: Session) -> Session:
        return self.report(session, 3600, end=True)

    def litter(self, session: Session) -> None:
        """All that else is kept of a session."""
        session_id, now = session.session_id, self.world.clock.now()
        self.world.accept_put(session)
        self.world.pushes.save_pushed(Pushed(session_id, "jedlix"), None)
        self.world.watches.save_watch(Watch(session_id, "jedlix", due_at=now))
        wishes = PreferencesChange(
            change_id="1",
            at=now,
            session_id=session_id,
            partner_id="jedlix",
            csms_id=session.csms_id,
            station_id=session.station_id,
            transaction_id=session.transaction_id,
            evse_uid=session.evse_uid,
            connector_id=1,
            evse_id=None,
            preferences=ChargingPreferences(ProfileType.FAST),
        )
        DynamoPreferencesStore(self.client, self.table).save(wishes)

    @property
    def items(self) -> dict[tuple[str, str], dict[str, Any]]:
        return {(item["pk"]["S"], item["sk"]["S"]): item for item in self.world.tables.items(self.table)}

    @property
    def entities(self) -> set[str]:
        return {item["entity"]["S"] for item in self.items.values()}

    def stored(self, session: Session) -> Session | None:
        item = self.items.get(session_items.session_key(session.session_id))
        return None if item is None else session_items.session_of(dynamo.from_item(item))


@pytest.fixture
def people(aws: AwsTables) -> People:
    return People(World(aws))


# --- How a person is found -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("token", [UID, CARD, OTHER_CARD, IdToken(uid=CARD.uid.lower())])
def test_a_session_is_found_by_its_token_and_by_its_contract_without_a_scan(people: People, token: IdToken) -> None:
    session = people.charge()
    people.charge(STRANGER, "2")
    people.charge(None, "3")
    with counted(people.client) as operations:
        assert people.erasure.find(token) == PersonSessions(over=(), live=(session.session_id,))
    assert set(operations) == {"Query", "BatchGetItem"}


def test_neither_uid_nor_contract_id_stands_in_what_a_person_is_found_by(people: People) -> None:
    people.charge()
    found_by = [item for item in people.items.values() if item["entity"]["S"] == "person"]
    assert len(found_by) == 2
    for secret in (CARD.uid, CARD.contract_id):
        assert secret is not None
        assert secret.casefold() not in str(found_by).casefold()


def test_a_uid_is_no_contract_id_even_if_they_read_alike(people: People) -> None:
    people.charge(IdToken(uid="X", contract_id="Y"))
    assert people.erasure.find(IdToken(uid="Y", contract_id="X")) == PersonSessions((), ())


def test_a_token_that_is_told_later_finds_the_session_too(people: People) -> None:
    session = people.report(people.charge(None), 60, token=CARD)
    assert people.erasure.find(UID).live == (session.session_id,)


def test_a_meter_reading_is_one_write_still(people: People) -> None:
    session = people.charge()
    with counted(people.world.sessions.client) as operations:
        people.report(session, 60)
    assert operations == ["PutItem"]


def test_what_a_session_is_found_by_lives_on_with_it_at_its_end(people: People) -> None:
    session = people.end(people.report(people.charge(), 60))
    item = people.items[session_items.session_key(session.session_id)]
    found_by = [people.items[person, session.session_id] for person in persons.persons_of(CARD)]
    assert [one["expires_at"] for one in found_by] == [item["expires_at"]] * 2
    assert persons.newly_known(session, session) == []


# --- Sessions that are over ------------------------------------------------------------------------------------------


def test_nothing_of_a_session_that_is_over_stays(people: People) -> None:
    session = people.charge(rights=TWO)
    people.litter(session)
    ended = people.end(session)
    assert people.entities == {
        *("session", "view", "control", "period", "pushed", "watch", "preferences", "transaction", "car", "person")
    }
    assert people.erasure.find(UID) == PersonSessions(over=(ended.session_id,), live=())
    people.erasure.forget(ended.session_id, UID)
    assert people.items == {}


def test_another_persons_session_stays_whole(people: People) -> None:
    stranger = people.charge(STRANGER, "2")
    people.litter(stranger)
    people.end(stranger)
    before = people.items
    mine = people.end(people.charge())
    people.erasure.forget(mine.session_id, UID)
    assert people.items == before


def test_a_long_session_goes_whole_too(people: People) -> None:
    session = people.charge()
    start = people.world.clock.now()
    for index in range(2, 62):
        period = ChargingPeriod(index, start, start, energy=session.kwh, power=session.kwh)
        people.world.tables.put(people.table, dynamo.to_item(session_items.period_item(session, period)))
    people.erasure.forget(people.end(session).session_id, UID)
    assert people.items == {}


def test_the_pointer_of_a_transaction_that_is_another_sessions_stays(people: People) -> None:
    first = people.end(people.charge())
    second = replace(first, session_id="another", status=SessionStatus.ACTIVE, token=STRANGER)
    assert people.world.sessions.create(second, first)
    people.erasure.forget(first.session_id, UID)
    pointer = people.items[session_items.transaction_key("acme", "CP-001", "1")]
    assert pointer["session_id"]["S"] == "another"
    assert people.erasure.find(UID) == PersonSessions((), ())


@pytest.mark.parametrize("operation", ["DeleteItem", "Query", "BatchWriteItem"])
def test_an_erasure_that_broke_off_anywhere_is_completed_by_the_next(people: People, operation: str) -> None:
    class Broken(Exception):
        pass

    def break_off() -> None:
        raise Broken

    session = people.charge()
    people.litter(session)
    session = people.end(session)
    with pytest.raises(Broken), meanwhile(people.client, break_off, operation):
        people.erasure.forget(session.session_id, UID)
    assert people.erasure.find(UID).over == (session.session_id,)
    people.erasure.forget(session.session_id, UID)
    assert people.items == {}


def test_one_that_broke_off_before_its_very_end_is_found_again(people: People) -> None:
    session = people.end(people.charge())
    key = dynamo.key(*session_items.session_key(session.session_id))
    people.client.delete_item(TableName=people.table, Key=key)
    assert people.erasure.find(CARD) == PersonSessions(over=(session.session_id,), live=())
    people.erasure.forget(session.session_id, CARD)
    assert sorted(item["entity"]["S"] for item in people.items.values()) == ["car", "transaction"]


def test_what_a_worker_writes_meanwhile_goes_too(people: People) -> None:
    session = people.end(people.charge())

    def push() -> None:
        people.world.pushes.save_pushed(Pushed(session.session_id, "jedlix"), None)

    with meanwhile(people.client, push, "BatchWriteItem"):
        people.erasure.forget(session.session_id, UID)
    assert people.items == {}


class BusyClient:
    """A client whose batches of deletions DynamoDB leaves undone, some times."""

    def __init__(self, client: "DynamoDBClient", times: int) -> None:
        self._client = client
        self._times = times

    def batch_write_item(self, **request: Any) -> Any:  # noqa: ANN401 - as boto3 has it
        self._times -= 1
        if self._times >= 0:
            return {"UnprocessedItems": request["RequestItems"]}
        return self._client.batch_write_item(**request)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever else a client has
        return getattr(self._client, name)


def busy(people: People, times: int, pauses: list[float]) -> DynamoErasure:
    client = cast("DynamoDBClient", BusyClient(people.client, times))
    return replace(people.erasure, client=client, pause=pauses.append)


def test_deletions_that_dynamodb_leaves_undone_are_done_after_a_pause(people: People) -> None:
    session, pauses = people.end(people.charge()), list[float]()
    busy(people, 3, pauses).forget(session.session_id, CARD)
    assert people.items == {}
    assert len(pauses) == 3
    assert pauses == sorted(set(pauses))


def test_a_load_without_end_is_told_and_what_is_left_is_found_again(people: People) -> None:
    session = people.end(people.charge())
    with pytest.raises(Contended):
        busy(people, 1000, []).forget(session.session_id, CARD)
    assert people.erasure.find(CARD).over == (session.session_id,)


# --- Sessions that are not over --------------------------------------------------------------------------------------


def test_a_live_session_loses_the_token_at_once_and_is_new_to_its_partners(people: People) -> None:
    session = people.charge()
    later = people.world.clock.now() + timedelta(seconds=5)
    people.erasure.unname(session.session_id, later)
    stored = people.stored(session)
    assert stored == replace(session, token=None, version=session.version + 1, last_updated=later)
    assert CARD.uid not in str(people.items)


def test_it_is_found_again_when_it_is_over(people: People) -> None:
    session = people.charge()
    people.erasure.unname(session.session_id, people.world.clock.now())
    unnamed = people.stored(session)
    assert unnamed is not None
    people.end(unnamed)
    assert people.erasure.find(CARD) == PersonSessions(over=(session.session_id,), live=())
    people.erasure.forget(session.session_id, CARD)
    assert people.items == {}


def test_a_token_that_an_event_brings_back_goes_with_the_next_run(people: People) -> None:
    session = people.charge()
    people.erasure.unname(session.session_id, people.world.clock.now())
    unnamed = people.stored(session)
    assert unnamed is not None
    assert people.report(unnamed, 60, token=CARD).token == CARD
    people.erasure.unname(session.session_id, people.world.clock.now())
    stored = people.stored(session)
    assert stored is not None
    assert stored.token is None


def _gone(people: People) -> Session:
    session = people.end(people.charge())
    people.erasure.forget(session.session_id, CARD)
    return session


@pytest.mark.parametrize(
    "given", [lambda people: people.end(people.charge()), lambda people: people.charge(None), _gone]
)
def test_there_is_nothing_to_take_from_one_that_is_over_or_gone_or_names_nobody(
    people: People, given: Callable[[People], Session]
) -> None:
    session = given(people)
    before = people.items
    people.erasure.unname(session.session_id, people.world.clock.now())
    assert people.items == before


def test_an_event_in_between_is_not_lost(people: People) -> None:
    session = people.charge()
    with meanwhile(people.client, lambda: people.report(session, 60), "PutItem"):
        people.erasure.unname(session.session_id, people.world.clock.now())
    stored = people.stored(session)
    assert stored is not None
    assert stored.token is None
    assert stored.meter_wh == 2000


def test_events_without_end_are_told(people: People) -> None:
    current = people.charge()

    def advance_once() -> None:
        nonlocal current
        current = replace(current, version=current.version + 1)
        people.world.put_session(current)

    interfering = meanwhile(people.client, advance_once, "PutItem", times=WRITE_ATTEMPTS)
    with pytest.raises(Contended), interfering:
        people.erasure.unname(current.session_id, people.world.clock.now())
