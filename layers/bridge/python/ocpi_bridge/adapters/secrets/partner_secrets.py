"""The secrets that we present to partners after a handshake, in AWS Secrets Manager; `secrets_manager` reads them.

Every handshake has a secret of its own, `{prefix}/partners/{partner_id}/{credential}`: a function that still knows the
partner's former entry never presents the new token with it, nor the old one with the new entry.
"""

import json
from collections.abc import Callable
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from ocpi_bridge.domain.errors import UnknownEntity

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient


class SecretsManagerPartnerSecrets:
    """Implements PartnerSecrets. `client` makes the boto3 client when it is first needed; its errors are passed on."""

    def __init__(self, client: "Callable[[], SecretsManagerClient]", prefix: str) -> None:
        self._client = client
        self._prefix = prefix

    def token(self, name: str) -> str:
        """See PartnerSecrets."""
        client = self._client()
        try:
            text = client.get_secret_value(SecretId=self._name(name))["SecretString"]
        except (client.exceptions.ResourceNotFoundException, client.exceptions.InvalidRequestException) as error:
            # InvalidRequest: it is marked for deletion, and counts as gone.
            raise UnknownEntity("secret", name) from error
        return str(json.loads(text)["token"])

    def put(self, name: str, token: str) -> None:
        """See PartnerSecrets."""
        self._client().create_secret(Name=self._name(name), SecretString=json.dumps({"token": token}))

    def remove(self, name: str) -> bool:
        """See PartnerSecrets. Without a recovery window: what nobody may use must not be kept."""
        client = self._client()
        try:
            client.delete_secret(SecretId=self._name(name), ForceDeleteWithoutRecovery=True)
        except client.exceptions.ResourceNotFoundException:
            return True
        except (BotoCoreError, ClientError):
            return False
        return True

    def _name(self, name: str) -> str:
        return f"{self._prefix}/{name}"
