"""What goes wrong for a while, beside what hits single calls: one thing after the other while requests are sent."""

import json
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from random import Random
from threading import Event
from urllib.parse import unquote, urlsplit
from uuid import uuid4

from ocpi_bridge.adapters.csms import signing
from tools.charge_point import Behaviour, SilentChargePoint
from tools.charge_point.silent import SMART_CHARGING
from tools.counterparts.journal import NotObservedError
from tools.demo_csms import ReceivedCommand
from tools.prove.aws_proxy import WORKING, AwsProxy
from tools.prove.csms_faults import CsmsFaults, StationFault
from tools.prove.place import Place
from tools.prove.rota import Rota, Tally

CSMS_DOWN_SECONDS = 2.0
THROTTLED_SECONDS = 2.0
OFFLINE_SECONDS = 2.0
# What is wrong is so until a command met it, or so long.
WRONG_SECONDS = 15.0
OLD_MESSAGES = "old messages come again"
THROTTLING = "spell of throttling"
# A copy of a message may come long after what it was about is over.
COPIES = 5

_BEHAVIOURS = {
    StationFault.SILENT: Behaviour.SILENT,
    StationFault.REJECTING: Behaviour.REJECTING,
    StationFault.OUT_OF_SCHEMA: Behaviour.OUT_OF_SCHEMA,
}


class Trouble:
    """Makes one trouble after the other, in a seeded order; `tally` says how often which."""

    def __init__(self, place: Place, proxy: AwsProxy, csms: CsmsFaults, random: Random) -> None:
        self.tally = Tally([OLD_MESSAGES, THROTTLING])
        self._place = place
        self._csms = csms
        self._proxy = proxy
        self._random = random
        self._sqs = place.world.stack.client("sqs")
        troubles: list[Callable[[Event], None]] = [
            self._take_csms_down,
            self._repeat_old_messages,
            self._throttle,
            self._take_offline,
            *(partial(self._misbehave, fault) for fault in _BEHAVIOURS),
        ]
        self._rota = Rota(troubles, every=1, random=random)

    def make(self, over: Event) -> None:
        """The next trouble; returns when it is past, or when all of it is over."""
        trouble = self._rota.deal()
        if trouble is not None:
            trouble(over)

    def _take_csms_down(self, over: Event) -> None:
        self._csms.take_down(over, CSMS_DOWN_SECONDS, WRONG_SECONDS)

    def _throttle(self, _over: Event) -> None:
        self.tally.count(THROTTLING)
        self._proxy.throttle(self._random.choice(WORKING), THROTTLED_SECONDS)

    def _take_offline(self, over: Event) -> None:
        point = self._station()
        self._csms.tally.count(StationFault.OFFLINE)
        point.disconnect()
        over.wait(OFFLINE_SECONDS)
        point.start()

    def _misbehave(self, fault: StationFault, _over: Event) -> None:
        point = self._station()
        since = point.commands.mark()
        point.behave(_BEHAVIOURS[fault])
        with suppress(NotObservedError):
            point.commands.wait_for(lambda call: call.action in SMART_CHARGING, WRONG_SECONDS, since=since)
            self._csms.tally.count(fault)
        point.behave(Behaviour.FOLLOWING)

    def _station(self) -> SilentChargePoint:
        """The one that will most likely get a command now: the last one that got one."""
        commands = self._place.world.csms.commands.entries()
        known = {point.station_id: point for point in self._place.charge_points}
        return known[commands[-1].station_id] if commands else self._random.choice(self._place.charge_points)

    def _repeat_old_messages(self, _over: Event) -> None:
        """Commands and results of requests that were sent at any time before."""
        commands = self._place.world.csms.commands.entries()
        outputs = self._place.world.stack.outputs
        for command in self._random.sample(commands, min(COPIES, len(commands))):
            named = command_of(command)
            if named is None:
                continue
            request_id, step = named
            self.tally.count(OLD_MESSAGES)
            self._send(outputs["ChargerCommandsQueueUrl"], {"request_id": request_id, "step": step}, fifo=True)
            self._send(outputs["ResultCallbacksQueueUrl"], {"request_id": request_id})

    def _send(self, url: str, body: dict[str, object], *, fifo: bool = False) -> None:
        text = json.dumps(body)
        if fifo:
            # A group of its own: the embedded AWS and SQS alike hand out one message of a group at a time.
            self._sqs.send_message(
                QueueUrl=url, MessageBody=text, MessageGroupId=uuid4().hex, MessageDeduplicationId=uuid4().hex
            )
        else:
            self._sqs.send_message(QueueUrl=url, MessageBody=text, MessageGroupId="copies")


def command_of(command: ReceivedCommand) -> tuple[str, int] | None:
    """The request and the step that a command was sent for, as its callback URL names them; None where it has none."""
    with suppress(ValueError, IndexError):
        name = unquote(urlsplit(command.callback_url or "").path.split("/")[-2])
        request_id, _, step = signing.command_of(name)[0].rpartition(".")
        return request_id, int(step)
    return None
