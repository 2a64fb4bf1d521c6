from dataclasses import fields, replace
from decimal import Decimal
from typing import Any

import pytest

from ocpi_bridge.domain.partners import (
    OAuth2Client,
    OutboundAuth,
    Pairing,
    Partner,
    Party,
    Rate,
    Registration,
    TokenEncoding,
)
from ocpi_bridge.domain.replacements import replacement
from tests.support.registry_entries import partner

JDX, SUB = Party("NL", "JDX"), Party("DE", "JDS")
STATIC = partner()
REGISTERED = replace(
    STATIC,
    registration=Registration.REGISTERED,
    credential="c7",
    parties=(JDX, SUB),
    version="2.3.0",
    versions_url="https://ocpi.jedlix.com/versions",
    sessions_url="https://ocpi.jedlix.com/2.3.0/sessions",
    charging_profiles_url="https://ocpi.jedlix.com/2.3.0/chargingprofiles",
    token_encoding=TokenEncoding.PLAIN,
)
# The operator's to say, whatever the registration is.
FREE: dict[str, Any] = {
    "name": "Renamed",
    "callback_hosts": (".new.example",),
    "rate": Rate(1, Decimal(60)),
    "clear_rate": Rate(2, Decimal(60)),
    "meter_push_interval": 60,
    "accepts_bearer": True,
    "pairing": Pairing(),
    "fail_safe": None,
}
AGREED: dict[str, Any] = {
    "parties": (JDX,),
    "version": "2.2.1",
    "versions_url": "https://new.example/versions",
    "sessions_url": "https://new.example/sessions",
    "charging_profiles_url": None,
    "token_encoding": TokenEncoding.BASE64,
    "auth": OutboundAuth.OAUTH2,
    "oauth2": OAuth2Client("https://login.example/t", "us"),
}


def test_every_field_of_a_partner_is_somebodys_to_decide() -> None:
    decided = {*FREE, *AGREED, "partner_id", "party", "registration", "credential"}
    assert {field.name for field in fields(Partner)} == decided


@pytest.mark.parametrize("registration", [Registration.STATIC, Registration.INVITED, Registration.LEFT])
def test_before_and_after_a_registration_all_but_the_registration_is_the_operators(registration: Registration) -> None:
    before = replace(STATIC, registration=registration, credential="c1")
    given = replace(STATIC, **FREE, **AGREED, party=Party("FR", "NEW"))
    result = replacement(before, given)
    assert result.partner == replace(given, registration=registration, credential="c1")
    assert result.kept == ()


def test_what_a_handshake_agreed_on_stays_and_is_named() -> None:
    result = replacement(REGISTERED, replace(STATIC, **FREE, **AGREED))
    assert result.partner == replace(REGISTERED, **FREE)
    assert result.kept == tuple(AGREED)


def test_what_says_the_same_is_not_named() -> None:
    given = replace(REGISTERED, registration=Registration.STATIC, credential="", name="Renamed")
    result = replacement(REGISTERED, given)
    assert (result.partner, result.kept) == (replace(REGISTERED, name="Renamed"), ())


def test_the_party_may_be_any_that_the_partner_registered_for() -> None:
    result = replacement(REGISTERED, replace(REGISTERED, party=Party("de", "jds")))
    assert (result.partner.party, result.kept) == (Party("de", "jds"), ())


def test_a_party_that_the_partner_did_not_register_for_is_not_taken() -> None:
    result = replacement(REGISTERED, replace(REGISTERED, party=Party("FR", "NEW")))
    assert (result.partner.party, result.kept) == (JDX, ("party",))
