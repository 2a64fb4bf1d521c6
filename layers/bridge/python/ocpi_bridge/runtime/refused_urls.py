"""What the URL guard refused, where an operator finds it: one log line, and the partner's list of refused hosts."""

from ocpi_bridge.domain.errors import UrlRefused
from ocpi_bridge.ports.clock import Clock
from ocpi_bridge.ports.refused_hosts import RefusedHosts
from ocpi_bridge.runtime.metric_catalogue import REFUSED_URLS
from ocpi_bridge.runtime.metrics import emit, log_failure
from ocpi_bridge.runtime.observability import logger


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
