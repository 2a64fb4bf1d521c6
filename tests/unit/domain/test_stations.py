"""Outlets: which one an OCPP event means, and the most that it may deliver."""

from dataclasses import replace
from decimal import Decimal

import pytest

from ocpi_bridge.domain.stations import (
    Connector,
    Evse,
    OcppVersion,
    PowerType,
    Station,
    find_outlet,
    maximum_power,
    outlet_by_uid,
)
from tests.support.outlets import outlet

AC = PowerType.AC_3_PHASE


def connector(connector_id: str, number: int) -> Connector:
    return Connector(connector_id, number, AC, 230, 32)


def station(version: OcppVersion, *evses: Evse) -> Station:
    return Station("acme", "CP-001", "LOC1", version, evses)


V16 = station(OcppVersion.V16, Evse("E1", (connector("1", 1),)), Evse("E2", (connector("1", 2), connector("2", 3))))
V201 = station(
    OcppVersion.V201,
    Evse("E1", (connector("1", 1),), ocpp_evse_id=1),
    Evse("E2", (connector("1", 1), connector("2", 2)), ocpp_evse_id=2),
)


def found(at: Station, connector_id: int | None, evse_id: int | None) -> tuple[str, str] | None:
    outlet = find_outlet(at, connector_id, evse_id)
    return None if outlet is None else (outlet.evse.uid, outlet.connector.connector_id)


# --- Which outlet an event means -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("number", "place"), [(1, ("E1", "1")), (2, ("E2", "1")), (3, ("E2", "2")), (4, None)])
def test_ocpp_16_counts_connectors_through_the_station(number: int, place: tuple[str, str] | None) -> None:
    assert found(V16, number, None) == place


def test_ocpp_16_knows_no_evses_whatever_an_event_says() -> None:
    assert found(V16, 2, 1) == ("E2", "1")
    assert found(V16, None, 1) is None
    assert found(V16, None, 2) is None


@pytest.mark.parametrize(
    ("connector_id", "evse_id", "place"),
    [
        (1, 1, ("E1", "1")),
        (1, 2, ("E2", "1")),
        (2, 2, ("E2", "2")),
        (2, 1, None),
        (1, 3, None),
        (None, 1, ("E1", "1")),
        (None, 2, None),
    ],
)
def test_ocpp_201_counts_connectors_within_an_evse(
    connector_id: int | None, evse_id: int | None, place: tuple[str, str] | None
) -> None:
    assert found(V201, connector_id, evse_id) == place


def test_ocpp_201_without_an_evse_means_a_connector_only_where_there_is_one_of_that_number() -> None:
    assert found(V201, 1, None) is None
    assert found(V201, 2, None) == ("E2", "2")


def test_an_event_without_any_number_means_no_outlet() -> None:
    assert found(V16, None, None) is None
    assert found(V201, None, None) is None


def test_an_evse_without_a_number_has_that_of_its_first_connector() -> None:
    at = station(OcppVersion.V201, Evse("E1", (connector("1", 1),)), Evse("E2", (connector("1", 2),)))
    assert found(at, None, 2) == ("E2", "1")
    outlet = find_outlet(at, 2, 2)
    assert outlet is not None
    assert outlet.ocpp_evse_id == 2


def test_ocpi_ids_are_compared_without_case() -> None:
    at = outlet_by_uid(station(OcppVersion.V16, Evse("BE*bec", (connector("a", 1),))), "be*BEC", "A")
    assert at is not None
    assert at.connector.connector_id == "a"


@pytest.mark.parametrize(("uid", "connector_id"), [("E3", "1"), ("E1", "2")])
def test_an_outlet_that_is_gone_is_not_found(uid: str, connector_id: str) -> None:
    assert outlet_by_uid(V16, uid, connector_id) is None


# --- The most that it may deliver ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("power_type", "watts"),
    [
        (PowerType.AC_1_PHASE, 7360),
        (PowerType.AC_2_PHASE, 14720),
        (PowerType.AC_2_PHASE_SPLIT, 14720),
        (PowerType.AC_3_PHASE, 22080),
    ],
)
def test_the_rating_is_volts_times_amperes_times_phases(power_type: PowerType, watts: int) -> None:
    assert maximum_power(outlet(power_type)) == watts


def test_a_dc_outlet_has_volts_times_amperes() -> None:
    assert maximum_power(outlet(PowerType.DC, max_voltage=500, max_amperage=200)) == 100_000


def test_a_power_rating_counts_where_it_is_lower() -> None:
    assert maximum_power(outlet(max_electric_power=11_000)) == 11_000
    assert maximum_power(outlet(max_electric_power=50_000)) == 22_080


@pytest.mark.parametrize(("cap", "watts"), [("0", 0), ("3680.5", "3680.5"), ("30000", 22_080)])
def test_the_cpos_cap_counts_where_it_is_lower(cap: str, watts: int | str) -> None:
    assert maximum_power(outlet(cap_w=Decimal(cap))) == Decimal(watts)


def test_of_all_limits_the_lowest_counts() -> None:
    at = outlet(max_electric_power=11_000, cap_w=Decimal(8_000))
    assert maximum_power(at) == 8_000
    assert maximum_power(replace(at, evse=replace(at.evse, cap_w=Decimal(20_000)))) == 11_000
