"""Whatever a CSMS posts, and whatever a charge point sends: nothing but events or a refusal comes of it."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ocpi_bridge.domain.events import EventType
from tests.support.clocks import START
from tests.support.raw_frames import STATION, Feed, at

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**20), 10**20),
    st.floats(allow_nan=False),
    st.text(max_size=8),
    st.sampled_from(
        [at(), "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59.9Z", "1e999999999", "-1e-999999999", "\ud800", "778"]
    ),
)
ANY_JSON = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=6), inner, max_size=4)),
)
NAMES = [
    "connectorId", "evseId", "idTag", "meterStart", "meterStop", "timestamp", "transactionId", "transactionData",
    "meterValue", "sampledValue", "value", "unit", "unitOfMeasure", "multiplier", "measurand", "phase", "location",
    "status", "eventType", "triggerReason", "transactionInfo", "chargingState", "stoppedReason", "evse", "id", "idToken",
    "type", "chargingLimit", "chargingLimitSource", "chargingSchedule", "chargingSchedulePeriod", "startPeriod", "limit",
    "chargingRateUnit", "startSchedule", "duration", "csChargingProfiles", "chargingProfile", "chargingProfileId",
    "chargingProfileKind", "chargingProfilePurpose", "chargingProfileCriteria", "idTagInfo",
]  # fmt: skip
WORDS = st.sampled_from(
    [
        "Started", "Updated", "Ended", "Charging", "Accepted", "Absolute", "W", "A", "kWh", "L1", "SoC", "EMS",
        "Current.Import", "Power.Active.Import", "Voltage", "ChargePointMaxProfile", "ChargingRateChanged",
    ]
)  # fmt: skip
ACTIONS = [
    "BootNotification", "StartTransaction", "StopTransaction", "MeterValues", "StatusNotification", "TransactionEvent",
    "NotifyChargingLimit", "ClearedChargingLimit", "SetChargingProfile", "ClearChargingProfile", "Heartbeat",
]  # fmt: skip
# Payloads that are nearly right reach furthest.
PAYLOADS = st.recursive(
    st.one_of(SCALARS, WORDS),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(NAMES), inner, max_size=6)),
    max_leaves=25,
)
OBJECTS = st.dictionaries(st.sampled_from(NAMES), PAYLOADS, max_size=8)
FRAMES = st.one_of(
    st.tuples(st.just(2), st.sampled_from(["a", "b"]), st.sampled_from(ACTIONS), OBJECTS),
    st.tuples(st.just(3), st.sampled_from(["a", "b"]), OBJECTS),
    ANY_JSON,
)


@st.composite
def posts(draw: st.DrawFn) -> Any:  # noqa: ANN401 - any JSON
    if draw(st.integers(0, 9)) == 0:
        return draw(ANY_JSON)
    return {
        "stationId": draw(st.one_of(st.just(STATION), SCALARS)),
        "event": draw(st.sampled_from(["message", "message", "message", "connected", "closed"])),
        "origin": draw(st.sampled_from(["cs", "csms"])),
        "message": json.dumps(draw(FRAMES)),
        "info": draw(st.one_of(ANY_JSON, st.just({"timestamp": at()}))),
    }


@given(st.lists(posts(), min_size=1, max_size=4))
def test_any_json_is_an_event_or_a_refusal(listed: list[Any]) -> None:
    feed = Feed()
    feed.frames.running = {1: "778"}
    for event in feed.body(json.dumps(listed).encode()):
        assert event.time.tzinfo is not None
        assert event.type.about_a_transaction == (event.transaction_id is not None) or (
            event.type is EventType.CHARGING_LIMIT_CHANGED
        )
        # What is stored is written as UTF-8.
        for text in (event.station_id, event.transaction_id, event.stop_reason):
            (text or "").encode()
    assert len(feed.refused) <= len(listed)


@given(st.binary(max_size=200))
def test_any_body_is_events_or_a_refusal(body: bytes) -> None:
    feed = Feed()
    feed.body(body, START)
    assert len(feed.refused) <= 100
