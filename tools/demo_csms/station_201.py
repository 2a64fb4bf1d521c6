"""An OCPP 2.0.1 station in memory, and the checks that CitrineOS makes before it sends to one (2.0.1 only)."""

import itertools
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from tools.counterparts.clock import utc_now, write_datetime
from tools.counterparts.journal import Journal
from tools.counterparts.json_types import JsonObject, as_int, as_list, as_object, as_text
from tools.counterparts.ocpp_json import Call, CallError, CallResult, OcppVersion, PayloadError, check_response
from tools.demo_csms.errors import AnswerInvalidError
from tools.demo_csms.records import Direction, PendingCall, RecordedFrame

# Given by a test in place of the station's own answers; None means silence.
AnswerScript = Callable[[str, JsonObject], JsonObject | CallError | None]


class CommandRefusedError(ValueError):
    """The CSMS does not send the command; the message is what its HTTP answer says."""


@dataclass(frozen=True, slots=True)
class _Installed:
    evse_id: int
    profile: JsonObject
    since: datetime


class FakeStation201:
    """Keeps TxProfiles by id, answers composites from them without converting units. Thread safe.

    `transactions` maps an EVSE to its running transaction. `script` replaces the answers, `replaces_same_id=False` is an
    older CitrineOS, which refuses a second TxProfile on a stack level even under the same id.
    """

    def __init__(
        self,
        station_id: str,
        *,
        transactions: dict[int, str] | None = None,
        evses: Iterable[int] = (1,),
        script: AnswerScript | None = None,
        replaces_same_id: bool = True,
    ) -> None:
        self.station_id = station_id
        self.transactions = dict(transactions or {})
        self.script = script
        self._evses = frozenset(evses)
        self._replaces_same_id = replaces_same_id
        self._profiles: dict[int, _Installed] = {}
        self._message_ids = itertools.count(1)
        self._lock = threading.Lock()

    @property
    def profiles(self) -> list[JsonObject]:
        """The charging profiles installed now."""
        with self._lock:
            return [installed.profile for installed in self._profiles.values()]

    def end_transaction(self, evse_id: int) -> None:
        """The transaction ends and takes its profiles with it (OCPP 2.0.1, K01.FR.37)."""
        with self._lock:
            self.transactions.pop(evse_id, None)
            self._profiles = {key: one for key, one in self._profiles.items() if one.evse_id != evse_id}

    def refuse(self, action: str, payload: JsonObject) -> None:
        """Raise CommandRefusedError for a command that CitrineOS would not send."""
        if action != "SetChargingProfile":
            return
        evse_id = as_int(payload.get("evseId")) or 0
        profile = as_object(payload.get("chargingProfile"))
        for refusal in self._refusals(evse_id, profile):
            raise CommandRefusedError(refusal)

    def call(self, action: str, payload: JsonObject, frames: Journal[RecordedFrame]) -> PendingCall:
        """Take a command and answer it, recording both frames."""
        call = Call(f"{self.station_id}-{next(self._message_ids)}", action, payload)
        pending = PendingCall(self.station_id, call)
        frames.record(self._frame(Direction.TO_STATION, action, call))
        answer = self.script(action, payload) if self.script else self._answer(action, payload)
        if answer is None:
            return pending
        if isinstance(answer, CallError):
            frames.record(self._frame(Direction.FROM_STATION, action, answer))
            pending.settle(answer)
            return pending
        result = CallResult(call.message_id, answer)
        try:
            check_response(OcppVersion.V201, action, answer)
        except PayloadError as error:
            frames.record(self._frame(Direction.FROM_STATION, action, result, str(error)))
            pending.settle(AnswerInvalidError(str(error)))
        else:
            frames.record(self._frame(Direction.FROM_STATION, action, result))
            pending.settle(result)
        return pending

    def _frame(
        self, direction: Direction, action: str, frame: Call | CallResult | CallError, problem: str | None = None
    ) -> RecordedFrame:
        return RecordedFrame(utc_now(), self.station_id, direction, action, frame, OcppVersion.V201, problem)

    def _refusals(self, evse_id: int, profile: JsonObject) -> Iterable[str]:
        if evse_id not in self._evses:
            yield f"EVSE {evse_id} not found on station {self.station_id}"
        yield from _time_refusals(profile)
        if profile.get("chargingProfilePurpose") != "TxProfile":
            return
        transaction = as_text(profile.get("transactionId"))
        with self._lock:
            if transaction != self.transactions.get(evse_id):
                yield f"Transaction {transaction} not found on station {self.station_id}"
            for profile_id, installed in self._profiles.items():
                same_id = profile_id == profile.get("id")
                same_level = installed.profile.get("stackLevel") == profile.get("stackLevel")
                if installed.evse_id == evse_id and same_level and not (same_id and self._replaces_same_id):
                    yield f"TxProfile with stack level {profile.get('stackLevel')} already exists"

    def _answer(self, action: str, payload: JsonObject) -> JsonObject:
        match action:
            case "SetChargingProfile":
                return self._set(as_int(payload.get("evseId")) or 0, as_object(payload.get("chargingProfile")))
            case "ClearChargingProfile":
                return self._clear(as_int(payload.get("chargingProfileId")))
            case "GetVariables":
                return {
                    "getVariableResult": [_variable(as_object(asked)) for asked in as_list(payload["getVariableData"])]
                }
            case _:
                return self._composite(payload)

    def _set(self, evse_id: int, profile: JsonObject) -> JsonObject:
        with self._lock:
            if as_text(profile.get("transactionId")) != self.transactions.get(evse_id):
                return {"status": "Rejected", "statusInfo": {"reasonCode": "TxNotFound"}}
            self._profiles[as_int(profile.get("id")) or 0] = _Installed(evse_id, profile, utc_now())
        return {"status": "Accepted"}

    def _clear(self, profile_id: int | None) -> JsonObject:
        with self._lock:
            known = profile_id is not None and self._profiles.pop(profile_id, None) is not None
        return {"status": "Accepted" if known else "Unknown"}

    def _composite(self, payload: JsonObject) -> JsonObject:
        evse_id = as_int(payload.get("evseId")) or 0
        duration = as_int(payload.get("duration")) or 0
        with self._lock:
            candidates = [installed for installed in self._profiles.values() if installed.evse_id == evse_id]
        top = max(candidates, key=lambda one: as_int(one.profile.get("stackLevel")) or 0, default=None)
        if top is None:
            return {"status": "Rejected", "statusInfo": {"reasonCode": "NoProfile"}}
        schedule = as_object(as_list(top.profile.get("chargingSchedule"))[0])
        unit = as_text(schedule.get("chargingRateUnit"))
        if payload.get("chargingRateUnit") not in {None, unit}:
            return {"status": "Rejected", "statusInfo": {"reasonCode": "UnsupportedRateUnit"}}
        now = utc_now()
        return {
            "status": "Accepted",
            "schedule": {
                "evseId": evse_id,
                "duration": duration,
                "scheduleStart": write_datetime(now),
                "chargingRateUnit": unit,
                "chargingSchedulePeriod": periods_from(schedule, since=top.since, now=now, duration=duration),
            },
        }


def _variable(asked: JsonObject) -> JsonObject:
    """A station of few words: it knows no variable of its smart charging."""
    return {"attributeStatus": "UnknownVariable", "component": asked["component"], "variable": asked["variable"]}


def periods_from(schedule: JsonObject, *, since: datetime, now: datetime, duration: int) -> list[JsonObject]:
    """The periods of a schedule inside `duration` seconds from `now`, start times relative to `now`.

    A schedule without a start began at `since`.
    """
    start = as_text(schedule.get("startSchedule"))
    began = since if start is None else datetime.fromisoformat(start)
    elapsed = int((now.astimezone(UTC) - began).total_seconds())
    length = as_int(schedule.get("duration"))
    end = duration if length is None else min(duration, length - elapsed)
    periods = [as_object(period) for period in as_list(schedule.get("chargingSchedulePeriod"))]
    begins = [(as_int(period.get("startPeriod")) or 0) - elapsed for period in periods]
    return [
        {**period, "startPeriod": max(0, begin)}
        for period, begin, following in zip(periods, begins, [*begins[1:], end], strict=True)
        if begin < end and following > 0
    ]


def _time_refusals(profile: JsonObject) -> Iterable[str]:
    now = utc_now()
    valid_from, valid_to = as_text(profile.get("validFrom")), as_text(profile.get("validTo"))
    if valid_from is not None and datetime.fromisoformat(valid_from) > now:
        yield "validFrom must not be in the future"
    if valid_to is not None and datetime.fromisoformat(valid_to) < now:
        yield "validTo must not be in the past"
    if profile.get("chargingProfileKind") == "Absolute" and any(
        "startSchedule" not in as_object(schedule) for schedule in as_list(profile.get("chargingSchedule"))
    ):
        yield "startSchedule is required for an Absolute profile"
