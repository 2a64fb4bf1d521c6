"""Waiting on what other threads record."""

import threading

import pytest

from tools.counterparts.journal import Journal, JournalClosedError, NotObservedError


def test_an_entry_that_is_already_there_is_returned_at_once() -> None:
    journal: Journal[int] = Journal()
    journal.record(1)
    journal.record(2)

    assert journal.wait_for(lambda entry: entry > 1, timeout=0) == 2


def test_a_waiter_is_woken_by_the_entry_it_waits_for() -> None:
    journal: Journal[int] = Journal()

    def write() -> None:
        for number in range(10):
            journal.record(number)

    writer = threading.Thread(target=write)
    writer.start()

    found = journal.wait_for_count(2, lambda entry: entry % 4 == 3, timeout=5)

    writer.join()
    assert found == [3, 7]


def test_entries_before_the_mark_do_not_count() -> None:
    journal: Journal[str] = Journal()
    journal.record("old")
    mark = journal.mark()

    with pytest.raises(NotObservedError, match=r"an answer: 0 of 1 seen.*'old'"):
        journal.wait_for(lambda entry: entry == "old", timeout=0, since=mark, what="an answer")


def test_a_closed_journal_ends_the_wait_with_its_reason() -> None:
    journal: Journal[str] = Journal()
    journal.close("the process ended")

    with pytest.raises(JournalClosedError, match="then the process ended"):
        journal.wait_for(lambda _: True, timeout=5)


def test_entries_of_a_closed_journal_can_still_be_found() -> None:
    journal: Journal[str] = Journal()
    journal.record("last words")
    journal.close("the process ended")

    assert journal.wait_for(lambda _: True, timeout=0) == "last words"


def test_a_predicate_may_look_into_the_journal() -> None:
    journal: Journal[int] = Journal()
    journal.record(1)

    assert journal.wait_for(lambda _: len(journal) == 1, timeout=0) == 1


def test_an_entry_counts_once() -> None:
    journal: Journal[int] = Journal()
    journal.record(1)
    journal.record(2)

    with pytest.raises(NotObservedError, match="1 of 2 seen"):
        journal.wait_for_count(2, lambda entry: entry == 2, timeout=0)
