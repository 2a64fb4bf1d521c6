"""docs/openapi.json says what the code says, routes what the stack routes, and is a document that tools can read."""

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from ocpi_bridge.ocpi.charging_profiles import MAX_PERIODS
from ocpi_bridge.ocpi.session_pages import MAX_PAGE
from tests.contract.documented import DOCUMENT, problems
from tools.openapi.__main__ import PATH, text

METHODS = {"get", "put", "post", "delete", "patch"}


def operations() -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (path, method, item[method])
        for path, item in DOCUMENT["paths"].items()
        for method in sorted(METHODS & item.keys())
    ]


def modules() -> list[tuple[str, str, dict[str, Any]]]:
    """Those of OCPI's modules; pairing and the CSMS's side are none."""
    return [one for one in operations() if one[2]["tags"][0] not in {"csms", "pairing"}]


def calls_of_ours() -> Iterator[dict[str, Any]]:
    for hook in DOCUMENT["webhooks"].values():
        yield from (hook[method] for method in METHODS & hook.keys())
    for _, _, operation in operations():
        for callback in operation.get("callbacks", {}).values():
            yield from (item["post"] for item in callback.values())


def references(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for part in value.values():
            yield from references(part)
    elif isinstance(value, list):
        for part in value:
            yield from references(part)


def referred(reference: str) -> object:
    found: Any = DOCUMENT
    for key in reference.removeprefix("#/").split("/"):
        found = found[key]
    return found


ALL_REFERENCES = sorted(set(references(DOCUMENT)))


def test_the_file_is_what_the_code_says() -> None:
    assert PATH.read_text(encoding="utf-8") == text(), "run: make openapi"


@pytest.mark.integration
def test_it_has_every_path_that_the_stack_routes_to_a_function_and_no_other() -> None:
    # Imported here: it brings the CDK along, which starts a process.
    from tests.infra.test_apis import ROUTES

    routed = {path for _, _, path, function in ROUTES if function != "ocpi_fallback"}
    assert set(DOCUMENT["paths"]) == routed


@pytest.mark.parametrize("reference", ALL_REFERENCES)
def test_every_reference_leads_somewhere(reference: str) -> None:
    assert reference.startswith("#/components/")
    assert isinstance(referred(reference), dict)


def test_every_component_is_used() -> None:
    components = {
        f"#/components/{kind}/{name}"
        for kind in ("schemas", "parameters", "headers", "responses")
        for name in DOCUMENT["components"][kind]
    }
    assert components == set(ALL_REFERENCES)


@pytest.mark.parametrize("name", DOCUMENT["components"]["schemas"])
def test_every_schema_is_one_and_says_what_it_is(name: str) -> None:
    schema = DOCUMENT["components"]["schemas"][name]
    Draft202012Validator.check_schema(schema)
    assert schema.get("description") or name == "ChargePointAnswer", name
    assert not re.search(r'"(?:title|ge|le|gt|lt)": ', str(schema).replace("'", '"'))


def test_every_operation_has_a_name_of_its_own() -> None:
    names = Counter(operation["operationId"] for _, _, operation in operations())
    assert set(names.values()) == {1}


@pytest.mark.parametrize(
    ("path", "method", "operation"), operations(), ids=lambda part: part if isinstance(part, str) else ""
)
def test_an_operation_is_complete(path: str, method: str, operation: dict[str, Any]) -> None:
    parameters: list[Any] = [referred(one["$ref"]) for one in operation.get("parameters", [])]
    in_path = {one["name"] for one in parameters if one["in"] == "path"}
    assert in_path == set(re.findall(r"{(\w+)}", path))
    assert all(one.get("required") for one in parameters if one["in"] == "path")
    assert ("requestBody" in operation) == (method in {"put", "post", "patch"})
    assert operation["tags"][0] in {tag["name"] for tag in DOCUMENT["tags"]}
    for requirement in operation["security"]:
        assert requirement.keys() <= DOCUMENT["components"]["securitySchemes"].keys()
    for status, response in operation["responses"].items():
        written: Any = referred(response["$ref"]) if "$ref" in response else response
        assert re.fullmatch(r"[1-5]\d\d", status)
        assert written["description"]
    assert {"405", "413", "429", "504"} <= operation["responses"].keys()
    if operation["security"]:
        assert "401" in operation["responses"]


@pytest.mark.parametrize(
    ("path", "method", "operation"), modules(), ids=lambda part: part if isinstance(part, str) else ""
)
def test_every_answer_of_a_module_has_the_envelope_and_both_ids(
    path: str, method: str, operation: dict[str, Any]
) -> None:
    for status, response in operation["responses"].items():
        if status in {"413", "429", "504"}:
            continue
        written: Any = referred(response["$ref"]) if "$ref" in response else response
        assert "#/components/schemas/Envelope" in set(references(written["content"])), (path, method, status)
        assert {"X-Request-ID", "X-Correlation-ID"} <= written["headers"].keys()
        routed = "OCPI-from-party-id" in written["headers"]
        assert routed == (operation["tags"][0] not in {"versions", "credentials"}), (path, method, status)


def test_our_own_calls_carry_the_bare_object() -> None:
    for operation in calls_of_ours():
        if "requestBody" in operation:
            schema = operation["requestBody"]["content"]["application/json"]["schema"]
            assert schema.keys() == {"$ref"}
            assert not schema["$ref"].endswith("Envelope")


def test_only_the_handshake_is_without_routing_headers() -> None:
    for name, hook in DOCUMENT["webhooks"].items():
        for method in METHODS & hook.keys():
            sent = {one["$ref"].rpartition("/")[2] for one in hook[method]["parameters"]}
            assert {"X-Request-ID", "X-Correlation-ID"} <= sent
            assert ("OCPI-from-party-id" in sent) == (name not in {"versions", "credentials"})


def test_every_request_that_is_answered_later_says_with_which_result() -> None:
    results = {
        (method, callback["requestBody"]["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2])
        for path, method, operation in operations()
        if "chargingprofiles" in path
        for item in operation["callbacks"]["result"].values()
        for callback in item.values()
    }
    assert results == {("get", "ActiveChargingProfileResult"), ("put", "ProfileResult"), ("delete", "ProfileResult")}


def test_bounds_of_the_readers_stand_in_the_document() -> None:
    schemas = DOCUMENT["components"]["schemas"]
    periods = schemas["ChargingProfile"]["properties"]["charging_profile_period"]["anyOf"][0]
    assert periods["maxItems"] == MAX_PERIODS
    assert DOCUMENT["components"]["headers"]["X-Limit"]["schema"]["const"] == str(MAX_PAGE)


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        ("ChargingProfileResponse", {"result": "ACCEPTED"}),
        ("ChargingProfileResponse", {"result": "OK", "timeout": 30}),
        ("ProfileResult", {"result": "NOT_SUPPORTED"}),
        ("ProfileResult", {"result": "ACCEPTED", "profile": None}),
        ("Envelope", {"status_code": 1000, "status_message": "Success", "timestamp": "2026-01-15T17:00:00+00:00"}),
        ("Envelope", {"status_code": 1000, "status_message": "Success", "timestamp": "2026-01-15T17:00:00.123456Z"}),
        ("Envelope", {"status_code": 200, "status_message": "Success", "timestamp": "2026-01-15T17:00:00Z"}),
        ("SessionPatch", {"kwh": 1.5}),
        ("SessionPatch", {"kwh": "1.5", "last_updated": "2026-01-15T17:00:00Z"}),
        ("SetChargingProfile", {"charging_profile": {"charging_rate_unit": "kW"}, "response_url": "https://x"}),
        ("Credentials", {"token": "with space", "url": "https://x", "roles": [{"role": "CPO"}]}),
    ],
    ids=str,
)
def test_the_document_refuses_what_breaks_the_specification(schema: str, message: object) -> None:
    assert problems(schema, message)
