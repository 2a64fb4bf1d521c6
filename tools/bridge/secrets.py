"""The secrets of a deployment as an operator writes them; the functions read them (adapters.secrets).

* `{prefix}/partners/{partner_id}`   `{"token": "..."}`: the token that we present to the partner
* `{prefix}/csms/{csms_id}`          `{"event_key": "...", "api_credential": "..."}`
"""

import json
from typing import TYPE_CHECKING

from ocpi_bridge.ports import CsmsSecrets

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient


class OperatorSecrets:
    """Writes secrets; functions that hold an old one in memory use it for some minutes more."""

    def __init__(self, client: "SecretsManagerClient", prefix: str) -> None:
        self._client = client
        self._prefix = prefix

    def put_partner_token(self, partner_id: str, token: str) -> None:
        """Sets the token that we present to a partner."""
        self._put(f"partners/{partner_id}", {"token": token})

    def remove_partner_token(self, partner_id: str) -> None:
        """Removes the token that we present to a partner, if there is one, at once: so that it can register again."""
        try:
            self._client.delete_secret(SecretId=self._name(f"partners/{partner_id}"), ForceDeleteWithoutRecovery=True)
        except self._client.exceptions.ResourceNotFoundException:
            # AWS says nothing in this case; what is compatible with it may.
            return

    def get_csms(self, csms_id: str) -> CsmsSecrets | None:
        """What is shared with a CSMS, or None."""
        try:
            answer = self._client.get_secret_value(SecretId=self._name(f"csms/{csms_id}"))
        except self._client.exceptions.ResourceNotFoundException:
            return None
        return CsmsSecrets(**json.loads(answer["SecretString"]))

    def put_csms(self, csms_id: str, secrets: CsmsSecrets) -> None:
        """Sets what is shared with a CSMS."""
        content = {"event_key": secrets.event_key, "api_credential": secrets.api_credential}
        self._put(f"csms/{csms_id}", content)

    def _put(self, name: str, content: dict[str, str | None]) -> None:
        text = json.dumps(content)
        try:
            self._client.put_secret_value(SecretId=self._name(name), SecretString=text)
        except self._client.exceptions.ResourceNotFoundException:
            self._client.create_secret(Name=self._name(name), SecretString=text)

    def _name(self, name: str) -> str:
        return f"{self._prefix}/{name}"
