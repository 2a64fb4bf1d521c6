"""Rehearsals with the Receiver in this process, as brief as it allows."""

from dataclasses import replace

from tests.support.rehearsed_receiver import TOKEN_A, Fault, RehearsedReceiver
from tools.rehearsal import Address, Conformance, Options, Outcome, Patience, Rule, Target, Verdict, rehearse

BRIEF = Patience(call=20.0, result=3.0, quiet=0.2, push=3.0, slow=0.1, too_often=0.02)
STEERED = Options(steer=True, unregister=True, patience=BRIEF)


def rehearsed(*faults: Fault, patience: Patience = BRIEF) -> Conformance:
    """What a rehearsal finds out about a Receiver with these faults, which brings its own car."""
    options = replace(STEERED, patience=patience)
    with RehearsedReceiver(*faults) as receiver:
        return rehearse(Target(receiver.versions_url, TOKEN_A), options, address=Address(), car=receiver)


def failed(found: Conformance) -> set[Rule]:
    """The rules that were broken, whatever their level."""
    return {one.rule for one in found.outcomes if one.verdict is Verdict.FAILED}


def outcome(found: Conformance, rule: Rule) -> Outcome:
    """What became of one rule."""
    return next(one for one in found.outcomes if one.rule == rule)
