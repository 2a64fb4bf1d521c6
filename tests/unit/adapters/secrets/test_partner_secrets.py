"""The secrets of handshakes: what is put is what the functions read, and what is removed is gone at once."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from ocpi_bridge.adapters.secrets.partner_secrets import SecretsManagerPartnerSecrets
from ocpi_bridge.adapters.secrets.secrets_manager import SecretsManagerStore
from ocpi_bridge.domain.errors import UnknownEntity
from ocpi_bridge.domain.partners import Partner, Party, Registration
from tests.support.clocks import ManualClock

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

PREFIX = "ocpi-bridge/test"
PARTNER = Partner(
    "jedlix", "Jedlix", Party("NL", "JED"), (".jedlix.com",), registration=Registration.REGISTERED, credential="c1"
)


@pytest.fixture
def client() -> Iterator["SecretsManagerClient"]:
    with mock_aws():
        yield boto3.client("secretsmanager", region_name="eu-west-1")


@pytest.fixture
def secrets(client: "SecretsManagerClient") -> SecretsManagerPartnerSecrets:
    return SecretsManagerPartnerSecrets(lambda: client, PREFIX)


def test_what_is_put_is_what_the_functions_read(
    client: "SecretsManagerClient", secrets: SecretsManagerPartnerSecrets
) -> None:
    secrets.put(PARTNER.secret_name, "token-b")
    assert secrets.token(PARTNER.secret_name) == "token-b"
    assert SecretsManagerStore(lambda: client, PREFIX, ManualClock()).partner_secret(PARTNER).token == "token-b"


def test_a_secret_is_never_overwritten(secrets: SecretsManagerPartnerSecrets) -> None:
    secrets.put(PARTNER.secret_name, "token-b")
    with pytest.raises(ClientError):
        secrets.put(PARTNER.secret_name, "token-b2")
    assert secrets.token(PARTNER.secret_name) == "token-b"


def test_what_is_removed_is_gone_at_once_and_its_name_free(secrets: SecretsManagerPartnerSecrets) -> None:
    secrets.put(PARTNER.secret_name, "token-b")
    assert secrets.remove(PARTNER.secret_name)
    with pytest.raises(UnknownEntity):
        secrets.token(PARTNER.secret_name)
    secrets.put(PARTNER.secret_name, "token-b2")


def test_what_is_not_there_needs_no_removal(secrets: SecretsManagerPartnerSecrets) -> None:
    assert secrets.remove("partners/nobody/c1")


def test_a_removal_that_is_refused_is_told(
    client: "SecretsManagerClient", secrets: SecretsManagerPartnerSecrets, monkeypatch: pytest.MonkeyPatch
) -> None:
    def denied(**_: object) -> None:
        raise ClientError({"Error": {"Code": "AccessDeniedException"}}, "DeleteSecret")

    secrets.put(PARTNER.secret_name, "token-b")
    monkeypatch.setattr(client, "delete_secret", denied)
    assert not secrets.remove(PARTNER.secret_name)
    assert secrets.token(PARTNER.secret_name) == "token-b"
