"""Answers of CSMSs that say it in their own way, by their description."""

import json
from dataclasses import replace
from decimal import Decimal

import pytest

from ocpi_bridge.adapters.bounded_http.exchange import Reply
from ocpi_bridge.adapters.csms.answers import CallbackReader, read_reply
from ocpi_bridge.adapters.csms.codecs import CODECS
from ocpi_bridge.domain.csms_api import CsmsApi, Operation, Reading, Refusal, Spelling
from ocpi_bridge.domain.plans import Plan, PlanPeriod, RateUnit
from ocpi_bridge.domain.requests import RequestKind
from ocpi_bridge.domain.stations import CsmsDriver, CsmsMode, OcppVersion
from ocpi_bridge.ports.charge_points import Done, Failed, Pending
from ocpi_bridge.ports.json_values import JsonValue
from tests.support.clocks import START
from tests.support.fake_http import reply
from tests.support.preset_calls import csms_of

SET, GET, LEARN = RequestKind.SET, RequestKind.GET, RequestKind.LEARN
COMPOSITE = Plan(RateUnit.AMPERE, (PlanPeriod(0, Decimal(16)),), start=START)
SNAKE_SCHEDULE: JsonValue = {
    "charging_rate_unit": "A",
    "charging_schedule_period": [{"start_period": 0, "limit": 16}],
}


def api(reading: Reading, *, verdict: bool = False, refusals: tuple[Refusal, ...] = ()) -> CsmsApi:
    return CsmsApi(
        name="own",
        operations=(Operation(SET, "/set"),),
        synchronous=reading,
        callback=reading,
        verdict_at=("taken",) if verdict else None,
        refusals=refusals,
    )


def read(
    description: CsmsApi,
    answer: Reply,
    kind: RequestKind = SET,
    *,
    version: OcppVersion = OcppVersion.V16,
    mode: CsmsMode = CsmsMode.SYNCHRONOUS,
    http_answers: dict[str, str] | None = None,
) -> Done | Pending | Failed:
    return read_reply(description, mode, CODECS[version], kind, answer, START, http_answers=http_answers or {})


def later(reading: Reading, body: JsonValue, kind: RequestKind = SET) -> Done | Failed:
    csms = replace(csms_of("custom", CsmsMode.CALLBACK), api=api(reading))
    return CallbackReader().parse_callback(csms, kind, json.dumps(body).encode(), START)


def test_the_status_is_found_where_it_stands_and_translated() -> None:
    reading = Reading(payload_at=("data",), status_at=("outcome", "code"), statuses={"ok": "Accepted"})
    assert read(api(reading), reply(200, {"data": {"outcome": {"code": "ok"}}})) == Done("Accepted")
    assert read(api(reading), reply(200, {"data": {"outcome": {"code": "Rejected"}}})) == Done("Rejected")


@pytest.mark.parametrize("place", [1, -1, -2, "a"])
def test_a_place_that_an_answer_does_not_have_says_nothing(place: int | str) -> None:
    assert isinstance(read(api(Reading(payload_at=(place,))), reply(200, [{"status": "Accepted"}])), Failed)
    assert isinstance(read(api(Reading(payload_at=(place,))), reply(200, "text")), Failed)


def test_the_words_beside_a_status_are_its_detail() -> None:
    reading = Reading(detail_at=("reason",))
    said = {"status": "Rejected", "reason": "no such\ntransaction"}
    assert read(api(reading), reply(200, said)) == Done("Rejected", detail="no such transaction")


def test_a_callerror_is_found_where_it_stands() -> None:
    reading = Reading(error_code_at=("error", "code"), error_text_at=("error", "text"))
    said = {"error": {"code": "NotSupported", "text": "no smart charging"}}
    assert read(api(reading), reply(200, said)) == Done("CallError:NotSupported", detail="no smart charging")


@pytest.mark.parametrize("version", OcppVersion)
def test_a_schedule_is_found_where_it_stands_and_in_any_spelling(version: OcppVersion) -> None:
    reading = Reading(spelling=Spelling.SNAKE_CASE, schedule_at=("composite", "plan"))
    said: JsonValue = {"status": "Accepted", "composite": {"plan": SNAKE_SCHEDULE}}
    assert read(api(reading), reply(200, said), GET, version=version) == Done("Accepted", COMPOSITE)
    assert later(reading, said, GET) == Done("Accepted", COMPOSITE)


@pytest.mark.parametrize(
    ("version", "said"),
    [
        (OcppVersion.V16, {"status": "Accepted", "charging_schedule": SNAKE_SCHEDULE}),
        (OcppVersion.V201, {"status": "Accepted", "schedule": SNAKE_SCHEDULE}),
    ],
)
def test_an_answer_in_snake_case_is_read(version: OcppVersion, said: JsonValue) -> None:
    reading = Reading(spelling=Spelling.SNAKE_CASE)
    assert read(api(reading), reply(200, said), GET, version=version) == Done("Accepted", COMPOSITE)
    assert later(reading, said, GET) == Done("Accepted", COMPOSITE)


def test_an_http_status_may_be_the_charge_points_answer() -> None:
    answers = {"202": "Accepted", "406": "Rejected"}
    description = api(Reading())
    assert read(description, Reply(202), http_answers=answers) == Done("Accepted")
    assert read(description, reply(406, {"message": "busy"}), http_answers=answers) == Done("Rejected", detail="busy")
    assert isinstance(read(description, Reply(204), http_answers=answers), Failed)


@pytest.mark.parametrize("status", [400, 404, 409, 422])
def test_words_of_an_http_error_that_are_known_say_whether_to_try_again(status: int) -> None:
    offline = Refusal("Not connected", retryable=True, meaning="the station is offline")
    outcome = read(api(Reading(), refusals=(offline,)), reply(status, {"message": "Charger is NOT CONNECTED"}))
    assert outcome == Failed("the station is offline: Charger is NOT CONNECTED", nothing_sent=True, retryable=True)


@pytest.mark.parametrize(
    ("header", "seconds"), [("7", 7), ("Thu, 15 Jan 2026 17:00:09 GMT", 9), ("soon", None), (None, None)]
)
@pytest.mark.parametrize("status", [429, 503])
def test_a_csms_that_asks_for_patience_says_how_much(status: int, header: str | None, seconds: int | None) -> None:
    headers = {} if header is None else {"retry-after": header}
    outcome = read(api(Reading()), reply(status, headers=headers))
    assert isinstance(outcome, Failed)
    assert (outcome.nothing_sent, outcome.retryable, outcome.retry_after) == (True, True, seconds)


def test_without_a_verdict_to_give_a_csms_that_answers_later_has_taken_what_it_answers_2xx() -> None:
    assert read(api(Reading()), reply(202, {}), mode=CsmsMode.CALLBACK) == Pending()


def test_with_a_verdict_to_give_silence_about_it_leaves_it_open() -> None:
    outcome = read(api(Reading(), verdict=True), reply(200, {}), mode=CsmsMode.CALLBACK)
    assert isinstance(outcome, Failed)
    assert (outcome.nothing_sent, outcome.retryable) == (False, False)


# --- What a station can take -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("version", "said"),
    [
        (
            OcppVersion.V16,
            {"configurationKey": [{"key": "ChargingScheduleMaxPeriods", "readonly": True, "value": "9"}]},
        ),
        (
            OcppVersion.V201,
            {
                "getVariableResult": [
                    {
                        "attributeStatus": "Accepted",
                        "attributeValue": "9",
                        "component": {"name": "SmartChargingCtrlr"},
                        "variable": {"name": "PeriodsPerSchedule"},
                    }
                ]
            },
        ),
    ],
)
def test_what_a_station_can_take_needs_no_status(version: OcppVersion, said: JsonValue) -> None:
    for done in (read(api(Reading()), reply(200, said), LEARN, version=version), later(Reading(), said, LEARN)):
        assert isinstance(done, Done)
        assert done.capabilities is not None
        assert done.capabilities.max_periods == 9


@pytest.mark.parametrize("said", [{}, {"status": "Accepted"}, []])
def test_an_answer_that_is_none_teaches_nothing(said: JsonValue) -> None:
    assert isinstance(read(api(Reading()), reply(200, said), LEARN), Failed)
    assert isinstance(later(Reading(), said, LEARN), Failed)


# --- Later -----------------------------------------------------------------------------------------------------------


def test_what_is_posted_later_is_read_as_described() -> None:
    assert later(Reading(payload_at=("answer",)), {"answer": {"status": "Rejected"}}) == Done("Rejected")


def test_what_is_reported_as_ocpp_has_it_is_read_all_the_same() -> None:
    assert later(Reading(payload_at=("answer",)), {"status": "Rejected"}) == Done("Rejected")
    assert later(Reading(), {"_errorCode": "NotSupported", "_errorDescription": "no"}) == Done(
        "CallError:NotSupported", detail="no"
    )


def test_a_csms_on_the_bus_has_no_description_and_reports_as_ocpp_has_it() -> None:
    csms = replace(csms_of("", CsmsMode.CALLBACK), driver=CsmsDriver.BUS)
    assert CallbackReader().parse_callback(csms, SET, b'{"status":"Accepted"}', START) == Done("Accepted")


def test_an_entry_that_fits_no_preset_any_more_does_not_lose_an_answer() -> None:
    assert CallbackReader().parse_callback(csms_of("gone"), SET, b'{"status":"Accepted"}', START) == Done("Accepted")
