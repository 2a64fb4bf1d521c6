"""The two layers that every function has: third-party packages, and the bridge's own package."""

from typing import Final

from aws_cdk import Annotations
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from infra.bundling import LAMBDA_PYTHON, LAYER_ROOT, Dependencies, Sources, SourceTree, Target, code_of

NO_BYTECODE: Final = "ocpi-bridge:no-bytecode"
"""The warning that the machine which synthesises has no Python of the runtime's version."""


class Layers(Construct):
    """Layers change at different paces: packages with the lock file, the bridge with each of its changes."""

    def __init__(self, scope: Construct, construct_id: str, tree: SourceTree, target: Target) -> None:
        super().__init__(scope, construct_id)
        self.dependencies = self._layer(
            "Dependencies", "Locked third-party packages.", code_of(Dependencies(tree.requirements, target), tree)
        )
        self.bridge = self._layer(
            "Bridge", "The package ocpi_bridge.", code_of(Sources(tree.bridge, LAYER_ROOT, target), tree)
        )
        if target.compiler is None:
            version = ".".join(str(part) for part in LAMBDA_PYTHON)
            Annotations.of(self).add_warning_v2(
                NO_BYTECODE,
                f"There is no Python {version}, the runtime's version, on this machine, so the functions go without "
                "bytecode: each of their cold starts takes some 0.2 to 0.4 s longer, and is billed. Install it (for "
                f"example `uv python install {version}` or `pyenv install {version}`) and deploy again.",
            )

    def _layer(self, construct_id: str, description: str, code: lambda_.Code) -> lambda_.LayerVersion:
        return lambda_.LayerVersion(
            self,
            construct_id,
            description=description,
            code=code,
            compatible_runtimes=[lambda_.Runtime.PYTHON_3_13],
            compatible_architectures=[lambda_.Architecture.ARM_64],
        )
