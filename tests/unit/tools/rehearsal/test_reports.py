"""The report of a rehearsal: on a terminal, as HTML, as JUnit's XML, as JSON."""

import io
import json
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from xml.etree import ElementTree as ET

import pytest
from rich.console import Console

from tools.rehearsal import RULES, Conformance, Failure, Outcome, Verdict, rules
from tools.rehearsal.documents import json_document, junit_document
from tools.rehearsal.html_report import html_report
from tools.rehearsal.ledger import FAILURES_KEPT, Ledger
from tools.rehearsal.terminal import show, summary

BEGAN = datetime(2026, 1, 15, 17, 0, tzinfo=UTC)
EVIL = '<script>alert("1")</script>\x00'
CHANGED = {
    rules.TIMEOUT: Outcome(rules.TIMEOUT, Verdict.FAILED, 2, (Failure("PUT a profile", "a timeout", EVIL),)),
    rules.NOT_FOUND: Outcome(rules.NOT_FOUND, Verdict.FAILED, 1, (Failure("GET", "HTTP 404", "HTTP 200"),)),
    rules.FIRST_PERIOD: Outcome(rules.FIRST_PERIOD, Verdict.FAILED, 1, (Failure("PUT", "OCPI 2001", "OCPI 1000"),)),
    rules.TLS: Outcome(rules.TLS, Verdict.NOT_APPLICABLE, why="the Receiver is on this machine"),
    rules.UPDATE_COMES: Outcome(rules.UPDATE_COMES, Verdict.SKIPPED, why="no charge point of ours takes part"),
}


@pytest.fixture
def found() -> Conformance:
    """A rule of each kind, the others kept."""
    outcomes = tuple(CHANGED.get(rule, Outcome(rule, Verdict.PASSED, 1)) for rule in RULES)
    return Conformance("https://cpo.example/versions", BEGAN, BEGAN + timedelta(seconds=12), outcomes, "session-1")


def terminal(found: Conformance, *, every_rule: bool = False, width: int = 100) -> str:
    out = io.StringIO()
    show(found, Console(file=out, width=width, markup=False, highlight=False), every_rule=every_rule)
    return out.getvalue()


def test_the_terminal_names_what_was_broken_with_its_section_and_says_why_something_was_not_seen(
    found: Conformance,
) -> None:
    text = terminal(found)

    assert f"{rules.TIMEOUT.asks}  14.5.1  profiles.timeout" in text
    assert "expected HTTP 404; seen HTTP 200" in text
    assert "no charge point of ours takes part" in text
    assert rules.MISSING_TOKEN.asks not in text
    assert rules.MISSING_TOKEN.asks in terminal(found, every_rule=True)
    # What the operator's commands ask for to tell what became of it.
    assert "The session was session-1." in text


def test_the_summary_counts_only_what_the_specification_demands_as_broken(found: Conformance) -> None:
    passed = len(RULES) - len(CHANGED)
    assert summary(found) == (
        f"1 rule of OCPI 2.2.1 broken: {passed} passed, 1 FAILED, 1 warning, 1 note, 1 skipped, 1 not applicable"
    )


def test_junit_fails_on_demands_only_and_has_every_rule(found: Conformance) -> None:
    root = ET.fromstring(junit_document(found))

    cases = root.findall("testsuite/testcase")
    assert len(cases) == len(RULES)
    [failure] = root.findall("testsuite/testcase/failure")
    assert failure.get("message") == rules.TIMEOUT.asks
    assert "<script>" in (failure.text or "")
    reasons = [one.get("message") or "" for one in root.findall("testsuite/testcase/skipped")]
    assert [reason.partition(":")[0] for reason in reasons] == [
        "recommended",
        "not applicable",
        "decided otherwise",
        "skipped",
    ]
    told = [(int(suite.get("tests", 0)), len(suite.findall("testcase"))) for suite in root.findall("testsuite")]
    assert [tests for tests, _ in told] == [cases for _, cases in told]


def test_the_json_document_has_every_rule_and_the_verdict(found: Conformance) -> None:
    document = json.loads(json.dumps(json_document(found)))

    assert document["conforms"] is False
    assert [one["id"] for one in document["rules"]] == [rule.id for rule in RULES]
    broken = next(one for one in document["rules"] if one["id"] == "profiles.timeout")
    assert (broken["verdict"], broken["section"], broken["failures"][0]["seen"]) == ("failed", "14.5.1", EVIL)


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value or "" for name, value in attrs if name in {"src", "href"} or name.startswith("on")]


def test_the_html_has_no_script_and_no_part_from_elsewhere_and_escapes_what_it_shows(found: Conformance) -> None:
    document = html_report(found, zone=UTC)

    reader = _Tags()
    reader.feed(document)
    assert "script" not in reader.tags
    assert reader.links == []
    assert "url(" not in document
    assert "&lt;script&gt;" in document
    assert "prefers-color-scheme: dark" in document
    assert all(rule.id in document for rule in RULES)


def test_a_rule_that_was_broken_often_shows_the_first_few_observations() -> None:
    ledger = Ledger()
    for number in range(FAILURES_KEPT + 3):
        ledger.breach(rules.TIMEOUT, where=str(number), expected="", seen="")
    ledger.keep(rules.TIMEOUT)

    outcome = ledger.outcomes()[RULES.index(rules.TIMEOUT)]
    assert (outcome.verdict, outcome.observed, len(outcome.failures)) == (Verdict.FAILED, 9, FAILURES_KEPT)


def test_a_long_body_is_cut_in_the_report() -> None:
    ledger = Ledger()
    ledger.breach(rules.TIMEOUT, where="", expected="", seen=b"x" * 5000)

    [failure] = ledger.outcomes()[RULES.index(rules.TIMEOUT)].failures
    assert len(failure.seen) < 400
    assert failure.seen.endswith("(5000 characters)")


def test_rule_ids_are_unique_and_each_has_a_section() -> None:
    assert len({rule.id for rule in RULES}) == len(RULES) >= 60
    assert all(rule.section for rule in RULES)
