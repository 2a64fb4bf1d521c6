"""The world that measured requests meet: one partner, one CSMS, one station, one session, one request of each kind.

It is what a CPO with one car would have in its tables, written by the bridge's own code, and the HTTP servers of partner
and CSMS at one address.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from ocpi_bridge.adapters.dynamodb import (
    pairings,
    partner_items,
    registry_items,
    request_items,
    session_items,
    token_items,
)
from ocpi_bridge.adapters.dynamodb import tables as dynamo
from ocpi_bridge.domain.assignments import Assignment, Right, Rights, Scope
from ocpi_bridge.domain.controls import Control
from ocpi_bridge.domain.events import EventType, IdToken, Reading, StationEvent
from ocpi_bridge.domain.pairing import Grant, PairingCode, code_hash
from ocpi_bridge.domain.partners import Pairing, Partner, Party
from ocpi_bridge.domain.plans import Plan, PlanPeriod, RateUnit
from ocpi_bridge.domain.requests import Callback, Origin, Request, RequestKind, RequestState, Result
from ocpi_bridge.domain.session_course import new_session
from ocpi_bridge.domain.sessions import Session
from ocpi_bridge.domain.stations import (
    Connector,
    Csms,
    CsmsMode,
    Evse,
    OcppVersion,
    PowerType,
    ProfileIdRange,
    Station,
    find_outlet,
)
from ocpi_bridge.domain.tokens import AcceptedToken, token_hash

PARTNER_ID: Final = "jedlix"
TOKEN: Final = "partner-token"
EVENT_KEY: Final = "key-of-the-events-of-this-csms-01234567"
SIGNING_KEY: Final = "key of the callback URLs"
PAIRING_CODE: Final = "36282100"
CSMS_ID, STATION_ID, EVSE_UID = "acme", "CP-001", "BE*BEC*E041503001"
OUR_PARTY: Final = Party("NL", "ACM")
WAITING, ANSWERED = "waiting", "answered"
"""The ids of the two requests: one that the sender is to send, one whose result is to be delivered."""

TIMEOUT = timedelta(seconds=90)
JEDLIX_URL: Final = "https://www.jedlix.com/ocpi/2.2.1/chargingprofiles/response?request_id=123456"


@dataclass(frozen=True, slots=True)
class World:
    """Everything as it is at `now`. `peers` is the base URL at which partner and CSMS are served, if they are."""

    now: datetime
    peers: str = "https://peers.example"

    @property
    def tables(self) -> dict[str, list[dict[str, Any]]]:
        """The items of each table, in DynamoDB's notation, by the variable that names the table."""
        return {
            "REGISTRY_TABLE": list(map(dynamo.to_item, self._registry())),
            "SESSIONS_TABLE": list(map(dynamo.to_item, self._sessions())),
            "REQUESTS_TABLE": list(map(dynamo.to_item, self._requests())),
        }

    @property
    def secrets(self) -> dict[str, str]:
        """The secrets, by their names below the stage's prefix."""
        return {
            "callback-signing": SIGNING_KEY,
            f"csms/{CSMS_ID}": json.dumps({"event_key": EVENT_KEY, "api_credential": "Bearer csms-credential"}),
            f"partners/{PARTNER_ID}": json.dumps({"token": "token-that-we-show"}),
        }

    @property
    def partner(self) -> Partner:
        """The SCSP."""
        return Partner(
            PARTNER_ID,
            "Jedlix",
            Party("NL", "JDX"),
            (".jedlix.com", "localhost"),
            sessions_url=f"{self.peers}/ocpi/2.2.1/sessions",
            pairing=Pairing(),
        )

    @property
    def session(self) -> Session:
        """A car that charges for ten minutes."""
        started = StationEvent(
            event_id="started",
            type=EventType.TRANSACTION_STARTED,
            time=self.now - timedelta(minutes=10),
            csms_id=CSMS_ID,
            station_id=STATION_ID,
            connector_id=1,
            transaction_id="778",
            id_token=IdToken(uid="04AABBCC", contract_id="NL-TNM-C12345678-X"),
            reading=Reading(meter_wh=Decimal(1000), current_a=(Decimal(16), Decimal(16), Decimal(16))),
        )
        outlet = find_outlet(self._station, 1, None)
        assert outlet is not None
        rights = Rights(frozenset({PARTNER_ID}), PARTNER_ID)
        return new_session(started, self._csms, outlet, rights, now=started.time)

    @property
    def _csms(self) -> Csms:
        return Csms(
            CSMS_ID,
            "citrineos",
            self.peers,
            CsmsMode.CALLBACK,
            ProfileIdRange(100_000, 199_999),
            country_code=OUR_PARTY.country_code,
            party_id=OUR_PARTY.party_id,
            parameters=(("tenantId", "1"),),
        )

    @property
    def _station(self) -> Station:
        connector = Connector("1", 1, PowerType.AC_3_PHASE, 230, 32)
        evse = Evse(EVSE_UID, (connector,), cap_w=Decimal(11_000))
        return Station(CSMS_ID, STATION_ID, "LOC1", OcppVersion.V16, (evse,))

    def _registry(self) -> Iterable[Mapping[str, Any]]:
        token = AcceptedToken(token_hash(TOKEN), PARTNER_ID, self.partner.party, self.now)
        assignment = Assignment(
            PARTNER_ID, Scope.EVSE, EVSE_UID, Right.STEER, self.now - timedelta(days=30), None, consent="contract"
        )
        grant = Grant(EVSE_UID, Scope.EVSE, EVSE_UID)
        code = PairingCode(code_hash(PAIRING_CODE), "00", grant, self.now, self.now + timedelta(minutes=15))
        return (
            partner_items.partner_item(self.partner, 1),
            token_items.token_item(replace(token, bearer=True)),
            registry_items.csms_item(self._csms, 1),
            registry_items.station_item(self._station, 1),
            registry_items.evse_item(EVSE_UID, CSMS_ID, STATION_ID),
            registry_items.assignments_item(Scope.EVSE, EVSE_UID, [assignment], 1),
            pairings.code_item(code),
        )

    def _sessions(self) -> Iterable[Mapping[str, Any]]:
        session = self.session
        pk, sk = session_items.control_key(session.session_id)
        accepted = Control(session.session_id, version=1, accepted=1, unit=RateUnit.WATT)
        control = {"pk": pk, "sk": sk, "entity": "control", "version": 1, "accepted": 1, "unit": "W"}
        transaction = session_items.transaction_key(CSMS_ID, STATION_ID, "778")
        places = (transaction, session_items.live_key(session), session_items.car_key(session))
        return (
            session_items.session_item(session),
            {**control, "intakes": session_items.intakes_text(accepted)},
            *({"pk": pk, "sk": sk, "session_id": session.session_id} for pk, sk in places),
        )

    def _requests(self) -> Iterable[Mapping[str, Any]]:
        waiting = request_items.request_items(self.request(WAITING, RequestState.PENDING), day_plan(self.now))
        answered = request_items.request_item(self.request(ANSWERED, RequestState.ANSWERED))
        return (*waiting, answered | {"result": Result.ACCEPTED.value, "reason": ""})

    def request(self, request_id: str, state: RequestState) -> Request:
        """A PUT of the partner, accepted a second ago."""
        created = self.now - timedelta(seconds=1)
        return Request(
            request_id=request_id,
            origin=Origin.PARTNER,
            kind=RequestKind.SET,
            session_id=self.session.session_id,
            csms_id=CSMS_ID,
            station_id=STATION_ID,
            state=state,
            created_at=created,
            deadline=created + TIMEOUT - timedelta(seconds=10),
            timeout_at=created + TIMEOUT,
            steps=(RequestKind.SET,),
            number=1,
            partner_id=PARTNER_ID,
            callback=Callback(
                f"{self.peers}/response?request_id={request_id}", "correlation-1", OUR_PARTY, self.partner.party
            ),
            unit=RateUnit.WATT,
        )


def day_plan(now: datetime) -> Plan:
    """What an SCSP plans for a day: a limit for each quarter of an hour, 96 in all."""
    periods = tuple(PlanPeriod(start, Decimal(limit)) for start, limit in quarters(96))
    return Plan(RateUnit.WATT, periods, now.replace(microsecond=0))


def quarters(count: int) -> list[tuple[int, int]]:
    """So many periods (s, W) of a quarter of an hour, each unlike its neighbours, as prices that change each quarter do."""
    return [(900 * index, (0, 4_140, 11_000, 7_400, 1_380, 9_660)[index % 6]) for index in range(count)]
