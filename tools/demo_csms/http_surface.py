"""The HTTP surface of CitrineOS for smart charging, and a synchronous variant under `/sync`.

`POST /ocpp/{1.6|2.0.1}/smartcharging/{setChargingProfile|clearChargingProfile|getCompositeSchedule}` with the OCPP
payload as body and `identifier` (repeatable), `tenantId` and `callbackUrl` in the query; likewise
`/ocpp/1.6/configuration/getConfiguration` and `/ocpp/2.0.1/monitoring/getVariables`. The answer says what was written to
the socket, not what the station thinks of it. The synchronous variant waits and answers with the payload.
`/data/ocpprouter/subscription` says who wants raw frames (subscriptions).
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from hmac import compare_digest
from typing import Protocol
from urllib.parse import parse_qs

from tools.counterparts.clock import utc_now
from tools.counterparts.http_service import Request, Response
from tools.counterparts.journal import Journal
from tools.counterparts.json_types import JsonObject, NotJsonError, read_json
from tools.counterparts.ocpp_json import OcppVersion, PayloadError, check_request
from tools.demo_csms.callbacks import CallbackSender, ocpp_error_body
from tools.demo_csms.errors import (
    AnswerInvalidError,
    CallInProgressError,
    CallRefusedError,
    NoConnectionError,
    OtherProtocolError,
    StationSilentError,
)
from tools.demo_csms.records import PendingCall, ReceivedCommand
from tools.demo_csms.station_201 import CommandRefusedError
from tools.demo_csms.subscriptions import Subscriptions

ROUTE = re.compile(
    r"(?P<sync>/sync)?/ocpp/(?:"
    r"(?P<version>1\.6|2\.0\.1)/smartcharging/(?P<action>setChargingProfile|clearChargingProfile|getCompositeSchedule)"
    r"|(?P<version_16>1\.6)/configuration/(?P<configuration>getConfiguration)"
    r"|(?P<version_201>2\.0\.1)/monitoring/(?P<variables>getVariables))"
)


class Dispatcher(Protocol):
    """Sends a command to a station of either version."""

    def dispatch(self, version: OcppVersion, station_id: str, action: str, payload: JsonObject) -> PendingCall:
        """Write the CALL to the station's socket.

        Raises NoConnectionError, OtherProtocolError, CallInProgressError, CommandRefusedError; then nothing was sent.
        """


class _HttpError(Exception):
    def __init__(self, response: Response) -> None:
        self.response = response
        super().__init__(f"HTTP {response.status}")


@dataclass(frozen=True, slots=True)
class _Ask:
    """A request that is understood and valid."""

    sync: bool
    version: OcppVersion
    action: str
    payload: JsonObject
    identifiers: list[str]
    tenant_id: str
    callback_url: str | None


class HttpSurface:
    """Answers the requests of an HttpService; `commands` records what was sent to stations.

    `before_http_answer` is called after the frame was written to the station's socket and before the HTTP answer.
    """

    def __init__(
        self,
        dispatcher: Dispatcher,
        callbacks: CallbackSender,
        *,
        api_token: str | None,
        sync_seconds: float,
        subscriptions: Subscriptions | None = None,
    ) -> None:
        self.commands: Journal[ReceivedCommand] = Journal()
        self.before_http_answer: Callable[[ReceivedCommand], None] | None = None
        self._dispatcher = dispatcher
        self._callbacks = callbacks
        self._api_token = api_token
        self._sync_seconds = sync_seconds
        self._subscriptions = subscriptions or Subscriptions()

    def handle(self, request: Request) -> Response:
        """Answer one request."""
        try:
            self._authorize(request)
            answer = self._subscriptions.handle(request)
            if answer is not None:
                return answer
            ask = _understand(request)
            return self._answer_sync(ask, request) if ask.sync else self._answer_async(ask, request)
        except _HttpError as error:
            return error.response

    def _authorize(self, request: Request) -> None:
        if self._api_token is None:
            return
        presented = request.header("Authorization") or ""
        if not compare_digest(presented.encode(), f"Bearer {self._api_token}".encode()):
            raise _HttpError(Response.json(401, {"message": "Unauthorized"}))

    def _answer_async(self, ask: _Ask, request: Request) -> Response:
        return Response.json(200, [self._confirm(ask, request, station_id) for station_id in ask.identifiers])

    def _confirm(self, ask: _Ask, request: Request, station_id: str) -> JsonObject:
        try:
            command, pending = self._send(ask, request, station_id)
        except NoConnectionError:
            return _refusal(f"No connection found for identifier: {ask.tenant_id}:{station_id}")
        except OtherProtocolError as error:
            return _refusal(f"{error} for identifier: '{ask.tenant_id}:{station_id}'")
        except (CallInProgressError, CommandRefusedError) as error:
            return _refusal(str(error))
        if command.callback_url is not None:
            self._callbacks.follow(command, pending)
        self._before_answer(command)
        return {"success": True}

    def _answer_sync(self, ask: _Ask, request: Request) -> Response:
        try:
            command, pending = self._send(ask, request, ask.identifiers[0])
        except (NoConnectionError, CallInProgressError) as error:
            # Nothing was sent: the caller may try again.
            return Response.json(503, {"message": str(error)}, {"Retry-After": "1"})
        except (CommandRefusedError, OtherProtocolError) as error:
            return Response.json(422, {"message": str(error)})
        try:
            payload = pending.answer(self._sync_seconds)
        except CallRefusedError as error:
            payload = ocpp_error_body(error.error)
        except StationSilentError as error:
            return Response.json(504, {"message": str(error)})
        except AnswerInvalidError as error:
            return Response.json(502, {"message": str(error)})
        self._before_answer(command)
        return Response.json(200, payload)

    def _send(self, ask: _Ask, request: Request, station_id: str) -> tuple[ReceivedCommand, PendingCall]:
        pending = self._dispatcher.dispatch(ask.version, station_id, ask.action, ask.payload)
        command = ReceivedCommand(
            version=ask.version,
            station_id=station_id,
            message_id=pending.call.message_id,
            action=ask.action,
            payload=ask.payload,
            client_port=request.client_port,
            at=utc_now(),
            callback_url=ask.callback_url,
        )
        self.commands.record(command)
        return command, pending

    def _before_answer(self, command: ReceivedCommand) -> None:
        if self.before_http_answer is not None:
            self.before_http_answer(command)


def _understand(request: Request) -> _Ask:
    route = ROUTE.fullmatch(request.path)
    if route is None or request.method != "POST":
        message = f"Route {request.method}:{request.path} not found"
        raise _HttpError(_fastify_error(404, message))
    if (request.header("Content-Type") or "").split(";")[0].strip() != "application/json":
        raise _HttpError(_fastify_error(415, "Unsupported Media Type", "FST_ERR_CTP_INVALID_MEDIA_TYPE"))
    query = parse_qs(request.query, keep_blank_values=True)
    if "identifier" not in query:
        raise _HttpError(_invalid("querystring must have required property 'identifier'"))
    version = OcppVersion(route["version"] or route["version_16"] or route["version_201"])
    named = route["action"] or route["configuration"] or route["variables"]
    action = named[0].upper() + named[1:]
    return _Ask(
        sync=route["sync"] is not None,
        version=version,
        action=action,
        payload=_valid_payload(request.body, version, action),
        identifiers=query["identifier"],
        tenant_id=query.get("tenantId", ["1"])[0],
        callback_url=query.get("callbackUrl", [None])[0],
    )


def _valid_payload(body: bytes, version: OcppVersion, action: str) -> JsonObject:
    try:
        payload = read_json(body)
    except NotJsonError as error:
        raise _HttpError(_fastify_error(400, "Body is not valid JSON", "FST_ERR_CTP_INVALID_JSON_BODY")) from error
    if not isinstance(payload, dict):
        raise _HttpError(_invalid("body must be object"))
    try:
        check_request(version, action, payload)
    except PayloadError as error:
        raise _HttpError(_invalid(f"body{error.path} {error.reason}")) from error
    return payload


def _invalid(message: str) -> Response:
    return _fastify_error(400, message, "FST_ERR_VALIDATION")


def _fastify_error(status: int, message: str, code: str | None = None) -> Response:
    body: JsonObject = {"statusCode": status, "message": message}
    return Response.json(status, body if code is None else {**body, "code": code})


def _refusal(reason: str) -> JsonObject:
    return {"success": False, "payload": reason}
