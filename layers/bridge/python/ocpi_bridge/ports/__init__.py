"""The ports: what use cases need from the world, as Protocols. Adapters implement them; fakes pass the same tests."""

from ocpi_bridge.ports.charge_points import CallbackParser, ChargePointDriver, ChargerCommand, Done, Failed, Pending
from ocpi_bridge.ports.clock import Clock
from ocpi_bridge.ports.json_values import JsonObject, JsonValue
from ocpi_bridge.ports.messages import (
    CommandMessage,
    DeadlineMessage,
    FailedDelivery,
    Message,
    Outbox,
    OverdueSession,
    PushMessage,
    ResultMessage,
)
from ocpi_bridge.ports.partners import PartnerClient, PartnerMessage, Receipt
from ocpi_bridge.ports.requests import (
    Caller,
    CommandContext,
    CommandStore,
    DeliveryStore,
    IntakeStore,
    PartnerReader,
    RequestStore,
    Surroundings,
)
from ocpi_bridge.ports.secrets import CsmsSecrets, SecretStore
from ocpi_bridge.ports.sessions import Neighbours, Place, PushContext, Pushed, PushStore, SessionStore, WatchStore
from ocpi_bridge.ports.stations import StationStates
from ocpi_bridge.ports.sweep import DueInSessions, DuePush, EndedSession, OpenRequest, Reassessment, SweepStore

__all__ = [
    "CallbackParser",
    "Caller",
    "ChargePointDriver",
    "ChargerCommand",
    "Clock",
    "CommandContext",
    "CommandMessage",
    "CommandStore",
    "CsmsSecrets",
    "DeadlineMessage",
    "DeliveryStore",
    "Done",
    "DueInSessions",
    "DuePush",
    "EndedSession",
    "Failed",
    "FailedDelivery",
    "IntakeStore",
    "JsonObject",
    "JsonValue",
    "Message",
    "Neighbours",
    "OpenRequest",
    "Outbox",
    "OverdueSession",
    "PartnerClient",
    "PartnerMessage",
    "PartnerReader",
    "Pending",
    "Place",
    "PushContext",
    "PushMessage",
    "PushStore",
    "Pushed",
    "Reassessment",
    "Receipt",
    "RequestStore",
    "ResultMessage",
    "SecretStore",
    "SessionStore",
    "StationStates",
    "Surroundings",
    "SweepStore",
    "WatchStore",
]
