"""A bridge that does its job by script, or leaves out or falsifies one part of it: what the demo must not believe."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from tools.counterparts.clock import utc_now, write_datetime
from tools.counterparts.http_service import HttpService, Request, Response
from tools.counterparts.json_types import JsonObject, as_list, as_object, as_text, read_json
from tools.demo_csms import CsmsError, DemoCsms, EventDoor
from tools.partner_simulator import Credentials, PartnerSimulator, Party
from tools.partner_simulator.transport import envelope

CPO = Party("NL", "CPO")
CREDENTIALS = Credentials(ours="partner-to-bridge", theirs="bridge-to-partner")
PROFILE_ID = 1_000_001
SILENT_STATION = "CP-2"
# The silent charger's CALL is given up after this long (s); any other's only when something is broken.
PATIENCE_WITH_THE_SILENT = 0.3
PATIENCE = 15.0
TIMEOUT = 30


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
                worker.join(PATIENCE)

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
        kind = as_text(event.get("type"))
        if self._script.forgets_sessions or kind not in {"transaction.started", "transaction.ended"}:
            return
        now = write_datetime(utc_now())
        session = self._sessions.setdefault(as_text(event.get("transaction_id")) or "", _session(event, now))
        session["last_updated"] = now
        if kind == "transaction.ended":
            session |= {"status": "COMPLETED", "end_date_time": now, "kwh": Decimal("1.2")}
        self.partner.sessions.put(CPO, str(session["id"]), dict(session))

    def _work(self, request: Request) -> None:
        key = request.target.rpartition("request_id=")[2] if request.method != "PUT" else _key(request)
        try:
            body = self._command(request, self._station_of(request))
        except CsmsError:
            body = {"result": "REJECTED"}
        if request.method != self._script.mute:
            self.partner.exchanges.take_result(key, body, utc_now())
        if self._script.contradicts_itself:
            self.partner.exchanges.take_result(key, {"result": "UNKNOWN"}, utc_now())

    def _station_of(self, request: Request) -> str:
        session = self._sessions[request.path.rpartition("/session-")[2]]
        return str(session["location_id"])

    def _command(self, request: Request, station_id: str) -> JsonObject:
        if request.method == self._script.deaf:
            return {"result": "ACCEPTED"}
        if self._script.says_rejected:
            return {"result": "REJECTED"}
        match request.method:
            case "PUT":
                running = self.csms.books.active(station_id)[0]
                self._call(station_id, "SetChargingProfile", _set(request, running.transaction_id, self._script))
            case "DELETE":
                self._call(station_id, "ClearChargingProfile", {"id": PROFILE_ID})
            case _:
                asked: JsonObject = {"connectorId": 1, "duration": 5400, "chargingRateUnit": "W"}
                composite = self._call(station_id, "GetCompositeSchedule", asked)
                return {"result": "ACCEPTED", "profile": _active(composite, self._script)}
        return {"result": "ACCEPTED"}

    def _call(self, station_id: str, action: str, payload: JsonObject) -> JsonObject:
        patience = PATIENCE_WITH_THE_SILENT if station_id == SILENT_STATION else PATIENCE
        return self.csms.call(station_id, action, payload, patience)


def _session(event: JsonObject, now: str) -> JsonObject:
    station_id = as_text(event.get("station_id"))
    return {
        "country_code": CPO.country_code,
        "party_id": CPO.party_id,
        "id": f"session-{event['transaction_id']}",
        "start_date_time": now,
        "kwh": 0,
        "cdr_token": {"country_code": "NL", "party_id": "MSP", "uid": "p-1", "type": "RFID", "contract_id": "p-2"},
        "auth_method": "WHITELIST",
        "location_id": station_id,
        "evse_uid": f"{station_id}-1",
        "connector_id": "1",
        "currency": "EUR",
        "status": "ACTIVE",
    }


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
