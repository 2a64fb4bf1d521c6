"""A partner that answers nothing is not called for a while; then one call finds out how it is."""

from datetime import timedelta

import pytest

from ocpi_bridge.domain.partners import Party, Silence
from ocpi_bridge.ports.partners import PartnerMessage, Receipt
from ocpi_bridge.usecases.partner_line import PROBE_FOR, PUSH_BUDGET, SILENT_FOR, LineEvent, PartnerLine, PartnerLines
from tests.support import registry_entries
from tests.support.clocks import START, ManualClock
from tests.support.scripted import DELIVERED, HANGS, NOT_FOUND, UNREACHABLE, ScriptedPartner
from tests.support.stores import MemoryStores

PARTNER = registry_entries.partner()
MESSAGE = PartnerMessage("PUT", "https://ocpi.jedlix.com/x", {}, "corr-1", Party("NL", "ACM"), PARTNER.party)


class Scene:
    """A partner, and steps that call it; each has a line of its own, with what it read when it began."""

    def __init__(self, *receipts: Receipt) -> None:
        self.clock = ManualClock()
        self.stores = MemoryStores()
        self.stores.add(PARTNER)
        self.http = ScriptedPartner(*receipts)
        self.lines = PartnerLines(self.http, self.stores.silences, self.clock)

    @property
    def silence(self) -> Silence | None:
        return self.stores.pushes.push_context("s1", PARTNER.partner_id).silence

    def line(self) -> PartnerLine:
        return self.lines.open(PARTNER.partner_id, self.silence)

    def step(self) -> PartnerLine:
        """Calls the partner if that is allowed."""
        line = self.line()
        if line.closed_until() is None:
            line.send(PARTNER, MESSAGE)
        return line

    def falls_silent(self) -> None:
        self.http.answer_with(HANGS)
        assert self.step().events == [LineEvent.FELL_SILENT]
        self.http.messages.clear()


@pytest.mark.parametrize("error", ["timeout", "connect_timeout", "oauth_timeout", "oauth_connect_timeout"])
def test_a_call_that_runs_into_its_time_begins_a_silence(error: str) -> None:
    scene = Scene(Receipt(delivered=False, error=error))
    assert scene.step().events == [LineEvent.FELL_SILENT]
    assert scene.silence == Silence(START, START + SILENT_FOR)
    assert scene.http.budgets == [PUSH_BUDGET]


@pytest.mark.parametrize(
    "receipt",
    [
        DELIVERED,
        NOT_FOUND,
        UNREACHABLE,
        *(
            Receipt(delivered=False, error=error)
            for error in ("http_503", "http_408", "dns", "tls", "connection_lost", "oauth_http_500", "no_token")
        ),
    ],
    ids=lambda receipt: receipt.error or "delivered",
)
def test_an_answer_of_any_kind_holds_nobody_and_writes_nothing(receipt: Receipt) -> None:
    scene = Scene(receipt)
    assert scene.step().events == []
    assert scene.silence is None


def test_a_silent_partner_is_called_by_nobody_until_the_silence_is_over() -> None:
    scene = Scene()
    scene.falls_silent()
    scene.clock.advance(SILENT_FOR.total_seconds() - 0.001)
    assert [scene.line().closed_until() for _ in range(3)] == [START + SILENT_FOR] * 3
    scene.step()
    assert scene.http.messages == []
    scene.clock.advance(0.001)
    scene.step()
    assert len(scene.http.messages) == 1


def test_a_step_that_saw_the_partner_fall_silent_calls_it_no_more() -> None:
    scene = Scene(HANGS)
    line = scene.step()
    assert line.closed_until() == START + SILENT_FOR


def test_of_many_that_come_after_a_silence_one_calls_and_the_others_wait_for_it() -> None:
    scene = Scene()
    scene.falls_silent()
    scene.clock.advance(SILENT_FOR.total_seconds())
    lines = [scene.line() for _ in range(5)]
    probe_ends = scene.clock.now() + PROBE_FOR
    assert [line.closed_until() for line in lines] == [None, *[probe_ends] * 4]
    # Who finds out may call as often as its step needs; who comes later reads that somebody does.
    assert lines[0].closed_until() is None
    assert scene.line().closed_until() == probe_ends


@pytest.mark.parametrize("receipt", [DELIVERED, NOT_FOUND, UNREACHABLE], ids=["taken", "refused", "unreachable"])
def test_whatever_the_partner_answers_ends_the_silence(receipt: Receipt) -> None:
    scene = Scene()
    scene.falls_silent()
    scene.clock.advance(SILENT_FOR.total_seconds())
    scene.http.answer_with(receipt)
    line = scene.step()
    assert (line.events, line.closed_until(), scene.silence) == ([LineEvent.ANSWERS], None, None)


def test_a_partner_that_stays_silent_is_silent_since_the_first_time() -> None:
    scene = Scene()
    scene.falls_silent()
    for _ in range(3):
        scene.clock.advance(SILENT_FOR.total_seconds())
        line = scene.step()
        assert (line.events, line.closed_until()) == ([], scene.clock.now() + SILENT_FOR)
        assert scene.silence == Silence(START, scene.clock.now() + SILENT_FOR)
    assert len(scene.http.messages) == 3


def test_where_who_finds_out_dies_another_one_does() -> None:
    scene = Scene()
    scene.falls_silent()
    scene.clock.advance(SILENT_FOR.total_seconds())
    assert scene.line().closed_until() is None
    scene.clock.advance(PROBE_FOR.total_seconds())
    scene.http.answer_with(DELIVERED)
    assert scene.step().events == [LineEvent.ANSWERS]
    assert scene.silence is None


def test_many_calls_that_run_into_their_time_together_make_one_silence() -> None:
    scene = Scene(HANGS)
    lines = [scene.line() for _ in range(5)]
    for line in lines:
        assert line.closed_until() is None
        line.send(PARTNER, MESSAGE)
        scene.clock.advance(0.1)
    assert [line.events for line in lines] == [[LineEvent.FELL_SILENT], [], [], [], []]
    assert scene.silence == Silence(START, START + SILENT_FOR)


def test_a_late_success_does_not_end_a_silence_that_others_found() -> None:
    scene = Scene(DELIVERED)
    slow = scene.line()
    assert slow.closed_until() is None
    scene.falls_silent()
    scene.http.answer_with(DELIVERED)
    slow.send(PARTNER, MESSAGE)
    assert slow.events == []
    assert scene.silence is not None


def test_a_partner_that_was_removed_meanwhile_stays_removed() -> None:
    scene = Scene(HANGS)
    line = scene.line()
    del scene.stores.books.partners[PARTNER.partner_id]
    line.send(PARTNER, MESSAGE)
    assert (line.events, scene.stores.books.silences) == ([], {})
    assert scene.http.budgets == [PUSH_BUDGET]
    # The step itself has seen enough.
    assert line.closed_until() == START + timedelta(seconds=30)
