"""How a partner behaves that is not the one of the book: sloppy in what it sends, odd in what it answers, broken."""

from dataclasses import dataclass, replace
from enum import Enum

from tools.counterparts.http_service import Fault, Request, Response
from tools.counterparts.json_types import as_object, read_json, write_json
from tools.partner_simulator.platform_models import OcpiVersion
from tools.partner_simulator.transport import CORRELATION_ID, REQUEST_ID, ROUTING_HEADERS, Party, new_message_ids

# What a partner with `MessageIds.CONSTANT` sends with every request.
CONSTANT_REQUEST_ID = "1"
# 10xx is success; which of them is nobody's business (5.2).
OTHER_SUCCESS = 1001


class MessageIds(Enum):
    """Which X-Request-ID and X-Correlation-ID a partner sends (4.2)."""

    UNIQUE = "both, each time new"
    CONSTANT = "the same X-Request-ID always"
    NONE = "neither, and none repeated"


class AnswerStyle(Enum):
    """How success is answered to PUT, PATCH and POST of functional modules, whose `data` nobody defines (4.1.7)."""

    PROPER = "envelope without data"
    LIST = "data is a list"
    STRING = "data is a string"
    EMPTY = "no body at all"
    OTHER_SUCCESS = "status code 1001"
    BARE = "a JSON object without envelope"


class VersionList(Enum):
    """What the version list holds."""

    PROPER = "the versions served"
    NO_MUTUAL = "2.1.1 only"
    EMPTY = "nothing"
    GARBAGE = "something else"


@dataclass(frozen=True, slots=True)
class Manner:
    """One way to behave; by default that of the book.

    - `versions`: what is served and spoken; `other_parties` share the token, each with a role SCSP;
    - `plain_tokens`: Authorization without Base64, in both directions; `calls_with_bearer`: the partner's own calls
      say `Bearer`; `wants_bearer`: the bridge has to say `Bearer` with the token that it was given;
    - `message_ids`, `routing_headers`, `trailing_slashes`: what the partner's calls look like;
    - `answers`: how it acknowledges;
    - `versions_fault`, `details_fault`: what hits GET versions or details each time, see `faults`; `version_list`;
    - `hidden_modules`: left out of the details; `endpoint_slashes`: the URLs in the details end with a slash;
    - `loses_answers`: what the bridge answers to POST and PUT of credentials is lost after the bridge did its work.
    """

    versions: tuple[OcpiVersion, ...] = (OcpiVersion.V221, OcpiVersion.V230)
    other_parties: tuple[Party, ...] = ()
    plain_tokens: bool = False
    calls_with_bearer: bool = False
    wants_bearer: bool = False
    message_ids: MessageIds = MessageIds.UNIQUE
    routing_headers: bool = True
    trailing_slashes: bool = False
    answers: AnswerStyle = AnswerStyle.PROPER
    versions_fault: Fault | None = None
    details_fault: Fault | None = None
    version_list: VersionList = VersionList.PROPER
    hidden_modules: frozenset[str] = frozenset()
    endpoint_slashes: bool = False
    loses_answers: bool = False

    def new_message_ids(self) -> dict[str, str]:
        """The ids of one request."""
        match self.message_ids:
            case MessageIds.UNIQUE:
                return new_message_ids()
            case MessageIds.CONSTANT:
                return {**new_message_ids(), REQUEST_ID: CONSTANT_REQUEST_ID}
            case MessageIds.NONE:
                return {}

    def url(self, url: str) -> str:
        """A URL as this partner calls it."""
        path, mark, query = url.partition("?")
        if self.trailing_slashes and not path.endswith("/"):
            path += "/"
        return path + mark + query

    def dressed(self, response: Response) -> Response:
        """A proper answer with the headers that this partner sends."""
        left_out: set[str] = set()
        if self.message_ids is MessageIds.NONE:
            left_out |= {REQUEST_ID, CORRELATION_ID}
        if not self.routing_headers:
            left_out |= {f"OCPI-{way}-{name}" for way in ("to", "from") for name in ROUTING_HEADERS}
        return replace(
            response, headers={name: value for name, value in response.headers.items() if name not in left_out}
        )

    def styled(self, request: Request, response: Response) -> Response:
        """A proper success of a functional module as this partner tells it, headers and body."""
        dressed = self.dressed(response)
        if self.answers is AnswerStyle.PROPER or request.method not in {"PUT", "PATCH", "POST"}:
            return dressed
        body = as_object(read_json(response.body))
        match self.answers:
            case AnswerStyle.LIST:
                body["data"] = [1, "two"]
            case AnswerStyle.STRING:
                body["data"] = "stored"
            case AnswerStyle.OTHER_SUCCESS:
                body["status_code"] = OTHER_SUCCESS
            case AnswerStyle.BARE:
                body = {"stored": True}
            case AnswerStyle.EMPTY:
                return replace(dressed, body=b"")
        return replace(dressed, body=write_json(body).encode())
