"""Least privilege: who may do what, and who may be called by whom."""

from collections.abc import Iterator

from tests.infra.policies.reading import function_of, several, statements
from tests.infra.stack_template import StackTemplate

WILDCARDS = {
    "/stream/*": "Lambda insists on ListStreams, which lists the streams of the one table.",
    "/partners/*": "Secrets of partners are made when these are registered; their folder is fixed.",
    "/csms/*": "Secrets of CSMSs are made when these are registered; their folder is fixed.",
    "/callback-signing-??????": "Secrets Manager ends each name with six characters of its own.",
}
"""The only patterns among resources, by how they end, with their reasons."""

WITHOUT_RESOURCES = {
    "xray:PutTraceSegments": "X-Ray's actions know no resources; a trace is written, and nothing read.",
    "xray:PutTelemetryRecords": "As above.",
}
"""The only actions on `*`, with their reasons."""

MANAGED_POLICIES = {
    "service-role/AmazonAPIGatewayPushToCloudWatchLogs": "API Gateway checks for exactly these rights.",
}

INVOKERS = {"apigateway.amazonaws.com", "events.amazonaws.com"}


def _granted(template: StackTemplate) -> Iterator[tuple[str, str, str]]:
    """Path, action and resource of everything that roles are allowed."""
    inline = (
        (path, statement)
        for path, role in template.of_type("AWS::IAM::Role")
        for policy in role.get("Policies", [])
        for statement in policy["PolicyDocument"]["Statement"]
    )
    for path, statement in [*statements(template, "AWS::IAM::Policy"), *inline]:
        if statement["Effect"] == "Allow":
            for action in several(statement["Action"]):
                for resource in several(statement["Resource"]):
                    yield path, action, template.name(resource)


def no_action_is_a_pattern(template: StackTemplate) -> list[str]:
    """Each right is named."""
    return [f"{path}: {action}" for path, action, _ in _granted(template) if "*" in action or "?" in action]


def resources_are_named(template: StackTemplate) -> list[str]:
    """No `*`, and no pattern, that has no reason in the lists above."""
    return [
        f"{path}: {action} on {resource}"
        for path, action, resource in _granted(template)
        if (resource == "*" and action not in WITHOUT_RESOURCES)
        or (resource != "*" and ("*" in resource or "?" in resource) and not resource.endswith(tuple(WILDCARDS)))
    ]


def no_statement_says_what_is_not_meant(template: StackTemplate) -> list[str]:
    """NotAction, NotResource and NotPrincipal allow whatever comes to exist later."""
    kinds = ("AWS::IAM::Policy", "AWS::SQS::QueuePolicy", "AWS::SNS::TopicPolicy")
    return [
        path
        for kind in kinds
        for path, statement in statements(template, kind)
        if {"NotAction", "NotResource", "NotPrincipal"} & statement.keys()
    ]


def roles_are_assumed_by_one_service(template: StackTemplate) -> list[str]:
    """And have no rights of AWS's lists beyond the one that must be."""
    wrong = [
        path
        for path, statement in statements(template, "AWS::IAM::Role", "AssumeRolePolicyDocument")
        if set(statement["Principal"]) != {"Service"} or len(several(statement["Principal"]["Service"])) != 1
    ]
    managed = [
        path
        for path, role in template.of_type("AWS::IAM::Role")
        for arn in role.get("ManagedPolicyArns", [])
        if not template.name(arn).endswith(tuple(MANAGED_POLICIES))
    ]
    return wrong + managed


def a_role_is_one_functions(template: StackTemplate) -> list[str]:
    """So no function may do what only another needs."""
    roles = [template.name(function["Role"]) for _, function in template.of_type("AWS::Lambda::Function")]
    return [role for role in set(roles) if roles.count(role) > 1]


def functions_are_invoked_by_alias_for_one_source(template: StackTemplate) -> list[str]:
    """By an API or a rule of ours, and by no address of their own."""
    wrong = [
        path
        for path, permission in template.of_type("AWS::Lambda::Permission")
        if permission["Principal"] not in INVOKERS
        or "SourceArn" not in permission
        or not template.name(permission["FunctionName"]).endswith("/Alias")
    ]
    return wrong + [path for path, _ in template.of_type("AWS::Lambda::Url")]


def queues_and_buses_are_open_to_named_sources(template: StackTemplate) -> list[str]:
    """A service only for a rule of ours; another account only for reports."""
    kinds = ("AWS::SQS::QueuePolicy", "AWS::SNS::TopicPolicy")
    open_ = [
        path
        for kind in kinds
        for path, statement in statements(template, kind)
        if statement["Effect"] == "Allow" and not statement.get("Condition")
    ]
    buses = [
        path
        for path, policy in template.of_type("AWS::Events::EventBusPolicy")
        if policy.get("Statement", {}).get("Condition", {}).get("StringEquals") != {"events:detail-type": "csms.events"}
    ]
    return open_ + buses


def environments_hold_no_secret(template: StackTemplate) -> list[str]:
    """A reference to a secret would be resolved into the function's configuration."""
    return [
        function_of(path)
        for path, function in template.of_type("AWS::Lambda::Function")
        for value in function.get("Environment", {}).get("Variables", {}).values()
        if "resolve:secretsmanager" in str(value) or "resolve:ssm-secure" in str(value)
    ]
