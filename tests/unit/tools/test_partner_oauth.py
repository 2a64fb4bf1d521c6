"""When access tokens end, without waiting for it."""

from urllib.parse import urlencode

from tools.counterparts.clock import utc_now
from tools.counterparts.http_service import Request
from tools.counterparts.json_types import as_object, read_json
from tools.partner_simulator.door import Admission, Standing
from tools.partner_simulator.oauth import FORM_TYPE, TOKEN_PATH, OAuthServer, OAuthSettings
from tools.partner_simulator.transport import Violations


class Authorization:
    def __init__(self) -> None:
        self.now = 0.0
        self.violations = Violations()
        settings = OAuthSettings("bridge", "client-secret", expires_in=60)
        self.server = OAuthServer(settings, self.violations, clock=lambda: self.now)

    def token(self) -> str:
        form = {"grant_type": "client_credentials", "client_id": "bridge", "client_secret": "client-secret"}
        answer = self.server.issue(request("POST", {"content-type": FORM_TYPE}, urlencode(form).encode()))
        return str(as_object(read_json(answer.body))["access_token"])

    def admit(self, token: str) -> Admission:
        return self.server.admit(request("GET", {"authorization": f"Bearer {token}"}))


def request(method: str, headers: dict[str, str], body: bytes = b"") -> Request:
    return Request(method, TOKEN_PATH, headers, body, 50_000, utc_now())


def test_a_token_holds_until_it_ends() -> None:
    server = Authorization()
    token = server.token()

    server.now = 59.9
    assert server.admit(token).standing is Standing.KNOWN
    server.now = 60.0
    assert server.admit(token) == Admission(Standing.REFUSED)
    assert server.admit(server.token()).standing is Standing.KNOWN
    assert server.server.issued == 2
    assert server.violations.all() == []


def test_tokens_hold_side_by_side() -> None:
    server = Authorization()
    first, second = server.token(), server.token()

    assert first != second
    assert {server.admit(token).standing for token in (first, second)} == {Standing.KNOWN}
