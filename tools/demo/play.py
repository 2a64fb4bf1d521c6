"""Plays the programme: one step after the other until one fails, each told and kept with what was seen."""

import time
from collections.abc import Sequence
from datetime import datetime

from tools.charge_point import ChargePointError
from tools.counterparts.clock import utc_now
from tools.counterparts.journal import JournalClosedError, NotObservedError
from tools.demo import storyline
from tools.demo.narrator import Narrator
from tools.demo.outcomes import Outcome, Play, Verdict
from tools.demo.programme import Step
from tools.demo.scene import Bound, Scene, StepFailed
from tools.demo.sequence import Message
from tools.demo_csms import CsmsError
from tools.local_stack import LocalStackError
from tools.partner_simulator import BridgeUnreachableError, HandshakeError

# What everybody said last, where a step failed: enough to see where the way ends, few enough to be read.
LAST_MESSAGES = 6

_TROUBLE = (
    ChargePointError,
    JournalClosedError,
    CsmsError,
    LocalStackError,
    BridgeUnreachableError,
    HandshakeError,
    TimeoutError,
)
"""What the parts raise when the other side does not do what a step builds on. Anything else is a defect of ours."""


def perform(programme: Sequence[Step], scene: Scene, narrator: Narrator) -> Play:
    """Play the steps; after one that fails the others are not reached. Nothing is raised for a step that fails."""
    play = Play()
    for number, step in enumerate(programme, 1):
        if play.failed is not None:
            play.outcomes.append(Outcome(step.title, Verdict.NOT_REACHED))
            continue
        outcome = _perform(step, scene, narrator, number, len(programme))
        play.outcomes.append(outcome)
        tell = narrator.done if outcome.verdict is Verdict.SEEN else narrator.failed
        tell(number, len(programme), step.title, outcome.seconds, outcome.told + outcome.around)
    return play


def _perform(step: Step, scene: Scene, narrator: Narrator, number: int, total: int) -> Outcome:
    began, clock = utc_now(), time.monotonic()
    try:
        with narrator.step(number, total, step.title):
            seen = step.act(scene, Bound(step.seconds))
    except StepFailed as failure:
        expected, found = failure.expected, failure.seen
    except NotObservedError as silence:
        # Its text shows whole records: too much for a terminal.
        narrator.log([f"    {silence}"])
        expected, found = step.expected, f"nothing like it within {step.seconds:g} s"
    except _TROUBLE as trouble:
        expected, found = step.expected, f"{type(trouble).__name__}: {trouble}"
    else:
        return Outcome(step.title, Verdict.SEEN, time.monotonic() - clock, tuple(seen.splitlines()))
    told = (f"expected: {expected}", f"seen: {found}")
    last = tuple(f"    {line}" for line in last_messages(scene, began))
    around = ("what was said in the meantime, newest last:", *last) if last else ()
    return Outcome(step.title, Verdict.FAILED, time.monotonic() - clock, told, around)


def last_messages(scene: Scene, since: datetime) -> list[str]:
    """What everybody said last, one message a line, oldest first."""
    if scene.cast is None:
        return []
    everything = [
        *storyline.charge_points_story(scene.cast, scene.notes),
        *storyline.ampere_chargers_story(scene.cast),
        *storyline.silent_chargers_story(scene.cast),
    ]
    fresh = sorted((message for message in everything if message.at >= since), key=lambda message: message.at)
    return [as_line(message) for message in fresh[-LAST_MESSAGES:]]


def as_line(message: Message) -> str:
    """One message as a line of text, its time in UTC."""
    return f"{message.at:%H:%M:%S.%f}"[:-3] + f"Z  {message.source} to {message.target}: {message.text}"
