from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

import pytest

from ocpi_bridge.adapters.dynamodb.registry import DynamoRegistry
from ocpi_bridge.adapters.secrets.secrets_manager import SecretsManagerStore
from ocpi_bridge.domain.errors import BridgeError, UnknownEntity
from ocpi_bridge.domain.partners import OAuth2Client, OutboundAuth, Registration
from ocpi_bridge.domain.stations import CsmsAuth
from ocpi_bridge.domain.tokens import is_token, token_hash
from ocpi_bridge.ports.secrets import CsmsSecrets, PartnerSecret
from tests.support.operator import PREFIX, Vault
from tests.support.registry_entries import NEW_YEAR, assignment, csms, partner, station
from tools.bridge import operations
from tools.bridge.operations import OperationRefused
from tools.bridge.partner_secrets import SecretRefused
from tools.bridge.secrets import OperatorSecrets

ACCEPTED = "a-token-that-was-agreed-on"
KEY = "k" * 32
BEARER = replace(csms(), auth=CsmsAuth.BEARER)
OAUTH2 = replace(
    partner(),
    auth=OutboundAuth.OAUTH2,
    oauth2=OAuth2Client("https://login.example/token", "us", api_key_header="ApiKey"),
)
REGISTERED = replace(
    partner(),
    registration=Registration.REGISTERED,
    credential="c7",
    version="2.3.0",
    sessions_url="https://ocpi.jedlix.com/2.3.0/sessions",
)

Add = Callable[..., str]


@pytest.fixture
def add_partner(registry: DynamoRegistry, secrets: OperatorSecrets) -> Add:
    def add(present_token: str | None = "presented", accept_token: str | None = ACCEPTED) -> str:
        return operations.add_partner(
            registry, secrets, partner(), present_token=present_token, accept_token=accept_token, at=NEW_YEAR
        )

    return add


@pytest.fixture
def add_csms(registry: DynamoRegistry, secrets: OperatorSecrets) -> Add:
    def add(event_key: str | None = KEY, api_credential: str | None = "credential") -> str:
        return operations.add_csms(registry, secrets, BEARER, event_key=event_key, api_credential=api_credential)

    return add


# --- Partners --------------------------------------------------------------------------------------------------------


def test_a_partner_has_its_secret_in_the_vault_and_only_a_hash_in_the_registry(
    add_partner: Add, registry: DynamoRegistry, vault: Vault
) -> None:
    assert add_partner() == ACCEPTED
    assert vault.content("partners/jedlix") == {"token": "presented"}
    assert [token.token_hash for token in registry.list_tokens("jedlix")] == [token_hash(ACCEPTED)]


def test_a_token_is_made_when_none_is_given(add_partner: Add, registry: DynamoRegistry) -> None:
    token = add_partner(accept_token=None)
    assert is_token(token)
    assert [known.token_hash for known in registry.list_tokens("jedlix")] == [token_hash(token)]


@pytest.mark.parametrize("token", ["short", "x" * 65, "with a space in it", "zürich-zürich-zürich", ""])
def test_a_token_that_cannot_be_accepted_changes_nothing(
    token: str, add_partner: Add, registry: DynamoRegistry, vault: Vault
) -> None:
    with pytest.raises(OperationRefused):
        add_partner(accept_token=token)
    assert registry.list_partners() == ()
    assert vault.content("partners/jedlix") is None


@pytest.mark.parametrize("token", ["x" * 65, "with a space", "line\nbreak", ""])
def test_a_token_that_cannot_be_presented_changes_nothing(
    token: str, add_partner: Add, registry: DynamoRegistry
) -> None:
    with pytest.raises(SecretRefused):
        add_partner(present_token=token)
    assert registry.list_partners() == ()


def test_a_partner_that_is_there_keeps_its_token_when_it_is_added_by_mistake(add_partner: Add, vault: Vault) -> None:
    add_partner()
    with pytest.raises(OperationRefused):
        add_partner(present_token="another")
    assert vault.content("partners/jedlix") == {"token": "presented"}


def test_a_secret_that_an_interrupted_attempt_left_is_never_presented_for_a_later_partner(
    add_partner: Add, secrets: OperatorSecrets, vault: Vault
) -> None:
    secrets.put_partner("partners/jedlix", PartnerSecret("left behind"))
    add_partner(present_token=None)
    assert vault.content("partners/jedlix") is None


def test_nothing_is_registered_when_the_secret_cannot_be_written(
    add_partner: Add, registry: DynamoRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("no rights")

    monkeypatch.setattr(OperatorSecrets, "put_partner", fail)
    with pytest.raises(RuntimeError):
        add_partner()
    assert registry.list_partners() == ()


def test_a_partner_is_replaced_with_and_without_a_new_token(
    add_partner: Add, registry: DynamoRegistry, secrets: OperatorSecrets, vault: Vault
) -> None:
    add_partner()
    operations.replace_partner(registry, secrets, partner(name="Renamed"), present_token=None)
    assert vault.content("partners/jedlix") == {"token": "presented"}
    operations.replace_partner(registry, secrets, partner(name="Again"), present_token="rotated")
    assert vault.content("partners/jedlix") == {"token": "rotated"}
    assert registry.get_partner("jedlix") == partner(name="Again")


def test_an_unknown_partner_gets_no_secret_by_being_replaced(
    registry: DynamoRegistry, secrets: OperatorSecrets, vault: Vault
) -> None:
    with pytest.raises(UnknownEntity):
        operations.replace_partner(registry, secrets, partner(), present_token="presented")
    assert vault.content("partners/jedlix") is None


def test_a_removed_partner_can_be_added_again_at_once_and_inherits_nothing(
    add_partner: Add, registry: DynamoRegistry, secrets: OperatorSecrets, vault: Vault
) -> None:
    registry.add_csms(csms())
    registry.import_stations("acme", [station()])
    add_partner()
    registry.add_assignments([assignment()])
    operations.remove_partner(registry, secrets, "jedlix")
    assert vault.content("partners/jedlix") is None
    add_partner(present_token="new", accept_token=ACCEPTED)
    assert registry.list_assignments() == ()


def test_removing_again_completes_a_removal_that_left_the_secret(
    registry: DynamoRegistry, secrets: OperatorSecrets, vault: Vault
) -> None:
    secrets.put_partner("partners/jedlix", PartnerSecret("left behind"))
    with pytest.raises(UnknownEntity):
        operations.remove_partner(registry, secrets, "jedlix")
    assert vault.content("partners/jedlix") is None


def test_an_oauth2_client_has_its_secrets_in_the_vault_and_each_is_replaced_alone(
    registry: DynamoRegistry, secrets: OperatorSecrets, vault: Vault
) -> None:
    operations.add_partner(
        registry,
        secrets,
        OAUTH2,
        present_token=None,
        accept_token=ACCEPTED,
        at=NEW_YEAR,
        client_secret="the-secret",
        api_key="the-key",
    )
    assert vault.content("partners/jedlix") == {"client_secret": "the-secret", "api_key": "the-key"}
    operations.replace_partner(registry, secrets, OAUTH2, present_token=None, api_key="rotated")
    assert vault.content("partners/jedlix") == {"client_secret": "the-secret", "api_key": "rotated"}
    assert registry.get_partner("jedlix") == OAUTH2


def test_a_partner_that_is_given_another_auth_needs_the_secret_for_it(
    add_partner: Add, registry: DynamoRegistry, secrets: OperatorSecrets, vault: Vault
) -> None:
    add_partner()
    with pytest.raises(SecretRefused, match="--client-secret"):
        operations.replace_partner(registry, secrets, OAUTH2, present_token=None)
    assert (registry.get_partner("jedlix"), vault.content("partners/jedlix")) == (partner(), {"token": "presented"})
    operations.replace_partner(
        registry, secrets, OAUTH2, present_token=None, client_secret="the-secret", api_key="the-key"
    )
    assert vault.content("partners/jedlix") == {"client_secret": "the-secret", "api_key": "the-key"}


def test_a_secret_that_does_not_fit_changes_nothing(
    registry: DynamoRegistry, secrets: OperatorSecrets, vault: Vault
) -> None:
    with pytest.raises(SecretRefused):
        operations.add_partner(registry, secrets, OAUTH2, present_token="presented", accept_token=ACCEPTED, at=NEW_YEAR)
    assert (registry.list_partners(), vault.content("partners/jedlix")) == ((), None)


def test_what_a_registered_partner_is_shown_is_not_the_operators_to_replace(
    registry: DynamoRegistry, secrets: OperatorSecrets, vault: Vault
) -> None:
    registry.add_partner(REGISTERED, [], NEW_YEAR)
    secrets.put_partner("partners/jedlix/c7", PartnerSecret("of-the-handshake"))
    with pytest.raises(OperationRefused, match="registered"):
        operations.replace_partner(registry, secrets, partner(), present_token="presented")
    replaced = operations.replace_partner(registry, secrets, partner(name="Renamed"), present_token=None)
    assert replaced.partner == replace(REGISTERED, name="Renamed")
    assert replaced.kept == ("version", "sessions_url")
    assert vault.content("partners/jedlix/c7") == {"token": "of-the-handshake"}
    assert vault.content("partners/jedlix") is None


def test_a_registered_partner_goes_with_the_secret_of_its_handshake(
    registry: DynamoRegistry, secrets: OperatorSecrets, vault: Vault
) -> None:
    registry.add_partner(REGISTERED, [], NEW_YEAR)
    for name in ("partners/jedlix", "partners/jedlix/c7", "partners/jedlix2"):
        secrets.put_partner(name, PartnerSecret("presented"))
    operations.remove_partner(registry, secrets, "jedlix")
    assert vault.content("partners/jedlix") is None
    assert vault.content("partners/jedlix/c7") is None
    assert vault.content("partners/jedlix2") == {"token": "presented"}


# --- CSMSs -----------------------------------------------------------------------------------------------------------


def test_a_csms_shares_its_secrets_in_the_documented_form(
    add_csms: Add, registry: DynamoRegistry, vault: Vault
) -> None:
    assert add_csms() == KEY
    assert vault.content("csms/acme") == {"event_key": KEY, "api_credential": "credential"}
    assert registry.get_csms("acme") == BEARER


def test_an_event_key_is_made_when_none_is_given(add_csms: Add, vault: Vault) -> None:
    key = add_csms(event_key=None)
    assert len(key) >= operations.EVENT_KEY_MIN_LENGTH
    assert vault.content("csms/acme") == {"event_key": key, "api_credential": "credential"}


def test_a_csms_that_asks_for_a_credential_needs_one(add_csms: Add, registry: DynamoRegistry) -> None:
    with pytest.raises(OperationRefused, match="--api-credential"):
        add_csms(api_credential=None)
    assert registry.list_csmss() == ()


def test_a_csms_that_takes_no_credential_gets_none(registry: DynamoRegistry, secrets: OperatorSecrets) -> None:
    with pytest.raises(OperationRefused):
        operations.add_csms(registry, secrets, csms(), event_key=None, api_credential="credential")


@pytest.mark.parametrize(
    ("event_key", "api_credential"), [("short", "credential"), ("k" * 31 + "ü", "credential"), (KEY, "a\nb")]
)
def test_a_weak_or_unusable_secret_changes_nothing(
    event_key: str, api_credential: str, add_csms: Add, registry: DynamoRegistry, vault: Vault
) -> None:
    with pytest.raises(OperationRefused):
        add_csms(event_key, api_credential)
    assert (registry.list_csmss(), vault.content("csms/acme")) == ((), None)


def test_a_csms_that_is_there_keeps_its_secrets_when_it_is_added_by_mistake(add_csms: Add, vault: Vault) -> None:
    add_csms()
    with pytest.raises(BridgeError):
        add_csms(event_key=None)
    assert vault.content("csms/acme") == {"event_key": KEY, "api_credential": "credential"}


def test_secrets_that_are_not_given_stay_when_a_csms_is_replaced(
    add_csms: Add, registry: DynamoRegistry, secrets: OperatorSecrets, vault: Vault
) -> None:
    add_csms()
    changed = replace(BEARER, base_url="https://new.example")
    operations.replace_csms(registry, secrets, changed, event_key=None, api_credential="rotated")
    assert vault.content("csms/acme") == {"event_key": KEY, "api_credential": "rotated"}
    assert registry.get_csms("acme") == changed


def test_a_csms_that_no_longer_asks_for_a_credential_loses_it(
    add_csms: Add, registry: DynamoRegistry, secrets: OperatorSecrets, vault: Vault
) -> None:
    add_csms()
    operations.replace_csms(registry, secrets, csms(), event_key=None, api_credential=None)
    assert vault.content("csms/acme") == {"event_key": KEY, "api_credential": None}


@pytest.mark.parametrize(("credential", "taken"), [("us:pass:word", True), ("password", False)])
def test_basic_authentication_needs_user_and_password(
    credential: str, taken: bool, registry: DynamoRegistry, secrets: OperatorSecrets
) -> None:
    basic = replace(csms(), auth=CsmsAuth.BASIC)
    if taken:
        operations.add_csms(registry, secrets, basic, event_key=KEY, api_credential=credential)
        assert registry.get_csms("acme") == basic
        return
    with pytest.raises(OperationRefused, match="user:password") as refused:
        operations.add_csms(registry, secrets, basic, event_key=KEY, api_credential=credential)
    assert credential not in str(refused.value).replace("user:password", "")


def test_the_secret_of_a_csms_that_is_gone_goes_too(
    add_csms: Add, registry: DynamoRegistry, secrets: OperatorSecrets, vault: Vault
) -> None:
    add_csms()
    registry.remove_csms("acme", with_stations=False)
    with pytest.raises(UnknownEntity):
        operations.remove_csms(registry, secrets, "acme", with_stations=False)
    assert vault.content("csms/acme") is None


def test_an_unknown_csms_is_not_replaced(registry: DynamoRegistry, secrets: OperatorSecrets) -> None:
    with pytest.raises(UnknownEntity):
        operations.replace_csms(registry, secrets, csms(), event_key=None, api_credential=None)


# --- What functions read ---------------------------------------------------------------------------------------------


class FrozenClock:
    def now(self) -> datetime:
        return NEW_YEAR


def test_functions_read_what_operators_write(add_partner: Add, add_csms: Add, vault: Vault) -> None:
    add_partner()
    add_csms()
    store = SecretsManagerStore(lambda: vault.client, PREFIX, FrozenClock())
    assert store.partner_secret(partner()) == PartnerSecret("presented")
    assert store.csms_secrets("acme") == CsmsSecrets(KEY, "credential")
