"""Whatever a CSMS answers or reports, by any preset: an outcome of the driver port, with words fit for logs."""

import json
from dataclasses import replace
from urllib.parse import urlsplit

from hypothesis import given
from hypothesis import strategies as st

from ocpi_bridge.adapters.bounded_http.exchange import Reply
from ocpi_bridge.adapters.csms.answers import CallbackReader, read_reply
from ocpi_bridge.adapters.csms.calls import outgoing_call
from ocpi_bridge.adapters.csms.codecs import CODECS
from ocpi_bridge.adapters.csms.presets import preset, preset_names
from ocpi_bridge.domain.csms_api import CsmsApi, Operation, Reading, Spelling
from ocpi_bridge.domain.errors import InvalidInput
from ocpi_bridge.domain.requests import RequestKind
from ocpi_bridge.domain.stations import CsmsMode, OcppVersion
from ocpi_bridge.ports.charge_points import Done, Failed, Pending
from tests.support.clocks import START
from tests.support.preset_calls import a_command, csms_of

# An answer is a sentence at most, whatever was sent.
LONGEST_TEXT = 400

# Words that the readers look for, so that random objects come near to real ones.
WORDS = st.sampled_from(
    [
        "success",
        "payload",
        "status",
        "message",
        "schedule",
        "chargingSchedule",
        "chargingSchedulePeriod",
        "limit",
        "startPeriod",
        "scheduleStart",
        "_errorCode",
        "_errorDescription",
        "configurationKey",
        "getVariableResult",
        "key",
        "value",
        "charging_schedule",
        "statusInfo",
        "reasonCode",
        "additionalInfo",
        "Accepted",
        "Rejected",
        "W",
        "A",
    ]
)
LEAVES = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | WORDS | st.text()
)
ANYTHING = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS | st.text(max_size=5), inner, max_size=5),
    max_leaves=25,
)
BODIES = ANYTHING.map(lambda value: json.dumps(value).encode()) | st.binary(max_size=40)
SNAKE = CsmsApi(
    name="snake",
    operations=(Operation(RequestKind.SET, "/"),),
    synchronous=Reading(spelling=Spelling.SNAKE_CASE, schedule_at=("schedule",), detail_at=("message",)),
)
APIS = st.sampled_from([*(api for api in map(preset, preset_names()) if api is not None), SNAKE])


def is_sound(outcome: Done | Pending | Failed) -> None:
    match outcome:
        case Done():
            assert outcome.status
            assert len(outcome.status) + len(outcome.detail) <= LONGEST_TEXT
        case Failed():
            assert len(outcome.reason) <= LONGEST_TEXT
            assert outcome.reason.isprintable()


@given(
    APIS,
    st.sampled_from(CsmsMode),
    st.sampled_from(OcppVersion),
    st.sampled_from(RequestKind),
    st.sampled_from((200, 202)) | st.integers(100, 599),
    BODIES,
    st.booleans(),
    st.text(max_size=12),
)
def test_any_http_answer_is_an_outcome(
    api: CsmsApi,
    mode: CsmsMode,
    version: OcppVersion,
    kind: RequestKind,
    status: int,
    body: bytes,
    truncated: bool,
    wait: str,
) -> None:
    reply = Reply(status, {"retry-after": wait}, body, truncated)
    is_sound(read_reply(api, mode, CODECS[version], kind, reply, START, http_answers={}))


@given(st.sampled_from(preset_names()), st.sampled_from(RequestKind), BODIES)
def test_any_report_is_an_outcome(name: str, kind: RequestKind, body: bytes) -> None:
    is_sound(CallbackReader().parse_callback(csms_of(name, CsmsMode.CALLBACK), kind, body, START))


@given(APIS, st.text(min_size=1, max_size=48), st.text(max_size=20))
def test_no_id_leads_a_call_to_another_place(api: CsmsApi, station_id: str, parameter: str) -> None:
    command = a_command(RequestKind.SET)
    # The registry bounds ids, and this must hold without it.
    station = replace(command.outlet.station, station_id=station_id)
    strange = replace(command, outlet=replace(command.outlet, station=station))
    csms = replace(csms_of("custom"), parameters=tuple((name, parameter) for name in [*api.required, *api.parameters]))
    usual = replace(csms, parameters=tuple((name, "usual") for name in api.required))
    plain = outgoing_call(api, usual, command, {})
    try:
        made = urlsplit(outgoing_call(api, csms, strange, {}).url)
    except InvalidInput:
        assert {station_id, parameter} & {".", ".."}
        return
    expected = urlsplit(plain.url)
    assert (made.scheme, made.netloc, made.fragment) == (expected.scheme, expected.netloc, "")
    assert made.path.count("/") == expected.path.count("/")
    assert made.query.count("&") == expected.query.count("&")
