"""Every call of a partner: logged and counted, whoever makes it and for whatever; what the URL guard refused, too."""

from collections.abc import Mapping
from typing import Final

from ocpi_bridge.domain.partners import Partner
from ocpi_bridge.domain.url_guard.urls import host_of
from ocpi_bridge.domain.values import dataclass
from ocpi_bridge.ports.clock import Clock
from ocpi_bridge.ports.partners import PartnerClient, PartnerMessage, Receipt
from ocpi_bridge.ports.refused_hosts import RefusedHosts
from ocpi_bridge.runtime.metric_catalogue import CALL_TAKEN, PARTNER_CALLS, partner_error
from ocpi_bridge.runtime.metrics import emit, milliseconds_since
from ocpi_bridge.runtime.observability import logger
from ocpi_bridge.runtime.refused_urls import note_refusal

# The errors of a receipt that are the guard's, and what they mean.
_BY_HOST: Final = "is not on the partner's list (any more)"
_BY_ADDRESS: Final = "has an address that is not public"
_REFUSALS: Final[Mapping[str, str]] = {"refused_host": _BY_HOST, "refused_address": _BY_ADDRESS}
_REFUSALS_OF_TOKEN_URLS: Final[Mapping[str, str]] = {
    "oauth_refused_host": "is no https URL to a host name",
    "oauth_refused_address": _BY_ADDRESS,
}


@dataclass(frozen=True, slots=True)
class ObservedPartnerClient:
    """PartnerClient that tells of each call. Neither URL nor body is logged: they have tokens of others and persons."""

    client: PartnerClient
    clock: Clock

    def send(self, partner: Partner, message: PartnerMessage, budget: float) -> Receipt:
        """See PartnerClient."""
        began = self.clock.now()
        receipt = self.client.send(partner, message, budget)
        outcome = CALL_TAKEN if receipt.delivered else partner_error(receipt.error)
        emit(PARTNER_CALLS, outcome=outcome)
        (logger.info if receipt.delivered else logger.warning)(
            "partner.called",
            extra={
                "partner_id": partner.partner_id,
                "correlation_id": message.correlation_id,
                "method": message.method,
                "host": host_of(message.url),
                "http_status": receipt.http_status,
                "status_code": receipt.ocpi_status,
                "outcome": str(outcome),
                "error": receipt.error,
                "duration_ms": milliseconds_since(began),
            },
        )
        return receipt


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
