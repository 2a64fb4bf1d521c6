"""A partner tells what a driver wishes of the CPO's own smart charging (OCPI 9.2.1.2)."""

import uuid
from typing import NoReturn

from ocpi_bridge.domain.errors import InvalidInput
from ocpi_bridge.domain.partners import Party
from ocpi_bridge.domain.preferences import CHARGING_PREFERENCES_CAPABLE, ChargingPreferences, PreferencesChange
from ocpi_bridge.domain.stations import outlet_by_uid
from ocpi_bridge.domain.values import dataclass
from ocpi_bridge.ocpi.charging_preferences import ChargingPreferencesResponse
from ocpi_bridge.ocpi.transport import CallContext, StatusCode, TransportError
from ocpi_bridge.ports.callers import Caller
from ocpi_bridge.ports.clock import Clock
from ocpi_bridge.ports.preferences import PreferencesStore
from ocpi_bridge.ports.requests import IntakeStore


@dataclass(frozen=True, slots=True)
class SetPreferences:
    """Takes charging preferences, keeps the newest, and has the CSMS told of them by the bus."""

    intake: IntakeStore
    store: PreferencesStore
    clock: Clock

    def __call__(
        self, caller: Caller, preferences: ChargingPreferences, context: CallContext
    ) -> ChargingPreferencesResponse:
        """Gives the answer at once; ACCEPTED means kept and handed on, not that the CPO can meet them (9.4.2).

        Raises TransportError (404, with 2001) for a session that the partner does not see, the same whether there is
        one or not, and for an EVSE that takes no preferences (9.4.1); InvalidInput for a routing header that does not
        name the session's party.
        """
        partner_id = caller.partner_id
        if partner_id is None:
            raise ValueError("the caller is not authenticated")
        now = self.clock.now()
        around = self.intake.surroundings(partner_id, caller.session, now)
        if around.partner is None or not around.partner.connected:
            raise TransportError(401, "unknown token")
        session = caller.session if partner_id in around.rights.seen_by else None
        if session is None:
            _not_found("there is no such session")
        if context.to_party is not None and not context.to_party.is_same(Party(session.country_code, session.party_id)):
            raise InvalidInput("OCPI-to-party-id", "is not the party that the session belongs to")
        outlet = outlet_by_uid(around.station, session.evse_uid, session.connector_id) if around.station else None
        if outlet is None or CHARGING_PREFERENCES_CAPABLE not in outlet.evse.capabilities:
            _not_found("the EVSE of this session takes no charging preferences")
        if session.over or around.rights.steered_by != partner_id or not preferences.possible(session, outlet, now):
            return ChargingPreferencesResponse.NOT_POSSIBLE
        self.store.save(
            PreferencesChange(
                change_id=uuid.uuid4().hex,
                at=now,
                session_id=session.session_id,
                partner_id=partner_id,
                csms_id=session.csms_id,
                station_id=session.station_id,
                transaction_id=session.transaction_id,
                evse_uid=session.evse_uid,
                connector_id=outlet.connector.ocpp_connector_id,
                evse_id=outlet.evse.ocpp_evse_id,
                preferences=preferences,
            )
        )
        return ChargingPreferencesResponse.ACCEPTED


def _not_found(message: str) -> NoReturn:
    raise TransportError(404, message, status_code=StatusCode.INVALID_PARAMETERS)
