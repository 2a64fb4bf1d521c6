"""The two APIs: what they route where, and what they write about a call."""

import json

import pytest

from ocpi_bridge.ocpi.versions import VERSIONS
from tests.infra.stack_template import Properties, StackTemplate

pytestmark = pytest.mark.integration

ROUTES = {
    ("OcpiApi", "ANY", "/ocpi/versions", "ocpi_versions"),
    *(
        ("OcpiApi", "ANY", f"/ocpi/{version}{path}", function)
        for version in VERSIONS
        for path, function in (
            ("", "ocpi_versions"),
            ("/credentials", "ocpi_credentials"),
            ("/sessions", "ocpi_sessions"),
            ("/sessions/{session_id}", "ocpi_fallback"),
            ("/sessions/{session_id}/charging_preferences", "ocpi_sessions"),
            ("/chargingprofiles", "ocpi_fallback"),
            ("/chargingprofiles/{session_id}", "ocpi_charging_profiles"),
        )
    ),
    ("OcpiApi", "ANY", "/v1/cpo/ocpi2.2/pair", "ocpi_pairing"),
    ("OcpiApi", "ANY", "/v1", "ocpi_fallback"),
    ("OcpiApi", "ANY", "/v1/cpo", "ocpi_fallback"),
    ("OcpiApi", "ANY", "/v1/cpo/ocpi2.2", "ocpi_fallback"),
    ("OcpiApi", "ANY", "/", "ocpi_fallback"),
    ("OcpiApi", "ANY", "/{proxy+}", "ocpi_fallback"),
    ("OcpiApi", "ANY", "/ocpi", "ocpi_fallback"),
    ("CsmsApi", "ANY", "/csms/v1/events", "csms_events"),
    ("CsmsApi", "ANY", "/csms/v1/citrineos/{csms_id}/{token}", "csms_frames"),
    (
        "CsmsApi",
        "ANY",
        "/csms/v1/ocpi/{csms_id}/sessions/{country_code}/{party_id}/{session_id}",
        "csms_sessions",
    ),
    ("CsmsApi", "ANY", "/csms/v1/callback/{command_id}/{signature}", "csms_callback"),
}


def _path(template: StackTemplate, value: Properties) -> str:
    match value:
        case {"Fn::GetAtt": [_, "RootResourceId"]}:
            return ""
        case {"Ref": logical_id}:
            properties = template.document["Resources"][logical_id]["Properties"]
            return f"{_path(template, properties['ParentId'])}/{properties['PathPart']}"
    raise AssertionError(value)


def _alias(uri: Properties) -> Properties:
    alias: Properties = next(part for part in uri["Fn::Join"][1] if "Ref" in part and "Alias" in part["Ref"])
    return alias


def test_every_path_and_method_has_a_function_and_the_fallback_has_the_rest(production: StackTemplate) -> None:
    routes = set()
    for path, method in production.of_type("AWS::ApiGateway::Method"):
        integration = method["Integration"]
        assert integration["Type"] == "AWS_PROXY"
        alias = production.name(_alias(integration["Uri"]))
        assert alias.endswith("/Alias")
        resource = _path(production, method["ResourceId"]) or "/"
        routes.add((path.split("/")[0], method["HttpMethod"], resource, alias.split("/")[1]))

    assert routes == ROUTES


def test_the_apis_are_regional_and_throttled(production: StackTemplate) -> None:
    for path, api in production.of_type("AWS::ApiGateway::RestApi"):
        assert api["EndpointConfiguration"] == {"Types": ["REGIONAL"]}, path
    for path, stage in production.of_type("AWS::ApiGateway::Stage"):
        (setting,) = stage["MethodSettings"]
        assert (setting["HttpMethod"], setting["ResourcePath"]) == ("*", "/*")
        assert (setting["ThrottlingRateLimit"], setting["ThrottlingBurstLimit"]) == (200, 400), path
        assert setting["DataTraceEnabled"] is False


def test_the_access_log_tells_the_route_and_never_the_path_or_the_query(production: StackTemplate) -> None:
    stages = list(production.of_type("AWS::ApiGateway::Stage"))

    assert len(stages) == 2
    for _, stage in stages:
        written = json.loads(stage["AccessLogSetting"]["Format"])
        assert written["resource"] == "$context.resourcePath"
        for secretive in ("$context.path", "requestOverride", "querystring", "authorizer", "$context.identity.user"):
            assert secretive not in stage["AccessLogSetting"]["Format"]


def test_the_account_may_write_access_logs_before_a_stage_asks_for_them(production: StackTemplate) -> None:
    (account,) = (
        logical_id
        for logical_id, resource in production.document["Resources"].items()
        if resource["Type"] == "AWS::ApiGateway::Account"
    )
    for path, _ in production.of_type("AWS::ApiGateway::Stage"):
        assert account in production.resource(path)["DependsOn"]


def test_the_gateways_own_errors_look_like_ocpi_without_a_time(production: StackTemplate) -> None:
    seen: dict[str, set[str]] = {"OcpiApi": set(), "CsmsApi": set()}
    for path, response in production.of_type("AWS::ApiGateway::GatewayResponse"):
        body = json.loads(response["ResponseTemplates"]["application/json"])
        assert set(body) == {"status_code", "status_message"}
        assert body["status_code"] in {2000, 3000}
        seen[path.split("/")[0]].add(response["ResponseType"])

    expected = {
        "THROTTLED",
        "REQUEST_TOO_LARGE",
        "INTEGRATION_TIMEOUT",
        "MISSING_AUTHENTICATION_TOKEN",
        "WAF_FILTERED",
        "DEFAULT_4XX",
        "DEFAULT_5XX",
    }
    assert seen == {"OcpiApi": expected, "CsmsApi": expected}


def test_who_calls_too_often_is_told_when_to_come_back(production: StackTemplate) -> None:
    for _, response in production.of_type("AWS::ApiGateway::GatewayResponse"):
        if response["ResponseType"] == "THROTTLED":
            assert response["ResponseParameters"] == {"gatewayresponse.header.Retry-After": "'1'"}
