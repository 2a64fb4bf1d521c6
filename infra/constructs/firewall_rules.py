"""The rules of the web ACLs: sizes, rates, and AWS's managed rules without those that stop what OCPI asks for.

What a rule of ours stops is told why, as far as a firewall can: in the shape of an OCPI answer, without its time.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from aws_cdk import aws_wafv2 as wafv2

from infra.stages import StageSettings

Acl = wafv2.CfnWebACL

LONGEST_BODY_DIGITS: Final = r"^([2-9][0-9]{5}|[0-9]{7,})$"
"""A Content-Length of 200,000 or more: longer than what any door takes. WAF itself looks at 16 KB of a body only."""

LONGEST_SMALL_BODY: Final = 16_384
"""Credentials with a hundred roles; of OCPI's other bodies only a charging profile is longer."""

LONGEST_PATH: Final = 1_024
LONGEST_QUERY: Final = 4_096
LONGEST_HEADER: Final = 4_096
"""In bytes, as the functions bound them, but for headers: WAF sees 8 KB and 200 of them, and more counts as too long."""

WINDOW_SECONDS: Final = 60
"""The shortest window that WAF counts in, so that who was stopped is let in again soon."""

CHARGING_PROFILES: Final = "/chargingprofiles/"
FRAMES: Final = "/csms/v1/citrineos/"

TOO_OFTEN: Final = "too_often"
TOO_LARGE: Final = "too_large"
ANSWERS: Final[Mapping[str, Mapping[str, object]]] = {
    TOO_OFTEN: {"status_code": 2000, "status_message": "Too many requests."},
    TOO_LARGE: {"status_code": 2000, "status_message": "The request is too large."},
}

_COMMON: Final[Mapping[str, str]] = {
    "NoUserAgent_HEADER": "Partners and CSMSs are programs, and OCPI asks for no User-Agent.",
    "SizeRestrictions_QUERYSTRING": "Bounded by our own rule: a response_url and a page's cursor need more.",
    "SizeRestrictions_BODY": "Bounded by our own rules, by path: a charging profile is longer than its 8 KB.",
    "EC2MetaDataSSRF_QUERYARGUMENTS": "A response_url is a URL; our own guard answers 2001 and counts by host.",
    "EC2MetaDataSSRF_BODY": "The same in the body of a PUT and in credentials.",
    "GenericRFI_QUERYARGUMENTS": "A URL in the query is what OCPI asks for in GET and DELETE.",
    "GenericRFI_BODY": "A URL in the body is what OCPI asks for: response_url, and the versions URL of credentials.",
    "RestrictedExtensions_QUERYARGUMENTS": "A response_url may end in any way that its owner likes.",
}
_COMMON_CSMS: Final[Mapping[str, str]] = {
    **_COMMON,
    "CrossSiteScripting_BODY": "Raw OCPP frames carry signed meter values, which may be XML.",
}


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of a web ACL: a statement, and what happens to requests that match it."""

    name: str
    statement: wafv2.CfnWebACL.StatementProperty
    action: wafv2.CfnWebACL.RuleActionProperty | None = None
    override_action: wafv2.CfnWebACL.OverrideActionProperty | None = None


def ocpi_rules(settings: StageSettings) -> Sequence[Rule]:
    """The rules before the API that partners call. One partner is one token."""
    small = Acl.StatementProperty(
        and_statement=Acl.AndStatementProperty(
            statements=[
                _longer(Acl.FieldToMatchProperty(body=Acl.BodyProperty(oversize_handling="MATCH")), LONGEST_SMALL_BODY),
                _not(_path_has(CHARGING_PROFILES)),
            ]
        )
    )
    return (
        *_sizes(),
        _too_large("SmallBody", small),
        _by_address(settings),
        _by("Token", settings, _hashed_header("authorization")),
        *_managed(_COMMON),
    )


def csms_rules(settings: StageSettings) -> Sequence[Rule]:
    """The rules before the API that CSMSs call. A CSMS is known by its header, its token or the secret path of its frames.

    Callback URLs are used once, so of those only the address can be counted.
    """
    path = Acl.RateBasedStatementCustomKeyProperty(
        uri_path=Acl.RateLimitUriPathProperty(text_transformations=[_transformation("MD5")])
    )
    return (
        *_sizes(),
        _by_address(settings),
        _by("Csms", settings, _hashed_header("x-csms-id")),
        _by("Token", settings, _hashed_header("authorization")),
        _by("Frames", settings, path, within=_path_has(FRAMES)),
        *_managed(_COMMON_CSMS),
    )


def _sizes() -> tuple[Rule, ...]:
    headers = Acl.FieldToMatchProperty(
        headers=Acl.HeadersProperty(match_pattern={"All": {}}, match_scope="ALL", oversize_handling="MATCH")
    )
    return (
        _too_large("LongPath", _longer(Acl.FieldToMatchProperty(uri_path={}), LONGEST_PATH)),
        _too_large("LongQuery", _longer(Acl.FieldToMatchProperty(query_string={}), LONGEST_QUERY)),
        _too_large("LongHeaders", _longer(headers, LONGEST_HEADER)),
        _too_large("LongBody", _announced(LONGEST_BODY_DIGITS)),
    )


def _too_large(name: str, statement: wafv2.CfnWebACL.StatementProperty) -> Rule:
    return Rule(name, statement, action=_block(413, TOO_LARGE))


def _by_address(settings: StageSettings) -> Rule:
    statement = Acl.RateBasedStatementProperty(
        aggregate_key_type="IP",
        limit=settings.address_requests_per_minute,
        evaluation_window_sec=WINDOW_SECONDS,
    )
    return _too_often("ByAddress", statement)


def _by(
    name: str,
    settings: StageSettings,
    key: wafv2.CfnWebACL.RateBasedStatementCustomKeyProperty,
    *,
    within: wafv2.CfnWebACL.StatementProperty | None = None,
) -> Rule:
    statement = Acl.RateBasedStatementProperty(
        aggregate_key_type="CUSTOM_KEYS",
        custom_keys=[key],
        limit=settings.token_requests_per_minute,
        evaluation_window_sec=WINDOW_SECONDS,
        scope_down_statement=within,
    )
    return _too_often(f"By{name}", statement)


def _too_often(name: str, statement: wafv2.CfnWebACL.RateBasedStatementProperty) -> Rule:
    action = _block(429, TOO_OFTEN, retry_after=WINDOW_SECONDS)
    return Rule(name, Acl.StatementProperty(rate_based_statement=statement), action=action)


def _managed(exceptions: Mapping[str, str]) -> tuple[Rule, ...]:
    """AWS's rule groups; those of the exceptions count only."""
    counted = [
        Acl.RuleActionOverrideProperty(name=name, action_to_use=Acl.RuleActionProperty(count={})) for name in exceptions
    ]
    return (
        _group("AWSManagedRulesKnownBadInputsRuleSet"),
        _group("AWSManagedRulesCommonRuleSet", counted),
    )


def _group(name: str, counted: Sequence[wafv2.CfnWebACL.RuleActionOverrideProperty] = ()) -> Rule:
    statement = Acl.ManagedRuleGroupStatementProperty(
        vendor_name="AWS", name=name, rule_action_overrides=list(counted) or None
    )
    return Rule(
        name,
        Acl.StatementProperty(managed_rule_group_statement=statement),
        override_action=Acl.OverrideActionProperty(none={}),
    )


def _block(status: int, answer: str, *, retry_after: int | None = None) -> wafv2.CfnWebACL.RuleActionProperty:
    headers = [Acl.CustomHTTPHeaderProperty(name="Retry-After", value=str(retry_after))] if retry_after else None
    response = Acl.CustomResponseProperty(
        response_code=status, custom_response_body_key=answer, response_headers=headers
    )
    return Acl.RuleActionProperty(block=Acl.BlockActionProperty(custom_response=response))


def _hashed_header(name: str) -> wafv2.CfnWebACL.RateBasedStatementCustomKeyProperty:
    """The header's hash as the key that requests are counted by: WAF need not keep the token itself."""
    header = Acl.RateLimitHeaderProperty(name=name, text_transformations=[_transformation("MD5")])
    return Acl.RateBasedStatementCustomKeyProperty(header=header)


def _longer(field: wafv2.CfnWebACL.FieldToMatchProperty, size: int) -> wafv2.CfnWebACL.StatementProperty:
    constraint = Acl.SizeConstraintStatementProperty(
        comparison_operator="GT", field_to_match=field, size=size, text_transformations=[_transformation("NONE")]
    )
    return Acl.StatementProperty(size_constraint_statement=constraint)


def _announced(digits: str) -> wafv2.CfnWebACL.StatementProperty:
    match = Acl.RegexMatchStatementProperty(
        regex_string=digits,
        field_to_match=Acl.FieldToMatchProperty(single_header={"Name": "content-length"}),
        text_transformations=[_transformation("NONE")],
    )
    return Acl.StatementProperty(regex_match_statement=match)


def _path_has(text: str) -> wafv2.CfnWebACL.StatementProperty:
    # Somewhere in it: the API's stage comes first, but for a custom domain.
    match = Acl.ByteMatchStatementProperty(
        field_to_match=Acl.FieldToMatchProperty(uri_path={}),
        positional_constraint="CONTAINS",
        search_string=text,
        text_transformations=[_transformation("NONE")],
    )
    return Acl.StatementProperty(byte_match_statement=match)


def _not(statement: wafv2.CfnWebACL.StatementProperty) -> wafv2.CfnWebACL.StatementProperty:
    return Acl.StatementProperty(not_statement=Acl.NotStatementProperty(statement=statement))


def _transformation(kind: str) -> wafv2.CfnWebACL.TextTransformationProperty:
    return Acl.TextTransformationProperty(priority=0, type=kind)
