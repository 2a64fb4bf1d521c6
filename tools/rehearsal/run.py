"""A rehearsal from the first call to the last: which checks run, in which order, and what ends one."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from tools.counterparts.clock import utc_now
from tools.partner_simulator.transport import Party
from tools.rehearsal.checks import afterwards, configuration, credentials, preferences, sessions, steering, wrong_input
from tools.rehearsal.checks.check import Check
from tools.rehearsal.counterpart import DEFAULT_PARTY, Address, Counterpart
from tools.rehearsal.ledger import Ledger, Outcome, Verdict
from tools.rehearsal.stage import Car, Options, Stage
from tools.rehearsal.wire import UnansweredError

Progress = Callable[[str], None]
"""Takes the title of the check that begins."""


@dataclass(frozen=True, slots=True)
class Target:
    """The Receiver to rehearse with: its versions endpoint and our token there.

    `cpo` is who it speaks for, known from its credentials where it is not given; `ca_file` an authority to trust beside
    the public ones.
    """

    versions_url: str
    token: str = field(repr=False)
    cpo: Party | None = None
    ca_file: Path | None = None


@dataclass(frozen=True, slots=True)
class Conformance:
    """What a rehearsal found out; `session_id` is the session that it was about, if there was one.

    `left` says which profile could not be cleared again.
    """

    versions_url: str
    began: datetime
    ended: datetime
    outcomes: tuple[Outcome, ...]
    session_id: str | None = None
    left: str = ""

    @property
    def conforms(self) -> bool:
        """Whether nothing that the specification demands was broken, and at least something was seen."""
        return not any(one.breaks for one in self.outcomes) and self.count(Verdict.PASSED) > 0

    def count(self, verdict: Verdict) -> int:
        """How many rules have a verdict."""
        return sum(one.verdict is verdict for one in self.outcomes)


def rehearse(
    target: Target,
    options: Options,
    *,
    address: Address | None = None,
    party: Party = DEFAULT_PARTY,
    car: Car | None = None,
    progress: Progress = lambda _: None,
) -> Conformance:
    """Play an SCSP at a Receiver and judge it; without an `address` nobody can call us, and less is seen.

    What is set at a session is cleared in the end, whatever happens. Raises OSError where `address` cannot be served.
    """
    began, ledger = utc_now(), Ledger()
    counterpart = Counterpart(
        ledger,
        target.versions_url,
        target.token,
        party,
        address,
        target.ca_file,
        slow_seconds=options.patience.slow,
        call_seconds=options.patience.call,
        cpos=() if target.cpo is None else (target.cpo,),
    )
    with counterpart:
        stage = Stage(counterpart, options, car, None if options.registered else target.token)
        if counterpart.inbox is not None and options.callback_token is not None:
            counterpart.inbox.expect_token(options.callback_token)
        try:
            for check in _programme(options):
                progress(check.title)
                run_check(stage, check)
        finally:
            left = _tidy(stage)
        for check in credentials.END:
            progress(check.title)
            run_check(stage, check)
        return Conformance(target.versions_url, began, utc_now(), ledger.outcomes(), stage.session_id, left)


def run_check(stage: Stage, check: Check) -> None:
    """Run one check within its time, or say why not; what it does not get to see is skipped with the reason."""
    missing = next((need for need in check.needs if not stage.has(need)), None)
    if missing is not None:
        stage.ledger.skip(check.rules, missing.value)
        return
    ended: list[Exception | None] = []
    # A thread that hangs in a Receiver's drip of headers cannot be ended, but it need not be waited for.
    worker = threading.Thread(target=_run, args=(stage, check, ended), name=check.title, daemon=True)
    worker.start()
    worker.join(check.seconds)
    if not ended:
        stage.ledger.skip(check.rules, f"given up after {check.seconds:g} s")
    elif isinstance(ended[0], UnansweredError):
        stage.ledger.skip(check.rules, str(ended[0]))
    elif ended[0] is not None:
        raise ended[0]


def _run(stage: Stage, check: Check, ended: list[Exception | None]) -> None:
    try:
        check.run(stage)
    except Exception as error:  # noqa: BLE001 - whoever started the thread decides
        ended.append(error)
    else:
        ended.append(None)


def _programme(options: Options) -> Iterator[Check]:
    yield from configuration.CHECKS
    if options.registered:
        yield from configuration.REGISTERED
    yield from (*configuration.REGISTERING, *credentials.BEFORE, *credentials.AFTER)
    yield steering.FIND
    yield from (*sessions.CHECKS, *wrong_input.CHECKS, *steering.READING, *preferences.CHECKS)
    yield from (*steering.STEERING, *afterwards.CHECKS)


def _tidy(stage: Stage) -> str:
    try:
        return steering.leave_no_profile(stage)
    except UnansweredError as error:
        return str(error)
