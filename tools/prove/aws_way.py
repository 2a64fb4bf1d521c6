"""The deployed functions' way to DynamoDB and SQS, led through here: every call is seen, and may be hit.

The functions are the deployed ones. Only their environment says where the two services are (AWS_ENDPOINT_URL_DYNAMODB
and AWS_ENDPOINT_URL_SQS, which every AWS SDK reads), so what meets them here meets them through the unchanged SDK.
"""

import http.client
import queue
import ssl
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit

from tools.counterparts.http_service import Fault, HttpService, Request, Response
from tools.local_stack import LocalStack

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

# The embedded AWS ends idle connections after 75 s.
UPSTREAM_SECONDS = 30.0
# Headers that belong to one connection.
_HOP_BY_HOP = frozenset({"connection", "content-length", "keep-alive", "transfer-encoding"})

# Told of each call, with the name of the function that makes it; gives what is to hit it, or None.
Choose = Callable[[str, Request], Fault | None]


class AwsWay:
    """Leads these functions' calls through ports of this process. As a context manager: until it ends."""

    def __init__(self, stack: LocalStack, functions: Sequence[str], choose: Choose) -> None:
        self._stack = stack
        self._functions = functions
        self._choose = choose
        self._upstream = _Upstream(stack)
        self._running = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as running:
            running.callback(self._upstream.close)
            client = self._stack.client("lambda")
            for function in self._functions:
                # A port for each function: calls are signed with the host and the path that they are made to.
                service = HttpService(self._upstream.send, name=f"aws-of-{function}", records=False)
                service.plan_each(partial(self._choose, function))
                running.enter_context(service)
                way = {f"AWS_ENDPOINT_URL_{name}": service.url for name in ("DYNAMODB", "SQS")}
                running.enter_context(_detour(client, self._stack.function_name(function), way))
            self._running = running.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._running.close()

    def send(self, request: Request) -> Response:
        """Sends a call on as it came, whatever becomes of its answer."""
        return self._upstream.send(request)


class _Upstream:
    """Connections to the embedded AWS, kept and used again."""

    def __init__(self, stack: LocalStack) -> None:
        self._port = urlsplit(stack.description.endpoint).port
        self._trust = ssl.create_default_context(cafile=str(stack.ca_file))
        self._idle: queue.LifoQueue[http.client.HTTPSConnection] = queue.LifoQueue()

    def send(self, request: Request) -> Response:
        """Sends a call on as it came and returns its answer."""
        headers = {name: value for name, value in request.headers.items() if name not in _HOP_BY_HOP}
        while True:
            connection, is_used = self._connection()
            try:
                connection.request(request.method, request.target, request.body, headers)
                answer = connection.getresponse()
                got = Response(answer.status, answer.read(), _kept(dict(answer.headers)))
            except (OSError, http.client.HTTPException):
                connection.close()
                # An idle connection that the other side ended: nothing was done with the call.
                if is_used:
                    continue
                raise
            self._idle.put(connection)
            return got

    def close(self) -> None:
        while not self._idle.empty():
            self._idle.get().close()

    def _connection(self) -> tuple[http.client.HTTPSConnection, bool]:
        try:
            return self._idle.get_nowait(), True
        except queue.Empty:
            return http.client.HTTPSConnection(
                "localhost", self._port, timeout=UPSTREAM_SECONDS, context=self._trust
            ), False


def _kept(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name.lower() not in _HOP_BY_HOP}


@contextmanager
def _detour(client: "LambdaClient", name: str, way: Mapping[str, str]) -> Iterator[None]:
    """Meanwhile the function finds services by these variables. Its aliases go to a version of its own and back."""
    before = client.get_function_configuration(FunctionName=name).get("Environment", {}).get("Variables", {})
    aliases = client.list_aliases(FunctionName=name)["Aliases"]
    client.update_function_configuration(FunctionName=name, Environment={"Variables": {**before, **way}})
    try:
        version = client.publish_version(FunctionName=name)["Version"]
        for alias in aliases:
            client.update_alias(FunctionName=name, Name=alias["Name"], FunctionVersion=version)
        yield
    finally:
        for alias in aliases:
            client.update_alias(FunctionName=name, Name=alias["Name"], FunctionVersion=alias["FunctionVersion"])
        client.update_function_configuration(FunctionName=name, Environment={"Variables": before})
