"""What the deployed functions may do, and what happens when they may not."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol, cast
from urllib.parse import unquote

import boto3

from tools.counterparts.json_types import JsonObject, as_list, as_object, as_text
from tools.local_stack import LocalStack


class Iam(Protocol):
    """The few calls of IAM that are made here."""

    def list_role_policies(self, *, RoleName: str) -> dict[str, list[str]]: ...  # noqa: N803 - AWS names them so
    def get_role_policy(self, *, RoleName: str, PolicyName: str) -> dict[str, object]: ...  # noqa: N803
    def put_role_policy(self, *, RoleName: str, PolicyName: str, PolicyDocument: str) -> object: ...  # noqa: N803


@dataclass(frozen=True, slots=True, order=True)
class Grant:
    """One action that a function may take on one resource."""

    function: str
    action: str
    resource: str

    def __str__(self) -> str:
        return f"{self.function}: {self.action} on {self.resource.partition(':000000000000:')[2]}"


class Grants:
    """The policies of the functions' roles."""

    def __init__(self, stack: LocalStack) -> None:
        self._stack = stack
        session = boto3.Session(
            aws_access_key_id=stack.description.access_key_id,
            aws_secret_access_key=stack.description.secret_access_key,
            region_name=stack.description.region,
        )
        # The client has no types: no stubs are installed for this service.
        made = session.client("iam", endpoint_url=stack.description.endpoint, verify=str(stack.ca_file))
        self._iam = cast(Iam, made)

    def of(self, function: str) -> list[Grant]:
        """Everything that a function may do."""
        return [
            Grant(function, action, resource)
            for statement in self._statements(function)
            for action in _texts(statement["Action"])
            for resource in _texts(statement["Resource"])
        ]

    def find(self, function: str, action: str, resource: str) -> Grant:
        """The function's grant of an action on the resource whose name has this in it, the shortest where several do."""
        found = [one for one in self.of(function) if one.action == action and resource in one.resource]
        return min(found, key=lambda one: len(one.resource))

    @contextmanager
    def without(self, grant: Grant) -> Iterator[None]:
        """Meanwhile the function may not do that; afterwards its role is what it was."""
        role, policy = self._role(grant.function), self._policy(grant.function)
        before = self._document(grant.function)
        statements = [as_object(one) for one in as_list(before["Statement"])]
        self._put(role, policy, {**before, "Statement": [left for one in statements for left in _less(one, grant)]})
        try:
            yield
        finally:
            self._put(role, policy, before)

    def _put(self, role: str, policy: str, document: JsonObject) -> None:
        self._iam.put_role_policy(RoleName=role, PolicyName=policy, PolicyDocument=json.dumps(document))

    def _role(self, function: str) -> str:
        configuration = self._stack.client("lambda").get_function_configuration(
            FunctionName=self._stack.function_name(function)
        )
        return configuration["Role"].rpartition("/")[2]

    def _policy(self, function: str) -> str:
        (policy,) = self._iam.list_role_policies(RoleName=self._role(function))["PolicyNames"]
        return policy

    def _document(self, function: str) -> JsonObject:
        found = self._iam.get_role_policy(RoleName=self._role(function), PolicyName=self._policy(function))
        document = found["PolicyDocument"]
        return as_object(json.loads(unquote(document)) if isinstance(document, str) else document)

    def _statements(self, function: str) -> list[JsonObject]:
        return [as_object(one) for one in as_list(self._document(function)["Statement"])]


def _less(statement: JsonObject, grant: Grant) -> list[JsonObject]:
    """The statement without the grant, in as many parts as that takes."""
    actions, resources = _texts(statement["Action"]), _texts(statement["Resource"])
    if grant.action not in actions or grant.resource not in resources:
        return [statement]
    other_actions = [action for action in actions if action != grant.action]
    other_resources = [resource for resource in resources if resource != grant.resource]
    parts = [
        {**statement, "Action": other_actions, "Resource": resources},
        {**statement, "Action": [grant.action], "Resource": other_resources},
    ]
    return [part for part in parts if part["Action"] and part["Resource"]]


def _texts(value: object) -> list[str]:
    return [text for one in (value if isinstance(value, list) else [value]) if (text := as_text(one)) is not None]
