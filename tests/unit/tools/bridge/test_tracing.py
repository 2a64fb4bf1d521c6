"""`bridge trace`: one story from tables and logs, in order, by whatever id is at hand."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest

from ocpi_bridge.adapters.dynamodb.stories import DynamoStories
from ocpi_bridge.domain.events import EventType
from ocpi_bridge.domain.requests import Answer, RequestKind, Result
from ocpi_bridge.domain.sessions import Session
from tests.support.clocks import START
from tests.support.command_line import CommandLine
from tests.support.function_logs import MemoryLogs
from tests.support.tables import AwsTables
from tests.support.world import CARD, RESPONSE_URL, World, event, session_of
from tools.bridge import function_logs
from tools.bridge.aws import Aws
from tools.bridge.cli import app
from tools.bridge.deployment import Deployment
from tools.bridge.function_logs import FunctionLogs
from tools.bridge.tracing import TABLES, NothingFound, Trace, Tracer

DOOR, RELAY, SENDER, CALLBACK, DELIVERER, INGEST = (
    "ocpi_charging_profiles",
    "relay_outbox",
    "send_charger_commands",
    "csms_callback",
    "deliver_results",
    "ingest_csms_events",
)
FUNCTIONS = (DOOR, RELAY, SENDER, CALLBACK, DELIVERER, INGEST, "never_ran")
DAY = timedelta(days=1)

Look = Callable[[str], Trace]


@dataclass(frozen=True, slots=True)
class LoggedAws(Aws):
    """Moto, with logs in memory."""

    lines: MemoryLogs = field(default_factory=MemoryLogs)

    def logs(self) -> Any:  # noqa: ANN401 - the small part of the client that is used
        return self.lines


@pytest.fixture
def world(tables: AwsTables) -> World:
    return World(tables)


@pytest.fixture
def logs() -> MemoryLogs:
    return MemoryLogs()


@pytest.fixture
def tracer(world: World, logs: MemoryLogs) -> Tracer:
    stories = DynamoStories(world.tables.client, world.tables.sessions, world.tables.requests)
    client: Any = logs
    return Tracer(stories, FunctionLogs(client, FUNCTIONS), world.clock)


@pytest.fixture
def session(world: World, logs: MemoryLogs) -> Session:
    """A session with a PUT that went its whole way, and a GET of another time that waits."""
    session = session_of(event(EventType.TRANSACTION_STARTED, meter="1000", token=CARD), world.csms, world.station)
    assert world.sessions.create(session, None)

    def log(function: str, seconds: float, message: str, **fields: object) -> None:
        logs.write(function, START + timedelta(seconds=seconds), message, **fields)

    about = {"request_id": "r1", "correlation_id": "corr-1", "session_id": session.session_id, "kind": "SET"}
    world.accept_put(session)
    log(RELAY, 0.4, "outbox.relayed", **about, state="PENDING")
    # A door logs when it has answered, which may be later than what it started.
    told = {"session_id": session.session_id, "correlation_id": "corr-1", "x_request_id": "x-1"}
    log(DOOR, 0.5, "ocpi.answered", **told, http_status=200, status_code=1000, result="ACCEPTED")
    world.clock.advance(1)
    assert world.commands.mark_sent(world.request())
    log(SENDER, 1.2, "command.turn", **about, outcome="sent", attempts=1)
    world.clock.advance(1)
    assert world.commands.record_answer(world.request(), Answer(Result.ACCEPTED, "Accepted"))
    log(CALLBACK, 2.1, "command.answered", **about, outcome="answered")
    world.clock.advance(1)
    now = world.clock.now()
    assert world.deliveries.lease_delivery(world.request(), until=now + timedelta(seconds=1), now=now) is not None
    world.deliveries.delivered(world.request())
    log(DELIVERER, 3.3, "result.attempt", **about, outcome="delivered", host="callbacks.example")
    world.clock.advance(600)
    callback = world.request().callback
    assert callback is not None
    later = replace(callback, correlation_id="corr-2")
    world.put_request(session, RequestKind.GET, request_id="r2", callback=later)
    log(RELAY, 603.5, "outbox.relayed", **{**about, "request_id": "r2", "correlation_id": "corr-2", "kind": "GET"})
    return session


def wheres(trace: Trace) -> list[str]:
    """Where it happened, in order, each hop once."""
    places = [one.where for one in trace.events]
    return [place for number, place in enumerate(places) if number == 0 or places[number - 1] != place]


@pytest.mark.parametrize("any_id", ["r1", "corr-1", "x-1"])
def test_a_request_is_told_hop_by_hop_by_any_of_its_ids(any_id: str, tracer: Tracer, session: Session) -> None:
    found = tracer(any_id, DAY)
    assert [one.request_id for one in found.requests] == ["r1"]
    assert found.session_id == session.session_id
    assert wheres(found) == [TABLES, RELAY, DOOR, TABLES, SENDER, TABLES, CALLBACK, TABLES, DELIVERER]
    assert [one.at for one in found.events] == sorted(one.at for one in found.events)
    assert {one.request_id for one in found.events if one.where not in {TABLES, DOOR}} == {"r1"}


def test_what_came_of_each_hop_is_told(tracer: Tracer, session: Session) -> None:
    told = {one.where: (one.what, one.outcome) for one in tracer("r1", DAY).events}
    assert told[DOOR] == ("ocpi.answered", "HTTP 200, OCPI 1000, ACCEPTED")
    assert told[SENDER] == ("command.turn", "SET, sent")
    assert told[DELIVERER] == ("result.attempt", "SET, delivered")


def test_a_session_is_told_whole_with_all_its_requests(tracer: Tracer, session: Session) -> None:
    found = tracer(session.session_id, DAY)
    assert [one.request_id for one in found.requests] == ["r1", "r2"]
    assert {one.request_id for one in found.events} == {"", "r1", "r2"}
    assert any(one.what.endswith("the session begins") for one in found.events)


def test_a_station_leads_to_its_newest_session(tracer: Tracer, session: Session) -> None:
    assert tracer("acme/CP-001", DAY).session_id == session.session_id


def test_a_transactions_id_leads_to_its_session_and_not_to_another_stations(
    tracer: Tracer, session: Session, logs: MemoryLogs
) -> None:
    for station in ("CP-001", "CP-002"):
        logs.write(
            INGEST, START, "event.ingested", station_key=f"acme#{station}", transaction_id="778", outcome="created"
        )
    found = tracer("778", DAY)
    assert found.session_id == session.session_id
    assert any(one.where == INGEST for one in found.events)


def test_a_session_takes_no_line_of_another_station_with_the_same_transaction_id(
    tracer: Tracer, session: Session, logs: MemoryLogs
) -> None:
    for station, outcome in (("CP-001", "created"), ("CP-002", "unknown_station")):
        logs.write(
            INGEST, START, "event.ingested", station_key=f"acme#{station}", transaction_id="778", outcome=outcome
        )
    told = [one.outcome for one in tracer(session.session_id, DAY).events if one.where == INGEST]
    assert told == ["created"]


def test_what_was_refused_at_the_door_is_told_though_no_table_has_it(tracer: Tracer, logs: MemoryLogs) -> None:
    logs.write(DOOR, START, "ocpi.answered", x_request_id="x-9", http_status=200, status_code=2001, reason="no body")
    [one] = tracer("x-9", DAY).events
    assert (one.outcome, one.reason) == ("HTTP 200, OCPI 2001", "no body")


def test_a_request_that_was_answered_at_once_is_told_without_the_rest_of_its_session(
    tracer: Tracer, session: Session, logs: MemoryLogs
) -> None:
    about = {"session_id": session.session_id, "x_request_id": "x-8", "correlation_id": "corr-8"}
    logs.write(DOOR, START, "ocpi.answered", **about, http_status=200, status_code=1000, result="TOO_OFTEN")
    found = tracer("x-8", DAY)
    assert [one.outcome for one in found.events] == ["HTTP 200, OCPI 1000, TOO_OFTEN"]
    assert found.requests == ()


def test_an_id_that_only_stands_in_a_text_is_not_meant(tracer: Tracer, logs: MemoryLogs) -> None:
    logs.write(DOOR, START, "ocpi.answered", reason="x-9 is not what I mean", x_request_id="other")
    with pytest.raises(NothingFound, match="--hours"):
        tracer("x-9", DAY)


def test_lines_that_a_function_did_not_write_itself_are_passed_over(
    tracer: Tracer, session: Session, logs: MemoryLogs
) -> None:
    logs.write_text(SENDER, START, "REPORT RequestId: r1 Duration: 3 ms")
    logs.write_text(SENDER, START, '["r1"]')
    logs.write_text(SENDER, START, "{broken r1")
    assert [one.what for one in tracer("r1", DAY).events if one.where == SENDER] == ["command.turn"]


def test_nothing_is_kept_of_a_line_but_what_may_be_shown(tracer: Tracer, logs: MemoryLogs) -> None:
    logs.write(DOOR, START, "ocpi.failed", x_request_id="x-1", exception="Traceback ...", secret="s")
    [line] = tracer.logs.search(["x-1"], START - DAY, START).lines
    assert dict(line.fields) == {"level": "INFO", "service": DOOR, "message": "ocpi.failed", "x_request_id": "x-1"}


def test_more_lines_than_are_read_are_told(
    tracer: Tracer, session: Session, logs: MemoryLogs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(function_logs, "MOST_PAGES", 2)
    for _ in range(150):
        logs.write(SENDER, START, "command.turn", request_id="r1", outcome="waits")
    found = tracer("r1", DAY)
    assert found.left_out == (f"There are more lines of {SENDER} than were read.",)


def test_logs_are_searched_around_the_request_only(tracer: Tracer, session: Session, logs: MemoryLogs) -> None:
    tracer("r1", DAY)
    since = {call["startTime"] for call in logs.calls}
    until = {call["endTime"] for call in logs.calls}
    assert since == {int((START - timedelta(minutes=1)).timestamp() * 1000)}
    assert max(until) <= int((START + timedelta(minutes=10)).timestamp() * 1000)


def test_of_a_long_session_the_last_day_of_logs_is_searched_and_that_is_told(
    tracer: Tracer, session: Session, world: World
) -> None:
    world.clock.advance(3 * 86_400)
    found = tracer(session.session_id, DAY)
    assert found.left_out == ("Only the last 24 hours of the session's logs were searched.",)
    assert {one.where for one in found.events} == {TABLES}


@pytest.mark.parametrize("text", ["", "  ", 'a"b', "x" * 300])
def test_what_is_no_id_is_not_searched_for(text: str, tracer: Tracer, logs: MemoryLogs) -> None:
    with pytest.raises(NothingFound):
        tracer(text, DAY)
    assert logs.calls == []


def test_the_command_shows_lines_in_order_and_nothing_secret(
    deployment: Deployment, session: Session, logs: MemoryLogs
) -> None:
    for name in FUNCTIONS:
        logs.write(name, START, "leak", request_id="r1", secret="s3cr3t", exception=f"at {RESPONSE_URL}")
    outputs = {**deployment.aws.outputs, **{f"{name}FunctionName": name for name in FUNCTIONS}}
    bridge = CommandLine(app, replace(deployment, aws=LoggedAws(deployment.aws.session, outputs, lines=logs)))

    shown = bridge("trace", "r1")
    document = bridge("trace", "r1", "--json").document

    assert (shown.exit_code, f"Session {session.session_id}, 1 request;" in shown.stdout) == (0, True)
    assert [one["where"] for one in document["events"] if one["what"] != "leak"] == [
        one.split()[3] for one in shown.stdout.splitlines()[1:] if "leak" not in one
    ]
    assert document["events"][0]["seconds"] == 0
    assert document["requests"] == ["r1"]
    for secret in ("s3cr3t", RESPONSE_URL, str(CARD.uid), str(CARD.contract_id)):
        assert secret not in shown.stdout + str(document)


def test_an_id_that_nobody_knows_is_refused_with_a_word_on_where_was_looked(
    deployment: Deployment, logs: MemoryLogs
) -> None:
    bridge = CommandLine(app, replace(deployment, aws=LoggedAws(deployment.aws.session, deployment.aws.outputs)))
    done = bridge("trace", "nobody")
    assert (done.exit_code, "no log of the last 24 hours" in done.stderr) == (1, True)
