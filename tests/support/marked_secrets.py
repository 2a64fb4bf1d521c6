"""Marked secrets and persons, where each of them may stand, and counterparts that behave in every way.

`Output` gathers what leaves the functions, by the place where it stands.
"""

import base64
import json
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import quote, urlsplit

from ocpi_bridge.adapters.bounded_http.exchange import HttpCall, NoReply, Reply
from ocpi_bridge.adapters.csms.signing import callback_url, frames_token
from tests.support.deployed_functions import CSMS_API
from tests.support.partner_platform import NEEDED, details, version_list

EVSE: Final = "BE*BEC*E041503001"
CLIENT_ID: Final = "our-id-at-the-partner"

# What is secret, or a person's. Each is found in any text that holds it, plain, as Base64 or percent-encoded.
PARTNERS_TOKEN: Final = "marked-token-that-the-partner-presents"
OUR_TOKEN: Final = "marked-token-that-we-present"
REGISTRATION_TOKEN: Final = "marked-token-for-registration"
NEWCOMERS_TOKEN: Final = "marked-token-that-a-newcomer-gives-us"
CLIENT_SECRET: Final = "marked-client-secret"
ACCESS_TOKEN: Final = "marked-access-token"
API_KEY: Final = "marked-api-key"
CSMS_CREDENTIAL: Final = "marked-credential-for-the-csms"
EVENT_KEY: Final = "marked-key-of-the-events"
SIGNING_KEY: Final = "marked-key-of-the-callback-urls"
URL_SECRET: Final = "marked-query-of-a-response-url"
RFID: Final = "04MARKEDCARD"
CONTRACT: Final = "NL-MRK-C00000001-X"
CODE: Final = "73519246"
COMMAND_NAME: Final = "r1.0~acme"
COMMAND_SIGNATURE: Final = callback_url(CSMS_API, "r1.0", SIGNING_KEY.encode(), "acme").rpartition("/")[2]
FRAMES_TOKEN: Final = frames_token("acme", EVENT_KEY)
SECRETS: Final = (
    PARTNERS_TOKEN,
    OUR_TOKEN,
    REGISTRATION_TOKEN,
    NEWCOMERS_TOKEN,
    CLIENT_SECRET,
    ACCESS_TOKEN,
    API_KEY,
    CSMS_CREDENTIAL,
    EVENT_KEY,
    SIGNING_KEY,
    URL_SECRET,
    RFID,
    CONTRACT,
    CODE,
    COMMAND_SIGNATURE,
    FRAMES_TOKEN,
)
EVERYTHING: Final = " ".join(SECRETS)
RESPONSE_URL: Final = f"https://www.jedlix.com/r?request_id={URL_SECRET}"

MAY_STAND: Final[Mapping[str, frozenset[str]]] = {
    # What we present is kept in its own secret, and goes to its own host in the header that is made for it.
    OUR_TOKEN: frozenset({"secret partners/jedlix", "header of www.jedlix.com", "header of ocpi.jedlix.com"}),
    NEWCOMERS_TOKEN: frozenset({"secret partners/newcomer", "header of ocpi.partner.example"}),
    CLIENT_SECRET: frozenset({"secret partners/jedlix", "body to login.jedlix.com"}),
    ACCESS_TOKEN: frozenset({"header of www.jedlix.com", "header of ocpi.jedlix.com"}),
    API_KEY: frozenset({"secret partners/jedlix", "header of www.jedlix.com", "header of ocpi.jedlix.com"}),
    CSMS_CREDENTIAL: frozenset({"secret csms/acme", "header of csms.example"}),
    EVENT_KEY: frozenset({"secret csms/acme"}),
    SIGNING_KEY: frozenset({"secret callback-signing"}),
    # A caller's own credential comes back to it where the specification says so (7.2.1).
    PARTNERS_TOKEN: frozenset({"answer to GET credentials"}),
    REGISTRATION_TOKEN: frozenset({"answer to GET credentials"}),
    # The URL of a result is kept with its request until the result is there, and goes to its own host.
    URL_SECRET: frozenset({"table requests", "URL of www.jedlix.com"}),
    # The URL that proves the answer to a command is given to the CSMS that gets the command.
    COMMAND_SIGNATURE: frozenset({"URL of csms.example"}),
    # A session remembers its card, under TTL; reports of the CSMS name it and wait in their queue, or its dead letters.
    RFID: frozenset({"table sessions", "queue csms-events", "queue csms-events-dlq"}),
    CONTRACT: frozenset({"table sessions", "queue csms-events", "queue csms-events-dlq"}),
}


# --- The world beyond AWS --------------------------------------------------------------------------------------------

Mood = Callable[[HttpCall], Reply | NoReply]


def enveloped(data: object) -> Reply:
    return Reply(200, {}, json.dumps({"data": data, "status_code": 1000, "timestamp": "2026-01-15T17:00:00Z"}).encode())


def well(call: HttpCall) -> Reply | NoReply:
    """Everybody answers as they should."""
    host, path = urlsplit(call.url).hostname, urlsplit(call.url).path
    if host == "login.jedlix.com":
        answer = {"access_token": ACCESS_TOKEN, "token_type": "Bearer", "expires_in": 300}
        return Reply(200, {}, json.dumps(answer).encode())
    if host == "csms.example":
        return Reply(200, {}, b'[{"success":true}]')
    if path.endswith("/versions"):
        return enveloped(version_list("2.2.1"))
    return enveloped(details("2.2.1", *NEEDED) if path.endswith("/2.2.1") else None)


def echoing(status: int) -> Mood:
    """Everybody sends back what was sent to them, in every place that an answer has."""

    def answer(call: HttpCall) -> Reply:
        told = f"{call.url} {dict(call.headers)} {call.body.decode()}"
        body = {"status_code": 2001, "status_message": told, "error": told, "error_description": told, "status": told}
        return Reply(status, {"location": told, "retry-after": told, "x-told": told}, json.dumps(body).encode())

    return answer


def garbled(call: HttpCall) -> Reply:
    """What comes back is no JSON, and holds what was sent."""
    return Reply(200, {}, f'{{"status_code": {call.url} {dict(call.headers)} {call.body.decode()}'.encode())


def silent(error: str) -> Mood:
    return lambda _: NoReply(error, sent=error in {"timeout", "connection_lost", "protocol"})


def broken(call: HttpCall) -> Reply:
    """A fault of ours below everything that expects one."""
    raise RuntimeError("the network code is broken")


MOODS: Final[Mapping[str, Mood]] = {
    "well": well,
    "401": echoing(401),
    "500": echoing(500),
    "302": echoing(302),
    "2xx with an OCPI error": echoing(200),
    "garbled": garbled,
    **{error: silent(error) for error in ("tls", "timeout", "refused_address")},
    "broken": broken,
}


@dataclass
class Output:
    """All that leaves the functions, by the place where it stands."""

    texts: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    mood: Mood = well

    def add(self, place: str, text: object) -> None:
        self.texts[place].append(text if isinstance(text, str) else repr(text))

    def exchange(self, call: HttpCall, budget: float) -> Reply | NoReply:
        host = urlsplit(call.url).hostname
        self.add(f"URL of {host}", call.url)
        self.add(f"header of {host}", json.dumps(dict(call.headers)))
        self.add(f"body to {host}", call.body.decode())
        self.add("log", repr(call))
        return self.mood(call)

    def close(self) -> None:
        """Nothing is kept open."""

    def leaks(self) -> list[str]:
        found = set()
        for place, texts in self.texts.items():
            whole = "\n".join(texts)
            for secret in SECRETS:
                if place not in MAY_STAND.get(secret, ()) and any(form in whole for form in forms(secret)):
                    found.add(f"{secret} in {place}")
        return sorted(found)


def forms(secret: str) -> tuple[str, ...]:
    """A secret as texts may hold it."""
    encoded = base64.b64encode(secret.encode()).decode()
    return (secret, encoded.rstrip("="), quote(secret, safe=""), json.dumps(secret)[1:-1])
