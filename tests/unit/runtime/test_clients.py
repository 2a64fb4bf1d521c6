"""Clients of AWS are made without what only other services need."""

import os
import sys
from pathlib import Path

import botocore
import pytest
from botocore.loaders import JSONFileLoader

from ocpi_bridge.runtime import clients

DESCRIPTIONS = Path(botocore.__file__).parent / "data"


@pytest.mark.parametrize("service", clients.SERVICES)
def test_a_client_is_made_without_a_look_at_the_descriptions_of_other_services(
    service: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Listing the folders of all is a tenth of what a function's start takes; an SDK that does so again fails here."""
    listed: list[Path] = []
    listdir = os.listdir

    def noted(path: str) -> list[str]:
        listed.append(Path(path))
        return listdir(path)

    monkeypatch.setattr(os, "listdir", noted)
    made = clients.aws_session.__wrapped__().create_client(service, region_name="eu-west-1")

    assert made.meta.service_model.service_name == service
    assert {path for path in listed if path.is_relative_to(DESCRIPTIONS)} == {DESCRIPTIONS / service}


@pytest.mark.parametrize("parser", ["pydantic_core", "json"])
@pytest.mark.parametrize("service", clients.SERVICES)
def test_descriptions_are_what_the_sdk_itself_reads(service: str, parser: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if parser == "json":
        monkeypatch.delitem(sys.modules, "pydantic_core")
    of_service = (path for path in (DESCRIPTIONS / service).rglob("*.json*"))
    for path in (*of_service, *DESCRIPTIONS.glob("*.json")):
        name = str(path.with_name(path.name.partition(".")[0]))
        assert clients.PlainFiles().load_file(name) == JSONFileLoader().load_file(name)


def test_a_description_that_there_is_not_is_none() -> None:
    assert clients.PlainFiles().load_file(str(DESCRIPTIONS / "nothing")) is None
