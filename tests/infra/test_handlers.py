"""Each handler imports with what Lambda will have: its own folder, the two layers, and boto3."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

from infra.bundling import (
    FUNCTION_ROOT,
    LAYER_ROOT,
    Dependencies,
    Sources,
    SourceTree,
    fingerprint,
    host_target,
    materialise,
)
from tests.infra.stack_template import FUNCTIONS, ROOT, StackTemplate

pytestmark = pytest.mark.integration

IN_THE_RUNTIME = ("boto3", "botocore", "s3transfer", "jmespath", "dateutil", "six", "urllib3")

PROGRAM = """
import sys
folder, *layers = sys.argv[1:]
# As Lambda has it: the function first, then the layers, then what the runtime brings.
sys.path[:0] = [folder, *layers]
import handler
assert callable(handler.lambda_handler)
assert handler.__file__.startswith(folder)
import ocpi_bridge
assert ocpi_bridge.__file__.startswith(tuple(layers)), ocpi_bridge.__file__
"""


@pytest.fixture(scope="session")
def layers(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """What the layers' `python` folders and the runtime's own packages are, here."""
    tree = SourceTree(ROOT)
    target = host_target()
    made = []
    for bundle in (Dependencies(tree.requirements, target), Sources(tree.bridge, LAYER_ROOT, target)):
        folder = tree.bundles / fingerprint(bundle)
        materialise(bundle, folder)
        made.append(folder / "python")
    runtime = tmp_path_factory.mktemp("runtime")
    for name in IN_THE_RUNTIME:
        spec = importlib.util.find_spec(name)
        assert spec is not None
        assert spec.origin is not None
        origin = Path(spec.origin)
        source = origin.parent if origin.name == "__init__.py" else origin
        (runtime / source.name).symlink_to(source)
    return [*made, runtime]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_handler_imports_with_the_layers_and_boto3_and_the_environment_of_the_stack(
    function: str, layers: list[Path], production: StackTemplate, tmp_path: Path
) -> None:
    tree = SourceTree(ROOT)
    folder = tmp_path / "task"
    materialise(Sources(tree.function(function), FUNCTION_ROOT, host_target()), folder)
    variables = dict(production.functions())[function]["Environment"]["Variables"]
    environment = {
        name: value if isinstance(value, str) else f"the-{name.lower()}" for name, value in variables.items()
    }

    done = subprocess.run(
        # Isolated (-I) and without site-packages (-S): nothing of this environment can help.
        [sys.executable, "-I", "-S", "-B", "-W", "error", "-c", PROGRAM, str(folder), *map(str, layers)],
        env={**environment, "AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "eu-west-1", "PATH": os.defpath},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
