"""Clients of AWS are made without what only other services need."""

import os
from pathlib import Path

import botocore
import pytest

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
