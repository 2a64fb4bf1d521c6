"""What was observed of each rule, and what that makes of it."""

import threading
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from tools.rehearsal.rules import RULES, Level, Rule

# The first few say what is wrong; a hundred more of the same would only hide the other rules.
FAILURES_KEPT = 5
# Bodies of a stranger are shown, so they are cut.
TEXT_LENGTH = 300


class Verdict(StrEnum):
    """What became of a rule."""

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"
    NOT_APPLICABLE = "not applicable"


@dataclass(frozen=True, slots=True)
class Failure:
    """One observation that broke a rule: where, what was expected, what was seen."""

    where: str
    expected: str
    seen: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """A rule with its verdict. `why` says why it was not observed; `observed` counts observations."""

    rule: Rule
    verdict: Verdict
    observed: int = 0
    failures: tuple[Failure, ...] = ()
    why: str = ""

    @property
    def breaks(self) -> bool:
        """Whether the Receiver breaks the specification here."""
        return self.verdict is Verdict.FAILED and self.rule.level is Level.MUST


@dataclass(slots=True)
class _Entry:
    observed: int = 0
    failures: list[Failure] = field(default_factory=list)
    skipped: str = ""
    not_applicable: str = ""


class Ledger:
    """Collects observations; one that broke a rule outweighs all that kept it. Thread safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._entries: dict[str, _Entry] = {rule.id: _Entry() for rule in RULES}

    def expect(self, rule: Rule, holds: bool, *, where: str, expected: str, seen: object) -> bool:
        """Record that a rule was kept or broken; gives `holds`."""
        if holds:
            self.keep(rule)
        else:
            self.breach(rule, where=where, expected=expected, seen=seen)
        return holds

    def keep(self, rule: Rule) -> None:
        """Record that a rule was kept."""
        with self._lock:
            self._entries[rule.id].observed += 1

    def breach(self, rule: Rule, *, where: str, expected: str, seen: object) -> None:
        """Record that a rule was broken."""
        with self._lock:
            entry = self._entries[rule.id]
            entry.observed += 1
            if len(entry.failures) < FAILURES_KEPT:
                entry.failures.append(Failure(where, expected, shortened(seen)))

    def skip(self, rules: Iterable[Rule], why: str) -> None:
        """Say why rules are not observed; what is observed of them all the same counts. The first reason stays."""
        with self._lock:
            for rule in rules:
                self._entries[rule.id].skipped = self._entries[rule.id].skipped or why

    def exempt(self, rule: Rule, why: str) -> None:
        """Say why a rule has no meaning here."""
        with self._lock:
            self._entries[rule.id].not_applicable = why

    def has(self, rule: Rule) -> bool:
        """Whether anything was observed of a rule."""
        with self._lock:
            return self._entries[rule.id].observed > 0

    def outcomes(self) -> tuple[Outcome, ...]:
        """Every rule, in the order of the catalogue."""
        with self._lock:
            return tuple(_outcome(rule, self._entries[rule.id]) for rule in RULES)


def _outcome(rule: Rule, entry: _Entry) -> Outcome:
    if entry.failures:
        return Outcome(rule, Verdict.FAILED, entry.observed, tuple(entry.failures))
    if entry.observed:
        return Outcome(rule, Verdict.PASSED, entry.observed)
    if entry.not_applicable:
        return Outcome(rule, Verdict.NOT_APPLICABLE, why=entry.not_applicable)
    return Outcome(rule, Verdict.SKIPPED, why=entry.skipped or "nothing happened that shows it")


def shortened(value: object) -> str:
    """A value as a text that fits into a report."""
    text = value.decode(errors="replace") if isinstance(value, bytes) else str(value)
    return text if len(text) <= TEXT_LENGTH else f"{text[:TEXT_LENGTH]} ... ({len(text)} characters)"
