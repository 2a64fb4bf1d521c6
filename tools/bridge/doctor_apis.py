"""Whether the bridge's own APIs are reached, and whether what they tell partners leads back to them."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from ocpi_bridge.adapters.bounded_http.exchange import HttpCall, HttpExchange, NoReply, Reply
from ocpi_bridge.adapters.partner_http.authorization import authorization
from ocpi_bridge.adapters.partner_http.receipts import status_code
from ocpi_bridge.domain.errors import InvalidInput
from ocpi_bridge.domain.partners import Party, TokenEncoding
from ocpi_bridge.domain.tokens import AcceptedToken, TokenUse, new_token, token_hash
from ocpi_bridge.ocpi import versions
from ocpi_bridge.ocpi.bounded_json import UnreadableJson, read_json
from ocpi_bridge.ports.clock import Clock
from ocpi_bridge.ports.credentials import RegistrationStore
from ocpi_bridge.ports.json_values import JsonValue
from tools.bridge.doctor_findings import UNANSWERED, Finding, failed, ok

OCPI_API: Final = "OCPI API"
CSMS_API: Final = "CSMS API"
VERSIONS: Final = "versions"

# A cold start included.
CALL_SECONDS = 10.0
# Four calls; where the examination is cut off, the token goes by itself some time after.
TOKEN_LIVES = timedelta(minutes=2)
# No partner has it: ids of partners have no space.
EXAMINER: Final = "bridge doctor"


@dataclass(frozen=True, slots=True)
class OwnApis:
    """Looks at the two APIs from outside, as partners and CSMSs do. URLs have no trailing slash."""

    ocpi_url: str
    csms_url: str
    party: Party
    registrations: RegistrationStore
    connect: Callable[[], HttpExchange]
    clock: Clock

    def reached_by_partners(self) -> Iterable[Finding]:
        """Whether the versions endpoint answers who has no token: HTTP 401, in OCPI's envelope."""
        url = versions.versions_url(self.ocpi_url)
        answer = self._get(url)
        if isinstance(answer, NoReply):
            yield failed(OCPI_API, url, _unanswered(answer), _REACH)
        elif answer.status == 401 and status_code(_object(answer)) is not None:
            yield ok(OCPI_API, url, "it answers, and wants a token")
        else:
            seen = f"it answers HTTP {answer.status}, and not 401 in OCPI's envelope: something else stands there"
            yield failed(OCPI_API, url, seen, _REACH)

    def reached_by_csmss(self) -> Iterable[Finding]:
        """Whether the events endpoint refuses what is not signed."""
        url = f"{self.csms_url}/csms/v1/events"
        answer = self._call(HttpCall("POST", url, {"Content-Type": "application/json"}, b"{}"))
        if isinstance(answer, NoReply):
            yield failed(CSMS_API, url, _unanswered(answer), _REACH)
        elif answer.status in {400, 401, 403} and "error" in _object(answer):
            yield ok(CSMS_API, url, "it answers, and wants a signature")
        else:
            seen = f"it answers HTTP {answer.status} to an event without a signature: something else stands there"
            yield failed(CSMS_API, url, seen, _REACH)

    def versions_lead_here(self) -> Iterable[Finding]:
        """Whether every URL that partners are told is one of this API: read with a token that opens nothing else."""
        with self._token() as token:
            listed = self._data(versions.versions_url(self.ocpi_url), token)
            if isinstance(listed, str):
                yield failed(VERSIONS, "list", listed, _SETTINGS)
                return
            try:
                offered = versions.read_versions(listed[0])
            except InvalidInput as error:
                yield failed(VERSIONS, "list", f"its {error}", "deploy the stack again")
                return
            for one in offered:
                yield self._leads_here(one, token)

    def _leads_here(self, offered: versions.OfferedVersion, token: str) -> Finding:
        about = offered.version
        if not self._is_ours(offered.url):
            return failed(VERSIONS, about, f"the list names {offered.url}, which is not of {self.ocpi_url}", _SETTINGS)
        details = self._data(offered.url, token)
        if isinstance(details, str):
            return failed(VERSIONS, about, f"{offered.url}: {details}", _SETTINGS)
        try:
            endpoints = versions.read_version_details(details[0], offered.version)
        except InvalidInput as error:
            return failed(VERSIONS, about, f"its {error}", "deploy the stack again")
        foreign = next((endpoint.url for endpoint in endpoints if not self._is_ours(endpoint.url)), None)
        if foreign is not None:
            return failed(VERSIONS, about, f"its details name {foreign}, which is not of {self.ocpi_url}", _SETTINGS)
        return ok(VERSIONS, about, f"{len(endpoints)} endpoints, all of this API")

    def _is_ours(self, url: str) -> bool:
        return url.startswith(f"{self.ocpi_url}/ocpi/")

    @contextmanager
    def _token(self) -> Iterator[str]:
        """A registration token for as long as the context lasts.

        It opens the versions alone: credentials are a partner's, and it is none's. So nothing is lost where a wrong URL
        shows it to somebody else.
        """
        token, now = new_token(), self.clock.now()
        accepted = AcceptedToken(token_hash(token), EXAMINER, self.party, now, TokenUse.REGISTRATION)
        self.registrations.reserve(accepted, now + TOKEN_LIVES)
        try:
            yield token
        finally:
            self.registrations.release(accepted.token_hash)

    def _data(self, url: str, token: str) -> tuple[JsonValue] | str:
        """The `data` of an answer, in a tuple; or what is wrong with the answer."""
        answer = self._get(url, {"Authorization": authorization(token, TokenEncoding.BASE64)})
        if isinstance(answer, NoReply):
            return _unanswered(answer)
        if answer.status == 401:
            return "the token of this deployment's registry is not known there: another deployment answers"
        content = _object(answer)
        if answer.status != 200 or status_code(content) != 1000:
            return f"it answers HTTP {answer.status}, OCPI {status_code(content)}"
        return (content.get("data"),)

    def _get(self, url: str, headers: Mapping[str, str] | None = None) -> Reply | NoReply:
        return self._call(HttpCall("GET", url, headers or {}, b""))

    def _call(self, call: HttpCall) -> Reply | NoReply:
        http = self.connect()
        try:
            return http.exchange(call, CALL_SECONDS)
        finally:
            http.close()


_REACH: Final = "look whether the stack is deployed (`make deploy`), at the domain's record in DNS, and at firewalls and the web ACL"
_SETTINGS: Final = (
    "set `ocpi_url`, or `domain_name` with `certificate_arn`, to where partners reach this API, and deploy again "
    "(docs/configuration.md); then let partners register again or `bridge partner rotate` them: they keep old URLs"
)


def _unanswered(answer: NoReply) -> str:
    return UNANSWERED.get(answer.error, answer.error)


def _object(answer: Reply) -> Mapping[str, JsonValue]:
    """The JSON object of an answer, empty where it has none."""
    try:
        content = read_json(answer.body)
    except UnreadableJson:
        return {}
    return content if isinstance(content, Mapping) else {}
