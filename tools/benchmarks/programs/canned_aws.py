"""AWS without AWS: what a scene's tables and secrets answer, at one of two depths.

`CannedAws` stands inside botocore, in front of the network: requests are built and signed, answers are parsed, and nothing
is sent in between. `CannedClient` stands in place of the client itself: what is left is the bridge's own code.

What a store asks for is found in the scene's items, as DynamoDB would find it by key or by a query's partition and range
of texts; ranges of times are taken as met. What it writes is taken and forgotten, so that each request meets the same world.
"""

import json
import os
import re
from collections.abc import Callable, Iterator
from typing import Any

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders

from ocpi_bridge.runtime import clients

MAKERS = (clients.dynamodb, clients.sqs, clients.secrets_manager, clients.events)

_PARTITION = re.compile(r"\s*(#?\w+) = (:\w+)")
_SORT_KEYS = re.compile(r"begins_with\(sk, (?P<prefix>:\w+)\)|sk BETWEEN (?P<first>:\w+) AND (?P<last>:\w+)")
_WRITES = ("UpdateItem", "PutItem", "DeleteItem", "TransactWriteItems", "ChangeMessageVisibility")

Item = dict[str, Any]
Scene = dict[str, Any]


class CannedAnswers:
    """What each operation answers, parsed."""

    def __init__(self, scene: Scene) -> None:
        self._tables: dict[str, list[Item]] = {
            os.environ[variable]: items for variable, items in scene["tables"].items() if variable in os.environ
        }
        self._by_key = {
            (table, item["pk"]["S"], item["sk"]["S"]): item for table, items in self._tables.items() for item in items
        }
        self._secrets: dict[str, str] = scene["secrets"]

    def answered(self, operation: str, asked: dict[str, Any]) -> dict[str, Any]:
        """The answer to an operation. Raises LookupError for one that no scene needs."""
        match operation:
            case "BatchGetItem":
                found = {table: self._found(table, one["Keys"]) for table, one in asked["RequestItems"].items()}
                return {"Responses": found, "UnprocessedKeys": {}}
            case "GetItem":
                items = self._found(asked["TableName"], [asked["Key"]])
                return {"Item": items[0]} if items else {}
            case "Query":
                items = self._matching(asked)
                return {"Items": items, "Count": len(items), "ScannedCount": len(items)}
            case "GetSecretValue":
                return {"Name": asked["SecretId"], "SecretString": self._secrets[asked["SecretId"].split("/", 2)[2]]}
            case "SendMessageBatch":
                sent = [{"Id": one["Id"], "MessageId": one["Id"], "MD5OfMessageBody": ""} for one in asked["Entries"]]
                return {"Successful": sent, "Failed": []}
            case "SendMessage":
                return {"MessageId": "1", "MD5OfMessageBody": ""}
        if operation not in _WRITES:
            raise LookupError(f"nothing is prepared for {operation}")
        return {}

    def _found(self, table: str, keys: list[Item]) -> list[Item]:
        places = [(table, key["pk"]["S"], key["sk"]["S"]) for key in keys]
        return [self._by_key[place] for place in places if place in self._by_key]

    def _matching(self, asked: dict[str, Any]) -> list[Item]:
        condition, values = asked["KeyConditionExpression"], asked["ExpressionAttributeValues"]
        partition, sort = _PARTITION.match(condition), _SORT_KEYS.search(condition)
        assert partition is not None
        name = asked.get("ExpressionAttributeNames", {}).get(partition[1], partition[1])
        found = [item for item in self._tables[asked["TableName"]] if item.get(name) == values[partition[2]]]
        if sort is None:
            return found
        if sort["prefix"] is not None:
            return [item for item in found if item["sk"]["S"].startswith(values[sort["prefix"]]["S"])]
        first, last = values[sort["first"]]["S"], values[sort["last"]]["S"]
        return [item for item in found if first <= item["sk"]["S"] <= last]


class CannedAws:
    """In front of the network of all clients; `called` has the operations in the order of the calls."""

    def __init__(self, scene: Scene) -> None:
        self._answers = CannedAnswers(scene)
        self._known: dict[tuple[str, bytes], bytes] = {}
        self.called: list[str] = []

    def stand_before_clients(self) -> None:
        """Answers for the bridge's clients: those that there are, and those that are made from now on."""
        # The stubs know no handler that answers.
        answer: Any = self._answer
        for make in MAKERS:
            if make.cache_info().currsize:
                make().meta.events.register_first("before-send", answer)
        clients.aws_session().get_component("event_emitter").register_first("before-send", answer)

    def _answer(self, request: AWSPreparedRequest, **_: object) -> AWSResponse:
        # Equal requests are answered from memory: what is measured is not this class.
        target = request.headers["X-Amz-Target"]
        operation = (target.decode() if isinstance(target, bytes) else target).rpartition(".")[2]
        self.called.append(operation)
        sent = request.body if isinstance(request.body, bytes) else str(request.body).encode()
        if (operation, sent) not in self._known:
            self._known[operation, sent] = json.dumps(self._answers.answered(operation, json.loads(sent))).encode()
        return AWSResponse(request.url, 200, HTTPHeaders(), _Raw(self._known[operation, sent]))


class CannedClient:
    """In place of a client: its methods answer at once, in the form in which botocore has parsed an answer."""

    def __init__(self, scene: Scene) -> None:
        self._answers = CannedAnswers(scene)

    def __getattr__(self, name: str) -> Callable[..., dict[str, Any]]:
        operation = "".join(word.capitalize() for word in name.split("_"))

        def call(**asked: Any) -> dict[str, Any]:  # noqa: ANN401 - any parameters of any operation
            return self._answers.answered(operation, asked)

        setattr(self, name, call)
        return call


class _Raw:
    """The body of an answer, as urllib3 would give it."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self, **_: object) -> Iterator[bytes]:
        yield self._body
