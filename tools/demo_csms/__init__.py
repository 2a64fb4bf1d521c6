"""A small CSMS for the demo and the tests: OCPP 1.6J WebSocket, CitrineOS's HTTP surface, events or raw frames."""

from tools.demo_csms.callbacks import (
    CallbackDelivery,
    CallbackOutcome,
    DelayCallback,
    DropCallback,
    HoldCallback,
    RepeatCallback,
    ReplaceCallback,
)
from tools.demo_csms.csms import DemoCsms, Reports
from tools.demo_csms.errors import (
    AnswerInvalidError,
    CallInProgressError,
    CallRefusedError,
    CsmsError,
    NoConnectionError,
    OtherProtocolError,
    StationSilentError,
)
from tools.demo_csms.event_reporter import EventDelivery, EventDoor, EventReporter, signature
from tools.demo_csms.frame_feed import FrameDelivery, FrameFeed
from tools.demo_csms.records import Direction, ReceivedCommand, RecordedFrame
from tools.demo_csms.station_201 import FakeStation201
from tools.demo_csms.subscriptions import Subscription, Subscriptions
from tools.demo_csms.transactions import Token, Transaction

__all__ = [
    "AnswerInvalidError",
    "CallInProgressError",
    "CallRefusedError",
    "CallbackDelivery",
    "CallbackOutcome",
    "CsmsError",
    "DelayCallback",
    "DemoCsms",
    "Direction",
    "DropCallback",
    "EventDelivery",
    "EventDoor",
    "EventReporter",
    "FakeStation201",
    "FrameDelivery",
    "FrameFeed",
    "HoldCallback",
    "NoConnectionError",
    "OtherProtocolError",
    "ReceivedCommand",
    "RecordedFrame",
    "RepeatCallback",
    "ReplaceCallback",
    "Reports",
    "StationSilentError",
    "Subscription",
    "Subscriptions",
    "Token",
    "Transaction",
    "signature",
]
