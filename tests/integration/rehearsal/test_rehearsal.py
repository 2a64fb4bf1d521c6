"""What a rehearsal does, and what it never does, at a Receiver in this process."""

import socket
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC

import pytest

from tests.support.rehearsals import BRIEF, STEERED, outcome, rehearsed
from tests.support.rehearsed_receiver import MAXIMUM, TOKEN_A, Fault, RehearsedReceiver
from tools.counterparts.http_service import LOOPBACK, Request
from tools.partner_simulator import Party
from tools.rehearsal import RULES, Address, Level, Options, Target, Verdict, rehearse, rules
from tools.rehearsal.checks.check import Check
from tools.rehearsal.counterpart import Counterpart
from tools.rehearsal.documents import json_document
from tools.rehearsal.html_report import html_report
from tools.rehearsal.ledger import Ledger
from tools.rehearsal.run import run_check
from tools.rehearsal.stage import Need, Stage

pytestmark = pytest.mark.integration


def steering(receiver: RehearsedReceiver) -> list[Request]:
    """Requests that could change how the car charges."""
    return receiver.http.requests.matching(
        lambda request: (
            request.method in {"PUT", "DELETE"}
            and "running-now" in request.path.lower()
            and request.path.startswith("/ocpi/2.2.1/")
        )
    )


def test_a_receiver_without_fault_keeps_every_rule() -> None:
    found = rehearsed()

    others = {one.rule: one.verdict for one in found.outcomes if one.verdict is not Verdict.PASSED}
    assert others == {rules.TLS: Verdict.NOT_APPLICABLE, rules.PREFERENCES_INCAPABLE: Verdict.NOT_APPLICABLE}
    assert found.conforms


def test_no_profile_and_no_preference_is_set_or_cleared_unless_it_is_asked_for() -> None:
    with RehearsedReceiver() as receiver:
        target = Target(receiver.versions_url, TOKEN_A)
        found = rehearse(target, replace(STEERED, steer=False), address=Address(), car=receiver)
        assert steering(receiver) == []

    assert outcome(found, rules.PUT_ACCEPTED).why == Need.STEER.value
    assert found.conforms


def test_what_was_set_is_cleared_when_the_rehearsal_breaks_off() -> None:
    class Breaking(RehearsedReceiver):
        def limit(self, watts: int | None) -> None:
            super().limit(watts)
            if self.plans["running-now-0002"].was_put and watts is not None:
                raise RuntimeError("the charge point is gone")

    with Breaking() as receiver:
        target = Target(receiver.versions_url, TOKEN_A)
        with pytest.raises(RuntimeError, match="the charge point is gone"):
            rehearse(target, STEERED, address=Address(), car=receiver)
        assert receiver.plans["running-now-0002"].watts == MAXIMUM


def test_a_profile_that_could_not_be_cleared_is_told() -> None:
    found = rehearsed(Fault.NEVER_ACCEPTS_DELETE)

    assert "was not cleared" in found.left


@pytest.fixture
def registered() -> Iterator[tuple[RehearsedReceiver, int, Options]]:
    """A Receiver that knows us at a port of this machine, and the options with which we come again."""
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    with RehearsedReceiver() as receiver:
        first = replace(STEERED, unregister=False)
        address = Address((LOOPBACK, port))
        rehearse(Target(receiver.versions_url, TOKEN_A), first, address=address, car=receiver)
        assert receiver.client is not None
        yield receiver, port, Options(registered=True, callback_token=receiver.client.token, patience=BRIEF)


def test_a_registered_partner_needs_no_handshake_and_changes_no_registration(
    registered: tuple[RehearsedReceiver, int, Options],
) -> None:
    receiver, port, options = registered
    mark = receiver.http.requests.mark()

    target = Target(receiver.versions_url, receiver.tokens[-1])
    found = rehearse(target, options, address=Address((LOOPBACK, port)))

    asked = receiver.http.requests.entries(mark)
    assert {one.method for one in asked if one.path.endswith("/credentials")} == {"GET"}
    assert outcome(found, rules.CREDENTIALS_GET).verdict is Verdict.PASSED
    assert outcome(found, rules.NEW_TOKEN).why == Need.REGISTRATION.value
    assert outcome(found, rules.GET_ACCEPTED).why == Need.SESSION.value
    assert found.conforms


def test_who_cannot_be_called_back_judges_what_needs_no_call(
    registered: tuple[RehearsedReceiver, int, Options],
) -> None:
    receiver, port, options = registered
    target = Target(receiver.versions_url, receiver.tokens[-1])

    found = rehearse(target, options, address=Address(None, f"http://localhost:{port}"))
    blind = rehearse(target, options)

    assert outcome(found, rules.UNKNOWN_SESSION).verdict is Verdict.PASSED
    assert outcome(found, rules.GET_URL).verdict is Verdict.PASSED
    assert outcome(found, rules.RESULT_COMES).why == Need.CALLBACKS.value
    assert outcome(blind, rules.UNKNOWN_SESSION).why == Need.RESPONSE_URL.value
    assert found.conforms
    assert blind.conforms


@pytest.mark.parametrize(("fault", "level"), [(Fault.ANY_ORDER, Level.DECISION), (Fault.NO_CHALLENGE, Level.SHOULD)])
def test_another_decision_and_a_missed_recommendation_break_nothing(fault: Fault, level: Level) -> None:
    found = rehearsed(fault)

    assert [one.rule.level for one in found.outcomes if one.verdict is Verdict.FAILED] == [level]
    assert found.conforms


def test_a_broken_demand_is_no_conformance() -> None:
    assert not rehearsed(Fault.NO_TIMEOUT).conforms


def test_a_request_that_came_too_often_is_repeated() -> None:
    with RehearsedReceiver() as receiver:
        receiver.too_often = 2
        found = rehearse(Target(receiver.versions_url, TOKEN_A), STEERED, address=Address(), car=receiver)

    assert outcome(found, rules.GET_ACCEPTED).verdict is Verdict.PASSED


def test_a_receiver_that_always_finds_it_too_often_breaks_nothing() -> None:
    with RehearsedReceiver() as receiver:
        receiver.too_often = 10_000
        found = rehearse(Target(receiver.versions_url, TOKEN_A), STEERED, address=Address(), car=receiver)

    assert "TOO_OFTEN" in outcome(found, rules.GET_ACCEPTED).why
    assert found.conforms


def test_a_result_that_was_announced_for_later_than_is_waited_for_is_not_missed() -> None:
    with RehearsedReceiver(Fault.NO_RESULTS) as receiver:
        receiver.timeout = 3600
        options = replace(STEERED, patience=replace(BRIEF, result=0.1))
        found = rehearse(Target(receiver.versions_url, TOKEN_A), options, address=Address(), car=receiver)

    assert "3600 s were announced" in outcome(found, rules.RESULT_COMES).why


def test_the_party_that_was_named_is_spoken_to() -> None:
    with RehearsedReceiver() as receiver:
        receiver.further_party = "XYZ"
        target = Target(receiver.versions_url, TOKEN_A, cpo=Party("NL", "CPO"))
        found = rehearse(target, STEERED, address=Address(), car=receiver)

    assert outcome(found, rules.ROUTING_SWAPPED).verdict is Verdict.PASSED


def test_a_check_that_hangs_is_given_up() -> None:
    never, ledger = threading.Event(), Ledger()
    check = Check("hangs", lambda _: _wait(never), (rules.TLS,), seconds=0.05)

    run_check(Stage(Counterpart(ledger, "http://localhost:1", "token"), Options()), check)
    never.set()

    assert ledger.outcomes()[RULES.index(rules.TLS)].why == "given up after 0.05 s"


def test_a_receiver_that_does_not_answer_does_not_conform() -> None:
    found = rehearse(Target("http://localhost:1/versions", "token"), Options(patience=BRIEF), address=Address())

    assert outcome(found, rules.ANSWERED).verdict is Verdict.FAILED
    assert not found.conforms


@pytest.mark.parametrize("fault", [Fault.NO_STATUS_CODE, Fault.CREDENTIALS_WITHOUT_ROLES, Fault.SAME_TOKEN_AGAIN])
def test_no_report_shows_a_token(fault: Fault) -> None:
    with RehearsedReceiver(fault) as receiver:
        options = replace(STEERED, unregister=False)
        found = rehearse(Target(receiver.versions_url, TOKEN_A), options, address=Address(), car=receiver)
        secrets = {TOKEN_A, *receiver.tokens, receiver.client.token if receiver.client is not None else TOKEN_A}

    report = str(json_document(found)) + html_report(found, zone=UTC)
    assert [secret for secret in secrets if secret in report] == []


def _wait(event: threading.Event) -> None:
    event.wait()
