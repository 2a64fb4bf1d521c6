"""Presets as files: found by their name, whole, and what a registry entry may say beside them."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from ocpi_bridge.adapters.csms import presets
from ocpi_bridge.adapters.csms.presets import preset, preset_names, preset_of
from ocpi_bridge.adapters.dynamodb.documents import dump, load
from ocpi_bridge.domain.csms_api import Body, CsmsApi, Operation, Reading, Spelling, check_api
from ocpi_bridge.domain.errors import InvalidInput
from ocpi_bridge.domain.requests import RequestKind
from ocpi_bridge.domain.stations import Csms, CsmsMode
from tests.support.preset_calls import csms_of

OWN = CsmsApi(name="own", operations=(Operation(RequestKind.SET, "/set"),), synchronous=Reading())


def problem_of(csms: Csms) -> InvalidInput:
    with pytest.raises(InvalidInput) as raised:
        preset_of(csms)
    return raised.value


@pytest.mark.parametrize("name", preset_names())
def test_each_preset_is_sound_and_says_where_it_comes_from(name: str) -> None:
    api = preset(name)
    assert api is not None
    check_api(api)
    assert api.name == name
    assert api.sources


@pytest.mark.parametrize("name", preset_names())
def test_a_preset_says_nothing_that_nobody_reads(name: str) -> None:
    file = Path(presets.__file__).parent / f"{name}.json"
    api = preset(name)
    assert api is not None

    def is_within(said: object, read: object) -> bool:
        if isinstance(said, dict) and isinstance(read, dict):
            return all(key in read and is_within(value, read[key]) for key, value in said.items())
        if isinstance(said, list) and isinstance(read, list):
            return len(said) == len(read) and all(map(is_within, said, read))
        return said == read

    assert is_within(json.loads(file.read_text()), json.loads(dump(api)))


@pytest.mark.parametrize("name", ["", "steve", "../secrets", "citrineos.json", "CitrineOS", "/etc/passwd", "a" * 200])
def test_a_name_is_a_preset_or_nothing(name: str) -> None:
    assert preset(name) is None
    problem = problem_of(csms_of(name))
    assert problem.field == "preset"
    assert "citrineos" in problem.problem


def test_a_name_cannot_lead_to_another_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "presets").mkdir()
    (tmp_path / "outside.json").write_text(dump(OWN))
    monkeypatch.setattr(presets, "_FILES", tmp_path / "presets")
    preset.cache_clear()
    assert preset("../outside") is None
    preset.cache_clear()


def test_a_new_file_is_a_new_preset(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "brandnew.json").write_text(dump(replace(OWN, name="brandnew")))
    monkeypatch.setattr(presets, "_FILES", tmp_path)
    preset.cache_clear()
    assert preset_of(csms_of("brandnew")).name == "brandnew"
    preset.cache_clear()


# --- A registry entry ------------------------------------------------------------------------------------------------


def test_a_mode_in_which_the_csms_does_not_answer_is_named() -> None:
    assert problem_of(csms_of("plugchoice", CsmsMode.CALLBACK)).field == "mode"


def test_an_unknown_parameter_is_named() -> None:
    assert problem_of(csms_of("citrineos", tenant="1")).field == "parameters.tenant"


def test_a_parameter_without_a_default_must_be_given() -> None:
    assert problem_of(csms_of("emabler", action="x")).field == "parameters.resource"
    assert problem_of(csms_of("emabler", action="x", resource="")).field == "parameters.resource"


def test_what_the_feed_of_a_csms_reads_from_its_entry_is_allowed_with_every_preset() -> None:
    preset_of(csms_of("citrineos", transaction_at="ocpp.id", session_id_is_transaction="true"))


@pytest.mark.parametrize("name", ["", "custom"])
def test_an_entry_may_describe_its_api_itself(name: str) -> None:
    assert preset_of(replace(csms_of(name), api=OWN)) == OWN


def test_an_entry_has_a_preset_or_a_description_and_not_both() -> None:
    assert problem_of(replace(csms_of("citrineos"), api=OWN)).field == "preset"


@pytest.mark.parametrize(
    "api",
    [
        OWN,
        *map(preset, preset_names()),
        CsmsApi(
            name="other",
            operations=(
                Operation(
                    RequestKind.GET,
                    "/{account}",
                    versions=("2.0.1",),
                    method="GET",
                    query={"seconds": "{duration}"},
                    body=Body(("a",), ("b",), {"c": "d"}, Spelling.SNAKE_CASE, ("e",), {"f": "{unit}"}),
                    http_answers={"202": "Accepted"},
                ),
            ),
            callback=Reading((0, "a"), Spelling.SNAKE_CASE, ("b",), (1,), ("c",), ("d", 2), ("e",), {"ok": "Accepted"}),
            verdict_at=(),
            parameters={"account": "main"},
        ),
    ],
)
def test_an_entry_with_a_description_survives_the_registry(api: CsmsApi) -> None:
    csms = replace(csms_of("custom"), api=api)
    assert load(Csms, dump(csms)) == csms


@pytest.mark.parametrize(
    ("api", "field"),
    [
        (replace(OWN, operations=()), "api.operations"),
        (replace(OWN, synchronous=None), "api.synchronous"),
        (replace(OWN, operations=OWN.operations * 2), "api.operations.1"),
        (replace(OWN, parameters={"station_id": "x"}), "api.parameters.station_id"),
        (replace(OWN, required=("transaction_at",)), "api.parameters.transaction_at"),
        (replace(OWN, operations=(Operation(RequestKind.SET, "@evil.example/"),)), "api.operations.0.path"),
        (replace(OWN, operations=(Operation(RequestKind.SET, "/{nothing}"),)), "api.operations.0.path"),
        (replace(OWN, operations=(Operation(RequestKind.SET, "/{"),)), "api.operations.0.path"),
        (replace(OWN, operations=(Operation(RequestKind.SET, "/{station_id.__class__}"),)), "api.operations.0.path"),
        (replace(OWN, operations=(Operation(RequestKind.SET, "/{station_id!r}"),)), "api.operations.0.path"),
        (replace(OWN, operations=(Operation(RequestKind.SET, "/{station_id:>9}"),)), "api.operations.0.path"),
        (replace(OWN, operations=(Operation(RequestKind.SET, "/", query={"a": "{b}"}),)), "api.operations.0.query.a"),
        (
            replace(OWN, operations=(Operation(RequestKind.SET, "/", body=Body(add={"a": "{}"})),)),
            "api.operations.0.body.add.a",
        ),
    ],
)
def test_a_description_that_could_not_be_called_is_refused_with_its_field(api: CsmsApi, field: str) -> None:
    assert problem_of(replace(csms_of("custom"), api=api)).field == field
