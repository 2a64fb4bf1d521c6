"""`bridge doctor`: what is not as it should be with a deployment, and what to do about it."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

import typer
from rich.text import Text

from tools.bridge import files
from tools.bridge.doctor_findings import Finding, Verdict
from tools.bridge.session import REFUSED, Session

_STYLES = {Verdict.OK: "green", Verdict.WARNING: "yellow", Verdict.FAILED: "bold red", Verdict.SKIPPED: "dim"}


def doctor(session: Session) -> None:
    """Examine the deployment: find what is not as it should be, and say what to do about each.

    It looks at both APIs and at what partners are told, at partners and CSMSs with what we present to them, at stations,
    assignments, profile ids, secrets, certificates, clocks, alarms, dead letters, and at your own permissions. The
    versions are read with a token that is made for it, opens nothing else, and is gone afterwards; each CSMS is asked as
    `bridge csms test` asks it. Nothing else is changed anywhere. The exit code is 1 if anything failed; warnings alone
    leave it 0.
    """
    # Only this command looks everywhere.
    from tools.bridge.doctor import Doctor  # noqa: PLC0415

    with session.output.progress("Examining ...") as tell:
        found = Doctor.of(session.deployment).examine(tell)
    session.output.done([_document(one) for one in found], *_lines(found))
    if any(one.verdict is Verdict.FAILED for one in found):
        raise typer.Exit(REFUSED)


def _document(finding: Finding) -> files.Json:
    return {
        "check": finding.check,
        "about": finding.about,
        "verdict": finding.verdict.value,
        "seen": finding.seen,
        "remedy": finding.remedy or None,
    }


def _lines(found: Sequence[Finding]) -> Iterator[Text]:
    """A line each, with the remedy below; in the end how many there are of each verdict."""
    for finding in found:
        yield Text.assemble(
            (f"{finding.verdict.value:<8}", _STYLES[finding.verdict]),
            (finding.check, "bold"),
            f" - {finding.about}: {finding.seen}",
        )
        if finding.remedy:
            yield Text.assemble(" " * 8, ("do: ", "bold"), finding.remedy)
    yield Text()
    yield Text(", ".join(_counted(found)) + ".")


def _counted(found: Iterable[Finding]) -> Iterator[str]:
    counted = Counter(finding.verdict for finding in found)
    return (f"{counted[verdict]} {verdict.value}" for verdict in Verdict if counted[verdict])
