"""Each new state of an item is carried on by the messages that it calls for, and by no other."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from ocpi_bridge.domain.assignments import Rights
from ocpi_bridge.domain.events import EventType
from ocpi_bridge.domain.partners import Party
from ocpi_bridge.domain.preferences import ChargingPreferences, PreferencesChange, ProfileType
from ocpi_bridge.domain.requests import (
    Callback,
    Delivery,
    Fit,
    Origin,
    Request,
    RequestKind,
    RequestState,
    Result,
    Whereabouts,
)
from ocpi_bridge.ports.messages import CommandMessage, DeadlineMessage, Message, PushMessage, ResultMessage
from ocpi_bridge.usecases.relay_outbox import CARRIED_ON, messages_for, relay_outbox
from tests.support.clocks import START
from tests.support.scripted import MemoryBus, MemoryOutbox
from tests.support.world import DEADLINE, TIMEOUT, event, session_of

SET, CLEAR = RequestKind.SET, RequestKind.CLEAR
ACCEPTED = Request(
    request_id="r1",
    origin=Origin.PARTNER,
    kind=SET,
    session_id="s1",
    csms_id="acme",
    station_id="CP-001",
    state=RequestState.PENDING,
    created_at=START,
    deadline=START + DEADLINE,
    timeout_at=START + TIMEOUT,
    steps=(SET,),
    number=1,
    partner_id="jedlix",
    callback=Callback("https://www.jedlix.com/r?secret=1", "corr-1", Party("NL", "ACM"), Party("NL", "JDX")),
)
SESSION = session_of(event(EventType.TRANSACTION_STARTED))
ABOUT = Whereabouts("acme", "CP-001", "s1")
COMMAND = CommandMessage("r1", 0, 0, "acme#CP-001", ABOUT)
WATCH = DeadlineMessage("r1", START + DEADLINE)
RESULT = ResultMessage("r1", "jedlix")
LOOK = PushMessage("s1", "jedlix", "r1")
WISHES = PreferencesChange(
    change_id="c1",
    at=START,
    session_id="s1",
    partner_id="jedlix",
    csms_id="acme",
    station_id="CP-001",
    transaction_id="778",
    evse_uid="BE*BEC*E041503001",
    connector_id=1,
    preferences=ChargingPreferences(ProfileType.GREEN),
)


@pytest.mark.parametrize(
    ("change", "messages"),
    [
        ({}, [COMMAND, WATCH]),
        ({"origin": Origin.BRIDGE, "partner_id": None}, [COMMAND, WATCH]),
        ({"steps": (CLEAR, SET), "step": 1, "attempts": 1}, [CommandMessage("r1", 1, 1, "acme#CP-001", ABOUT)]),
        ({"steps": (CLEAR, SET), "step": 0, "attempts": 2}, [CommandMessage("r1", 0, 2, "acme#CP-001", ABOUT)]),
        ({"state": RequestState.SENT, "attempts": 1}, []),
        ({"state": RequestState.ANSWERED, "result": Result.ACCEPTED}, [RESULT]),
        ({"state": RequestState.ANSWERED, "result": Result.ACCEPTED, "delivery": Delivery(1)}, []),
        ({"state": RequestState.ANSWERED, "result": Result.ACCEPTED, "origin": Origin.BRIDGE}, [LOOK]),
        ({"state": RequestState.EXPIRED, "result": Result.REJECTED, "origin": Origin.BRIDGE}, [LOOK]),
        ({"state": RequestState.EXPIRED, "result": Result.REJECTED}, []),
        ({"state": RequestState.DELIVERED, "result": Result.ACCEPTED}, []),
        ({"state": RequestState.UNDELIVERED, "result": Result.ACCEPTED, "delivery": Delivery(3, None, "http_404")}, []),
    ],
    ids=[
        "accepted",
        "the bridge's own",
        "second step",
        "first step again",
        "sent",
        "answered",
        "a delivery of it began",
        "answered, the bridge's own",
        "expired, the bridge's own",
        "expired, which delivers in the same step",
        "delivered",
        "given up, which tells the operators before",
    ],
)
def test_a_request_calls_for_the_messages_of_its_state(change: dict[str, object], messages: list[Message]) -> None:
    assert messages_for(replace(ACCEPTED, **change)) == messages  # type: ignore[arg-type]


@pytest.mark.parametrize("origin", list(Origin))
@pytest.mark.parametrize("state", [state for state in RequestState if state not in CARRIED_ON])
def test_a_state_that_the_stream_leaves_out_calls_for_nothing(state: RequestState, origin: Origin) -> None:
    late = replace(ACCEPTED, state=state, origin=origin, attempts=1, result=Result.REJECTED, fail_safe_at=START)
    assert messages_for(late) == []


def test_a_session_is_told_to_everybody_who_sees_it_once_for_each_version() -> None:
    seen = replace(SESSION, version=7, rights=Rights(frozenset({"b", "a"}), "a"), known_to=frozenset({"b"}))
    assert messages_for(seen) == [PushMessage(seen.session_id, partner_id, "7") for partner_id in ("a", "b")]


def test_who_knew_a_session_hears_of_it_still_for_a_plan_of_its_may_be_left_there() -> None:
    lost = replace(SESSION, version=8, rights=Rights(), known_to=frozenset({"jedlix"}))
    assert messages_for(lost) == [PushMessage(lost.session_id, "jedlix", "8")]


def test_a_session_that_nobody_ever_saw_is_told_to_nobody() -> None:
    assert messages_for(replace(SESSION, rights=Rights(), known_to=frozenset())) == []


def test_a_batch_of_changes_is_sent_at_once_in_its_order() -> None:
    outbox = MemoryOutbox()
    assert relay_outbox(outbox, MemoryBus(), [SESSION, ACCEPTED]) == [SESSION, ACCEPTED]
    assert outbox.messages == [PushMessage(SESSION.session_id, "jedlix", "1"), COMMAND, WATCH]
    assert outbox.again == [None]


def test_charging_preferences_are_published_on_the_csms_bus_and_call_for_no_message() -> None:
    outbox, bus = MemoryOutbox(), MemoryBus()
    relay_outbox(outbox, bus, [WISHES, SESSION, replace(WISHES, change_id="c2")])
    assert [(event.detail_type, event.detail["id"]) for event in bus.events] == [
        ("ocpi.charging_preferences.set", "c1"),
        ("ocpi.charging_preferences.set", "c2"),
    ]
    assert outbox.messages == [PushMessage(SESSION.session_id, "jedlix", "1")]


def test_where_no_change_calls_for_anything_nothing_is_sent() -> None:
    outbox = MemoryOutbox()
    assert relay_outbox(outbox, MemoryBus(), [replace(ACCEPTED, state=RequestState.SENT)]) == []
    relay_outbox(outbox, MemoryBus(), [])
    assert outbox.again == []


def test_a_deadline_is_watched_once_and_not_again_with_every_step() -> None:
    two = replace(ACCEPTED, steps=(CLEAR, SET))
    course = [two, replace(two, step=1, attempts=1), replace(two, step=0, attempts=2), replace(two, step=1, attempts=3)]
    messages = [message for request in course for message in messages_for(request)]
    assert sum(isinstance(message, DeadlineMessage) for message in messages) == 1
    assert len({message for message in messages if isinstance(message, CommandMessage)}) == 4


def test_a_deadline_message_says_when() -> None:
    assert WATCH.deadline == START + timedelta(seconds=50)


SENT_ONCE = {"state": RequestState.ANSWERED, "attempts": 1}


@pytest.mark.parametrize(
    ("change", "watched"),
    [
        ({**SENT_ONCE, "result": Result.ACCEPTED}, False),
        ({**SENT_ONCE, "result": Result.ACCEPTED, "fail_safe_at": START}, True),
        ({**SENT_ONCE, "result": Result.ACCEPTED, "fitted_to": Fit(3, Decimal(11000))}, False),
        ({**SENT_ONCE, "result": Result.ACCEPTED, "fitted_to": Fit(3, Decimal(11000), reduces=True)}, True),
        ({**SENT_ONCE, "result": Result.REJECTED}, True),
        ({**SENT_ONCE, "result": Result.REJECTED, "attempts": 0}, False),
        ({**SENT_ONCE, "result": Result.REJECTED, "kind": RequestKind.GET}, False),
        ({"state": RequestState.EXPIRED, "result": Result.REJECTED, "attempts": 1}, True),
        ({"state": RequestState.EXPIRED, "result": Result.REJECTED, "attempts": 0}, False),
        ({"state": RequestState.EXPIRED, "result": Result.REJECTED, "attempts": 1, "delivery": Delivery(1)}, False),
    ],
)
def test_what_leaves_something_to_find_out_or_to_renew_wakes_the_watch(
    change: dict[str, object], watched: bool
) -> None:
    assert (LOOK in messages_for(replace(ACCEPTED, **change))) is watched  # type: ignore[arg-type]


def test_what_the_bridge_learned_of_a_station_is_nobodys_news() -> None:
    learned = replace(ACCEPTED, origin=Origin.BRIDGE, kind=RequestKind.LEARN, partner_id=None, **SENT_ONCE)  # type: ignore[arg-type]
    assert messages_for(learned) == []
