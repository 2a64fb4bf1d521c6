"""Histories: what became of a session, in order, as people look at it. No person is in one (design decision 22)."""

from datetime import datetime, timedelta
from enum import StrEnum

from ocpi_bridge.domain.courses import Course
from ocpi_bridge.domain.requests import UNDELIVERED_RESULT, WAITING, InstalledPlan, Origin, Request
from ocpi_bridge.domain.sessions import Session
from ocpi_bridge.domain.values import dataclass


class Actor(StrEnum):
    """Who did something."""

    PARTNER = "partner"
    BRIDGE = "bridge"
    CHARGE_POINT = "charge point"
    CPO = "CPO"


class Step(StrEnum):
    """What kind of thing happened."""

    SESSION = "session"
    REQUEST = "request"
    SENT = "sent"
    ANSWER = "answer"
    DELIVERY = "delivery"
    PUSH = "push"
    STEERING = "steering"


class Sense(StrEnum):
    """Whether what came of it is as it should be."""

    GOOD = "good"
    BAD = "bad"
    NEUTRAL = "neutral"


@dataclass(frozen=True, slots=True)
class Happening:
    """One thing that happened: when, by whom, what, what came of it, and how long that took.

    `name` says which partner or charge point it was; `took` is the time since the step before it; `request_id` is the
    request that it belongs to.
    """

    at: datetime
    step: Step
    by: Actor
    what: str
    name: str | None = None
    result: str = ""
    sense: Sense = Sense.NEUTRAL
    took: timedelta | None = None
    request_id: str | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """How a partner stands to the session. `told_at` is when it last acknowledged it, `heard_at` an active profile.

    `watching`: it is owed every change of the active profile. `failures` in a row are of pushes of both kinds.
    `in_doubt`: nobody knows whether it has the last push.
    """

    partner_id: str
    sees: bool
    steers: bool
    told_at: datetime | None = None
    heard_at: datetime | None = None
    watching: bool = False
    in_doubt: bool = False
    failures: int = 0


@dataclass(frozen=True, slots=True)
class History:
    """What became of a session until `at`. `session` has no token; `requests` are in the order of their making.

    `since` and `until` are what of it is worth a picture, with what is planned: courses lie within.
    `chosen` is the request that it was asked for by, if it was; `installed` the plan that the charge point accepted
    last; `in_the_dark`: nobody knows what the last command left there. `earlier_requests`, `earlier_periods`: there are
    some before the first that is here. `others` are the newest sessions of the same charge point, if it was asked for.
    """

    at: datetime
    since: datetime
    until: datetime
    session: Session
    happenings: tuple[Happening, ...] = ()
    courses: tuple[Course, ...] = ()
    requests: tuple[Request, ...] = ()
    partners: tuple[Standing, ...] = ()
    installed: InstalledPlan | None = None
    in_the_dark: bool = False
    chosen: str | None = None
    earlier_requests: bool = False
    earlier_periods: bool = False
    others: tuple[str, ...] = ()

    @property
    def pending(self) -> tuple[Request, ...]:
        """Requests that wait: for the charge point's answer, or for their result to reach the partner."""
        return tuple(
            one
            for one in self.requests
            if one.state in WAITING or (one.state in UNDELIVERED_RESULT and one.origin is Origin.PARTNER)
        )
