"""One correlation id leads through the logs of all functions."""

from collections.abc import Callable, Iterator

import pytest

from ocpi_bridge.domain.requests import RequestState
from ocpi_bridge.runtime.observability import logger
from tests.support.deployed_site import AUTHORIZED, Site, answered_by, deployed_site, ocpi, set_profile
from tests.support.emissions import Emissions, emissions
from tests.support.queues import Queues
from tests.support.world import World

CORRELATION_ID = "of-the-partner"


@pytest.fixture
def site(world: World, queues: Queues) -> Iterator[Site]:
    with deployed_site(world, queues) as site:
        yield site


def each_by_itself(*steps: Callable[[], object]) -> Emissions:
    """Runs functions one after the other; what one has told the logger is not known to the next, as on Lambda."""
    with emissions() as heard:
        for step in steps:
            logger.remove_keys(["correlation_id"])
            step()
    return heard


def test_a_partners_correlation_id_is_in_every_functions_line_about_its_request(site: Site) -> None:
    session = site.world.open_session()
    put = ocpi(
        "PUT",
        "/ocpi/2.2.1/chargingprofiles/x",
        headers={**AUTHORIZED, "X-Correlation-ID": CORRELATION_ID},
        session_id=session.session_id,
        body=set_profile(),
    )

    def relay() -> None:
        [request] = site.world.requests()
        site.relay(site.world.request_item(request.request_id))

    heard = each_by_itself(
        lambda: site.run("ocpi_charging_profiles", put),
        relay,
        lambda: site.drain("send_charger_commands", site.queues.charger_commands),
        lambda: answered_by(site, site.driver.commands[0]),
        relay,
        lambda: site.drain("deliver_results", site.queues.result_callbacks),
    )

    about = [line for line in heard.lines if line.get("correlation_id") == CORRELATION_ID]
    assert [(line["message"], line.get("state") or line.get("outcome") or line.get("result")) for line in about] == [
        ("ocpi.answered", "ACCEPTED"),
        ("outbox.relayed", "PENDING"),
        ("command.turn", "pending"),
        ("command.answered", "answered"),
        ("outbox.relayed", "ANSWERED"),
        ("partner.called", "delivered"),
        ("result.attempt", "delivered"),
    ]
    assert [command.correlation_id for command in site.driver.commands] == [CORRELATION_ID]
    assert [message.correlation_id for message in site.partner.messages] == [CORRELATION_ID]
    # What is about no request is not told to be.
    assert {line["message"] for line in heard.lines if line not in about} == {"csms.answered"}


def test_a_request_that_nobody_answers_keeps_its_correlation_id_to_the_end(site: Site) -> None:
    site.world.put_request(site.world.open_session(), state=RequestState.SENT, attempts=1)
    site.world.clock.advance(60)
    request = site.world.request()
    message = f'{{"request_id": "r1", "deadline": "{request.deadline.isoformat()}"}}'
    site.queues.client.send_message(QueueUrl=site.queues.request_deadlines, MessageBody=message)

    heard = each_by_itself(lambda: site.drain("deliver_results", site.queues.request_deadlines))

    assert {line["correlation_id"] for line in heard.lines} == {"corr-1"}
    assert heard.lines_of("result.expired")
