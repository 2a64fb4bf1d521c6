from dataclasses import replace
from decimal import Decimal

import pytest

from ocpi_bridge.adapters.dynamodb import partner_items, registry_items, signatures, tables, token_items
from ocpi_bridge.domain.assignments import Scope
from ocpi_bridge.domain.partners import OAuth2Client, Partner, Party, Rate, TokenEncoding
from ocpi_bridge.domain.plans import RateUnit
from ocpi_bridge.domain.stations import Csms, CsmsAuth, CsmsDriver, Quirk, Replacement, Station, StationState
from ocpi_bridge.domain.tokens import AcceptedToken
from tests.support.registry_entries import NEW_YEAR, assignment, csms, partner, station

FULL_PARTNER = replace(
    partner(),
    charging_profiles_url="https://ocpi.jedlix.com/ocpi/2.2.1/chargingprofiles",
    token_encoding=TokenEncoding.PLAIN,
    rate=Rate(3, Decimal("0.5")),
    fail_safe=None,
)
FULL_CSMS = replace(csms(), auth=CsmsAuth.HEADER, auth_header="X-Api-Key", replacement=Replacement.CLEAR_THEN_SET)
BUS_CSMS = replace(
    csms(),
    driver=CsmsDriver.BUS,
    preset="",
    base_url="",
    auth=CsmsAuth.OAUTH2,
    oauth2=OAuth2Client("https://login.example/token", "us"),
    bus_accounts=("111122223333",),
)
FULL_STATION = replace(
    station(),
    allowed_units=frozenset({RateUnit.AMPERE}),
    preferred_unit=RateUnit.AMPERE,
    quirks=frozenset({Quirk.NO_COMPOSITE, Quirk.NO_NUMBER_PHASES}),
)


def stored(item: tables.PlainItem) -> tables.PlainItem:
    """The item as DynamoDB gives it back."""
    return tables.from_item(tables.to_item(item))


@pytest.mark.parametrize("entry", [partner(), FULL_PARTNER])
def test_a_partner_survives_being_stored(entry: Partner) -> None:
    assert partner_items.partner_of(stored(partner_items.partner_item(entry, 1))) == entry


@pytest.mark.parametrize("entry", [csms(), FULL_CSMS, BUS_CSMS])
def test_a_csms_survives_being_stored(entry: Csms) -> None:
    assert registry_items.csms_of(stored(registry_items.csms_item(entry, 1))) == entry


@pytest.mark.parametrize("entry", [station(), FULL_STATION])
def test_a_station_survives_being_stored(entry: Station) -> None:
    assert registry_items.station_of(stored(registry_items.station_item(entry, 1))) == entry


def test_assignments_survive_being_stored_and_come_back_by_partner() -> None:
    held = (assignment("b"), assignment("a", valid_until=NEW_YEAR.replace(year=2027)))
    item = stored(registry_items.assignments_item(Scope.EVSE, held[0].key, held, 1))
    assert registry_items.assignments_of(item) == (held[1], held[0])


def test_a_token_survives_being_stored() -> None:
    token = AcceptedToken("ab" * 32, "jedlix", Party("NL", "JED"), NEW_YEAR)
    assert token_items.token_of(stored(token_items.token_item(token))) == token


def test_ids_without_case_have_one_key_however_they_are_spelled() -> None:
    assert registry_items.evse_key("BE*Bec") == registry_items.evse_key("be*BEC")
    assert registry_items.assignments_key(Scope.EMSP, "NL/JDX") == registry_items.assignments_key(Scope.EMSP, "nl/jdx")
    assert registry_items.location_key("LOC1", "a", "b") == registry_items.location_key("loc1", "a", "b")


def test_station_ids_are_ocpp_identities_and_compared_exactly() -> None:
    assert registry_items.station_key("acme", "CP-1") != registry_items.station_key("acme", "cp-1")


def test_keys_of_different_kinds_never_meet() -> None:
    keys = [
        partner_items.partner_key("x"),
        token_items.token_key("x"),
        registry_items.csms_key("x"),
        registry_items.station_key("x", "x"),
        registry_items.station_state_key("x", "x"),
        registry_items.evse_key("x"),
        registry_items.location_key("x", "x", "x"),
        signatures.signature_key("x", "x"),
        *(registry_items.assignments_key(scope, "x") for scope in Scope),
    ]
    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize(
    ("item", "state"),
    [
        (None, StationState(online=None)),
        ({"online_at": Decimal(1)}, StationState(online=None)),
        ({"online": False}, StationState(online=False)),
        ({"online": True, "steering_suspended": True}, StationState(online=True, steering_suspended=True)),
    ],
)
def test_what_no_event_said_about_a_station_is_unknown(item: tables.PlainItem | None, state: StationState) -> None:
    assert registry_items.station_state_of(item) == state


def test_no_item_means_no_assignments_and_version_0() -> None:
    assert registry_items.assignments_of(None) == ()
    assert registry_items.version_of(None) == 0


def test_an_attribute_that_a_later_version_wrote_is_ignored() -> None:
    item = partner_items.partner_item(partner(), 1)
    later = {**item, "document": str(item["document"]).replace("{", '{"invented_later":1,', 1)}
    assert partner_items.partner_of(later) == partner()
