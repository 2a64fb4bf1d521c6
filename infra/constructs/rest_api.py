"""A regional REST API of the bridge: routes to functions, access logs without secrets, and an answer for every error."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from aws_cdk import Aws, RemovalPolicy
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from constructs import Construct, IDependable

from infra.constructs.acknowledgements import acknowledge
from infra.constructs.function import BridgeFunction
from infra.constructs.log_groups import log_group
from infra.constructs.metrics import FIVE_MINUTES
from infra.stages import StageSettings

CLIENT_ERROR: Final = 2000
SERVER_ERROR: Final = 3000
"""OCPI's generic status codes (OCPI 2.2.1, 5): the closest that a gateway can come to OCPI."""

RETRY_AFTER_SECONDS: Final = 1
"""The throttle is a token bucket that refills within a second."""

# $context.path, .requestOverride and the query string stay out: a callback's path carries its signature, a query may
# carry a response_url. $context.resourcePath is the template, such as /csms/v1/callback/{command_id}/{signature}.
_ACCESS_LOG: Final = {
    "request_id": "$context.requestId",
    "time": "$context.requestTimeEpoch",
    "source_ip": "$context.identity.sourceIp",
    "method": "$context.httpMethod",
    "resource": "$context.resourcePath",
    "status": "$context.status",
    "response_bytes": "$context.responseLength",
    "latency_ms": "$context.responseLatency",
    "function_latency_ms": "$context.integrationLatency",
    "function_status": "$context.integrationStatus",
    "gateway_error": "$context.error.responseType",
}


@dataclass(frozen=True, slots=True)
class ApiStage:
    """The deployed stage of an API, for what stands before it.

    Attributes:
        arn: The stage as other services know it.

    """

    api_id: str
    stage_name: str
    arn: str


class ApiLogging(Construct):
    """The role by which API Gateway writes access logs: one for all APIs of an account and region.

    It is kept when the stack goes, since other APIs of the account may have come to depend on it.
    """

    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id)
        role = iam.Role(
            self,
            "Role",
            assumed_by=iam.ServicePrincipal("apigateway.amazonaws.com"),
            managed_policies=[
                iam.ManagedPolicy.from_aws_managed_policy_name("service-role/AmazonAPIGatewayPushToCloudWatchLogs")
            ],
        )
        role.apply_removal_policy(RemovalPolicy.RETAIN)
        acknowledge(
            role,
            "IAM4",
            "API Gateway checks for exactly these rights when the account's role is set; AWS maintains the list.",
            finding="Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs",
        )
        self.account = apigateway.CfnAccount(self, "Account", cloud_watch_role_arn=role.role_arn)
        self.account.apply_removal_policy(RemovalPolicy.RETAIN)


class BridgeApi(Construct):
    """A REST API whose every answer is a function's, save those that no function sees.

    Attributes:
        url: Where the API is reached, its stage included, without a trailing slash.
        stage: The stage that it is deployed at.
        name: What it is called; its metrics carry it.

    """

    def __init__(
        self, scope: Construct, construct_id: str, settings: StageSettings, *, description: str, logging: IDependable
    ) -> None:
        super().__init__(scope, construct_id)
        self.name = f"{settings.prefix}-{construct_id}"
        access_log = log_group(self, "AccessLog", f"/aws/apigateway/{self.name}", settings)
        self._api = apigateway.RestApi(
            self,
            "Api",
            rest_api_name=self.name,
            description=description,
            endpoint_configuration=apigateway.EndpointConfiguration(types=[apigateway.EndpointType.REGIONAL]),
            cloud_watch_role=False,
            deploy_options=apigateway.StageOptions(
                stage_name=settings.name,
                tracing_enabled=True,
                access_log_destination=apigateway.LogGroupLogDestination(access_log),
                access_log_format=apigateway.AccessLogFormat.custom(json.dumps(_ACCESS_LOG)),
                throttling_rate_limit=settings.api_requests_per_second,
                throttling_burst_limit=settings.api_burst,
            ),
        )
        # The stack has outputs of its own, with addresses that hold on the embedded AWS too.
        self._api.node.try_remove_child("Endpoint")
        self._api.deployment_stage.node.add_dependency(logging)
        self._resources: dict[str, apigateway.IResource] = {"": self._api.root}
        self._routed: set[str] = set()
        self.url = self._url(settings)
        self.stage = ApiStage(
            self._api.rest_api_id, self._api.deployment_stage.stage_name, self._api.deployment_stage.stage_arn
        )
        self._answer_for_the_gateway()
        self._acknowledge()

    def route(self, path: str, function: BridgeFunction) -> None:
        """Send a path's requests to the function's alias, whatever their method: it knows which ones it has."""
        self._resource(path).add_method("ANY", _integration(function))
        self._routed.add(path)

    def answer_everything_else(self, function: BridgeFunction) -> None:
        """Send every path that no route takes to this function."""
        self._resource("/{proxy+}")
        for path, resource in self._resources.items():
            if path not in self._routed:
                resource.add_method("ANY", _integration(function))

    def metric(self, name: str, statistic: str, label: str) -> cloudwatch.Metric:
        """Return a metric of API Gateway about this API."""
        return cloudwatch.Metric(
            namespace="AWS/ApiGateway",
            metric_name=name,
            dimensions_map={"ApiName": self.name, "Stage": self.stage.stage_name},
            statistic=statistic,
            period=FIVE_MINUTES,
            label=label,
        )

    def _resource(self, path: str) -> apigateway.IResource:
        above, _, segment = path.rpartition("/")
        if path not in self._resources:
            self._resources[path] = self._resource(above).add_resource(segment)
        return self._resources[path]

    def _url(self, settings: StageSettings) -> str:
        api_id = self._api.rest_api_id
        if settings.api_base_url is not None:
            return f"{settings.api_base_url}/{api_id}/{settings.name}"
        return f"https://{api_id}.execute-api.{Aws.REGION}.{Aws.URL_SUFFIX}/{settings.name}"

    def _answer_for_the_gateway(self) -> None:
        """Give the gateway's own errors the shape of an OCPI answer, but for the time, which it cannot write."""
        kinds = apigateway.ResponseType
        retry = {"Retry-After": f"'{RETRY_AFTER_SECONDS}'"}
        self._gateway_response("Throttled", kinds.THROTTLED, CLIENT_ERROR, "Too many requests.", headers=retry)
        self._gateway_response("TooLarge", kinds.REQUEST_TOO_LARGE, CLIENT_ERROR, "The request is too large.")
        self._gateway_response("Timeout", kinds.INTEGRATION_TIMEOUT, SERVER_ERROR, "No answer in time.")
        self._gateway_response(
            "NoSuchPath", kinds.MISSING_AUTHENTICATION_TOKEN, CLIENT_ERROR, "No such path.", status="404"
        )
        self._gateway_response("Filtered", kinds.WAF_FILTERED, CLIENT_ERROR, "The request was refused by a firewall.")
        self._gateway_response("ClientError", kinds.DEFAULT_4_XX, CLIENT_ERROR, "The request was refused.")
        self._gateway_response("ServerError", kinds.DEFAULT_5_XX, SERVER_ERROR, "The request could not be served.")

    def _gateway_response(
        self,
        construct_id: str,
        kind: apigateway.ResponseType,
        status_code: int,
        message: str,
        *,
        status: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self._api.add_gateway_response(
            construct_id,
            type=kind,
            status_code=status,
            response_headers=headers,
            templates={"application/json": json.dumps({"status_code": status_code, "status_message": message})},
        )

    def _acknowledge(self) -> None:
        stage = self._api.deployment_stage
        own_answer = (
            "The functions answer in OCPI's envelope or as the CSMS expects; a gateway cannot: decided in them."
        )
        acknowledge(self._api, "APIG2", f"Validation: {own_answer}")
        acknowledge(self._api, "APIG4", f"Tokens and signatures: {own_answer}")
        acknowledge(self._api, "COG4", f"Partners and CSMSs are no Cognito users. {own_answer}")
        acknowledge(
            stage, "APIG3", "The edge stack puts a web ACL before it; the embedded AWS has no associations of web ACLs."
        )
        acknowledge(stage, "APIG6", "Execution logs hold paths with signatures and headers with tokens.")


def _integration(function: BridgeFunction) -> apigateway.LambdaIntegration:
    # One permission for the whole API: one per method would outgrow the policy of a function with many routes.
    return apigateway.LambdaIntegration(function.alias, scope_permission_to_method=False)
