"""A Session in the form of its version, and sessions that live through a change of version."""

from decimal import Decimal
from typing import Any

import pytest

from tools.partner_simulator import OcpiVersion, Party
from tools.partner_simulator.models import Price, TaxedPrice
from tools.partner_simulator.session_forms import SessionInvalidError, read_session
from tools.partner_simulator.sessions import ObjectRefusedError, SessionStore
from tools.partner_simulator.transport import Violations

Json = dict[str, Any]

V221, V230 = OcpiVersion.V221, OcpiVersion.V230
CPO = Party("NL", "CPO")
TOKEN: Json = {"country_code": "NL", "party_id": "MSP", "uid": "p-1", "type": "RFID", "contract_id": "p-2"}
SESSION: Json = {
    "country_code": "NL",
    "party_id": "CPO",
    "id": "session-1",
    "start_date_time": "2026-01-15T16:58:12Z",
    "kwh": 0,
    "cdr_token": TOKEN,
    "auth_method": "WHITELIST",
    "location_id": "LOC1",
    "evse_uid": "3256",
    "connector_id": "1",
    "currency": "EUR",
    "status": "ACTIVE",
    "last_updated": "2026-01-15T16:58:12Z",
}
OLD_PRICE: Json = {"excl_vat": 2, "incl_vat": Decimal("2.42")}
NEW_PRICE: Json = {"before_taxes": 2, "taxes": [{"name": "VAT", "percentage": 21, "amount": Decimal("0.42")}]}
LATER = "2026-01-15T17:05:00Z"


@pytest.fixture
def store() -> SessionStore:
    return SessionStore(Violations())


def test_each_version_has_its_price() -> None:
    assert isinstance(read_session({**SESSION, "total_cost": OLD_PRICE}, V221).total_cost, Price)
    assert isinstance(read_session({**SESSION, "total_cost": NEW_PRICE}, V230).total_cost, TaxedPrice)
    assert read_session({**SESSION, "total_cost": None}, V230).total_cost is None


@pytest.mark.parametrize(
    ("version", "cost", "expected"),
    [
        (V221, NEW_PRICE, "total_cost: excl_vat"),
        (V230, OLD_PRICE, "total_cost: before_taxes"),
        (V230, {"before_taxes": "2"}, "total_cost: before_taxes"),
        (V230, {"before_taxes": 2, "taxes": [{"name": "VAT"}]}, "total_cost: taxes.0.amount"),
        (V230, {"before_taxes": 2, "taxes": {"name": "VAT", "amount": 1}}, "total_cost: taxes"),
    ],
)
def test_a_price_of_another_form_is_refused(version: OcpiVersion, cost: Json, expected: str) -> None:
    with pytest.raises(SessionInvalidError, match=expected):
        read_session({**SESSION, "total_cost": cost}, version)


@pytest.mark.parametrize("kind", ["EMAID", "CUSTOM_CARD"])
def test_token_types_are_open_in_2_3_0_only(kind: str) -> None:
    session = {**SESSION, "cdr_token": {**TOKEN, "type": kind}}

    assert read_session(session, V230).cdr_token.type == kind
    with pytest.raises(SessionInvalidError, match=r"cdr_token\.type"):
        read_session(session, V221)


@pytest.mark.parametrize("body", [{**SESSION, "new": 1}, {**SESSION, "cdr_token": {**TOKEN, "new": 1}}])
def test_unknown_fields_are_tolerated_in_2_3_0_only(body: Json) -> None:
    assert read_session(body, V230).id == "session-1"
    with pytest.raises(SessionInvalidError, match="new"):
        read_session(body, V221)


def test_a_session_lives_through_a_change_of_version(store: SessionStore) -> None:
    store.put(CPO, "session-1", {**SESSION, "total_cost": OLD_PRICE, "status": "ACTIVE"}, V221)
    store.patch(CPO, "session-1", {"kwh": 1, "last_updated": LATER}, V230)
    session = store.patch(CPO, "session-1", {"total_cost": NEW_PRICE, "last_updated": LATER}, V230)

    assert isinstance(session.total_cost, TaxedPrice)
    assert store.patch(CPO, "session-1", {"kwh": 2, "last_updated": LATER}, V221).kwh == 2


def test_a_patch_has_the_form_of_its_version(store: SessionStore) -> None:
    store.put(CPO, "session-1", SESSION, V230)

    with pytest.raises(ObjectRefusedError, match="excl_vat"):
        store.patch(CPO, "session-1", {"total_cost": NEW_PRICE, "last_updated": LATER}, V221)
    with pytest.raises(ObjectRefusedError, match="new"):
        store.patch(CPO, "session-1", {"new": 1, "last_updated": LATER}, V221)
    assert store.patch(CPO, "session-1", {"new": 1, "last_updated": LATER}, V230).id == "session-1"
    # What nobody defined is not kept, so that it cannot turn up in another version.
    assert store.patch(CPO, "SESSION-1", {"kwh": 1, "last_updated": LATER}, V221).kwh == 1
