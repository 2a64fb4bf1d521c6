"""What the URL guard refused, where an operator finds it: one log line, and the partner's list of refused hosts."""

from collections.abc import Mapping
from typing import Final

from ocpi_bridge.domain.errors import UrlRefused
from ocpi_bridge.domain.partners import Partner
from ocpi_bridge.domain.url_guard.urls import host_of
from ocpi_bridge.ports import Clock, PartnerClient, PartnerMessage, Receipt
from ocpi_bridge.ports.refused_hosts import RefusedHosts
from ocpi_bridge.runtime.metric_catalogue import REFUSED_URLS
from ocpi_bridge.runtime.metrics import emit, log_failure
from ocpi_bridge.runtime.observability import logger

# The errors of a receipt that are the guard's, and what they mean.
_BY_HOST: Final = "is not on the partner's list (any more)"
_BY_ADDRESS: Final = "has an address that is not public"
_REFUSALS: Final[Mapping[str, str]] = {"refused_host": _BY_HOST, "refused_address": _BY_ADDRESS}
_REFUSALS_OF_TOKEN_URLS: Final[Mapping[str, str]] = {
    "oauth_refused_host": "is no https URL to a host name",
    "oauth_refused_address": _BY_ADDRESS,
}


def refused_url(error: BaseException) -> UrlRefused | None:
    """The refusal behind an error: itself, or what it was raised from."""
    if isinstance(error, UrlRefused):
        return error
    return error.__cause__ if isinstance(error.__cause__, UrlRefused) else None


def note_refusal(hosts: RefusedHosts, clock: Clock, partner_id: str, host: str | None, reason: str) -> None:
    """Logs and counts one refusal. Never raises: the call that was refused is answered whatever becomes of this."""
    about = {"partner_id": partner_id, "host": host, "reason": reason}
    logger.warning("url.refused", extra=about)
    emit(REFUSED_URLS)
    try:
        hosts.note_refused_host(partner_id, host or "", reason, clock.now())
    except Exception:  # noqa: BLE001 - a count is worth less than the answer that waits for it
        log_failure("url.refusal_not_counted", about)


class RefusalsCounted:
    """A PartnerClient whose refusals are counted; else as the client within."""

    def __init__(self, client: PartnerClient, hosts: RefusedHosts, clock: Clock) -> None:
        self._client = client
        self._hosts = hosts
        self._clock = clock

    def send(self, partner: Partner, message: PartnerMessage, budget: float) -> Receipt:
        """See PartnerClient."""
        receipt = self._client.send(partner, message, budget)
        error = receipt.error or ""
        if error in _REFUSALS:
            self._note(partner, message.url, _REFUSALS[error])
        elif error in _REFUSALS_OF_TOKEN_URLS and partner.oauth2 is not None:
            self._note(partner, partner.oauth2.token_url, _REFUSALS_OF_TOKEN_URLS[error])
        return receipt

    def _note(self, partner: Partner, url: str, reason: str) -> None:
        note_refusal(self._hosts, self._clock, partner.partner_id, host_of(url), reason)
