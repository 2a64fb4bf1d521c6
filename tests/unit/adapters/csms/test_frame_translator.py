"""What raw frames of both versions and both directions mean, in whatever order they come."""

import itertools
import json
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from ocpi_bridge.adapters.csms.frames.translator import FrameTranslator
from ocpi_bridge.domain.events import ChargingState, EventType, IdToken, Reading, ReportedLimit, SessionStatus
from ocpi_bridge.domain.plans import RateUnit, limit_at
from ocpi_bridge.domain.stations import OcppVersion
from tests.support.clocks import START
from tests.support.ocpp_frames import FIXTURES, check_request
from tests.support.raw_frames import STATION, Feed, at, call, post, result

Json = dict[str, Any]
OURS, FOREIGN = 150_000, 1


@pytest.fixture
def feed() -> Feed:
    return Feed()


def start(message_id: str = "start", *, connector: int = 1, seconds: float = 0, meter: int = 100) -> Json:
    payload = {"connectorId": connector, "idTag": "TAG", "meterStart": meter, "timestamp": at(seconds)}
    return call("StartTransaction", payload, message_id, seconds=seconds)


def admission(
    message_id: str = "start", *, transaction: int = 778, status: str = "Accepted", seconds: float = 0
) -> Json:
    return result({"transactionId": transaction, "idTagInfo": {"status": status}}, message_id, seconds=seconds)


def stop(*, seconds: float = 600, transaction: int = 778, **more: object) -> Json:
    payload = {"transactionId": transaction, "meterStop": 5100, "timestamp": at(seconds), **more}
    return call("StopTransaction", payload, "stop", seconds=seconds)


def status(name: str, *, connector: int = 1, seconds: float = 0, message_id: str = "status") -> Json:
    payload = {"connectorId": connector, "errorCode": "NoError", "status": name, "timestamp": at(seconds)}
    return call("StatusNotification", payload, message_id, seconds=seconds)


def register(value: object, seconds: float = 0) -> Json:
    return {"timestamp": at(seconds), "sampledValue": [{"value": value}]}


# --- A real session ---------------------------------------------------------------------------------------------------


def recorded() -> list[Json]:
    """What a CSMS posted of a session of kirby: with a limit of the CSMS's own that was set and cleared."""
    lines = (FIXTURES / "v16_session_of_kirby.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]


def test_a_session_of_a_real_charge_point(feed: Feed) -> None:
    events = []
    for one in recorded():
        events += feed(one)
        if any(event.type is EventType.TRANSACTION_STARTED for event in events):
            feed.frames.running[1] = "1366656150"
    assert [event.type.value for event in events] == [
        "station.online",
        "station.booted",
        "transaction.started",
        "transaction.updated",
        "transaction.updated",
        "charging_limit.changed",
        "charging_limit.changed",
        "charging_limit.changed",
        "charging_limit.changed",
        "transaction.updated",
        "transaction.ended",
        "station.offline",
    ]
    started, charging, metered = events[2:5]
    assert (started.transaction_id, started.connector_id, started.reading.meter_wh) == ("1366656150", 1, Decimal(0))
    assert (started.id_token, started.charging_state) == (IdToken("DEMO-TAG"), ChargingState.EV_CONNECTED)
    assert charging.charging_state is ChargingState.CHARGING
    assert (metered.reading.meter_wh, metered.reading.power_w) == (Decimal(500), Decimal(7160))
    assert (events[10].reading.meter_wh, events[10].stop_reason) == (Decimal(500), "Local")
    assert feed.refused == []


def test_the_same_frames_make_the_same_events(feed: Feed) -> None:
    first, again = ([event.event_id for event in feed(*recorded())] for _ in range(2))
    # Of an exchange that is known already each half tells all of it.
    assert set(again) == set(first)
    assert len(set(first)) == len(first)


# --- The start in OCPP 1.6 --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_a_start_is_told_by_whichever_half_comes_second(feed: Feed, order: tuple[int, int]) -> None:
    halves = [start(), admission()]
    assert feed(halves[order[0]]) == []
    [event] = feed(halves[order[1]])
    assert event.type is EventType.TRANSACTION_STARTED
    assert (event.transaction_id, event.connector_id, event.time) == ("778", 1, START)
    assert event.reading == Reading(meter_wh=Decimal(100))


def test_each_half_that_comes_again_tells_the_same_start(feed: Feed) -> None:
    [event] = feed(start(), admission())
    assert feed(start()) == [event]
    assert feed(admission()) == [event]


def test_a_message_id_of_another_station_or_of_long_ago_is_another_exchange(feed: Feed) -> None:
    other = {**admission(), "stationId": "CP-002"}
    assert feed(start(), other) == []
    assert feed(admission(seconds=121)) == []


def test_a_message_id_that_is_used_again_means_the_newest_call(feed: Feed) -> None:
    feed(start(), admission())
    [event] = feed(admission(seconds=600, transaction=779), start(seconds=600, connector=2))
    assert (event.transaction_id, event.connector_id) == ("779", 2)


def test_an_old_half_that_comes_late_does_not_bring_the_old_start_back(feed: Feed) -> None:
    feed(start(), admission())
    feed(start(seconds=600, connector=2))
    assert feed(admission(transaction=778)) == []


@pytest.mark.parametrize("action", ["StartTransaction", None])
def test_the_answer_is_known_by_its_action_or_by_what_it_looks_like(feed: Feed, action: str | None) -> None:
    payload = {"transactionId": 778, "idTagInfo": {"status": "Accepted"}}
    assert len(feed(start(), result(payload, "start", action=action))) == 1


def test_a_refused_start_never_becomes_a_session_that_could_be_steered(feed: Feed) -> None:
    [event] = feed(start(), admission(status="Blocked"))
    assert (event.type, event.told_status) == (EventType.TRANSACTION_ENDED, SessionStatus.INVALID)
    assert (event.transaction_id, event.connector_id) == ("778", 1)


def test_what_a_connector_said_before_its_transaction_had_an_id_is_not_lost(feed: Feed) -> None:
    assert feed(status("Preparing"), start(), status("Charging", seconds=1), status("Preparing")) == []
    [event] = feed(admission())
    assert event.charging_state is ChargingState.CHARGING


def test_a_status_of_another_connector_is_not_the_transactions(feed: Feed) -> None:
    feed(status("Charging", connector=2), start())
    [event] = feed(admission())
    assert event.charging_state is None


# --- The end in OCPP 1.6 ----------------------------------------------------------------------------------------------


def test_an_end_before_its_start_ends_that_session_all_the_same(feed: Feed) -> None:
    [lost] = feed(stop())
    assert (lost.type, lost.connector_id) == (EventType.TRANSACTION_ENDED, None)
    started, ended = feed(admission(), start())
    assert started.type is EventType.TRANSACTION_STARTED
    assert (ended.type, ended.connector_id, ended.event_id) == (EventType.TRANSACTION_ENDED, 1, lost.event_id)


def test_an_end_before_this_start_is_another_transactions(feed: Feed) -> None:
    feed(stop(seconds=0))
    assert [event.type for event in feed(start(seconds=1), admission(seconds=1))] == [EventType.TRANSACTION_STARTED]


def test_an_end_tells_what_was_gathered(feed: Feed) -> None:
    gathered = [register("100", 0), register("3000", 300), register("5000", 599)]
    first, ended = feed(stop(transactionData=gathered, reason="EVDisconnected", idTag="TAG"))
    assert (first.type, first.time, first.reading.meter_wh) == (EventType.TRANSACTION_UPDATED, START, Decimal(100))
    assert (ended.reading.meter_wh, ended.stop_reason, ended.id_token) == (
        Decimal(5100),
        "EVDisconnected",
        IdToken("TAG"),
    )


def test_an_end_without_a_reason_is_local(feed: Feed) -> None:
    assert feed(stop())[0].stop_reason == "Local"


# --- In between, OCPP 1.6 ---------------------------------------------------------------------------------------------


def meter_values(**fields: object) -> Json:
    return call("MeterValues", {"connectorId": 1, "meterValue": [register("1200", 60)], **fields})


def test_meter_values_belong_to_the_transaction_that_they_name(feed: Feed) -> None:
    feed.frames.running[1] = "another"
    [event] = feed(meter_values(transactionId=778))
    assert (event.transaction_id, event.connector_id, event.time) == ("778", 1, START + timedelta(seconds=60))


@pytest.mark.parametrize("named", [{}, {"transactionId": 0}, {"transactionId": -1}])
def test_meter_values_that_name_none_belong_to_the_one_that_runs_there(feed: Feed, named: Json) -> None:
    assert feed(meter_values(**named)) == []
    feed.frames.running[1] = "778"
    assert [event.transaction_id for event in feed(meter_values(**named))] == ["778"]


def test_the_main_meter_is_nobodys(feed: Feed) -> None:
    feed.frames.running[0] = "778"
    assert feed(meter_values(connectorId=0)) == []


def test_readings_of_several_instants_are_several_events(feed: Feed) -> None:
    values = [register("1300", 120), register("1200", 60)]
    events = feed(meter_values(transactionId=778, meterValue=values))
    assert [event.reading.meter_wh for event in events] == [1200, 1300]
    assert len({event.event_id for event in events}) == 2


@pytest.mark.parametrize(
    ("name", "state"),
    [
        ("Charging", ChargingState.CHARGING),
        ("SuspendedEV", ChargingState.SUSPENDED_EV),
        ("SuspendedEVSE", ChargingState.SUSPENDED_EVSE),
        ("Finishing", ChargingState.EV_CONNECTED),
        ("Available", ChargingState.IDLE),
    ],
)
def test_a_connectors_status_is_its_transactions(feed: Feed, name: str, state: ChargingState) -> None:
    feed.frames.running[1] = "778"
    [event] = feed(status(name, seconds=5))
    assert (event.type, event.charging_state) == (EventType.TRANSACTION_UPDATED, state)
    assert (event.transaction_id, event.time) == ("778", START + timedelta(seconds=5))


@pytest.mark.parametrize("payload", [{"status": "Faulted"}, {"status": "Reserved"}, {"connectorId": 0}])
def test_other_statuses_say_nothing_of_a_transaction(feed: Feed, payload: Json) -> None:
    feed.frames.running = {0: "778", 1: "778"}
    said = {"connectorId": 1, "errorCode": "NoError", "status": "Charging", **payload}
    assert feed(call("StatusNotification", said)) == []


def test_a_status_without_a_time_has_the_frames(feed: Feed) -> None:
    feed.frames.running[1] = "778"
    [event] = feed(
        call("StatusNotification", {"connectorId": 1, "errorCode": "NoError", "status": "Charging"}, seconds=9)
    )
    assert event.time == START + timedelta(seconds=9)


# --- OCPP 2.0.1 -------------------------------------------------------------------------------------------------------


def transaction_event(
    kind: str = "Started", *, trigger: str = "Authorized", info: Json | None = None, **more: object
) -> Json:
    payload: Json = {
        "eventType": kind,
        "timestamp": at(),
        "triggerReason": trigger,
        "seqNo": 0,
        "transactionInfo": {"transactionId": "tx-1", **(info or {})},
        **more,
    }
    return checked("TransactionEvent", payload)


def checked(action: str, payload: Json) -> Json:
    """A CALL of 2.0.1 that the official schema allows."""
    check_request(OcppVersion.V201, action, payload)
    return post([2, "m-1", action, payload], protocol="ocpp2.0.1", action=action)


def test_a_start_in_201_tells_who_and_where(feed: Feed) -> None:
    [event] = feed(
        transaction_event(
            evse={"id": 2, "connectorId": 1},
            idToken={"idToken": "04AA", "type": "ISO14443"},
            info={"chargingState": "EVConnected"},
            meterValue=[{"timestamp": at(), "sampledValue": [{"value": 12.5, "unitOfMeasure": {"unit": "kWh"}}]}],
        )
    )
    assert event.type is EventType.TRANSACTION_STARTED
    assert (event.transaction_id, event.evse_id, event.connector_id) == ("tx-1", 2, 1)
    assert (event.id_token, event.charging_state) == (IdToken("04AA"), ChargingState.EV_CONNECTED)
    assert (event.reading.meter_wh, event.auth_method) == (Decimal(12_500), None)


@pytest.mark.parametrize(
    ("kind", "token"),
    [
        ("ISO15693", IdToken("X-1")),
        ("eMAID", IdToken("X-1", "OTHER", "X-1")),
        ("Central", IdToken("X-1", "OTHER")),
        ("NoAuthorization", None),
    ],
)
def test_tokens_of_201_become_ocpis(feed: Feed, kind: str, token: IdToken | None) -> None:
    [event] = feed(transaction_event(idToken={"idToken": "X-1", "type": kind}))
    assert event.id_token == token


@pytest.mark.parametrize(("trigger", "info"), [("RemoteStart", {}), ("CablePluggedIn", {"remoteStartId": 5})])
def test_a_remote_start_is_a_command(feed: Feed, trigger: str, info: Json) -> None:
    [event] = feed(transaction_event(trigger=trigger, info=info))
    assert event.auth_method == "COMMAND"


def test_an_update_in_201_needs_no_place(feed: Feed) -> None:
    [event] = feed(
        transaction_event("Updated", trigger="ChargingStateChanged", info={"chargingState": "SuspendedEVSE"})
    )
    assert (event.type, event.evse_id) == (EventType.TRANSACTION_UPDATED, None)
    assert event.charging_state is ChargingState.SUSPENDED_EVSE


def test_another_rate_makes_the_profile_doubtful(feed: Feed) -> None:
    update, doubt = feed(transaction_event("Updated", trigger="ChargingRateChanged", evse={"id": 2}))
    assert update.type is EventType.TRANSACTION_UPDATED
    assert (doubt.type, doubt.evse_id, doubt.limit) == (EventType.CHARGING_LIMIT_CHANGED, 2, None)
    assert doubt.event_id != update.event_id


def test_an_end_in_201_tells_why_and_what_was_gathered(feed: Feed) -> None:
    gathered = [
        {"timestamp": at(-600), "sampledValue": [{"value": 100}]},
        {"timestamp": at(), "sampledValue": [{"value": 900}]},
    ]
    first, ended = feed(
        transaction_event("Ended", trigger="EVDeparted", info={"stoppedReason": "EVDisconnected"}, meterValue=gathered)
    )
    assert (first.type, first.reading.meter_wh) == (EventType.TRANSACTION_UPDATED, Decimal(100))
    assert (ended.type, ended.reading.meter_wh, ended.stop_reason) == (
        EventType.TRANSACTION_ENDED,
        Decimal(900),
        "EVDisconnected",
    )


def test_an_end_in_201_without_a_reason_is_local(feed: Feed) -> None:
    assert feed(transaction_event("Ended", trigger="StopAuthorized"))[-1].stop_reason == "Local"
    assert feed(transaction_event("Updated", trigger="MeterValuePeriodic"))[-1].stop_reason is None


def test_meter_values_of_an_evse_belong_to_its_transaction(feed: Feed) -> None:
    values = checked("MeterValues", {"evseId": 2, "meterValue": [{"timestamp": at(), "sampledValue": [{"value": 7}]}]})
    assert feed(values) == []
    feed.frames.running[2] = "tx-1"
    [event] = feed(values)
    assert (event.transaction_id, event.evse_id, event.connector_id) == ("tx-1", 2, None)


def test_a_status_of_201_says_nothing_of_a_transaction(feed: Feed) -> None:
    feed.frames.running[1] = "tx-1"
    payload = {"timestamp": at(), "connectorStatus": "Occupied", "evseId": 1, "connectorId": 1}
    assert feed(checked("StatusNotification", payload)) == []
    assert feed.refused == []


# --- Limits that are not ours -----------------------------------------------------------------------------------------


def schedule(limit: int = 8000) -> Json:
    return {
        "startSchedule": at(),
        "chargingRateUnit": "W",
        "chargingSchedulePeriod": [{"startPeriod": 0, "limit": limit}],
    }


@pytest.mark.parametrize(("evse", "told"), [({}, None), ({"evseId": 0}, None), ({"evseId": 2}, 2)])
def test_a_limit_of_the_site_is_told_for_an_evse_or_for_all(feed: Feed, evse: Json, told: int | None) -> None:
    limited = {"chargingLimit": {"chargingLimitSource": "EMS"}, "chargingSchedule": [{"id": 1, **schedule()}], **evse}
    [event] = feed(checked("NotifyChargingLimit", limited))
    assert (event.type, event.evse_id, event.connector_id) == (EventType.CHARGING_LIMIT_CHANGED, told, None)
    assert event.limit is not None
    assert event.limit.source == "EMS"
    assert event.limit.plan is not None
    assert (limit_at(event.limit.plan, START), event.limit.plan.unit) == (Decimal(8000), RateUnit.WATT)


def test_a_limit_without_a_course_is_only_known_to_be(feed: Feed) -> None:
    [event] = feed(checked("NotifyChargingLimit", {"chargingLimit": {"chargingLimitSource": "SO"}}))
    assert event.limit == ReportedLimit("SO")


def test_a_source_that_ocpp_does_not_know_is_another(feed: Feed) -> None:
    [event] = feed(call("NotifyChargingLimit", {"chargingLimit": {"chargingLimitSource": "Landlord"}}))
    assert event.limit == ReportedLimit("Other")


def test_a_limit_that_is_lifted(feed: Feed) -> None:
    [event] = feed(checked("ClearedChargingLimit", {"chargingLimitSource": "EMS", "evseId": 1}))
    assert (event.type, event.evse_id, event.limit) == (EventType.CHARGING_LIMIT_CHANGED, 1, ReportedLimit("EMS"))


def set_profile(profile_id: int = FOREIGN, *, connector: int = 0, **profile: object) -> Json:
    content: Json = {
        "chargingProfileId": profile_id,
        "stackLevel": 0,
        "chargingProfilePurpose": "ChargePointMaxProfile",
        "chargingProfileKind": "Absolute",
        "chargingSchedule": schedule(),
        **profile,
    }
    payload: Json = {"connectorId": connector, "csChargingProfiles": content}
    check_request(OcppVersion.V16, "SetChargingProfile", payload)
    return call("SetChargingProfile", payload, origin="csms")


@pytest.mark.parametrize(("connector", "told"), [(0, None), (2, 2)])
def test_a_profile_of_the_csmss_own_makes_the_active_one_doubtful(feed: Feed, connector: int, told: int | None) -> None:
    [event] = feed(set_profile(connector=connector))
    assert (event.type, event.connector_id, event.limit) == (EventType.CHARGING_LIMIT_CHANGED, told, None)


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
@pytest.mark.parametrize("action", ["SetChargingProfile", None])
def test_its_limit_is_known_once_the_station_has_accepted_it(
    feed: Feed, order: tuple[int, int], action: str | None
) -> None:
    halves = [set_profile(), result({"status": "Accepted"}, origin="cs", seconds=1, action=action)]
    events = feed(halves[order[0]], halves[order[1]])
    [limit] = [event.limit for event in events if event.limit is not None]
    assert limit.source == "CSO"
    assert limit.plan is not None
    assert limit_at(limit.plan, START) == 8000


def test_a_profile_that_the_station_rejects_is_no_limit(feed: Feed) -> None:
    events = feed(set_profile(), result({"status": "Rejected"}, origin="cs"))
    assert [event.limit for event in events] == [None]


@pytest.mark.parametrize(
    "profile", [{"chargingProfilePurpose": "TxDefaultProfile"}, {"chargingProfileKind": "Relative"}]
)
def test_a_default_or_a_relative_profile_is_no_limit_in_absolute_time(feed: Feed, profile: Json) -> None:
    events = feed(set_profile(connector=1, **profile), result({"status": "Accepted"}, origin="cs"))
    assert [event.limit for event in events] == [None]


@pytest.mark.parametrize("profile_id", [100_000, OURS, 199_999])
def test_our_own_profiles_say_nothing_new(feed: Feed, profile_id: int) -> None:
    ours = set_profile(profile_id, connector=1, chargingProfilePurpose="TxProfile", transactionId=778)
    cleared = call("ClearChargingProfile", {"id": profile_id}, "m-2", origin="csms")
    accepted = [result({"status": "Accepted"}, name, origin="cs") for name in ("m-1", "m-2")]
    assert feed(ours, cleared, *accepted) == []


@pytest.mark.parametrize("profile_id", [99_999, 200_000])
def test_ids_beside_the_reserved_range_are_the_cpos(feed: Feed, profile_id: int) -> None:
    assert len(feed(set_profile(profile_id))) == 1


def test_a_profile_of_201_is_told_by_its_evse(feed: Feed) -> None:
    profile: Json = {
        "id": FOREIGN,
        "stackLevel": 0,
        "chargingProfilePurpose": "ChargingStationMaxProfile",
        "chargingProfileKind": "Absolute",
        "chargingSchedule": [{"id": 1, **schedule()}],
    }
    payload: Json = {"evseId": 0, "chargingProfile": profile}
    check_request(OcppVersion.V201, "SetChargingProfile", payload)
    asked, accepted = feed(
        call("SetChargingProfile", payload, origin="csms"), result({"status": "Accepted"}, origin="cs")
    )
    assert (asked.evse_id, asked.limit) == (None, None)
    assert accepted.limit is not None
    assert accepted.limit.plan is not None
    assert (
        feed(call("SetChargingProfile", {**payload, "chargingProfile": {**profile, "id": OURS}}, origin="csms")) == []
    )


@pytest.mark.parametrize("payload", [{"id": FOREIGN}, {"chargingProfileId": FOREIGN}])
def test_a_profile_that_the_csms_clears_is_lifted_when_the_station_has_accepted(feed: Feed, payload: Json) -> None:
    events = feed(call("ClearChargingProfile", payload, origin="csms"), result({"status": "Accepted"}, origin="cs"))
    assert [event.limit for event in events] == [None, ReportedLimit("CSO")]


@pytest.mark.parametrize(
    "payload", [{}, {"connectorId": 0, "stackLevel": 1}, {"chargingProfileCriteria": {"stackLevel": 1}}]
)
def test_a_clear_by_criteria_may_have_hit_ours(feed: Feed, payload: Json) -> None:
    events = feed(call("ClearChargingProfile", payload, origin="csms"), result({"status": "Accepted"}, origin="cs"))
    assert [(event.type, event.limit) for event in events] == [(EventType.CHARGING_LIMIT_CHANGED, None)]


def test_a_profile_that_a_station_sends_means_nothing(feed: Feed) -> None:
    assert feed({**set_profile(), "origin": "cs"}) == []


# --- Posts ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "kind"), [("connected", EventType.STATION_ONLINE), ("closed", EventType.STATION_OFFLINE)]
)
def test_connections_happened_when_the_post_came(feed: Feed, said: str, kind: EventType) -> None:
    received = START - timedelta(minutes=3)
    [event] = feed.body(json.dumps({"stationId": STATION, "event": said}).encode(), received)
    assert (event.type, event.time, event.station_id, event.csms_id) == (kind, received, STATION, "acme")


def test_newer_versions_name_the_station_otherwise(feed: Feed) -> None:
    [event] = feed({"ocppConnectionName": STATION, "event": "connected"})
    assert event.station_id == STATION


@pytest.mark.parametrize("told", [at(-90_000), at(90_000), "noon", None, 17])
def test_a_csmss_clock_that_is_far_off_says_nothing(feed: Feed, told: object) -> None:
    boot = call("BootNotification", {"chargePointVendor": "V", "chargePointModel": "M"})
    boot["info"]["timestamp"] = told
    [event] = feed(boot)
    assert (event.type, event.time) == (EventType.STATION_BOOTED, feed.clock.now())


def test_a_boot_happened_when_the_csms_saw_it(feed: Feed) -> None:
    [event] = feed(call("BootNotification", {"chargePointVendor": "V", "chargePointModel": "M"}, seconds=-30))
    assert event.time == START - timedelta(seconds=30)


def test_a_list_of_frames_is_read_frame_by_frame(feed: Feed) -> None:
    """What the first frames lead to must be there for the later ones."""
    seen: list[datetime] = []
    body = json.dumps([start(), admission(), meter_values()]).encode()
    for event in FrameTranslator(feed.frames, feed.frames, feed.clock).events(feed.csms, body):
        seen.append(event.time)
        feed.frames.running[1] = "778"
    assert len(seen) == 2


def test_a_bad_frame_does_not_keep_the_others_from_their_turn(feed: Feed) -> None:
    bad = call("StartTransaction", {"connectorId": "one"})
    events = feed.body(json.dumps([start(), bad, 5, admission()]).encode())
    assert [event.type for event in events] == [EventType.TRANSACTION_STARTED]
    assert [(one.csms_id, one.station_id, one.reason) for one in feed.refused] == [
        ("acme", STATION, "connectorId: is no number"),
        ("acme", None, "stationId: is missing, or nothing that a station can be called"),
    ]


@pytest.mark.parametrize(
    ("frame", "field"),
    [
        ({"event": "connected"}, "stationId"),
        ({"stationId": "x" * 256, "event": "connected"}, "stationId"),
        ({"stationId": "\ud800", "event": "connected"}, "stationId"),
        ({"stationId": STATION, "event": "moved"}, "event"),
        ({"stationId": STATION, "event": "message", "message": "[]"}, "origin"),
        ({"stationId": STATION, "event": "message", "origin": "cs"}, "message"),
        ({"stationId": STATION, "event": "message", "origin": "cs", "message": "{"}, "message"),
        ({"stationId": STATION, "event": "message", "origin": "cs", "message": "[2]"}, "message"),
        ({"stationId": STATION, "event": "message", "origin": "cs", "message": '[9,"1",{}]'}, "message"),
        (post([2, "x" * 101, "Heartbeat", {}]), "message.1"),
        (call("StartTransaction", {"connectorId": 1, "timestamp": "soon"}), "timestamp"),
        (call("StopTransaction", {"timestamp": at()}), "transactionId"),
        (call("MeterValues", {"connectorId": -1}), "connectorId"),
        (call("StatusNotification", {"connectorId": 1}), "status"),
        (call("TransactionEvent", {"eventType": "Started", "timestamp": at()}), "transactionInfo"),
        (call("SetChargingProfile", {"connectorId": 1}, origin="csms"), "chargingProfile"),
        (call("StopTransaction", {"transactionId": 1, "timestamp": at(), "x": "y" * 100_000}), "message"),
        (result({"transactionId": "none"}), "transactionId"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_field(feed: Feed, frame: Json, field: str) -> None:
    assert feed(frame) == []
    [refused] = feed.refused
    assert refused.reason.startswith(f"{field}: ")


BODIES = {
    "no JSON": b"{",
    "a number": b"5",
    "no frames": b"[]",
    "UTF-16": "[{}]".encode("utf-16"),
    "no number": b'{"stationId": NaN}',
    "too many": b"[" + b"{}," * 100 + b"{}]",
    "too long": b"[{}" + b" " * 200_000 + b"]",
}


@pytest.mark.parametrize("kind", BODIES)
def test_a_body_that_is_none_or_too_much_is_refused_as_a_whole(feed: Feed, kind: str) -> None:
    assert feed.body(BODIES[kind]) == []
    [refused] = feed.refused
    assert (refused.station_id, refused.reason.split(":")[0]) == (None, "body")


def test_frames_that_mean_nothing_are_passed_over(feed: Feed) -> None:
    frames = [
        call("Heartbeat", {}),
        call("DataTransfer", {"vendorId": "V"}),
        result({}, origin="csms"),
        result({"status": "Accepted", "currentTime": at(), "interval": 300}, origin="csms", action="BootNotification"),
        result({"status": "Accepted"}, origin="cs", action="RemoteStartTransaction"),
        post([4, "m-1", "NotSupported", "", {}], origin="cs"),
        call("RemoteStartTransaction", {"idTag": "TAG"}, origin="csms"),
    ]
    assert feed(*frames) == []
    assert feed.refused == []


def test_in_any_order_the_same_is_told_of_a_session(feed: Feed) -> None:
    frames = [start(), admission(), meter_values(transactionId=778), stop()]
    clean = {event.event_id for event in feed(*frames)}
    for order in itertools.permutations(frames):
        assert {event.event_id for event in Feed()(*order)} == clean
