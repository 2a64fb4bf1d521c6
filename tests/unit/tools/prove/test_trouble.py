"""A command that the CSMS got is traced to its request by the callback URL that the bridge signs."""

from datetime import UTC, datetime

import pytest

from ocpi_bridge.adapters.csms import signing
from tools.counterparts.ocpp_json import OcppVersion
from tools.demo_csms import ReceivedCommand
from tools.prove.trouble import command_of

BASE = "https://localhost:4566/_aws/execute-api/abc/local"


def received(callback_url: str | None) -> ReceivedCommand:
    return ReceivedCommand(
        version=OcppVersion.V16,
        station_id="CP-001",
        message_id="1",
        action="SetChargingProfile",
        payload={},
        client_port=1,
        at=datetime(2026, 11, 30, tzinfo=UTC),
        callback_url=callback_url,
    )


@pytest.mark.parametrize("csms_id", [None, "csms-PROVE", "one.with.dots"])
def test_the_callback_url_of_a_command_names_its_request_and_step(csms_id: str | None) -> None:
    url = signing.callback_url(BASE, "51153085716e42e49825539bed677bc9.1", b"key", csms_id)

    assert command_of(received(url)) == ("51153085716e42e49825539bed677bc9", 1)


@pytest.mark.parametrize(
    "url", [None, "https://localhost/elsewhere", "https://localhost/csms/v1/callback/name/signature"]
)
def test_a_command_of_nobody_is_traced_to_nothing(url: str | None) -> None:
    assert command_of(received(url)) is None
