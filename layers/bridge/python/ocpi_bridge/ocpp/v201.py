"""OCPP 2.0.1: SetChargingProfile (use case K01), ClearChargingProfile (K10), GetCompositeSchedule (K08), GetVariables (B06)."""

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

# The schema's bound of a transactionId.
MAX_TRANSACTION_ID_LENGTH = 36

# A profile carries one schedule (more only with ISO 15118, K01.FR.34), so its id never has to tell two apart.
SCHEDULE_ID = 1

# The component of the device model, and its variables (part 2, appendix 3): asked for as they are (attribute Actual).
SMART_CHARGING = "SmartChargingCtrlr"
ENABLED, AVAILABLE = "Enabled", "Available"
RATE_UNITS = "RateUnit"
MAX_PERIODS = "PeriodsPerSchedule"
MAX_STACK_LEVEL = "ProfileStackLevel"
VARIABLES = (ENABLED, AVAILABLE, RATE_UNITS, MAX_PERIODS, MAX_STACK_LEVEL)


def request(command: ChargerCommand) -> tuple[str, JsonObject]:
    """The action and payload of a command, valid by the official schema.

    SET becomes a TxProfile for the command's transaction (K01.FR.03), CLEAR names the profile's id and nothing else,
    GET asks for the EVSE, LEARN for the variables of SmartChargingCtrlr that say what it takes. Limits are Decimals; `payloads.written_schedule` says how they must be serialised.

    Raises InvalidInput, before anything is sent, where the registry's EVSE number is not above 0 or the CSMS's
    transaction id is empty or longer than 36; ValueError for a SET without a plan or a GET without a duration.
    """
    match command.kind:
        case RequestKind.SET:
            return "SetChargingProfile", _set(command)
        case RequestKind.CLEAR:
            return "ClearChargingProfile", {"chargingProfileId": command.profile_id}
        case RequestKind.GET:
            return "GetCompositeSchedule", {"evseId": _evse(command), **payloads.composite_query(command)}
        case RequestKind.LEARN:
            component = {"name": SMART_CHARGING}
            asked = [{"component": component, "variable": {"name": name}} for name in VARIABLES]
            return "GetVariables", {"getVariableData": asked}


def answer(kind: RequestKind, payload: JsonValue, received_at: datetime) -> Done:
    """What the charging station answered. Never raises, whatever the payload is.

    The status is passed on even where the schema does not know it; without one it is `responses.UNPARSEABLE`. The
    detail is the statusInfo. An Accepted GET carries the composite schedule, in its own unit and not in the one asked
    for. A LEARN is Accepted with the capabilities that its variables tell; GetVariables has no status of its own.
    """
    if kind is RequestKind.LEARN:
        return _learned(payload)
    said = responses.read_status(payload)
    if kind is not RequestKind.GET or said.status != ACCEPTED or not isinstance(payload, Mapping):
        return said
    schedule = payload.get("schedule")
    starts = (schedule.get("scheduleStart"), schedule.get("startSchedule")) if isinstance(schedule, Mapping) else ()
    return responses.read_composite(said, schedule, starts, received_at)


def _set(command: ChargerCommand) -> JsonObject:
    return {
        "evseId": _evse(command),
        "chargingProfile": {
            "id": command.profile_id,
            "stackLevel": command.stack_level,
            "chargingProfilePurpose": "TxProfile",
            "chargingProfileKind": payloads.profile_kind(command),
            "transactionId": _transaction(command.transaction_id),
            "chargingSchedule": [{"id": SCHEDULE_ID, **payloads.written_schedule(command)}],
        },
    }


def _learned(payload: JsonValue) -> Done:
    listed = field_of(payload, "getVariableResult")
    if not isinstance(listed, list | tuple):
        return responses.read_status(payload)
    said = NamedValues(
        (field_of(field_of(entry, "variable"), "name"), field_of(entry, "attributeValue"))
        for entry in listed
        if field_of(entry, "attributeStatus") == ACCEPTED and _is_smart_charging(field_of(entry, "component"))
    )
    flags = [flag for flag in (said.flag(ENABLED), said.flag(AVAILABLE)) if flag is not None]
    return Done(
        ACCEPTED,
        capabilities=Capabilities(
            allowed_units=said.units(RATE_UNITS),
            max_periods=said.count(MAX_PERIODS, least=1),
            max_stack_level=said.count(MAX_STACK_LEVEL, least=0),
            smart_charging=all(flags) if flags else None,
        ),
    )


def _is_smart_charging(component: JsonValue) -> bool:
    name = field_of(component, "name")
    return isinstance(name, str) and name.strip().casefold() == SMART_CHARGING.casefold()


def _evse(command: ChargerCommand) -> int:
    return payloads.one_outlet(command.outlet.ocpp_evse_id, "ocpp_evse_id")


def _transaction(transaction_id: str) -> str:
    if not 0 < len(transaction_id) <= MAX_TRANSACTION_ID_LENGTH:
        raise InvalidInput("transaction_id", f"OCPP 2.0.1 needs 1 to {MAX_TRANSACTION_ID_LENGTH} characters")
    return transaction_id
