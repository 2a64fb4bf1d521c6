"""A Smart Charging Service Provider for the demo and the tests, strict about OCPI 2.2.1 and 2.3.0.

It registers or is registered, receives sessions, steers, pulls, pairs; `Manner` and `faults` make it sloppy or broken.
"""

from tools.partner_simulator.client import BridgeClient
from tools.partner_simulator.errors import (
    AnswerLostError,
    BridgeUnreachableError,
    HandshakeError,
    NotConnectedError,
    PartnerError,
)
from tools.partner_simulator.exchanges import Exchange, ReceivedResult, SyncAnswer
from tools.partner_simulator.handshake import Registration
from tools.partner_simulator.manner import AnswerStyle, Manner, MessageIds, VersionList
from tools.partner_simulator.models import (
    ActiveChargingProfile,
    ChargingProfile,
    ChargingProfilePeriod,
    ResponseType,
    ResultType,
    Session,
    SessionStatus,
)
from tools.partner_simulator.oauth import OAuthServer, OAuthSettings
from tools.partner_simulator.page_rules import SessionPage
from tools.partner_simulator.pairing import PairAnswer, Paired
from tools.partner_simulator.partner import JEDLIX, PartnerSimulator
from tools.partner_simulator.plans import guide_profile, watt_profile
from tools.partner_simulator.platform_models import OcpiVersion
from tools.partner_simulator.preferences import (
    ChargingPreferences,
    PreferencesAnswer,
    PreferencesResponse,
    ProfileType,
)
from tools.partner_simulator.receiver import ActiveProfilePush
from tools.partner_simulator.sessions import SessionPush
from tools.partner_simulator.transport import Credentials, Party, Violation

__all__ = [
    "JEDLIX",
    "ActiveChargingProfile",
    "ActiveProfilePush",
    "AnswerLostError",
    "AnswerStyle",
    "BridgeClient",
    "BridgeUnreachableError",
    "ChargingPreferences",
    "ChargingProfile",
    "ChargingProfilePeriod",
    "Credentials",
    "Exchange",
    "HandshakeError",
    "Manner",
    "MessageIds",
    "NotConnectedError",
    "OAuthServer",
    "OAuthSettings",
    "OcpiVersion",
    "PairAnswer",
    "Paired",
    "PartnerError",
    "PartnerSimulator",
    "Party",
    "PreferencesAnswer",
    "PreferencesResponse",
    "ProfileType",
    "ReceivedResult",
    "Registration",
    "ResponseType",
    "ResultType",
    "Session",
    "SessionPage",
    "SessionPush",
    "SessionStatus",
    "SyncAnswer",
    "VersionList",
    "Violation",
    "guide_profile",
    "watt_profile",
]
