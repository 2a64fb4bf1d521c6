"""The verdict of a run: every promise that was broken shows in its own row, and a run that met no fault proves nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from ocpi_bridge.domain.partners import Party
from ocpi_bridge.domain.requests import Callback, Delivery, Origin, Request, RequestKind, RequestState, Result
from tools.prove.evidence import Command, Evidence, Sent
from tools.prove.partner_faults import Attempt, PartnerFault
from tools.prove.verdict import Verdict, judge

START = datetime(2026, 11, 30, 12, 0, tzinfo=UTC)
TIMEOUT = timedelta(seconds=60)
ACCEPTED = b'{"result":"ACCEPTED"}'
OUR, THEIR = Party("NL", "CPO"), Party("NL", "JED")
SET, CLEAR, GET = "SetChargingProfile", "ClearChargingProfile", "GetCompositeSchedule"

LOST = "lost: accepted, and neither delivered nor in the dead-letter queue with a reason"
CONTRADICTORY = "contradictory results of one request"
UNPROMISED = "results that nobody was promised"
LATE = "first delivery attempt after the timeout"
UNTRIED = "given up without one attempt, though no fault hit its delivery"
CROWDED = "posted again while the POST before was under way"
INVENTED = "ACCEPTED told of a profile that never left"
AFTER = "commands that left after their request was answered"
DISORDER = "numbers out of order at a charge point"


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def url(number: int) -> str:
    return f"http://localhost/response?request_id={number}"


def sent(number: int, method: str = "PUT", *, accepted: bool = True) -> Sent:
    promised = START + TIMEOUT if accepted else None
    return Sent(method, "session", url(number), 200, "ACCEPTED" if accepted else "REJECTED", accepted, promised)


def request(number: int, kind: RequestKind = RequestKind.SET) -> Request:
    return Request(
        request_id=f"R{number}",
        origin=Origin.PARTNER,
        kind=kind,
        session_id="session",
        csms_id="csms",
        station_id="station",
        state=RequestState.DELIVERED,
        created_at=START,
        deadline=START + TIMEOUT - timedelta(seconds=10),
        timeout_at=START + TIMEOUT,
        steps=(kind,),
        number=None if kind is RequestKind.GET else number,
        callback=Callback(url(number), "correlation", OUR, THEIR),
        result=Result.ACCEPTED,
    )


def taken(seconds: float = 2, body: bytes = ACCEPTED, fault: PartnerFault | None = None) -> Attempt:
    return Attempt(at(seconds), body, fault)


def proof() -> Evidence:
    """A run in which everything went as it must: one PUT, one DELETE, one GET."""
    requests = (request(1), request(2, RequestKind.CLEAR), request(3, RequestKind.GET))
    return Evidence(
        wanted=3,
        sent=(sent(1), sent(2, "DELETE"), sent(3, "GET")),
        requests={one.request_id: one for one in requests},
        attempts={url(number): [taken()] for number in (1, 2, 3)},
        commands=(Command("R1", SET, at(1)), Command("R2", CLEAR, at(1.2)), Command("R3", GET, at(1.3))),
        dead_letters={"ResultCallbacks": 0},
        faults={"CSMS is down": 1},
        crashes={"relay_outbox": 1},
    )


def with_request(evidence: Evidence, changed: Request) -> Evidence:
    return replace(evidence, requests={**evidence.requests, changed.request_id: changed})


def with_attempts(evidence: Evidence, number: int, *attempts: Attempt) -> Evidence:
    more: Mapping[str, Sequence[Attempt]] = {**evidence.attempts, url(number): attempts}
    return replace(evidence, attempts=more)


def given_up(reason: str | None = "http_500") -> Request:
    return replace(request(1), state=RequestState.UNDELIVERED, delivery=Delivery(attempts=3, last_error=reason))


def failed(verdict: Verdict) -> list[str]:
    return [row.name for row in verdict.failures()]


def test_a_run_in_which_all_went_well_is_a_proof() -> None:
    verdict = judge(proof())

    assert failed(verdict) == []
    assert verdict.proved


@pytest.mark.parametrize(
    "state", [RequestState.PENDING, RequestState.SENT, RequestState.ANSWERED, RequestState.EXPIRED]
)
def test_an_accepted_request_that_is_open_at_the_end_is_lost(state: RequestState) -> None:
    assert failed(judge(with_request(proof(), replace(request(1), state=state)))) == [LOST]


def test_an_accepted_request_that_is_not_stored_is_lost() -> None:
    evidence = proof()
    others = {key: one for key, one in evidence.requests.items() if key != "R3"}

    assert failed(judge(replace(evidence, requests=others))) == [LOST]


def test_a_delivered_result_that_the_partner_never_took_is_lost() -> None:
    assert failed(judge(with_attempts(proof(), 1, taken(fault=PartnerFault.ERROR)))) == [LOST]


def test_a_result_that_was_given_up_is_not_lost_where_its_dead_letter_says_why() -> None:
    evidence = with_attempts(with_request(proof(), given_up()), 1, taken(fault=PartnerFault.ERROR))

    assert failed(judge(evidence)) == [LOST]
    assert failed(judge(replace(evidence, dead={"R1": [""]}))) == [LOST]
    assert failed(judge(replace(evidence, dead={"R1": ["http_500"]}))) == []


def test_a_result_that_was_given_up_without_a_reason_is_lost() -> None:
    evidence = with_attempts(with_request(proof(), given_up(None)), 1, taken(fault=PartnerFault.ERROR))

    assert failed(judge(replace(evidence, dead={"R1": ["http_500"]}))) == [LOST]


def test_two_different_results_of_one_request_are_contradictory() -> None:
    rejected = taken(3, b'{"result":"REJECTED"}')

    assert failed(judge(with_attempts(proof(), 1, taken(fault=PartnerFault.LOST_ANSWER), taken(3)))) == []
    assert failed(judge(with_attempts(proof(), 1, taken(fault=PartnerFault.LOST_ANSWER), rejected))) == [CONTRADICTORY]


def test_a_result_of_a_request_that_was_refused_was_promised_to_nobody() -> None:
    evidence = proof()
    refused = replace(evidence, sent=(*evidence.sent, sent(4, accepted=False)), wanted=4)

    assert failed(judge(refused)) == []
    assert failed(judge(with_attempts(refused, 4, taken()))) == [UNPROMISED]


def test_a_first_attempt_after_the_timeout_is_late() -> None:
    assert failed(judge(with_attempts(proof(), 1, taken(59)))) == []
    assert failed(judge(with_attempts(proof(), 1, taken(61)))) == [LATE]


def test_a_result_that_was_given_up_untried_is_told() -> None:
    evidence = replace(with_request(proof(), given_up("too_late")), dead={"R1": ["too_late"]})

    assert failed(judge(with_attempts(evidence, 1))) == [UNTRIED]
    assert failed(judge(replace(with_attempts(evidence, 1), disturbed={"R1"}))) == []


def test_a_post_beside_one_that_lasts_is_told() -> None:
    lasting = taken(2, fault=PartnerFault.NEVER)

    assert failed(judge(with_attempts(proof(), 1, lasting, taken(11)))) == []
    assert failed(judge(with_attempts(proof(), 1, lasting, taken(4)))) == [CROWDED]


def test_a_profile_that_never_left_cannot_be_accepted() -> None:
    evidence = proof()

    assert failed(judge(replace(evidence, commands=evidence.commands[1:]))) == [INVENTED]


def test_a_command_after_its_requests_result_is_told() -> None:
    evidence = proof()

    assert failed(judge(replace(evidence, commands=(*evidence.commands, Command("R3", GET, at(3)))))) == [AFTER]


def test_a_lower_number_after_a_higher_one_is_out_of_order() -> None:
    evidence = proof()
    again = (*evidence.commands, Command("R2", CLEAR, at(1.4)))
    back = (*evidence.commands, Command("R1", SET, at(1.4)))

    assert failed(judge(replace(evidence, commands=again))) == []
    assert failed(judge(replace(evidence, commands=back))) == [DISORDER]


@pytest.mark.parametrize(
    ("evidence", "row"),
    [
        (replace(proof(), dials=1), "dials to forbidden places"),
        (
            replace(proof(), violations=["a result although none was promised"]),
            "violations of OCPI that the partner saw",
        ),
        (replace(proof(), sent=(*proof().sent[:2], replace(sent(3, "GET"), status=502))), "HTTP 5xx of the API"),
        (replace(proof(), faults={"CSMS is down": 0}), "CSMS is down"),
        (replace(proof(), crashes={"relay_outbox": 0}), "relay_outbox"),
        (replace(proof(), wanted=4), "sent"),
    ],
)
def test_what_else_must_be_as_it_must(evidence: Evidence, row: str) -> None:
    assert failed(judge(evidence)) == [row]
