"""What operators do with partners and CSMSs where secrets take part.

The order is always: secrets first, the registry last. The registry's write is the commit: before it nothing of the new
entry is in use, and doing the same again completes what was interrupted. On removal it is the other way round.
"""

from dataclasses import replace
from datetime import datetime

from ocpi_bridge.adapters.dynamodb.registry import DynamoRegistry, RemovedPartner
from ocpi_bridge.domain.errors import BridgeError, UnknownEntity
from ocpi_bridge.domain.partners import Partner, Registration
from ocpi_bridge.domain.registration import RegistrationRefused
from ocpi_bridge.domain.replacements import Replacement
from ocpi_bridge.domain.stations import Csms, CsmsAuth, CsmsDriver, Outlet, Quirk, Station, StationState
from ocpi_bridge.domain.tokens import TOKEN_MAX_LENGTH, is_token, new_token, token_hash
from ocpi_bridge.ports.secrets import CsmsSecrets, PartnerSecret
from tools.bridge.partner_secrets import NOTHING, complete
from tools.bridge.secrets import OperatorSecrets

# Only its SHA-256 is stored, without salt: a shorter token could be found by trying.
ACCEPTED_TOKEN_MIN_LENGTH = 16
# 32 characters are 128 bits even in hexadecimal, what HMAC-SHA256 needs at the least.
EVENT_KEY_MIN_LENGTH = 32


class OperationRefused(BridgeError):
    """What was asked for cannot be done; nothing was changed. The text says why and what to do instead."""


def add_partner(
    registry: DynamoRegistry,
    secrets: OperatorSecrets,
    partner: Partner,
    *,
    present_token: str | None,
    accept_token: str | None,
    at: datetime,
    client_secret: str | None = None,
    api_key: str | None = None,
) -> str:
    """Adds a partner; returns the token that it must present to us, a new one unless `accept_token` is given.

    `present_token`, or for OAuth 2.0 `client_secret` and `api_key`, is what we show the partner; without it nothing can
    be delivered to it yet. Raises OperationRefused, SecretRefused, RegistrationRefused or Contended.
    """
    accepted = new_token() if accept_token is None else accept_token
    if not is_token(accepted) or len(accepted) < ACCEPTED_TOKEN_MIN_LENGTH:
        length = f"{ACCEPTED_TOKEN_MIN_LENGTH} to {TOKEN_MAX_LENGTH}"
        raise OperationRefused(f"the token to accept must have {length} printable characters and no spaces")
    shown = complete(partner, PartnerSecret(present_token, client_secret, api_key))
    if registry.get_partner(partner.partner_id) is not None:
        # Asked before the secret is written: what the present partner is shown must not be overwritten.
        raise OperationRefused(
            f"partner {partner.partner_id!r} is in the registry already; use `bridge partner replace`"
        )
    if shown is None:
        # What an earlier partner was shown must not be shown to this one's hosts.
        secrets.remove_partner(partner.secret_name)
    else:
        secrets.put_partner(partner.secret_name, shown)
    registry.add_partner(partner, [token_hash(accepted)], at)
    return accepted


def replace_partner(
    registry: DynamoRegistry,
    secrets: OperatorSecrets,
    partner: Partner,
    *,
    present_token: str | None,
    client_secret: str | None = None,
    api_key: str | None = None,
) -> Replacement:
    """Replaces what is known of a partner and, where given, what we show it; a part that is not given stays.

    The tokens that we accept, its assignments, and what its registration decided stay. Raises UnknownEntity,
    OperationRefused, SecretRefused or Contended.
    """
    before = registry.get_partner(partner.partner_id)
    if before is None:
        raise UnknownEntity("partner", partner.partner_id)
    given = PartnerSecret(present_token, client_secret, api_key)
    if before.registration is not Registration.STATIC:
        if given != NOTHING:
            raise OperationRefused(
                f"partner {partner.partner_id!r} is {before.registration.value}: what we present to it comes with its "
                "registration"
            )
    else:
        present = secrets.get_partner(before.secret_name) or NOTHING
        shown = complete(partner, given, present)
        if shown is not None and shown != present:
            secrets.put_partner(before.secret_name, shown)
    return registry.replace_partner(partner)


def remove_partner(registry: DynamoRegistry, secrets: OperatorSecrets, partner_id: str) -> RemovedPartner:
    """Removes a partner, its tokens, its assignments, and what we show it. Raises UnknownEntity or Contended.

    Interrupted, it is completed by calling it again; only the secret of a handshake (`partners/ID/...`) may then be
    left, which nothing names any more.
    """
    partner = registry.get_partner(partner_id)
    first = f"partners/{partner_id}"
    try:
        removed = registry.remove_partner(partner_id)
    except UnknownEntity:
        # An earlier removal may have ended right before this.
        secrets.remove_partner(first)
        raise
    for name in {first, partner.secret_name if partner is not None else first}:
        secrets.remove_partner(name)
    return removed


def add_csms(
    registry: DynamoRegistry,
    secrets: OperatorSecrets,
    csms: Csms,
    *,
    event_key: str | None,
    api_credential: str | None,
) -> str:
    """Adds a CSMS; returns the key with which it must sign its events, a new one unless `event_key` is given.

    `api_credential` is ours at its API. Raises OperationRefused, RegistrationRefused or Contended.
    """
    shared = CsmsSecrets(new_token() if event_key is None else event_key, api_credential)
    _check_csms_secrets(csms, shared)
    if registry.get_csms(csms.csms_id) is not None:
        raise OperationRefused(f"CSMS {csms.csms_id!r} is in the registry already; use `bridge csms replace`")
    secrets.put_csms(csms.csms_id, shared)
    registry.add_csms(csms)
    return shared.event_key


def replace_csms(
    registry: DynamoRegistry,
    secrets: OperatorSecrets,
    csms: Csms,
    *,
    event_key: str | None,
    api_credential: str | None,
) -> None:
    """Replaces what is known of a CSMS; secrets that are not given stay. Raises as `add_csms`, and UnknownEntity."""
    present = secrets.get_csms(csms.csms_id)
    if registry.get_csms(csms.csms_id) is None or present is None:
        raise UnknownEntity("CSMS", csms.csms_id)
    shared = CsmsSecrets(event_key or present.event_key, api_credential or present.api_credential)
    if csms.auth is CsmsAuth.NONE and api_credential is None:
        shared = replace(shared, api_credential=None)
    _check_csms_secrets(csms, shared)
    if shared != present:
        secrets.put_csms(csms.csms_id, shared)
    registry.replace_csms(csms)


def remove_csms(
    registry: DynamoRegistry, secrets: OperatorSecrets, csms_id: str, *, with_stations: bool
) -> tuple[Station, ...]:
    """Removes a CSMS with what is shared with it; returns the stations that went with it, which `with_stations` allows.

    Raises UnknownEntity, OperationRefused or Contended. Interrupted, it is completed by calling it again.
    """
    try:
        removed = registry.remove_csms(csms_id, with_stations=with_stations)
    except UnknownEntity:
        # An earlier removal may have ended right before this.
        secrets.remove_csms(csms_id)
        raise
    except RegistrationRefused as refused:
        problems = ", ".join(problem.problem for problem in refused.problems)
        raise OperationRefused(f"{problems}: --with-stations") from refused
    secrets.remove_csms(csms_id)
    return removed


def to_be_asked(registry: DynamoRegistry, csms_id: str, station_id: str | None) -> tuple[Csms, Outlet]:
    """The CSMS and the place to charge that a test asks: of the named station, or else of one that is online.

    Raises UnknownEntity or OperationRefused.
    """
    csms = registry.get_csms(csms_id)
    if csms is None:
        raise UnknownEntity("CSMS", csms_id)
    if csms.driver is CsmsDriver.BUS:
        raise OperationRefused(
            f"CSMS {csms_id!r} is on the bus, where nobody answers at once: `bridge station list {csms_id}` tells from "
            "which stations its events arrive"
        )
    if station_id is not None:
        named = registry.get_station(csms_id, station_id)
        if named is None:
            raise UnknownEntity("station", f"{csms_id}/{station_id}")
        return csms, _first_outlet(named)
    states = registry.station_states(csms_id)
    # Those that nothing was heard of come before those that are known to be offline.
    ranks = {True: 0, None: 1, False: 2}
    stations = sorted(
        (one for one in registry.list_stations(csms_id) if Quirk.NO_COMPOSITE not in one.quirks),
        key=lambda one: ranks[states.get(one.station_id, StationState()).online],
    )
    if not stations:
        raise OperationRefused(f"CSMS {csms_id!r} has no station that could be asked; use `bridge station import`")
    return csms, _first_outlet(stations[0])


def _first_outlet(station: Station) -> Outlet:
    evse = station.evses[0]
    return Outlet(station, evse, evse.connectors[0])


def _check_csms_secrets(csms: Csms, shared: CsmsSecrets) -> None:
    if len(shared.event_key) < EVENT_KEY_MIN_LENGTH or not _printable(shared.event_key):
        raise OperationRefused(f"the event key must have at least {EVENT_KEY_MIN_LENGTH} printable characters")
    if csms.auth is CsmsAuth.NONE and shared.api_credential is not None:
        raise OperationRefused(f"the file says auth {csms.auth.value!r}, so there is no credential to give")
    if csms.auth is not CsmsAuth.NONE and shared.api_credential is None:
        raise OperationRefused(f"the file says auth {csms.auth.value!r}, so give the credential by --api-credential")
    if shared.api_credential is not None and not _printable(shared.api_credential):
        raise OperationRefused("the API credential must be printable ASCII: it stands in an HTTP header")
    if csms.auth is CsmsAuth.BASIC and ":" not in (shared.api_credential or ""):
        raise OperationRefused(f"with auth {csms.auth.value!r} the API credential is `user:password`")


def _printable(text: str) -> bool:
    return bool(text) and text.isascii() and text.isprintable()
