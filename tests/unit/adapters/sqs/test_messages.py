"""What a command's message says beside its request is a hint: it spares a reading, and never stops the command."""

import json
from dataclasses import replace

import pytest

from ocpi_bridge.adapters.sqs.messages import about_of, body_of
from ocpi_bridge.domain.requests import Whereabouts
from ocpi_bridge.ports.messages import CommandMessage

ABOUT = Whereabouts("acme", "CP-001", "s1")
TOLD = {"csms_id": "acme", "station_id": "CP-001", "session_id": "s1"}
COMMAND = CommandMessage("r1", 0, 0, "acme#CP-001")


@pytest.mark.parametrize("about", [ABOUT, None])
def test_what_a_command_is_about_comes_back_from_its_message(about: Whereabouts | None) -> None:
    assert about_of(json.loads(body_of(replace(COMMAND, about=about)))) == about


@pytest.mark.parametrize(
    "told",
    [
        None,
        "acme",
        {},
        {"csms_id": "acme"},
        TOLD | {"connector": "1"},
        TOLD | {"session_id": 1},
    ],
)
def test_a_hint_of_another_form_says_nothing(told: object) -> None:
    assert about_of({"request_id": "r1", "step": 0, "about": told}) is None
