"""Tests that a document names, as `[test_file.py::test_name](../tests/folder/test_file.py)`, and whether they exist."""

import ast
import functools
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

NAMED_TEST = re.compile(r"\[(?P<file>test_\w+\.py)::(?P<name>test_\w+)\]\(\.\./(?P<path>tests/[\w/]+\.py)\)")
# In the place of a test, where there is none.
REASON = re.compile(r"Not tested: \w.{10,}\.")
_LINK = re.compile(r"\[[^\]]+\]\((?!https?:)([^)#]+)")


@functools.cache
def names_in(path: str) -> frozenset[str]:
    """The tests of a file, read and not run."""
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def unheld(cell: str) -> Iterator[str]:
    """What is wrong with a cell that is to name tests, one a line, or the reason why there is none."""
    named = list(NAMED_TEST.finditer(cell))
    if not named:
        if not REASON.fullmatch(cell):
            yield f"neither a test nor a reason: {cell}"
        return
    if "<br>".join(one[0] for one in named) != cell:
        yield f"something is neither a test nor a reason: {cell}"
    for one in named:
        if not one["path"].endswith(f"/{one['file']}") or not (ROOT / one["path"]).is_file():
            yield f"no file {one['path']}"
        elif one["name"] not in names_in(one["path"]):
            yield f"no test {one['name']} in {one['path']}"


def dead_links(document: Path) -> list[str]:
    """Links of a document to files that are not there."""
    targets = _LINK.findall(document.read_text(encoding="utf-8"))
    return [target for target in targets if not (document.parent / target).exists()]
