"""The credentials of both sides: the partner registers by OCPI's handshake, and renews them in mid-session (OCPI 7)."""

from collections.abc import Callable, Sequence
from datetime import timedelta

from ocpi_bridge.domain.tokens import new_token
from tools.counterparts.clock import utc_now
from tools.counterparts.http_service import Request
from tools.demo import steps
from tools.demo.scene import Bound, Scene, StepFailed, needed
from tools.demo.storyline import DETAILS, VERSIONS, answered, asked
from tools.partner_simulator import HandshakeError, OcpiVersion, PartnerSimulator, Registration, ResultType
from tools.partner_simulator.transport import read_token

UNAUTHORIZED = 401
# Any window does: what is asked for is only whether the token opens the door.
A_WHILE = timedelta(hours=1)


def register(scene: Scene, _within: Bound) -> str:
    """The partner registers with token A, and the bridge calls it back with token B before it answers."""
    partner, invitation = scene.parts.partner, needed(scene.invitation)
    scene.begin_chapter("The partner registers by OCPI's handshake")
    given, since = new_token(), partner.http.requests.mark()
    scene.tell("The partner reads versions and details with token A, and POSTs its credentials with token B")
    registration = _exchanged(
        scene,
        "POST",
        lambda: partner.register(invitation.versions_url, invitation.token, ca_file=invitation.ca_file, token=given),
    )
    newest = list(OcpiVersion)[-1]
    if registration.version is not newest:
        raise StepFailed(f"OCPI {newest}, the newest that both have", f"OCPI {registration.version}")
    _called_back(partner, registration, given, since)
    scene.tell("Trying token A once more")
    _token_a_is_dead(scene)
    return (
        f"OCPI {registration.version}, the newest that both have. While the POST was open the bridge read the partner's "
        "versions and details with token B\n"
        f"The bridge's sessions are at {registration.endpoints.sessions}, the partner's at {partner.sessions_url}\n"
        "Token A is refused with 401 from now on"
    )


def rotate(scene: Scene, within: Bound) -> str:
    """Both tokens are replaced while a session runs; requests and results go on with the new ones, the old one ends."""
    partner = scene.parts.partner
    scene.begin_chapter("The credentials are renewed in mid-session")
    former, given, since = partner.token, new_token(), partner.http.requests.mark()
    scene.tell("The partner PUTs credentials with a new token")
    registration = _exchanged(scene, "PUT", lambda: partner.rotate(token=given))
    _called_back(partner, registration, given, since)
    if partner.token == former:
        raise StepFailed("a new token of the bridge too", "the one from before")
    scene.tell("The partner GETs the active profile with the new token")
    exchange = partner.bridge.get_active_profile(needed(scene.session).id, steps.ACTIVE_PROFILE_SECONDS)
    steps.accepted(exchange)
    steps.result_of(exchange, ResultType.ACCEPTED, within)
    url = exchange.response_url or ""
    results = partner.http.requests.matching(lambda one: one.method == "POST" and url.endswith(one.target), since)
    if not _all_present(given, results):
        raise StepFailed("the result with the partner's new token", "the result with another one")
    scene.tell("Trying the former token once more")
    scene.notes.append(asked("GET sessions, former token"))
    status = partner.bridge.session_page(utc_now() - A_WHILE, limit=1, token=former).status
    scene.notes.append(answered(f"{status}"))
    if status != UNAUTHORIZED:
        raise StepFailed("401 for the former token, once the new one was used", f"HTTP {status}")
    return (
        "Both sides have a new token, and the bridge read versions and details again with its own. A GET of the active "
        "profile was ACCEPTED and its result came, each with the new token\n"
        "The former one is refused with 401"
    )


def _exchanged(scene: Scene, method: str, handshake: Callable[[], Registration]) -> Registration:
    """A handshake that the partner began, noted where the counterparts keep no record of it."""
    scene.notes.append(asked(f"discovery, then {method} credentials"))
    registration = handshake()
    scene.notes.append(answered(f"200 credentials, OCPI {registration.version}"))
    return registration


def _called_back(partner: PartnerSimulator, registration: Registration, given: str, since: int) -> None:
    """Raise StepFailed unless the partner was asked for its versions and for this version's details, with its token."""
    reads = partner.http.requests.matching(lambda one: one.method == "GET", since)
    read = [one.path.rpartition("/ocpi")[2] for one in reads]
    wanted = [VERSIONS, f"/{registration.version}{DETAILS}"]
    if read != wanted:
        raise StepFailed(f"GET {' and GET '.join(wanted)} at the partner meanwhile", ", ".join(read) or "nothing")
    if not _all_present(given, reads):
        raise StepFailed("the token that the partner gave with its credentials", "another one")


def _all_present(token: str, requests: Sequence[Request]) -> bool:
    """Whether there are requests, and every one of them came with this token."""
    presented = {read_token(one.header("Authorization") or "", plain=False) for one in requests}
    return presented == {token}


def _token_a_is_dead(scene: Scene) -> None:
    """Raise StepFailed unless the registration token opens nothing any more, not even the versions."""
    invitation = needed(scene.invitation)
    scene.notes.append(asked("GET versions, token A"))
    try:
        scene.parts.partner.register(invitation.versions_url, invitation.token, ca_file=invitation.ca_file)
    except HandshakeError as refusal:
        scene.notes.append(answered(f"{refusal.status}"))
        if refusal.status == UNAUTHORIZED:
            return
        raise StepFailed("401 for token A", str(refusal)) from refusal
    raise StepFailed("401 for token A", "it registers a second time")
