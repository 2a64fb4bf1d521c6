"""The secret store over AWS Secrets Manager.

Names, below a prefix that names the stage:

* `{prefix}/partners/{partner_id}`                `{"token": "..."}`, or for OAuth 2.0 `{"client_secret": "...",
                                                  "api_key": "..."}`, the key only where the partner wants one
* `{prefix}/partners/{partner_id}/{credential}`   the same, for a partner that registered by the handshake
* `{prefix}/csms/{csms_id}`                       `{"event_key": "...", "api_credential": "..." or null}`
* `{prefix}/callback-signing`                     the raw key of our callback URLs
"""

import json
import re
from collections.abc import Callable
from dataclasses import field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from ocpi_bridge.domain.errors import InvalidInput, UnknownEntity
from ocpi_bridge.domain.partners import Partner
from ocpi_bridge.domain.values import dataclass
from ocpi_bridge.ports.clock import Clock
from ocpi_bridge.ports.secrets import CsmsSecrets, PartnerSecret

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

# How long a warm function may use a secret that was replaced meanwhile. A replaced token is read again at the first
# 401 anyway, so this bounds what nobody refuses: a signing key, a key of events.
TIME_TO_LIVE = timedelta(minutes=5)

# What can stand in an HTTP header; tokens of OCPI (7.3.1) have no spaces, credentials of a CSMS may.
_PRINTABLE = re.compile(r"[ -~]+")


@dataclass(frozen=True, slots=True)
class _Kept:
    value: str = field(repr=False)
    until: datetime


class SecretsManagerStore:
    """Implements SecretStore. Nothing is called before the first secret is asked for.

    `client` makes the boto3 client, once. Errors of the service other than a missing secret are passed on as they are.
    """

    def __init__(
        self,
        client: "Callable[[], SecretsManagerClient]",
        prefix: str,
        clock: Clock,
        *,
        time_to_live: timedelta = TIME_TO_LIVE,
    ) -> None:
        self._make_client = client
        self._made_client: SecretsManagerClient | None = None
        self._prefix = prefix
        self._clock = clock
        self._time_to_live = time_to_live
        self._kept: dict[str, _Kept] = {}

    def partner_secret(self, partner: Partner, *, fresh: bool = False) -> PartnerSecret:
        """What we show the partner.

        Raises UnknownEntity where there is no such secret, InvalidInput where it is not of the documented form.
        """
        name = partner.secret_name
        fields = _fields(name, self._read(name, fresh=fresh))
        secret = PartnerSecret(
            token=_optional_text(name, fields, "token"),
            client_secret=_optional_text(name, fields, "client_secret"),
            api_key=_optional_text(name, fields, "api_key"),
        )
        if secret.token is None and secret.client_secret is None:
            raise InvalidInput(f"secret {name}", "has neither a token nor a client_secret")
        return secret

    def csms_secrets(self, csms_id: str, *, fresh: bool = False) -> CsmsSecrets:
        """The secrets shared with the CSMS. Raises as `partner_secret`."""
        name = f"csms/{csms_id}"
        fields = _fields(name, self._read(name, fresh=fresh))
        credential = _optional_text(name, fields, "api_credential")
        return CsmsSecrets(event_key=_text(name, fields, "event_key"), api_credential=credential)

    def callback_signing_key(self) -> bytes:
        """The key that signs the callback URLs given to CSMSs. Raises UnknownEntity where the stack made none."""
        return self._read("callback-signing", fresh=False).encode()

    def _read(self, name: str, *, fresh: bool) -> str:
        now = self._clock.now()
        kept = self._kept.get(name)
        if kept is not None and not fresh and now < kept.until:
            return kept.value
        value = self._fetch(name)
        self._kept[name] = _Kept(value, now + self._time_to_live)
        return value

    def _fetch(self, name: str) -> str:
        client = self._client
        try:
            value = client.get_secret_value(SecretId=f"{self._prefix}/{name}").get("SecretString")
        except (client.exceptions.ResourceNotFoundException, client.exceptions.InvalidRequestException) as error:
            # InvalidRequest: it is marked for deletion, and counts as gone.
            self._kept.pop(name, None)
            raise UnknownEntity("secret", name) from error
        if not value:
            raise InvalidInput(f"secret {name}", "is empty or not text")
        return value

    @property
    def _client(self) -> "SecretsManagerClient":
        if self._made_client is None:
            self._made_client = self._make_client()
        return self._made_client


def _fields(name: str, value: str) -> dict[str, object]:
    try:
        fields: object = json.loads(value)
    except ValueError:
        fields = None
    if not isinstance(fields, dict):
        # Raised out here, without the parser's error as its cause: that one holds the text it could not parse.
        raise InvalidInput(f"secret {name}", "is not a JSON object")
    return fields


def _text(name: str, fields: dict[str, object], key: str) -> str:
    value = fields.get(key)
    if not isinstance(value, str) or not _PRINTABLE.fullmatch(value):
        raise InvalidInput(f"secret {name}", f"has no {key} of printable characters")
    return value


def _optional_text(name: str, fields: dict[str, object], key: str) -> str | None:
    return None if fields.get(key) is None else _text(name, fields, key)
