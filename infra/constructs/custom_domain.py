"""A domain name of the CPO's own before the OCPI API, so that a partner keeps its addresses whatever becomes of the API."""

from aws_cdk import aws_apigateway as apigateway
from constructs import Construct

from infra.constructs.rest_api import ApiStage
from infra.stages import Domain


class CustomDomain(Construct):
    """A regional domain name whose root is the OCPI API; TLS 1.2 or newer.

    Attributes:
        target: What the domain's record in DNS has to be an alias of (A and AAAA), or a CNAME to.
        hosted_zone_id: The hosted zone of that target, for an alias in Route 53.

    """

    def __init__(self, scope: Construct, construct_id: str, domain: Domain, *, api: ApiStage) -> None:
        super().__init__(scope, construct_id)
        name = apigateway.CfnDomainName(
            self,
            "Name",
            domain_name=domain.name,
            regional_certificate_arn=domain.certificate_arn,
            endpoint_configuration=apigateway.CfnDomainName.EndpointConfigurationProperty(types=["REGIONAL"]),
            security_policy="TLS_1_2",
        )
        apigateway.CfnBasePathMapping(self, "Root", domain_name=name.ref, rest_api_id=api.api_id, stage=api.stage_name)
        self.target = name.attr_regional_domain_name
        self.hosted_zone_id = name.attr_regional_hosted_zone_id
