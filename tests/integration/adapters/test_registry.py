from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Unpack, cast

import pytest

from ocpi_bridge.adapters.dynamodb import partner_items, registry_table, token_items
from ocpi_bridge.adapters.dynamodb import tables as dynamo
from ocpi_bridge.adapters.dynamodb.registry import DynamoRegistry
from ocpi_bridge.domain.assignments import Right, Scope
from ocpi_bridge.domain.errors import Contended, UnknownEntity
from ocpi_bridge.domain.partners import Party, Registration
from ocpi_bridge.domain.registration import RegistrationRefused
from ocpi_bridge.domain.tokens import AcceptedToken, TokenUse
from tests.support.dynamodb_faults import meanwhile
from tests.support.registry_entries import NEW_YEAR, assignment, csms, partner, station
from tests.support.tables import AwsTables

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemsInputTypeDef


@pytest.fixture
def registry(tables: AwsTables) -> DynamoRegistry:
    return DynamoRegistry(tables.client, tables.registry, pause=lambda _: None)


@pytest.fixture
def furnished(registry: DynamoRegistry) -> DynamoRegistry:
    """A registry with a partner, a CSMS and a station."""
    registry.add_partner(partner(), ["hash-1"], NEW_YEAR)
    registry.add_csms(csms())
    registry.import_stations("acme", [station()])
    return registry


def fields(refused: pytest.ExceptionInfo[RegistrationRefused]) -> list[str]:
    return [problem.field for problem in refused.value.problems]


def keys(tables: AwsTables) -> set[tuple[str, str]]:
    return {(item["pk"]["S"], item["sk"]["S"]) for item in tables.items(tables.registry)}


# --- Partners --------------------------------------------------------------------------------------------------------


def test_a_partner_is_added_with_the_tokens_that_we_accept(registry: DynamoRegistry) -> None:
    registry.add_partner(partner(), ["hash-1", "hash-2"], NEW_YEAR)
    assert registry.get_partner("jedlix") == partner()
    assert {token.token_hash for token in registry.list_tokens("jedlix")} == {"hash-1", "hash-2"}


def test_a_partner_is_not_added_twice_and_the_second_attempt_changes_nothing(registry: DynamoRegistry) -> None:
    registry.add_partner(partner(), ["hash-1"], NEW_YEAR)
    with pytest.raises(RegistrationRefused) as refused:
        registry.add_partner(partner(name="Other"), ["hash-2"], NEW_YEAR)
    assert fields(refused) == ["partner_id"]
    assert registry.get_partner("jedlix") == partner()
    assert len(registry.list_tokens("jedlix")) == 1


def test_a_token_belongs_to_one_partner_only(registry: DynamoRegistry) -> None:
    registry.add_partner(partner(), ["hash-1"], NEW_YEAR)
    with pytest.raises(RegistrationRefused) as refused:
        registry.add_partner(partner("other"), ["hash-1"], NEW_YEAR)
    assert fields(refused) == ["token"]
    assert registry.get_partner("other") is None


def test_a_replaced_partner_keeps_its_tokens(registry: DynamoRegistry) -> None:
    registry.add_partner(partner(), ["hash-1"], NEW_YEAR)
    registry.replace_partner(partner(name="Renamed"))
    assert registry.get_partner("jedlix") == partner(name="Renamed")
    assert len(registry.list_tokens("jedlix")) == 1


@pytest.mark.parametrize("accepts_bearer", [True, False])
def test_tokens_say_whether_they_may_come_as_bearer(registry: DynamoRegistry, accepts_bearer: bool) -> None:
    entry = replace(partner(), accepts_bearer=accepts_bearer)
    registry.add_partner(entry, ["hash-1"], NEW_YEAR)
    assert [token.bearer for token in registry.list_tokens("jedlix")] == [accepts_bearer]
    registry.replace_partner(replace(entry, accepts_bearer=not accepts_bearer))
    assert [token.bearer for token in registry.list_tokens("jedlix")] == [not accepts_bearer]


def test_tokens_follow_the_partners_party_and_keep_all_else(registry: DynamoRegistry, tables: AwsTables) -> None:
    registry.add_partner(partner(), [], NEW_YEAR)
    registry.add_partner(partner("other"), ["hash-9"], NEW_YEAR)
    given_out = AcceptedToken(
        "hash-1",
        "jedlix",
        partner().party,
        NEW_YEAR,
        use=TokenUse.REGISTRATION,
        supersedes=("hash-0",),
        spent_at=NEW_YEAR + timedelta(minutes=1),
    )
    item = {**token_items.token_item(given_out), "expires_at": 1_800_000_000}
    tables.put(tables.registry, dynamo.to_item(item))
    moved = replace(partner(), party=Party("DE", "NEW"), accepts_bearer=True)
    registry.replace_partner(moved)
    assert registry.list_tokens("jedlix") == (replace(given_out, party=moved.party, bearer=True),)
    stored = next(found for found in tables.items(tables.registry) if found["sk"]["S"] == "hash-1")
    assert stored["expires_at"] == {"N": "1800000000"}
    assert [token.party for token in registry.list_tokens("other")] == [partner().party]


def test_a_registered_partner_keeps_what_its_handshake_decided(registry: DynamoRegistry) -> None:
    registered = replace(partner(), registration=Registration.REGISTERED, credential="c7", version="2.3.0")
    registry.add_partner(registered, ["hash-1"], NEW_YEAR)
    replaced = registry.replace_partner(replace(partner(name="Renamed"), party=Party("DE", "NEW")))
    assert replaced.kept == ("party", "version")
    assert registry.get_partner("jedlix") == replaced.partner == replace(registered, name="Renamed")
    assert [token.party for token in registry.list_tokens("jedlix")] == [partner().party]


def test_a_handshake_that_ends_meanwhile_is_not_overwritten(registry: DynamoRegistry, tables: AwsTables) -> None:
    invited = replace(partner(), registration=Registration.INVITED)
    registry.add_partner(invited, [], NEW_YEAR)
    registered = replace(invited, registration=Registration.REGISTERED, credential="c7", version="2.3.0")

    def handshake() -> None:
        tables.put(tables.registry, dynamo.to_item(partner_items.partner_item(registered, version=2)))

    with meanwhile(tables.client, handshake, "TransactWriteItems"):
        replaced = registry.replace_partner(partner(name="Renamed"))
    assert registry.get_partner("jedlix") == replaced.partner == replace(registered, name="Renamed")
    assert replaced.kept == ("version",)


def test_an_unknown_partner_is_not_replaced(registry: DynamoRegistry) -> None:
    with pytest.raises(UnknownEntity):
        registry.replace_partner(partner())
    assert registry.list_partners() == ()


def test_partners_are_listed_by_id(registry: DynamoRegistry) -> None:
    for partner_id in ("b", "a"):
        registry.add_partner(partner(partner_id), [], NEW_YEAR)
    assert [one.partner_id for one in registry.list_partners()] == ["a", "b"]


def test_a_removed_partner_leaves_nothing_behind_that_a_later_one_could_inherit(
    furnished: DynamoRegistry, tables: AwsTables
) -> None:
    furnished.add_partner(partner("other"), ["hash-2"], NEW_YEAR)
    furnished.add_assignments(
        [assignment(), assignment("other", right=Right.SEE), assignment(key="loc1", scope=Scope.LOCATION)]
    )
    removed = furnished.remove_partner("jedlix")
    assert removed.tokens == 1
    assert len(removed.assignments) == 2
    assert furnished.list_tokens("jedlix") == ()
    assert furnished.list_assignments() == (assignment("other", right=Right.SEE),)
    left = [item for item in tables.items(tables.registry) if "'jedlix'" in str(item)]
    # Its live sessions are looked at once more, so that its plans are cleared; with that the item goes.
    assert [item["entity"]["S"] for item in left] == ["reassessment"]


def test_a_removal_that_was_interrupted_is_completed_by_the_next(furnished: DynamoRegistry, tables: AwsTables) -> None:
    furnished.add_assignments([assignment()])
    tables.client.delete_item(TableName=tables.registry, Key={"pk": {"S": "PARTNER"}, "sk": {"S": "jedlix"}})
    assert furnished.remove_partner("jedlix").assignments == (assignment(),)
    assert furnished.list_assignments() == ()


def test_an_unknown_partner_is_not_removed(registry: DynamoRegistry) -> None:
    with pytest.raises(UnknownEntity):
        registry.remove_partner("jedlix")


# --- CSMSs -----------------------------------------------------------------------------------------------------------


def test_a_csms_is_added_once_and_replaced(registry: DynamoRegistry) -> None:
    registry.add_csms(csms())
    with pytest.raises(RegistrationRefused) as refused:
        registry.add_csms(csms())
    assert fields(refused) == ["csms_id"]
    registry.replace_csms(csms(base_url="https://new.example"))
    assert registry.list_csmss() == (csms(base_url="https://new.example"),)


def test_an_unknown_csms_is_not_replaced(registry: DynamoRegistry) -> None:
    with pytest.raises(UnknownEntity):
        registry.replace_csms(csms())
    assert registry.get_csms("acme") is None


# --- Stations --------------------------------------------------------------------------------------------------------


def test_stations_are_imported_and_found(furnished: DynamoRegistry) -> None:
    assert furnished.get_station("acme", "CP-001") == station()
    assert furnished.get_station("acme", "CP-002") is None
    assert furnished.list_stations("acme") == (station(),)


def test_stations_need_their_csms(registry: DynamoRegistry, tables: AwsTables) -> None:
    with pytest.raises(UnknownEntity):
        registry.import_stations("acme", [station()])
    assert keys(tables) == set()


def test_an_import_replaces_and_leaves_other_stations_alone(furnished: DynamoRegistry) -> None:
    furnished.import_stations("acme", [station("CP-002", ("X",))])
    imported = furnished.import_stations("acme", [station(max_amperage=16), station("CP-002", ("X",))])
    assert imported.unchanged == ("CP-002",)
    assert furnished.list_stations("acme") == (station(max_amperage=16), station("CP-002", ("X",)))


def test_an_import_without_changes_writes_nothing(furnished: DynamoRegistry, tables: AwsTables) -> None:
    before = tables.items(tables.registry)
    furnished.import_stations("acme", [station()])
    assert tables.items(tables.registry) == before


def test_an_evse_that_a_station_lost_is_free_for_another(furnished: DynamoRegistry) -> None:
    furnished.import_stations("acme", [station(evse_uids=("A",))])
    furnished.import_stations("acme", [station("CP-002", ("BE*BEC*E041503001",))])
    assert furnished.get_station("acme", "CP-002") is not None


def test_a_station_that_changes_its_location_is_at_the_new_one_only(
    furnished: DynamoRegistry, tables: AwsTables
) -> None:
    furnished.import_stations("acme", [station(location_id="LOC2")])
    assert [pk for pk, _ in keys(tables) if pk.startswith("LOCATION")] == ["LOCATION#loc2"]


def test_an_evse_of_another_station_refuses_the_whole_import(furnished: DynamoRegistry, tables: AwsTables) -> None:
    before = keys(tables)
    with pytest.raises(RegistrationRefused) as refused:
        furnished.import_stations("acme", [station("CP-002", ("X",)), station("CP-003", ("be*bec*e041503001",))])
    assert fields(refused) == ["stations.1.evses.0.uid"]
    assert keys(tables) == before


def test_an_evse_of_another_csms_refuses_the_import(furnished: DynamoRegistry) -> None:
    furnished.add_csms(csms("other"))
    with pytest.raises(RegistrationRefused) as refused:
        furnished.import_stations("other", [station("CP-001", csms_id="other")])
    assert fields(refused) == ["stations.0.evses.0.uid"]


def test_two_stations_may_exchange_their_evses(furnished: DynamoRegistry) -> None:
    furnished.import_stations("acme", [station("CP-001", ("A",)), station("CP-002", ("B",))])
    exchanged = [station("CP-001", ("B",)), station("CP-002", ("A",))]
    furnished.import_stations("acme", exchanged)
    assert furnished.list_stations("acme") == tuple(exchanged)
    with pytest.raises(RegistrationRefused) as refused:
        furnished.import_stations("acme", [station("CP-003", ("A", "B"))])
    assert "'CP-002'" in str(refused.value)
    assert "'CP-001'" in str(refused.value)


def test_more_stations_than_one_transaction_or_read_can_take_are_imported(
    furnished: DynamoRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry_table, "TRANSACTION_LIMIT", 10)
    monkeypatch.setattr(registry_table, "READ_LIMIT", 5)
    many = [station(f"CP-{number}", (f"E{number}",)) for number in range(100, 112)]
    assert len(furnished.import_stations("acme", many).groups) == 12
    assert len(furnished.list_stations("acme")) == 13
    assert len(furnished.import_stations("acme", many).unchanged) == 12


def test_a_station_too_large_for_one_transaction_is_refused(furnished: DynamoRegistry) -> None:
    giant = station("CP-002", tuple(f"E{number}" for number in range(100)))
    with pytest.raises(RegistrationRefused) as refused:
        furnished.import_stations("acme", [giant])
    assert fields(refused) == ["stations"]
    assert furnished.get_station("acme", "CP-002") is None


def test_a_removed_station_frees_its_evses_and_its_location(furnished: DynamoRegistry, tables: AwsTables) -> None:
    assert furnished.remove_station("acme", "CP-001") == station()
    assert {pk for pk, _ in keys(tables)} == {"PARTNER", "TOKEN", "CSMS"}
    with pytest.raises(UnknownEntity):
        furnished.remove_station("acme", "CP-001")


def test_an_import_counts_the_versions_of_what_it_changes(furnished: DynamoRegistry) -> None:
    furnished.import_stations("acme", [station(max_amperage=16), station("CP-002", ("X",))])
    furnished.import_stations("acme", [station(max_amperage=16), station("CP-002", ("X",), max_amperage=10)])
    assert [(one.station_id, version) for one, version in furnished.versioned_stations("acme")] == [
        ("CP-001", 2),
        ("CP-002", 2),
    ]
    found = furnished.versioned_station("acme", "CP-001")
    assert found == (station(max_amperage=16), 2)
    assert furnished.versioned_station("acme", "CP-009") is None


def test_a_change_from_an_older_version_refuses_the_whole_import(furnished: DynamoRegistry) -> None:
    furnished.import_stations("acme", [station(max_amperage=16)])
    mine = [station("CP-002", ("X",)), station(max_amperage=10)]
    with pytest.raises(RegistrationRefused) as refused:
        furnished.import_stations("acme", mine, {"CP-001": 1})
    assert fields(refused) == ["stations.1.version"]
    assert furnished.list_stations("acme") == (station(max_amperage=16),)
    furnished.import_stations("acme", mine, {"CP-001": 2})
    assert furnished.get_station("acme", "CP-001") == station(max_amperage=10)


def test_a_version_of_a_station_that_was_removed_since_is_refused(furnished: DynamoRegistry) -> None:
    furnished.remove_station("acme", "CP-001")
    with pytest.raises(RegistrationRefused) as refused:
        furnished.import_stations("acme", [station()], {"CP-001": 1})
    assert "was removed" in str(refused.value)


def test_what_stays_as_it_is_may_be_of_any_version(furnished: DynamoRegistry) -> None:
    furnished.import_stations("acme", [station(max_amperage=16)])
    assert furnished.import_stations("acme", [station(max_amperage=16)], {"CP-001": 1}).unchanged == ("CP-001",)


def test_a_planned_import_writes_nothing(furnished: DynamoRegistry, tables: AwsTables) -> None:
    before = tables.items(tables.registry)
    planned = furnished.plan_import("acme", [station(max_amperage=16), station("CP-002", ("X",))])
    assert sorted(change.station.station_id for group in planned.groups for change in group) == ["CP-001", "CP-002"]
    with pytest.raises(RegistrationRefused):
        furnished.plan_import("acme", [station(max_amperage=16)], {"CP-001": 7})
    with pytest.raises(UnknownEntity):
        furnished.plan_import("none", [])
    assert tables.items(tables.registry) == before


def test_the_owner_of_an_evse_is_found_without_case(furnished: DynamoRegistry) -> None:
    assert furnished.owner("be*bec*e041503001") == ("acme", "CP-001")
    assert furnished.owner("X") is None


# --- Removal of a CSMS -----------------------------------------------------------------------------------------------


def test_a_csms_is_not_removed_while_it_has_stations(furnished: DynamoRegistry, tables: AwsTables) -> None:
    before = tables.items(tables.registry)
    with pytest.raises(RegistrationRefused) as refused:
        furnished.remove_csms("acme", with_stations=False)
    assert fields(refused) == ["csms_id"]
    assert tables.items(tables.registry) == before


def test_a_removed_csms_takes_its_stations_with_it_if_that_is_meant(
    furnished: DynamoRegistry, tables: AwsTables
) -> None:
    furnished.import_stations("acme", [station("CP-002", ("X",))])
    furnished.add_csms(csms("other"))
    removed = furnished.remove_csms("acme", with_stations=True)
    assert [one.station_id for one in removed] == ["CP-001", "CP-002"]
    assert keys(tables) == {("PARTNER", "jedlix"), ("TOKEN", "hash-1"), ("CSMS", "other")}
    assert furnished.remove_csms("other", with_stations=False) == ()
    with pytest.raises(UnknownEntity):
        furnished.remove_csms("acme", with_stations=True)


def test_an_interrupted_removal_of_a_csms_is_completed_by_doing_it_again(
    furnished: DynamoRegistry, tables: AwsTables
) -> None:
    tables.client.delete_item(TableName=tables.registry, Key=dynamo.key("CSMS", "acme"))
    with pytest.raises(RegistrationRefused):
        furnished.remove_csms("acme", with_stations=False)
    assert furnished.remove_csms("acme", with_stations=True) == (station(),)
    assert furnished.list_stations("acme") == ()


# --- Assignments -----------------------------------------------------------------------------------------------------


def test_assignments_are_added_listed_and_revoked(furnished: DynamoRegistry, tables: AwsTables) -> None:
    by_token = assignment(scope=Scope.TOKEN, key="04A1B2C3", right=Right.SEE)
    furnished.add_assignments([assignment(), by_token])
    assert set(furnished.list_assignments("jedlix")) == {assignment(), by_token}
    assert furnished.list_assignments(scope=Scope.TOKEN) == (by_token,)
    assert furnished.list_assignments("other") == ()
    assert furnished.revoke_assignment("jedlix", Scope.TOKEN, "04a1b2c3") == by_token
    assert furnished.list_assignments() == (assignment(),)
    assert not any("04a1b2c3" in sk for _, sk in keys(tables))


def test_adding_the_same_assignments_again_changes_nothing(furnished: DynamoRegistry, tables: AwsTables) -> None:
    furnished.add_assignments([assignment()])
    before = tables.items(tables.registry)
    furnished.add_assignments([assignment()])
    assert tables.items(tables.registry) == before


def test_assignments_are_added_however_many_partners_there_are(furnished: DynamoRegistry, tables: AwsTables) -> None:
    for number in range(120):
        furnished.add_partner(partner(f"partner-{number}"), [f"hash-of-{number}"], NEW_YEAR)
    furnished.add_assignments([assignment()])
    assert furnished.list_assignments() == (assignment(),)
    assert ("REASSESSMENT", "*") in keys(tables)


def test_revoking_one_partners_assignment_leaves_the_others(furnished: DynamoRegistry) -> None:
    furnished.add_partner(partner("other"), [], NEW_YEAR)
    furnished.add_assignments([assignment(), assignment("other", right=Right.SEE)])
    furnished.revoke_assignment("jedlix", Scope.EVSE, assignment().key)
    assert furnished.list_assignments() == (assignment("other", right=Right.SEE),)


def test_an_unknown_assignment_is_not_revoked(furnished: DynamoRegistry) -> None:
    with pytest.raises(UnknownEntity):
        furnished.revoke_assignment("jedlix", Scope.EVSE, "X")


def test_every_unknown_reference_is_told_and_nothing_is_written(furnished: DynamoRegistry) -> None:
    with pytest.raises(RegistrationRefused) as refused:
        furnished.add_assignments(
            [
                assignment(),
                assignment("stranger", Scope.TOKEN, "04A1B2C3"),
                assignment(key="NO-SUCH-EVSE"),
                assignment(scope=Scope.LOCATION, key="NOWHERE"),
            ]
        )
    assert fields(refused) == ["assignments.1.partner_id", "assignments.2.key", "assignments.3.key"]
    assert furnished.list_assignments() == ()


def test_two_partners_are_not_given_the_same_evse_to_steer(furnished: DynamoRegistry) -> None:
    furnished.add_partner(partner("other"), [], NEW_YEAR)
    furnished.add_assignments([assignment("other", valid_until=NEW_YEAR + timedelta(days=30))])
    with pytest.raises(RegistrationRefused) as refused:
        furnished.add_assignments([assignment()])
    assert fields(refused) == ["assignments.0.right"]
    furnished.add_assignments([assignment(valid_from=NEW_YEAR + timedelta(days=30))])
    assert len(furnished.list_assignments()) == 2


# --- Others write at the same time -----------------------------------------------------------------------------------


class Interrupted:
    """A client that lets somebody else write before each transaction of ours."""

    def __init__(self, client: "DynamoDBClient", interruptions: Iterable[Callable[[], object]]) -> None:
        self._client = client
        self._interruptions = list(interruptions)

    def __getattr__(self, name: str) -> object:
        return getattr(self._client, name)

    def transact_write_items(self, **request: Unpack["TransactWriteItemsInputTypeDef"]) -> object:
        if self._interruptions:
            self._interruptions.pop(0)()
        return self._client.transact_write_items(**request)


def interrupted(tables: AwsTables, *interruptions: Callable[[], object]) -> DynamoRegistry:
    client = cast("DynamoDBClient", Interrupted(tables.client, interruptions))
    return DynamoRegistry(client, tables.registry, pause=lambda _: None)


def test_an_assignment_that_another_operator_adds_meanwhile_is_kept(
    furnished: DynamoRegistry, tables: AwsTables
) -> None:
    furnished.add_partner(partner("other"), [], NEW_YEAR)
    other = assignment("other", right=Right.SEE)
    interrupted(tables, lambda: furnished.add_assignments([other])).add_assignments([assignment()])
    assert set(furnished.list_assignments()) == {assignment(), other}


def test_a_rival_that_another_operator_adds_meanwhile_is_noticed(furnished: DynamoRegistry, tables: AwsTables) -> None:
    furnished.add_partner(partner("other"), [], NEW_YEAR)
    rival = interrupted(tables, lambda: furnished.add_assignments([assignment("other")]))
    with pytest.raises(RegistrationRefused):
        rival.add_assignments([assignment()])
    assert furnished.list_assignments() == (assignment("other"),)


def test_no_assignment_is_added_to_a_partner_that_is_removed_meanwhile(
    furnished: DynamoRegistry, tables: AwsTables
) -> None:
    with pytest.raises(RegistrationRefused):
        interrupted(tables, lambda: furnished.remove_partner("jedlix")).add_assignments([assignment()])
    assert furnished.list_assignments() == ()


def test_an_evse_that_another_operator_imports_meanwhile_is_not_given_away_twice(
    furnished: DynamoRegistry, tables: AwsTables
) -> None:
    def other() -> None:
        furnished.import_stations("acme", [station("CP-002", ("X",))])

    with pytest.raises(RegistrationRefused):
        interrupted(tables, other).import_stations("acme", [station("CP-003", ("X",))])
    assert furnished.get_station("acme", "CP-003") is None


def test_a_station_that_another_operator_changes_meanwhile_is_not_overwritten(
    furnished: DynamoRegistry, tables: AwsTables
) -> None:
    theirs = station(max_amperage=16)
    rival = interrupted(tables, lambda: furnished.import_stations("acme", [theirs]))
    with pytest.raises(RegistrationRefused) as refused:
        rival.import_stations("acme", [station(max_amperage=10)], {"CP-001": 1})
    assert fields(refused) == ["stations.0.version"]
    assert furnished.get_station("acme", "CP-001") == theirs


def test_a_station_imported_while_its_csms_is_removed_is_not_left_alone(
    furnished: DynamoRegistry, tables: AwsTables
) -> None:
    furnished.remove_station("acme", "CP-001")
    late = interrupted(tables, lambda: furnished.import_stations("acme", [station("CP-002", ("X",))]))
    assert [one.station_id for one in late.remove_csms("acme", with_stations=False)] == ["CP-002"]
    assert (furnished.list_csmss(), furnished.list_stations("acme")) == ((), ())


def test_two_partners_added_at_once_with_one_id_are_one(registry: DynamoRegistry, tables: AwsTables) -> None:
    def other() -> None:
        registry.add_partner(partner(name="First"), [], NEW_YEAR)

    with pytest.raises(RegistrationRefused):
        interrupted(tables, other).add_partner(partner(name="Second"), [], NEW_YEAR)
    assert registry.list_partners() == (partner(name="First"),)


def test_a_change_that_never_gets_through_says_so(registry: DynamoRegistry, tables: AwsTables) -> None:
    registry.add_csms(csms())
    names = iter(range(100))

    def other() -> None:
        registry.replace_csms(csms(base_url=f"https://{next(names)}.example"))

    with pytest.raises(Contended):
        interrupted(tables, *[other] * 50).replace_csms(csms())
