"""What the benchmark gives each function: the function does what it is measured for, with the stack's own environment."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ocpi_bridge.runtime import clients
from tests.infra.stack_template import FUNCTIONS, StackTemplate
from tests.support.deployed_functions import handler_of
from tools.benchmarks.lambda_place import CREDENTIALS, target_of, with_names
from tools.benchmarks.neighbours import Neighbours, neighbours
from tools.benchmarks.programs.canned_aws import MAKERS, CannedAws, CannedClient
from tools.benchmarks.scenes import Scene, WrongAnswer, check, scene_of
from tools.benchmarks.world import World

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def around(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Neighbours]:
    with neighbours(tmp_path_factory.mktemp("neighbours")) as served:
        yield served


@pytest.fixture
def fresh_clients() -> Iterator[None]:
    """As in a new process: no client is made yet, and what answers them is gone afterwards."""
    made = (*MAKERS, clients.aws_session)
    for make in made:
        make.cache_clear()
    yield
    for make in made:
        make.cache_clear()


def world_and_scene(function: str, around: Neighbours) -> tuple[World, Scene]:
    world = World(datetime.now(UTC), around.plain)
    return world, scene_of(function, world)


def set_environment(scene: Scene, production: StackTemplate, monkeypatch: pytest.MonkeyPatch) -> None:
    variables = dict(production.functions())[scene.function]["Environment"]["Variables"]
    for name, value in {**CREDENTIALS, **with_names(variables), **scene.environment}.items():
        monkeypatch.setenv(name, value)


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.usefixtures("fresh_clients")
def test_each_function_does_in_its_scene_what_it_is_measured_for(
    function: str, around: Neighbours, production: StackTemplate, monkeypatch: pytest.MonkeyPatch
) -> None:
    world, scene = world_and_scene(function, around)
    set_environment(scene, production, monkeypatch)
    aws = CannedAws(json.loads(json.dumps(scene.document(world))))
    aws.stand_before_clients()
    answer = handler_of(function)(scene.first, None)
    check(scene, answer, aws.called)


@pytest.mark.usefixtures("fresh_clients")
def test_the_requests_that_are_measured_warm_are_all_accepted_with_and_without_botocore(
    around: Neighbours, production: StackTemplate, monkeypatch: pytest.MonkeyPatch
) -> None:
    world, scene = world_and_scene("ocpi_charging_profiles", around)
    set_environment(scene, production, monkeypatch)
    document: dict[str, Any] = scene.document(world)
    CannedAws(document).stand_before_clients()
    answers = [handler_of(scene.function)(event, None) for event in scene.warm.values()]
    monkeypatch.setattr(clients, "dynamodb", lambda: CannedClient(document))
    answers += [handler_of(scene.function)(event, None) for event in scene.warm.values()]
    assert [json.loads(answer["body"])["data"]["result"] for answer in answers] == ["ACCEPTED"] * 8


def test_a_refusal_is_no_measurement(around: Neighbours) -> None:
    _, scene = world_and_scene("ocpi_charging_profiles", around)
    with pytest.raises(WrongAnswer, match="REJECTED"):
        check(scene, {"body": "REJECTED"}, scene.calls)
    with pytest.raises(WrongAnswer, match="it called BatchGetItem and"):
        check(scene, {"body": "ACCEPTED"}, ["BatchGetItem"])
    check(scene, {"body": "ACCEPTED"}, scene.calls)


def test_a_bundle_for_another_python_takes_wheels_for_that_python(tmp_path: Path) -> None:
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\necho cpython-399 3.99\n")
    python.chmod(0o755)
    target = target_of(python)
    assert target.platform.endswith("-cpython-399")
    assert target.pip_options == ("--implementation=cp", "--python-version=3.99")
    assert target.compiler == python
