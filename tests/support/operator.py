"""What tests of the operator's tools share: the documented examples, and a look into the vault."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ocpi_bridge.adapters.bounded_http.exchange import HttpCall, NoReply, Reply

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples"
PREFIX = "ocpi-bridge/prod"

Change = Callable[[dict[str, Any]], object]
Write = Callable[..., Path]


class Vault:
    """Secrets Manager as a test sees it: plain contents by name below the prefix."""

    def __init__(self, client: "SecretsManagerClient") -> None:
        self.client = client

    def content(self, name: str) -> dict[str, str | None] | None:
        try:
            answer = self.client.get_secret_value(SecretId=f"{PREFIX}/{name}")
        except self.client.exceptions.ResourceNotFoundException:
            return None
        content: dict[str, str | None] = json.loads(answer["SecretString"])
        return content

    def clear(self) -> None:
        for secret in self.client.list_secrets(IncludePlannedDeletion=True)["SecretList"]:
            self.client.delete_secret(SecretId=secret["Name"], ForceDeleteWithoutRecovery=True)


class CsmsExchange:
    """The API of a CSMS as a command reaches it: gives one answer to all, `calls` are what it was asked."""

    def __init__(self) -> None:
        self.answer: Reply | NoReply = NoReply("connect", sent=False)
        self.calls: list[HttpCall] = []
        self.closed = False

    def exchange(self, call: HttpCall, budget: float) -> Reply | NoReply:
        assert budget > 0
        self.calls.append(call)
        return self.answer

    def close(self) -> None:
        self.closed = True
