"""The door for streams: changed items as the domain knows them, the whole batch at once."""

from collections.abc import Sequence

import pytest

from ocpi_bridge.adapters.dynamodb import pushed_items, request_items, session_items
from ocpi_bridge.domain.requests import Request, RequestKind, RequestState, Result
from ocpi_bridge.ports.pushes import Pushed
from ocpi_bridge.runtime.stream_door import stream_worker
from ocpi_bridge.usecases.relay_outbox import Change
from tests.support.clocks import START
from tests.support.lambda_events import image, stream_event
from tests.support.world import PAUSE_BETWEEN, World


class Worker:
    def __init__(self) -> None:
        self.batches: list[Sequence[Change]] = []

    def __call__(self, changes: Sequence[Change]) -> None:
        self.batches.append(changes)


def test_changed_requests_and_sessions_come_as_they_are_now_in_their_order(world: World) -> None:
    session = world.open_session()
    request = world.put_request(session, RequestKind.GET)
    world.commands.mark_sent(request)
    [request_image] = world.tables.items(world.tables.requests)
    worker = Worker()
    stream_worker(worker)(stream_event([request_image, image(session_items.session_item(session))]), None)
    [[first, second]] = worker.batches
    assert isinstance(first, Request)
    assert (first, first.state, first.attempts) == (world.request(), RequestState.SENT, 1)
    assert second == session


def test_a_request_keeps_all_that_it_is_on_its_way_through_the_stream(world: World) -> None:
    request = world.put_request(world.open_session(), plan_ends_at=START, result=Result.UNKNOWN, reason="Unknown")
    item = {**request_items.request_item(request), "result": "UNKNOWN", "reason": "Unknown"}
    worker = Worker()
    stream_worker(worker)(stream_event([image(item)]), None)
    assert worker.batches == [[request]]


def test_items_of_other_kinds_and_removals_are_nobodys_business(world: World) -> None:
    session = world.open_session()
    others = [
        image(request_items.plan_item(request_items.plan_key("r1"), "plan", PAUSE_BETWEEN, 1)),
        image(pushed_items.pushed_item(Pushed(session.session_id, "jedlix"), None, START)),
        None,
    ]
    worker = Worker()
    stream_worker(worker)(stream_event(others), None)
    assert worker.batches == [[]]


def test_a_failure_fails_the_whole_batch(world: World) -> None:
    def fail(_: Sequence[Change]) -> None:
        raise RuntimeError("the queue is not there")

    with pytest.raises(RuntimeError):
        stream_worker(fail)(stream_event([image(session_items.session_item(world.open_session()))]), None)
