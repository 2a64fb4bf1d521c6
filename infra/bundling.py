"""Makes what a Lambda runs out of what the repository holds, without Docker and without ever being stale.

A bundle's name is the hash of everything that it is made from: its sources or its locked requirements, the platform
and Python that it is for, the interpreter that compiles it, and this module. Finished bundles are kept under
`build/bundles/`; a name that is there already is used as it is.

The CDK's archives give every file the time 1980, so ordinary bytecode would look out of date and be compiled again at
every cold start. Bundles therefore carry bytecode with "unchecked" hashes, which the interpreter takes as it finds it.
"""

import functools
import hashlib
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol, cast

import jsii
from aws_cdk import AssetHashType, BundlingOptions, DockerImage, ILocalBundling
from aws_cdk import aws_lambda as lambda_

LAMBDA_PYTHON: Final = (3, 13)
"""The Python of the Lambda runtime; bytecode is only taken from a compiler of the same version."""

LAYER_ROOT: Final = "/opt"
FUNCTION_ROOT: Final = "/var/task"
"""Where Lambda unpacks layers and functions: the paths that tracebacks show."""

UNUSED_FILES: Final = ("py.typed", "*.pyi")
"""What only type checkers read."""

UNUSED_PARTS: Final = (
    "annotated_types/test_cases.py",
    "anyio/pytest_plugin.py",
    "aws_lambda_powertools/event_handler",
    "aws_lambda_powertools/metrics/provider/datadog",
    "aws_lambda_powertools/utilities/[!_j]*",  # All but jmespath_utils, which its logger imports.
    "bin",
    "pydantic/mypy.py",
    "pydantic/v1",
)
"""What no function imports, a third of the packages: tests and plug-ins, routers, the first version of pydantic.

A function that comes to import one of them fails in the tests, which run each with its bundles.
"""

KEPT_OF_METADATA: Final = ("METADATA", "LICENSE*", "licenses/**/*")
"""Of what pip writes about a package: what scanners such as Amazon Inspector know it by, and its licence.

The rest is read by nobody (entry points: docs/decisions/0025), or tells of this machine and this run.
"""


class BundlingError(Exception):
    """A bundle could not be made. The message holds what the tool that failed had to say."""


@dataclass(frozen=True, slots=True)
class SourceTree:
    """The checkout that bundles are made from.

    Attributes:
        root: Its root folder; finished bundles go to `build/bundles/` in it.

    """

    root: Path

    @property
    def requirements(self) -> Path:
        """The locked third-party packages of the Lambdas."""
        return self.root / "layers" / "dependencies" / "requirements.txt"

    @property
    def bridge(self) -> Path:
        """The layer with the bridge's own package."""
        return self.root / "layers" / "bridge"

    @property
    def bundles(self) -> Path:
        """Where finished bundles are kept."""
        return self.root / "build" / "bundles"

    def function(self, name: str) -> Path:
        """The folder of one function."""
        return self.root / "functions" / name


@dataclass(frozen=True, slots=True)
class Target:
    """The platform and Python that a bundle will run on.

    Attributes:
        platform: Name of both; part of a bundle's hash.
        pip_options: What makes pip choose wheels for it. Empty: the wheels of this interpreter.
        compiler: A Python of the target's version, or None if this machine has none.

    """

    platform: str
    pip_options: tuple[str, ...]
    compiler: Path | None


def host_target() -> Target:
    """Return this machine and this interpreter: what the embedded AWS runs functions with."""
    platform = f"{sysconfig.get_platform()}-{sys.implementation.cache_tag}"
    return Target(platform=platform, pip_options=(), compiler=Path(sys.executable))


def lambda_target() -> Target:
    """Return AWS Lambda on arm64; only wheels, since nothing could be built for it here."""
    version = f"{LAMBDA_PYTHON[0]}.{LAMBDA_PYTHON[1]}"
    # Amazon Linux 2023 has glibc 2.34; pip does not derive the older tags from a newer one.
    platforms = ("manylinux_2_34_aarch64", "manylinux_2_28_aarch64", "manylinux_2_17_aarch64", "manylinux2014_aarch64")
    return Target(
        platform=f"linux-aarch64-cpython-{version}",
        pip_options=(
            "--implementation=cp",
            f"--python-version={version}",
            *(f"--platform={platform}" for platform in platforms),
        ),
        compiler=find_python(LAMBDA_PYTHON),
    )


@functools.cache
def find_python(version: tuple[int, int]) -> Path | None:
    """Return an interpreter of exactly this minor version that really runs, or None."""
    if sys.version_info[:2] == version:
        return Path(sys.executable)
    name = f"python{version[0]}.{version[1]}"
    folders = [Path(folder) for folder in os.get_exec_path()]
    # pyenv puts a shim for every version on the PATH, but a shim runs only the version that is selected.
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    folders += sorted(pyenv.glob(f"versions/{version[0]}.{version[1]}.*/bin"))
    return next((path for folder in folders if _runs_as(path := folder / name, version)), None)


def _runs_as(python: Path, version: tuple[int, int]) -> bool:
    if not os.access(python, os.X_OK):
        return False
    asked = subprocess.run(  # noqa: S603 - a path that this module composed
        [python, "-c", "import sys; print(sys.version_info[:2])"], capture_output=True, text=True, check=False
    )
    return asked.stdout.strip() == str(version)


class Bundle(Protocol):
    """Something that a layer or a function is made from."""

    def identity(self) -> Iterator[bytes]:
        """Everything that decides what the bundle will contain."""

    def build(self, folder: Path) -> None:
        """Write the bundle's content into an empty folder. Raises BundlingError."""


@dataclass(frozen=True, slots=True)
class Dependencies:
    """The third-party packages of a layer, installed from a lock file with hashes."""

    requirements: Path
    target: Target

    def identity(self) -> Iterator[bytes]:
        """The lock file (its hashes fix the content) and the target."""
        yield self.requirements.read_bytes()
        yield _target_identity(self.target)

    def build(self, folder: Path) -> None:
        """Install the packages under `python/`, where the runtime looks for a layer's packages."""
        packages = folder / "python"
        _run(
            sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile", "--no-deps",
            "--require-hashes", "--only-binary=:all:", "--target", str(packages), *self.target.pip_options,
            "--requirement", str(self.requirements),
        )  # fmt: skip
        _remove_unused(packages)
        _compile(folder, LAYER_ROOT, self.target)


@dataclass(frozen=True, slots=True)
class Sources:
    """A folder of the repository, taken as it is, with bytecode added."""

    folder: Path
    runs_at: str
    target: Target

    def identity(self) -> Iterator[bytes]:
        """The path and content of each file, where it will run, and the target."""
        for file in self._files():
            yield file.relative_to(self.folder).as_posix().encode()
            yield file.read_bytes()
        yield self.runs_at.encode()
        yield _target_identity(self.target)

    def build(self, folder: Path) -> None:
        """Copy the files and compile them."""
        files = self._files()
        if not files:
            raise BundlingError(f"nothing to deploy in {self.folder}")
        for file in files:
            copy = folder / file.relative_to(self.folder)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, copy)
        _compile(folder, self.runs_at, self.target)

    def _files(self) -> list[Path]:
        return sorted(
            file
            for file in self.folder.rglob("*")
            if file.is_file()
            and not any(part == "__pycache__" or part.startswith(".") for part in file.relative_to(self.folder).parts)
        )


def code_of(bundle: Bundle, tree: SourceTree) -> lambda_.AssetCode:
    """Return the bundle as an asset of the CDK, made only when the CDK asks for it.

    Its hash comes from what the bundle is made from, so that a synthesis that finds it made already does nothing.
    """
    name = fingerprint(bundle)
    return lambda_.Code.from_asset(
        # Docker would mount this folder; the local bundler does not look at it.
        str(tree.root / "layers"),
        asset_hash=name,
        asset_hash_type=AssetHashType.CUSTOM,
        bundling=BundlingOptions(
            # Never pulled: the local bundler below always succeeds or raises.
            image=DockerImage.from_registry("none"),
            # Its options arrive as one object; the interface's type says keywords.
            local=cast(ILocalBundling, _LocalBundler(bundle, tree.bundles / name)),
        ),
    )


def fingerprint(bundle: Bundle) -> str:
    """Return the hash of everything that the bundle is made from, this module included."""
    digest = hashlib.sha256(Path(__file__).read_bytes())
    for part in bundle.identity():
        # The length keeps ("ab", "c") and ("a", "bc") apart.
        digest.update(len(part).to_bytes(8, "big"))
        digest.update(part)
    return digest.hexdigest()


def materialise(bundle: Bundle, folder: Path) -> None:
    """Make the bundle in this folder unless it is there already; complete or not at all, also with two at it."""
    if folder.exists():
        return
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".making-", dir=folder.parent) as scratch:
        made = Path(scratch) / "bundle"
        made.mkdir()
        bundle.build(made)
        _make_readable(made)
        try:
            made.rename(folder)
        except OSError:
            # Another process finished the same bundle first; its content is the same.
            if not folder.exists():
                raise


@jsii.implements(ILocalBundling)
class _LocalBundler:
    """Hands a finished bundle to the CDK."""

    def __init__(self, bundle: Bundle, cached: Path) -> None:
        self._bundle = bundle
        self._cached = cached

    def try_bundle(self, output_dir: str, _options: object) -> bool:
        """Copy the bundle to where the CDK wants it."""
        materialise(self._bundle, self._cached)
        shutil.copytree(self._cached, output_dir, dirs_exist_ok=True)
        return True


def _target_identity(target: Target) -> bytes:
    return f"{target.platform} compiled={target.compiler is not None}".encode()


def _compile(folder: Path, runs_at: str, target: Target) -> None:
    if target.compiler is None:
        return
    _run(
        str(target.compiler), "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash",
        "-s", str(folder), "-p", runs_at, str(folder),
    )  # fmt: skip


def _remove_unused(packages: Path) -> None:
    """Removes what no Lambda reads. Folders that become empty go with it."""
    for pattern in UNUSED_PARTS:
        for part in packages.glob(pattern):
            if part.is_dir():
                shutil.rmtree(part)
            else:
                part.unlink()
    for pattern in UNUSED_FILES:
        for file in packages.rglob(pattern):
            file.unlink()
    for about in packages.glob("*.dist-info"):
        kept = {file for pattern in KEPT_OF_METADATA for file in about.glob(pattern)}
        for file in about.rglob("*"):
            if file.is_file() and file not in kept:
                file.unlink()
    for path in sorted(packages.rglob("*"), reverse=True):
        if path.is_dir() and not any(path.iterdir()):
            path.rmdir()


def _make_readable(folder: Path) -> None:
    """Gives files the same modes whoever made them: Lambda runs as another user, and a private umask would lock it out."""
    for path in [folder, *folder.rglob("*")]:
        path.chmod(0o755 if path.is_dir() else 0o644)


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - composed above
    if done.returncode != 0:
        raise BundlingError(
            f"{' '.join(command[:4])} ... ended with status {done.returncode}:\n{done.stdout}{done.stderr}"
        )
