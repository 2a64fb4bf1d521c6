"""What the evidence says: the rows of the report, and whether each is as it must be. Pure."""

from collections import Counter, defaultdict
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise

from ocpi_bridge.domain.requests import Request, RequestState, Result
from tools.partner_simulator import ResponseType
from tools.prove.evidence import Command, Evidence, Sent, of_partner
from tools.prove.partner_faults import LASTING, Attempt

# A deliverer waits 8 s for a partner and holds the lease for 12 s: nothing may be posted sooner beside a POST that lasts.
ALONE = timedelta(seconds=7)
SET = "SetChargingProfile"
# Headings of what a run did, beside what came of it.
FAULTS = "Faults injected"
KILLED = "Processes killed"
# The one promise that needs workers who get their turn: on a machine that is busy with other things, they may not.
UNTRIED = "given up without one attempt, though no fault hit its delivery"


class Need(StrEnum):
    """What a row has to be."""

    ZERO = "must be 0"
    SOME = "must not be 0"
    ALL = "must be all"
    ANY = ""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the report. `examples` say of what the count is, where it should be nothing."""

    name: str
    count: int
    need: Need = Need.ANY
    of: int | None = None
    examples: Sequence[str] = ()

    @property
    def good(self) -> bool:
        """Whether it is as it must be."""
        match self.need:
            case Need.ZERO:
                return self.count == 0
            case Need.SOME:
                return self.count > 0
            case Need.ALL:
                return self.count == self.of
            case Need.ANY:
                return True


@dataclass(frozen=True, slots=True)
class Section:
    """Rows that belong together."""

    heading: str
    rows: Sequence[Row]


@dataclass(frozen=True, slots=True)
class Verdict:
    """The whole report."""

    sections: Sequence[Section]

    @property
    def proved(self) -> bool:
        """Whether every row is as it must be."""
        return all(row.good for section in self.sections for row in section.rows)

    def failures(self, *, besides: Container[str] = ()) -> list[Row]:
        """The rows that are not as they must be, but for some: named by themselves, or by their section."""
        looked_at = (section for section in self.sections if section.heading not in besides)
        return [row for section in looked_at for row in section.rows if not row.good and row.name not in besides]

    def section(self, heading: str) -> Section:
        """The section of this heading."""
        return next(section for section in self.sections if section.heading == heading)


def judge(evidence: Evidence) -> Verdict:
    """The verdict on a run."""
    case = _Case(evidence)
    return Verdict(
        (
            Section("Requests", case.requests()),
            Section("Results", case.results()),
            Section("What must never happen", case.promises()),
            Section("Dead letters by queue", _counts(evidence.dead_letters)),
            Section(FAULTS, _counts(evidence.faults, Need.SOME)),
            Section(KILLED, _counts(evidence.crashes, Need.SOME)),
        )
    )


def _counts(counts: Mapping[str, int], need: Need = Need.ANY) -> list[Row]:
    return [Row(name, count, need) for name, count in sorted(counts.items())]


class _Case:
    """The evidence, put side by side by request."""

    def __init__(self, evidence: Evidence) -> None:
        self._evidence = evidence
        self._accepted = [sent for sent in evidence.sent if sent.accepted]
        self._request = of_partner(evidence.requests)
        self._number = {key: one.number for key, one in evidence.requests.items() if one.number is not None}

    def requests(self) -> list[Row]:
        evidence = self._evidence
        answers = Counter(f"{sent.method}: {sent.answer}" for sent in evidence.sent if not sent.accepted)
        methods = Counter(sent.method for sent in evidence.sent)
        return [
            Row("sent", len(evidence.sent), Need.ALL, of=evidence.wanted),
            *(Row(f"sent: {method}", methods[method], Need.SOME) for method in ("PUT", "GET", "DELETE")),
            Row(ResponseType.ACCEPTED, len(self._accepted), Need.SOME),
            *(Row(f"answered otherwise: {what}", count) for what, count in sorted(answers.items())),
        ]

    def results(self) -> list[Row]:
        stored = [request for sent in self._accepted if (request := self._request.get(sent.response_url))]
        given_up = [request for request in stored if request.state is RequestState.UNDELIVERED]
        reasons = Counter(request.delivery.last_error or "without a reason" for request in given_up)
        letters = Counter(reason for key in self._ids(given_up) for reason in self._evidence.dead.get(key, ()))
        twice = [sent for sent in self._accepted if len(self._taken(sent)) > 1]
        said = Counter(str(request.result) for request in stored)
        return [
            Row("delivered", sum(request.state is RequestState.DELIVERED for request in stored), Need.SOME),
            Row("given up, in the dead-letter queue with the reason", len(given_up)),
            *(Row(f"given up: {reason}", count) for reason, count in sorted(reasons.items())),
            *(Row(f"in the dead-letter queue: {reason}", count) for reason, count in sorted(letters.items())),
            *(Row(f"the result is {result}", count) for result, count in sorted(said.items())),
            Row("delivered twice, with equal content", len(twice)),
            Row(
                "given up without one attempt, after a fault hit its delivery", len(list(self._untried(disturbed=True)))
            ),
            Row("the bridge's own requests", len(self._evidence.requests) - len(self._request)),
        ]

    def promises(self) -> list[Row]:
        return [
            zero("lost: accepted, and neither delivered nor in the dead-letter queue with a reason", self._lost()),
            zero("contradictory results of one request", self._contradictory()),
            zero("results that nobody was promised", self._unpromised()),
            zero("first delivery attempt after the timeout", self._late()),
            zero(UNTRIED, self._untried()),
            zero("posted again while the POST before was under way", self._crowded()),
            zero("ACCEPTED told of a profile that never left", self._invented()),
            zero("commands that left after their request was answered", self._after_the_answer()),
            zero("numbers out of order at a charge point", self._out_of_order()),
            Row("dials to forbidden places", self._evidence.dials, Need.ZERO),
            zero("HTTP 5xx of the API", (_name(sent) for sent in self._evidence.sent if sent.status >= 500)),
            zero("violations of OCPI that the partner saw", self._evidence.violations),
        ]

    def _lost(self) -> Iterable[str]:
        for sent in self._accepted:
            request = self._request.get(sent.response_url)
            if request is None:
                yield f"{_name(sent)}: not stored"
            elif request.state is RequestState.DELIVERED:
                if not self._taken(sent):
                    yield f"{_name(sent)}: DELIVERED, but the partner took nothing"
            elif request.state is not RequestState.UNDELIVERED:
                yield f"{_name(sent)}: {request.state}"
            elif not request.delivery.last_error:
                yield f"{_name(sent)}: UNDELIVERED without a reason"
            elif not any(self._evidence.dead.get(request.request_id, ())):
                yield f"{_name(sent)}: UNDELIVERED ({request.delivery.last_error}), not in the dead-letter queue"

    def _contradictory(self) -> Iterable[str]:
        for sent in self._evidence.sent:
            bodies = {attempt.body for attempt in self._attempts(sent)}
            if len(bodies) > 1:
                yield f"{_name(sent)}: {sorted(bodies)}"

    def _unpromised(self) -> Iterable[str]:
        return (_name(sent) for sent in self._evidence.sent if not sent.accepted and self._attempts(sent))

    def _late(self) -> Iterable[str]:
        for sent in self._accepted:
            attempts = self._attempts(sent)
            if attempts and sent.promised_by is not None and attempts[0].at > sent.promised_by:
                yield f"{_name(sent)}: {(attempts[0].at - sent.promised_by).total_seconds():.1f} s late"

    def _untried(self, *, disturbed: bool = False) -> Iterable[str]:
        for sent in self._accepted:
            request = self._request.get(sent.response_url)
            if request is None or request.state is not RequestState.UNDELIVERED or self._attempts(sent):
                continue
            if (request.request_id in self._evidence.disturbed) is disturbed:
                yield f"{_name(sent)}: {request.delivery.last_error}, {request.reason}"

    def _crowded(self) -> Iterable[str]:
        for sent in self._accepted:
            for earlier, later in pairwise(self._attempts(sent)):
                if earlier.fault in LASTING and later.at - earlier.at < ALONE:
                    yield f"{_name(sent)}: {(later.at - earlier.at).total_seconds():.1f} s after"

    def _invented(self) -> Iterable[str]:
        left = {command.request_id for command in self._evidence.commands if command.action == SET}
        for sent in self._accepted:
            request = self._request.get(sent.response_url)
            is_set = sent.method == "PUT" and request is not None and request.result is Result.ACCEPTED
            if is_set and request is not None and request.request_id not in left:
                yield _name(sent)

    def _after_the_answer(self) -> Iterable[str]:
        answered: dict[str, datetime] = {}
        for sent in self._accepted:
            request, attempts = self._request.get(sent.response_url), self._attempts(sent)
            if request is not None and attempts:
                answered[request.request_id] = attempts[0].at
        for command in self._evidence.commands:
            at = answered.get(command.request_id)
            if at is not None and command.at > at:
                yield f"{command.action} of {command.request_id}, {(command.at - at).total_seconds():.3f} s after"

    def _out_of_order(self) -> Iterable[str]:
        by_session: dict[str, list[Command]] = defaultdict(list)
        for command in self._evidence.commands:
            request = self._evidence.requests.get(command.request_id)
            if request is not None and request.number is not None:
                by_session[request.session_id].append(command)
        for session_id, commands in by_session.items():
            for earlier, later in pairwise(commands):
                before, after = self._number[earlier.request_id], self._number[later.request_id]
                if after < before:
                    yield f"session {session_id}: {before}, then {after}"

    def _attempts(self, sent: Sent) -> Sequence[Attempt]:
        return self._evidence.attempts.get(sent.response_url, ())

    def _taken(self, sent: Sent) -> list[Attempt]:
        return [attempt for attempt in self._attempts(sent) if attempt.fault is None]

    def _ids(self, requests: Sequence[Request]) -> list[str]:
        return [request.request_id for request in requests]


def zero(name: str, found: Iterable[str]) -> Row:
    """A row that must be 0, with what was found against it."""
    examples = tuple(found)
    return Row(name, len(examples), Need.ZERO, examples=examples)


def _name(sent: Sent) -> str:
    return f"{sent.method} {sent.session_id} {sent.response_url.rpartition('=')[2]}"
