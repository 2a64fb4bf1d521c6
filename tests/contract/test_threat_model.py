"""docs/threat-model.md and SECURITY.md: every safeguard has a test that exists, and what is said leads somewhere."""

import pytest

from tests.contract.named_tests import ROOT, dead_links, unheld

DOCUMENT = ROOT / "docs" / "threat-model.md"
SAFEGUARDS = ("| threat | what stops it | held by |", "| store | who may do what | what stops the others | held by |")


def safeguards() -> list[tuple[str, str]]:
    """What is stopped, and the cell that names its tests."""
    found: list[tuple[str, str]] = []
    in_table = False
    for line in DOCUMENT.read_text(encoding="utf-8").splitlines():
        if line in SAFEGUARDS:
            in_table = True
        elif not line.startswith("|"):
            in_table = False
        elif in_table and not line.startswith("|---"):
            threat, *_, held_by = (cell.strip() for cell in line.strip("|").split("|"))
            found.append((threat, held_by))
    return found


def test_the_tables_are_found() -> None:
    assert len(safeguards()) > 30


@pytest.mark.parametrize(("threat", "held_by"), safeguards(), ids=lambda cell: str(cell)[:60])
def test_every_safeguard_has_a_test_that_exists_or_a_reason_why_not(threat: str, held_by: str) -> None:
    assert threat
    assert list(unheld(held_by)) == []


def test_every_door_and_store_says_what_remains() -> None:
    chapters = DOCUMENT.read_text(encoding="utf-8").split("\n## ")[4:7]
    parts = [part for chapter in chapters for part in chapter.split("\n### ") if part.count("\n") > 3]
    assert len(parts) >= 6
    assert [part.partition("\n")[0] for part in parts if "**What remains.**" not in part] == []


@pytest.mark.parametrize("document", [DOCUMENT, ROOT / "SECURITY.md"], ids=lambda path: path.name)
def test_every_link_leads_to_a_file(document: object) -> None:
    assert dead_links(ROOT / str(document)) == []
