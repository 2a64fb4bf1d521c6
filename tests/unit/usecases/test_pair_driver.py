"""A partner redeems a driver's code: once, in time, for itself, and not by guessing."""

import itertools
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from ocpi_bridge.adapters.dynamodb import partner_items, registry_items
from ocpi_bridge.adapters.dynamodb import tables as dynamo
from ocpi_bridge.adapters.dynamodb.pairings import DynamoPairings, attempts_key, code_key
from ocpi_bridge.adapters.dynamodb.registry import DynamoRegistry
from ocpi_bridge.domain.assignments import Assignment, Right, Scope, Share
from ocpi_bridge.domain.errors import Contended
from ocpi_bridge.domain.pairing import (
    ATTEMPT_WINDOW,
    ATTEMPTS,
    CodeUnknown,
    Grant,
    PairingCode,
    TooManyAttempts,
    code_hash,
    ending_of,
)
from ocpi_bridge.domain.partners import Pairing, Partner, Registration
from ocpi_bridge.domain.registration import RegistrationRefused
from ocpi_bridge.usecases.pair_driver import PairDriver
from tests.support import registry_entries
from tests.support.dynamodb_faults import conflicts, meanwhile
from tests.support.world import World

EVSE_UID = "BE*BEC*E041503001"
CODE, WRONG = "12345678", "87654321"
GRANT = Grant(EVSE_UID, Scope.EVSE, EVSE_UID)


class Desk:
    """The registry with partners that pair, one EVSE, and the codes that drivers were given."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.client, self.table = world.tables.client, world.tables.registry
        self.store = DynamoPairings(self.client, self.table)
        self.registry = DynamoRegistry(self.client, self.table, pause=lambda _: None)
        self.pair = PairDriver(self.store, world.clock)
        self.partner("jedlix")
        self.partner("other")
        evse = registry_items.evse_item(EVSE_UID, "acme", "CP-001")
        world.tables.put(self.table, dynamo.to_item(evse))

    def partner(self, partner_id: str, change: Callable[[Partner], Partner] = lambda partner: partner) -> None:
        pairing = replace(registry_entries.partner(partner_id), pairing=Pairing())
        self.world.put_partner(change(pairing), token=None)

    def give(self, code: str = CODE, grant: Grant = GRANT, partner_id: str | None = None) -> PairingCode:
        now = self.world.clock.now()
        stored = PairingCode(code_hash(code), ending_of(code), grant, now, now + timedelta(minutes=15), partner_id)
        assert self.store.add(stored)
        return stored

    def attempts(self, partner_id: str = "jedlix") -> int:
        key = (self.table, *attempts_key(partner_id, self.world.clock.now()))
        item = dynamo.get_many(self.client, [key]).get(key)
        return 0 if item is None else int(item["count"])

    @property
    def assignments(self) -> tuple[Assignment, ...]:
        return self.registry.list_assignments()

    @property
    def reassessed(self) -> set[str]:
        items = (dynamo.from_item(item) for item in self.world.tables.items(self.table))
        return {item["sk"] for item in items if item["entity"] == "reassessment"}


@pytest.fixture
def desk(world: World) -> Desk:
    return Desk(world)


def test_a_code_pairs_the_evse_with_the_partner_that_redeems_it(desk: Desk) -> None:
    desk.give()
    assert desk.pair("jedlix", CODE) == desk.world.station.evses[0]
    [assignment] = desk.assignments
    assert assignment == GRANT.assignment("jedlix", "78", desk.world.clock.now())
    assert desk.reassessed == {"*"}
    assert desk.attempts() == 0


def test_a_code_bound_to_a_token_gives_the_token_and_what_its_driver_shares(desk: Desk) -> None:
    desk.give(grant=Grant(EVSE_UID, Scope.TOKEN, "04AA", frozenset({Share.STATE_OF_CHARGE})))
    desk.pair("jedlix", CODE)
    [assignment] = desk.assignments
    assert (assignment.scope, assignment.key, assignment.right) == (Scope.TOKEN, "04AA", Right.STEER)
    assert assignment.shares == {Share.STATE_OF_CHARGE}


def test_a_code_opens_once(desk: Desk) -> None:
    desk.give()
    desk.pair("jedlix", CODE)
    with pytest.raises(CodeUnknown):
        desk.pair("jedlix", CODE)
    assert desk.attempts() == 1


def test_of_two_that_redeem_at_once_one_gets_it(desk: Desk) -> None:
    desk.give()
    with meanwhile(desk.client, lambda: desk.pair("other", CODE), "TransactWriteItems"), pytest.raises(CodeUnknown):
        desk.pair("jedlix", CODE)
    assert [one.partner_id for one in desk.assignments] == ["other"]


def test_a_code_that_is_withdrawn_in_between_opens_nothing(desk: Desk) -> None:
    stored = desk.give()
    withdrawn = meanwhile(desk.client, lambda: desk.store.withdraw(stored.code_hash), "TransactWriteItems")
    with withdrawn, pytest.raises(CodeUnknown):
        desk.pair("jedlix", CODE)
    assert desk.assignments == ()


def test_an_expired_code_opens_nothing_although_its_item_is_still_there(desk: Desk) -> None:
    desk.give()
    desk.world.clock.advance(15 * 60)
    assert desk.store.code(code_hash(CODE)) is not None
    with pytest.raises(CodeUnknown):
        desk.pair("jedlix", CODE)
    assert desk.assignments == ()


def test_a_code_for_one_partner_opens_nothing_for_another(desk: Desk) -> None:
    desk.give(partner_id="other")
    with pytest.raises(CodeUnknown):
        desk.pair("jedlix", CODE)
    desk.pair("other", CODE)


@pytest.mark.parametrize(
    "change",
    [
        lambda partner: replace(partner, pairing=None),
        lambda partner: replace(partner, registration=Registration.LEFT),
        lambda partner: replace(partner, registration=Registration.INVITED),
    ],
    ids=["switched off", "left", "invited"],
)
def test_a_partner_that_does_not_pair_is_answered_as_for_an_unknown_code(
    desk: Desk, change: Callable[[Partner], Partner]
) -> None:
    desk.partner("jedlix", change)
    desk.give()
    with pytest.raises(CodeUnknown):
        desk.pair("jedlix", CODE)
    assert desk.assignments == ()


def test_guessing_ends_after_ten_wrong_codes_even_for_the_right_one(desk: Desk) -> None:
    desk.give()
    for number in range(ATTEMPTS):
        with pytest.raises(CodeUnknown):
            desk.pair("jedlix", f"{number:08d}")
    with pytest.raises(TooManyAttempts) as error:
        desk.pair("jedlix", CODE)
    assert 0 < error.value.retry_after <= ATTEMPT_WINDOW.total_seconds()
    desk.pair("other", CODE)


def test_in_the_next_window_the_partner_may_try_again(desk: Desk) -> None:
    for _ in range(ATTEMPTS):
        with pytest.raises(CodeUnknown):
            desk.pair("jedlix", WRONG)
    with pytest.raises(TooManyAttempts) as error:
        desk.pair("jedlix", WRONG)
    desk.world.clock.advance(error.value.retry_after)
    desk.give()
    desk.pair("jedlix", CODE)


def test_guesses_that_come_all_at_once_are_counted_before_any_code_is_looked_at(desk: Desk) -> None:
    desk.give()
    at = desk.world.clock.now()
    assert [desk.store.count_attempt("jedlix", at) for _ in range(ATTEMPTS + 2)] == [True] * ATTEMPTS + [False] * 2
    with pytest.raises(TooManyAttempts):
        desk.pair("jedlix", CODE)


def test_drivers_who_get_it_right_use_no_attempts_up(desk: Desk) -> None:
    for number in range(ATTEMPTS * 2):
        desk.give(f"{number:08d}")
        desk.pair("jedlix", f"{number:08d}")
    assert desk.attempts() == 0


def test_where_another_partner_steers_nothing_changes_and_the_code_stays_good(desk: Desk) -> None:
    desk.give()
    rival = replace(registry_entries.assignment(), partner_id="other", key=EVSE_UID)
    desk.registry.add_assignments([rival])
    with pytest.raises(RegistrationRefused):
        desk.pair("jedlix", CODE)
    assert desk.assignments == (rival,)
    desk.registry.revoke_assignment("other", Scope.EVSE, EVSE_UID)
    desk.pair("jedlix", CODE)


def test_an_evse_that_was_taken_down_meanwhile_cannot_be_paired(desk: Desk) -> None:
    desk.give()
    desk.world.remove(registry_items.evse_key(EVSE_UID))
    with pytest.raises(CodeUnknown):
        desk.pair("jedlix", CODE)
    assert desk.assignments == ()


def test_an_evse_that_goes_in_between_leaves_nothing_half_written(desk: Desk) -> None:
    desk.give()
    gone = meanwhile(desk.client, lambda: desk.world.remove(registry_items.evse_key(EVSE_UID)), "TransactWriteItems")
    with gone, pytest.raises(RegistrationRefused):
        desk.pair("jedlix", CODE)
    assert desk.assignments == ()
    assert desk.store.code(code_hash(CODE)) is not None


def test_a_conflict_of_writers_is_waited_out(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ocpi_bridge.adapters.dynamodb.registry_table.FIRST_PAUSE_SECONDS", 0)
    desk.give()
    with conflicts(desk.client, 2) as refused:
        desk.pair("jedlix", CODE)
    assert len(refused) == 2
    assert len(desk.assignments) == 1


def test_conflicts_without_end_leave_the_code_good(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ocpi_bridge.adapters.dynamodb.registry_table.FIRST_PAUSE_SECONDS", 0)
    desk.give()
    with conflicts(desk.client, 1000), pytest.raises(Contended):
        desk.pair("jedlix", CODE)
    assert desk.assignments == ()
    desk.pair("jedlix", CODE)


def test_neither_code_nor_attempts_outlive_their_use(desk: Desk) -> None:
    stored = desk.give()
    with pytest.raises(CodeUnknown):
        desk.pair("jedlix", WRONG)
    items = {(item["pk"]["S"], item["sk"]["S"]): item for item in desk.world.tables.items(desk.table)}
    code = items[code_key(stored.code_hash)]
    attempts = items[attempts_key("jedlix", desk.world.clock.now())]
    assert int(code["expires_at"]["N"]) == int(stored.expires_at.timestamp())
    now = desk.world.clock.now().timestamp()
    assert now < int(attempts["expires_at"]["N"]) <= now + ATTEMPT_WINDOW.total_seconds()
    assert not any(CODE in str(item) for item in items.values())


def test_a_code_that_is_there_already_is_not_given_again(desk: Desk) -> None:
    stored = desk.give()
    assert not desk.store.add(replace(stored, partner_id="other"))
    assert desk.store.codes() == (stored,)
    desk.store.withdraw(stored.code_hash)
    desk.store.withdraw(stored.code_hash)
    assert desk.store.codes() == ()


def test_a_code_is_found_as_the_driver_typed_it_and_an_evse_whatever_its_case(desk: Desk) -> None:
    for typed, uid in itertools.product(("1234 5678", "1234-5678"), (EVSE_UID, EVSE_UID.lower())):
        desk.give(grant=Grant(uid, Scope.EVSE, uid))
        assert desk.pair("jedlix", typed).uid == EVSE_UID


def test_a_partner_without_an_entry_pairs_nothing(desk: Desk) -> None:
    desk.give()
    desk.world.remove(partner_items.partner_key("jedlix"))
    with pytest.raises(CodeUnknown):
        desk.pair("jedlix", CODE)
