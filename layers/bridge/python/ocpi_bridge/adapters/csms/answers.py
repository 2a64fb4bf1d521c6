"""What a CSMS's HTTP answer or callback body means for a command. Pure: bytes in, an outcome of the driver port out.

The question behind every branch is whether the command can have reached the charge point. Only where it certainly did
not may it be sent again without a thought; an answer that leaves it open says so.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import field, replace
from datetime import datetime

from ocpi_bridge.adapters.bounded_http.exchange import NoReply, Reply
from ocpi_bridge.adapters.csms.codecs import CODECS, OcppCodec
from ocpi_bridge.adapters.csms.presets import preset_of
from ocpi_bridge.adapters.partner_http.receipts import retry_after
from ocpi_bridge.domain.csms_api import CsmsApi, Path, Reading, Spelling
from ocpi_bridge.domain.errors import InvalidInput
from ocpi_bridge.domain.requests import RequestKind
from ocpi_bridge.domain.stations import Csms, CsmsMode, OcppVersion
from ocpi_bridge.domain.values import dataclass
from ocpi_bridge.ocpi.bounded_json import UnreadableJson, read_json
from ocpi_bridge.ports.charge_points import Done, Failed, Pending
from ocpi_bridge.ports.json_values import JsonObject, JsonValue

# Words of others end in logs and in items; a sentence is enough.
MAX_TEXT = 200

_URL = re.compile(r"\w+://\S+")
# Every code of OCPP's CALLERRORs is shorter.
_ERROR_CODE = re.compile(r"[A-Za-z]{1,40}")
_AFTER_LINE = re.compile(r"_([a-z0-9])")

# Statuses with which an HTTP server says that it did not begin to work on a request.
_TRY_LATER = frozenset({425, 429, 503})

# What tells an answer to LEARN from any other object: GetConfiguration (1.6) and GetVariables (2.0.1) have no status.
_VARIABLES = "getVariableResult"
_CONFIGURATION = frozenset({"configurationKey", "unknownKey", _VARIABLES})


@dataclass(frozen=True, slots=True)
class CallbackReader:
    """Reads what a CSMS says later: posted to a callback URL, or as an event. All of the driver that the doors need."""

    codecs: Mapping[OcppVersion, OcppCodec] = field(default_factory=lambda: CODECS)

    def parse_callback(self, csms: Csms, kind: RequestKind, body: bytes, received_at: datetime) -> Done | Failed:
        """Reads the OCPP response payload, or the CALLERROR, in the body; one that says nothing is Failed.

        The body is read as the description of the CSMS's API has it, else as OCPP has it: so the bus reports. It does
        not name its OCPP version; where the versions differ (composite schedules, variables), its shape tells.
        """
        try:
            body_said = read_json(body)
        except UnreadableJson:
            return Failed(
                f"the answer that CSMS {csms.csms_id} reports is not JSON", nothing_sent=False, retryable=False
            )
        for reading in _readings(csms):
            said = _said(reading, body_said)
            done = None if said is None else said.done(self.codecs[said.version], kind, received_at)
            if done is not None:
                return done
        return Failed(f"the answer that CSMS {csms.csms_id} reports has no status", nothing_sent=False, retryable=False)


def read_reply(
    api: CsmsApi,
    mode: CsmsMode,
    codec: OcppCodec,
    kind: RequestKind,
    reply: Reply,
    received_at: datetime,
    *,
    http_answers: Mapping[str, str],
) -> Done | Pending | Failed:
    """What an HTTP answer means.

    A success is read from the body, never from the HTTP status alone, but where the API itself says (`http_answers`)
    that the status is the charge point's answer.
    """
    answered = http_answers.get(str(reply.status))
    if answered is not None:
        return Done(answered, detail="" if reply.status < 300 else _problem(api, reply))
    if not 200 <= reply.status < 300:
        return _refused_by_http(api, reply, received_at)
    if reply.truncated:
        return _unclear("the answer of the CSMS is too long")
    try:
        answer = read_json(reply.body)
    except UnreadableJson:
        return _unclear("the answer of the CSMS is not JSON")
    verdict = None if api.verdict_at is None else _at(answer, api.verdict_at)
    if verdict is False:
        return _refused_by_csms(api, _text(_at(answer, api.refusal_at)))
    if mode is CsmsMode.CALLBACK:
        taken = api.verdict_at is None or verdict is True
        return Pending() if taken else _unclear("the answer of the CSMS has no verdict")
    reading = api.synchronous or Reading()
    if api.verdict_at is not None and verdict is None:
        # No verdict to stand beside: the answer is the payload itself.
        reading = replace(reading, payload_at=())
    said = _said(reading, answer)
    done = None if said is None else said.done(codec, kind, received_at)
    return done or _unclear("the answer of the CSMS has no OCPP status")


def read_no_reply(failure: NoReply) -> Failed:
    """What it means that the CSMS did not answer; before the request left, nothing can have been sent."""
    # A redirect or an address that is refused again and again is a setting to be mended, not a moment to be waited for.
    retryable = failure.error not in {"invalid_request", "refused_address"}
    return Failed(f"no answer of the CSMS: {failure.error}", nothing_sent=not failure.sent, retryable=retryable)


def _readings(csms: Csms) -> tuple[Reading, ...]:
    plain = Reading()
    try:
        own = preset_of(csms).callback
    except InvalidInput:
        # A CSMS on the bus has no API, and an entry may have been changed for the worse meanwhile.
        own = None
    return (plain,) if own is None or own == plain else (own, plain)


def _refused_by_http(api: CsmsApi, reply: Reply, now: datetime) -> Failed:
    status = reply.status
    if status in _TRY_LATER:
        wait = retry_after(reply.headers.get("retry-after"), now)
        return Failed(
            f"HTTP {status}: the CSMS asks to come later", nothing_sent=True, retryable=True, retry_after=wait
        )
    if status >= 500 or status == 408:
        return Failed(f"HTTP {status} of the CSMS", nothing_sent=False, retryable=True)
    if status in {401, 403}:
        return Failed(f"HTTP {status}: the CSMS refuses our credential", nothing_sent=True, retryable=False)
    if status < 400:
        return Failed(f"HTTP {status}: a redirect, which is not followed", nothing_sent=True, retryable=False)
    problem = _problem(api, reply)
    known = _known_refusal(api, problem)
    if known is not None:
        return known
    said = f": {problem}" if problem else ""
    return Failed(f"HTTP {status} of the CSMS{said}", nothing_sent=True, retryable=False)


def _problem(api: CsmsApi, reply: Reply) -> str:
    try:
        return _text(_at(read_json(reply.body), api.problem_at))
    except UnreadableJson:
        return ""


def _refused_by_csms(api: CsmsApi, text: str) -> Failed:
    if not text:
        # Its socket broke, or the station is not accepted yet: both pass.
        return Failed("the CSMS sent nothing and does not say why", nothing_sent=True, retryable=True)
    return _known_refusal(api, text) or Failed(f"the CSMS sent nothing: {text}", nothing_sent=True, retryable=False)


def _known_refusal(api: CsmsApi, text: str) -> Failed | None:
    known = next((refusal for refusal in api.refusals if refusal.words.casefold() in text.casefold()), None)
    return None if known is None else Failed(f"{known.meaning}: {text}", nothing_sent=True, retryable=known.retryable)


@dataclass(frozen=True, slots=True)
class _Said:
    """What an answer says, its payload in OCPP's own spelling and with status and schedule in their places."""

    payload: JsonObject
    detail: str
    error_code: str | None
    error_text: str

    @property
    def version(self) -> OcppVersion:
        """By the shape; where that tells nothing, both versions read alike."""
        later = "schedule" in self.payload or _VARIABLES in self.payload
        return OcppVersion.V201 if later else OcppVersion.V16

    def done(self, codec: OcppCodec, kind: RequestKind, received_at: datetime) -> Done | None:
        """The charge point's answer; None where this is none."""
        if self.error_code is not None:
            name = self.error_code if _ERROR_CODE.fullmatch(self.error_code) else "GenericError"
            return Done(f"CallError:{name}", detail=self.error_text)
        if kind is RequestKind.LEARN:
            told = not _CONFIGURATION.isdisjoint(self.payload)
            return codec.answer(kind, self.payload, received_at) if told else None
        if not isinstance(self.payload.get("status"), str):
            return None
        done = codec.answer(kind, self.payload, received_at)
        return done if done.detail or not self.detail else replace(done, detail=self.detail)


def _said(reading: Reading, answer: JsonValue) -> _Said | None:
    found = _at(answer, reading.payload_at)
    if not isinstance(found, Mapping):
        return None
    spelled = _in_camel_case(found) if reading.spelling is Spelling.SNAKE_CASE else found
    payload: dict[str, JsonValue] = dict(spelled) if isinstance(spelled, Mapping) else {}
    status = _at(found, reading.status_at)
    if isinstance(status, str):
        payload["status"] = reading.statuses.get(status, status)
    if reading.schedule_at is not None:
        # Under both versions' names, so that either codec finds it.
        payload["chargingSchedule"] = payload["schedule"] = _in_camel_case(_at(found, reading.schedule_at))
    code = _at(found, reading.error_code_at)
    return _Said(
        payload=payload,
        detail="" if reading.detail_at is None else _text(_at(found, reading.detail_at)),
        error_code=code if isinstance(code, str) else None,
        error_text=_text(_at(found, reading.error_text_at)),
    )


def _in_camel_case(value: JsonValue) -> JsonValue:
    if isinstance(value, Mapping):
        return {_camel_case(name): _in_camel_case(inner) for name, inner in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_in_camel_case(inner) for inner in value]
    return value


def _camel_case(name: str) -> str:
    return _AFTER_LINE.sub(lambda found: found[1].upper(), name)


def _unclear(reason: str) -> Failed:
    return Failed(reason, nothing_sent=False, retryable=False)


def _at(value: JsonValue, path: Path) -> JsonValue:
    for key in path:
        if isinstance(key, str) and isinstance(value, Mapping):
            value = value.get(key)
        elif (
            isinstance(key, int)
            and isinstance(value, Sequence)
            and not isinstance(value, str)
            and 0 <= key < len(value)
        ):
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
