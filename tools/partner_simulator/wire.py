"""HTTP from the partner to the bridge: headers by the partner's manner, every answer read strictly (OCPI 4.1)."""

import ssl
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import TypeVar

import httpx
from pydantic import ValidationError

from tools.counterparts.clock import utc_now
from tools.counterparts.json_types import NotJsonError, as_object, read_json
from tools.partner_simulator.connection import Connection
from tools.partner_simulator.errors import BridgeUnreachableError
from tools.partner_simulator.models import Envelope, OcpiObject, findings
from tools.partner_simulator.platform_models import OcpiVersion
from tools.partner_simulator.transport import (
    JSON_TYPE,
    REQUEST_ID,
    Party,
    answer_findings,
    authorization,
    configuration_answer_findings,
    routing,
)

# API Gateway gives up after 29 s; a partner has no reason to wait longer.
REQUEST_SECONDS = 30.0
# What API Gateway and WAF answer by themselves carries no complete envelope.
GATEWAY_STATUSES = frozenset({403, 413, 429, 502, 503, 504})
CLIENT_ERROR = 2000

Model = TypeVar("Model", bound=OcpiObject)


class Module(Enum):
    """Kinds of modules: functional ones are routed, versions and credentials are not (4.1.8); pairing is no OCPI."""

    FUNCTIONAL = "functional"
    CONFIGURATION = "configuration"
    PAIRING = "pairing"


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A request that is ready to be sent."""

    method: str
    url: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes | None = field(repr=False)
    module: Module
    sender: Party

    @property
    def request_id(self) -> str:
        """Its X-Request-ID, empty when it has none."""
        return next((value for name, value in self.headers.items() if name.casefold() == REQUEST_ID.casefold()), "")


@dataclass(frozen=True, slots=True)
class Incoming:
    """An answer; header names are lower case, `envelope` is None where the body is none."""

    at: datetime
    status: int
    headers: Mapping[str, str] = field(repr=False)
    raw_body: bytes = field(repr=False)
    envelope: Envelope | None = field(repr=False)

    @property
    def status_code(self) -> int | None:
        """The OCPI status code."""
        return None if self.envelope is None else self.envelope.status_code

    @property
    def message(self) -> str | None:
        """The envelope's status message."""
        return None if self.envelope is None else self.envelope.status_message

    @property
    def is_success(self) -> bool:
        """Whether HTTP and OCPI both say so (1xxx is success)."""
        return httpx.codes.is_success(self.status) and self.status_code is not None and self.status_code < CLIENT_ERROR

    @property
    def data(self) -> object:
        """What the envelope holds, None where it is not a success."""
        return self.envelope.data if self.envelope is not None and self.envelope.status_code < CLIENT_ERROR else None


class Wire:
    """Sends requests and notes what their answers break; the certificate authority is the connection's."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._lock = threading.Lock()
        self._http: httpx.Client | None = None

    def close(self) -> None:
        """Close the connections; the next request opens new ones with the certificate authority of then."""
        with self._lock:
            if self._http is not None:
                self._http.close()
            self._http = None

    def prepare(
        self,
        method: str,
        url: str,
        *,
        module: Module = Module.FUNCTIONAL,
        sender: Party | None = None,
        body: bytes | None = None,
        token: str | None = None,
        request_id: str | None = None,
        headers: Mapping[str, str | None] | None = None,
    ) -> Outgoing:
        """A request in the partner's manner; options as in BridgeClient. Raises NotConnectedError without a token."""
        manner, sender = self._connection.manner, sender or self._connection.party
        presented = self._connection.keys.ours if token is None else token
        bearer = manner.calls_with_bearer or module is Module.PAIRING
        complete: dict[str, str | None] = {
            "Authorization": authorization(presented, plain=manner.plain_tokens, bearer=bearer)
        }
        if module is not Module.PAIRING:
            complete |= manner.new_message_ids()
        if module is Module.FUNCTIONAL and manner.routing_headers:
            complete |= routing(to=self._connection.cpo, sender=sender)
        if body is not None:
            complete["Content-Type"] = JSON_TYPE
        if request_id is not None:
            complete[REQUEST_ID] = request_id
        complete |= headers or {}
        present = {name: value for name, value in complete.items() if value is not None}
        return Outgoing(method, manner.url(url), present, body, module, sender)

    def send(self, outgoing: Outgoing, *, where: str) -> Incoming:
        """Send it and read the answer; raises BridgeUnreachableError. `where` names the answer in violations."""
        try:
            response = self._open().request(
                outgoing.method, outgoing.url, content=outgoing.body, headers=dict(outgoing.headers)
            )
        except (httpx.TransportError, httpx.InvalidURL) as error:
            raise BridgeUnreachableError(f"{where}: {type(error).__name__}") from error
        headers = {name.lower(): value for name, value in response.headers.items()}
        wrapped, problem = _unwrap(response.content, self._connection.version)
        if response.status_code not in GATEWAY_STATUSES and outgoing.module is not Module.PAIRING:
            if problem is not None:
                self.note(where, problem)
            self._judge(outgoing, response.status_code, headers, where)
        return Incoming(utc_now(), response.status_code, headers, response.content, wrapped)

    def read(self, incoming: Incoming, model: type[Model], version: OcpiVersion, *, where: str) -> Model | None:
        """The data of a successful answer as an object; None for an error, and noted where it is another thing."""
        if not incoming.is_success:
            return None
        try:
            return model.model_validate(incoming.data, extra=version.extra)
        except ValidationError as error:
            self.note(where, findings(error))
            return None

    def note(self, where: str, what: str) -> None:
        """Note a violation."""
        self._connection.violations.note(where, what)

    def _judge(self, outgoing: Outgoing, status: int, headers: Mapping[str, str], where: str) -> None:
        if outgoing.module is Module.CONFIGURATION:
            found = configuration_answer_findings(headers, outgoing.headers)
        else:
            # Swapped: whoever was addressed answers; who that is, nobody said without routing headers.
            is_routed = self._connection.manner.routing_headers
            sender = (self._connection.cpo,) if is_routed else self._connection.bridge_parties
            found = answer_findings(status, headers, outgoing.headers, to=outgoing.sender, sender=sender)
        self._connection.violations.extend(where, found)

    def _open(self) -> httpx.Client:
        with self._lock:
            if self._http is None:
                ca_file = self._connection.ca_file
                context = ssl.create_default_context(cafile=None if ca_file is None else str(ca_file))
                # A redirect would carry the token to a place that nobody agreed on.
                self._http = httpx.Client(
                    verify=context, timeout=REQUEST_SECONDS, trust_env=False, follow_redirects=False
                )
            return self._http


def _unwrap(body: bytes, version: OcpiVersion) -> tuple[Envelope | None, str | None]:
    """The envelope of an answer, or what is wrong with it."""
    try:
        return Envelope.model_validate(as_object(read_json(body)), extra=version.extra), None
    except NotJsonError as error:
        return None, str(error)
    except ValidationError as error:
        return None, findings(error)
