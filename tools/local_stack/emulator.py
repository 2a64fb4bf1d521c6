"""The process of the embedded AWS (ministack): started apart from us, found again, and ended with all its children."""

import contextlib
import os
import re
import socket
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Final

import psutil

from tools.local_stack.certificate import write_certificate
from tools.local_stack.errors import EmulatorFailed
from tools.local_stack.layout import EmulatorRecord, Layout

HOST: Final = "127.0.0.1"
"""Loopback only: the embedded AWS takes nearly every caller for the account's owner."""

DEFAULT_PORT: Final = 4566
REGION: Final = "eu-west-1"
ACCOUNT: Final = "000000000000"
ACCESS_KEY_ID: Final = "test"
SECRET_ACCESS_KEY: Final = "test"
"""The key that the embedded AWS takes for the account's owner; functions get credentials of their roles."""

START_SECONDS: Final = 60.0
POLL_SECONDS: Final = 0.1
GRACE_SECONDS: Final = 5.0
LOG_TAIL_LINES: Final = 30

_LAUNCH: Final = 'log=$1; shift; "$@" >"$log" 2>&1 & echo $!'
"""Starts a command in the background, with a log file, and says its process id."""

_WORKER_FOLDER: Final = re.compile(r"ministack-lambda-(.+)-[a-z0-9_]{8}(?:/|$)")
"""The temporary folder of a process that runs a function; its command line names it."""

_KEPT_VARIABLES: Final = ("PATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SYSTEMROOT")
"""What the emulator, and so every function, takes over from us. Nothing else: no proxies, profiles or settings."""


@dataclass(frozen=True, slots=True)
class Emulator:
    """A running embedded AWS."""

    layout: Layout
    record: EmulatorRecord

    @property
    def endpoint(self) -> str:
        """Where its services are reached, by AWS clients too."""
        return f"https://localhost:{self.record.port}"

    @property
    def api_base_url(self) -> str:
        """Where its API Gateways are reached: API id and stage follow."""
        return f"{self.endpoint}/_aws/execute-api"

    @property
    def client_environment(self) -> dict[str, str]:
        """Variables with which AWS tools and SDKs use the embedded AWS, and trust it."""
        certificate = str(self.layout.certificate)
        return {
            "AWS_ACCESS_KEY_ID": ACCESS_KEY_ID,
            "AWS_SECRET_ACCESS_KEY": SECRET_ACCESS_KEY,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_CA_BUNDLE": certificate,
            "NODE_EXTRA_CA_CERTS": certificate,
        }

    def await_ready(self) -> None:
        """Return when it answers. Raises EmulatorFailed if it ended, or is silent for too long."""
        trust = ssl.create_default_context(cafile=str(self.layout.certificate))
        # No proxy of the caller's environment stands between us and loopback.
        opener = urllib.request.build_opener(
            urllib.request.HTTPSHandler(context=trust), urllib.request.ProxyHandler({})
        )
        give_up_at = time.monotonic() + START_SECONDS
        while time.monotonic() < give_up_at:
            if _process(self.record) is None:
                raise EmulatorFailed(f"the embedded AWS ended at its start:\n{self.log_tail()}")
            try:
                with opener.open(f"{self.endpoint}/_ministack/health", timeout=START_SECONDS):
                    return
            except (urllib.error.URLError, OSError):
                time.sleep(POLL_SECONDS)
        raise EmulatorFailed(f"the embedded AWS did not answer within {START_SECONDS:.0f} s:\n{self.log_tail()}")

    def log_tail(self) -> str:
        """Return the last lines of its log."""
        return "\n".join(self.layout.log.read_text(errors="replace").splitlines()[-LOG_TAIL_LINES:])

    def workers(self) -> list[tuple[str, psutil.Process]]:
        """Return the processes that run functions, idle ones included, each with its function's full name."""
        emulator = _process(self.record)
        found: list[tuple[str, psutil.Process]] = []
        for child in emulator.children() if emulator else []:
            with contextlib.suppress(psutil.NoSuchProcess):
                named = next(filter(None, map(_WORKER_FOLDER.search, child.cmdline())), None)
                if named is not None:
                    found.append((named[1], child))
        return found

    def stop(self) -> None:
        """End the process and all its children, and return when they are gone."""
        emulator = _process(self.record)
        if emulator is None:
            return
        # Nothing of it is to be kept, so nobody is asked to leave. Stopped first, it starts no worker meanwhile.
        emulator.suspend()
        family = [*emulator.children(recursive=True), emulator]
        for process in family:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        give_up_at = time.monotonic() + GRACE_SECONDS
        while any(_lives(process) for process in family) and time.monotonic() < give_up_at:
            time.sleep(POLL_SECONDS)


def start(layout: Layout, port: int | None) -> Emulator:
    """Start an embedded AWS in a fresh directory, and return without waiting for it.

    Args:
        layout: Its files; what an earlier one left there is removed.
        port: The port to listen on. None: the usual one, or any free one if that is taken. 0: any free one.

    Raises:
        AlreadyInUse: The directory holds something else.
        EmulatorFailed: The port that was asked for is taken.

    """
    with _listen(port) as listener:
        layout.create()
        write_certificate(layout.certificate, layout.key)
        actual_port = int(listener.getsockname()[1])
        # The shell ends at once, which leaves the emulator without a parent: it belongs to no caller.
        launched = subprocess.run(
            ["sh", "-c", _LAUNCH, "sh", str(layout.log), *_command(layout, listener.fileno())],
            cwd=layout.temporary,
            env=_environment(layout, actual_port),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            pass_fds=(listener.fileno(),),
            start_new_session=True,
            check=True,
        )
    pid = int(launched.stdout)
    record = EmulatorRecord(pid, psutil.Process(pid).create_time(), actual_port)
    record.write(layout.owner)
    return Emulator(layout, record)


def find(layout: Layout) -> Emulator | None:
    """Return the emulator that runs in this directory, or None."""
    record = EmulatorRecord.read(layout.owner)
    return Emulator(layout, record) if record is not None and _process(record) is not None else None


def _process(record: EmulatorRecord) -> psutil.Process | None:
    try:
        process = psutil.Process(record.pid)
        same = process.create_time() == record.started
    except psutil.NoSuchProcess:
        return None
    return process if same and _lives(process) else None


def _lives(process: psutil.Process) -> bool:
    """Say whether it runs; a dead process may stay listed until somebody asks for its exit status."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _listen(port: int | None) -> socket.socket:
    """Return a listening socket, which the emulator takes over: no port can be lost between choosing and using it."""
    for candidate in (DEFAULT_PORT, 0) if port is None else (port,):
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            listener.bind((HOST, candidate))
        except OSError:
            listener.close()
            continue
        return listener
    raise EmulatorFailed(f"port {port} is taken: choose another one, or none to have one found")


def _command(layout: Layout, listener: int) -> list[str]:
    # Its own start script would also try to bind port 443 on top of the one that it is told.
    return [
        sys.executable, "-m", "hypercorn", "ministack.app:app",
        "--workers", "0",
        "--bind", f"fd://{listener}",
        "--certfile", str(layout.certificate),
        "--keyfile", str(layout.key),
        "--keep-alive", "75",
        "--log-level", "INFO",
    ]  # fmt: skip


def _environment(layout: Layout, port: int) -> dict[str, str]:
    certificate = str(layout.certificate)
    return {
        **{name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ},
        "HOME": str(layout.temporary),
        "TMPDIR": str(layout.temporary),
        "STATE_DIR": str(layout.temporary / "state"),
        "S3_DATA_DIR": str(layout.temporary / "s3"),
        "PYTHONUNBUFFERED": "1",
        "GATEWAY_PORT": str(port),
        "MINISTACK_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "MINISTACK_ACCOUNT_ID": ACCOUNT,
        # Permissions are enforced, which makes queues insist on TLS, as on AWS.
        "AUTH": "true",
        "USE_SSL": "1",
        "MINISTACK_SSL_CERT": certificate,
        "MINISTACK_SSL_KEY": str(layout.key),
        "IOT_MTLS_ENABLED": "0",
        # Functions inherit these; without them they would trust what the machine trusts, but not their own endpoint.
        "AWS_CA_BUNDLE": certificate,
        "REQUESTS_CA_BUNDLE": certificate,
        "SSL_CERT_FILE": certificate,
        "NODE_EXTRA_CA_CERTS": certificate,
    }
