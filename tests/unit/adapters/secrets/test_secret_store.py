"""The secret store: the fake and the real one give the same, and the real one keeps what it read for a while."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Protocol

import boto3
import pytest
from moto import mock_aws

from ocpi_bridge.adapters.secrets.secrets_manager import SecretsManagerStore
from ocpi_bridge.domain.errors import InvalidInput, UnknownEntity
from ocpi_bridge.domain.partners import Partner, Registration
from ocpi_bridge.ports.secrets import CsmsSecrets, PartnerSecret, SecretStore
from tests.support.clocks import ManualClock
from tests.support.fake_secrets import InMemorySecretStore
from tests.support.registry_entries import partner

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

PREFIX = "ocpi-bridge/test"
JEDLIX = partner()
REGISTERED = replace(JEDLIX, registration=Registration.REGISTERED, credential="c7")


class Vault(Protocol):
    """A store together with a way to put secrets behind it."""

    @property
    def store(self) -> SecretStore: ...

    def put_partner(self, partner: Partner, **secrets: str | None) -> None: ...

    def remove_partner(self, partner: Partner) -> None: ...

    def put_csms(self, csms_id: str, event_key: str, api_credential: str | None) -> None: ...

    def put_signing_key(self, key: str) -> None: ...


class FakeVault:
    def __init__(self) -> None:
        self.store = InMemorySecretStore()

    def put_partner(self, partner: Partner, **secrets: str | None) -> None:
        self.store.partners[partner.secret_name] = PartnerSecret(**secrets)

    def remove_partner(self, partner: Partner) -> None:
        del self.store.partners[partner.secret_name]

    def put_csms(self, csms_id: str, event_key: str, api_credential: str | None) -> None:
        self.store.csms[csms_id] = CsmsSecrets(event_key, api_credential)

    def put_signing_key(self, key: str) -> None:
        self.store.signing_key = key.encode()


class AwsVault:
    def __init__(self, client: "SecretsManagerClient") -> None:
        self.client = client
        self.clock = ManualClock()
        self.clients_made = 0
        self.store = SecretsManagerStore(self._make_client, PREFIX, self.clock)

    def put(self, name: str, text: str) -> None:
        try:
            self.client.create_secret(Name=f"{PREFIX}/{name}", SecretString=text)
        except self.client.exceptions.ResourceExistsException:
            self.client.put_secret_value(SecretId=f"{PREFIX}/{name}", SecretString=text)

    def put_partner(self, partner: Partner, **secrets: str | None) -> None:
        self.put(partner.secret_name, json.dumps(secrets))

    def remove_partner(self, partner: Partner) -> None:
        self.client.delete_secret(SecretId=f"{PREFIX}/{partner.secret_name}", ForceDeleteWithoutRecovery=True)

    def put_csms(self, csms_id: str, event_key: str, api_credential: str | None) -> None:
        self.put(f"csms/{csms_id}", json.dumps({"event_key": event_key, "api_credential": api_credential}))

    def put_signing_key(self, key: str) -> None:
        self.put("callback-signing", key)

    def _make_client(self) -> "SecretsManagerClient":
        self.clients_made += 1
        return self.client


@pytest.fixture
def aws() -> Iterator[AwsVault]:
    with mock_aws():
        yield AwsVault(boto3.client("secretsmanager", region_name="eu-west-1"))


@pytest.fixture(params=["in memory", "secrets manager"])
def vault(request: pytest.FixtureRequest) -> Vault:
    if request.param == "in memory":
        return FakeVault()
    real: AwsVault = request.getfixturevalue("aws")
    return real


def test_a_partners_token_is_read(vault: Vault) -> None:
    vault.put_partner(JEDLIX, token="s3cret")
    assert vault.store.partner_secret(JEDLIX) == PartnerSecret("s3cret")


def test_the_secrets_of_an_oauth2_client_are_read_with_and_without_an_api_key(vault: Vault) -> None:
    vault.put_partner(JEDLIX, client_secret="cl13nt", api_key="k3y")
    assert vault.store.partner_secret(JEDLIX) == PartnerSecret(client_secret="cl13nt", api_key="k3y")
    vault.put_partner(JEDLIX, client_secret="cl13nt")
    assert vault.store.partner_secret(JEDLIX, fresh=True) == PartnerSecret(client_secret="cl13nt")


def test_a_new_credential_is_in_use_as_soon_as_the_entry_names_it(vault: Vault) -> None:
    vault.put_partner(JEDLIX, token="first")
    vault.put_partner(REGISTERED, token="second")
    assert vault.store.partner_secret(JEDLIX) == PartnerSecret("first")
    assert vault.store.partner_secret(REGISTERED) == PartnerSecret("second")


def test_the_secrets_of_a_csms_are_read(vault: Vault) -> None:
    vault.put_csms("acme", "key", "credential")
    vault.put_csms("plain", "key2", None)
    assert vault.store.csms_secrets("acme") == CsmsSecrets("key", "credential")
    assert vault.store.csms_secrets("plain") == CsmsSecrets("key2", None)


def test_the_signing_key_is_read_as_bytes(vault: Vault) -> None:
    vault.put_signing_key("generated by the stack")
    assert vault.store.callback_signing_key() == b"generated by the stack"


def test_a_missing_secret_is_an_unknown_entity(vault: Vault) -> None:
    with pytest.raises(UnknownEntity):
        vault.store.partner_secret(partner("nobody"))
    with pytest.raises(UnknownEntity):
        vault.store.csms_secrets("nobody")
    with pytest.raises(UnknownEntity):
        vault.store.callback_signing_key()


def test_a_missing_secret_is_found_once_it_is_there(vault: Vault) -> None:
    with pytest.raises(UnknownEntity):
        vault.store.partner_secret(JEDLIX)
    vault.put_partner(JEDLIX, token="s3cret")
    assert vault.store.partner_secret(JEDLIX) == PartnerSecret("s3cret")


def test_a_replaced_secret_is_seen_at_the_latest_when_asked_for_afresh(vault: Vault) -> None:
    vault.put_partner(JEDLIX, token="old")
    vault.put_csms("acme", "key", "old")
    vault.store.partner_secret(JEDLIX)
    vault.store.csms_secrets("acme")
    vault.put_partner(JEDLIX, token="new")
    vault.put_csms("acme", "key", "new")
    assert vault.store.partner_secret(JEDLIX) == PartnerSecret("old")
    assert vault.store.partner_secret(JEDLIX, fresh=True) == PartnerSecret("new")
    assert vault.store.partner_secret(JEDLIX) == PartnerSecret("new")
    assert vault.store.csms_secrets("acme", fresh=True).api_credential == "new"


def test_a_removed_secret_is_not_given_out_after_a_fresh_read(vault: Vault) -> None:
    vault.put_partner(JEDLIX, token="s3cret")
    vault.store.partner_secret(JEDLIX)
    vault.remove_partner(JEDLIX)
    with pytest.raises(UnknownEntity):
        vault.store.partner_secret(JEDLIX, fresh=True)
    with pytest.raises(UnknownEntity):
        vault.store.partner_secret(JEDLIX)


def test_the_real_store_reads_again_when_the_time_is_over(aws: AwsVault) -> None:
    aws.put_partner(JEDLIX, token="old")
    aws.store.partner_secret(JEDLIX)
    aws.put_partner(JEDLIX, token="new")
    aws.clock.advance(timedelta(minutes=5).total_seconds() - 1)
    assert aws.store.partner_secret(JEDLIX) == PartnerSecret("old")
    aws.clock.advance(1)
    assert aws.store.partner_secret(JEDLIX) == PartnerSecret("new")


def test_the_real_store_makes_one_client_and_only_when_it_is_needed(aws: AwsVault) -> None:
    aws.put_partner(JEDLIX, token="s3cret")
    assert aws.clients_made == 0
    aws.store.partner_secret(JEDLIX)
    aws.store.partner_secret(JEDLIX, fresh=True)
    assert aws.clients_made == 1


def test_a_secret_that_waits_for_its_deletion_counts_as_gone(aws: AwsVault) -> None:
    aws.put_partner(JEDLIX, token="s3cret")
    aws.client.delete_secret(SecretId=f"{PREFIX}/partners/jedlix")
    with pytest.raises(UnknownEntity):
        aws.store.partner_secret(JEDLIX)


@pytest.mark.parametrize(
    "text",
    [
        "pl4in-token",
        '["pl4in-token"]',
        '{"secret": "pl4in-token"}',
        '{"api_key": "pl4in-token"}',
        '{"client_secret": "pl4in-token", "api_key": ""}',
        '{"client_secret": "pl4in-tokén"}',
        '{"token": "pl4in-token", "client_secret": ["pl4in-token"]}',
        '{"token": 5}',
        '{"token": ""}',
        '{"token": "pl4in-token\\r\\nX-Other: 1"}',
        '{"token": "pl4in-tokén"}',
    ],
)
def test_a_malformed_secret_is_named_but_never_shown(aws: AwsVault, text: str) -> None:
    aws.put("partners/jedlix", text)
    with pytest.raises(InvalidInput) as raised:
        aws.store.partner_secret(JEDLIX)
    assert raised.value.field == "secret partners/jedlix"
    shown = repr(raised.value) + repr(raised.value.__cause__) + repr(raised.value.__context__)
    assert "pl4in" not in shown


def test_secrets_do_not_show_in_a_repr(aws: AwsVault) -> None:
    aws.put_csms("acme", "event-key", "credential")
    aws.put_partner(JEDLIX, token="t0ken", client_secret="cl13nt", api_key="k3y")
    shown = repr(aws.store.csms_secrets("acme")) + repr(aws.store.partner_secret(JEDLIX)) + repr(vars(aws.store))
    assert "event-key" not in shown
    assert "credential" not in shown.replace("api_credential", "")
    assert not any(secret in shown for secret in ("t0ken", "cl13nt", "k3y"))
