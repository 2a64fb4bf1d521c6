"""A bridge that does its job by script, or leaves out or falsifies one part of it: what the demo must not believe."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import partial

import httpx

from tests.unit.demo.scripted_platform import CPO, TOKEN_A, ScriptedPlatform, page
from tools.counterparts.clock import utc_now, write_datetime
from tools.counterparts.http_service import HttpService, Request, Response
from tools.counterparts.json_types import JsonObject, as_list, as_object, as_text, read_json, write_json
from tools.demo.world import Invitation
from tools.demo_csms import CsmsError, DemoCsms, EventDoor
from tools.partner_simulator import PartnerSimulator
from tools.partner_simulator.transport import authorization, envelope, new_message_ids, routing

PROFILE_ID = 1_000_001
SILENT_STATION, AMPERE_STATION = "CP-2", "CP-3"
# 3 phases of 230 V and 32 A.
MAXIMUM = 22_080
VOLTAGE, CONNECTOR_PHASES, PHASE_IN_USE_A = 230, 3, 1
# The silent charger's CALL is given up after this long (s); any other's only when something is broken.
PATIENCE_WITH_THE_SILENT = 0.3
PATIENCE = 15.0
TIMEOUT = 30
SESSION_EVENTS = frozenset({"transaction.started", "transaction.updated", "transaction.ended"})
ACTIVE_SECONDS, PUSHED_SECONDS = 5400, 3600


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
    never_calls_back: bool = False
    keeps_token_a: bool = False
    keeps_former_tokens: bool = False
    shows_former_token: bool = False
    pushes_by_another_version: bool = False
    pushes_whole: bool = False
    ignores_meter: bool = False
    forgets_link: bool = False
    serves_other_energy: bool = False
    hides_limits: bool = False
    guesses_limits: bool = False
    misreads_limits: bool = False
    ignores_cap: bool = False
    clears_nothing: bool = False
    steers_while_suspended: bool = False
    never_steers_again: bool = False
    assumes_three_phases: bool = False
    leaves_plans: bool = False


class ScriptedBridge:
    """Takes the CSMS's events and the partner's requests over HTTP; hands on what it has to without more ado.

    Its counterparts are `csms`, which knows it, and `partner`, which has to register with `invitation`.
    """

    def __init__(self, script: Script) -> None:
        self._script = script
        self._platform = ScriptedPlatform(
            calls_back=not script.never_calls_back,
            ends_token_a=not script.keeps_token_a,
            ends_former_tokens=not script.keeps_former_tokens,
        )
        self._http = HttpService(self._handle, name="scripted-bridge")
        self._platform.url = self._http.url
        self.csms = DemoCsms(door=EventDoor(self._http.url, "demo", "key"))
        self.partner = PartnerSimulator(cpo=CPO)
        self._sessions: dict[str, JsonObject] = {}
        self._meters: dict[str, Decimal] = {}
        self._phases: dict[str, int] = {}
        self._plans: dict[str, Request] = {}
        self._caps: dict[str, Decimal] = {}
        self._suspended: set[str] = set()
        self._workers: list[threading.Thread] = []
        # What is installed last is fitted to what was seen last.
        self._installing = threading.Lock()
        self._first_token: str | None = None

    @property
    def invitation(self) -> Invitation:
        return Invitation(self._platform.versions_url, TOKEN_A)

    @contextmanager
    def running(self) -> Iterator[None]:
        with self._http, self.csms, self.partner:
            yield
            for worker in self._workers:
                worker.join(PATIENCE)

    def _handle(self, request: Request) -> Response:
        if request.path == "/csms/v1/events":
            for event in as_list(as_object(read_json(request.body)).get("events")):
                self._take_event(as_object(event))
            return Response.json(202, {})
        answer = self._platform.refuse(request) or self._platform.answer(request)
        return self._serve(request) if answer is None else answer

    def _serve(self, request: Request) -> Response:
        if request.path.endswith("/sessions"):
            more = Decimal(1) if self._script.serves_other_energy else Decimal(0)
            sessions = [{**one, "kwh": Decimal(str(one["kwh"])) + more} for one in self._sessions.values()]
            return page(request, sessions, links=not self._script.forgets_link)
        refuses = self._script.refuses or self._station_of(request) in self._suspended
        if not refuses:
            self._begin(partial(self._work, request))
        return envelope(request, data={"result": "REJECTED" if refuses else "ACCEPTED", "timeout": TIMEOUT})

    def _begin(self, work: Callable[[], None]) -> None:
        worker = threading.Thread(target=work)
        self._workers.append(worker)
        worker.start()

    def _take_event(self, event: JsonObject) -> None:
        kind, data = as_text(event.get("type")), as_object(event.get("data"))
        station_id = as_text(event.get("station_id")) or ""
        self._take_the_cpos_word(kind or "", station_id, data)
        if self._script.forgets_sessions or kind not in SESSION_EVENTS:
            return
        session_id, now = as_text(event.get("transaction_id")) or "", write_datetime(utc_now())
        if kind == "transaction.started":
            self._sessions[session_id] = _session(event, now)
            self._meters[session_id] = Decimal(str(data["meter_wh"]))
        elif kind == "transaction.ended":
            self._begin(partial(self._forget_plan, station_id))
        elif kind == "transaction.updated" and ("meter_wh" not in data or self._script.ignores_meter):
            return
        self._see_phases(station_id, data)
        changed: JsonObject = {"last_updated": now, "kwh": self._energy(session_id, data)}
        if kind == "transaction.ended":
            changed |= {"status": "COMPLETED", "end_date_time": now}
        session = self._sessions[session_id]
        session |= changed
        base = self.partner.sessions_url
        if self._script.pushes_by_another_version:
            base = base.replace("2.3.0", "2.2.1")
        whole = kind == "transaction.started" or self._script.pushes_whole
        url = f"{base}/{CPO.country_code}/{CPO.party_id}/{session['id']}"
        self._send("PUT" if whole else "PATCH", url, session if whole else changed)

    def _energy(self, session_id: str, data: JsonObject) -> Decimal:
        return (Decimal(str(data["meter_wh"])) - self._meters[session_id]) / 1000

    def _see_phases(self, station_id: str, data: JsonObject) -> None:
        in_use = [current for current in as_list(data.get("current_a")) if float(str(current)) > PHASE_IN_USE_A]
        if len(in_use) not in {0, self._phases.get(station_id, CONNECTOR_PHASES)}:
            self._phases[station_id] = len(in_use)
            if station_id in self._plans:
                self._begin(partial(self._install, station_id))

    def _take_the_cpos_word(self, kind: str, station_id: str, data: JsonObject) -> None:
        match kind:
            case "charging_limit.changed" if not self._script.hides_limits:
                self._begin(partial(self._tell_limit, station_id))
            case "cap.changed" if data["cap_w"] is None:
                self._caps.pop(station_id)
            case "cap.changed" if not self._script.ignores_cap:
                self._caps[station_id] = Decimal(str(data["cap_w"]))
                self._begin(partial(self._send_again, station_id))
            case "steering.suspended" if not self._script.clears_nothing:
                if not self._script.steers_while_suspended:
                    self._suspended.add(station_id)
                self._begin(partial(self._take_back, station_id))
            case "steering.resumed" if not self._script.never_steers_again:
                self._suspended.discard(station_id)

    def _send_again(self, station_id: str) -> None:
        self._install(station_id)
        self._tell_limit(station_id)

    def _take_back(self, station_id: str) -> None:
        self._forget_plan(station_id)
        limit = self._caps.get(station_id, Decimal(MAXIMUM))
        self._tell(station_id, _constant(limit))

    def _forget_plan(self, station_id: str) -> None:
        if self._plans.pop(station_id, None) is None or self._script.leaves_plans:
            return
        # The silent charger does not answer this either, and at the end everybody is gone.
        with suppress(CsmsError):
            self._call(station_id, "ClearChargingProfile", {"id": PROFILE_ID})

    def _install(self, station_id: str) -> None:
        with self._installing:
            running = self.csms.books.active(station_id)[0]
            cap = self._caps.get(station_id)
            payload = _set(self._plans[station_id], running.transaction_id, self._script, cap)
            if station_id == AMPERE_STATION:
                seen = self._phases.get(station_id, CONNECTOR_PHASES)
                payload = _in_ampere(payload, CONNECTOR_PHASES if self._script.assumes_three_phases else seen)
            self._call(station_id, "SetChargingProfile", payload)

    def _tell(self, station_id: str, profile: JsonObject) -> None:
        session = next(one for one in self._sessions.values() if one["location_id"] == station_id)
        self._send("PUT", f"{self.partner.charging_profiles_url}/{session['id']}", profile)

    def _tell_limit(self, station_id: str) -> None:
        composite: JsonObject = {"scheduleStart": write_datetime(utc_now())}
        if not self._script.guesses_limits:
            asked: JsonObject = {"connectorId": 1, "duration": PUSHED_SECONDS, "chargingRateUnit": "W"}
            composite = self._call(station_id, "GetCompositeSchedule", asked)
        invented = self._script.guesses_limits or self._script.misreads_limits
        self._tell(station_id, _active(composite, PUSHED_SECONDS, invented=invented))

    def _work(self, request: Request) -> None:
        url = _response_url(request)
        try:
            body = self._command(request, self._station_of(request))
        except CsmsError:
            body = {"result": "REJECTED"}
        if request.method != self._script.mute:
            self._send("POST", url, body)
        if self._script.contradicts_itself:
            self._send("POST", url, {"result": "UNKNOWN"})

    def _send(self, method: str, url: str, body: JsonObject) -> None:
        """A call to the partner, with the token that it has given."""
        self._first_token = self._first_token or self._platform.presented
        token = self._first_token if self._script.shows_former_token else self._platform.presented
        headers = {
            "Authorization": authorization(token, plain=False),
            "Content-Type": "application/json",
            **new_message_ids(),
            **routing(to=self.partner.party, sender=CPO),
        }
        httpx.request(method, url, content=write_json(body), headers=headers)

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
                self._plans[station_id] = request
                self._install(station_id)
            case "DELETE":
                self._plans.pop(station_id, None)
                self._call(station_id, "ClearChargingProfile", {"id": PROFILE_ID})
            case _:
                asked: JsonObject = {"connectorId": 1, "duration": ACTIVE_SECONDS, "chargingRateUnit": "W"}
                composite = self._call(station_id, "GetCompositeSchedule", asked)
                profile = _active(composite, ACTIVE_SECONDS, invented=self._script.invents_active_profile)
                return {"result": "ACCEPTED", "profile": profile}
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


def _response_url(request: Request) -> str:
    if request.method == "PUT":
        return as_text(as_object(read_json(request.body)).get("response_url")) or ""
    # As Jedlix writes it: last in the query, not percent-encoded.
    return request.target.partition("response_url=")[2]


def _set(request: Request, transaction_id: int, script: Script, cap: Decimal | None) -> JsonObject:
    asked = as_object(as_object(read_json(request.body)).get("charging_profile"))
    periods = [as_object(period) for period in as_list(asked.get("charging_profile_period"))]
    share = 2 if script.halves_limits else 1
    most = Decimal(MAXIMUM) if cap is None else cap
    schedule: JsonObject = {
        "startSchedule": asked["start_date_time"],
        "chargingRateUnit": "W",
        "chargingSchedulePeriod": [
            {"startPeriod": period["start_period"], "limit": min(most, Decimal(str(period["limit"])) // share)}
            for period in periods
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


def _in_ampere(payload: JsonObject, phases: int) -> JsonObject:
    profile = as_object(payload["csChargingProfiles"])
    schedule = as_object(profile["chargingSchedule"])
    periods = [
        {**as_object(one), "limit": Decimal(str(as_object(one)["limit"])) // (VOLTAGE * phases)}
        for one in as_list(schedule["chargingSchedulePeriod"])
    ]
    schedule |= {"chargingRateUnit": "A", "chargingSchedulePeriod": periods}
    return {**payload, "csChargingProfiles": {**profile, "chargingSchedule": schedule}}


def _constant(limit: Decimal) -> JsonObject:
    return {
        "start_date_time": write_datetime(utc_now()),
        "charging_profile": {
            "duration": PUSHED_SECONDS,
            "charging_rate_unit": "W",
            "charging_profile_period": [{"start_period": 0, "limit": limit}],
        },
    }


def _active(composite: JsonObject, duration: int, *, invented: bool) -> JsonObject:
    schedule = as_object(composite.get("chargingSchedule"))
    periods = [as_object(period) for period in as_list(schedule.get("chargingSchedulePeriod"))]
    start = datetime.fromisoformat(as_text(composite.get("scheduleStart")) or "")
    if invented:
        periods = [{"startPeriod": 0, "limit": 22000}]
    return {
        "start_date_time": write_datetime(start),
        "charging_profile": {
            "duration": duration,
            "charging_rate_unit": "W",
            "charging_profile_period": [
                {"start_period": period["startPeriod"], "limit": period["limit"]} for period in periods
            ],
        },
    }
