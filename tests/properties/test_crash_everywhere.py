"""Workers die at each call of a port, before and after its effect; what comes again mends it (design, sections 1 and 5).

Enumerated, not sampled: each scenario is run once to count the calls of the one use case that it is about, then again
for every call and both sides. A test's name says who died where. And at each of these points another worker does the same,
with the same message.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cache

import pytest

from ocpi_bridge.domain.events import EventType
from ocpi_bridge.domain.plans import Plan, PlanPeriod, RateUnit
from ocpi_bridge.domain.preferences import CHARGING_PREFERENCES_CAPABLE, ChargingPreferences, ProfileType
from ocpi_bridge.domain.requests import Origin, RequestState
from ocpi_bridge.domain.stations import Replacement
from ocpi_bridge.ocpi.charging_profiles import ResponseType, SetProfile
from ocpi_bridge.ports.charge_points import Done
from ocpi_bridge.ports.messages import DeadlineMessage
from tests.support.clocks import START
from tests.support.model.bridge import Call, ModelBridge
from tests.support.model.charge_point import Conduct
from tests.support.model.hazard import Side
from tests.support.model.invariants import Witness
from tests.support.model.partner import Manner
from tests.support.model.queues import Queue

Act = Callable[[ModelBridge], object]


def flat(watts: int) -> Plan:
    return Plan(RateUnit.WATT, (PlanPeriod(0, Decimal(watts)),), START)


PLAN, OTHER = flat(7000), flat(4200)
FAST = ChargingPreferences(ProfileType.FAST)


@dataclass(frozen=True, slots=True)
class Scenario:
    """`before` sets the scene; `act` is the one run of a use case that dies; `again` is what its caller repeats.

    `last_moment`: the timeout is so near that whoever dies now costs the result; it goes to the operators.
    """

    name: str
    before: tuple[Act, ...]
    act: Act
    again: Act | None = None
    replacement: Replacement | None = None
    last_moment: bool = False

    def begun(self) -> ModelBridge:
        bridge = ModelBridge(self.replacement)
        bridge.car_comes()
        bridge.settle()
        for step in self.before:
            step(bridge)
        return bridge


# --- What happens ----------------------------------------------------------------------------------------------------


def put(bridge: ModelBridge) -> None:
    bridge.put(PLAN)


def put_other(bridge: ModelBridge) -> None:
    bridge.put(OTHER)


def delete(bridge: ModelBridge) -> None:
    bridge.delete()


def get(bridge: ModelBridge) -> None:
    bridge.get()


def repeats(bridge: ModelBridge) -> None:
    bridge.ask(bridge.calls[-1])


def settled(bridge: ModelBridge) -> None:
    bridge.pass_time(10)


def relayed(bridge: ModelBridge) -> None:
    bridge.relay()


def rotated(bridge: ModelBridge) -> None:
    bridge.rotate_token()


def swept(bridge: ModelBridge) -> None:
    bridge.sweep_once()


def lost_record(bridge: ModelBridge) -> None:
    bridge.lose_record()


def wishes(bridge: ModelBridge) -> None:
    bridge.wish(FAST)


def takes_wishes(bridge: ModelBridge) -> None:
    station = bridge.books.sessions.stations["acme", "CP-001"]
    able = [replace(one, capabilities=one.capabilities | {CHARGING_PREFERENCES_CAPABLE}) for one in station.evses]
    bridge.stores.add(replace(station, evses=tuple(able)))


def assigned(bridge: ModelBridge) -> None:
    bridge.assign(bridge.assignment)


def unassigned(bridge: ModelBridge) -> None:
    bridge.assign()


def leaves(bridge: ModelBridge) -> None:
    bridge.car_leaves()


def comes(bridge: ModelBridge) -> None:
    bridge.clock.advance(1)
    bridge.car_comes()


def does(*conduct: Conduct) -> Act:
    return lambda bridge: bridge.charge_point.conduct.extend(conduct)


def partner(*manners: Manner) -> Act:
    return lambda bridge: bridge.partner.manners.extend(manners)


def later(seconds: float) -> Act:
    return lambda bridge: bridge.outage(seconds)


def reports(kind: EventType) -> Act:
    return lambda bridge: bridge.report(kind)


def caps(watts: int) -> Act:
    return lambda bridge: bridge.report(EventType.CAP_CHANGED, cap_w=Decimal(watts))


def takes(queue: Queue) -> Act:
    """A worker takes the next message of a queue."""
    return lambda bridge: bridge.take(bridge.queues.lying_in(queue)[0])


def answers(bridge: ModelBridge) -> None:
    """The charge point's answer comes to the callback URL."""
    bridge.charge_point.catch_up()
    bridge.post_reply(len(bridge.charge_point.replies) - 1)


def deadline_of(number: int) -> Act:
    """The deadline of the so-maniest call comes."""

    def comes_up(bridge: ModelBridge) -> None:
        [request_id] = [
            one.request_id
            for one in bridge.books.requests.values()
            if one.callback is not None and one.callback.response_url == bridge.calls[number].url
        ]
        [entry, *_] = [
            entry
            for entry in bridge.queues.lying_in(Queue.DEADLINES)
            if isinstance(entry.message, DeadlineMessage) and entry.message.request_id == request_id
        ]
        bridge.take(entry)

    return comes_up


def loses_deadlines(bridge: ModelBridge) -> None:
    for entry in bridge.queues.lying_in(Queue.DEADLINES):
        bridge.queues.done(entry)


def contradicts(bridge: ModelBridge) -> None:
    """The CSMS will say something else of the last command."""
    command_id, _ = bridge.charge_point.replies[-1]
    bridge.charge_point.replies.append((command_id, Done("Rejected")))


SENDS, DELIVERS, EXPIRES = takes(Queue.COMMANDS), takes(Queue.RESULTS), deadline_of(0)
INGESTS, UPDATES = takes(Queue.EVENTS), takes(Queue.UPDATES)
SENT_OUT = (put, relayed)
ANSWERED = (*SENT_OUT, SENDS, relayed)
STEERED = (put, settled)

SCENARIOS = (
    Scenario("request_profile: the first PUT", (), put, repeats),
    Scenario("request_profile: a PUT after a PUT", STEERED, put_other, repeats),
    Scenario("request_profile: a DELETE", STEERED, delete, repeats),
    Scenario("request_profile: a GET", STEERED, get, repeats),
    Scenario("request_profile: a repetition", (put,), repeats, repeats),
    Scenario("request_profile: a token that is used for the first time", (rotated,), put, repeats),
    Scenario("request_profile: a partner that was assigned just now", (unassigned, settled, assigned), put, repeats),
    Scenario("request_profile: several before any is sent", (put, put_other), delete, repeats),
    Scenario("relay_outbox: an accepted PUT", (put,), relayed),
    Scenario("relay_outbox: three accepted at once", (put, put_other, delete), relayed),
    Scenario("relay_outbox: an answer", (*SENT_OUT, SENDS), relayed),
    Scenario("relay_outbox: a session", (STEERED[0], settled, leaves, INGESTS), relayed),
    Scenario("relay_outbox: preferences", (takes_wishes, wishes), relayed),
    Scenario("set_preferences: wishes", (takes_wishes,), wishes, wishes),
    Scenario("send_command: a SET", SENT_OUT, SENDS),
    Scenario("send_command: a SET that is refused", (does(Conduct.REFUSES), *SENT_OUT), SENDS),
    Scenario("send_command: a SET that is answered later", (does(Conduct.DOES_LATER), *SENT_OUT), SENDS),
    Scenario("send_command: a SET to a station that is offline", (does(Conduct.OFFLINE), *SENT_OUT), SENDS),
    Scenario("send_command: a SET to a CSMS that is broken", (does(Conduct.BROKEN), *SENT_OUT), SENDS),
    Scenario("send_command: a SET whose answer is lost", (does(Conduct.DOES_UNHEARD), *SENT_OUT), SENDS),
    Scenario("send_command: a SET with an answer that nobody knows", (*STEERED, does(Conduct.MUMBLES), put_other, relayed), SENDS),
    Scenario("send_command: a CLEAR", (*STEERED, delete, relayed), SENDS),
    Scenario("send_command: a CLEAR whose answer is lost", (*STEERED, does(Conduct.DOES_UNHEARD), delete, relayed), SENDS),
    Scenario("send_command: a GET", (*STEERED, get, relayed), SENDS),
    Scenario("send_command: a command after a later one", (put, put_other, relayed, later_first := lambda bridge: bridge.take(bridge.queues.lying_in(Queue.COMMANDS)[1])), SENDS),
    Scenario("send_command: the CLEAR before a SET", (*STEERED, put_other, relayed), SENDS, replacement=Replacement.CLEAR_THEN_SET),
    Scenario("send_command: the SET after a CLEAR", (*STEERED, put_other, relayed, SENDS, relayed), SENDS, replacement=Replacement.CLEAR_THEN_SET),
    Scenario("send_command: a SET after a CLEAR that was sent before", (*STEERED, put_other, relayed, SENDS, relayed, does(Conduct.DOES_UNHEARD), SENDS, later(1)), SENDS, replacement=Replacement.CLEAR_THEN_SET),
    Scenario("send_command: a car that left after a SET that was perhaps done", (does(Conduct.DOES_UNHEARD), *SENT_OUT, SENDS, leaves, INGESTS, later(1)), SENDS),
    Scenario("send_command: a SET that was perhaps done and then is refused", (does(Conduct.DOES_UNHEARD, Conduct.REFUSES), *SENT_OUT, SENDS, later(1)), SENDS),
    Scenario("send_command: a SET that was perhaps done and then finds a broken CSMS", (does(Conduct.DOES_UNHEARD, Conduct.BROKEN), *SENT_OUT, SENDS, later(1)), SENDS),
    Scenario("send_command: a car that left", (*SENT_OUT, leaves, INGESTS), SENDS),
    Scenario("send_command: a station that the CPO took back", (*SENT_OUT, reports(EventType.STEERING_SUSPENDED), INGESTS), SENDS),
    Scenario("send_command: a partner that may not steer any more", (*SENT_OUT, unassigned, swept, UPDATES), SENDS),
    Scenario("record_answer: a SET", (does(Conduct.DOES_LATER), *SENT_OUT, SENDS, later(2)), answers, answers),
    Scenario("record_answer: a SET that is refused", (does(Conduct.REFUSES_LATER), *SENT_OUT, SENDS, later(2)), answers, answers),
    Scenario("record_answer: a CLEAR", (*STEERED, does(Conduct.DOES_LATER), delete, relayed, SENDS, later(2)), answers, answers),
    Scenario("record_answer: a GET", (*STEERED, does(Conduct.DOES_LATER), get, relayed, SENDS, later(2)), answers, answers),
    Scenario("record_answer: the first of two steps", (*STEERED, does(Conduct.DOES_LATER), put_other, relayed, SENDS, later(2)), answers, answers, replacement=Replacement.CLEAR_THEN_SET),
    Scenario("record_answer: when nobody waits any more", (does(Conduct.DOES_TOO_LATE), *SENT_OUT, SENDS, later(80), EXPIRES, later(50)), answers, answers),
    Scenario("record_answer: the contrary of the first answer", (does(Conduct.DOES_LATER), *SENT_OUT, SENDS, later(2), answers, contradicts), answers, answers),
    Scenario("record_answer: after a later request", (does(Conduct.DOES_LATER), put, put_other, relayed, SENDS, SENDS), answers, answers),
    Scenario("deliver_result: a result", ANSWERED, DELIVERS),
    Scenario("deliver_result: the profile of a GET", (*STEERED, get, relayed, SENDS, relayed), DELIVERS),
    Scenario("deliver_result: a partner that fails", (partner(Manner.FAILS), *ANSWERED), DELIVERS),
    Scenario("deliver_result: a partner that is busy", (partner(Manner.IS_BUSY), *ANSWERED), DELIVERS),
    Scenario("deliver_result: a partner that refuses", (partner(Manner.REFUSES), *ANSWERED), DELIVERS),
    Scenario("deliver_result: a partner whose answer is lost", (partner(Manner.IS_LATE), *ANSWERED), DELIVERS),
    Scenario("deliver_result: too late", (*ANSWERED, later(95)), DELIVERS),
    Scenario("expire: a message that comes early", SENT_OUT, EXPIRES),
    Scenario("expire: a request that was never sent", (*SENT_OUT, later(80)), EXPIRES, last_moment=True),
    Scenario("expire: a request that was sent", (does(Conduct.LOSES), *SENT_OUT, SENDS, later(80)), EXPIRES, last_moment=True),
    Scenario("expire: a request that was done in silence", (does(Conduct.DOES_SILENTLY), *SENT_OUT, SENDS, later(80)), EXPIRES, last_moment=True),
    Scenario("expire: a request that was answered", (*ANSWERED, later(80)), EXPIRES),
    Scenario("expire: a partner that fails", (does(Conduct.LOSES), *SENT_OUT, SENDS, later(80), partner(Manner.FAILS)), EXPIRES, last_moment=True),
    Scenario("expire: after a doubt about a later request", (does(Conduct.LOSES, Conduct.MUMBLES), put, put_other, relayed, SENDS, SENDS, later(80)), EXPIRES, last_moment=True),
    Scenario("sweep: a request that nobody relayed", (put, lost_record, later(20)), swept),
    Scenario("sweep: an answer that nobody relayed", (*SENT_OUT, SENDS, lost_record, later(20)), swept),
    Scenario("sweep: a deadline that never came", (does(Conduct.LOSES), *SENT_OUT, SENDS, loses_deadlines, later(80)), swept),
    Scenario("sweep: a push that is due", (partner(Manner.FAILS), leaves, INGESTS, relayed, UPDATES, later(60)), swept),
    Scenario("sweep: an end that nobody relayed", (*STEERED, leaves, INGESTS, lost_record, later(121)), swept),
    Scenario("sweep: a partner that lost its right", (*STEERED, unassigned), swept),
    Scenario("sweep: a car that was never told to leave", (*STEERED, comes, INGESTS, relayed, later(901)), swept),
    Scenario("ingest_event: a car comes", (leaves, settled, comes), INGESTS),
    Scenario("ingest_event: a car comes, and nobody said that the one before left", (*STEERED, comes), INGESTS),
    Scenario("ingest_event: a car charges", (*STEERED, reports(EventType.TRANSACTION_UPDATED)), INGESTS),
    Scenario("ingest_event: a car leaves", (*STEERED, leaves), INGESTS),
    Scenario("ingest_event: the CPO takes the station back", (*STEERED, reports(EventType.STEERING_SUSPENDED)), INGESTS),
    Scenario("ingest_event: the CPO has the plan released", (*STEERED, reports(EventType.STEERING_RELEASED)), INGESTS),
    Scenario("ingest_event: the CPO lowers its cap", (*STEERED, caps(5000)), INGESTS),
    Scenario("ingest_event: a charge point boots", (*STEERED, reports(EventType.STATION_BOOTED)), INGESTS),
    Scenario("ingest_event: a charge point goes offline", (*STEERED, reports(EventType.STATION_OFFLINE)), INGESTS),
    Scenario("update_partner: a session is new", (leaves, settled, comes, INGESTS, relayed), UPDATES),
    Scenario("update_partner: a session is over", (leaves, INGESTS, relayed), UPDATES),
    Scenario("update_partner: a partner that fails", (partner(Manner.FAILS), leaves, INGESTS, relayed), UPDATES),
    Scenario("update_partner: a partner that lost the object", (partner(Manner.FORGETS), leaves, INGESTS, relayed), UPDATES),
    Scenario("update_partner: a car leaves with a plan", (*STEERED, leaves, INGESTS, relayed), UPDATES),
    Scenario("update_partner: a right is lost", (*STEERED, unassigned, swept), UPDATES),
    Scenario("update_partner: a plan of a partner that lost its right", (*STEERED, unassigned, swept, UPDATES, relayed), UPDATES),
    Scenario("update_partner: the CPO takes the station back", (*STEERED, reports(EventType.STEERING_SUSPENDED), INGESTS, relayed), UPDATES),
    Scenario("update_partner: a plan is to be fitted anew", (*STEERED, caps(5000), INGESTS, relayed), UPDATES),
    Scenario("update_partner: nobody knows what is followed", (*STEERED, does(Conduct.MUMBLES), put_other, relayed, SENDS, relayed), UPDATES),
    Scenario("update_partner: nobody knows what is followed, and there was nothing", (does(Conduct.MUMBLES), *SENT_OUT, SENDS, relayed), UPDATES),
    Scenario("update_partner: the charge point is asked", (*STEERED, reports(EventType.STATION_BOOTED), INGESTS, relayed, later(6)), UPDATES),
    Scenario("update_partner: a plan turns out to be lost", (*STEERED, lambda bridge: bridge.charge_point.reboots(), reports(EventType.STATION_BOOTED), INGESTS, relayed, later(6), UPDATES, relayed, SENDS, relayed), UPDATES),
    Scenario("update_partner: what is followed is news", (*STEERED, reports(EventType.STEERING_SUSPENDED), INGESTS, relayed, UPDATES, relayed, SENDS, relayed, UPDATES, relayed, SENDS, relayed), UPDATES),
)  # fmt: skip


@cache
def calls_of(scenario: Scenario) -> tuple[str, ...]:
    """The calls of the use case when nobody dies."""
    bridge = scenario.begun()
    bridge.hazard.reset()
    scenario.act(bridge)
    return tuple(bridge.hazard.calls)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How often results were posted to the partner, and how many were given up."""

    posts: int
    given_up: int


@cache
def undisturbed(scenario: Scenario) -> Outcome:
    """The outcome when nobody dies: a partner may be away, or it may be too late."""
    bridge = scenario.begun()
    witness = Witness(bridge)
    scenario.act(bridge)
    return rested(bridge, witness)


def rested(bridge: ModelBridge, witness: Witness) -> Outcome:
    """The outcome when all is done; whatever was given up, the operators were told of."""
    bridge.rest(witness.look)
    witness.look_at_rest()
    given_up = {one.request_id for one in bridge.books.requests.values() if one.state is RequestState.UNDELIVERED}
    assert given_up <= {one.request_id for one in bridge.queues.failed}
    return Outcome(sum(one.method == "POST" for one in bridge.partner.told), len(given_up))


def points(*, shared: bool = False) -> list[object]:
    """Every call of every scenario, and both of its sides; `shared`: only where two workers can be at once."""
    return [
        pytest.param(scenario, number, side, id=f"{scenario.name}, {side} {number} {name}")
        for scenario in SCENARIOS
        # A station's commands are one group of a FIFO queue, and a sender lives no longer than it has its message.
        if not (shared and scenario.name.startswith("send_command"))
        for number, name in enumerate(calls_of(scenario), 1)
        for side in Side
    ]


@pytest.mark.parametrize(("scenario", "call", "side"), points())
def test_one_death_breaks_no_promise_and_costs_no_result(scenario: Scenario, call: int, side: Side) -> None:
    bridge = scenario.begun()
    witness = Witness(bridge)
    bridge.hazard.arm(call, side)
    scenario.act(bridge)
    assert not bridge.hazard.armed
    witness.look()
    if scenario.again is not None:
        scenario.again(bridge)
    given_up = rested(bridge, witness).given_up
    assert given_up <= undisturbed(scenario).given_up or scenario.last_moment


@pytest.mark.parametrize(("scenario", "call", "side"), points(shared=True))
def test_two_who_do_the_same_at_once_do_it_once(scenario: Scenario, call: int, side: Side) -> None:
    bridge = scenario.begun()
    witness = Witness(bridge)
    bridge.hazard.meanwhile(call, side, lambda: scenario.act(bridge))
    scenario.act(bridge)
    witness.look()
    outcome = rested(bridge, witness)
    # Two PUTs are two calls; everything else is the same thing twice.
    assert outcome == undisturbed(scenario) or scenario.name.startswith("request_profile")


@pytest.mark.parametrize("side", Side)
@pytest.mark.parametrize("call", range(1, 4))
def test_one_call_that_comes_twice_at_once_makes_one_request(call: int, side: Side) -> None:
    bridge = Scenario("", (), put).begun()
    same = Call(
        SetProfile(PLAN, "https://www.jedlix.com/ocpi/response/1"), "x-1", bridge.token, bridge.session.session_id
    )
    bridge.hazard.reset()
    bridge.hazard.meanwhile(call, side, lambda: bridge.ask(same))
    assert bridge.ask(same) is ResponseType.ACCEPTED
    assert not bridge.hazard.armed
    asked = [request for request in bridge.books.requests.values() if request.origin is Origin.PARTNER]
    assert len(asked) == 1


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_a_scenario_keeps_its_promises_when_nobody_dies(scenario: Scenario) -> None:
    assert calls_of(scenario)
    undisturbed(scenario)
