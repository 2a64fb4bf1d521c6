"""A regional web ACL before one API, and its log without secrets."""

import json
from collections.abc import Sequence
from typing import Final

from aws_cdk import Aws, Stack
from aws_cdk import aws_wafv2 as wafv2
from constructs import Construct

from infra.constructs.firewall_rules import ANSWERS, Rule
from infra.constructs.log_groups import log_group
from infra.constructs.rest_api import ApiStage
from infra.stages import StageSettings

SECRET_HEADERS: Final = ("authorization", "x-signature")
"""Headers that carry tokens and signatures; neither the log nor WAF's own views of requests show them."""

LOG_PREFIX: Final = "aws-waf-logs-"
"""WAF writes to log groups with this prefix only."""


class Firewall(Construct):
    """A web ACL with these rules, in their order, associated with the API's stage.

    What passes them passes. Only what a rule stops is logged: what passes is in the API's access log.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        settings: StageSettings,
        *,
        name: str,
        api: ApiStage,
        rules: Sequence[Rule],
    ) -> None:
        super().__init__(scope, construct_id)
        full_name = f"{settings.prefix}-{name}"
        acl = wafv2.CfnWebACL(
            self,
            "Acl",
            name=full_name,
            scope="REGIONAL",
            default_action=wafv2.CfnWebACL.DefaultActionProperty(allow=wafv2.CfnWebACL.AllowActionProperty()),
            visibility_config=_metric(full_name),
            rules=[
                wafv2.CfnWebACL.RuleProperty(
                    name=rule.name,
                    priority=priority,
                    statement=rule.statement,
                    action=rule.action,
                    override_action=rule.override_action,
                    visibility_config=_metric(f"{full_name}-{rule.name}"),
                )
                for priority, rule in enumerate(rules)
            ],
            custom_response_bodies={
                key: wafv2.CfnWebACL.CustomResponseBodyProperty(
                    content_type="APPLICATION_JSON", content=json.dumps(body)
                )
                for key, body in ANSWERS.items()
            },
            data_protection_config=wafv2.CfnWebACL.DataProtectionConfigProperty(
                data_protections=[_substituted("SINGLE_HEADER", *SECRET_HEADERS), _substituted("QUERY_STRING")]
            ),
        )
        wafv2.CfnWebACLAssociation(self, "Association", resource_arn=api.arn, web_acl_arn=acl.attr_arn)
        self._log(acl, full_name, settings)

    def _log(self, acl: wafv2.CfnWebACL, full_name: str, settings: StageSettings) -> None:
        name = f"{LOG_PREFIX}{full_name}"
        group = log_group(self, "Log", name, settings)
        fields = wafv2.CfnLoggingConfiguration.FieldToMatchProperty
        log = wafv2.CfnLoggingConfiguration(
            self,
            "Logging",
            resource_arn=acl.attr_arn,
            # The group's own ARN ends with a wildcard, which WAF does not take.
            log_destination_configs=[
                f"arn:{Aws.PARTITION}:logs:{Stack.of(self).region}:{Aws.ACCOUNT_ID}:log-group:{name}"
            ],
            # Paths of the CSMS API carry tokens and signatures; a query may carry a response_url.
            redacted_fields=[
                *(fields(single_header={"Name": header}) for header in SECRET_HEADERS),
                fields(uri_path={}),
                fields(query_string={}),
            ],
            logging_filter={
                "DefaultBehavior": "DROP",
                "Filters": [
                    {
                        "Behavior": "KEEP",
                        "Conditions": [{"ActionCondition": {"Action": "BLOCK"}}],
                        "Requirement": "MEETS_ANY",
                    }
                ],
            },
        )
        log.node.add_dependency(group)


def _metric(name: str) -> wafv2.CfnWebACL.VisibilityConfigProperty:
    # Samples of requests would show headers and paths to whoever may look at the web ACL.
    return wafv2.CfnWebACL.VisibilityConfigProperty(
        cloud_watch_metrics_enabled=True, metric_name=name, sampled_requests_enabled=False
    )


def _substituted(kind: str, *keys: str) -> wafv2.CfnWebACL.DataProtectProperty:
    return wafv2.CfnWebACL.DataProtectProperty(
        action="SUBSTITUTION",
        field=wafv2.CfnWebACL.FieldToProtectProperty(field_type=kind, field_keys=list(keys) or None),
    )
