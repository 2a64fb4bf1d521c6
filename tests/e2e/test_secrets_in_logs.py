"""What the deployed functions log of a whole session names no secret and no person."""

import base64
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from tests.support.e2e_log import FunctionLog
from tests.support.e2e_site import SOON, Site, event_key_of, flat, site, token_of
from tools.demo.world import CONTRACT_ID, DRIVER_TAG
from tools.local_stack import LocalStack
from tools.partner_simulator import ResultType


@pytest.fixture(scope="module")
def log(stack: LocalStack) -> FunctionLog:
    """What is logged from before the session on."""
    return FunctionLog(stack)


@pytest.fixture(scope="module")
def place(stack: LocalStack, log: FunctionLog) -> Iterator[Site]:
    with site(stack) as here:
        yield here


def test_a_session_with_its_commands_results_and_refusals_is_logged_without_a_secret(
    place: Site, log: FunctionLog
) -> None:
    put = place.bridge.put_profile(place.session_id, flat(7000))
    assert put.wait_for_result(SOON).result is ResultType.ACCEPTED
    assert put.response_url is not None
    cleared = place.bridge.delete_profile(place.session_id)
    assert cleared.wait_for_result(SOON).result is ResultType.ACCEPTED
    token = token_of(place.partner)
    for refused in (f"Token {token}-", f"Bearer {token}", f"Basic {token}"):
        answer = place.bridge.get_active_profile(place.session_id, headers={"Authorization": refused})
        assert answer.status == 401
    log.wait_for(SOON, count=2, message="result.attempt", session_id=place.session_id)

    secrets = {
        "the partner's token": token,
        "ours at the partner": place.partner._credentials.theirs,
        "the key of the events": event_key_of(place.csms),
        "where the result goes": urlsplit(put.response_url).path,
        "the driver's card": DRIVER_TAG,
        "the driver's contract": CONTRACT_ID,
    }
    text = log.text()
    assert place.session_id in text
    encoded = {name: base64.b64encode(secret.encode()).decode().rstrip("=") for name, secret in secrets.items()}
    assert [name for name, secret in secrets.items() if secret in text or encoded[name] in text] == []
