"""Documents give back what they were made of, None and defaults included."""

from dataclasses import replace
from decimal import Decimal

import pytest

from ocpi_bridge.adapters.dynamodb.documents import compact, dump, load
from ocpi_bridge.domain.csms_api import Body, CsmsApi, Operation, Reading
from ocpi_bridge.domain.partners import Partner
from ocpi_bridge.domain.requests import Fit, InstalledPlan, RequestKind
from ocpi_bridge.domain.stations import Csms
from tests.support.registry_entries import csms, partner, station


@pytest.mark.parametrize("fail_safe", [None, 600, 7200])
def test_a_fail_safe_that_is_switched_off_stays_off(fail_safe: int | None) -> None:
    entry = replace(partner(), fail_safe=fail_safe)
    assert load(Partner, dump(entry)) == entry


def test_a_description_of_an_api_stays_what_it_is() -> None:
    renamed = Body(rename={"connectorId": "socketId"}, payload_at=("profile",))
    operations = (
        Operation(RequestKind.CLEAR, "/clear", body=renamed),
        Operation(RequestKind.GET, "/get", method="GET"),
    )
    api = CsmsApi("ours", operations, callback=Reading(payload_at=("answers", 0)), parameters={"tenant": "1"})
    entry = replace(csms(), api=api)
    assert load(Csms, dump(entry)) == entry


def test_what_is_unknown_of_a_fit_stays_unknown() -> None:
    plan = InstalledPlan("r1", 1, fitted_to=Fit(phases=None, maximum_w=Decimal(22_080)))
    assert load(InstalledPlan, dump(plan)) == plan


def test_what_reading_takes_for_granted_is_not_written() -> None:
    assert "max_periods" not in dump(station())


def test_a_compact_document_leaves_out_what_reading_takes_for_granted_or_finds_beside_it() -> None:
    plan = InstalledPlan("r1", 1, fitted_to=Fit(phases=None, maximum_w=Decimal(22_080)))
    text = compact(plan, beside=("request_id",))
    assert text == '{"number":1,"fitted_to":{"phases":null,"maximum_w":"22080"}}'
    assert load(InstalledPlan, text, request_id="r1") == plan


def test_a_whole_document_is_read_beside_its_attributes_too() -> None:
    plan = InstalledPlan("r1", 1)
    assert load(InstalledPlan, dump(plan), request_id="r1") == plan
