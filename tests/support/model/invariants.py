"""What must never happen (design, section 5), looked at in a model after each step and at rest."""

from collections import defaultdict

from ocpi_bridge.domain.plans import RateUnit
from ocpi_bridge.domain.requests import Origin, Request, RequestKind, RequestState, Result
from ocpi_bridge.domain.sessions import Session
from ocpi_bridge.domain.stations import maximum_power, outlet_as_it_is
from ocpi_bridge.ports.charge_points import ChargerCommand
from ocpi_bridge.usecases.deliver_result import EARLY
from tests.support.model.bridge import ModelBridge
from tests.support.model.charge_point import Showing
from tests.support.model.partner import Manner, Told

_ENDED = {RequestState.DELIVERED, RequestState.UNDELIVERED}


class Witness:
    """Watches a bridge and fails when something happens that never must."""

    def __init__(self, bridge: ModelBridge) -> None:
        self._bridge = bridge
        self._results: dict[str, Result] = {}
        self._ended: set[str] = set()

    def look(self) -> None:
        """After each step."""
        bridge = self._bridge
        assert not bridge.charge_point.violations, bridge.charge_point.violations
        assert not bridge.partner.violations, bridge.partner.violations
        for request in bridge.books.requests.values():
            self._one_answer(request)
        for url, requests in self._by_url().items():
            self._one_result(requests, bridge.partner.results(url))

    def look_at_rest(self) -> None:
        """When nothing is left to do."""
        self.look()
        bridge = self._bridge
        by_url = self._by_url()
        assert bridge.accepted <= set(by_url), "an ACCEPTED request is unknown"
        for url, requests in by_url.items():
            for request in requests:
                self._came_to_its_end(request, bridge.partner.results(url))
        for session in bridge.books.sessions.sessions.values():
            self._partner_knows(session)
            if session.over:
                self._nothing_stays(session)
            else:
                self._follows_the_last_word(session)

    def _by_url(self) -> dict[str, list[Request]]:
        found: dict[str, list[Request]] = defaultdict(list)
        for request in self._bridge.books.requests.values():
            if request.callback is not None:
                found[request.callback.response_url].append(request)
        return found

    def _one_answer(self, request: Request) -> None:
        name = request.request_id
        if name in self._results:
            assert request.result is self._results[name], f"a second answer: {request}"
        elif request.result is not None:
            self._results[name] = request.result
            expired = (request.reason or "").startswith("no answer by the deadline")
            early = expired and self._bridge.clock.now() + EARLY < request.deadline
            assert not early, f"it expired before its deadline: {request}"
        if name in self._ended:
            assert request.state in _ENDED, f"a request came back from its end: {request}"
        elif request.state in _ENDED:
            self._ended.add(name)

    def _one_result(self, requests: list[Request], posts: list[Told]) -> None:
        """Each POST is the result of a request, and begins within its timeout; all of one request are the same."""
        told = [request for request in requests if request.result is not None]
        for post in posts:
            assert any(post.body["result"] == request.result for request in told), f"a wrong result: {post}"
            assert any(post.at <= request.timeout_at for request in told), f"a result after its timeout: {post}"
        if len(requests) == 1:
            assert all(post.body == posts[0].body for post in posts), f"two results: {posts}"

    def _came_to_its_end(self, request: Request, posts: list[Told]) -> None:
        assert request.state in _ENDED, f"ACCEPTED without an end: {request}"
        faults = any(post.manner is not Manner.TAKES for post in posts)
        if request.state is RequestState.DELIVERED:
            assert any(post.manner is Manner.TAKES for post in posts), f"delivered to nobody: {request}"
        else:
            away = request.request_id in self._bridge.late or self._bridge.partner.was_away
            assert faults or away, f"ACCEPTED without a result: {request}"

    def _partner_knows(self, session: Session) -> None:
        if "jedlix" in session.rights.seen_by:
            told = [status for url, status in self._bridge.partner.statuses.items() if url.endswith(session.session_id)]
            assert told == [session.status], f"the partner takes {session.session_id} for {told}"

    def _words(self, session: Session) -> list[Request]:
        """What took effect at the charge point as far as the bridge knows, in its order."""
        numbered = [
            one
            for one in self._bridge.books.requests.values()
            if one.session_id == session.session_id and one.number is not None
        ]
        return sorted((one for one in numbered if _took_effect(one)), key=lambda one: one.number or 0)

    def _follows_the_last_word(self, session: Session) -> None:
        bridge = self._bridge
        if bridge.charge_point.transaction != session.transaction_id:
            return
        words, control = self._words(session), bridge.books.control(session.session_id)
        assert not control.in_the_dark, f"nobody knows what is followed, and nobody looks: {control}"
        followed = bridge.charge_point.profiles.get(session.profile_id)
        last = words[-1] if words else None
        wanted = bridge.books.plans[last.request_id] if last is not None and last.kind is RequestKind.SET else None
        if control.installed is not None and not control.installed.in_force(bridge.clock.now()):
            return
        if followed is None and bridge.charge_point.showing is Showing.UNSUPPORTED:
            # That such a station lost its plan is seen by nobody.
            return
        assert (followed.asked_plan if followed else None) == wanted, f"{followed} is followed instead of {last}"
        if last is not None and last.origin is Origin.BRIDGE and last.kind is RequestKind.CLEAR:
            self._was_told_of(last, words)
        if followed is not None:
            self._is_within_the_caps(session, followed)

    def _is_within_the_caps(self, session: Session, followed: ChargerCommand) -> None:
        place = self._bridge.stores.sessions.place(session.csms_id, session.station_id)
        outlet = outlet_as_it_is(place.station, place.state, session.evse_uid, session.connector_id)
        assert outlet is not None
        if followed.plan is not None and followed.plan.unit is RateUnit.WATT:
            most = maximum_power(outlet)
            assert all(period.limit <= most for period in followed.plan.periods), f"{followed.plan} is above {most} W"

    def _was_told_of(self, taken_away: Request, words: list[Request]) -> None:
        """A partner whose plan the bridge took away was told what is followed since."""
        partners = [one for one in words if one.origin is Origin.PARTNER]
        if not partners or partners[-1].kind is not RequestKind.SET:
            return
        if not self._bridge.told_profiles or self._bridge.charge_point.showing is Showing.UNSUPPORTED:
            return
        told = [one.at for one in self._bridge.partner.active_profiles() if one.manner is Manner.TAKES]
        known = bool(told) and max(told) >= taken_away.created_at
        assert known, f"the partner does not know that its plan is gone: {taken_away}"

    def _nothing_stays(self, session: Session) -> None:
        """A plan of one car must not reach the next; a CLEAR that the charge point did not do is not said again."""
        left = self._bridge.charge_point.profiles.get(session.profile_id)
        if left is None or left.session_id != session.session_id:
            return
        number = self._bridge.books.requests[left.request_id].number or 0
        in_vain = [
            one
            for one in self._bridge.books.requests.values()
            if one.session_id == session.session_id
            and one.kind is RequestKind.CLEAR
            and one.origin is Origin.BRIDGE
            and (one.number or 0) > number
            and not _took_effect(one)
        ]
        assert in_vain, f"a plan stays for the next car: {left}"


def _took_effect(request: Request) -> bool:
    nothing_left = request.kind is RequestKind.CLEAR and request.result is Result.UNKNOWN
    return request.result is Result.ACCEPTED or nothing_left
