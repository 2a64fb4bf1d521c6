"""The report of a rehearsal for machines: one JSON document, or JUnit's XML as continuous integration reads it."""

import re
from xml.etree import ElementTree as ET

from tools.counterparts.clock import write_datetime
from tools.rehearsal.ledger import Outcome, Verdict
from tools.rehearsal.rules import SPECIFICATION, Level
from tools.rehearsal.run import Conformance
from tools.rehearsal.terminal import by_module, details

Document = str | int | float | bool | None | list["Document"] | dict[str, "Document"]
"""JSON that is written and not read again."""

# What XML 1.0 cannot hold, not even escaped.
_UNPRINTABLE = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def json_document(found: Conformance) -> dict[str, "Document"]:
    """The whole report; `conforms` says whether nothing was broken that the specification demands."""
    return {
        "specification": SPECIFICATION,
        "versions_url": found.versions_url,
        "began": write_datetime(found.began),
        "ended": write_datetime(found.ended),
        "session_id": found.session_id,
        "conforms": found.conforms,
        "profile_left": found.left or None,
        "counts": {verdict.value: found.count(verdict) for verdict in Verdict},
        "rules": [_rule(one) for one in found.outcomes],
    }


def junit_document(found: Conformance) -> str:
    """A test suite for each module, a case for each rule.

    Only what the specification demands can fail; a broken recommendation or another decision is a case that was skipped,
    with what was seen as its reason.
    """
    seconds = f"{(found.ended - found.began).total_seconds():.1f}"
    root = ET.Element("testsuites", name=f"Rehearsal of {SPECIFICATION}", time=seconds)
    for module, outcomes in by_module(found.outcomes):
        suite = ET.SubElement(
            root,
            "testsuite",
            name=module,
            tests=str(len(outcomes)),
            failures=str(sum(one.breaks for one in outcomes)),
            skipped=str(sum(one.verdict is not Verdict.PASSED and not one.breaks for one in outcomes)),
            errors="0",
            timestamp=write_datetime(found.began),
        )
        for one in outcomes:
            case = ET.SubElement(suite, "testcase", classname=one.rule.module, name=_title(one))
            text = _printable("\n".join(details(one)))
            if one.breaks:
                ET.SubElement(case, "failure", message=one.rule.asks).text = text
            elif one.verdict is not Verdict.PASSED:
                ET.SubElement(case, "skipped", message=_printable(_reason(one)))
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _rule(one: Outcome) -> dict[str, "Document"]:
    return {
        "id": one.rule.id,
        "level": one.rule.level.value,
        "section": one.rule.section,
        "asks": one.rule.asks,
        "verdict": one.verdict.value,
        "observed": one.observed,
        "why": one.why or None,
        "failures": [{"where": each.where, "expected": each.expected, "seen": each.seen} for each in one.failures],
    }


def _title(one: Outcome) -> str:
    return f"{one.rule.id}: {one.rule.asks} ({one.rule.section})"


def _reason(one: Outcome) -> str:
    if one.verdict is not Verdict.FAILED:
        return f"{one.verdict.value}: {one.why}"
    kind = "recommended" if one.rule.level is Level.SHOULD else "decided otherwise"
    return f"{kind}: {'; '.join(details(one))}"


def _printable(text: str) -> str:
    return _UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", text)
