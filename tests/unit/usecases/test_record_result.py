"""A result that is reported by a command's id: read, recorded once, and never by a CSMS whose command it is not."""

import json

import pytest

from ocpi_bridge.adapters.csms.answers import CallbackReader
from ocpi_bridge.domain.requests import RequestKind, RequestState, Result
from ocpi_bridge.usecases.record_result import Outcome, RecordResult, ReportedResult
from tests.support.world import World

ACCEPTED = json.dumps({"status": "Accepted"}).encode()
REJECTED = json.dumps({"status": "Rejected"}).encode()


@pytest.fixture
def record(world: World) -> RecordResult:
    world.put_request(world.open_session(), state=RequestState.SENT, attempts=1)
    return RecordResult(world.commands, CallbackReader(), world.record(), world.clock)


def untouched(world: World) -> bool:
    return world.request().state is RequestState.SENT


@pytest.mark.parametrize("csms_id", ["acme", None])
@pytest.mark.parametrize(("body", "result"), [(ACCEPTED, Result.ACCEPTED), (REJECTED, Result.REJECTED)])
def test_what_the_charge_point_answered_is_the_requests_answer(
    world: World, record: RecordResult, csms_id: str | None, body: bytes, result: Result
) -> None:
    reported = record("r1.0", body, csms_id)
    assert (reported.outcome, reported.outcome.recorded) == (Outcome.ANSWERED, True)
    assert (world.request().state, world.request().result) == (RequestState.ANSWERED, result)


def test_an_error_of_the_charge_point_is_an_answer_too(world: World, record: RecordResult) -> None:
    body = {"_errorCode": "InternalError", "_errorDescription": "no memory"}
    assert record("r1.0", json.dumps(body).encode(), "acme").outcome is Outcome.ANSWERED
    assert world.request().result is Result.REJECTED


def test_the_first_result_of_a_command_counts(world: World, record: RecordResult) -> None:
    record("r1.0", ACCEPTED, "acme")
    assert record("r1.0", REJECTED, "acme").outcome is Outcome.TOO_LATE
    assert world.request().result is Result.ACCEPTED


def test_a_result_of_a_step_that_is_over_or_yet_to_come_is_none(world: World, record: RecordResult) -> None:
    steps = (RequestKind.CLEAR, RequestKind.SET)
    world.put_request(world.open_session(), state=RequestState.SENT, attempts=1, steps=steps)
    assert record("r1.1", ACCEPTED, "acme").outcome is Outcome.TOO_LATE
    assert record("r1.0", ACCEPTED, "acme").outcome is Outcome.NEXT_STEP
    assert record("r1.0", REJECTED, "acme").outcome is Outcome.TOO_LATE
    assert world.request().state is RequestState.PENDING


@pytest.mark.parametrize("command_id", ["r2.0", "", ".", "nothing"])
def test_a_command_that_there_is_not_is_nobodys(world: World, record: RecordResult, command_id: str) -> None:
    assert record(command_id, ACCEPTED, "acme") == ReportedResult(Outcome.UNKNOWN_COMMAND)
    assert untouched(world)


def test_a_command_without_its_step_is_none(world: World, record: RecordResult) -> None:
    assert record("r1", ACCEPTED, "acme").outcome is Outcome.TOO_LATE
    assert untouched(world)


def test_another_csms_cannot_answer_for_the_charge_point(world: World, record: RecordResult) -> None:
    reported = record("r1.0", ACCEPTED, "other")
    assert (reported.outcome, reported.outcome.refused) == (Outcome.ANOTHER_CSMS, True)
    assert untouched(world)
