"""The subscriptions of a CitrineOS: whom it tells, frame by frame, what passes between it and a station.

One subscription is of one station and one URL; CitrineOS looks at them when a station connects, and every three minutes.
They are found again by our URL; those of others are left alone.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Self
from urllib.parse import urlencode

from ocpi_bridge.adapters.bounded_http.exchange import HttpCall, HttpExchange, NoReply, Reply
from ocpi_bridge.adapters.csms.authentication import CsmsAuthenticator
from ocpi_bridge.adapters.csms.signing import frames_url
from ocpi_bridge.adapters.partner_http.oauth2 import TokenRefused
from ocpi_bridge.domain.errors import BridgeError, InvalidInput
from ocpi_bridge.domain.stations import Csms, CsmsDriver
from ocpi_bridge.ocpi.bounded_json import UnreadableJson, read_json
from ocpi_bridge.ocpi.transport import dumps
from ocpi_bridge.ports.clock import Clock
from ocpi_bridge.ports.json_values import JsonObject, JsonValue
from tools.bridge.csms_probe import CsmsProbe
from tools.bridge.files import FileRefused
from tools.bridge.operations import OperationRefused

PRESET = "citrineos"
PATH = "/data/ocpprouter/subscription"
# What its database keeps of a text.
MAX_TEXT = 255

# Searched in the text of each frame. Calls that mean something, and of all answers those with a transaction's id or a
# status: without it every Heartbeat, DataTransfer and log upload, and each answer to MeterValues, were a post to us.
WANTED_FRAMES = (
    r'^\s*\[\s*(2\s*,\s*"[^"]*"\s*,\s*"(BootN|StartT|StopT|MeterV|StatusN|TransactionE|NotifyChargingL|ClearedCh'
    r'|SetChargingP|ClearChargingP)|3\s*,[\s\S]*"(transactionId|status)")'
)
# How much of the URL's token is shown: enough to tell two apart.
SHOWN_CHARACTERS = 4
_UNAUTHORIZED = 401


class SubscriptionFailed(BridgeError):
    """CitrineOS did not do what it was asked to; the text says why, without any credential or URL."""


class Change(StrEnum):
    """What became of a station's subscription."""

    SUBSCRIBED = "subscribed"
    AS_BEFORE = "as before"
    RENEWED = "renewed"
    REMOVED = "removed"
    NONE = "none"
    OUTDATED = "outdated"


@dataclass(frozen=True, slots=True)
class _Known:
    number: int
    as_wanted: bool


class CitrineOS:
    """One CitrineOS, as the registry has it, with one connection for all calls. Use `connected`."""

    def __init__(
        self, csms: Csms, http: HttpExchange, authenticator: CsmsAuthenticator, clock: Clock, url: str
    ) -> None:
        self.url = url
        self._csms = csms
        self._http = http
        self._authenticator = authenticator
        self._clock = clock
        self._tenant = _tenant(csms)

    @classmethod
    @contextmanager
    def connected(cls, csms: Csms, probe: CsmsProbe) -> Iterator[Self]:
        """The CitrineOS, asked as a probe asks. Raises OperationRefused where the CSMS is none, or its URL too long."""
        if csms.preset != PRESET or csms.driver is not CsmsDriver.HTTP:
            raise OperationRefused(
                f"CSMS {csms.csms_id} has not the preset {PRESET}: others report events by themselves"
            )
        url = frames_url(
            probe.csms_api_url, csms.csms_id, probe.secrets.csms_secrets(csms.csms_id, fresh=True).event_key
        )
        if len(url) > MAX_TEXT:
            raise OperationRefused(
                f"the URL has {len(url)} characters, and CitrineOS keeps {MAX_TEXT}: shorten the CSMS's id"
            )
        http = probe.connect()
        try:
            authenticator = CsmsAuthenticator(probe.secrets, probe.clock, http, allow_loopback=probe.allow_loopback)
            yield cls(csms, http, authenticator, probe.clock, url)
        finally:
            http.close()

    @property
    def shown_url(self) -> str:
        """The URL without what makes it secret."""
        base, _, token = self.url.rpartition("/")
        return f"{base}/{token[:SHOWN_CHARACTERS]}..."

    def state(self, station_id: str) -> Change:
        """Whether the station is subscribed: AS_BEFORE (as it should be), OUTDATED or NONE. Raises SubscriptionFailed."""
        known = self._known(station_id)
        if any(one.as_wanted for one in known):
            return Change.AS_BEFORE
        return Change.OUTDATED if known else Change.NONE

    def subscribe(self, station_id: str) -> Change:
        """Sees to it that the station has one subscription of ours, and that it is as it should be.

        The new one comes before an outdated one goes: frames may come twice, and none is lost. Raises
        SubscriptionFailed; asking again goes on from there.
        """
        known = self._known(station_id)
        right = [one for one in known if one.as_wanted][:1]
        if not right:
            self._call("POST", {}, self._wanted(station_id))
        gone = [one for one in known if one not in right]
        self._remove(gone)
        if gone:
            return Change.RENEWED
        return Change.AS_BEFORE if right else Change.SUBSCRIBED

    def unsubscribe(self, station_id: str) -> Change:
        """Removes all subscriptions of ours. Raises SubscriptionFailed."""
        known = self._known(station_id)
        self._remove(known)
        return Change.REMOVED if known else Change.NONE

    def _wanted(self, station_id: str) -> JsonObject:
        return {
            "tenantId": self._tenant,
            "stationId": station_id,
            "onConnect": True,
            "onClose": True,
            "onMessage": True,
            "sentMessage": True,
            "messageRegexFilter": WANTED_FRAMES,
            "url": self.url,
        }

    def _known(self, station_id: str) -> Sequence[_Known]:
        answer = self._call("GET", {"stationId": station_id})
        if not isinstance(answer, Sequence) or isinstance(answer, str):
            raise SubscriptionFailed("it answers no list of subscriptions: look at `base_url`")
        # Ours under an older key too: the CSMS's place in the bridge is the same, only the token differs.
        ours, _, _ = self.url.rpartition("/")
        wanted, known = self._wanted(station_id), []
        for one in answer:
            if not isinstance(one, Mapping):
                continue
            url, number = one.get("url"), one.get("id")
            if isinstance(number, int) and isinstance(url, str) and url.rpartition("/")[0] == ours:
                known.append(_Known(number, all(one.get(name) == value for name, value in wanted.items())))
        return known

    def _remove(self, known: Sequence[_Known]) -> None:
        for one in known:
            self._call("DELETE", {"id": str(one.number)})

    def _call(self, method: str, query: Mapping[str, str], body: JsonObject | None = None) -> JsonValue:
        asked = urlencode({**query, "tenantId": str(self._tenant)})
        url = f"{self._csms.base_url.rstrip('/')}{PATH}?{asked}"
        content = b"" if body is None else dumps(body).encode()
        answer = self._exchange(method, url, content, renew=False)
        if isinstance(answer, Reply) and answer.status == _UNAUTHORIZED:
            # An access token that was kept may have ended early.
            answer = self._exchange(method, url, content, renew=True)
        if isinstance(answer, NoReply):
            raise SubscriptionFailed(f"no answer: {answer.error}")
        if not 200 <= answer.status < 300:
            raise SubscriptionFailed(f"HTTP {answer.status}{_said(answer)}")
        try:
            return read_json(answer.body)
        except UnreadableJson as error:
            raise SubscriptionFailed("its answer is not JSON: look at `base_url`") from error

    def _exchange(self, method: str, url: str, content: bytes, *, renew: bool) -> Reply | NoReply:
        timeout = timedelta(seconds=self._csms.call_timeout)
        try:
            shown = self._authenticator.headers(self._csms, self._clock.now() + timeout, renew=renew)
        except TokenRefused as refused:
            raise SubscriptionFailed(f"no access token for it: {refused.receipt.error}") from refused
        headers = {**shown, "Content-Type": "application/json"} if content else shown
        return self._http.exchange(HttpCall(method, url, headers, content), timeout.total_seconds())


def read_station_ids(path: Path, known: Collection[str]) -> Sequence[str]:
    """The stations of a file with one id a line (after `#` stands a remark). Raises FileRefused."""
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "is not UTF-8 text"
        raise FileRefused(path, [InvalidInput("file", reason or "cannot be read")]) from error
    named = {number: line.partition("#")[0].strip() for number, line in enumerate(lines, 1)}
    stations = {number: name for number, name in named.items() if name}
    unknown = [
        InvalidInput(f"line {number}", f"the registry has no station {name!r} of this CSMS")
        for number, name in stations.items()
        if name not in known
    ]
    if unknown:
        raise FileRefused(path, unknown)
    return list(dict.fromkeys(stations.values()))


def _tenant(csms: Csms) -> int:
    told = dict(csms.parameters).get("tenantId", "1")
    if not told.isdecimal():
        raise InvalidInput("parameters.tenantId", "is no number")
    return int(told)


def _said(answer: Reply) -> str:
    """What CitrineOS says of an error, as far as that can be shown."""
    try:
        content = read_json(answer.body)
    except UnreadableJson:
        return ""
    message = content.get("message") if isinstance(content, Mapping) else None
    return f": {message[:200]}" if isinstance(message, str) else ""
