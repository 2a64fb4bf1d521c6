"""A partner is told what is new of a session: level-triggered, never an old body (OCPI 9.2.2).

The message says only that something changed. The newest session is compared with what the partner last acknowledged:
a PUT of the whole object the first time and after a doubt, else a PATCH of what changed, else nothing. While the partner
is silent it is held back: the message is done, and the sweep wakes the push again, or the session's next change does.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from enum import StrEnum
from urllib.parse import quote

from ocpi_bridge.domain.partners import Partner, Party
from ocpi_bridge.domain.sessions import Session
from ocpi_bridge.domain.values import dataclass
from ocpi_bridge.ocpi.sessions import changed_fields, charging_periods, session_fields
from ocpi_bridge.ports.clock import Clock
from ocpi_bridge.ports.json_values import JsonObject
from ocpi_bridge.ports.partners import PartnerMessage, Receipt
from ocpi_bridge.ports.pushes import PushContext, Pushed, PushStore
from ocpi_bridge.ports.secrets import SecretStore
from ocpi_bridge.usecases.partner_line import PartnerLine, look_again_at

# Fields whose change waits for the partner's interval; every other change goes at once.
METER_FIELDS = frozenset({"kwh", "total_cost", "last_updated"})
# After a failure the whole object is tried again; the sweep wakes it, so less than a minute means the next one.
RETRY_AFTER = (timedelta(0), timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=15))
# A partner that was down this long after a session's end fetches what it missed (4.4): nobody pushes for ever.
GIVE_UP_AFTER = timedelta(days=3)


class PushResult(StrEnum):
    """What came of a push, for logs and metrics."""

    PUT = "put"
    PATCH = "patch"
    NOTHING_NEW = "nothing_new"
    LATER = "later"
    HELD = "held"
    FAILED = "failed"
    GIVEN_UP = "given_up"


@dataclass(frozen=True, slots=True)
class PushSession:
    """Pushes a session to one partner. A crash in the middle leaves a doubt, and the next push is whole."""

    store: PushStore
    secrets: SecretStore
    clock: Clock

    def __call__(self, context: PushContext, line: PartnerLine, partner_id: str, correlation_id: str) -> PushResult:
        """Never raises for what the partner does; a failure is remembered and woken by the sweep. Raises Contended."""
        session, partner, pushed = context.session, context.partner, context.pushed
        if session is None or partner is None or not partner.connected or partner.sessions_url is None:
            return self._nobody_to_tell(context)
        if partner_id not in session.rights.seen_by:
            return self._nobody_to_tell(context)
        if pushed.final or self._known(session, pushed):
            return PushResult.NOTHING_NEW
        now = self.clock.now()
        if pushed.in_doubt and self._too_old(session, now):
            return self._give_up(pushed)
        fields = session_fields(session, partner_id, self.secrets.callback_signing_key(), partner.version)
        changed = changed_fields(pushed.fields, fields)
        if not pushed.in_doubt and pushed.version and not self._differs(session, pushed, changed):
            if context.push_due_at is not None and context.push_due_at <= now:
                # What was held back has been taken back meanwhile.
                self.store.save_pushed(pushed, due_at=None)
            return PushResult.NOTHING_NEW
        if not pushed.in_doubt and pushed.version and set(changed) <= METER_FIELDS and not session.over:
            due = (pushed.at or now) + timedelta(seconds=partner.meter_push_interval)
            if now < due:
                self.store.save_pushed(pushed, due_at=due)
                return PushResult.LATER
        closed_until = line.closed_until()
        if closed_until is not None:
            return self._hold(context, session, closed_until)
        return self._push(session, partner, line, pushed, fields, changed, correlation_id)

    def _hold(self, context: PushContext, session: Session, until: datetime) -> PushResult:
        """No attempt, so none is counted; noted is only when the sweep looks again, where that is not noted yet."""
        now, due_at = self.clock.now(), context.push_due_at
        if self._too_old(session, now):
            return self._give_up(context.pushed)
        again_at = look_again_at(until, session.last_updated, now)
        if due_at is None or not now < due_at <= again_at:
            self.store.save_pushed(context.pushed, due_at=again_at)
        return PushResult.HELD

    def _too_old(self, session: Session, now: datetime) -> bool:
        return session.over and now - session.last_updated > GIVE_UP_AFTER

    def _give_up(self, pushed: Pushed) -> PushResult:
        self.store.save_pushed(replace(pushed, final=True), due_at=None)
        return PushResult.GIVEN_UP

    def _nobody_to_tell(self, context: PushContext) -> PushResult:
        pushed = context.pushed
        if pushed.version or pushed.in_doubt or context.push_due_at is not None:
            # Not due any more, or the sweep would wake it for ever.
            self.store.save_pushed(pushed, due_at=None)
        return PushResult.NOTHING_NEW

    def _differs(self, session: Session, pushed: Pushed, changed: JsonObject) -> bool:
        """Whether there is anything to tell: the moment of a change that shows in nothing is no news."""
        return set(changed) != {"last_updated"} or session.periods > pushed.periods

    def _known(self, session: Session, pushed: Pushed) -> bool:
        return pushed.version >= session.version and not pushed.in_doubt

    def _push(
        self,
        session: Session,
        partner: Partner,
        line: PartnerLine,
        pushed: Pushed,
        fields: JsonObject,
        changed: JsonObject,
        correlation_id: str,
    ) -> PushResult:
        whole = pushed.in_doubt or pushed.version == 0
        now = self.clock.now()
        # Written before the call: whoever comes after a crash in the middle must not append periods a second time.
        self.store.save_pushed(replace(pushed, in_doubt=True), due_at=now + RETRY_AFTER[1])
        receipt = Receipt(delivered=False)
        if not whole:
            receipt = self._send("PATCH", session, partner, line, changed, pushed.periods, correlation_id)
        if whole or (not receipt.delivered and receipt.final):
            # A partner that refuses a PATCH may not have the object (4.1.4.3): the whole of it settles that.
            whole = True
            receipt = self._send("PUT", session, partner, line, fields, 0, correlation_id)
        if not receipt.delivered:
            attempts = pushed.attempts + 1
            wait = RETRY_AFTER[min(attempts, len(RETRY_AFTER)) - 1]
            failed = replace(pushed, in_doubt=True, attempts=attempts)
            self.store.save_pushed(failed, due_at=self.clock.now() + wait)
            return PushResult.FAILED
        self.store.save_pushed(_acknowledged(session, partner, fields, self.clock.now()), due_at=None)
        return PushResult.PUT if whole else PushResult.PATCH

    def _send(
        self,
        method: str,
        session: Session,
        partner: Partner,
        line: PartnerLine,
        fields: JsonObject,
        after_period: int,
        correlation_id: str,
    ) -> Receipt:
        body = dict(fields)
        if session.periods > after_period:
            new = [p for p in self.store.periods(session.session_id, after_period) if p.index <= session.periods]
            body["charging_periods"] = charging_periods(new, session.rights.shared_with(partner.partner_id))
        message = PartnerMessage(
            method=method,
            url="/".join(
                (
                    (partner.sessions_url or "").rstrip("/"),
                    quote(session.country_code, safe=""),
                    quote(session.party_id, safe=""),
                    quote(session.session_id, safe=""),
                )
            ),
            body=body,
            correlation_id=correlation_id,
            from_party=Party(session.country_code, session.party_id),
            to_party=partner.party,
        )
        return line.send(partner, message)


def _acknowledged(session: Session, partner: Partner, fields: JsonObject, now: datetime) -> Pushed:
    return Pushed(
        session_id=session.session_id,
        partner_id=partner.partner_id,
        version=session.version,
        fields=fields,
        periods=session.periods,
        at=now,
        final=session.over,
    )
