"""The bridge's real stack on this machine, as an object for tests, the demo and the command line."""

import contextlib
import json
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Final, Literal, Self, overload

import boto3
import psutil
from botocore.client import BaseClient

from tools.local_stack import emulator as emulators
from tools.local_stack.deployment import ROOT, STAGE, Deployment
from tools.local_stack.emulator import ACCESS_KEY_ID, ACCOUNT, HOST, REGION, SECRET_ACCESS_KEY, Emulator
from tools.local_stack.errors import LocalStackError, NotRunning, StackSilent
from tools.local_stack.layout import Layout

if TYPE_CHECKING:
    from mypy_boto3_apigateway import APIGatewayClient
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sqs import SQSClient

DEFAULT_DIRECTORY: Final = Path(".local")

ANSWER_SECONDS: Final = 60.0
ANSWER_POLL_SECONDS: Final = 0.2

Progress = Callable[[str], None]
"""Takes one plain sentence about what happens now."""


@dataclass(frozen=True, slots=True)
class Description:
    """What stack.json says; documented in docs/local-stack.md."""

    endpoint: str
    region: str
    account: str
    access_key_id: str
    secret_access_key: str
    ca_file: str
    environment: Mapping[str, str]
    stage: str
    stack_name: str
    ocpi_api_url: str
    csms_api_url: str
    outputs: Mapping[str, str]
    pid: int
    log_file: str
    fingerprint: str


class LocalStack:
    """A running stack. Leaving its `with` block, or `stop()`, ends it and removes its directory.

    Several can run at once, each with a directory and a port of its own; none knows of another's state.
    """

    def __init__(self, emulator: Emulator, description: Description) -> None:
        self._emulator = emulator
        self.description = description

    @classmethod
    def start(
        cls,
        directory: Path = DEFAULT_DIRECTORY,
        *,
        progress: Progress | None = None,
        port: int | None = None,
        settings: Mapping[str, str] | None = None,
        source_root: Path = ROOT,
    ) -> Self:
        """Return the directory's stack, running and with the present code.

        One that runs already is used as it is, or deployed again if code or settings have changed; its data stay.

        Args:
            directory: Holds all its files; made here.
            progress: Told what happens.
            port: Port of the embedded AWS. None: 4566, or a free one if that is taken. 0: any free one.
            settings: Values for the stage, such as `{"result_timeout_seconds": "20"}` (see infra/stages.py).
            source_root: The checkout that functions and layers are taken from.

        Raises:
            LocalStackError: It could not be started; what was begun here is taken down again.

        """
        say = progress or (lambda _sentence: None)
        layout = Layout(directory.resolve())
        running = emulators.find(layout)
        if running is None:
            say("Starting the embedded AWS")
            emulator = emulators.start(layout, port)
        else:
            emulator = running
        try:
            emulator.await_ready()
            return cls(emulator, _deploy(emulator, settings or {}, source_root.resolve(), say))
        except BaseException:
            if running is None:
                emulator.stop()
                layout.remove()
            raise

    @classmethod
    def attach(cls, directory: Path = DEFAULT_DIRECTORY) -> Self:
        """Return the stack that runs in this directory. Raises NotRunning if there is none."""
        layout = Layout(directory.resolve())
        emulator = emulators.find(layout)
        description = _read(layout)
        if emulator is None or description is None:
            raise NotRunning(f"no stack runs in {directory}")
        return cls(emulator, description)

    def stop(self) -> None:
        """End its processes and remove its directory. Harmless if it is stopped already."""
        self._emulator.stop()
        self._emulator.layout.remove()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def ocpi_api_url(self) -> str:
        """Base of the API that partners call, without a trailing slash."""
        return self.description.ocpi_api_url

    @property
    def csms_api_url(self) -> str:
        """Base of the API that CSMSs call, without a trailing slash."""
        return self.description.csms_api_url

    @property
    def outputs(self) -> Mapping[str, str]:
        """The stack's outputs."""
        return self.description.outputs

    @property
    def ca_file(self) -> Path:
        """The certificate that a client of the APIs has to trust."""
        return self._emulator.layout.certificate

    @property
    def environment(self) -> Mapping[str, str]:
        """Variables with which other processes reach this stack with AWS tools and SDKs."""
        return self.description.environment

    def log(self) -> str:
        """Return what the embedded AWS and the functions have logged."""
        return self._emulator.layout.log.read_text(errors="replace")

    def worker_pids(self, function: str) -> tuple[int, ...]:
        """Return the processes that run a function now, by its folder's name. Ending one loses what it is doing."""
        return tuple(process.pid for process in self._workers_of(function))

    def workers(self) -> Mapping[int, str]:
        """Return the processes that run functions now, idle ones included: the function's full name by process id."""
        return {process.pid: name for name, process in self._emulator.workers()}

    def kill_caller(self, function: str, port: int) -> None:
        """End the process of a function that has a TCP connection from this port, as a machine that dies does.

        Raises LookupError if there is none (any more).
        """
        for process in self._workers_of(function):
            with contextlib.suppress(psutil.NoSuchProcess):
                if any(connection.laddr == (HOST, port) for connection in process.net_connections("tcp")):
                    process.kill()
                    process.wait()
                    return
        raise LookupError(f"no process of {function} holds port {port}")

    def _workers_of(self, function: str) -> list[psutil.Process]:
        full_name = self.function_name(function)
        return [process for name, process in self._emulator.workers() if name == full_name]

    def function_name(self, function: str) -> str:
        """Return the deployed name of a function, by its folder's."""
        return f"{self.description.stack_name}-{function.replace('_', '-')}"

    @overload
    def client(self, service: Literal["apigateway"]) -> "APIGatewayClient": ...
    @overload
    def client(self, service: Literal["cloudformation"]) -> "CloudFormationClient": ...
    @overload
    def client(self, service: Literal["dynamodb"]) -> "DynamoDBClient": ...
    @overload
    def client(self, service: Literal["events"]) -> "EventBridgeClient": ...
    @overload
    def client(self, service: Literal["lambda"]) -> "LambdaClient": ...
    @overload
    def client(self, service: Literal["logs"]) -> "CloudWatchLogsClient": ...
    @overload
    def client(self, service: Literal["secretsmanager"]) -> "SecretsManagerClient": ...
    @overload
    def client(self, service: Literal["sqs"]) -> "SQSClient": ...
    def client(self, service: str) -> BaseClient:
        """Return a new client of a service of this stack, with the account owner's rights."""
        session = boto3.Session(
            aws_access_key_id=ACCESS_KEY_ID, aws_secret_access_key=SECRET_ACCESS_KEY, region_name=REGION
        )
        made: BaseClient = session.client(  # type: ignore[call-overload]  # the overloads above name the services
            service, endpoint_url=self._emulator.endpoint, verify=str(self.ca_file)
        )
        return made


def stop(directory: Path = DEFAULT_DIRECTORY) -> bool:
    """End whatever of a stack is left in this directory, half-started or crashed ones too; say if there was any."""
    layout = Layout(directory.resolve())
    if not layout.owner.exists():
        return False
    emulator = emulators.find(layout)
    if emulator is not None:
        emulator.stop()
    layout.remove()
    return True


def _deploy(emulator: Emulator, settings: Mapping[str, str], source_root: Path, say: Progress) -> Description:
    deployment = Deployment(emulator, settings, source_root)
    fingerprint = deployment.fingerprint()
    present = _read(emulator.layout)
    if present is not None and present.fingerprint == fingerprint:
        say("The stack runs already, with this code")
        return present
    say("Deploying the bridge")
    outputs = deployment.run()
    layout = emulator.layout
    description = Description(
        endpoint=emulator.endpoint,
        region=REGION,
        account=ACCOUNT,
        access_key_id=ACCESS_KEY_ID,
        secret_access_key=SECRET_ACCESS_KEY,
        ca_file=str(layout.certificate),
        environment=emulator.client_environment,
        stage=STAGE.name,
        stack_name=STAGE.prefix,
        ocpi_api_url=outputs["OcpiApiUrl"],
        csms_api_url=outputs["CsmsApiUrl"],
        outputs=outputs,
        pid=emulator.record.pid,
        log_file=str(layout.log),
        fingerprint=fingerprint,
    )
    say("Waiting for the bridge to answer")
    _await_answer(description)
    layout.description.write_text(json.dumps(asdict(description), indent=2) + "\n")
    return description


def _read(layout: Layout) -> Description | None:
    try:
        return Description(**json.loads(layout.description.read_text()))
    except (OSError, ValueError, TypeError):
        # None, half-written, or of another version of this tool: it is made anew.
        return None


def _await_answer(description: Description) -> None:
    """Return when an unknown path of the OCPI API is answered by the bridge: an OCPI envelope with its time.

    The gateway's own errors look alike, but have no time.
    """
    trust = ssl.create_default_context(cafile=description.ca_file)
    opener = urllib.request.build_opener(urllib.request.HTTPSHandler(context=trust), urllib.request.ProxyHandler({}))
    give_up_at = time.monotonic() + ANSWER_SECONDS
    while True:
        answer = _ask(opener, f"{description.ocpi_api_url}/ocpi/is-anybody-there")
        try:
            envelope = json.loads(answer)
        except ValueError:
            envelope = None
        if isinstance(envelope, dict) and "status_code" in envelope and "timestamp" in envelope:
            return
        if time.monotonic() > give_up_at:
            raise StackSilent(f"the OCPI API does not answer as the bridge does, but: {answer[:500]!r}")
        time.sleep(ANSWER_POLL_SECONDS)


def _ask(opener: urllib.request.OpenerDirector, url: str) -> str:
    try:
        with opener.open(url, timeout=ANSWER_SECONDS) as response:
            return str(response.read().decode(errors="replace"))
    except urllib.error.HTTPError as error:
        with error:
            return error.read().decode(errors="replace")
    except OSError as error:
        return repr(error)


__all__ = ["Description", "LocalStack", "LocalStackError", "Progress", "stop"]
