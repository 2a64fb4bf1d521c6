"""The Session object for one partner, and what of it a PATCH says. No token leaves us as it is without consent."""

import json
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from ocpi_bridge.domain.assignments import Rights, Share
from ocpi_bridge.domain.events import EventType, IdToken, SessionStatus
from ocpi_bridge.domain.prices import Price
from ocpi_bridge.domain.sessions import ChargingPeriod, Session
from ocpi_bridge.ocpi.sessions import changed_fields, charging_periods, session_fields
from ocpi_bridge.ocpi.transport import dumps
from tests.support.clocks import START
from tests.support.fixtures import ocpi_fixture
from tests.support.world import CARD, event, session_of

KEY = b"key of the pseudonyms"


def session(token: IdToken | None = CARD) -> Session:
    return session_of(event(EventType.TRANSACTION_STARTED, meter="1000", token=token))


def token_at(partner_id: str, given: Session | None = None, key: bytes = KEY) -> dict[str, str]:
    fields = json.loads(dumps(session_fields(given or session(), partner_id, key)))
    token: dict[str, str] = fields["cdr_token"]
    return token


# --- The object ------------------------------------------------------------------------------------------------------


def test_an_active_session_has_the_fields_of_the_object_and_no_other() -> None:
    fixture = ocpi_fixture("constructed/sessions/session_put_active")
    fields = session_fields(session(), "jedlix", KEY)
    assert fields.keys() == fixture.keys()
    assert fields | {"cdr_token": None} == {
        "country_code": "NL",
        "party_id": "ACM",
        "id": session().session_id,
        "start_date_time": "2026-01-15T17:00:00Z",
        "kwh": Decimal(0),
        "cdr_token": None,
        "auth_method": "WHITELIST",
        "location_id": "LOC1",
        "evse_uid": "BE*BEC*E041503001",
        "connector_id": "1",
        "currency": "EUR",
        "status": "ACTIVE",
        "last_updated": "2026-01-15T17:00:00Z",
    }
    assert token_at("jedlix").keys() == fixture["cdr_token"].keys()


def test_a_session_that_ended_says_when() -> None:
    ended = replace(session(), status=SessionStatus.COMPLETED, end=START + timedelta(hours=3))
    fields = session_fields(ended, "jedlix", KEY)
    assert (fields["status"], fields["end_date_time"]) == ("COMPLETED", "2026-01-15T20:00:00Z")


def test_energy_is_told_in_kwh() -> None:
    charged = replace(session(), meter_start_wh=Decimal(1000), meter_wh=Decimal("3170.4"))
    assert session_fields(charged, "jedlix", KEY)["kwh"] == Decimal("2.170")


# --- Pseudonyms ------------------------------------------------------------------------------------------------------


def test_the_drivers_token_and_contract_appear_nowhere_in_the_object() -> None:
    text = dumps(session_fields(session(), "jedlix", KEY)).casefold()
    assert CARD.contract_id is not None
    for secret in (CARD.uid, CARD.contract_id, "C12345678"):
        assert secret.casefold() not in text


def test_a_driver_has_one_pseudonym_at_a_partner_and_another_at_the_next() -> None:
    first, again = token_at("jedlix"), token_at("jedlix", replace(session(), session_id="another"))
    assert first == again
    other = token_at("other")
    assert {first["uid"], first["contract_id"]}.isdisjoint({other["uid"], other["contract_id"]})


def test_pseudonyms_depend_on_the_secret_key() -> None:
    assert token_at("jedlix")["uid"] != token_at("jedlix", key=b"another key")["uid"]


def test_two_drivers_have_two_pseudonyms_and_one_driver_one_however_a_reader_spells_the_uid() -> None:
    lower = token_at("jedlix", session(replace(CARD, uid=CARD.uid.lower())))
    assert lower["uid"] == token_at("jedlix")["uid"]
    assert token_at("jedlix", session(replace(CARD, uid="04DD")))["uid"] != token_at("jedlix")["uid"]


def test_a_pseudonym_fits_where_the_uid_stood() -> None:
    assert all(len(value) <= 36 and value.isascii() for value in token_at("jedlix").values())


def test_the_token_belongs_to_the_emsp_that_the_contract_names() -> None:
    assert (token_at("jedlix")["country_code"], token_at("jedlix")["party_id"]) == ("NL", "TNM")
    plain = session(IdToken("04AA", contract_id="BEABCC12345678X"))
    assert (token_at("jedlix", plain)["country_code"], token_at("jedlix", plain)["party_id"]) == ("BE", "ABC")


@pytest.mark.parametrize("contract_id", [None, "12345678901234", "customer 17", "NL-TNM"])
def test_without_a_contract_that_names_an_emsp_the_token_belongs_to_the_cpo(contract_id: str | None) -> None:
    token = token_at("jedlix", session(IdToken("04AA", contract_id=contract_id)))
    assert (token["country_code"], token["party_id"]) == ("NL", "ACM")


def test_a_session_without_a_token_has_one_of_its_own() -> None:
    token = token_at("jedlix", session(token=None))
    assert token["type"] == "OTHER"
    assert token["uid"] != token_at("jedlix", replace(session(token=None), session_id="another"))["uid"]


# --- Consent ---------------------------------------------------------------------------------------------------------


def shared(given: Session, **shares: Share) -> Session:
    """The session, seen by both partners, with what its driver consented that each may know."""
    rights = Rights(
        frozenset({"jedlix", "other"}), "jedlix", {name: frozenset({share}) for name, share in shares.items()}
    )
    return replace(given, rights=rights)


def test_with_the_drivers_consent_a_partner_is_told_token_and_contract_as_they_are() -> None:
    told = token_at("jedlix", shared(session(), jedlix=Share.TOKEN))
    assert (told["uid"], told["contract_id"]) == ("04AA-BB-CC", "NL-TNM-C12345678-X")


def test_consent_is_for_the_partner_that_it_names_and_for_what_it_names() -> None:
    given = shared(session(), jedlix=Share.TOKEN, other=Share.STATE_OF_CHARGE)
    assert token_at("other", given) == token_at("other")


def test_a_token_without_a_contract_stands_for_both_with_consent_too() -> None:
    told = token_at("jedlix", shared(session(IdToken("04AA")), jedlix=Share.TOKEN))
    assert (told["uid"], told["contract_id"]) == ("04AA", "04AA")


# --- Cost ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", ["2.2.1", "2.3.0"])
def test_the_total_cost_is_told_as_the_version_has_it(version: str) -> None:
    fixture = ocpi_fixture(f"spec-{version}/session_patch_example_total_cost")
    priced = replace(session(), total_cost=Price(Decimal("0.60"), Decimal("0.66")))
    assert session_fields(priced, "jedlix", KEY, version)["total_cost"] == fixture["total_cost"]


def test_versions_differ_in_nothing_but_the_price() -> None:
    priced = replace(session(), total_cost=Price(Decimal(1)))
    older, newer = (session_fields(priced, "jedlix", KEY, version) for version in ("2.2.1", "2.3.0"))
    assert {name for name in older | newer if older.get(name) != newer.get(name)} == {"total_cost"}


def test_a_session_of_unknown_cost_is_not_told_to_be_free() -> None:
    assert "total_cost" not in session_fields(session(), "jedlix", KEY)


# --- Periods and PATCH -----------------------------------------------------------------------------------------------


def test_a_period_tells_kwh_kw_amperes_and_hours() -> None:
    fixture = ocpi_fixture("constructed/sessions/session_patch_new_charging_period")["charging_periods"][1]
    period = ChargingPeriod(
        index=2,
        start=START + timedelta(minutes=5),
        end=START + timedelta(minutes=10),
        energy=Decimal("0.92"),
        power=Decimal("11.04"),
        current=Decimal(48),
    )
    assert json.loads(dumps(charging_periods([period])), parse_float=Decimal) == [fixture]


@pytest.mark.parametrize(
    ("shares", "told"),
    [
        (frozenset({Share.STATE_OF_CHARGE}), {"ENERGY": 1, "POWER": 4, "STATE_OF_CHARGE": 55, "TIME": 0.25}),
        (frozenset({Share.TOKEN}), {"ENERGY": 1, "POWER": 4, "TIME": 0.25}),
        (frozenset(), {"ENERGY": 1, "POWER": 4, "TIME": 0.25}),
    ],
    ids=["with consent", "with consent to something else", "without"],
)
def test_a_state_of_charge_is_told_where_it_is_known_and_the_driver_consents(
    shares: frozenset[Share], told: dict[str, float]
) -> None:
    period = ChargingPeriod(1, START, START + timedelta(minutes=15), Decimal(1), Decimal(4), soc=Decimal(55))
    sent = json.loads(dumps(charging_periods([period], shares)))[0]["dimensions"]
    assert {dimension["type"]: dimension["volume"] for dimension in sent} == told


@pytest.mark.parametrize(
    ("parking", "told"),
    [
        (None, {"TIME": 0.25}),
        (Decimal("0.25"), {"TIME": 0, "PARKING_TIME": 0.25}),
    ],
)
def test_hours_of_parking_are_none_of_charging(parking: Decimal | None, told: dict[str, float]) -> None:
    period = ChargingPeriod(1, START, START + timedelta(minutes=15), Decimal(0), Decimal(0), parking=parking)
    sent = json.loads(dumps(charging_periods([period])))[0]["dimensions"]
    assert {one["type"]: one["volume"] for one in sent if one["type"].endswith("TIME")} == told


def test_a_patch_says_what_changed_and_always_when() -> None:
    fixture = ocpi_fixture("constructed/sessions/session_patch_completed")
    known = session_fields(session(), "jedlix", KEY)
    ended = replace(
        session(),
        status=SessionStatus.COMPLETED,
        end=START + timedelta(hours=3),
        meter_wh=Decimal(22_300),
        last_updated=START + timedelta(hours=3, seconds=3),
    )
    assert changed_fields(known, session_fields(ended, "jedlix", KEY)) == fixture


def test_a_patch_of_nothing_new_still_says_when() -> None:
    known = session_fields(session(), "jedlix", KEY)
    assert changed_fields(known, known) == {"last_updated": "2026-01-15T17:00:00Z"}


def test_what_was_pushed_compares_equal_after_it_was_stored() -> None:
    known = session_fields(replace(session(), meter_wh=Decimal(3170)), "jedlix", KEY)
    stored = json.loads(dumps(known), parse_float=Decimal)
    assert changed_fields(stored, known).keys() == {"last_updated"}
