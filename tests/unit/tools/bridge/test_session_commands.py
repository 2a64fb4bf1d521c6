"""`bridge session` and `bridge request`: what is under way, what became of it, and an end by the operator's word."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from ocpi_bridge.domain.events import EventType, SessionStatus
from ocpi_bridge.domain.requests import Answer, InstalledPlan, Result
from ocpi_bridge.domain.sessions import Session
from ocpi_bridge.usecases.ingested import Ingested
from tests.support.clocks import START, ManualClock
from tests.support.command_line import CommandLine
from tests.support.queues import Queues
from tests.support.tables import AwsTables
from tests.support.world import CARD, RESPONSE_URL, World, event, session_of
from tools.bridge.cli import app
from tools.bridge.deployment import Deployment

PERSON = (CARD.uid, str(CARD.contract_id))


@pytest.fixture
def bridge(deployment: Deployment) -> CommandLine:
    return CommandLine(app, deployment)


@pytest.fixture
def world(tables: AwsTables) -> World:
    return World(tables)


@pytest.fixture
def session(world: World) -> Session:
    """A session of two hours that partner jedlix steers; its charge point was heard of an hour ago."""
    started = event(EventType.TRANSACTION_STARTED, meter="1000", token=CARD)
    opened = replace(session_of(started, world.csms, world.station), last_event_at=START + timedelta(hours=1))
    assert world.sessions.create(opened, None)
    world.assign(opened)
    return opened


@pytest.fixture(autouse=True)
def _later(clock: ManualClock) -> None:
    clock.advance(7200)


# --- session list and show -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("options", [(), ("--partner", "jedlix"), ("--station", "acme/CP-001")])
def test_live_sessions_are_listed(options: tuple[str, ...], bridge: CommandLine, session: Session) -> None:
    [listed] = bridge("session", "list", *options, "--json").document
    assert (listed["session_id"], listed["steered_by"], listed["plan"]) == (session.session_id, "jedlix", False)
    shown = bridge("session", "list", *options)
    assert all(person not in shown.stdout + str(listed) for person in PERSON)


def test_a_list_says_whether_a_plan_is_at_the_charge_point(bridge: CommandLine, session: Session, world: World) -> None:
    world.accept_put(session)
    assert world.commands.mark_sent(world.request())
    assert world.commands.record_answer(world.request(), Answer(Result.ACCEPTED, "Accepted"))
    installed = world.control(session).installed
    assert isinstance(installed, InstalledPlan)
    [listed] = bridge("session", "list", "--json").document
    assert listed["plan"] is True


def test_no_more_are_listed_than_are_wanted(bridge: CommandLine, session: Session, world: World) -> None:
    for number in range(3):
        other = event(EventType.TRANSACTION_STARTED, number, transaction_id=f"t{number}", connector_id=1)
        assert world.sessions.create(session_of(other, world.csms, world.station), None)
    assert len(bridge("session", "list", "--most", "2", "--json").document) == 2


def test_an_empty_list_says_so_and_an_unknown_partner_is_refused(bridge: CommandLine, world: World) -> None:
    assert "No session is under way there." in bridge("session", "list").stdout
    assert bridge("session", "list", "--partner", "nobody").exit_code == 1


@pytest.mark.parametrize("name", ["session", "request", "station"])
def test_a_session_is_shown_by_any_id_and_without_the_driver(
    name: str, bridge: CommandLine, session: Session, world: World
) -> None:
    world.accept_put(session)
    any_id = {"session": session.session_id, "request": "r1", "station": "acme/CP-001"}[name]
    shown = bridge("session", "show", any_id)
    document = bridge("session", "show", any_id, "--json").document
    assert shown.exit_code == 0
    assert f"Session {session.session_id}: ACTIVE" in shown.stdout
    assert "partner jedlix steers it, and was not told of it yet" in shown.stdout
    assert "1 request(s) wait: r1" in shown.stdout
    assert document["pending"] == ["r1"]
    assert document["happenings"][0]["what"] == "the session begins"
    for secret in (*PERSON, RESPONSE_URL):
        assert secret not in shown.stdout + str(document)


def test_a_session_that_nobody_knows_is_refused(bridge: CommandLine, world: World) -> None:
    assert "session" in bridge("session", "show", "nobody").stderr


# --- session close ---------------------------------------------------------------------------------------------------


def test_a_closed_session_is_completed_at_once_and_what_its_csms_says_later_changes_nothing(
    bridge: CommandLine, session: Session, world: World, deployment: Deployment, clock: ManualClock
) -> None:
    done = bridge("session", "close", session.session_id, "--yes", "--json")
    closed = world.session(session.session_id)
    assert done.document["status"] == "COMPLETED"
    assert (closed.status, closed.end) == (SessionStatus.COMPLETED, clock.now())
    # A newer version is what the stream carries to whoever pushes to partners and clears plans.
    assert (closed.version, closed.concerns) == (session.version + 1, ("jedlix",))
    late = event(EventType.TRANSACTION_ENDED, 7000, meter="9000")
    assert deployment.takeover.ingest(late) is Ingested.UNCHANGED
    assert world.session(session.session_id) == closed
    assert bridge("session", "list", "--json").document == []


def test_a_session_of_which_little_is_known_waits_for_nothing_when_it_is_closed(
    bridge: CommandLine, session: Session, world: World, clock: ManualClock
) -> None:
    just_heard_of = replace(session, opened_at=clock.now(), start_known=False, version=session.version + 1)
    assert world.sessions.update(session, just_heard_of, None)
    assert bridge("session", "close", session.session_id, "--yes").exit_code == 0
    assert world.session(session.session_id).status is SessionStatus.COMPLETED


def test_nothing_is_closed_before_somebody_says_so(bridge: CommandLine, session: Session, world: World) -> None:
    done = bridge("session", "close", session.session_id)
    assert (done.exit_code, world.session(session.session_id).status) == (1, SessionStatus.ACTIVE)
    assert "last heard of 60 min ago" in done.stderr


@pytest.mark.usefixtures("terminal")
def test_a_person_may_say_no(bridge: CommandLine, session: Session, world: World) -> None:
    assert bridge("session", "close", session.session_id, stdin="n\n").exit_code == 1
    assert world.session(session.session_id).status is SessionStatus.ACTIVE


def test_what_is_over_is_not_closed_again(bridge: CommandLine, session: Session) -> None:
    assert bridge("session", "close", session.session_id, "--yes").exit_code == 0
    again = bridge("session", "close", session.session_id, "--yes")
    assert (again.exit_code, "live session" in again.stderr) == (1, True)


# --- session plot ----------------------------------------------------------------------------------------------------


def test_a_plot_is_written_as_a_page_of_its_own_without_the_driver(
    bridge: CommandLine, session: Session, world: World, tmp_path: Path
) -> None:
    world.accept_put(session)
    file = tmp_path / "session.html"
    done = bridge("session", "plot", session.session_id, "--out", file)
    page = file.read_text("utf-8")
    assert (done.exit_code, str(file) in done.stdout) == (0, True)
    assert "<svg" in page
    assert session.session_id in page
    for secret in (*PERSON, RESPONSE_URL):
        assert secret not in page


def test_a_plot_that_cannot_be_written_is_refused(bridge: CommandLine, session: Session, tmp_path: Path) -> None:
    done = bridge("session", "plot", session.session_id, "--out", tmp_path / "no" / "such" / "place.html")
    assert (done.exit_code, "place.html" in done.stderr) == (1, True)


# --- request show ----------------------------------------------------------------------------------------------------


def test_a_request_is_shown_with_its_plan_and_without_the_path_of_its_response_url(
    bridge: CommandLine, session: Session, world: World
) -> None:
    world.accept_put(session)
    shown = bridge("request", "show", "r1")
    document = bridge("request", "show", "r1", "--json").document
    assert (document["kind"], document["state"], document["plan"]["unit"]) == ("SET", "PENDING", "W")
    assert document["plan"]["periods"][1] == {"start": 1800, "limit": 0}
    assert "periods: 10000 W from 0 s, 0 W from 1800 s, 8000 W from 3600 s" in shown.stdout
    assert RESPONSE_URL not in shown.stdout + str(document)


def test_a_request_past_its_deadline_that_nobody_closed_says_where_to_look(
    bridge: CommandLine, session: Session, world: World
) -> None:
    world.accept_put(session)
    assert "bridge doctor" in bridge("request", "show", "r1", "--json").document["what_to_do"]


def test_a_result_that_was_given_up_leads_to_its_dead_letter(
    bridge: CommandLine, session: Session, world: World, queues: Queues
) -> None:
    world.accept_put(session)
    world.clock.advance(50)
    expired = world.deliveries.expire(world.request(), Answer(Result.REJECTED, "no answer by the deadline"))
    assert expired is not None
    world.deliveries.undelivered(expired, "http_500")
    queues.client.send_message(
        QueueUrl=queues.failed_deliveries, MessageBody='{"request_id": "r1", "error": "http_500"}'
    )
    hint = bridge("request", "show", "r1", "--json").document["what_to_do"]
    entry = bridge("dlq", "list", "--queue", "result-callbacks", "--json").document[0]["entries"][0]["entry"]
    assert f"bridge dlq show {entry} --queue result-callbacks" in hint


def test_a_request_that_nobody_knows_is_refused(bridge: CommandLine, world: World) -> None:
    assert bridge("request", "show", "nobody").exit_code == 1
