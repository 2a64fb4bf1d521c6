"""`bridge station import --ocpi`: stations from OCPI Locations, with OCPP's names from a rule or a file."""

import json
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from ocpi_bridge.adapters.dynamodb.registry import DynamoRegistry
from ocpi_bridge.domain.plans import RateUnit
from ocpi_bridge.domain.stations import CHARGING_PROFILE_CAPABLE, OcppVersion, PowerType, Quirk, Station
from tests.support import registry_entries
from tests.support.command_line import CommandLine, Done
from tests.support.operator import EXAMPLES, Write
from tools.bridge.cli import app
from tools.bridge.deployment import Deployment

LOCATIONS = "locations.json"
RULE = r"(?P<station>.+)_(?P<connector>[0-9]+)"
CONNECTOR = {"id": "1", "power_type": "AC_1_PHASE", "max_voltage": 230, "max_amperage": 16}

Import = Callable[..., Done]
Content = Callable[[object], Path]


@pytest.fixture
def bridge(deployment: Deployment, registry: DynamoRegistry) -> CommandLine:
    registry.add_csms(registry_entries.csms())
    return CommandLine(app, deployment)


@pytest.fixture
def imported(bridge: CommandLine) -> Import:
    def run(
        file: Path, *options: str | Path, version: str = "1.6", names: tuple[str, ...] = ("--station-from", RULE)
    ) -> Done:
        return bridge(
            "station", "import", "--ocpi", file, "--csms", "acme", "--ocpp-version", version, *names, *options
        )

    return run


@pytest.fixture
def content(tmp_path: Path) -> Content:
    """A file with this content."""

    def written(value: object) -> Path:
        file = tmp_path / "content.json"
        file.write_text(json.dumps(value))
        return file

    return written


def evse(uid: str, *connectors: dict[str, Any], **fields: object) -> dict[str, Any]:
    listed = list(connectors) or [CONNECTOR]
    return {
        "uid": uid,
        "status": "AVAILABLE",
        "capabilities": [CHARGING_PROFILE_CAPABLE],
        "connectors": listed,
        **fields,
    }


def location(*evses: dict[str, Any], identity: str = "LOC1") -> dict[str, Any]:
    return {"id": identity, "evses": list(evses)}


def problems(done: Done) -> dict[str, str]:
    """What was refused, by path in the file."""
    assert (done.exit_code, done.stdout) == (1, "")
    lines = [line.removeprefix("error: ").split(": ", 2) for line in done.stderr.splitlines()]
    return {path: problem for _, path, problem in lines}


def only(registry: DynamoRegistry) -> Station:
    [station] = registry.list_stations("acme")
    return station


# --- What becomes of Locations ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("names", [("--station-from", RULE), ("--mapping", str(EXAMPLES / "ocpp-names.json"))])
def test_the_example_becomes_a_station_by_a_rule_or_by_a_file(
    names: tuple[str, ...], imported: Import, registry: DynamoRegistry
) -> None:
    assert imported(EXAMPLES / LOCATIONS, names=names).exit_code == 0
    station = only(registry)
    first, second = station.evses
    assert (station.station_id, station.location_id, station.ocpp_version) == ("CP-101", "LOC1", OcppVersion.V16)
    assert (first.uid, first.evse_id) == ("CP-101_1", "NL*ACM*ECP101*1")
    [connector] = first.connectors
    assert (connector.connector_id, connector.ocpp_connector_id) == ("1", 1)
    assert (connector.power_type, connector.max_electric_power) == (PowerType.AC_3_PHASE, 22_080)
    assert (connector.max_voltage, connector.max_amperage) == (230, 32)
    assert second.connectors[0].ocpp_connector_id == 2


def test_what_is_left_out_and_what_takes_no_profiles_is_told(imported: Import, registry: DynamoRegistry) -> None:
    told = imported(EXAMPLES / LOCATIONS).stdout
    assert "1 EVSE(s) with status REMOVED left out." in told
    assert "NOT_SUPPORTED" in told
    assert told.rstrip().endswith("CP-101_2")
    assert [CHARGING_PROFILE_CAPABLE in one.capabilities for one in only(registry).evses] == [True, False]
    assert "NOT_SUPPORTED" not in imported(EXAMPLES / LOCATIONS, "--capable").stdout
    assert all(CHARGING_PROFILE_CAPABLE in one.capabilities for one in only(registry).evses)


@pytest.mark.parametrize(
    "form",
    [
        lambda one: one,
        lambda one: [one],
        lambda one: {"data": one, "status_code": 1000},
        lambda one: {"data": [one], "status_code": 1000, "timestamp": "2026-01-01T00:00:00Z"},
    ],
)
def test_a_location_a_list_and_a_response_are_taken(
    form: Callable[[object], object], imported: Import, registry: DynamoRegistry, content: Content
) -> None:
    assert imported(content(form(location(evse("CP-1_1"))))).exit_code == 0
    assert only(registry).evses[0].uid == "CP-1_1"


@pytest.mark.parametrize(
    ("form", "path"),
    [
        (lambda one: one, ""),
        (lambda one: [one], "0."),
        (lambda one: {"data": one}, "data."),
        (lambda one: {"data": [location(), one]}, "data.1."),
    ],
)
@pytest.mark.parametrize("wrong", [{**CONNECTOR, "max_voltage": 400}, {**CONNECTOR, "max_voltage": "high"}])
def test_a_problem_has_its_path_in_the_file(
    form: Callable[[object], object], path: str, wrong: dict[str, Any], imported: Import, content: Content
) -> None:
    file = content(form(location(evse("CP-1_1"), evse("CP-1_2", wrong))))
    assert [*problems(imported(file))] == [f"{path}evses.1.connectors.0.max_voltage"]


def test_400_v_is_refused_with_what_ocpi_means(imported: Import, content: Content) -> None:
    told = problems(imported(content(location(evse("CP-1_1", {**CONNECTOR, "max_voltage": 400})))))
    assert "between line and neutral, such as 230" in told["evses.0.connectors.0.max_voltage"]


def test_the_names_of_ocpi_2_1_1_are_taken(imported: Import, registry: DynamoRegistry, content: Content) -> None:
    older = {"id": "1", "power_type": "AC_3_PHASE", "voltage": 230, "amperage": 16}
    assert imported(content(location(evse("CP-1_1", older)))).exit_code == 0
    assert only(registry).evses[0].connectors[0].max_amperage == 16


def test_capabilities_that_only_a_later_ocpi_knows_are_left_out(
    imported: Import, registry: DynamoRegistry, content: Content
) -> None:
    file = content(location(evse("CP-1_1", capabilities=[CHARGING_PROFILE_CAPABLE, "ISO_15118_20_PLUG_AND_CHARGE"])))
    assert imported(file).exit_code == 0
    assert only(registry).evses[0].capabilities == {CHARGING_PROFILE_CAPABLE}


def test_a_location_without_evses_is_nothing_to_import(imported: Import, content: Content) -> None:
    assert imported(content([{"id": "LOC1"}, {"id": "LOC2", "evses": None}]), "--json").document["added"] == []


def test_a_response_that_went_wrong_is_not_taken_for_no_location(imported: Import, content: Content) -> None:
    assert [*problems(imported(content({"data": [], "status_code": 2001})))] == ["status_code"]


def test_what_is_no_location_is_named_with_its_path(imported: Import, content: Content) -> None:
    told = problems(imported(content([{"name": "x"}, 7, location({"uid": "CP-1_1", "connectors": [{}]})])))
    assert {"0.id", "1", "2.evses.0.connectors.0.power_type"} <= told.keys()
    assert told["0.id"] == "is missing"


# --- OCPP's names ----------------------------------------------------------------------------------------------------


def test_a_rule_may_match_the_evse_id(imported: Import, registry: DynamoRegistry, content: Content) -> None:
    file = content(location(evse("a7c0", evse_id="NL*ACM*ECP7*2"), evse("a7c1", evse_id="NL*ACM*ECP7*1")))
    rule = r"NL\*ACM\*E(?P<station>[A-Z0-9]+)\*(?P<connector>\d)"
    assert imported(file, names=("--station-from", rule)).exit_code == 0
    assert [one.connectors[0].ocpp_connector_id for one in only(registry).evses] == [2, 1]


def test_an_evse_that_no_rule_names_is_told(imported: Import, content: Content) -> None:
    told = problems(imported(content(location(evse("CP-1_1"), evse("other")))))
    assert told == {"evses.1.uid": "nothing tells which station it belongs to"}


def test_a_rule_matches_the_whole_uid(imported: Import, content: Content) -> None:
    assert [*problems(imported(content(location(evse("CP-1_1 (old)")))))] == ["evses.0.uid"]


def test_the_only_place_to_charge_of_a_station_is_number_1(
    imported: Import, registry: DynamoRegistry, content: Content
) -> None:
    names = ("--station-from", "(?P<station>.+)")
    assert imported(content(location(evse("CP-1"))), names=names).exit_code == 0
    assert only(registry).evses[0].connectors[0].ocpp_connector_id == 1


@pytest.mark.parametrize("version", ["1.6", "2.0.1"])
def test_a_number_is_never_guessed(version: str, imported: Import, content: Content) -> None:
    file = content(location(evse("CP-1-a"), evse("CP-1-b")))
    told = problems(imported(file, version=version, names=("--station-from", "(?P<station>CP-1)-.")))
    assert {path: "by which number" in problem for path, problem in told.items()} == {
        "evses.0.uid": True,
        "evses.1.uid": True,
    }


def test_two_evses_with_one_number_are_told(imported: Import, content: Content) -> None:
    file = content(location(evse("CP-1_1"), evse("CP-1_01")))
    assert [*problems(imported(file))] == ["evses.1.connectors.0.ocpp_connector_id"]


def test_ocpp_201_counts_the_connectors_of_an_evse_by_itself(
    imported: Import, registry: DynamoRegistry, content: Content
) -> None:
    second = {**CONNECTOR, "id": "2"}
    file = content(location(evse("CP-1_1", CONNECTOR, second), evse("CP-1_2")))
    assert imported(file, version="2.0.1").exit_code == 0
    one, other = only(registry).evses
    assert (one.ocpp_evse_id, other.ocpp_evse_id) == (1, 2)
    assert [connector.ocpp_connector_id for connector in one.connectors] == [1, 2]
    assert other.connectors[0].ocpp_connector_id == 1


def test_several_connectors_of_an_ocpp_16_station_need_a_number_each(
    imported: Import, registry: DynamoRegistry, content: Content, tmp_path: Path
) -> None:
    file = content(location(evse("CP-1_1", CONNECTOR, {**CONNECTOR, "id": "2"})))
    assert "mapping file" in problems(imported(file))["evses.0.uid"]
    mapping = tmp_path / "mapping.json"
    mapping.write_text(json.dumps({"cp-1_1": {"station_id": "CP-1", "connectors": {"1": 3}}}))
    names = ("--mapping", str(mapping))
    assert "for each of its connectors" in problems(imported(file, names=names))["evses.0.uid"]
    mapping.write_text(json.dumps({"cp-1_1": {"station_id": "CP-1", "connectors": {"1": 3, "2": 4}}}))
    assert imported(file, names=names).exit_code == 0
    assert [connector.ocpp_connector_id for connector in only(registry).evses[0].connectors] == [3, 4]


def test_a_station_at_two_locations_is_told(imported: Import, content: Content) -> None:
    file = content([location(evse("CP-1_1")), location(evse("CP-1_2"), identity="LOC2")])
    told = problems(imported(file))
    assert [*told] == ["1.evses.0.uid"]
    assert "0.evses.0" in told["1.evses.0.uid"]


@pytest.mark.parametrize(
    ("mapping", "path"),
    [
        ({"CP-1_1": {"station": "CP-1"}}, "CP-1_1.station"),
        ({"CP-1_1": {"station_id": "CP-1", "connector": "one"}}, "CP-1_1.connector"),
        ([], "file"),
    ],
)
def test_a_mapping_file_is_checked_too(
    mapping: object, path: str, imported: Import, content: Content, tmp_path: Path
) -> None:
    file = tmp_path / "mapping.json"
    file.write_text(json.dumps(mapping))
    told = problems(imported(content(location(evse("CP-1_1"))), names=("--mapping", str(file))))
    assert path in told


# --- With what is in the registry ------------------------------------------------------------------------------------


def test_what_ocpi_does_not_know_stays_as_it_is(imported: Import, registry: DynamoRegistry, content: Content) -> None:
    file = content(location(evse("CP-1_1")))
    imported(file)
    station = only(registry)
    [known] = station.evses
    [connector] = known.connectors
    kept = replace(
        station,
        allowed_units=frozenset({RateUnit.AMPERE}),
        max_periods=6,
        quirks=frozenset({Quirk.NO_COMPOSITE}),
        evses=(replace(known, cap_w=Decimal(3000), connectors=(replace(connector, nominal_voltage=240),)),),
    )
    registry.import_stations("acme", [kept])
    assert imported(file, "--json").document["unchanged"] == ["CP-1"]
    stronger = content(location(evse("CP-1_1", {**CONNECTOR, "max_amperage": 32}), identity="LOC9"))
    told = imported(stronger, "--json").document
    assert told["differences"] == {"CP-1": ["evses.0.connectors.0.max_amperage", "location_id"]}
    changed = only(registry)
    assert (changed.max_periods, changed.evses[0].cap_w) == (6, Decimal(3000))
    assert changed.quirks == {Quirk.NO_COMPOSITE}
    assert changed.evses[0].connectors[0].nominal_voltage == 240


def test_an_evse_of_another_station_is_told_with_its_path_in_the_file(
    imported: Import, registry: DynamoRegistry, content: Content
) -> None:
    registry.import_stations("acme", [registry_entries.station("CP-9", ("CP-1_2",))])
    file = content({"data": [location(evse("CP-1_1"), evse("CP-1_2"))]})
    told = problems(imported(file))
    assert [*told] == ["data.0.evses.1.uid"]
    assert "CP-9" in told["data.0.evses.1.uid"]


def test_a_dry_run_of_locations_changes_nothing(imported: Import, registry: DynamoRegistry) -> None:
    assert "New: CP-101" in imported(EXAMPLES / LOCATIONS, "--dry-run").stdout
    assert registry.list_stations("acme") == ()


def test_an_unknown_csms_is_told(bridge: CommandLine) -> None:
    refused = bridge(
        "station", "import", "--ocpi", EXAMPLES / LOCATIONS, "--csms", "none", "--ocpp-version", "1.6",
        "--station-from", RULE,
    )  # fmt: skip
    assert (refused.exit_code, "unknown CSMS 'none'" in refused.stderr) == (1, True)


# --- Wrong usage -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "options",
    [
        (),
        ("--ocpi", "x.json"),
        ("--ocpi", "x.json", "--csms", "acme"),
        ("--ocpi", "x.json", "--csms", "acme", "--ocpp-version", "1.6"),
        ("--ocpi", "x.json", "--csms", "acme", "--ocpp-version", "1.6", "--station-from", RULE, "--mapping", "y.json"),
        ("--ocpi", "x.json", "--csms", "acme", "--ocpp-version", "1.6", "--station-from", "("),
        ("--ocpi", "x.json", "--csms", "acme", "--ocpp-version", "1.6", "--station-from", "(.+)"),
        ("--ocpi", "x.json", "--csms", "acme", "--ocpp-version", "2.1", "--station-from", RULE),
        ("stations.json", "--ocpi", "x.json"),
        ("stations.json", "--csms", "acme"),
        ("stations.json", "--capable"),
    ],
)
def test_options_that_do_not_say_one_thing_are_wrong_usage(options: tuple[str, ...], bridge: CommandLine) -> None:
    assert bridge("station", "import", *options).exit_code == 2


def test_a_station_file_is_still_taken(bridge: CommandLine, write: Write) -> None:
    assert bridge("station", "import", write("stations.json"), "--dry-run").exit_code == 0
