"""The secrets of a deployment as an operator writes them; the functions read them (adapters.secrets).

* `{prefix}/partners/{partner_id}`   `{"token": "..."}`, or `{"client_secret": "...", "api_key": "..."}`
* `{prefix}/csms/{csms_id}`          `{"event_key": "...", "api_credential": "..."}`
"""

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

from ocpi_bridge.ports.secrets import CsmsSecrets, PartnerSecret

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient


class OperatorSecrets:
    """Writes secrets; functions that hold an old one in memory use it for some minutes more.

    A partner's secret goes by its name, `Partner.secret_name`.
    """

    def __init__(self, client: "SecretsManagerClient", prefix: str) -> None:
        self._client = client
        self._prefix = prefix

    def get_partner(self, name: str) -> PartnerSecret | None:
        """What we show a partner, or None."""
        content = self._get(name)
        return None if content is None else PartnerSecret(**content)

    def put_partner(self, name: str, secret: PartnerSecret) -> None:
        """Sets what we show a partner."""
        self._put(name, {field: value for field, value in asdict(secret).items() if value is not None})

    def remove_partner(self, name: str) -> None:
        """Removes what we show a partner, if there is anything, at once: so that it can register again."""
        self._remove(name)

    def get_csms(self, csms_id: str) -> CsmsSecrets | None:
        """What is shared with a CSMS, or None."""
        content = self._get(f"csms/{csms_id}")
        return None if content is None else CsmsSecrets(**content)

    def put_csms(self, csms_id: str, secrets: CsmsSecrets) -> None:
        """Sets what is shared with a CSMS."""
        content = {"event_key": secrets.event_key, "api_credential": secrets.api_credential}
        self._put(f"csms/{csms_id}", content)

    def remove_csms(self, csms_id: str) -> None:
        """Removes what is shared with a CSMS, if there is anything, at once: so that it can be added again."""
        self._remove(f"csms/{csms_id}")

    def _remove(self, name: str) -> None:
        try:
            self._client.delete_secret(SecretId=self._name(name), ForceDeleteWithoutRecovery=True)
        except self._client.exceptions.ResourceNotFoundException:
            # AWS says nothing in this case; what is compatible with it may.
            return

    def _get(self, name: str) -> dict[str, str] | None:
        try:
            answer = self._client.get_secret_value(SecretId=self._name(name))
        except self._client.exceptions.ResourceNotFoundException:
            return None
        content: dict[str, str] = json.loads(answer["SecretString"])
        return content

    def _put(self, name: str, content: dict[str, str | None]) -> None:
        text = json.dumps(content)
        try:
            self._client.put_secret_value(SecretId=self._name(name), SecretString=text)
        except self._client.exceptions.ResourceNotFoundException:
            self._client.create_secret(Name=self._name(name), SecretString=text)

    def _name(self, name: str) -> str:
        return f"{self._prefix}/{name}"
