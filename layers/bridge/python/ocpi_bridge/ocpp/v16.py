"""OCPP 1.6 (edition 2, errata v4): SetChargingProfile, ClearChargingProfile, GetCompositeSchedule, GetConfiguration."""

import re
from collections.abc import Mapping
from datetime import datetime

from ocpi_bridge.domain.errors import InvalidInput
from ocpi_bridge.domain.requests import RequestKind
from ocpi_bridge.domain.stations import Capabilities
from ocpi_bridge.domain.statuses import ACCEPTED
from ocpi_bridge.ocpp import payloads, responses
from ocpi_bridge.ocpp.capabilities import NamedValues, field_of
from ocpi_bridge.ports.charge_points import ChargerCommand, Done
from ocpi_bridge.ports.json_values import JsonObject, JsonValue

# An integer, of as many digits as fit in 64 bits; some stations count their offline transactions below zero.
_TRANSACTION_ID = re.compile(r"-?[0-9]{1,18}")

# Configuration keys of the SmartCharging profile (9.4).
RATE_UNITS = "ChargingScheduleAllowedChargingRateUnit"
MAX_PERIODS = "ChargingScheduleMaxPeriods"
MAX_STACK_LEVEL = "ChargeProfileMaxStackLevel"
MAX_PROFILES = "MaxChargingProfilesInstalled"


def request(command: ChargerCommand) -> tuple[str, JsonObject]:
    """The action and payload of a command, valid by the official schema.

    SET becomes a TxProfile for the command's transaction (5.16), CLEAR names the profile's id and nothing else (an
    empty request would clear every profile, the CPO's own included: errata 3.25), GET asks for the connector (5.7),
    LEARN for the configuration keys of smart charging (5.8, 9.4) and no others.
    Limits are Decimals; `payloads.written_schedule` says how they must be serialised.

    Raises InvalidInput, before anything is sent, where the registry's connector number is not above 0 or the CSMS's
    transaction id is no integer; ValueError for a SET without a plan or a GET without a duration.
    """
    match command.kind:
        case RequestKind.SET:
            return "SetChargingProfile", _set(command)
        case RequestKind.CLEAR:
            return "ClearChargingProfile", {"id": command.profile_id}
        case RequestKind.GET:
            return "GetCompositeSchedule", {"connectorId": _connector(command), **payloads.composite_query(command)}
        case RequestKind.LEARN:
            return "GetConfiguration", {"key": [RATE_UNITS, MAX_PERIODS, MAX_STACK_LEVEL, MAX_PROFILES]}


def answer(kind: RequestKind, payload: JsonValue, received_at: datetime) -> Done:
    """What the charge point answered. Never raises, whatever the payload is.

    The status is passed on even where the schema does not know it; without one it is `responses.UNPARSEABLE`. An
    Accepted GET carries the composite schedule, in its own unit and not in the one asked for. A LEARN is Accepted with
    the capabilities that its keys tell; GetConfiguration has no status of its own.
    """
    if kind is RequestKind.LEARN:
        return _learned(payload)
    said = responses.read_status(payload)
    if kind is not RequestKind.GET or said.status != ACCEPTED or not isinstance(payload, Mapping):
        return said
    schedule = payload.get("chargingSchedule")
    # A composite must not have a startSchedule of its own (errata 3.57); some stations send only that one.
    inner = schedule.get("startSchedule") if isinstance(schedule, Mapping) else None
    return responses.read_composite(said, schedule, (payload.get("scheduleStart"), inner), received_at)


def _set(command: ChargerCommand) -> JsonObject:
    return {
        "connectorId": _connector(command),
        "csChargingProfiles": {
            "chargingProfileId": command.profile_id,
            "transactionId": _transaction(command.transaction_id),
            "stackLevel": command.stack_level,
            "chargingProfilePurpose": "TxProfile",
            "chargingProfileKind": payloads.profile_kind(command),
            "chargingSchedule": payloads.written_schedule(command),
        },
    }


def _learned(payload: JsonValue) -> Done:
    listed = field_of(payload, "configurationKey")
    if not isinstance(listed, list | tuple):
        # A station that knows none of the keys may send only `unknownKey`, or nothing.
        nothing_known = isinstance(payload, Mapping) and (not payload or "unknownKey" in payload)
        return Done(ACCEPTED, capabilities=Capabilities()) if nothing_known else responses.read_status(payload)
    said = NamedValues((field_of(entry, "key"), field_of(entry, "value")) for entry in listed)
    return Done(
        ACCEPTED,
        capabilities=Capabilities(
            allowed_units=said.units(RATE_UNITS),
            max_periods=said.count(MAX_PERIODS, least=1),
            max_stack_level=said.count(MAX_STACK_LEVEL, least=0),
            # Room for no profile at all is the one thing that tells of no smart charging; more tells of nothing.
            smart_charging=False if said.count(MAX_PROFILES, least=0) == 0 else None,
        ),
    )


def _connector(command: ChargerCommand) -> int:
    return payloads.one_outlet(command.outlet.connector.ocpp_connector_id, "ocpp_connector_id")


def _transaction(transaction_id: str) -> int:
    if not _TRANSACTION_ID.fullmatch(transaction_id):
        raise InvalidInput("transaction_id", f"OCPP 1.6 needs an integer, not {transaction_id!r}")
    return int(transaction_id)
