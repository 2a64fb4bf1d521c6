"""Whether the others answer: partners and CSMSs, with what we present to them, their clocks and their certificates."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import urlsplit

from ocpi_bridge.adapters.dynamodb.registry import DynamoRegistry
from ocpi_bridge.domain.partners import Partner, Registration
from ocpi_bridge.domain.stations import Csms, CsmsDriver
from ocpi_bridge.ports.clock import Clock
from tools.bridge.certificates import ExpiryOf, NoCertificate
from tools.bridge.csms_probe import CsmsProbe
from tools.bridge.doctor_findings import Finding, Verdict, failed, ok, skipped, warning
from tools.bridge.operations import OperationRefused, to_be_asked
from tools.bridge.partner_probe import PartnerProbe

PARTNER: Final = "partner answers"
CSMS: Final = "CSMS answers"
CLOCK: Final = "clock"
CERTIFICATE: Final = "certificate"
OURS: Final = "our API"

# A Date has whole seconds, and is on its way for a moment.
CLOCK_NOTICED = timedelta(seconds=5)
# Plans begin, and are told to begin, at instants; a minute is a quarter of a market's period that is not.
CLOCK_WRONG = timedelta(seconds=60)
# Who renews by a machine does so 30 days before: less than that is a machine that stands still.
CERTIFICATE_NOTICED = timedelta(days=21)
CERTIFICATE_URGENT = timedelta(days=3)
_HTTPS = 443


@dataclass(frozen=True, slots=True)
class PeerChecks:
    """Checks of everybody whom the bridge calls. `offset` is how far AWS's clock is ahead of this machine's."""

    partner_probe: PartnerProbe
    csms_probe: CsmsProbe
    registry: DynamoRegistry
    expiry_of: ExpiryOf
    clock: Clock
    offset: Callable[[], timedelta | None]

    def partner(self, partner: Partner) -> Iterable[Finding]:
        """Whether a partner answers and takes what we present, and what time it has."""
        about = f"partner {partner.partner_id}"
        if not partner.connected:
            words = {Registration.INVITED: "it has not registered yet", Registration.LEFT: "it has left"}
            yield skipped(PARTNER, about, words.get(partner.registration, "it is not connected"))
            return
        probed = self.partner_probe(partner)
        if probed.passed:
            yield ok(PARTNER, about, probed.seen)
        else:
            yield failed(PARTNER, about, probed.seen, probed.remedy)
        if probed.at is not None and probed.told_at is not None:
            yield self._clock_of(about, probed.at, probed.told_at)

    def csms(self, csms: Csms) -> Iterable[Finding]:
        """Whether a CSMS takes a command and passes it on, as `bridge csms test` asks."""
        about = f"CSMS {csms.csms_id}"
        if csms.driver is CsmsDriver.BUS:
            yield skipped(CSMS, about, "it is on the bus, where nobody answers at once")
            return
        try:
            asked, outlet = to_be_asked(self.registry, csms.csms_id, None)
        except OperationRefused as refused:
            yield skipped(CSMS, about, str(refused))
            return
        found = self.csms_probe(asked, outlet)
        seen = f"station {outlet.station.station_id}: {found.text}"
        if found.passed:
            yield ok(CSMS, about, seen)
        else:
            yield failed(CSMS, about, seen, f"then `bridge csms test {csms.csms_id}`")

    def certificate(self, whose: str, url: str) -> Iterable[Finding]:
        """Until when the certificate of a URL's host is good."""
        place = host_and_port(url)
        if place is None:
            return
        host, port = place
        about = f"{whose}: {host}"
        remedy = (
            "renew it in Certificate Manager, or mend its DNS validation"
            if whose == OURS
            else "tell whoever runs that host to renew it"
        )
        try:
            until = self.expiry_of(host, port)
        except NoCertificate as error:
            yield failed(CERTIFICATE, about, str(error), remedy)
            return
        left = until - self.clock.now()
        seen = f"good until {until:%Y-%m-%d}, {left.days} days"
        if left < CERTIFICATE_URGENT:
            yield failed(CERTIFICATE, about, seen, remedy)
        elif left < CERTIFICATE_NOTICED:
            yield warning(CERTIFICATE, about, seen, remedy)
        else:
            yield ok(CERTIFICATE, about, seen)

    def _clock_of(self, about: str, at: datetime, told_at: datetime) -> Finding:
        # Compared with AWS's clock, which the functions have, and not with this machine's.
        ahead = told_at - at - (self.offset() or timedelta())
        return clock_finding(about, ahead, "tell the partner: results and pushes are ordered by its clock and ours")


def host_and_port(url: str) -> tuple[str, int] | None:
    """Where a URL leads by TLS; None where it does not."""
    place = urlsplit(url)
    if place.scheme != "https" or place.hostname is None:
        return None
    return place.hostname, place.port or _HTTPS


def clock_finding(about: str, ahead: timedelta, remedy: str) -> Finding:
    """How it stands with a clock that is so far ahead."""
    seconds = ahead.total_seconds()
    seen = (
        "right to the second or two"
        if abs(ahead) <= CLOCK_NOTICED
        else (f"{abs(seconds):.0f} s {'ahead' if seconds > 0 else 'behind'}")
    )
    if abs(ahead) <= CLOCK_NOTICED:
        return ok(CLOCK, about, seen)
    verdict = Verdict.FAILED if abs(ahead) > CLOCK_WRONG else Verdict.WARNING
    return Finding(CLOCK, about, verdict, seen, remedy)
