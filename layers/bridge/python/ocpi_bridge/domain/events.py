"""What a CSMS reports about its stations: one canonical event behind all doors (csms.md 8b)."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from ocpi_bridge.domain.prices import Price


class EventType(StrEnum):
    """What happened."""

    TRANSACTION_STARTED = "transaction.started"
    TRANSACTION_UPDATED = "transaction.updated"
    TRANSACTION_ENDED = "transaction.ended"
    STATION_BOOTED = "station.booted"
    STATION_ONLINE = "station.online"
    STATION_OFFLINE = "station.offline"
    CHARGING_LIMIT_CHANGED = "charging_limit.changed"
    # Taken so that a CSMS may send all it has; nothing follows from it yet.
    COMMAND_RESULT = "command.result"

    @property
    def about_a_transaction(self) -> bool:
        """Whether the event belongs to a transaction (and so carries its id)."""
        return self.value.startswith("transaction.")

    @property
    def tells_online(self) -> bool | None:
        """Whether the event shows the station connected or not; None when it shows neither."""
        if self is EventType.STATION_OFFLINE:
            return False
        return True if self in {EventType.STATION_BOOTED, EventType.STATION_ONLINE} else None

    @property
    def doubts_profiles(self) -> bool:
        """Whether charge points may follow another profile from then on, without anybody's request."""
        return self is EventType.CHARGING_LIMIT_CHANGED or self.tells_online is True


class ChargingState(StrEnum):
    """ChargingState of OCPP 2.0.1; translated from the connector's status in 1.6."""

    CHARGING = "Charging"
    SUSPENDED_EV = "SuspendedEV"
    SUSPENDED_EVSE = "SuspendedEVSE"
    EV_CONNECTED = "EVConnected"
    IDLE = "Idle"


@dataclass(frozen=True, slots=True)
class IdToken:
    """The token that started a transaction. `kind` is OCPI's TokenType."""

    uid: str
    kind: str = "RFID"
    contract_id: str | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """What the meter says: Wh on the register, W, A and V per phase, A offered per phase, state of charge in %."""

    meter_wh: Decimal | None = None
    power_w: Decimal | None = None
    current_a: tuple[Decimal, ...] = ()
    voltage_v: tuple[Decimal, ...] = ()
    offered_a: Decimal | None = None
    soc: Decimal | None = None


@dataclass(frozen=True, slots=True)
class StationEvent:
    """One event. `time` is when it happened at the station, by the station's clock; `total_cost` is so far."""

    event_id: str
    type: EventType
    time: datetime
    csms_id: str
    station_id: str
    connector_id: int | None = None
    evse_id: int | None = None
    transaction_id: str | None = None
    id_token: IdToken | None = None
    auth_method: str | None = None
    reading: Reading = Reading()
    charging_state: ChargingState | None = None
    total_cost: Price | None = None
