"""What the bridge's Credentials have to say, whichever side starts (OCPI 7.3)."""

from collections.abc import Iterator

from tools.partner_simulator.platform_models import PlatformCredentials
from tools.partner_simulator.transport import Party


def bridge_findings(told: PlatformCredentials, cpo: Party) -> Iterator[str]:
    """What is wrong in well-formed Credentials of a platform that speaks for the CPO `cpo`."""
    parties = told.parties("CPO")
    if not any(party.is_same(cpo) for party in parties):
        named = ", ".join(f"{one.country_code}/{one.party_id}" for one in parties) or "nobody"
        yield f"{cpo.country_code}/{cpo.party_id} is no CPO among the roles: {named}"
