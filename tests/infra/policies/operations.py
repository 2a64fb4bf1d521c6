"""Seen, kept and removed as the stage says."""

from tests.infra.policies.reading import alarmed
from tests.infra.policies.sources import dead_letter_queues
from tests.infra.stack_template import StackTemplate

SHARED = {"ApiLogging/Role", "ApiLogging/Account"}
"""One for all APIs of an account and region: others may have come to depend on it, so it stays."""

TABLES = ("AWS::DynamoDB::GlobalTable", "AWS::DynamoDB::Table")


def functions_that_raise_are_alarmed(template: StackTemplate) -> list[str]:
    """Each function's errors, with somebody who is told."""
    watched = alarmed(template, "AWS/Lambda", "Errors", "FunctionName")
    return [path for path, _ in template.of_type("AWS::Lambda::Function") if path not in watched]


def dead_letters_are_alarmed(template: StackTemplate) -> list[str]:
    """Each queue that something is given up to."""
    watched = alarmed(template, "AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName")
    return [path for path in dead_letter_queues(template) if path not in watched]


def logs_forget(template: StackTemplate) -> list[str]:
    """Every log group has a retention, and every function logs into a group of the template."""
    groups = dict(template.of_type("AWS::Logs::LogGroup"))
    endless = [path for path, group in groups.items() if "RetentionInDays" not in group]
    elsewhere = [
        path
        for path, function in template.of_type("AWS::Lambda::Function")
        if template.name(function.get("LoggingConfig", {}).get("LogGroup", "")) not in groups
    ]
    return endless + elsewhere


def apis_log_access_and_nothing_more(template: StackTemplate) -> list[str]:
    """Who called what with which outcome; bodies, headers and paths with secrets never."""
    return [
        path
        for path, stage in template.of_type("AWS::ApiGateway::Stage")
        if "DestinationArn" not in stage.get("AccessLogSetting", {})
        or not stage.get("MethodSettings")
        or any(
            setting.get("DataTraceEnabled") is not False or setting.get("LoggingLevel", "OFF") != "OFF"
            for setting in stage["MethodSettings"]
        )
    ]


def apis_are_throttled(template: StackTemplate) -> list[str]:
    """Every method, by a rate and a burst of the stage's."""
    wrong = []
    for path, stage in template.of_type("AWS::ApiGateway::Stage"):
        everywhere = [
            setting
            for setting in stage.get("MethodSettings", [])
            if (setting.get("HttpMethod"), setting.get("ResourcePath")) == ("*", "/*")
            and setting.get("ThrottlingRateLimit", 0) > 0
            and setting.get("ThrottlingBurstLimit", 0) > 0
        ]
        if not everywhere:
            wrong.append(path)
    return wrong


def data_outlives_its_stack(template: StackTemplate) -> list[str]:
    """For stages that retain data: kept, protected, and restorable to any second of the last 35 days."""
    return [
        path
        for kind in TABLES
        for path, table in template.of_type(kind)
        if template.resource(path).get("DeletionPolicy") != "Retain"
        or template.resource(path).get("UpdateReplacePolicy") != "Retain"
        or not all(
            replica.get("DeletionProtectionEnabled") is True
            and replica["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"] is True
            for replica in table["Replicas"]
        )
    ]


def nothing_outlives_its_stack(template: StackTemplate) -> list[str]:
    """For stages that retain nothing, but for what the account shares."""
    kept = [
        template.paths[logical_id]
        for logical_id, resource in template.document["Resources"].items()
        if resource.get("DeletionPolicy", "Delete") != "Delete" and template.paths.get(logical_id) not in SHARED
    ]
    protected = [
        path
        for path, table in template.of_type("AWS::DynamoDB::GlobalTable")
        if any(replica.get("DeletionProtectionEnabled") for replica in table["Replicas"])
    ]
    return kept + protected


def web_acls_show_no_secret(template: StackTemplate) -> list[str]:
    """Their logs redact tokens, signatures, paths and queries; nothing is sampled; each is logged and in use."""
    wrong = []
    logged = {
        template.name(log["ResourceArn"]): str(log.get("RedactedFields"))
        for _, log in template.of_type("AWS::WAFv2::LoggingConfiguration")
    }
    used = {template.name(one["WebACLArn"]) for _, one in template.of_type("AWS::WAFv2::WebACLAssociation")}
    for path, acl in template.of_type("AWS::WAFv2::WebACL"):
        redacted = logged.get(path, "")
        hidden = all(word in redacted for word in ("authorization", "x-signature", "UriPath", "QueryString"))
        settings = [acl["VisibilityConfig"], *(rule["VisibilityConfig"] for rule in acl["Rules"])]
        sampled = any(setting["SampledRequestsEnabled"] for setting in settings)
        if not hidden or sampled or path not in used:
            wrong.append(path)
    return wrong
