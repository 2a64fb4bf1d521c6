"""How the partner answers the results that are posted to it: by a plan for each request, made before it is sent."""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from random import Random
from urllib.parse import parse_qs

from tools.counterparts.http_service import AnswerSlowly, Fault, NeverAnswer, Request, ResetConnection
from tools.partner_simulator import faults
from tools.partner_simulator.receiver import RESPONSE, RESPONSE_KEY
from tools.prove.rota import Rota, Tally

# Far beyond what an answer to a result may have.
HUGE = 10_000_000
# One request in so many meets a partner that misbehaves.
EVERY = 3
# More attempts than any timeout has room for.
FOR_EVER = 1000


class PartnerFault(StrEnum):
    """How one attempt is answered."""

    ERROR = "partner answers 500"
    TOO_MANY = "partner answers 429 with Retry-After"
    REDIRECT = "partner redirects to a forbidden address"
    NEVER = "partner never answers"
    SLOW = "partner sends a byte a second"
    HUGE = "partner sends 10 MB"
    RESET = "partner resets the connection"
    LOST_ANSWER = "partner resets the connection after it took the result"
    REFUSED = "partner answers 200 with OCPI 2001"
    UNABLE = "partner answers 200 with OCPI 3000"


# Answers that a second attempt cannot better.
FINAL = frozenset({PartnerFault.REDIRECT, PartnerFault.HUGE, PartnerFault.REFUSED})
# While these last, the attempt is under way.
LASTING = frozenset({PartnerFault.NEVER, PartnerFault.SLOW})

# What one request meets: at its first attempts; afterwards all is well.
Course = tuple[PartnerFault, ...]
COURSES: Sequence[Course] = (
    *((kind,) for kind in PartnerFault),
    (PartnerFault.ERROR, PartnerFault.RESET, PartnerFault.UNABLE),
    (PartnerFault.ERROR,) * FOR_EVER,
)


@dataclass(frozen=True, slots=True)
class Attempt:
    """One POST of a result: when it came, what it said, and how it was answered (None: taken with 200 and 1000)."""

    at: datetime
    body: bytes
    fault: PartnerFault | None


@dataclass(slots=True)
class _Response:
    course: Course = ()
    attempts: list[Attempt] = field(default_factory=list)


class PartnerFaults:
    """Answers POSTs to response URLs. `tally` says how often each fault was met, `attempts` what was posted.

    One request in `every` meets faults, with None no request does. Redirects lead to `forbidden_url`.
    """

    def __init__(self, *, seed: int = 1, forbidden_url: str = "", every: int | None = EVERY) -> None:
        self.tally = Tally(list(PartnerFault))
        self._rota = None if every is None else Rota(COURSES, every=every, random=Random(f"{seed} partner"))
        self._lock = threading.Lock()
        self._responses: dict[str, _Response] = {}
        self._make: Mapping[PartnerFault, Callable[[], Fault]] = _makers(forbidden_url)

    def next_course(self) -> Course:
        """What the next request is to meet."""
        return (self._rota and self._rota.deal()) or ()

    def expect(self, response_url: str, course: Course) -> None:
        """Plans how results to this URL are answered."""
        with self._lock:
            self._responses[key_of(response_url)] = _Response(course)

    def choose(self, request: Request) -> Fault | None:
        """What hits a request to the partner."""
        if request.method != "POST" or not request.path.endswith(f"/{RESPONSE}"):
            return None
        with self._lock:
            response = self._responses.setdefault(key_of(request.target), _Response())
            number = len(response.attempts)
            kind = response.course[number] if number < len(response.course) else None
            response.attempts.append(Attempt(request.at, request.body, kind))
        if kind is None:
            return None
        self.tally.count(kind)
        return self._make[kind]()

    def attempts(self, response_url: str) -> Sequence[Attempt]:
        """What was posted to this URL, oldest first."""
        with self._lock:
            response = self._responses.get(key_of(response_url))
            return () if response is None else tuple(response.attempts)


def key_of(url: str) -> str:
    """What tells one response URL of the partner from another; empty where it is none of the partner's."""
    return parse_qs(url.partition("?")[2]).get(RESPONSE_KEY, [""])[0]


def _makers(forbidden_url: str) -> Mapping[PartnerFault, Callable[[], Fault]]:
    huge = faults.huge_body(HUGE)
    return {
        PartnerFault.ERROR: lambda: faults.http_error(500),
        PartnerFault.TOO_MANY: lambda: faults.too_many_requests(2),
        PartnerFault.REDIRECT: lambda: faults.redirect(forbidden_url),
        PartnerFault.NEVER: NeverAnswer,
        PartnerFault.SLOW: lambda: AnswerSlowly(1),
        PartnerFault.HUGE: lambda: huge,
        PartnerFault.RESET: ResetConnection,
        PartnerFault.LOST_ANSWER: lambda: ResetConnection(handled=True),
        PartnerFault.REFUSED: lambda: faults.ocpi_error(2001),
        PartnerFault.UNABLE: lambda: faults.ocpi_error(3000),
    }
