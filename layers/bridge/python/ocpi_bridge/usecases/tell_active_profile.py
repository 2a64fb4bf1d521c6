"""What a charge point said that it follows is told to the partner, if that is news to it (OCPI 14.4.2.4)."""

from dataclasses import replace
from urllib.parse import quote

from ocpi_bridge.domain.followed_profiles import exceeds, no_news, told_otherwise
from ocpi_bridge.domain.partners import Party
from ocpi_bridge.domain.plans import Plan, RateUnit
from ocpi_bridge.domain.requests import Request, Result
from ocpi_bridge.domain.values import dataclass
from ocpi_bridge.domain.watches import Watch
from ocpi_bridge.ocpi.charging_profiles import active_charging_profile
from ocpi_bridge.ports.partners import PartnerMessage
from ocpi_bridge.ports.watches import WatchStore
from ocpi_bridge.usecases.watching import Seen, Watched


@dataclass(frozen=True, slots=True)
class TellActiveProfile:
    """Tells one partner. At-least-once, always what was read last. Never raises for what the partner does; raises Contended."""

    store: WatchStore

    def __call__(self, seen: Seen, request: Request) -> tuple[Watch, Watched]:
        """Deals with the answer to a GET of our own; a plan that was lost is sent again, once, before anybody is told.

        HELD: the partner is silent, and the watch is as it was, so that the same answer can be told later.
        """
        watch = seen.watch
        followed = self.store.active_profile(request.request_id) if request.result is Result.ACCEPTED else None
        silent = request.result is Result.UNKNOWN or not request.supported
        if followed is None and not silent and request.result is not Result.ACCEPTED:
            return watch.failed(), Watched.FAILED
        if seen.following is not None:
            plan = self._plan_of(seen, seen.following.request_id)
            more = followed is not None and plan is not None and exceeds(followed, plan, seen.now)
            lost = request.result is Result.UNKNOWN or more
            if lost and watch.found_missing(seen.following.request_id, seen.session.profile_doubt_at):
                return replace(watch, own=None, missing=seen.following.request_id), Watched.NOTHING
        installed = seen.installed
        if installed is not None and installed.fail_safe_at is not None and installed.fail_safe_at <= seen.now:
            watch = replace(watch, lapsed=installed.request_id)
        return self._tell(replace(seen, watch=watch), request, followed or self._told_otherwise(seen))

    def known(self, seen: Seen) -> Plan | None:
        """What the partner takes to be followed: what it was told last, or its own plan where that is newer."""
        watch, control = seen.watch, seen.control
        if watch.told is not None and watch.told_number == control.accepted:
            told = self.store.active_profile(watch.told)
            if told is not None:
                return told
        return None if seen.installed is None else self._plan_of(seen, seen.installed.request_id)

    def _tell(self, seen: Seen, request: Request, followed: Plan | None) -> tuple[Watch, Watched]:
        watch = seen.watch
        if not seen.reachable or not seen.sees:
            return watch.settled(request.created_at), Watched.NOTHING
        if followed is None:
            # Nothing can be told, of a cut by the CPO's limit neither: until something else happens, nobody asks again.
            if watch.told_number != seen.control.accepted:
                watch = replace(watch, told=None, told_number=seen.control.accepted)
            return watch.settled(request.created_at), Watched.NOTHING
        known = None if watch.forced or seen.reduced_untold else self.known(seen)
        if known is not None and no_news(known, followed, seen.now):
            return watch.settled(request.created_at), Watched.NO_NEWS
        if seen.line.closed_until() is not None:
            return watch, Watched.HELD
        if not self._push(seen, followed):
            return watch.failed(forced=True), Watched.FAILED
        if request.result is not Result.ACCEPTED:
            self.store.save_active_profile(request.request_id, followed)
        told = watch.settled(request.created_at)
        news = replace(told, told=request.request_id, told_number=seen.control.accepted, heard_at=seen.now)
        return news, Watched.PUSHED

    def _told_otherwise(self, seen: Seen) -> Plan | None:
        if seen.outlet is None:
            return None
        plan = self._plan_of(seen, seen.following.request_id) if seen.following is not None else None
        return told_otherwise(seen.session, plan, seen.outlet, seen.control.unit or RateUnit.WATT, seen.now)

    def _plan_of(self, seen: Seen, request_id: str) -> Plan | None:
        plan = self.store.plan(request_id)
        return plan if plan is None or plan.start is not None else replace(plan, start=seen.session.start)

    def _push(self, seen: Seen, followed: Plan) -> bool:
        partner, session = seen.partner, seen.session
        if partner is None or partner.charging_profiles_url is None:
            return False
        message = PartnerMessage(
            method="PUT",
            url=f"{partner.charging_profiles_url.rstrip('/')}/{quote(session.session_id, safe='')}",
            body=active_charging_profile(followed),
            correlation_id=seen.correlation_id,
            from_party=Party(session.country_code, session.party_id),
            to_party=partner.party,
        )
        return seen.line.send(partner, message).delivered
