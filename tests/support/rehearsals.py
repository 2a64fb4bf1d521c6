"""Rehearsals with the Receiver in this process, as brief as it allows."""

from dataclasses import replace

from tests.support.rehearsed_receiver import TOKEN_A, Fault, RehearsedReceiver
from tools.rehearsal import Address, Conformance, Level, Options, Outcome, Patience, Rule, Target, Verdict, rehearse

# What must not come is waited for longer than the slow acknowledgement, which is what it would come after.
BRIEF = Patience(call=20.0, result=3.0, quiet=1.2, push=3.0, slow=0.8, too_often=0.05)
STEERED = Options(steer=True, unregister=True, patience=BRIEF)


def rehearsed(*faults: Fault, options: Options = STEERED, quiet: float | None = None) -> Conformance:
    """What a rehearsal finds out about a Receiver with these faults, which brings its own car."""
    chosen = options if quiet is None else replace(options, patience=replace(options.patience, quiet=quiet))
    with RehearsedReceiver(*faults) as receiver:
        return rehearse(Target(receiver.versions_url, TOKEN_A), chosen, address=Address(), car=receiver)


def failed(found: Conformance) -> set[Rule]:
    """The rules that were broken, whatever their level."""
    return {one.rule for one in found.outcomes if one.verdict is Verdict.FAILED}


def outcome(found: Conformance, rule: Rule) -> Outcome:
    """What became of one rule."""
    return next(one for one in found.outcomes if one.rule == rule)


def demanded(outcomes: tuple[Outcome, ...]) -> set[Rule]:
    """The rules among them that the specification demands."""
    return {one.rule for one in outcomes if one.rule.level is Level.MUST}
