"""Every call of a partner: logged and counted, whoever makes it and for whatever."""

from dataclasses import dataclass

from ocpi_bridge.domain.partners import Partner
from ocpi_bridge.domain.url_guard.urls import host_of
from ocpi_bridge.ports import Clock, PartnerClient, PartnerMessage, Receipt
from ocpi_bridge.runtime.metric_catalogue import CALL_TAKEN, PARTNER_CALLS, partner_error
from ocpi_bridge.runtime.metrics import emit, milliseconds_since
from ocpi_bridge.runtime.observability import logger


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
