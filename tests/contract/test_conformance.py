"""docs/conformance.md: every rule has a test that exists, or says why it has none."""

import re
from dataclasses import dataclass

import pytest

from tests.contract.named_tests import ROOT, dead_links, unheld

DOCUMENT = ROOT / "docs" / "conformance.md"

RULES = "| rule | section | what the bridge does | held by |"
DEVIATIONS = "| what | section | why | held by |"

# Of our own (R) and of OCPP (C, with a section where it helps); else where it stands in OCPI, or in Jedlix's guide.
_SECTION = re.compile(
    r"(?:[\d., ]+|2\.3\.0(?: [\d.]+)?|2\.2\.1\S*(?: of 2021)?|[\d., ]+, (?:2\.3\.0|R)|R|guide|none|C(?: .+)?)"
)


@dataclass(frozen=True)
class Row:
    """A rule, or a deviation, as the document has it."""

    line: int
    rule: str
    section: str
    what: str
    held_by: str

    def __str__(self) -> str:
        return f"{self.line}-{self.rule[:60]}"


def rows() -> list[Row]:
    found: list[Row] = []
    in_table = False
    for number, line in enumerate(DOCUMENT.read_text(encoding="utf-8").splitlines(), 1):
        if line in {RULES, DEVIATIONS}:
            in_table = True
        elif not line.startswith("|"):
            in_table = False
        elif in_table and not line.startswith("|---"):
            cells = [cell.strip() for cell in line.strip("|").split("|")]
            assert len(cells) == 4, f"line {number} has {len(cells)} cells"
            found.append(Row(number, *cells))
    return found


ROWS = rows()


def test_the_tables_are_found() -> None:
    assert len(ROWS) > 300


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_every_rule_has_a_test_that_exists_or_a_reason_why_not(row: Row) -> None:
    assert list(unheld(row.held_by)) == []


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_every_rule_says_where_it_stands_and_what_is_done(row: Row) -> None:
    assert row.rule
    assert row.what
    assert _SECTION.fullmatch(row.section), row.section


def test_no_rule_stands_twice_under_one_heading() -> None:
    heading, seen = "", set()
    for line in DOCUMENT.read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            heading = line
        elif line.startswith("| "):
            key = (heading, line.split(" | ")[0])
            assert key not in seen or line in {RULES, DEVIATIONS}, key
            seen.add(key)


def test_all_thirty_rules_of_the_short_list_are_there() -> None:
    numbers = [int(found[1]) for row in ROWS if (found := re.match(r"(\d+)\. ", row.rule))]
    assert numbers == list(range(1, 31))


def test_every_gap_is_listed() -> None:
    marked = sum("**Gap**" in row.what for row in ROWS)
    text = DOCUMENT.read_text(encoding="utf-8")
    listed = re.findall(r"^- ", text.partition("## Gaps")[2].partition("\n## ")[0], re.MULTILINE)
    assert marked == len(listed)


def test_every_link_leads_to_a_file() -> None:
    assert dead_links(DOCUMENT) == []


def test_the_gateways_own_answers_are_the_ones_that_it_lists() -> None:
    (row,) = (one for one in ROWS if one.rule.startswith("The gateway's own answers"))
    assert all(status in row.rule for status in ("429", "413", "504", "timestamp", "ids"))
