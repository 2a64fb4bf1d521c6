"""One synthesised template per stage and test session: a synthesis takes seconds."""

from pathlib import Path

import pytest

from tests.infra.stack_template import CERTIFICATE, DOMAIN, StackTemplate, make_source_tree, synthesise
from tests.support.emissions import Emissions
from tests.support.watched_story import everything_told


@pytest.fixture(scope="session")
def source_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_source_tree(tmp_path_factory.mktemp("checkout"))


@pytest.fixture(scope="session")
def production(source_root: Path, tmp_path_factory: pytest.TempPathFactory) -> StackTemplate:
    outdir = tmp_path_factory.mktemp("production")
    return synthesise(source_root, outdir, stage="production", country_code="NL", party_id="ABC")


@pytest.fixture(scope="session")
def dev(source_root: Path, tmp_path_factory: pytest.TempPathFactory) -> StackTemplate:
    return synthesise(
        source_root,
        tmp_path_factory.mktemp("dev"),
        stage="dev",
        domain_name=DOMAIN,
        certificate_arn=CERTIFICATE,
        worker_reserved_concurrency="20",
        trace_workers="false",
        provisioned_sessions="20000",  # tests/infra/test_tables.py
        api_reserved_concurrency="5",
    )


@pytest.fixture(scope="session")
def local(source_root: Path, tmp_path_factory: pytest.TempPathFactory) -> StackTemplate:
    return synthesise(
        source_root, tmp_path_factory.mktemp("local"), stage="local", api_base_url="https://localhost:4566/apis"
    )


@pytest.fixture(scope="session")
def told() -> Emissions:
    """Everything that the functions can tell operators of."""
    return everything_told()
