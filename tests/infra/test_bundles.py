"""The bundles of the Lambda target, really made: small, the same every time, with what runs and nothing else.

Their packages come from the registry, or from pip's cache.
"""

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from infra.bundling import (
    FUNCTION_ROOT,
    LAYER_ROOT,
    UNUSED_FILES,
    UNUSED_PARTS,
    Bundle,
    Dependencies,
    Sources,
    SourceTree,
    lambda_target,
    materialise,
)
from tests.infra.stack_template import FUNCTIONS, ROOT

pytestmark = pytest.mark.prove

MOST_ZIPPED_BYTES: Final = 12_000_000
"""Of all bundles together: what a deployment sends, and what a cold start fetches a part of."""


def bundles() -> Iterator[tuple[str, Bundle]]:
    tree, target = SourceTree(ROOT), lambda_target()
    yield "dependencies", Dependencies(tree.requirements, target)
    yield "bridge", Sources(tree.bridge, LAYER_ROOT, target)
    for name in FUNCTIONS:
        yield name, Sources(tree.function(name), FUNCTION_ROOT, target)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All bundles, a folder each."""
    return make_all(tmp_path_factory.mktemp("bundles"))


def make_all(folder: Path) -> Path:
    for name, bundle in bundles():
        materialise(bundle, folder / name)
    return folder


def tree_of(folder: Path) -> dict[str, tuple[int, bytes]]:
    """The mode and the content of everything in a folder; folders have none."""
    return {
        path.relative_to(folder).as_posix(): (path.stat().st_mode, path.read_bytes() if path.is_file() else b"")
        for path in folder.rglob("*")
    }


def zipped_bytes(folder: Path) -> int:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        for path in sorted(folder.rglob("*")):
            file.write(path, path.relative_to(folder))
    return len(archive.getvalue())


def test_all_bundles_together_are_small(made: Path) -> None:
    sizes = {folder.name: zipped_bytes(folder) for folder in made.iterdir()}

    assert sum(sizes.values()) <= MOST_ZIPPED_BYTES, sizes


def test_a_second_build_is_the_same_to_the_byte_and_the_mode(made: Path, tmp_path: Path) -> None:
    assert tree_of(make_all(tmp_path)) == tree_of(made)


def test_the_packages_come_without_what_no_function_reads(made: Path) -> None:
    packages = made / "dependencies" / "python"

    assert [path for pattern in UNUSED_PARTS for path in packages.glob(pattern)] == []
    assert [path for pattern in UNUSED_FILES for path in packages.rglob(pattern)] == []
    abouts = list(packages.glob("*.dist-info"))
    assert abouts
    assert all((about / "METADATA").is_file() for about in abouts)
    assert {path.name for about in abouts for path in about.iterdir()} <= {"METADATA", "LICENSE", "licenses"}


def test_each_module_comes_with_bytecode_where_the_runtime_has_a_compiler_here(made: Path) -> None:
    target = lambda_target()
    if target.compiler is None:
        pytest.skip("no Python of the runtime's version on this machine")
    for source in made.rglob("*.py"):
        assert list((source.parent / "__pycache__").glob(f"{source.stem}.cpython-313.pyc")), source
