"""Encrypted at rest, and over TLS only. CloudWatch Logs and EventBridge encrypt by themselves, with keys of AWS."""

from tests.infra.policies.reading import several, statements
from tests.infra.stack_template import StackTemplate


def queues_are_encrypted(template: StackTemplate) -> list[str]:
    """By SQS's own keys, or by one of KMS."""
    return [
        path
        for path, queue in template.of_type("AWS::SQS::Queue")
        if queue.get("SqsManagedSseEnabled") is not True and "KmsMasterKeyId" not in queue
    ]


def tables_are_encrypted(template: StackTemplate) -> list[str]:
    """By a key in the account, whose use is logged, not by one that DynamoDB owns."""
    kinds = ("AWS::DynamoDB::GlobalTable", "AWS::DynamoDB::Table")
    return [
        path
        for kind in kinds
        for path, table in template.of_type(kind)
        if table.get("SSESpecification", {}).get("SSEEnabled") is not True
    ]


def topics_are_encrypted(template: StackTemplate) -> list[str]:
    """SNS does not do it by itself."""
    return [path for path, topic in template.of_type("AWS::SNS::Topic") if "KmsMasterKeyId" not in topic]


def keys_rotate(template: StackTemplate) -> list[str]:
    """Keys of our own are renewed each year."""
    return [path for path, key in template.of_type("AWS::KMS::Key") if key.get("EnableKeyRotation") is not True]


def secrets_are_made_by_aws(template: StackTemplate) -> list[str]:
    """Secrets Manager always encrypts; what could leak is a value that stands in the template."""
    return [path for path, secret in template.of_type("AWS::SecretsManager::Secret") if "SecretString" in secret]


def buses_and_logs_are_encrypted_by_their_service(template: StackTemplate) -> list[str]:
    """An archive would keep events; where there is one, it has a key. A key of a log or bus is one of ours."""
    archives = [path for path, archive in template.of_type("AWS::Events::Archive") if "KmsKeyIdentifier" not in archive]
    keys = {path for path, _ in template.of_type("AWS::KMS::Key")}
    foreign = [
        path
        for kind, name in (("AWS::Logs::LogGroup", "KmsKeyId"), ("AWS::Events::EventBus", "KmsKeyIdentifier"))
        for path, properties in template.of_type(kind)
        if name in properties and template.name(properties[name]) not in keys
    ]
    return archives + foreign


def queues_and_topics_refuse_plain_http(template: StackTemplate) -> list[str]:
    """By a statement that denies whoever comes without TLS."""
    refusing: set[str] = set()
    for kind, field in (("AWS::SQS::QueuePolicy", "Queues"), ("AWS::SNS::TopicPolicy", "Topics")):
        for _, properties in template.of_type(kind):
            if any(
                one["Effect"] == "Deny"
                and one["Principal"] in ("*", {"AWS": "*"})
                and one.get("Condition") == {"Bool": {"aws:SecureTransport": "false"}}
                for one in properties["PolicyDocument"]["Statement"]
            ):
                refusing |= {template.name(resource) for resource in properties[field]}
    kinds = ("AWS::SQS::Queue", "AWS::SNS::Topic")
    return [path for kind in kinds for path, _ in template.of_type(kind) if path not in refusing]


def domains_take_tls_12_or_newer(template: StackTemplate) -> list[str]:
    """The APIs' own host names have AWS's minimum; a domain name of ours has this one."""
    kinds = ("AWS::ApiGateway::DomainName", "AWS::ApiGatewayV2::DomainName")
    return [
        path
        for kind in kinds
        for path, name in template.of_type(kind)
        if name.get("SecurityPolicy", "TLS_1_0") == "TLS_1_0"
    ]


def keys_serve_services_and_the_account(template: StackTemplate) -> list[str]:
    """A key's policy names a service, or leaves it to IAM of the account itself."""
    return [
        path
        for path, statement in statements(template, "AWS::KMS::Key", "KeyPolicy")
        if statement["Effect"] == "Allow"
        and "Service" not in statement["Principal"]
        and not all(
            template.name(one).endswith(":iam::<AWS::AccountId>:root") for one in several(statement["Principal"]["AWS"])
        )
    ]
