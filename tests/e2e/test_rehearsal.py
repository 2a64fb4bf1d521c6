"""The rehearsal with the deployed stack: every rule is seen, and kept, those of this project's own included."""

from tools.local_stack import LocalStack
from tools.partner_simulator import JEDLIX
from tools.rehearsal import Address, Options, Target, Verdict, rehearse, rules
from tools.rehearsal.demo_car import demo_site

# The demo's EVSE takes charging preferences, so what one that does not would answer cannot be seen.
NOT_APPLICABLE = {rules.PREFERENCES_INCAPABLE}


def test_the_bridge_keeps_every_rule_of_the_rehearsal(stack: LocalStack) -> None:
    with demo_site(stack) as site:
        invited = site.invitation
        found = rehearse(
            Target(invited.versions_url, invited.token, ca_file=invited.ca_file),
            Options(steer=True, unregister=True),
            address=Address(),
            party=JEDLIX,
            car=site.car,
        )

    others = [one for one in found.outcomes if one.verdict is not Verdict.PASSED]
    assert {one.rule for one in others} == NOT_APPLICABLE, others
    assert found.conforms
    assert not found.left
