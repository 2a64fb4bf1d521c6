"""The report of a load run says in each of its forms what was done, what held it back, and what was lost."""

import json
from dataclasses import replace
from datetime import UTC, datetime

from rich.console import Console

from tests.unit.tools.benchmarks.load.seeded import IDLE, evidence, step
from tools.benchmarks.load import report
from tools.benchmarks.load.findings import Findings, judged

RUN = report.Run(datetime(2026, 11, 30, 12, 0, tzinfo=UTC), seconds=10.0, cores=2)
LIMIT = "the embedded AWS: it is one process, and that has no more of a core to use"


def saturated() -> Findings:
    busy = replace(step(16, done=0.5), processors=replace(IDLE, emulator=0.97))
    return Findings((step(), busy), judged(evidence()))


def with_a_loss() -> Findings:
    found = evidence()
    url = found.sent[0].response_url
    return Findings((step(),), judged(replace(found, attempts={**found.attempts, url: []})))


def on_a_terminal(findings: Findings) -> str:
    console = Console(width=200)
    with console.capture() as captured:
        console.print(report.tables(findings))
    return captured.get()


def test_markdown_has_a_line_for_each_step_and_the_limit_with_its_evidence() -> None:
    text = report.as_markdown(RUN, saturated())

    assert "**Nothing was lost.**" in text
    assert "| 8 | 1.0 | 1.0 | 0 | 2.0 | 2.0 | 0.10 / 0.20 | 0.20 / 0.40 | 0.50 / 0.90 | none |" in text
    assert "| 16 | 1.0 | 0.5 | 0 | 2.0 | 1.0 |" in text
    assert "| 16 | 0.97 | 0.10 | 0.10 | 0.00 | 0.50 of 2 | deliver-results 0.10 |" in text
    assert f"- {LIMIT}: it used 0.97 of one core" in text


def test_a_loss_stands_first_and_in_its_own_row() -> None:
    text = report.as_markdown(RUN, with_a_loss())

    assert "**SOMETHING WAS LOST.**" in text
    assert (
        "| lost: accepted, and neither delivered nor in the dead-letter queue with a reason | 1 | must be 0: **NO** |"
        in text
    )


def test_json_says_the_same_for_machines() -> None:
    read = json.loads(report.as_json(RUN, saturated()))

    assert read["nothing_lost"] is True
    assert [one["keeps_up"] for one in read["steps"]] == [True, False]
    assert read["steps"][1]["processors"]["emulator"] == 0.97
    assert read["limits"][0]["what"] == LIMIT
    assert json.loads(report.as_json(RUN, with_a_loss()))["nothing_lost"] is False


def test_the_terminal_shows_the_queues_of_the_step_that_was_held_back() -> None:
    text = on_a_terminal(saturated())

    assert "Queues at 16 sessions:" in text
    assert "charger-commands.fifo" in text
    assert f"Limit: {LIMIT}" in text


def test_a_step_that_nothing_held_back_and_that_did_not_keep_up_is_not_called_a_success() -> None:
    findings = Findings((step(done=0.5),), judged(evidence()))

    assert report.UNEXPLAINED in report.as_markdown(RUN, findings)
    assert report.NOBODY not in report.as_markdown(RUN, findings)


def test_where_every_step_kept_up_no_limit_is_claimed() -> None:
    findings = Findings((step(),), judged(evidence()))

    assert report.NOBODY in report.as_markdown(RUN, findings)
    assert report.NOBODY in on_a_terminal(findings)
