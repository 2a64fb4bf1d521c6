"""A Smart Charging Service Provider for the demo and the tests, strict about OCPI 2.2.1."""

from tools.partner_simulator.client import BridgeClient, BridgeUnreachableError
from tools.partner_simulator.exchanges import Exchange, ReceivedResult, SyncAnswer
from tools.partner_simulator.models import (
    ActiveChargingProfile,
    ChargingProfile,
    ChargingProfilePeriod,
    ResponseType,
    ResultType,
    Session,
    SessionStatus,
)
from tools.partner_simulator.partner import JEDLIX, PartnerSimulator
from tools.partner_simulator.plans import guide_profile, watt_profile
from tools.partner_simulator.receiver import ActiveProfilePush
from tools.partner_simulator.sessions import SessionPush
from tools.partner_simulator.transport import Credentials, Party, Violation

__all__ = [
    "JEDLIX",
    "ActiveChargingProfile",
    "ActiveProfilePush",
    "BridgeClient",
    "BridgeUnreachableError",
    "ChargingProfile",
    "ChargingProfilePeriod",
    "Credentials",
    "Exchange",
    "PartnerSimulator",
    "Party",
    "ReceivedResult",
    "ResponseType",
    "ResultType",
    "Session",
    "SessionPush",
    "SessionStatus",
    "SyncAnswer",
    "Violation",
    "guide_profile",
    "watt_profile",
]
