"""`python -m tools.partner_simulator`: a partner that answers every update of an active session with a plan.

It reads its tokens from a JSON file, never from the command line, prints what it receives, and ends on Ctrl-C.
"""

import argparse
import json
import signal
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from tools.counterparts.clock import utc_now, write_datetime
from tools.counterparts.journal import NotObservedError
from tools.partner_simulator.errors import BridgeUnreachableError, PartnerError
from tools.partner_simulator.manner import Manner
from tools.partner_simulator.models import SessionStatus
from tools.partner_simulator.partner import PartnerSimulator
from tools.partner_simulator.plans import guide_profile
from tools.partner_simulator.sessions import SessionPush
from tools.partner_simulator.transport import Credentials, Party

# How often the loop looks whether it should end while no session changes.
TICK_SECONDS = 0.5

EPILOG = """\
The file holds cpo (such as NL/CPO), and either versions_url (of the bridge) and registration_token to register with it,
or, without a handshake, bridge_url (base URL of OcpiApi), our_token (what the partner presents to the bridge) and
their_token (what the bridge presents to the partner). Optional: party (such as NL/JED), ca_file, plain_tokens.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run until interrupted; 2 for a settings file that cannot be used, 1 for a bridge that cannot be registered with."""
    parser = argparse.ArgumentParser(prog="python -m tools.partner_simulator", description=__doc__, epilog=EPILOG)
    parser.add_argument("settings", type=Path, help="JSON file with the bridge's URL and the tokens")
    parser.add_argument("--watch-only", action="store_true", help="receive, but send no plan")
    options = parser.parse_args(arguments)
    try:
        settings: dict[str, str] = json.loads(options.settings.read_text(encoding="utf-8"))
        partner, come_together = _partner(settings)
    except (OSError, ValueError, KeyError) as error:
        print(f"{options.settings}: {type(error).__name__}: {error}", file=sys.stderr)
        return 2
    ending = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ending.set())
    with partner:
        try:
            come_together()
        except PartnerError as error:
            print(f"{type(error).__name__}: {error}", file=sys.stderr)
            return 1
        print(f"sessions receiver: {partner.sessions_url}", flush=True)
        print(f"chargingprofiles sender: {partner.charging_profiles_url}", flush=True)
        _control_loop(partner, ending, steer=not options.watch_only)
    return 0


def _partner(settings: Mapping[str, str]) -> tuple[PartnerSimulator, Callable[[], object]]:
    """The partner, and how it comes together with the bridge once it serves."""
    cpo, party = _party(settings["cpo"]), _party(settings.get("party", "NL/JED"))
    ca_file = Path(settings["ca_file"]) if "ca_file" in settings else None
    is_plain = bool(settings.get("plain_tokens"))
    if "versions_url" in settings:
        registration_token = settings["registration_token"]
        partner = PartnerSimulator(cpo=cpo, party=party, manner=Manner(plain_tokens=is_plain))
        return partner, lambda: partner.register(settings["versions_url"], registration_token, ca_file=ca_file)
    credentials = Credentials(ours=settings["our_token"], theirs=settings["their_token"], plain=is_plain)
    bridge_url = settings["bridge_url"]
    partner = PartnerSimulator(credentials, cpo=cpo, party=party)
    return partner, lambda: partner.connect(bridge_url, ca_file=ca_file)


def _party(text: str) -> Party:
    country_code, _, party_id = text.partition("/")
    return Party(country_code, party_id)


def _control_loop(partner: PartnerSimulator, ending: threading.Event, *, steer: bool) -> None:
    done = 0
    while not ending.is_set():
        try:
            push = partner.session_pushes.wait_for(lambda _: True, TICK_SECONDS, since=done)
        except NotObservedError:
            continue
        done += 1
        session = push.session
        print(f"{write_datetime(push.at)} {push.method} {session.id} {session.status} {session.kwh} kWh", flush=True)
        if steer and session.status is SessionStatus.ACTIVE:
            _steer(partner, push)


def _steer(partner: PartnerSimulator, push: SessionPush) -> None:
    # Jedlix calculates anew at every update of an active session.
    try:
        exchange = partner.bridge.put_profile(push.session.id, guide_profile(utc_now()))
    except BridgeUnreachableError as error:
        print(f"  no answer of the bridge: {error}", flush=True)
    else:
        print(f"  PUT charging profile: HTTP {exchange.status}, {exchange.result}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
