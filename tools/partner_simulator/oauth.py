"""The partner's authorization server: client credentials and an API key, as Jedlix publishes it (RFC 6749, 4.4)."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from hmac import compare_digest
from urllib.parse import parse_qsl

from tools.counterparts.http_service import Request, Response
from tools.partner_simulator.door import Admission, Standing
from tools.partner_simulator.keyring import new_token
from tools.partner_simulator.transport import Violations, read_bearer

TOKEN_PATH = "/oauth/token"
FORM_TYPE = "application/x-www-form-urlencoded"
# One hour is what most servers give.
DEFAULT_EXPIRES_IN = 3600


@dataclass(frozen=True, slots=True)
class OAuthSettings:
    """What the bridge needs to know as a client; `api_key` None for a server without one. `expires_in` in seconds.

    `tells_expiry` False leaves `expires_in` out of the answer, as RFC 6749 allows (5.1).
    """

    client_id: str
    client_secret: str = field(repr=False)
    audience: str | None = None
    api_key: str | None = field(default=None, repr=False)
    api_key_header: str = "ApiKey"
    expires_in: int = DEFAULT_EXPIRES_IN
    tells_expiry: bool = True


class OAuthServer:
    """Issues access tokens at `TOKEN_PATH` and is the door of all other interfaces. Thread safe.

    A revoked or expired token is refused without a violation: the bridge cannot know before.
    """

    def __init__(
        self, settings: OAuthSettings, violations: Violations, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._settings = settings
        self._violations = violations
        self._clock = clock
        self._lock = threading.Lock()
        self._ends: dict[str, float] = {}
        self._revoked: set[str] = set()

    @property
    def issued(self) -> int:
        """How many access tokens were issued so far."""
        with self._lock:
            return len(self._ends)

    def revoke_all(self) -> None:
        """Refuse every access token issued so far."""
        with self._lock:
            self._revoked.update(self._ends)

    def serves(self, request: Request) -> bool:
        """Whether the request is for the token endpoint."""
        return request.path == TOKEN_PATH

    def issue(self, request: Request) -> Response:
        """Answer the token endpoint (RFC 6749, 4.4.2, 5.1, 5.2)."""
        if request.method != "POST":
            return self._refuse(405, "invalid_request", "the token endpoint takes POST only")
        if (request.header("Content-Type") or "").split(";")[0].strip() != FORM_TYPE:
            return self._refuse(400, "invalid_request", f"Content-Type is not {FORM_TYPE}")
        pairs = parse_qsl(request.body.decode(errors="replace"), keep_blank_values=True)
        form = dict(pairs)
        if request.query or len(form) != len(pairs):
            return self._refuse(400, "invalid_request", "credentials in the query, or a field twice")
        if form.get("grant_type") != "client_credentials":
            return self._refuse(400, "unsupported_grant_type", "grant_type is not client_credentials")
        if not self._is_client(form):
            return self._refuse(401, "invalid_client", "unknown client or wrong client secret")
        if form.get("audience") != self._settings.audience:
            return self._refuse(400, "invalid_request", "the audience is missing or another")
        return self._grant()

    def admit(self, request: Request) -> Admission:
        """The door: a valid access token as Bearer, and the API key beside it."""
        token = read_bearer(request.header("Authorization") or "")
        with self._lock:
            end = None if token is None else self._ends.get(token)
            is_valid = end is not None and self._clock() < end and token not in self._revoked
        if end is None:
            return Admission(Standing.REFUSED, "no access token of ours as Bearer")
        key = self._settings.api_key
        if key is not None and not _same(request.header(self._settings.api_key_header) or "", key):
            return Admission(Standing.REFUSED, f"{self._settings.api_key_header} is missing or wrong")
        return Admission(Standing.KNOWN if is_valid else Standing.REFUSED)

    def _is_client(self, form: dict[str, str]) -> bool:
        return _same(form.get("client_id", ""), self._settings.client_id) and _same(
            form.get("client_secret", ""), self._settings.client_secret
        )

    def _grant(self) -> Response:
        token = new_token()
        with self._lock:
            self._ends[token] = self._clock() + self._settings.expires_in
        answer: dict[str, object] = {"access_token": token, "token_type": "Bearer"}
        if self._settings.tells_expiry:
            answer["expires_in"] = self._settings.expires_in
        return Response.json(200, answer, {"Cache-Control": "no-store"})

    def _refuse(self, status: int, error: str, finding: str) -> Response:
        self._violations.note(f"POST {TOKEN_PATH}", finding)
        return Response.json(status, {"error": error})


def _same(one: str, other: str) -> bool:
    return compare_digest(one.encode(), other.encode())
