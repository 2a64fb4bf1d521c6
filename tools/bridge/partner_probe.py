"""Whether a partner's server answers, and takes what we present to it: one call that changes nothing."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final
from uuid import uuid4

from ocpi_bridge.adapters.bounded_http.exchange import HttpCall, HttpExchange, NoReply, Reply
from ocpi_bridge.adapters.partner_http.authenticator import Authenticator, NotAuthenticated
from ocpi_bridge.adapters.partner_http.oauth2 import AccessTokens
from ocpi_bridge.domain.errors import InvalidInput
from ocpi_bridge.domain.partners import OutboundAuth, Partner, Party, Registration
from ocpi_bridge.domain.times import in_utc
from ocpi_bridge.domain.url_guard.urls import check_partner_url, check_public_url, partner_hosts
from ocpi_bridge.ocpi.transport import routing_headers
from ocpi_bridge.ports.clock import Clock
from ocpi_bridge.ports.secrets import SecretStore
from tools.bridge.doctor_findings import UNANSWERED
from tools.bridge.partner_secrets import how_to_give

# A healthy partner takes less than a second; an access token may have to be fetched first.
BUDGET: Final = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class Probed:
    """What came of the call. `told_at` is the partner's own Date, `at` the moment of ours that belongs to it."""

    passed: bool
    seen: str
    remedy: str = ""
    at: datetime | None = None
    told_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class PartnerProbe:
    """Calls as the functions do, with the secret and the guarded network of theirs. `connect` opens connections."""

    secrets: SecretStore
    connect: Callable[[], HttpExchange]
    party: Party
    clock: Clock
    allow_loopback: bool = False

    def __call__(self, partner: Partner) -> Probed:
        """Asks for the partner's versions, or for a session that there is not. Never raises for what a partner does."""
        url = _url(partner, self.party)
        if url is None:
            return _failed("its entry has no URL to call", "give its `sessions_url`: `bridge partner replace FILE`")
        try:
            self._check(partner, url)
        except InvalidInput as error:
            return _failed(f"its URL {error.problem}", "mend its file: `bridge partner replace FILE`")
        http = self.connect()
        try:
            end = self.clock.now() + BUDGET
            tokens = AccessTokens(http, self.clock, allow_loopback=self.allow_loopback)
            headers = {
                **Authenticator(self.secrets, tokens).headers(partner, end, renew=True),
                "X-Request-ID": str(uuid4()),
                "X-Correlation-ID": str(uuid4()),
                **({} if url == partner.versions_url else routing_headers(self.party, partner.party)),
            }
            before = self.clock.now()
            answer = http.exchange(HttpCall("GET", url, headers, b""), (end - before).total_seconds())
            at = before + (self.clock.now() - before) / 2
        except NotAuthenticated as error:
            seen = f"there is nothing to present to it: {error.receipt.error}"
            return _failed(seen, _other_secret(partner))
        finally:
            http.close()
        return _judged(partner, answer, at)

    def _check(self, partner: Partner, url: str) -> None:
        if url == partner.versions_url:
            check_public_url(url, "versions_url", allow_loopback_http=self.allow_loopback)
        else:
            check_partner_url(url, partner_hosts(partner), allow_loopback_http=self.allow_loopback)


def date_of(text: str | None) -> datetime | None:
    """The instant in a Date header, or None."""
    if text is None:
        return None
    try:
        return in_utc(parsedate_to_datetime(text))
    except (ValueError, TypeError, OverflowError):
        return None


def _url(partner: Partner, party: Party) -> str | None:
    if partner.registration is Registration.REGISTERED and partner.versions_url is not None:
        return partner.versions_url
    if partner.sessions_url is None:
        return None
    return f"{partner.sessions_url.rstrip('/')}/{party.country_code}/{party.party_id}/bridge-doctor"


def _judged(partner: Partner, answer: Reply | NoReply, at: datetime) -> Probed:
    if isinstance(answer, NoReply):
        why = UNANSWERED.get(answer.error, answer.error)
        return _failed(why, "look at its URLs (`bridge partner show`) and ask the partner whether it is up")
    told_at = date_of(answer.headers.get("date"))
    if answer.status in {401, 403}:
        seen = f"it answers HTTP {answer.status} to what we present: the token is wrong there"
        return _failed(seen, _other_secret(partner), at, told_at)
    if answer.status >= 500 or answer.status == 429 or 300 <= answer.status < 400:
        seen = f"it answers HTTP {answer.status}"
        return _failed(seen, "ask the partner; look at its URLs (`bridge partner show`)", at, told_at)
    return Probed(
        passed=True, seen=f"it answers HTTP {answer.status} and takes what we present", at=at, told_at=told_at
    )


def _failed(seen: str, remedy: str, at: datetime | None = None, told_at: datetime | None = None) -> Probed:
    return Probed(passed=False, seen=seen, remedy=remedy, at=at, told_at=told_at)


def _other_secret(partner: Partner) -> str:
    if partner.registration is Registration.REGISTERED:
        return (
            f"`bridge partner rotate {partner.partner_id}` exchanges the tokens; if that is refused too, register again: "
            "`bridge partner register`"
        )
    what = "secret" if partner.auth is OutboundAuth.OAUTH2 else "token"
    return f"get the right {what} from the partner and {how_to_give(partner)}: `bridge partner replace FILE`"
