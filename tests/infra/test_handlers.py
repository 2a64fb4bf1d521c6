"""Each handler imports with what Lambda will have (its own folder, two layers, the runtime), and no more than it needs.

The time of a cold start is what is imported; it is measured by `make bench` (docs/decisions/0025).
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import pytest

from infra.bundling import FUNCTION_ROOT, Sources, SourceTree, host_target, materialise
from tests.infra.stack_template import FUNCTIONS, ROOT, StackTemplate
from tools.benchmarks import lambda_place
from tools.benchmarks.lambda_place import RUNTIME_PACKAGES, origin_of

pytestmark = pytest.mark.integration

AWS: Final = frozenset({"aws_lambda_powertools", "certifi", *RUNTIME_PACKAGES}) - {"boto3", "s3transfer"}
"""What every function has: clients of AWS, logs and metrics."""
MODELS: Final = AWS | {"annotated_types", "pydantic", "pydantic_core", "typing_inspection"}
"""What reading bodies and stored documents takes, too."""
HTTP: Final = MODELS | {"anyio", "h11", "httpcore", "httpx", "idna"}
"""What calling partners takes, too. The sender loads it when a command first goes to a CSMS by HTTP."""

LOADED: Final = {
    "ocpi_versions": (AWS, 42),
    "ocpi_credentials": (HTTP, 86),
    "ocpi_sessions": (MODELS, 79),
    "ocpi_charging_profiles": (MODELS, 68),
    "ocpi_fallback": (AWS, 39),
    "ocpi_pairing": (MODELS, 65),
    "csms_events": (MODELS, 56),
    "csms_frames": (AWS, 39),
    "csms_sessions": (MODELS, 56),
    "csms_callback": (MODELS, 83),
    "relay_outbox": (MODELS, 58),
    "send_charger_commands": (MODELS, 100),
    "deliver_results": (HTTP, 87),
    "ingest_csms_events": (MODELS, 88),
    "push_updates": (HTTP, 112),
    "sweep": (MODELS, 61),
    "session_widget": (MODELS, 61),
}
"""Per function: all packages that it loads beside Python's own, and how many modules of ours. What it does not need is
paid for at each of its cold starts; what it needs from now on is counted here."""

NOWHERE: Final = frozenset(
    {
        "asyncio",
        "aws_lambda_powertools.event_handler",
        "aws_xray_sdk",
        "boto3",
    }
)

PROGRAM = """
import gc
import json
import sys
folder, *layers = sys.argv[1:]
# As Lambda has it: the function first, then the layers, then what the runtime brings.
sys.path[:0] = [folder, *layers]
import handler
assert callable(handler.lambda_handler)
assert handler.__file__.startswith(folder)
import ocpi_bridge
assert ocpi_bridge.__file__.startswith(tuple(layers)), ocpi_bridge.__file__
# Whatever the start switched off is on again, and what was loaded is left alone.
assert gc.isenabled()
assert gc.get_freeze_count() > 10_000
print(json.dumps(sorted(sys.modules)))
"""


@pytest.fixture(scope="session")
def layers(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """What the layers' `python` folders and the runtime's own packages are, here."""
    runtime = tmp_path_factory.mktemp("runtime")
    for name in RUNTIME_PACKAGES:
        source = origin_of(name)
        (runtime / source.name).symlink_to(source)
    return [*lambda_place.layers(SourceTree(ROOT), host_target()), runtime]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_handler_imports_with_what_lambda_has_and_loads_nothing_that_it_does_not_need(
    function: str, layers: list[Path], production: StackTemplate, tmp_path: Path
) -> None:
    tree = SourceTree(ROOT)
    folder = tmp_path / "task"
    materialise(Sources(tree.function(function), FUNCTION_ROOT, host_target()), folder)
    variables = dict(production.functions())[function]["Environment"]["Variables"]
    environment = {
        name: value if isinstance(value, str) else f"the-{name.lower()}" for name, value in variables.items()
    }
    runtime = {
        "AWS_LAMBDA_FUNCTION_NAME": function,
        "AWS_REGION": "eu-west-1",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "PATH": os.defpath,
    }

    done = subprocess.run(
        # Isolated (-I) and without site-packages (-S): nothing of this environment can help.
        [sys.executable, "-I", "-S", "-B", "-W", "error", "-c", PROGRAM, str(folder), *map(str, layers)],
        env={**environment, **runtime},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    loaded = set(json.loads(done.stdout))
    packages, own = LOADED[function]
    assert _packages(loaded) & _installed(layers) == packages
    ours = sorted(module for module in loaded if module.startswith("ocpi_bridge"))
    assert len(ours) == own, ours
    assert not loaded & NOWHERE


def _packages(modules: Iterable[str]) -> set[str]:
    # Which Python it is decides who loads typing_extensions: it stands in for what older ones lack.
    return {module.partition(".")[0] for module in modules} - {"ocpi_bridge", "typing_extensions"}


def _installed(layers: Iterable[Path]) -> set[str]:
    return {path.stem for layer in layers for path in layer.iterdir()}
