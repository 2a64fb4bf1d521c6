"""What stands before the APIs on AWS: a web ACL for each, and a domain name of the CPO's own. It only composes.

A stack of its own, because the embedded AWS has no associations of web ACLs, and so that rules can change without the
bridge.
"""

from aws_cdk import CfnOutput, Stack
from constructs import Construct

from infra.bridge_stack import BridgeStack
from infra.constructs.custom_domain import CustomDomain
from infra.constructs.firewall import Firewall
from infra.constructs.firewall_rules import csms_rules, ocpi_rules
from infra.stages import StageSettings


class EdgeStack(Stack):
    """The edge of a stage, deployed after the bridge whose APIs it stands before."""

    def __init__(self, scope: Construct, settings: StageSettings, bridge: BridgeStack) -> None:
        super().__init__(
            scope,
            f"{settings.prefix}-edge",
            description="OCPI charging profile bridge: the web ACLs of its APIs, and its domain name.",
        )
        self.add_stack_dependency(bridge, "Its web ACLs are associated with the stages of the bridge's APIs.")
        Firewall(self, "OcpiFirewall", settings, name="ocpi", api=bridge.ocpi_stage, rules=ocpi_rules(settings))
        Firewall(self, "CsmsFirewall", settings, name="csms", api=bridge.csms_stage, rules=csms_rules(settings))
        if settings.domain is not None:
            domain = CustomDomain(self, "Domain", settings.domain, api=bridge.ocpi_stage)
            CfnOutput(self, "DomainTarget", value=domain.target)
            CfnOutput(self, "DomainTargetHostedZoneId", value=domain.hosted_zone_id)
