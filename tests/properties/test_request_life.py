"""A request's life as a model: whatever happens in whatever order, what must never happen does not (design, section 5).

The real use cases run on stores in memory (which pass the same suite as the real ones) between a charge point, a partner
and queues that do all that real ones do.
"""

from datetime import timedelta
from decimal import Decimal

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from ocpi_bridge.domain.events import EventType
from ocpi_bridge.domain.plans import Plan, PlanPeriod, RateUnit
from ocpi_bridge.domain.stations import Replacement
from tests.support.clocks import START
from tests.support.examples import also_proved, examples
from tests.support.model.bridge import Call, ModelBridge
from tests.support.model.charge_point import Conduct, Showing
from tests.support.model.hazard import Side
from tests.support.model.invariants import Witness
from tests.support.model.partner import Manner
from tests.support.model.queues import Queue

pytestmark = also_proved()

# So many lives are some 20 s on one idle core.
LIVES = 200
EVENTS = 40


def flat(watts: int) -> Plan:
    return Plan(RateUnit.WATT, (PlanPeriod(0, Decimal(watts)),), START)


PLANS = (
    flat(7000),
    flat(4200),
    Plan(
        RateUnit.AMPERE, (PlanPeriod(0, Decimal(16)), PlanPeriod(900, Decimal(0)), PlanPeriod(1800, Decimal(10))), START
    ),
    Plan(RateUnit.WATT, (PlanPeriod(0, Decimal(9000)), PlanPeriod(7200, Decimal(5000))), None),
)
STEERING = (EventType.STEERING_SUSPENDED, EventType.STEERING_RESUMED, EventType.STEERING_RELEASED)
STATION = (EventType.STATION_OFFLINE, EventType.STATION_ONLINE)


# Most stations show what they follow.
SHOWING = st.sampled_from([Showing.FOLLOWED, Showing.FOLLOWED, Showing.NOTHING, Showing.UNSUPPORTED])
CONDUCT = st.lists(st.sampled_from(Conduct), max_size=3)
MANNERS = st.lists(st.sampled_from(Manner), max_size=4)
# How long all workers are awake after a call; None: nobody does anything yet.
SECONDS = st.sampled_from([None, None, 0, 3, 130])


class RequestLife(RuleBasedStateMachine):
    """Cars come and go, the partner asks, and all else happens to it."""

    @initialize(replacement=st.sampled_from(Replacement), showing=SHOWING, told_profiles=st.integers(0, 3).map(bool))
    def begin(self, replacement: Replacement, showing: Showing, *, told_profiles: bool) -> None:
        self.bridge = ModelBridge(replacement, showing=showing, told_profiles=told_profiles)
        self.witness = Witness(self.bridge)
        self.bridge.car_comes()
        self.bridge.settle()

    # --- The partner asks --------------------------------------------------------------------------------------------

    @rule(plan=st.sampled_from(PLANS), conduct=CONDUCT, manners=MANNERS, seconds=SECONDS)
    def put(self, plan: Plan, conduct: list[Conduct], manners: list[Manner], seconds: int | None) -> None:
        self._will(conduct, manners)
        self.bridge.put(plan)
        self._goes_on(seconds)

    @rule(conduct=CONDUCT, manners=MANNERS, seconds=SECONDS)
    def delete(self, conduct: list[Conduct], manners: list[Manner], seconds: int | None) -> None:
        self._will(conduct, manners)
        self.bridge.delete()
        self._goes_on(seconds)

    @rule(conduct=CONDUCT)
    def get(self, conduct: list[Conduct]) -> None:
        self._will(conduct, [])
        self.bridge.get()

    @rule(
        plans=st.lists(st.sampled_from(PLANS), min_size=2, max_size=4), x_request_id=st.sampled_from([None, "constant"])
    )
    def several_in_a_row(self, plans: list[Plan], x_request_id: str | None) -> None:
        for plan in plans:
            self.bridge.put(plan, x_request_id=x_request_id)

    @precondition(lambda self: self.bridge.calls)
    @rule()
    def repeat_the_newest(self) -> None:
        call, books = self.bridge.calls[-1], self.bridge.books
        known = self._request_of(call)
        before = len(books.requests)
        self.bridge.ask(call)
        if known:
            assert len(books.requests) == before, "a duplicate made a second command"

    @rule()
    def rotate_the_token(self) -> None:
        self.bridge.rotate_token()

    # --- The charge point, the CSMS, the CPO -------------------------------------------------------------------------

    @precondition(lambda self: self.bridge.charge_point.replies)
    @rule(data=st.data())
    def charge_point_answers_again(self, data: st.DataObject) -> None:
        self.bridge.post_reply(data.draw(st.integers(0, len(self.bridge.charge_point.replies) - 1)))

    @rule()
    def another_car_comes(self) -> None:
        self.bridge.pass_time(1)
        self.bridge.car_comes()
        self.bridge.settle()

    @rule()
    def car_leaves(self) -> None:
        self.bridge.car_leaves()

    @rule()
    def charge_point_reboots(self) -> None:
        self.bridge.charge_point.reboots()
        self.bridge.report(EventType.STATION_BOOTED)

    @rule(kind=st.sampled_from([*STEERING, *STATION]))
    def cpo_or_station_says(self, kind: EventType) -> None:
        self.bridge.report(kind)

    @rule(cap_w=st.sampled_from([None, Decimal(6000), Decimal(11_000)]))
    def cpo_caps(self, cap_w: Decimal | None) -> None:
        self.bridge.report(EventType.CAP_CHANGED, cap_w=cap_w)

    @rule(given=st.booleans())
    def cpo_assigns(self, given: bool) -> None:
        self.bridge.assign(*([self.bridge.assignment] if given else []))

    # --- Workers -----------------------------------------------------------------------------------------------------

    @rule(twice=st.booleans())
    def relay(self, twice: bool) -> None:
        self.bridge.relay(twice=twice)

    @rule()
    def a_record_is_lost(self) -> None:
        self.bridge.lose_record()

    @rule(messages=st.integers(1, 3), twice=st.booleans())
    def work(self, messages: int, twice: bool) -> None:
        for _ in range(messages):
            self.bridge.work(twice=twice)

    @rule(call=st.integers(1, 12), side=st.sampled_from(Side))
    def a_worker_will_die(self, call: int, side: Side) -> None:
        self.bridge.hazard.arm(call, side)

    @precondition(lambda self: self.bridge.queues.entries)
    @rule(data=st.data())
    def a_message_comes_twice(self, data: st.DataObject) -> None:
        self.bridge.queues.repeat(data.draw(st.sampled_from(self.bridge.queues.entries)))

    @precondition(lambda self: self.bridge.queues.lying_in(Queue.DEADLINES))
    @rule(data=st.data(), fate=st.sampled_from(["early", "late", "never"]))
    def a_deadline_comes(self, data: st.DataObject, fate: str) -> None:
        queues = self.bridge.queues
        entry = data.draw(st.sampled_from(queues.lying_in(Queue.DEADLINES)))
        match fate:
            case "early":
                self.bridge.take(entry)
            case "late":
                self.bridge.sleep_over()
                entry.visible_at += timedelta(seconds=30)
            case _:
                self.bridge.sleep_over()
                queues.done(entry)

    @rule()
    def sweep(self) -> None:
        self.bridge.sweep_once()

    # --- Time --------------------------------------------------------------------------------------------------------

    @rule(seconds=st.sampled_from([1, 3, 10, 45, 100]))
    def time_passes(self, seconds: int) -> None:
        self.bridge.pass_time(seconds)

    @rule(seconds=st.sampled_from([5, 60, 79, 85, 91, 200]))
    def nobody_works(self, seconds: int) -> None:
        self.bridge.outage(seconds)

    # --- What must never happen --------------------------------------------------------------------------------------

    @invariant()
    def nothing_happens_that_never_must(self) -> None:
        self.witness.look()

    def teardown(self) -> None:
        if not hasattr(self, "bridge"):
            return
        self.bridge.rest(self.witness.look)
        self.witness.look_at_rest()

    def _will(self, conduct: list[Conduct], manners: list[Manner]) -> None:
        """What the charge point does with the next commands, and the partner's endpoint with the next messages."""
        self.bridge.charge_point.conduct.extend(conduct)
        self.bridge.partner.manners.extend(manners)

    def _goes_on(self, seconds: int | None) -> None:
        if seconds is not None:
            self.bridge.pass_time(seconds)

    def _request_of(self, call: Call) -> bool:
        """Whether the call is the newest that was accepted, and within its timeout."""
        newest = self.bridge.books.control(call.session_id).intake("jedlix").newest
        if newest is None or newest.timeout_at <= self.bridge.clock.now():
            return False
        request = self.bridge.books.requests[newest.request_id]
        return request.callback is not None and request.callback.response_url == call.url


TestRequestLife = RequestLife.TestCase
TestRequestLife.settings = settings(examples(LIVES), stateful_step_count=EVENTS)
