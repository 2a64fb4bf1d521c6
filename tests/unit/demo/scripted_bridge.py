"""A bridge that does its job by script, or leaves out or falsifies one part of it: what the demo must not believe."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from tools.counterparts.clock import utc_now, write_datetime
from tools.counterparts.http_service import HttpService, Request, Response
from tools.counterparts.json_types import JsonObject, as_int, as_list, as_object, as_text, read_json
from tools.demo_csms import CsmsError, DemoCsms, EventDoor
from tools.partner_simulator import Credentials, PartnerSimulator, Party
from tools.partner_simulator.transport import envelope

CPO = Party("NL", "CPO")
CREDENTIALS = Credentials(ours="partner-to-bridge", theirs="bridge-to-partner")
PROFILE_ID = 1_000_001
# The silent charger's CALL is given up after this long (s).
PATIENCE = 0.3
TIMEOUT = 5


@dataclass(frozen=True, slots=True)
class Script:
    """What this bridge does wrong; nothing by default. `deaf` and `mute` name methods of HTTP."""

    refuses: bool = False
    deaf: str = ""
    mute: str = ""
    halves_limits: bool = False
    says_rejected: bool = False
    contradicts_itself: bool = False
    forgets_sessions: bool = False
    invents_active_profile: bool = False


class ScriptedBridge:
    """Takes the CSMS's events and the partner's requests over HTTP; hands on what it has to without more ado.

    Use as a context manager: the counterparts, connected to it, are `csms` and `partner`.
    """

    def __init__(self, script: Script) -> None:
        self._script = script
        self._http = HttpService(self._handle, name="scripted-bridge")
        self.csms = DemoCsms(door=EventDoor(self._http.url, "demo", "key"))
        self.partner = PartnerSimulator(CREDENTIALS, cpo=CPO)
        self._sessions: dict[str, JsonObject] = {}
        self._workers: list[threading.Thread] = []

    @contextmanager
    def running(self) -> Iterator[None]:
        with self._http, self.csms, self.partner:
            self.partner.connect(self._http.url)
            yield
            for worker in self._workers:
                worker.join(TIMEOUT)

    def _handle(self, request: Request) -> Response:
        if request.path == "/csms/v1/events":
            for event in as_list(as_object(read_json(request.body)).get("events")):
                self._take_event(as_object(event))
            return Response.json(202, {})
        answer = {"result": "REJECTED" if self._script.refuses else "ACCEPTED", "timeout": TIMEOUT}
        if not self._script.refuses:
            worker = threading.Thread(target=self._work, args=(request,))
            self._workers.append(worker)
            worker.start()
        return envelope(request, data=answer)

    def _take_event(self, event: JsonObject) -> None:
        kind, transaction = as_text(event.get("type")), as_int(event.get("transaction_id"))
        if self._script.forgets_sessions or kind not in {"transaction.started", "transaction.ended"}:
            return
        station_id, now = as_text(event.get("station_id")) or "", write_datetime(utc_now())
        session = self._sessions.setdefault(
            f"session-{station_id}",
            {
                "country_code": CPO.country_code,
                "party_id": CPO.party_id,
                "id": f"session-{station_id}",
                "start_date_time": now,
                "kwh": 0,
                "cdr_token": {
                    "country_code": "NL",
                    "party_id": "MSP",
                    "uid": str(transaction),
                    "type": "RFID",
                    "contract_id": "p-2",
                },
                "auth_method": "WHITELIST",
                "location_id": station_id,
                "evse_uid": f"{station_id}-1",
                "connector_id": "1",
                "currency": "EUR",
                "status": "ACTIVE",
            },
        )
        session["last_updated"] = now
        if kind == "transaction.ended":
            session |= {"status": "COMPLETED", "end_date_time": now, "kwh": 1.2}
        self.partner.sessions.put(CPO, str(session["id"]), dict(session))

    def _work(self, request: Request) -> None:
        key = request.target.rpartition("request_id=")[2] if request.method != "PUT" else _key(request)
        session_id = request.path.rpartition("/")[2]
        try:
            body = self._command(request, session_id.removeprefix("session-"), session_id)
        except CsmsError:
            body = {"result": "REJECTED"}
        if request.method != self._script.mute:
            self.partner.exchanges.take_result(key, body, utc_now())
        if self._script.contradicts_itself:
            self.partner.exchanges.take_result(key, {"result": "UNKNOWN"}, utc_now())

    def _command(self, request: Request, station_id: str, session_id: str) -> JsonObject:
        if request.method == self._script.deaf:
            return {"result": "ACCEPTED"}
        if self._script.says_rejected:
            return {"result": "REJECTED"}
        match request.method:
            case "PUT":
                transaction = as_object(self._sessions[session_id]["cdr_token"])["uid"]
                self._call(station_id, "SetChargingProfile", _set(request, int(str(transaction)), self._script))
            case "DELETE":
                self._call(station_id, "ClearChargingProfile", {"id": PROFILE_ID})
            case _:
                asked: JsonObject = {"connectorId": 1, "duration": 5400, "chargingRateUnit": "W"}
                composite = self._call(station_id, "GetCompositeSchedule", asked)
                return {"result": "ACCEPTED", "profile": _active(composite, self._script)}
        return {"result": "ACCEPTED"}

    def _call(self, station_id: str, action: str, payload: JsonObject) -> JsonObject:
        return self.csms.call(station_id, action, payload, PATIENCE)


def _key(request: Request) -> str:
    url = as_text(as_object(read_json(request.body)).get("response_url")) or ""
    return url.rpartition("request_id=")[2]


def _set(request: Request, transaction_id: int, script: Script) -> JsonObject:
    asked = as_object(as_object(read_json(request.body)).get("charging_profile"))
    periods = [as_object(period) for period in as_list(asked.get("charging_profile_period"))]
    share = 2 if script.halves_limits else 1
    schedule: JsonObject = {
        "startSchedule": asked["start_date_time"],
        "chargingRateUnit": "W",
        "chargingSchedulePeriod": [
            {"startPeriod": period["start_period"], "limit": int(str(period["limit"])) // share} for period in periods
        ],
    }
    profile: JsonObject = {
        "chargingProfileId": PROFILE_ID,
        "transactionId": transaction_id,
        "stackLevel": 1,
        "chargingProfilePurpose": "TxProfile",
        "chargingProfileKind": "Absolute",
        "chargingSchedule": schedule,
    }
    return {"connectorId": 1, "csChargingProfiles": profile}


def _active(composite: JsonObject, script: Script) -> JsonObject:
    schedule = as_object(composite.get("chargingSchedule"))
    periods = [as_object(period) for period in as_list(schedule.get("chargingSchedulePeriod"))]
    start = datetime.fromisoformat(as_text(composite.get("scheduleStart")) or "")
    if script.invents_active_profile:
        periods = [{"startPeriod": 0, "limit": 22000}]
    return {
        "start_date_time": write_datetime(start),
        "charging_profile": {
            "duration": 5400,
            "charging_rate_unit": "W",
            "charging_profile_period": [
                {"start_period": period["startPeriod"], "limit": period["limit"]} for period in periods
            ],
        },
    }
