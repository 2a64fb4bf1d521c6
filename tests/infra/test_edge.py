"""The edge: a web ACL before each API that lets OCPI through, says why it stops what it stops, and logs no secret."""

import json
import re
from typing import Any

import pytest

from infra.constructs.firewall_rules import LONGEST_BODY_DIGITS, LONGEST_SMALL_BODY
from ocpi_bridge.adapters.csms.events import MAX_BODY_BYTES as MAX_EVENTS_BYTES
from ocpi_bridge.adapters.csms.frames.posts import MAX_BODY_BYTES as MAX_FRAMES_BYTES
from ocpi_bridge.ocpi.transport import MAX_BODY_BYTES
from tests.infra.stack_template import CERTIFICATE, DOMAIN, StackTemplate

pytestmark = pytest.mark.integration

ACLS = ("OcpiFirewall/Acl", "CsmsFirewall/Acl")


@pytest.fixture
def edge(production: StackTemplate) -> StackTemplate:
    assert production.edge is not None
    return production.edge


def rules(edge: StackTemplate, acl: str) -> dict[str, Any]:
    return {rule["Name"]: rule for rule in edge.resource(acl)["Properties"]["Rules"]}


def counted(rule: dict[str, Any]) -> set[str]:
    """The rules of a managed group that do not stop anything."""
    overrides = rule["Statement"]["ManagedRuleGroupStatement"].get("RuleActionOverrides", [])
    assert all(override["ActionToUse"] == {"Count": {}} for override in overrides)
    return {override["Name"] for override in overrides}


def key_of(rule: dict[str, Any]) -> Any:  # noqa: ANN401 - a part of the template
    statement = rule["Statement"]["RateBasedStatement"]
    assert statement["EvaluationWindowSec"] == 60
    return statement["CustomKeys"][0] if "CustomKeys" in statement else statement["AggregateKeyType"]


def test_the_embedded_aws_has_no_edge_and_every_other_stage_has(
    local: StackTemplate, dev: StackTemplate, production: StackTemplate
) -> None:
    assert (local.edge is None, dev.edge is None, production.edge is None) == (True, False, False)


def test_each_api_has_a_web_acl_of_its_own(edge: StackTemplate) -> None:
    associated = {
        edge.name(association["WebACLArn"]).split(".")[0]: json.dumps(association["ResourceArn"])
        for _, association in edge.of_type("AWS::WAFv2::WebACLAssociation")
    }

    assert set(associated) == set(ACLS)
    assert "OcpiApi" in associated["OcpiFirewall/Acl"]
    assert "CsmsApi" in associated["CsmsFirewall/Acl"]


def test_requests_are_counted_by_address_and_by_the_hash_of_what_names_the_caller(edge: StackTemplate) -> None:
    def hashed(name: str) -> dict[str, Any]:
        return {"Header": {"Name": name, "TextTransformations": [{"Priority": 0, "Type": "MD5"}]}}

    ocpi, csms = (rules(edge, acl) for acl in ACLS)
    for acl in (ocpi, csms):
        assert key_of(acl["ByAddress"]) == "IP"
        assert key_of(acl["ByToken"]) == hashed("authorization")
    assert key_of(csms["ByCsms"]) == hashed("x-csms-id")
    assert "UriPath" in key_of(csms["ByFrames"])
    assert {name for name in ocpi | csms if name.startswith("By")} == {"ByAddress", "ByToken", "ByCsms", "ByFrames"}


def test_one_caller_leaves_half_of_what_the_api_lets_through(production: StackTemplate, edge: StackTemplate) -> None:
    (throttle,) = {
        stage["MethodSettings"][0]["ThrottlingRateLimit"] for _, stage in production.of_type("AWS::ApiGateway::Stage")
    }
    limits = {
        rule["Statement"]["RateBasedStatement"]["Limit"]
        for acl in ACLS
        for rule in rules(edge, acl).values()
        if "RateBasedStatement" in rule["Statement"]
    }

    assert limits == {throttle * 60 // 2}


def test_what_our_own_rules_stop_is_told_why_in_the_shape_of_an_answer(edge: StackTemplate) -> None:
    for acl in ACLS:
        properties = edge.resource(acl)["Properties"]
        bodies = {key: json.loads(body["Content"]) for key, body in properties["CustomResponseBodies"].items()}
        assert all(set(body) == {"status_code", "status_message"} for body in bodies.values())
        for rule in properties["Rules"]:
            if "ManagedRuleGroupStatement" in rule["Statement"]:
                assert rule["OverrideAction"] == {"None": {}}
                continue
            answer = rule["Action"]["Block"]["CustomResponse"]
            assert answer["CustomResponseBodyKey"] in bodies
            assert answer["ResponseCode"] == (429 if rule["Name"].startswith("By") else 413)
            assert ("ResponseHeaders" in answer) == rule["Name"].startswith("By")


@pytest.mark.parametrize(
    ("length", "stopped"),
    [(0, False), (131_072, False), (199_999, False), (200_000, True), (999_999, True), (10_485_760, True)],
)
def test_a_body_that_no_door_takes_is_stopped_by_its_announced_length(length: int, stopped: bool) -> None:
    assert max(MAX_BODY_BYTES, MAX_EVENTS_BYTES, MAX_FRAMES_BYTES) <= 200_000
    assert (re.fullmatch(LONGEST_BODY_DIGITS, str(length)) is not None) is stopped


def test_of_ocpis_bodies_only_a_charging_profile_may_be_long(edge: StackTemplate) -> None:
    size, path = rules(edge, "OcpiFirewall/Acl")["SmallBody"]["Statement"]["AndStatement"]["Statements"]

    assert size["SizeConstraintStatement"]["Size"] == LONGEST_SMALL_BODY
    assert size["SizeConstraintStatement"]["FieldToMatch"] == {"Body": {"OversizeHandling": "MATCH"}}
    assert path["NotStatement"]["Statement"]["ByteMatchStatement"]["SearchString"] == "/chargingprofiles/"
    assert "SmallBody" not in rules(edge, "CsmsFirewall/Acl")


def test_awss_rules_do_not_stop_what_ocpi_asks_for(edge: StackTemplate) -> None:
    for acl in ACLS:
        assert counted(rules(edge, acl)["AWSManagedRulesKnownBadInputsRuleSet"]) == set()
        assert counted(rules(edge, acl)["AWSManagedRulesCommonRuleSet"]) >= {
            "EC2MetaDataSSRF_QUERYARGUMENTS",
            "GenericRFI_QUERYARGUMENTS",
            "GenericRFI_BODY",
            "SizeRestrictions_BODY",
        }


def test_neither_the_log_nor_wafs_own_views_show_tokens_signatures_or_queries(edge: StackTemplate) -> None:
    logs = list(edge.of_type("AWS::WAFv2::LoggingConfiguration"))
    assert len(logs) == len(ACLS)
    for _, log in logs:
        redacted = [json.dumps(field, sort_keys=True) for field in log["RedactedFields"]]
        assert redacted == [
            '{"SingleHeader": {"Name": "authorization"}}',
            '{"SingleHeader": {"Name": "x-signature"}}',
            '{"UriPath": {}}',
            '{"QueryString": {}}',
        ]
        assert log["LoggingFilter"]["DefaultBehavior"] == "DROP"
    for acl in ACLS:
        properties = edge.resource(acl)["Properties"]
        protected = {one["Field"]["FieldType"]: one for one in properties["DataProtectionConfig"]["DataProtections"]}
        assert protected["SINGLE_HEADER"]["Field"]["FieldKeys"] == ["authorization", "x-signature"]
        assert {one["Action"] for one in protected.values()} == {"SUBSTITUTION"}
        assert "QUERY_STRING" in protected


def test_a_domain_is_the_ocpi_apis_root_and_partners_are_told_it(dev: StackTemplate, edge: StackTemplate) -> None:
    assert dev.edge is not None
    ((_, name),) = dev.edge.of_type("AWS::ApiGateway::DomainName")
    ((_, mapping),) = dev.edge.of_type("AWS::ApiGateway::BasePathMapping")

    assert (name["DomainName"], name["RegionalCertificateArn"]) == (DOMAIN, CERTIFICATE)
    assert "BasePath" not in mapping
    assert "OcpiApi" in json.dumps(mapping["RestApiId"])
    assert dev.document["Outputs"]["OcpiApiUrl"]["Value"] == f"https://{DOMAIN}"
    told = dict(dev.functions())["ocpi_versions"]["Environment"]["Variables"]["OCPI_API_URL"]
    assert told == f"https://{DOMAIN}"
    assert list(edge.of_type("AWS::ApiGateway::DomainName")) == []


def test_concurrency_is_reserved_only_where_a_stage_says_so(dev: StackTemplate, production: StackTemplate) -> None:
    assert all("ReservedConcurrentExecutions" not in properties for _, properties in production.functions())
    reserved = {name: properties.get("ReservedConcurrentExecutions") for name, properties in dev.functions()}
    assert {name for name, copies in reserved.items() if copies == 5} == {
        name for name in reserved if name.startswith(("ocpi_", "csms_"))
    }
    # Neither answers anybody who could flood it: one is started by the clock, the other by people at their dashboard.
    assert {name for name, copies in reserved.items() if copies is None} == {"session_widget", "sweep"}
