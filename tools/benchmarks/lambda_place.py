"""What Lambda has, on this machine: the functions' bundles, the layers, the runtime's own packages, the environment.

Bundles are the real ones of `infra.bundling`, for this machine's platform and the measured Python. The environment is
what the synthesised stack of a production stage gives each function; names that AWS makes up are made up here.
"""

import importlib.util
import json
import os
import shutil
import subprocess
import sysconfig
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from aws_cdk import App

from infra.app import ROOT, build
from infra.bundling import (
    FUNCTION_ROOT,
    LAYER_ROOT,
    Dependencies,
    Sources,
    SourceTree,
    Target,
    fingerprint,
    host_target,
    materialise,
)

RUNTIME_PACKAGES: Final = ("boto3", "botocore", "s3transfer", "jmespath", "dateutil", "six", "urllib3")
"""What Lambda's Python runtime brings."""

_STAGE: Final = {"stage": "production", "country_code": "NL", "party_id": "ABC"}
CREDENTIALS: Final = {
    "AWS_REGION": "eu-west-1",
    "AWS_DEFAULT_REGION": "eu-west-1",
    "AWS_ACCESS_KEY_ID": "ASIAEXAMPLEEXAMPLE00",
    "AWS_SECRET_ACCESS_KEY": "0123456789abcdef0123456789abcdef01234567",
    # Roles have one, and signing it is part of each request.
    "AWS_SESSION_TOKEN": "0123456789abcdef" * 40,
}
"""What Lambda gives each function besides: a region, and the credentials of its role."""


@dataclass(frozen=True, slots=True)
class RuntimePackages:
    """A bundle of what Lambda's runtime brings: copies of this environment's, with bytecode of the measured Python."""

    target: Target

    def identity(self) -> Iterator[bytes]:
        """Versions and target; an installed package does not change under its version."""
        for name in RUNTIME_PACKAGES:
            yield f"{name} {origin_of(name)} {origin_of(name).stat().st_mtime_ns}".encode()
        yield f"{self.target.platform} {self.target.compiler}".encode()

    def build(self, folder: Path) -> None:
        """Copy and compile them."""
        for name in RUNTIME_PACKAGES:
            source = origin_of(name)
            if source.is_dir():
                shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copyfile(source, folder / source.name)
        compileall = (str(self.target.compiler), "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash")
        subprocess.run((*compileall, str(folder)), check=True)


class LambdaPlace:
    """Where functions run: `paths` stand on `sys.path` behind the function's own folder, as Lambda has them."""

    def __init__(self, python: Path, scratch: Path) -> None:
        tree = SourceTree(ROOT)
        target = target_of(python)
        self.python = python
        self.paths = (*layers(tree, target), _made(RuntimePackages(target), tree))
        self._environments = environments(scratch / "synth")
        # All at once: whoever edits the sources meanwhile does not change what is measured.
        sources = {name: Sources(tree.function(name), FUNCTION_ROOT, target) for name in self._environments}
        self._folders = {name: _made(bundle, tree) for name, bundle in sources.items()}

    @property
    def functions(self) -> tuple[str, ...]:
        """The functions of the stack."""
        return tuple(sorted(self._environments))

    def folder(self, function: str) -> Path:
        """A function's bundle."""
        return self._folders[function]

    def environment(self, function: str | None = None) -> dict[str, str]:
        """The environment of a function, or of a program that has none of the stack's variables."""
        given = {} if function is None else {"AWS_LAMBDA_FUNCTION_NAME": function, **self._environments[function]}
        return {"PATH": os.defpath, "LANG": "C.UTF-8", **CREDENTIALS, **given}


def layers(tree: SourceTree, target: Target) -> tuple[Path, ...]:
    """What of the layers stands on the path in Lambda."""
    bundles = (Dependencies(tree.requirements, target), Sources(tree.bridge, LAYER_ROOT, target))
    return tuple(_made(bundle, tree) / "python" for bundle in bundles)


def origin_of(name: str) -> Path:
    """The folder or file of a package of this environment."""
    spec = importlib.util.find_spec(name)
    assert spec is not None
    assert spec.origin is not None
    origin = Path(spec.origin)
    return origin.parent if origin.name == "__init__.py" else origin


def target_of(python: Path) -> Target:
    """The target of this machine with a Python that may be another than the one that runs this."""
    asked = "import sys; print(sys.implementation.cache_tag, '%d.%d' % sys.version_info[:2])"
    done = subprocess.run((python, "-c", asked), capture_output=True, text=True, check=True)
    tag, version = done.stdout.split()
    host = host_target()
    platform = f"{sysconfig.get_platform()}-{tag}"
    if platform == host.platform:
        return Target(host.platform, host.pip_options, python)
    return Target(platform, ("--implementation=cp", f"--python-version={version}"), python)


def environments(outdir: Path) -> Mapping[str, Mapping[str, str]]:
    """What the stack gives each function."""
    context = json.loads((ROOT / "cdk.json").read_text(encoding="utf-8"))["context"]
    app = App(outdir=str(outdir), context={**context, **_STAGE, "aws:cdk:bundling-stacks": []})
    stack = build(app)
    template = app.synth().get_stack_by_name(stack.stack_name).template
    functions = [one["Properties"] for one in template["Resources"].values() if one["Type"] == "AWS::Lambda::Function"]
    return {
        variables["POWERTOOLS_SERVICE_NAME"]: with_names(variables)
        for variables in (properties["Environment"]["Variables"] for properties in functions)
    }


def with_names(variables: Mapping[str, Any]) -> Mapping[str, str]:
    """A function's variables, with made-up names for what AWS would name."""
    return {name: _named(name, value) for name, value in variables.items()}


def _named(name: str, value: Any) -> str:  # noqa: ANN401 - whatever stands in a template
    """The value, or a name for what only AWS can name; a queue's ends as its ARN does in the scenes."""
    if isinstance(value, str):
        return value
    if name.endswith("_QUEUE_URL"):
        return f"https://sqs.eu-west-1.amazonaws.com/111111111111/{name.removesuffix('_QUEUE_URL')}"
    return f"https://{name.lower()}.example/prod" if name.endswith("_URL") else f"the-{name.lower()}"


def _made(bundle: Dependencies | Sources | RuntimePackages, tree: SourceTree) -> Path:
    folder = tree.bundles / fingerprint(bundle)
    materialise(bundle, folder)
    return folder
