"""What a CSMS's HTTP answer or callback body means for a command. Pure: bytes in, an outcome of the driver port out.

The question behind every branch is whether the command can have reached the charge point. Only where it certainly did
not may it be sent again without a thought; an answer that leaves it open says so.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Protocol

from ocpi_bridge.adapters.bounded_http.exchange import NoReply, Reply
from ocpi_bridge.adapters.bounded_http.json_body import UnreadableJson, read_json
from ocpi_bridge.adapters.csms.presets import Path, Preset
from ocpi_bridge.domain.requests import RequestKind
from ocpi_bridge.domain.stations import Csms, CsmsMode, OcppVersion
from ocpi_bridge.ocpp import v16, v201
from ocpi_bridge.ports import ChargerCommand, Done, Failed, JsonObject, JsonValue, Pending

# Words of others end in logs and in items; a sentence is enough.
MAX_TEXT = 200

_URL = re.compile(r"\w+://\S+")
# Every code of OCPP's CALLERRORs is shorter.
_ERROR_CODE = re.compile(r"[A-Za-z]{1,40}")

# Statuses with which an HTTP server says that it did not begin to work on a request.
_TRY_LATER = frozenset({425, 429, 503})


class OcppCodec(Protocol):
    """The payloads of one OCPP version: `ocpp.v16` and `ocpp.v201`."""

    def request(self, command: ChargerCommand) -> tuple[str, JsonObject]:
        """The action and payload of a command. Raises InvalidInput where there can be none."""

    def answer(self, kind: RequestKind, payload: JsonValue, received_at: datetime) -> Done:
        """What the charge point answered. Never raises."""


CODECS: Mapping[OcppVersion, OcppCodec] = MappingProxyType({OcppVersion.V16: v16, OcppVersion.V201: v201})


@dataclass(frozen=True, slots=True)
class CallbackReader:
    """Reads what a CSMS posts to a callback URL; all of the driver that the callback door needs."""

    codecs: Mapping[OcppVersion, OcppCodec] = field(default_factory=lambda: CODECS)

    def parse_callback(self, csms: Csms, kind: RequestKind, body: bytes, received_at: datetime) -> Done | Failed:
        """Reads the OCPP response payload, or the CALLERROR, in the body; one that says nothing is Failed.

        The body does not name its OCPP version; where the versions differ (composite schedules), its shape tells.
        """
        try:
            payload = read_json(body)
        except UnreadableJson:
            return Failed(f"the callback of CSMS {csms.csms_id} is not JSON", nothing_sent=False, retryable=False)
        later = isinstance(payload, Mapping) and "schedule" in payload
        codec = self.codecs[OcppVersion.V201 if later else OcppVersion.V16]
        return _done(codec, kind, payload, received_at) or Failed(
            f"the callback of CSMS {csms.csms_id} has no status", nothing_sent=False, retryable=False
        )


def read_reply(
    preset: Preset, mode: CsmsMode, codec: OcppCodec, kind: RequestKind, reply: Reply, received_at: datetime
) -> Done | Pending | Failed:
    """What an HTTP answer means; a success is read from the body, never from the HTTP status alone."""
    if not 200 <= reply.status < 300:
        return _refused_by_http(preset, reply)
    if reply.truncated:
        return _unclear("the answer of the CSMS is too long")
    try:
        answer = read_json(reply.body)
    except UnreadableJson:
        return _unclear("the answer of the CSMS is not JSON")
    verdict = _at(answer, preset.verdict_at)
    if verdict is False:
        return _refused_by_csms(preset, _at(answer, preset.answer_at))
    if mode is CsmsMode.CALLBACK:
        return Pending() if verdict is True else _unclear("the answer of the CSMS has no verdict")
    payload = answer if verdict is None else _at(answer, preset.answer_at)
    return _done(codec, kind, payload, received_at) or _unclear("the answer of the CSMS has no OCPP status")


def read_no_reply(failure: NoReply) -> Failed:
    """What it means that the CSMS did not answer; before the request left, nothing can have been sent."""
    # A redirect or an address that is refused again and again is a setting to be mended, not a moment to be waited for.
    retryable = failure.error not in {"invalid_request", "refused_address"}
    return Failed(f"no answer of the CSMS: {failure.error}", nothing_sent=not failure.sent, retryable=retryable)


def _refused_by_http(preset: Preset, reply: Reply) -> Failed:
    status = reply.status
    if status in _TRY_LATER:
        return Failed(f"HTTP {status}: the CSMS asks to come later", nothing_sent=True, retryable=True)
    if status >= 500 or status == 408:
        return Failed(f"HTTP {status} of the CSMS", nothing_sent=False, retryable=True)
    if status in {401, 403}:
        return Failed(f"HTTP {status}: the CSMS refuses our credential", nothing_sent=True, retryable=False)
    if status < 400:
        return Failed(f"HTTP {status}: a redirect, which is not followed", nothing_sent=True, retryable=False)
    try:
        problem = _text(_at(read_json(reply.body), preset.problem_at))
    except UnreadableJson:
        problem = ""
    said = f": {problem}" if problem else ""
    return Failed(f"HTTP {status} of the CSMS{said}", nothing_sent=True, retryable=False)


def _refused_by_csms(preset: Preset, said: JsonValue) -> Failed:
    text = _text(said)
    if not text:
        # Its socket broke, or the station is not accepted yet: both pass.
        return Failed("the CSMS sent nothing and does not say why", nothing_sent=True, retryable=True)
    known = next((refusal for refusal in preset.refusals if refusal.words in text.casefold()), None)
    if known is None:
        return Failed(f"the CSMS sent nothing: {text}", nothing_sent=True, retryable=False)
    return Failed(f"{known.meaning}: {text}", nothing_sent=True, retryable=known.retryable)


def _done(codec: OcppCodec, kind: RequestKind, payload: JsonValue, received_at: datetime) -> Done | None:
    if not isinstance(payload, Mapping):
        return None
    code = payload.get("_errorCode")
    if isinstance(code, str):
        name = code if _ERROR_CODE.fullmatch(code) else "GenericError"
        return Done(f"CallError:{name}", detail=_text(payload.get("_errorDescription")))
    return codec.answer(kind, payload, received_at) if isinstance(payload.get("status"), str) else None


def _unclear(reason: str) -> Failed:
    return Failed(reason, nothing_sent=False, retryable=False)


def _at(value: JsonValue, path: Path) -> JsonValue:
    for key in path:
        if isinstance(key, str) and isinstance(value, Mapping):
            value = value.get(key)
        elif isinstance(key, int) and isinstance(value, Sequence) and not isinstance(value, str) and key < len(value):
            value = value[key]
        else:
            return None
    return value


def _text(value: JsonValue) -> str:
    """The text, fit for logs: one line, not long, and without URLs (ours carry a signature)."""
    if not isinstance(value, str):
        return ""
    line = "".join(character if character.isprintable() else " " for character in value)
    return _URL.sub("<url>", line)[:MAX_TEXT].strip()
