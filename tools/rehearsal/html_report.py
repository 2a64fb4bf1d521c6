"""The report of a rehearsal as one HTML file: no external part, no script, light and dark. Pure functions."""

from collections.abc import Sequence
from datetime import tzinfo

from ocpi_bridge.rendering.markup import Markup, element, joined
from ocpi_bridge.rendering.page import page
from tools.rehearsal.ledger import Outcome, Verdict
from tools.rehearsal.rules import SPECIFICATION, Level
from tools.rehearsal.run import Conformance
from tools.rehearsal.terminal import by_module, counts, details, summary, word

RULES_STYLE = """\
.passed { color: var(--good); }
.warning { color: var(--confirmed); }
.note, .skipped, .not-applicable { color: var(--soft); }
td.verdict-cell { white-space: nowrap; overflow-wrap: normal; font-weight: 600; width: 9em; }
td.section { width: 9em; }
code { font: 13px/1.5 var(--mono); overflow-wrap: anywhere; }
.seen-line { color: var(--soft); margin: 4px 0 0; max-width: none; }
@media (max-width: 640px) { td.verdict-cell { white-space: normal; } td.verdict-cell, td.section { width: 5em; } }
"""
_EXPLAINED = (
    ("FAILED", "The Receiver breaks what the specification demands."),
    ("warning", "It does not follow a recommendation."),
    ("note", "It decides otherwise than this project where the specification is silent. That is no fault."),
    ("skipped", "It was not seen, for the reason given."),
)


def html_report(found: Conformance, *, zone: tzinfo) -> str:
    """The whole document; times are shown in `zone`."""
    title = f"Rehearsal with an {SPECIFICATION} Receiver"
    return page(
        title,
        RULES_STYLE,
        element("h1", title),
        _summary(found, zone),
        *_module("What to look at", [one for one in found.outcomes if one.verdict is Verdict.FAILED]),
        *(piece for module, outcomes in by_module(found.outcomes) for piece in _module(module, outcomes)),
    )


def _summary(found: Conformance, zone: tzinfo) -> Markup:
    text = summary(found)
    began, seconds = found.began.astimezone(zone), (found.ended - found.began).total_seconds()
    about = f", session {found.session_id}" if found.session_id else ""
    told = f"{found.versions_url}, {began:%Y-%m-%d %H:%M:%S} ({began.tzname()}), {seconds:.0f} s{about}."
    left = element("p", f"Look after the car: {found.left}", class_="failed") if found.left else Markup("")
    words = {word(one) for one in found.outcomes}
    meanings = [
        element("p", element("b", name), f": {meaning}", class_="soft") for name, meaning in _EXPLAINED if name in words
    ]
    verdict = element("p", text[0].upper() + text[1:], class_=f"verdict {'seen' if found.conforms else 'failed'}")
    return joined(verdict, left, element("p", told, class_="soft"), *meanings)


def _module(title: str, outcomes: Sequence[Outcome]) -> tuple[Markup, ...]:
    if not outcomes:
        return ()
    columns = ("Verdict", "What is asked", "Section")
    head = element("thead", element("tr", *(element("th", column, scope="col") for column in columns)))
    rows = [_row(one) for one in outcomes]
    heading = element("h2", title, " ", element("small", counts(outcomes), class_="soft"))
    return heading, element("div", element("table", head, element("tbody", *rows)), class_="wide")


def _row(one: Outcome) -> Markup:
    kind = word(one)
    lines = [element("p", line, class_="seen-line") for line in details(one)]
    level = "" if one.rule.level is Level.MUST else f", {one.rule.level}"
    asks = element("td", one.rule.asks, element("br"), element("code", one.rule.id, class_="soft"), level, *lines)
    colour = "failed" if one.verdict is Verdict.FAILED and one.breaks else kind.replace(" ", "-")
    return element(
        "tr",
        element("td", kind, class_=f"verdict-cell {colour}"),
        asks,
        element("td", one.rule.section, class_="section"),
    )
