"""Everything that the partner serves, behind one door: token, route, headers, body, in this order."""

from tools.counterparts.http_service import Request, Response
from tools.counterparts.json_types import NotJsonError
from tools.partner_simulator.connection import Connection
from tools.partner_simulator.door import Door, Standing
from tools.partner_simulator.platform_api import PlatformApi
from tools.partner_simulator.receiver import Receiver
from tools.partner_simulator.requests import CLIENT_ERROR, INVALID_PARAMETERS, RequestRefusedError
from tools.partner_simulator.sessions import UnknownSessionError
from tools.partner_simulator.transport import configuration_request_findings, envelope, request_findings

# Longer texts are cut: status_message is for debugging only.
MESSAGE_LENGTH = 255


class PartnerApi:
    """Answers the bridge's OCPI requests and notes every rule that they break."""

    def __init__(self, connection: Connection, *, door: Door, platform: PlatformApi, receiver: Receiver) -> None:
        self._connection = connection
        self._door = door
        self._platform = platform
        self._receiver = receiver

    def handle(self, request: Request) -> Response:
        """Answer one request in the partner's manner."""
        where = f"{request.method} {request.path}"
        try:
            return self._answer(request, where)
        except RequestRefusedError as refusal:
            if refusal.finding is not None:
                self._note(where, refusal.finding)
            return self._refuse(request, str(refusal), refusal.http_status, refusal.status_code, refusal.headers)
        except NotJsonError as error:
            self._note(where, str(error))
            return self._refuse(request, str(error), 400, INVALID_PARAMETERS)
        except UnknownSessionError:
            return self._refuse(request, "unknown session", 404, CLIENT_ERROR)
        except ValueError as error:
            self._note(where, str(error))
            return self._refuse(request, str(error), 200, INVALID_PARAMETERS)

    def _answer(self, request: Request, where: str) -> Response:
        manner = self._connection.manner
        admission = self._door.admit(request)
        if admission.standing is Standing.REFUSED:
            raise RequestRefusedError("unknown token", http_status=401, finding=admission.finding)
        if self._platform.serves(request):
            self._connection.violations.extend(where, configuration_request_findings(request))
            return manner.dressed(self._platform.answer(request, admission))
        if admission.standing is Standing.REGISTERING:
            finding = "a token for registration outside versions and credentials (4.1.2)"
            raise RequestRefusedError("unknown token", http_status=401, finding=finding)
        route = self._receiver.route(request)
        if route is None:
            message = "no such endpoint"
            raise RequestRefusedError(message, http_status=404, finding=f"{message} or method")
        self._connection.violations.extend(where, request_findings(request, to=route.to, sender=route.sender))
        if not self._connection.speaks(route.version):
            self._note(where, f"{route.version} was not agreed on, {self._connection.version} was")
        return manner.styled(request, route.answer(request))

    def _refuse(
        self,
        request: Request,
        message: str,
        http_status: int,
        status_code: int,
        headers: dict[str, str] | None = None,
    ) -> Response:
        refusal = envelope(request, http_status=http_status, status_code=status_code, message=message[:MESSAGE_LENGTH])
        complete = Response(refusal.status, refusal.body, {**refusal.headers, **(headers or {})})
        return self._connection.manner.dressed(complete)

    def _note(self, where: str, what: str) -> None:
        self._connection.violations.note(where, what)
