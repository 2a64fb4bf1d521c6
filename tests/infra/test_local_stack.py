"""The local stack: up, again, changed and down, with nothing left behind and nothing shared."""

import json
import socket
import ssl
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from botocore.exceptions import ClientError

from infra.bundling import SourceTree
from tests.infra.stack_template import FUNCTIONS, ROOT
from tools.local_stack import AlreadyInUse, DeploymentFailed, LocalStack, NotRunning, emulator, stop
from tools.local_stack.__main__ import main

pytestmark = pytest.mark.e2e

HANDLER = """
import json
import boto3

WORD = "{word}"

def lambda_handler(event, context):
    answer = {{"status_code": 2000, "timestamp": "now", "word": WORD}}
    if "scan" in event.get("path", ""):
        try:
            boto3.client("dynamodb").list_tables()
        except Exception as error:
            answer["error"] = type(error).__name__
    return {{"statusCode": 200, "body": json.dumps(answer)}}
"""

# A killed process is gone at once; this only ends a test that went wrong.
STOPPED_IN = 30.0


def _write_handlers(root: Path, word: str) -> None:
    for name in FUNCTIONS:
        folder = root / "functions" / name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "handler.py").write_text(HANDLER.format(word=word))


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Handlers that answer with a word, on the real layers."""
    root = tmp_path_factory.mktemp("checkout")
    _write_handlers(root, "first")
    (root / "layers").symlink_to(ROOT / "layers")
    (root / "build").symlink_to(SourceTree(ROOT).bundles.parent)
    return root


@pytest.fixture(scope="module")
def stack(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    with LocalStack.start(tmp_path_factory.mktemp("run") / "stack", port=0, source_root=checkout) as running:
        yield running


def _ask(stack: LocalStack, path: str = "/ocpi/anything") -> dict[str, object]:
    trust = ssl.create_default_context(cafile=str(stack.ca_file))
    opener = urllib.request.build_opener(urllib.request.HTTPSHandler(context=trust), urllib.request.ProxyHandler({}))
    try:
        with opener.open(stack.ocpi_api_url + path, timeout=30) as response:
            answer: dict[str, object] = json.load(response)
    except urllib.error.HTTPError as error:
        with error:
            answer = json.load(error)
    return answer


def _lives(process: psutil.Process) -> bool:
    # A dead process without a parent that asks for it stays listed on some machines.
    return process.is_running() and process.status() != psutil.STATUS_ZOMBIE


def _directory(stack: LocalStack) -> Path:
    return stack.ca_file.parent


def test_the_bridge_answers_over_tls_on_loopback_only(stack: LocalStack) -> None:
    assert _ask(stack)["word"] == "first"
    listening = [
        connection.laddr.ip
        for connection in psutil.Process(stack.description.pid).net_connections(kind="inet")
        if connection.status == psutil.CONN_LISTEN
    ]
    assert listening == ["127.0.0.1"]


def test_permissions_are_enforced(stack: LocalStack) -> None:
    assert _ask(stack, "/ocpi/scan")["error"] == "ClientError"


def test_its_description_is_enough_to_reach_it(stack: LocalStack) -> None:
    described = json.loads((_directory(stack) / "stack.json").read_text())

    assert described["ocpi_api_url"] == stack.ocpi_api_url == stack.outputs["OcpiApiUrl"]
    assert described["environment"]["AWS_ENDPOINT_URL"] == described["endpoint"]
    assert LocalStack.attach(_directory(stack)).csms_api_url == described["csms_api_url"]
    tables = stack.client("dynamodb").list_tables()["TableNames"]
    assert {stack.outputs[f"{name}TableName"] for name in ("Sessions", "Requests", "Registry")} <= set(tables)


def test_a_second_start_finds_it_running_and_changed_code_is_deployed_onto_its_data(
    stack: LocalStack, checkout: Path
) -> None:
    storage = stack.client("dynamodb")
    registry = stack.outputs["RegistryTableName"]
    storage.put_item(TableName=registry, Item={"pk": {"S": "kept"}, "sk": {"S": "kept"}})
    said: list[str] = []

    same = LocalStack.start(_directory(stack), progress=said.append, source_root=checkout)
    assert same.description == stack.description
    assert said == ["The stack runs already, with this code"]

    _write_handlers(checkout, "second")
    changed = LocalStack.start(_directory(stack), source_root=checkout)
    assert _ask(changed)["word"] == "second"
    assert changed.description.pid == stack.description.pid
    assert "Item" in storage.get_item(TableName=registry, Key={"pk": {"S": "kept"}, "sk": {"S": "kept"}})


def test_code_that_does_not_deploy_leaves_the_running_stack_as_it_is(stack: LocalStack, checkout: Path) -> None:
    broken = checkout / "functions" / "sweep" / "handler.py"
    whole = broken.read_text()
    broken.write_text("def lambda_handler(:\n")
    try:
        with pytest.raises(DeploymentFailed, match="SyntaxError"):
            LocalStack.start(_directory(stack), source_root=checkout)
    finally:
        broken.write_text(whole)

    assert _ask(stack)["status_code"] == 2000


def test_workers_can_be_found_and_ended_and_the_function_comes_back(stack: LocalStack) -> None:
    _ask(stack)
    workers = stack.worker_pids("ocpi_fallback")
    for worker in workers:
        psutil.Process(worker).kill()

    # The call that meets a dead worker fails, as one does whose process dies; the next has a new worker.
    _ask(stack)
    assert _ask(stack)["status_code"] == 2000
    assert workers
    assert not set(workers) & set(stack.worker_pids("ocpi_fallback"))


def test_neither_a_stopped_nor_a_crashed_stack_leaves_anything_to_the_next(checkout: Path, tmp_path: Path) -> None:
    directory = tmp_path / "stack"
    with LocalStack.start(directory, port=0, source_root=checkout) as stopped:
        emulated = psutil.Process(stopped.description.pid)
        family = [emulated, *emulated.children(recursive=True)]
        stopped.client("sqs").create_queue(QueueName="left-behind")
    assert len(family) > 1
    assert not any(_lives(process) for process in family)
    assert not directory.exists()
    with pytest.raises(NotRunning):
        LocalStack.attach(directory)
    assert stop(directory) is False

    crashed = LocalStack.start(directory, port=0, source_root=checkout)
    try:
        with pytest.raises(ClientError, match="NonExistentQueue"):
            crashed.client("sqs").get_queue_url(QueueName="left-behind")
        killed = psutil.Process(crashed.description.pid)
        killed.kill()
        killed.wait(STOPPED_IN)

        replacement = LocalStack.start(directory, port=0, source_root=checkout)
        assert replacement.description.pid != crashed.description.pid
        assert _ask(replacement)["status_code"] == 2000
        assert main(["status", "--directory", str(directory)]) == 0
        assert main(["down", "--directory", str(directory)]) == 0
        assert main(["status", "--directory", str(directory)]) == 3
        assert main(["down", "--directory", str(directory)]) == 0
    finally:
        stop(directory)


def test_a_directory_with_other_content_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")

    with pytest.raises(AlreadyInUse):
        LocalStack.start(tmp_path)
    assert stop(tmp_path) is False
    assert [file.name for file in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_taken_port_is_passed_over_unless_it_was_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        assert main(["up", "--directory", str(tmp_path / "stack"), "--port", str(port)]) == 1
        assert f"port {port} is taken" in capsys.readouterr().err
        assert not (tmp_path / "stack").exists()

        monkeypatch.setattr(emulator, "DEFAULT_PORT", port)
        with emulator._listen(None) as other:
            assert other.getsockname()[1] != port
