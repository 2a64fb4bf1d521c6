"""A driver's wishes: who may tell them, for which session, and that the newest are kept for the CSMS."""

from dataclasses import replace
from decimal import Decimal

import pytest

from ocpi_bridge.adapters.dynamodb import instants, preferences, registry_items, session_items
from ocpi_bridge.adapters.dynamodb import tables as dynamo
from ocpi_bridge.adapters.dynamodb.preferences import DynamoPreferencesStore
from ocpi_bridge.domain.assignments import Rights
from ocpi_bridge.domain.errors import InvalidInput
from ocpi_bridge.domain.events import SessionStatus
from ocpi_bridge.domain.partners import Party, Registration
from ocpi_bridge.domain.preferences import (
    CHARGING_PREFERENCES_CAPABLE,
    ChargingPreferences,
    PreferencesChange,
    ProfileType,
)
from ocpi_bridge.domain.sessions import Session
from ocpi_bridge.domain.tokens import token_hash
from ocpi_bridge.ocpi.charging_preferences import ChargingPreferencesResponse
from ocpi_bridge.ocpi.transport import CallContext, MessageIds, StatusCode, TransportError
from ocpi_bridge.ports.callers import Caller
from ocpi_bridge.usecases.set_preferences import SetPreferences
from tests.support.clocks import START
from tests.support.dynamodb_faults import WRITES, counted
from tests.support.feeds import seconds
from tests.support.world import TOKEN, World

ACCEPTED, NOT_POSSIBLE = ChargingPreferencesResponse.ACCEPTED, ChargingPreferencesResponse.NOT_POSSIBLE
FAST = ChargingPreferences(ProfileType.FAST)
CHEAP = ChargingPreferences(ProfileType.CHEAP, seconds(7200), Decimal(20), discharge_allowed=True)


class Door:
    """As the door calls: the token and the session are read first."""

    def __init__(self, world: World) -> None:
        self.world = world
        store = DynamoPreferencesStore(world.tables.client, world.tables.sessions)
        self.set_preferences = SetPreferences(world.intake, store, world.clock)

    def put(
        self, session_id: str, preferences: ChargingPreferences = FAST, to: Party | None = None
    ) -> ChargingPreferencesResponse:
        caller = self.world.intake.caller([token_hash(TOKEN)], session_id)
        return self.set_preferences(caller, preferences, CallContext(MessageIds("req-1", "corr-1"), None, to))

    def refused(self, session_id: str) -> TransportError:
        with pytest.raises(TransportError) as error:
            self.put(session_id)
        return error.value

    def kept(self, session: Session) -> PreferencesChange | None:
        key = (self.world.tables.sessions, *preferences.preferences_key(session.session_id))
        item = dynamo.get_many(self.world.tables.client, [key]).get(key)
        return None if item is None else preferences.preferences_of(item)


@pytest.fixture
def door(world: World) -> Door:
    capable = [
        replace(evse, capabilities=evse.capabilities | {CHARGING_PREFERENCES_CAPABLE}) for evse in world.station.evses
    ]
    world.put_station(replace(world.station, evses=tuple(capable)))
    return Door(world)


@pytest.fixture
def session(world: World) -> Session:
    return world.open_session()


# --- Accepted --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("preferences", [FAST, CHEAP], ids=["fast", "cheap"])
def test_wishes_are_kept_with_all_that_the_csms_is_told(
    world: World, door: Door, session: Session, preferences: ChargingPreferences
) -> None:
    assert door.put(session.session_id, preferences) is ACCEPTED
    kept = door.kept(session)
    assert kept is not None
    assert kept == PreferencesChange(
        change_id=kept.change_id,
        at=START,
        session_id=session.session_id,
        partner_id="jedlix",
        csms_id="acme",
        station_id="CP-001",
        transaction_id="778",
        evse_uid="BE*BEC*E041503001",
        connector_id=1,
        evse_id=None,
        preferences=preferences,
    )


def test_the_item_is_what_its_stream_is_asked_for_and_goes_with_the_session(
    world: World, door: Door, session: Session
) -> None:
    door.put(session.session_id)
    (item,) = (
        plain
        for plain in map(dynamo.from_item, world.tables.items(world.tables.sessions))
        if plain["sk"] == "PREFERENCES"
    )
    assert (item["entity"], item["session_id"]) == ("preferences", session.session_id)
    assert item["expires_at"] == instants.expiry(START, session_items.RETENTION.sessions)
    assert not {"feed", "live", "due_shard"} & item.keys()


def test_the_newest_wishes_replace_older_ones(world: World, door: Door, session: Session) -> None:
    door.put(session.session_id, CHEAP)
    older = door.kept(session)
    world.clock.advance(60)
    door.put(session.session_id, FAST)
    newer = door.kept(session)
    assert older is not None
    assert newer is not None
    assert (newer.preferences, newer.at) == (FAST, seconds(60))
    assert newer.change_id != older.change_id


@pytest.mark.parametrize("profile_type", [ProfileType.CHEAP, ProfileType.GREEN])
def test_departure_and_energy_stay_optional_with_every_profile_type(
    door: Door, session: Session, profile_type: ProfileType
) -> None:
    assert door.put(session.session_id, ChargingPreferences(profile_type)) is ACCEPTED


def test_the_session_is_found_however_its_id_is_spelled(door: Door, session: Session) -> None:
    assert door.put(session.session_id.upper()) is ACCEPTED
    assert door.kept(session) is not None


def test_accepting_is_two_reads_and_one_write(world: World, door: Door, session: Session) -> None:
    with counted(world.tables.client) as calls:
        door.put(session.session_id)
    assert calls == ["BatchGetItem", "BatchGetItem", "PutItem"]


# --- Not possible ----------------------------------------------------------------------------------------------------


def test_a_session_that_is_over_takes_no_wishes(world: World, door: Door) -> None:
    session = world.open_session(status=SessionStatus.COMPLETED, end=START)
    assert door.put(session.session_id) is NOT_POSSIBLE
    assert door.kept(session) is None


def test_a_partner_that_only_sees_the_session_has_no_say_in_it(world: World, door: Door) -> None:
    session = world.open_session(rights=Rights(frozenset({"jedlix", "other"}), "other"))
    assert door.put(session.session_id) is NOT_POSSIBLE
    assert door.kept(session) is None


@pytest.mark.parametrize(
    "preferences", [replace(FAST, departure_time=START), replace(CHEAP, energy_need=Decimal(1000))]
)
def test_what_nobody_could_do_is_not_possible(door: Door, session: Session, preferences: ChargingPreferences) -> None:
    assert door.put(session.session_id, preferences) is NOT_POSSIBLE
    assert door.kept(session) is None


# --- Not found -------------------------------------------------------------------------------------------------------


def test_a_session_of_another_partner_is_answered_like_one_that_does_not_exist(world: World, door: Door) -> None:
    hidden = world.open_session(rights=Rights(frozenset({"other"}), "other"))
    answers = [door.refused(hidden.session_id), door.refused("no-such-session")]
    assert {(error.http_status, error.status_code, str(error)) for error in answers} == {
        (404, StatusCode.INVALID_PARAMETERS, "there is no such session")
    }
    assert door.kept(hidden) is None


def test_an_evse_that_takes_no_preferences_is_not_found(world: World, door: Door, session: Session) -> None:
    evses = [replace(evse, capabilities=frozenset({"CHARGING_PROFILE_CAPABLE"})) for evse in world.station.evses]
    world.put_station(replace(world.station, evses=tuple(evses)))
    error = door.refused(session.session_id)
    assert (error.http_status, error.status_code) == (404, StatusCode.INVALID_PARAMETERS)
    assert door.kept(session) is None


def test_a_station_that_the_registry_knows_no_more_is_not_found(world: World, door: Door, session: Session) -> None:
    world.remove(registry_items.station_key("acme", "CP-001"))
    assert door.refused(session.session_id).http_status == 404


# --- Refused ---------------------------------------------------------------------------------------------------------


def test_a_party_that_the_session_does_not_belong_to_is_refused(door: Door, session: Session) -> None:
    assert door.put(session.session_id, to=Party("nl", "acm")) is ACCEPTED
    with pytest.raises(InvalidInput) as error:
        door.put(session.session_id, to=Party("NL", "CPO"))
    assert error.value.field == "OCPI-to-party-id"


def test_a_partner_that_left_is_unknown(world: World, door: Door, session: Session) -> None:
    world.put_partner(replace(world.partner, registration=Registration.LEFT))
    assert door.refused(session.session_id).http_status == 401


def test_nobody_sets_preferences_without_being_known(world: World, door: Door) -> None:
    context = CallContext(MessageIds("req-1", "corr-1"), None, None)
    with counted(world.tables.client) as calls, pytest.raises(ValueError, match="not authenticated"):
        door.set_preferences(Caller(None), FAST, context)
    assert not set(calls) & set(WRITES)
