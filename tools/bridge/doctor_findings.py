"""What an examination finds, and how its checks are run: side by side, each within its time, and none stops another."""

import queue
import re
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from botocore.exceptions import BotoCoreError, ClientError

from ocpi_bridge.domain.errors import BridgeError

# A CSMS may take its call_timeout of 20 s, and a grace beside it.
WITHIN_SECONDS = 35.0

_ACTION = re.compile(r"perform: ([a-z0-9-]+:[A-Za-z]+)")
_DENIALS: Final = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthorizationError"})
_TOO_OLD: Final = frozenset({"RequestTimeTooSkewed", "RequestExpired", "InvalidSignatureException"})

# Why a call over HTTP had no answer, by the error of a NoReply.
UNANSWERED: Final[Mapping[str, str]] = MappingProxyType(
    {
        "refused_address": "the host name leads to an address that may not be called",
        "dns": "the host name does not resolve",
        "tls": "there is no TLS connection: its certificate is not of a public authority for that host, or is over",
        "connect": "nobody listens there",
        "connect_timeout": "nothing comes back",
        "timeout": "no answer came in time",
        "connection_lost": "the connection broke",
        "protocol": "the answer is no HTTP",
        "invalid_request": "the URL cannot be called",
    }
)


class Verdict(StrEnum):
    """How it stands."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at: what was seen, and what to do where it is not as it should be.

    `check` is its kind, the same in every examination; `about` is what of it: a partner, a queue. `denied` is the action
    that AWS did not let the operator do.
    """

    check: str
    about: str
    verdict: Verdict
    seen: str
    remedy: str = ""
    denied: str | None = None


def ok(check: str, about: str, seen: str) -> Finding:
    """All is well."""
    return Finding(check, about, Verdict.OK, seen)


def warning(check: str, about: str, seen: str, remedy: str) -> Finding:
    """It works, and is to be looked at."""
    return Finding(check, about, Verdict.WARNING, seen, remedy)


def failed(check: str, about: str, seen: str, remedy: str) -> Finding:
    """It does not work."""
    return Finding(check, about, Verdict.FAILED, seen, remedy)


def skipped(check: str, about: str, seen: str) -> Finding:
    """It could not be looked at, or there is nothing to look at."""
    return Finding(check, about, Verdict.SKIPPED, seen)


@dataclass(frozen=True, slots=True)
class Check:
    """A check by its kind and subject; `look` gives all that it finds, and may raise what AWS and the bridge raise."""

    name: str
    about: str
    look: Callable[[], Iterable[Finding]]


def run(
    checks: Sequence[Check], tell: Callable[[str], None] = lambda _: None, *, within: float = WITHIN_SECONDS
) -> tuple[Finding, ...]:
    """Runs all checks at once and gives what they found, in their order. One that takes longer than `within` failed."""
    answers: queue.SimpleQueue[tuple[int, tuple[Finding, ...]]] = queue.SimpleQueue()

    def look(number: int) -> None:
        answers.put((number, _found(checks[number])))

    ends = time.monotonic() + within
    for number in range(len(checks)):
        # Threads that hang in a name's resolution must not keep the command from ending.
        threading.Thread(target=look, args=(number,), name=checks[number].name, daemon=True).start()
    found: dict[int, tuple[Finding, ...]] = {}
    while len(found) < len(checks):
        tell(f"{len(found)} of {len(checks)} checks are done ...")
        try:
            number, findings = answers.get(timeout=max(0.0, ends - time.monotonic()))
        except queue.Empty:
            break
        found[number] = findings
    return tuple(
        finding for number, check in enumerate(checks) for finding in found.get(number) or (_too_slow(check, within),)
    )


def _found(check: Check) -> tuple[Finding, ...]:
    try:
        return tuple(check.look()) or (skipped(check.name, check.about, "there is none"),)
    except ClientError as error:
        return (_of_aws(check, error),)
    except BotoCoreError as error:
        return (
            failed(check.name, check.about, f"AWS cannot be called: {error}", "look at the network and credentials"),
        )
    except BridgeError as error:
        return (failed(check.name, check.about, str(error), "mend what it names"),)
    except Exception as error:  # noqa: BLE001 - a defect in one check must not hide what the others find
        return (failed(check.name, check.about, f"the check itself failed: {type(error).__name__}", "report this"),)


def _of_aws(check: Check, error: ClientError) -> Finding:
    told = error.response.get("Error", {})
    code, message = told.get("Code", ""), told.get("Message", "")
    if code in _DENIALS:
        named = _ACTION.search(message)
        action = named[1] if named is not None else error.operation_name
        remedy = f"let your role do {action}, or ask somebody who may"
        return Finding(check.name, check.about, Verdict.FAILED, f"AWS does not let you do {action}", remedy, action)
    if code in _TOO_OLD:
        return failed(check.name, check.about, f"AWS: {code}", "set this machine's clock: AWS takes 5 minutes at most")
    return failed(
        check.name, check.about, f"AWS: {code}: {message}", "if it stays, look whether the stack is deployed whole"
    )


def _too_slow(check: Check, within: float) -> Finding:
    return failed(
        check.name, check.about, f"no answer within {within:.0f} s", "try again; look at the network and at its logs"
    )
