"""A rehearsal with any OCPI 2.2.1 Receiver of charging profiles: it plays the SCSP and judges every rule that it sees.

* rules        what is looked at, how much it binds, and the section that asks for it
* ledger       what was observed of each rule
* wire         calls to the Receiver, bounded
* inbox        what the Receiver can call
* counterpart  both together
* judgement    what holds for every message
* checks       what is done to the Receiver, one module a subject
* run          all of it in order
* terminal, html_report, documents    the report for people and for machines
"""

from tools.rehearsal import rules
from tools.rehearsal.counterpart import DEFAULT_PARTY, Address
from tools.rehearsal.ledger import Failure, Outcome, Verdict
from tools.rehearsal.rules import RULES, Level, Rule
from tools.rehearsal.run import Conformance, Target, rehearse
from tools.rehearsal.stage import Car, Options, Patience

__all__ = [
    "DEFAULT_PARTY",
    "RULES",
    "Address",
    "Car",
    "Conformance",
    "Failure",
    "Level",
    "Options",
    "Outcome",
    "Patience",
    "Rule",
    "Target",
    "Verdict",
    "rehearse",
    "rules",
]
