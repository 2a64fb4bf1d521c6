"""A push that is held back is done for its queue: it counts towards no dead letter, and the sweep brings it back."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from ocpi_bridge.adapters.dynamodb import session_items
from ocpi_bridge.domain.events import EventType
from ocpi_bridge.domain.sessions import Session
from ocpi_bridge.usecases.partner_line import SILENT_FOR
from tests.support.deployed_site import Site, deployed_site
from tests.support.emissions import emissions
from tests.support.lambda_events import failed, queue_event
from tests.support.queues import Queues
from tests.support.scripted import DELIVERED, HANGS
from tests.support.world import World, event


@pytest.fixture
def site(world: World, queues: Queues) -> Iterator[Site]:
    with deployed_site(world, queues) as site:
        yield site


@pytest.fixture
def sessions(world: World) -> list[Session]:
    return [
        world.open_session(event(EventType.TRANSACTION_STARTED, meter="1000", transaction_id=name))
        for name in ("778", "779", "780")
    ]


def push_all(site: Site) -> list[str]:
    """What the queue has now, as an event source mapping gives it out; what is done is deleted."""
    client, url = site.queues.client, site.queues.partner_updates
    event = queue_event(client, url)
    again = list(failed(site.run("push_updates", event)))
    for record in event["Records"]:
        if record["messageId"] not in again:
            client.delete_message(QueueUrl=url, ReceiptHandle=record["receiptHandle"])
    return again


def test_one_call_hangs_and_the_others_leave_the_queue_until_the_sweep(site: Site, sessions: list[Session]) -> None:
    site.partner.answer_with(HANGS)
    site.relay(*(session_items.session_item(one) for one in sessions))
    with emissions() as heard:
        assert push_all(site) == []
    assert len(site.partner.messages) == 1
    assert [line["outcome"] for line in heard.lines_of("session.push")] == ["failed", "held", "held"]
    [fell] = heard.lines_of("partner.fell_silent")
    assert (fell["partner_id"], fell["level"]) == ("jedlix", "WARNING")

    site.world.clock.advance(SILENT_FOR.total_seconds())
    site.partner.answer_with(DELIVERED)
    due = {session_id for session_id, _ in site.world.due_pushes()}
    assert due == {one.session_id for one in sessions}
    site.run("sweep", {})
    with emissions() as heard:
        assert push_all(site) == []
    assert [line["outcome"] for line in heard.lines_of("session.push")] == ["put"] * 3
    [answers] = heard.lines_of("partner.answers")
    assert (answers["partner_id"], answers["level"]) == ("jedlix", "INFO")
    assert site.world.due_pushes(site.world.clock.now() + timedelta(hours=1)) == []


def test_however_long_a_partner_is_silent_no_message_becomes_a_dead_letter(site: Site, sessions: list[Session]) -> None:
    site.partner.answer_with(HANGS)
    site.relay(*(session_items.session_item(one) for one in sessions))
    assert push_all(site) == []
    for _ in range(10):
        site.world.clock.advance(60)
        site.run("sweep", {})
        before = len(site.partner.messages)
        assert push_all(site) == []
        assert len(site.partner.messages) - before <= 1
    in_vain = len(site.partner.messages)
    # What is woken in a minute makes one call, for whichever session comes first.
    assert 1 < in_vain <= 11
    site.partner.answer_with(DELIVERED)
    for _ in range(16):
        # Nobody reports meanwhile, so a session that failed thrice waits for a quarter of an hour.
        site.world.clock.advance(60)
        site.run("sweep", {})
        assert push_all(site) == []
    told = {str(message.body["id"]) for message in site.partner.messages[in_vain:]}
    assert told == {one.session_id for one in sessions}
