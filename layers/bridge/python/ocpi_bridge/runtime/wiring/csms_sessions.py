"""What the door for OCPI sessions is made of."""

import hmac

from ocpi_bridge.adapters.csms.ocpi_sessions import Change, ReportedSession, parse_session
from ocpi_bridge.adapters.dynamodb.reported_places import DynamoReportedPlaces
from ocpi_bridge.adapters.secrets.secrets_manager import SecretsManagerStore
from ocpi_bridge.domain.csms_ids import can_be_csms_id
from ocpi_bridge.domain.errors import InvalidInput, UnknownEntity
from ocpi_bridge.domain.stations import Csms, Station, outlet_by_uid
from ocpi_bridge.domain.tokens import candidates, is_bearer
from ocpi_bridge.domain.values import dataclass
from ocpi_bridge.ocpi.transport import MAX_SESSION_ID_LENGTH, OcpiRequest
from ocpi_bridge.ports.clock import Clock
from ocpi_bridge.runtime import clients
from ocpi_bridge.runtime.clock import SystemClock
from ocpi_bridge.runtime.csms_bodies import queued_text
from ocpi_bridge.runtime.csms_ocpi_door import UnknownPlace, unauthorized
from ocpi_bridge.runtime.observability import logger
from ocpi_bridge.runtime.ocpi_requests import method_not_allowed
from ocpi_bridge.runtime.settings import variable
from ocpi_bridge.runtime.wiring.csms_keys import EventKeys


@dataclass(frozen=True, slots=True)
class SessionIntake:
    """Takes the Session objects of a CSMS as a Receiver does (9.2.2): known, well-formed, at an EVSE of the registry.

    They wait in the queue like every event, so a session is at the bridge some moments after its answer.
    """

    places: DynamoReportedPlaces
    keys: EventKeys
    clock: Clock
    queue_url: str

    def take(self, request: OcpiRequest) -> None:
        """Keeps what a PUT or PATCH says. Raises TransportError, InvalidInput or UnknownPlace: nothing was kept."""
        csms_id = request.path_parameters.get("csms_id", "")
        self._authenticate(csms_id, request.headers.get("authorization"))
        if request.method not in set(Change):
            raise method_not_allowed(*Change)
        csms = self.places.csms(csms_id)
        if csms is None:
            # Its secret is there and its entry is not (any more): nothing can belong to it.
            raise unauthorized()
        session = _session(csms, request)
        station = self._station(csms_id, session)
        attributes = {
            "csms_id": csms_id,
            "form": "sessions",
            "change": session.change,
            "session_id": session.session_id,
        }
        if station is not None:
            attributes["station_id"] = station.station_id
        clients.sqs().send_message(
            QueueUrl=self.queue_url,
            MessageBody=queued_text(request.body),
            MessageAttributes={
                name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()
            },
        )

    def _authenticate(self, csms_id: str, authorization: str | None) -> None:
        """The CSMS's event key is its OCPI token. Every refusal reads the same, whoever exists."""
        tokens = () if is_bearer(authorization) else candidates(authorization)
        if not tokens or not can_be_csms_id(csms_id):
            raise unauthorized()

        def check(key: str) -> None:
            # All are compared, so that the time taken does not tell which one was right.
            matches = [hmac.compare_digest(token.encode(), key.encode()) for token in tokens]
            if True not in matches:
                raise InvalidInput("Authorization", "has not the token of this CSMS")

        try:
            self.keys.checked(csms_id, check)
        except (InvalidInput, UnknownEntity) as error:
            logger.warning("session.refused", extra={"csms_id": csms_id, "reason": str(error)})
        else:
            return
        raise unauthorized()

    def _station(self, csms_id: str, session: ReportedSession) -> Station | None:
        """The station of the EVSE that the object names; None where a PATCH names none."""
        if session.evse_uid is None:
            if session.change is Change.PUT:
                raise UnknownPlace("no EVSE is assigned yet; PUT the session again when one is")
            return None
        station = self.places.station_with(csms_id, session.evse_uid)
        if station is None:
            raise UnknownPlace("the bridge's registry has no such EVSE of this CSMS")
        if session.connector_id is not None and not outlet_by_uid(station, session.evse_uid, session.connector_id):
            raise UnknownPlace("the EVSE has no such connector in the bridge's registry")
        return station


def session_intake() -> SessionIntake:
    """The door for OCPI sessions."""
    clock = SystemClock()
    return SessionIntake(
        places=DynamoReportedPlaces(clients.dynamodb(), variable("REGISTRY_TABLE")),
        keys=EventKeys(SecretsManagerStore(clients.secrets_manager, variable("SECRETS_PREFIX"), clock), clock),
        clock=clock,
        queue_url=variable("CSMS_EVENTS_QUEUE_URL"),
    )


def _session(csms: Csms, request: OcpiRequest) -> ReportedSession:
    """What the request says. The URL is the CPO's own: its party, and an id as OCPI has them."""
    own = {"country_code": csms.country_code, "party_id": csms.party_id}
    for field, expected in own.items():
        if request.path_parameters.get(field, "").casefold() != expected.casefold():
            raise InvalidInput(field, "in the URL is not the CPO's own, as the registry has it for this CSMS")
    session_id = request.path_parameters.get("session_id", "")
    if not (0 < len(session_id) <= MAX_SESSION_ID_LENGTH and session_id.isascii() and session_id.isprintable()):
        raise InvalidInput("session_id", f"in the URL is not 1 to {MAX_SESSION_ID_LENGTH} printable characters")
    party = (csms.country_code, csms.party_id)
    return parse_session(csms, Change(request.method), session_id, request.json(), party)
