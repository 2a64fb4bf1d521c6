"""A session changed, or what a partner may see of it: everything that the partner is owed for that, in its order."""

from dataclasses import replace

from ocpi_bridge.domain.sessions import reassigned
from ocpi_bridge.domain.values import dataclass
from ocpi_bridge.ports.clock import Clock
from ocpi_bridge.ports.pushes import PushContext, PushStore
from ocpi_bridge.ports.sessions import SessionStore
from ocpi_bridge.usecases.partner_line import LineEvent, PartnerLines
from ocpi_bridge.usecases.push_session import PushResult, PushSession
from ocpi_bridge.usecases.watch_active_profile import WatchActiveProfile
from ocpi_bridge.usecases.watching import Watched


@dataclass(frozen=True, slots=True)
class Updated:
    """What a step did, for logs and metrics; `again_in` (s) is when the message is to come back.

    `learned` is what its calls showed of the partner.
    """

    push: PushResult
    watch: Watched
    again_in: int | None = None
    learned: tuple[LineEvent, ...] = ()


@dataclass(frozen=True, slots=True)
class UpdatePartner:
    """Brings one partner up to date about one session. Repeating it is harmless."""

    store: PushStore
    sessions: SessionStore
    lines: PartnerLines
    push: PushSession
    watch: WatchActiveProfile
    clock: Clock

    def __call__(
        self, session_id: str, partner_id: str, correlation_id: str, *, reassess: bool = False, settle: bool = True
    ) -> Updated:
        """Takes one step. `reassess`: decide the session's rights again first; `settle` as in the watch.

        Raises Contended.
        """
        context = self.store.push_context(session_id, partner_id)
        if reassess:
            context = self._reassessed(context)
        line = self.lines.open(partner_id, context.silence)
        pushed = self.push(context, line, partner_id, correlation_id)
        if pushed in {PushResult.PUT, PushResult.PATCH}:
            # A sign of life that the context, read before, does not show yet.
            context = replace(context, pushed=replace(context.pushed, at=self.clock.now(), in_doubt=False))
        step = self.watch(context, line, partner_id, correlation_id, settle=settle)
        return Updated(pushed, step.what, step.again_in, tuple(line.events))

    def _reassessed(self, context: PushContext) -> PushContext:
        """With the rights of this moment; their change, written, wakes every partner that knows the session."""
        session = context.session
        if session is None or session.over:
            return context
        now = self.clock.now()
        rights = self.sessions.rights(session.evse_uid, session.location_id, session.token, now)
        after = reassigned(session, rights, now)
        if after is session:
            return context
        after = replace(after, version=session.version + 1)
        # Where an event was faster, it has decided the rights anew as well.
        self.sessions.update(session, after, None)
        return replace(context, session=after)
