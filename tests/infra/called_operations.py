"""Which operations of AWS a function can come to call: those in the modules that its handler imports, however deep."""

import ast
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "layers" / "bridge" / "python"

# The parts of a transaction are rights of their own.
_TRANSACTION = {
    "Put": "PutItem",
    "Update": "UpdateItem",
    "Delete": "DeleteItem",
    "ConditionCheck": "ConditionCheckItem",
}


def operations_of(function: str) -> frozenset[str]:
    """Names of operations as IAM has them, without the service."""
    seen: set[Path] = set()
    waiting = [ROOT / "functions" / function / "handler.py"]
    found: set[str] = set()
    while waiting:
        module = waiting.pop()
        if module in seen:
            continue
        seen.add(module)
        imported, called = _read(module)
        waiting += imported
        found |= called
    return frozenset(found)


@cache
def _read(module: Path) -> tuple[tuple[Path, ...], frozenset[str]]:
    tree = ast.parse(module.read_text())
    imported: list[Path] = []
    called: set[str] = set()
    for node in ast.walk(tree):
        match node:
            case ast.ImportFrom(module=str(name), names=names):
                imported += _files(name) + [file for one in names for file in _files(f"{name}.{one.name}")]
            case ast.Call(func=ast.Attribute(attr=name)):
                called.add("".join(part.capitalize() for part in name.split("_")))
            case ast.Constant(value=str(text)) if text in _TRANSACTION:
                called.add(_TRANSACTION[text])
    return tuple(imported), frozenset(called)


def _files(name: str) -> list[Path]:
    place = PACKAGE.joinpath(*name.split("."))
    return [file for file in (place.with_suffix(".py"), place / "__init__.py") if file.is_file()]
