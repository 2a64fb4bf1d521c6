"""Everything that happens to a bridge, with marked secrets: partners call, charge points are told, CSMSs report."""

import base64
import json
import traceback
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from ocpi_bridge.adapters.csms.signing import sign_event
from ocpi_bridge.adapters.dynamodb import partner_items, registry_items, token_items
from ocpi_bridge.adapters.dynamodb import tables as dynamo
from ocpi_bridge.adapters.dynamodb.pairings import DynamoPairings
from ocpi_bridge.domain.assignments import Scope
from ocpi_bridge.domain.events import EventType, IdToken
from ocpi_bridge.domain.pairing import Grant, PairingCode, code_hash
from ocpi_bridge.domain.partners import OAuth2Client, OutboundAuth, Pairing, Partner, Party, Registration
from ocpi_bridge.domain.requests import Callback, RequestState, Result
from ocpi_bridge.domain.stations import CsmsAuth
from ocpi_bridge.domain.tokens import AcceptedToken, TokenUse, token_hash
from tests.contract.catalogue import fixture
from tests.support import registry_entries
from tests.support.clocks import START
from tests.support.deployed_functions import Handler, handler_of
from tests.support.lambda_events import proxy_event, queue_event, stream_event
from tests.support.marked_secrets import (
    CLIENT_ID,
    CODE,
    COMMAND_NAME,
    COMMAND_SIGNATURE,
    CONTRACT,
    EVENT_KEY,
    EVERYTHING,
    EVSE,
    FRAMES_TOKEN,
    NEWCOMERS_TOKEN,
    OUR_TOKEN,
    PARTNERS_TOKEN,
    REGISTRATION_TOKEN,
    RESPONSE_URL,
    RFID,
    URL_SECRET,
    Output,
    forms,
)
from tests.support.queues import Queues
from tests.support.raw_frames import call as frame
from tests.support.world import World, event


class Story:
    """One bridge, and everything that happens to it."""

    def __init__(self, world: World, queues: Queues, output: Output, auth: OutboundAuth) -> None:
        self.world, self.queues, self.output = world, queues, output
        self._handlers: dict[str, Handler] = {}
        login = OAuth2Client("https://login.jedlix.com/token", CLIENT_ID, api_key_header="X-API-Key")
        world.put_csms(replace(world.csms, auth=CsmsAuth.BEARER))
        world.put_partner(
            replace(
                world.partner,
                auth=auth,
                oauth2=login if auth is OutboundAuth.OAUTH2 else None,
                charging_profiles_url="https://ocpi.jedlix.com/ocpi/2.2.1/chargingprofiles",
                pairing=Pairing(),
                accepts_bearer=True,
            ),
            PARTNERS_TOKEN,
        )
        newcomer = replace(registry_entries.partner("newcomer"), sessions_url=None, registration=Registration.INVITED)
        self._put(partner_items.partner_item(newcomer, 1), self._registration_token(newcomer))
        self._put(registry_items.evse_item(EVSE, "acme", "CP-001"))
        grant, now = Grant(EVSE, Scope.EVSE, EVSE), world.clock.now()
        DynamoPairings(world.tables.client, world.tables.registry).add(
            PairingCode(code_hash(CODE), CODE[-2:], grant, now, now.replace(hour=23))
        )
        card = IdToken(uid=RFID, contract_id=CONTRACT)
        self.session = world.open_session(event(EventType.TRANSACTION_STARTED, meter="1000", token=card))

    def run(self, *, whole: bool) -> None:
        """Everything once, or only what others have a part in. What a function raises is in its log, as Lambda does it."""
        self._commands_and_results()
        for authorization in self._authorizations():
            if whole:
                self._ask_for_profiles(authorization)
                self._ask_for_the_rest(authorization)
            self._register(authorization)
        self._csms_calls()
        self._work()

    def _ask_for_profiles(self, authorization: str) -> None:
        path, parameters = f"/ocpi/2.2.1/chargingprofiles/{self.session.session_id}", self._parameters()
        profile = {**fixture("jedlix/set_charging_profile_guide.json"), "response_url": RESPONSE_URL}
        for body in (
            json.dumps(profile),
            json.dumps({**profile, "response_url": f"https://{URL_SECRET}@evil.example/{EVERYTHING}?{EVERYTHING}"}),
            json.dumps({**profile, "response_url": f"https://www.jedlix.com/{EVERYTHING}"}),
            json.dumps({"charging_profile": {"charging_rate_unit": EVERYTHING}, EVERYTHING: EVERYTHING}),
            f'{{"charging_profile": {EVERYTHING}',
            json.dumps(EVERYTHING),
        ):
            self._ask("ocpi_charging_profiles", "PUT", path, authorization, body=body, parameters=parameters)
        for method, query in (
            ("GET", urlencode({"duration": "900", "response_url": RESPONSE_URL})),
            ("GET", urlencode({"duration": EVERYTHING, "response_url": EVERYTHING, "token": EVERYTHING})),
            ("DELETE", urlencode({"response_url": RESPONSE_URL})),
            ("DELETE", f"response_url={RESPONSE_URL}&x=1&x={URL_SECRET}"),
        ):
            self._ask("ocpi_charging_profiles", method, path, authorization, query=query, parameters=parameters)

    def _ask_for_the_rest(self, authorization: str) -> None:
        sessions, pairing = "/ocpi/2.2.1/sessions", "/v1/cpo/ocpi2.2/pair"
        preferences = f"{sessions}/{self.session.session_id}/charging_preferences"
        for query in ("date_from=2026-01-01T00:00:00Z", urlencode({"cursor": EVERYTHING})):
            self._ask("ocpi_sessions", "GET", sessions, authorization, query=query)
        self._ask("ocpi_sessions", "PUT", preferences, authorization, body=EVERYTHING, parameters=self._parameters())
        self._ask("ocpi_versions", "GET", "/ocpi/versions", authorization)
        self._ask("ocpi_fallback", "GET", "/ocpi/2.2.1/tariffs", authorization)
        for code in (EVERYTHING, CODE):
            self._ask("ocpi_pairing", "POST", pairing, authorization, body=json.dumps({"code": code}))

    def _register(self, authorization: str) -> None:
        role = {"role": "SCSP", "country_code": "NL", "party_id": "NEW", "business_details": {"name": "N"}}
        versions_url = "https://ocpi.partner.example/ocpi/versions"
        credentials = {"token": NEWCOMERS_TOKEN, "url": versions_url, "roles": [role]}
        for method, body in (
            ("GET", ""),
            ("POST", json.dumps({**credentials, "url": f"https://{NEWCOMERS_TOKEN}@evil.example/{EVERYTHING}"})),
            ("POST", json.dumps({**credentials, "token": EVERYTHING})),
            ("POST", json.dumps(credentials)),
            ("PUT", f"{{{EVERYTHING}"),
        ):
            self._ask("ocpi_credentials", method, "/ocpi/2.2.1/credentials", authorization, body=body)

    def _commands_and_results(self) -> None:
        self.world.put_request(self.session, callback=self._callback())
        for _ in range(2):
            self._relay()
            self._drain("send_charger_commands", self.queues.charger_commands)
        place = f"/csms/v1/callback/{COMMAND_NAME}/{COMMAND_SIGNATURE}"
        for signature in (COMMAND_SIGNATURE, COMMAND_SIGNATURE[::-1]):
            for body in ('{"status":"Accepted"}', EVERYTHING, json.dumps({"status": EVERYTHING})):
                parameters = {"command_id": COMMAND_NAME, "signature": signature}
                self._ask("csms_callback", "POST", place, body=body, parameters=parameters)
        for number, result in enumerate((Result.ACCEPTED, Result.REJECTED)):
            self.world.put_request(
                self.session,
                request_id=f"answered-{number}",
                callback=self._callback(),
                state=RequestState.ANSWERED,
                attempts=1,
                result=result,
            )
        for _ in range(4):
            self._relay()
            self._drain("deliver_results", self.queues.result_callbacks)

    def _csms_calls(self) -> None:
        started = {
            "id": "e-1",
            "type": "transaction.started",
            "time": "2026-01-15T17:00:00Z",
            "station_id": "CP-001",
            "connector_id": 1,
            "transaction_id": "779",
            "data": {"id_token": {"uid": RFID, "contract_id": CONTRACT}, "meter_wh": 1000},
        }
        spoiled = {**started, "id": "e-2", "data": {"id_token": [RFID, CONTRACT], "meter_wh": {RFID: CONTRACT}}}
        elsewhere = {**started, "id": "e-3", "station_id": "CP-9"}
        for key in (EVENT_KEY, EVENT_KEY[::-1]):
            for events in ([started], [spoiled], [elsewhere], f"{RFID} {CONTRACT}"):
                body = json.dumps({"events": events})
                headers = {"X-CSMS-Id": "acme", "X-Signature": sign_event(body.encode(), key, START)}
                self._ask("csms_events", "POST", "/csms/v1/events", signature=headers, body=body)
        started_frame = frame("StartTransaction", {"connectorId": 1, "idTag": RFID, "meterStart": 1, "timestamp": "x"})
        authorize = frame("Authorize", {"idTag": RFID})
        for token in (FRAMES_TOKEN, FRAMES_TOKEN[::-1]):
            for body in (json.dumps(started_frame), json.dumps(authorize), f"{{{RFID}"):
                parameters = {"csms_id": "acme", "token": token}
                place = f"/csms/v1/citrineos/acme/{token}"
                self._ask("csms_frames", "POST", place, body=body, parameters=parameters)
        session = self._ocpi_session()
        for key in (EVENT_KEY, EVENT_KEY[::-1]):
            for body in (json.dumps(session), json.dumps({**session, "kwh": RFID}), f"{{{RFID} {CONTRACT}"):
                place = "/csms/v1/ocpi/acme/sessions/NL/ACM/S-1"
                parameters = {"csms_id": "acme", "country_code": "NL", "party_id": "ACM", "session_id": "S-1"}
                shown = "Token " + base64.b64encode(key.encode()).decode()
                self._ask("csms_sessions", "PUT", place, shown, body=body, parameters=parameters)
        for _ in range(3):
            self._drain("ingest_csms_events", self.queues.csms_events)

    def _work(self) -> None:
        self._relay()
        for _ in range(3):
            self._drain("push_updates", self.queues.partner_updates)
        self.world.clock.advance(120)
        self._call("sweep", {})
        for name, queue in (
            ("deliver_results", self.queues.request_deadlines),
            ("deliver_results", self.queues.result_callbacks),
            ("push_updates", self.queues.partner_updates),
            ("send_charger_commands", self.queues.charger_commands),
        ):
            self._drain(name, queue)
        self._relay()

    # --- How ---------------------------------------------------------------------------------------------------------

    def _ask(
        self,
        function: str,
        method: str,
        path: str,
        authorization: str = "",
        *,
        query: str = "",
        body: str = "",
        parameters: Mapping[str, str] | None = None,
        signature: Mapping[str, str] | None = None,
    ) -> None:
        headers = {"Authorization": authorization, **(signature or {})}
        given = proxy_event(method, path, headers=headers, query=query, body=body, path_parameters=parameters)
        answer = self._call(function, given)
        if answer is None:
            return
        module = f"{method} {path.rpartition('/')[2]}"
        self.output.add(f"answer to {module}" if module == "GET credentials" else "answers", json.dumps(answer))
        made = json.loads(answer["body"]).get("data") or {}
        if method == "POST" and "token" in made:
            # The newcomer's new token: in this answer, and nowhere else whatsoever.
            self.output.texts["answers"].pop()
            for place, texts in self.output.texts.items():
                assert not any(form in text for text in texts for form in forms(made["token"])), place

    def _call(self, function: str, given: Mapping[str, Any]) -> Any:  # noqa: ANN401 - what the function gives back
        try:
            if function not in self._handlers:
                self._handlers[function] = handler_of(function)
            return self._handlers[function](given, None)
        except Exception:  # noqa: BLE001 - Lambda logs it, whatever it is
            self.output.add("log", traceback.format_exc())
            return None

    def _drain(self, function: str, url: str) -> None:
        self._call(function, queue_event(self.queues.client, url))

    def _relay(self) -> None:
        tables = self.world.tables
        items = [item for name in (tables.requests, tables.sessions) for item in tables.items(name)]
        self._call("relay_outbox", stream_event(items))

    def _put(self, *items: Mapping[str, object]) -> None:
        self.world.tables.put(self.world.tables.registry, *(dynamo.to_item(item) for item in items))

    def _registration_token(self, partner: Partner) -> Mapping[str, object]:
        digest = token_hash(REGISTRATION_TOKEN)
        accepted = AcceptedToken(digest, partner.partner_id, partner.party, START, use=TokenUse.REGISTRATION)
        return token_items.token_item(accepted)

    def _authorizations(self) -> tuple[str, ...]:
        encoded = base64.b64encode(REGISTRATION_TOKEN.encode()).decode()
        return (f"Token {PARTNERS_TOKEN}", f"Token {encoded}", f"Bearer {OUR_TOKEN}", f"Basic {EVENT_KEY}")

    def _parameters(self) -> Mapping[str, str]:
        return {"session_id": self.session.session_id}

    def _callback(self) -> Callback:
        return Callback(RESPONSE_URL, "corr-1", Party("NL", "ACM"), self.world.partner.party)

    def _ocpi_session(self) -> dict[str, Any]:
        return {
            "country_code": "NL",
            "party_id": "ACM",
            "id": "S-1",
            "start_date_time": "2026-01-15T17:00:00Z",
            "kwh": 1.25,
            "cdr_token": {"uid": RFID, "type": "RFID", "contract_id": CONTRACT},
            "auth_method": "WHITELIST",
            "location_id": "LOC1",
            "evse_uid": EVSE,
            "connector_id": "1",
            "currency": "EUR",
            "status": "ACTIVE",
            "last_updated": "2026-01-15T17:05:00Z",
        }
