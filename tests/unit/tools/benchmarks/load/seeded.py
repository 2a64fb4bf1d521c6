"""A step, a run and its requests with chosen numbers."""

from datetime import UTC, datetime, timedelta

from ocpi_bridge.domain.partners import Party
from ocpi_bridge.domain.requests import Callback, Origin, Request, RequestKind, RequestState, Result
from tools.benchmarks.load.findings import Processors, QueueFinding, Spread, Step
from tools.prove.evidence import Command, Evidence, Sent
from tools.prove.partner_faults import Attempt

START = datetime(2026, 11, 30, 12, 0, tzinfo=UTC)
IDLE = Processors(cores=2, machine=0.5, emulator=0.3, load=0.1, workers={"deliver-results": 0.1})
ACCEPTED = b'{"result":"ACCEPTED"}'


def step(sessions: int = 8, done: float = 1.0) -> Step:
    """Ten seconds in which a request a second and two readings a second were offered, and a share of them done."""
    return Step(
        sessions=sessions,
        seconds=10.0,
        requests_offered=10,
        requests_done=round(10 * done),
        requests_unanswered=0,
        updates_offered=20,
        updates_done=round(20 * done),
        to_answer=Spread(10, 0.1, 0.2),
        to_command=Spread(10, 0.2, 0.4),
        to_result=Spread(10, 0.5, 0.9),
        to_push=None,
        queues=(QueueFinding("charger-commands.fifo"), QueueFinding("result-callbacks")),
        processors=IDLE,
    )


def evidence() -> Evidence:
    """A PUT, a GET and a DELETE, each with one result."""
    kinds = {"PUT": RequestKind.SET, "GET": RequestKind.GET, "DELETE": RequestKind.CLEAR}
    sent, requests, attempts = [], {}, {}
    for number, (method, kind) in enumerate(kinds.items()):
        url = f"http://localhost/response?request_id={number}"
        sent.append(
            Sent(method, "session", url, 200, "ACCEPTED", accepted=True, promised_by=START + timedelta(seconds=60))
        )
        requests[f"R{number}"] = Request(
            request_id=f"R{number}",
            origin=Origin.PARTNER,
            kind=kind,
            session_id="session",
            csms_id="csms",
            station_id="station",
            state=RequestState.DELIVERED,
            created_at=START,
            deadline=START + timedelta(seconds=50),
            timeout_at=START + timedelta(seconds=60),
            steps=(kind,),
            callback=Callback(url, "correlation", Party("NL", "CPO"), Party("NL", "JED")),
            result=Result.ACCEPTED,
        )
        attempts[url] = [Attempt(START + timedelta(seconds=2), ACCEPTED, None)]
    commands = (Command("R0", "SetChargingProfile", START + timedelta(seconds=1)),)
    return Evidence(wanted=3, sent=sent, requests=requests, attempts=attempts, commands=commands)
