"""The OCPP 2.0.1 station in memory, and what CitrineOS refuses before it sends."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tools.counterparts.clock import utc_now, write_datetime
from tools.counterparts.journal import Journal
from tools.counterparts.ocpp_json import CallError, OcppVersion, check_request
from tools.demo_csms import AnswerInvalidError, CallRefusedError, FakeStation201, StationSilentError
from tools.demo_csms.records import RecordedFrame
from tools.demo_csms.station_201 import CommandRefusedError, periods_from

Json = dict[str, Any]


def set_profile(
    profile_id: int = 1,
    *,
    transaction: str = "tx-1",
    evse_id: int = 1,
    stack_level: int = 1,
    start: datetime | None = None,
    **more: str,
) -> Json:
    schedule = {
        "id": 1,
        "startSchedule": write_datetime(start or utc_now() - timedelta(seconds=1)),
        "chargingRateUnit": "W",
        "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 22000}, {"startPeriod": 1800, "limit": 0}],
    }
    payload = {
        "evseId": evse_id,
        "chargingProfile": {
            "id": profile_id,
            "stackLevel": stack_level,
            "chargingProfilePurpose": "TxProfile",
            "chargingProfileKind": "Absolute",
            "transactionId": transaction,
            "chargingSchedule": [schedule],
            **more,
        },
    }
    check_request(OcppVersion.V201, "SetChargingProfile", payload)
    return payload


def ask(station: FakeStation201, action: str, payload: Json, frames: Journal[RecordedFrame] | None = None) -> Json:
    return station.call(action, payload, frames if frames is not None else Journal()).answer(timeout=0)


@pytest.fixture
def station() -> FakeStation201:
    return FakeStation201("CP-201", transactions={1: "tx-1"})


def test_a_profile_is_kept_shown_and_cleared(station: FakeStation201) -> None:
    assert ask(station, "SetChargingProfile", set_profile(7)) == {"status": "Accepted"}

    composite = ask(station, "GetCompositeSchedule", {"evseId": 1, "duration": 900, "chargingRateUnit": "W"})
    assert composite["status"] == "Accepted"
    assert composite["schedule"]["chargingSchedulePeriod"] == [{"startPeriod": 0, "limit": 22000}]

    assert ask(station, "ClearChargingProfile", {"chargingProfileId": 7}) == {"status": "Accepted"}
    assert ask(station, "ClearChargingProfile", {"chargingProfileId": 7}) == {"status": "Unknown"}
    assert ask(station, "GetCompositeSchedule", {"evseId": 1, "duration": 900})["status"] == "Rejected"


def test_the_end_of_a_transaction_takes_its_profile(station: FakeStation201) -> None:
    ask(station, "SetChargingProfile", set_profile())
    station.end_transaction(1)

    assert station.profiles == []
    assert ask(station, "SetChargingProfile", set_profile())["status"] == "Rejected"


def test_both_frames_are_recorded(station: FakeStation201) -> None:
    frames: Journal[RecordedFrame] = Journal()
    ask(station, "SetChargingProfile", set_profile(), frames)

    assert [(frame.is_call, frame.version) for frame in frames.entries()] == [
        (True, OcppVersion.V201),
        (False, OcppVersion.V201),
    ]


def test_a_composite_in_another_unit_is_rejected(station: FakeStation201) -> None:
    ask(station, "SetChargingProfile", set_profile())

    assert (
        ask(station, "GetCompositeSchedule", {"evseId": 1, "duration": 9, "chargingRateUnit": "A"})["status"]
        == "Rejected"
    )


def test_a_script_can_be_silent_refuse_or_break_the_schema(station: FakeStation201) -> None:
    station.script = lambda *_: None
    with pytest.raises(StationSilentError):
        ask(station, "SetChargingProfile", set_profile())
    station.script = lambda *_: CallError("x", "NotSupported")
    with pytest.raises(CallRefusedError, match="NotSupported"):
        ask(station, "SetChargingProfile", set_profile())
    station.script = lambda *_: {"status": "Perhaps"}
    with pytest.raises(AnswerInvalidError, match="status"):
        ask(station, "SetChargingProfile", set_profile())


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (set_profile(transaction="tx-2"), "Transaction tx-2 not found on station CP-201"),
        (set_profile(evse_id=2), "EVSE 2 not found"),
        (set_profile(validFrom="2100-01-01T00:00:00Z"), "validFrom"),
        (set_profile(validTo="2020-01-01T00:00:00Z"), "validTo"),
    ],
)
def test_the_csms_refuses_what_citrineos_refuses(station: FakeStation201, payload: Json, reason: str) -> None:
    with pytest.raises(CommandRefusedError, match=reason):
        station.refuse("SetChargingProfile", payload)


def test_an_absolute_profile_needs_a_start(station: FakeStation201) -> None:
    payload = set_profile()
    del payload["chargingProfile"]["chargingSchedule"][0]["startSchedule"]

    with pytest.raises(CommandRefusedError, match="startSchedule"):
        station.refuse("SetChargingProfile", payload)


def test_another_id_on_the_same_stack_level_is_refused(station: FakeStation201) -> None:
    ask(station, "SetChargingProfile", set_profile(1))

    station.refuse("SetChargingProfile", set_profile(1))
    station.refuse("SetChargingProfile", set_profile(2, stack_level=2))
    with pytest.raises(CommandRefusedError, match="already exists"):
        station.refuse("SetChargingProfile", set_profile(2))


def test_an_older_citrineos_refuses_the_same_id_too() -> None:
    station = FakeStation201("CP-201", transactions={1: "tx-1"}, replaces_same_id=False)
    ask(station, "SetChargingProfile", set_profile(1))

    with pytest.raises(CommandRefusedError, match="already exists"):
        station.refuse("SetChargingProfile", set_profile(1))


START = datetime(2026, 1, 15, 17, 0, tzinfo=UTC)
SCHEDULE = {
    "startSchedule": "2026-01-15T17:00:00Z",
    "duration": 3600,
    "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 1}, {"startPeriod": 1800, "limit": 2}],
}


@pytest.mark.parametrize(
    ("seconds", "duration", "expected"),
    [
        (0, 3600, [(0, 1), (1800, 2)]),
        (600, 900, [(0, 1)]),
        (1200, 900, [(0, 1), (600, 2)]),
        (1800, 900, [(0, 2)]),
        (3600, 900, []),
        (-600, 900, [(600, 1)]),
    ],
)
def test_periods_are_clipped_and_shifted(seconds: int, duration: int, expected: list[tuple[int, int]]) -> None:
    periods = periods_from(SCHEDULE, since=START, now=START + timedelta(seconds=seconds), duration=duration)

    assert [(period["startPeriod"], period["limit"]) for period in periods] == expected
