"""The report of a rehearsal for a terminal: what was broken, by module, then what was not seen and why."""

from collections.abc import Iterable, Sequence
from itertools import groupby

from rich.console import Console
from rich.table import Table
from rich.text import Text

from tools.rehearsal.ledger import Outcome, Verdict
from tools.rehearsal.rules import MODULES, SPECIFICATION, Level
from tools.rehearsal.run import Conformance

_STYLES = {
    Verdict.PASSED: "green",
    Verdict.SKIPPED: "yellow",
    Verdict.NOT_APPLICABLE: "dim",
}
# A broken recommendation is a warning, another decision than ours a note.
_FAILED = {Level.MUST: ("FAILED", "bold red"), Level.SHOULD: ("warning", "magenta"), Level.DECISION: ("note", "cyan")}


def show(found: Conformance, console: Console, *, every_rule: bool = False) -> None:
    """Print the report; with `every_rule` those that were kept one by one, too."""
    for module, outcomes in by_module(found.outcomes):
        console.print(_heading(module, outcomes))
        shown = [one for one in outcomes if every_rule or one.verdict is not Verdict.PASSED]
        if shown:
            console.print(_table(shown))
    console.print()
    console.print(summary(found), style="bold green" if found.conforms else "bold red")
    if found.session_id is not None:
        console.print(f"The session was {found.session_id}.", style="dim")
    if found.left:
        console.print(f"Look after the car: {found.left}", style="bold red")


def word(one: Outcome) -> str:
    """What became of a rule, as it stands in reports."""
    return _FAILED[one.rule.level][0] if one.verdict is Verdict.FAILED else one.verdict.value


def details(one: Outcome) -> list[str]:
    """What is to be known of a rule that was not simply kept, a sentence a line."""
    if one.verdict is Verdict.FAILED:
        return [f"{failure.where}: expected {failure.expected}; seen {failure.seen}" for failure in one.failures]
    return [one.why] if one.why else []


def by_module(outcomes: Iterable[Outcome]) -> list[tuple[str, list[Outcome]]]:
    """The outcomes in groups, each with the title of its module."""
    return [(MODULES[name], list(group)) for name, group in groupby(outcomes, lambda one: one.rule.module)]


def counts(outcomes: Sequence[Outcome]) -> str:
    """How many of some rules were kept, broken, not seen, as a text."""
    kinds = [word(one) for one in outcomes]
    order = ("passed", "FAILED", "warning", "note", "skipped", "not applicable")
    return ", ".join(f"{kinds.count(kind)} {kind}" for kind in order if kinds.count(kind))


def summary(found: Conformance) -> str:
    """The verdict in one sentence."""
    broken = sum(one.breaks for one in found.outcomes)
    if broken:
        verdict = f"{broken} rule{'s' if broken > 1 else ''} of {SPECIFICATION} broken"
    elif found.conforms:
        verdict = f"no rule of {SPECIFICATION} broken"
    else:
        verdict = "nothing was seen"
    return f"{verdict}: {counts(found.outcomes)}"


def _heading(module: str, outcomes: Sequence[Outcome]) -> Text:
    return Text.assemble((f"\n{module}", "bold"), (f"  {counts(outcomes)}", "dim"))


def _table(outcomes: Sequence[Outcome]) -> Table:
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 2))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for one in outcomes:
        style = _FAILED[one.rule.level][1] if one.verdict is Verdict.FAILED else _STYLES[one.verdict]
        asks = Text.assemble(one.rule.asks, (f"  {one.rule.section}  {one.rule.id}", "dim"))
        table.add_row(Text(word(one), style=style), asks)
        for line in details(one):
            table.add_row("", Text(line, style="dim"))
    return table
