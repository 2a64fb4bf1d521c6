"""Brings the bridge to the embedded AWS with the unchanged `cdk deploy`."""

import hashlib
import json
import os
import shlex
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Final

import boto3

from infra.node import bundled_node
from infra.stages import STAGES
from tools.local_stack.emulator import ACCESS_KEY_ID, ACCOUNT, REGION, SECRET_ACCESS_KEY, Emulator
from tools.local_stack.errors import DeploymentFailed

ROOT: Final = Path(__file__).resolve().parents[2]
STAGE: Final = STAGES["local"]
STAGING_BUCKET: Final = f"cdk-hnb659fds-assets-{ACCOUNT}-{REGION}"
"""Where the CDK puts what it deploys; all that is left of its bootstrap where the caller's credentials do the rest."""

CDK: Final = ROOT / "node_modules" / "aws-cdk" / "bin" / "cdk"
DEPLOY_SECONDS: Final = 600
LOG_TAIL_LINES: Final = 40

_TOOLS: Final = ("aws-cdk-lib", "cdk-nag", "ministack")


@dataclass(frozen=True, slots=True)
class Deployment:
    """What is deployed, and how.

    Attributes:
        emulator: Where to.
        settings: Context values for the stage `local`, such as `result_timeout_seconds`.
        source_root: The checkout that functions and layers are taken from.

    """

    emulator: Emulator
    settings: Mapping[str, str]
    source_root: Path

    def fingerprint(self) -> str:
        """Return the hash of everything that decides what would be deployed."""
        digest = hashlib.sha256()
        for part in (*(f"{tool}=={version(tool)}" for tool in _TOOLS), *self._context()):
            digest.update(part.encode() + b"\0")
        for file in self._sources():
            digest.update(str(file).encode() + b"\0" + file.read_bytes() + b"\0")
        return digest.hexdigest()

    def run(self) -> dict[str, str]:
        """Deploy and return the stack's outputs. Raises DeploymentFailed with what the CDK said."""
        self._make_staging_bucket()
        layout = self.emulator.layout
        outputs = layout.temporary / "outputs.json"
        command = [
            *_cdk(), "deploy", STAGE.prefix,
            "--app", f"{shlex.quote(sys.executable)} -m infra.app",
            "--output", str(layout.temporary / "cdk.out"),
            "--outputs-file", str(outputs),
            "--require-approval", "never",
            "--progress", "events",
            "--no-color",
            *(argument for pair in self._context() for argument in ("--context", pair)),
        ]  # fmt: skip
        with layout.deployment_log.open("wb") as log:
            process = subprocess.Popen(
                command,
                cwd=ROOT,
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
            try:
                status = process.wait(timeout=DEPLOY_SECONDS)
            finally:
                process.kill()
                process.wait()
        if status != 0:
            tail = "\n".join(layout.deployment_log.read_text(errors="replace").splitlines()[-LOG_TAIL_LINES:])
            raise DeploymentFailed(f"cdk deploy ended with status {status}; the end of what it said:\n{tail}")
        return {name: str(value) for name, value in json.loads(outputs.read_text())[STAGE.prefix].items()}

    def _context(self) -> list[str]:
        values = {
            **self.settings,
            "stage": STAGE.name,
            "api_base_url": self.emulator.api_base_url,
            "source_root": str(self.source_root),
        }
        return [f"{name}={value}" for name, value in sorted(values.items())]

    def _sources(self) -> list[Path]:
        roots = [ROOT / "infra", ROOT / "cdk.json", self.source_root / "functions", self.source_root / "layers"]
        files = [file for root in roots for file in ([root] if root.is_file() else root.rglob("*"))]
        return sorted(file for file in files if file.is_file() and file.suffix != ".pyc")

    def _make_staging_bucket(self) -> None:
        storage = boto3.client(
            "s3",
            endpoint_url=self.emulator.endpoint,
            region_name=REGION,
            aws_access_key_id=ACCESS_KEY_ID,
            aws_secret_access_key=SECRET_ACCESS_KEY,
            verify=str(self.emulator.layout.certificate),
        )
        if STAGING_BUCKET not in {bucket["Name"] for bucket in storage.list_buckets()["Buckets"]}:
            storage.create_bucket(Bucket=STAGING_BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})

    def _environment(self) -> dict[str, str]:
        # The caller's own AWS settings, profiles and proxies must not lead the CDK to another account.
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.upper().startswith(("AWS_", "CDK_")) and "PROXY" not in name.upper()
        }
        temporary = str(self.emulator.layout.temporary)
        return {
            **kept,
            **self.emulator.client_environment,
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
            "CDK_HOME": temporary,
            "CDK_DISABLE_CLI_TELEMETRY": "true",
            "TMPDIR": temporary,
        }


def _cdk() -> list[str]:
    if not CDK.exists():
        raise DeploymentFailed(f"the CDK is not installed ({CDK.relative_to(ROOT)} is missing): run `make setup`")
    return [str(bundled_node() or "node"), str(CDK)]
