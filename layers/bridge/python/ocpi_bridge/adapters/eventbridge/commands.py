"""The charge point driver over the bus: a CSMS takes commands as events and reports their results as events."""

from collections.abc import Mapping
from typing import Final

from botocore.exceptions import BotoCoreError, ClientError

from ocpi_bridge.adapters.csms.codecs import CODECS, OcppCodec
from ocpi_bridge.adapters.eventbridge.bus import EventsNotTaken
from ocpi_bridge.domain.errors import BridgeError
from ocpi_bridge.domain.requests import RequestKind
from ocpi_bridge.domain.stations import Csms, OcppVersion
from ocpi_bridge.ocpi.charging_profiles import charging_profile
from ocpi_bridge.ocpi.datetimes import format_datetime
from ocpi_bridge.ocpi.transport import dumps
from ocpi_bridge.ports.bus import BusEvent, CsmsBus
from ocpi_bridge.ports.charge_points import ChargerCommand, Failed, Pending
from ocpi_bridge.ports.clock import Clock
from ocpi_bridge.ports.json_values import JsonObject, JsonValue

COMMAND: Final = "ocpp.command"

# EventBridge takes 256 KB a call, names and time of the event included; they are far below the difference.
MAX_DETAIL_BYTES: Final = 250_000


class BusChargePointDriver:
    """Implements ChargePointDriver for every CSMS on the bus (docs/csms-bus.md). At-least-once.

    The result comes back as the event `command.result`, or never; the signed callback URL stays with us.
    """

    def __init__(self, bus: CsmsBus, clock: Clock, *, codecs: Mapping[OcppVersion, OcppCodec] = CODECS) -> None:
        self._bus = bus
        self._clock = clock
        self._codecs = codecs

    def submit(self, csms: Csms, command: ChargerCommand) -> Pending | Failed:
        """Publishes the command. Never raises for what the registry says or the bus does."""
        try:
            action, payload = self._codecs[command.outlet.station.ocpp_version].request(command)
        except BridgeError as error:
            return Failed(str(error), nothing_sent=True, retryable=False)
        detail = _detail(csms, command, action, payload)
        if len(dumps(detail).encode()) > MAX_DETAIL_BYTES:
            return Failed("the command is too long for the bus", nothing_sent=True, retryable=False)
        return self._publish(BusEvent(COMMAND, self._clock.now(), detail))

    def _publish(self, event: BusEvent) -> Pending | Failed:
        try:
            self._bus.publish([event])
        except (EventsNotTaken, ClientError) as error:
            return Failed(f"the bus did not take the command: {_named(error)}", nothing_sent=True, retryable=True)
        except BotoCoreError as error:
            # Perhaps only the answer was lost, and the command is on its way.
            return Failed(f"no answer of the bus: {_named(error)}", nothing_sent=False, retryable=True)
        return Pending()


def _detail(csms: Csms, command: ChargerCommand, action: str, payload: JsonObject) -> JsonObject:
    outlet = command.outlet
    detail: dict[str, JsonValue] = {
        "command_id": command.command_id,
        "csms": csms.csms_id,
        "station_id": outlet.station.station_id,
        "ocpp_version": outlet.station.ocpp_version.value,
        "action": action,
        "payload": payload,
        "deadline": format_datetime(command.deadline),
        "request_id": command.request_id,
        "correlation_id": command.correlation_id,
    }
    if command.kind is not RequestKind.LEARN:
        detail |= {
            "connector_id": outlet.connector.ocpp_connector_id,
            "evse_uid": outlet.evse.uid,
            "transaction_id": command.transaction_id,
            "session_id": command.session_id,
        }
        if outlet.station.ocpp_version is OcppVersion.V201:
            detail["evse_id"] = outlet.ocpp_evse_id
    if command.kind is RequestKind.SET and command.asked_plan is not None:
        detail["charging_profile"] = charging_profile(command.asked_plan)
    return detail


def _named(error: Exception) -> str:
    """What happened, without words that could repeat what was sent."""
    if isinstance(error, ClientError):
        return error.response.get("Error", {}).get("Code", "unknown")
    return str(error) if isinstance(error, EventsNotTaken) else type(error).__name__
