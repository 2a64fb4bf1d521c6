"""What a CSMS reports about its stations: one canonical event behind all doors (csms.md 8b)."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from ocpi_bridge.domain.plans import Plan
from ocpi_bridge.domain.prices import Price
from ocpi_bridge.domain.values import dataclass


class EventType(StrEnum):
    """What happened."""

    TRANSACTION_STARTED = "transaction.started"
    TRANSACTION_UPDATED = "transaction.updated"
    TRANSACTION_ENDED = "transaction.ended"
    STATION_BOOTED = "station.booted"
    STATION_ONLINE = "station.online"
    STATION_OFFLINE = "station.offline"
    CHARGING_LIMIT_CHANGED = "charging_limit.changed"
    # The most that the CPO allows at an EVSE, kept by the bridge (design decision 14).
    CAP_CHANGED = "cap.changed"
    # The CPO takes over (design decision 19): no steering, steering again, and the plans that are installed go now.
    STEERING_SUSPENDED = "steering.suspended"
    STEERING_RESUMED = "steering.resumed"
    STEERING_RELEASED = "steering.released"

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
        changed = {EventType.CHARGING_LIMIT_CHANGED, EventType.CAP_CHANGED}
        return self in changed or self.about_steering or self.tells_online is True

    @property
    def about_steering(self) -> bool:
        """Whether the CPO takes its station, EVSE or session back, or gives it away again."""
        return self.value.startswith("steering.")


class SessionStatus(StrEnum):
    """SessionStatus (OCPI 9.4.4)."""

    PENDING = "PENDING"
    ACTIVE = "ACTIVE"
    COMPLETED = "COMPLETED"
    INVALID = "INVALID"
    RESERVATION = "RESERVATION"


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
    """What the meter says: Wh on the register, W, A and V per phase, A offered per phase, W offered in all, charge in %."""

    meter_wh: Decimal | None = None
    power_w: Decimal | None = None
    current_a: tuple[Decimal, ...] = ()
    voltage_v: tuple[Decimal, ...] = ()
    offered_a: Decimal | None = None
    soc: Decimal | None = None
    offered_w: Decimal | None = None


@dataclass(frozen=True, slots=True)
class ReportedLimit:
    """A limit that is not a partner's, as the CSMS tells it: where it comes from, and its course where that is told.

    `source` is OCPP's ChargingLimitSource (EMS, SO, CSO, Other). `plan` is absolute; None where the limit was lifted, or
    where only its change is known.
    """

    source: str
    plan: Plan | None = None


@dataclass(frozen=True, slots=True)
class StationEvent:
    """One event. `time` is when it happened at the station, by the station's clock; `total_cost` is so far.

    The place is told by OCPP's numbers, or by OCPI's ids (`evse_uid`, `outlet_id` for Connector.id) where the CSMS
    speaks OCPI. `session_id` is the CSMS's own id of the session, which then is ours too; `transaction_known` is False
    where `transaction_id` is only a stand-in for OCPP's. `told_status` is what the CSMS itself says of the session.
    `cap_w` (W) belongs to `cap.changed`; None lifts it. Steering events name a session, an EVSE, or neither: the whole
    station.
    """

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
    evse_uid: str | None = None
    outlet_id: str | None = None
    session_id: str | None = None
    transaction_known: bool = True
    told_status: SessionStatus | None = None
    stop_reason: str | None = None
    limit: ReportedLimit | None = None
    cap_w: Decimal | None = None
