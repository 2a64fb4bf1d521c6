"""A session changed, or what a partner may see of it: everything that the partner is owed for that, in its order."""

from dataclasses import dataclass, replace

from ocpi_bridge.domain.sessions import reassigned
from ocpi_bridge.ports import Clock, PushContext, PushStore, SessionStore
from ocpi_bridge.usecases.push_session import PushResult, PushSession
from ocpi_bridge.usecases.watch_active_profile import WatchActiveProfile, Watched


@dataclass(frozen=True, slots=True)
class Updated:
    """What a step did, for logs and metrics."""

    push: PushResult
    watch: Watched


@dataclass(frozen=True, slots=True)
class UpdatePartner:
    """Brings one partner up to date about one session. Repeating it is harmless."""

    store: PushStore
    sessions: SessionStore
    push: PushSession
    watch: WatchActiveProfile
    clock: Clock

    def __call__(self, session_id: str, partner_id: str, correlation_id: str, *, reassess: bool = False) -> Updated:
        """Takes one step. `reassess`: decide the session's rights again first. Raises Contended."""
        context = self.store.push_context(session_id, partner_id)
        if reassess:
            context = self._reassessed(context)
        pushed = self.push(context, partner_id, correlation_id)
        return Updated(pushed, self.watch(context, partner_id, correlation_id))

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
