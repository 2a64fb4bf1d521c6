"""Bodies of CSMSs as they are queued: what their worker can read, or refused at the door."""

import json

import pytest

from ocpi_bridge.domain.errors import InvalidInput
from ocpi_bridge.runtime.csms_bodies import queued_text


def test_a_byte_order_mark_does_not_reach_the_worker() -> None:
    assert json.loads(queued_text(b'\xef\xbb\xbf{"events": []}')) == {"events": []}


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "latin-1"])
def test_what_is_not_utf_8_is_refused_though_json_could_be_read_from_it(encoding: str) -> None:
    with pytest.raises(InvalidInput):
        queued_text('{"id": "é"}'.encode(encoding))


@pytest.mark.parametrize("character", ["\x00", "\ufffe", "\uffff"])
def test_a_character_that_no_queue_takes_is_refused(character: str) -> None:
    with pytest.raises(InvalidInput, match="none"):
        queued_text(f'{{"id": "{character}"}}'.encode())
