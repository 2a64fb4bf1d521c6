"""The control of a session: who is next at its charge point, and who asks too often.

One small item per session. It carries the session's numbers (SET and CLEAR are numbered in the order in which they were
accepted, and the charge point never sees a number below the last one sent), the plan that the charge point last
accepted, and for each partner its token buckets and its newest accepted request.
"""

from collections.abc import Mapping
from dataclasses import field, replace
from datetime import datetime, timedelta
from decimal import Decimal

from ocpi_bridge.domain.partners import Partner, Rate
from ocpi_bridge.domain.plans import RateUnit
from ocpi_bridge.domain.requests import InstalledPlan, RequestKind
from ocpi_bridge.domain.values import dataclass

# What changes the charge point has its place in the order; what only asks has none.
NUMBERED = frozenset({RequestKind.SET, RequestKind.CLEAR})


@dataclass(frozen=True, slots=True)
class Bucket:
    """A token bucket: how many requests were left at an instant."""

    left: Decimal
    at: datetime


@dataclass(frozen=True, slots=True)
class NewestRequest:
    """The newest accepted request of a partner on a session; a repetition of it gets the same answer again."""

    request_id: str
    fingerprint: str
    timeout_at: datetime
    timeout: int


@dataclass(frozen=True, slots=True)
class Intake:
    """What is remembered of one partner's requests on a session.

    `first_set` is its first accepted SET: from then on it is owed every change of the active profile (14.4.2.4).
    """

    bucket: Bucket | None = None
    clear_bucket: Bucket | None = None
    newest: NewestRequest | None = None
    first_set: str | None = None


@dataclass(frozen=True, slots=True)
class Control:
    """The control of a session. `version` counts accepted requests; 0 is a session that never had one.

    `unit` is the one that partners used last; reports are given in it. `settled` is the highest number of a SET or CLEAR
    that is known to have taken effect; `uncertain` the highest one that was sent and whose outcome nobody knows, which
    `uncertain_by` had asked for.
    """

    session_id: str
    version: int = 0
    accepted: int = 0
    sent: int = 0
    settled: int = 0
    uncertain: int = 0
    uncertain_by: str | None = None
    installed: InstalledPlan | None = None
    unit: RateUnit | None = None
    intakes: Mapping[str, Intake] = field(default_factory=dict)

    @property
    def in_the_dark(self) -> bool:
        """Whether nobody knows what the last SET or CLEAR left at the charge point (design decision 16)."""
        return self.uncertain > 0 and self.uncertain >= self.settled

    def intake(self, partner_id: str) -> Intake:
        """What is remembered of the partner's requests."""
        return self.intakes.get(partner_id, Intake())


def repeated(control: Control, partner_id: str, fingerprint: str, now: datetime) -> NewestRequest | None:
    """The partner's newest request if this one is its repetition, within its timeout; else None.

    Only the newest counts: PUT A, DELETE, PUT A must apply A again, and some peers send one constant id.
    """
    newest = control.intake(partner_id).newest
    if newest is None or newest.fingerprint != fingerprint or now >= newest.timeout_at:
        return None
    return newest


def admit(
    control: Control, partner: Partner, kind: RequestKind, newest: NewestRequest, now: datetime
) -> tuple[Control, int | None] | None:
    """The control after accepting a request, with the request's number; None when the partner asks too often.

    SET and CLEAR get the session's next number, GETs none. CLEAR has a bucket of its own: it may be the driver's boost.
    """
    intake = control.intake(partner.partner_id)
    if kind is RequestKind.CLEAR:
        clear_bucket = _take(intake.clear_bucket, partner.clear_rate, now)
        if clear_bucket is None:
            return None
        intake = replace(intake, clear_bucket=clear_bucket, newest=newest)
    else:
        bucket = _take(intake.bucket, partner.rate, now)
        if bucket is None:
            return None
        intake = replace(intake, bucket=bucket, newest=newest)
    if kind is RequestKind.SET and intake.first_set is None:
        intake = replace(intake, first_set=newest.request_id)
    admitted, number = numbered(control, kind)
    return replace(admitted, intakes={**control.intakes, partner.partner_id: intake}), number


def numbered(control: Control, kind: RequestKind) -> tuple[Control, int | None]:
    """The control after one more request, with the request's number; the bridge's own requests take no bucket."""
    number = control.accepted + 1 if kind in NUMBERED else None
    accepted = control.accepted if number is None else number
    return replace(control, version=control.version + 1, accepted=accepted), number


def _take(bucket: Bucket | None, rate: Rate, now: datetime) -> Bucket | None:
    if bucket is None:
        return Bucket(Decimal(rate.burst - 1), now)
    elapsed = Decimal(max(timedelta(0), now - bucket.at) / timedelta(seconds=1))
    refilled = min(Decimal(rate.burst), bucket.left + elapsed / rate.seconds_per_request)
    if refilled < 1:
        return None
    return Bucket((refilled - 1).quantize(Decimal("0.001")), max(now, bucket.at))
