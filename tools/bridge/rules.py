"""The rules that one registry entry must keep by itself. Each yields what breaks them, with the path of the field.

They stand here and not in the domain's types, because what is stored already must stay readable when a rule changes.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from decimal import Decimal
from urllib.parse import urlsplit

from ocpi_bridge.adapters.csms.presets import preset_of
from ocpi_bridge.domain.assignments import Assignment, Scope
from ocpi_bridge.domain.csms_api import FEED_PARAMETERS
from ocpi_bridge.domain.errors import InvalidInput
from ocpi_bridge.domain.partners import OAuth2Client, OutboundAuth, Partner, Rate
from ocpi_bridge.domain.profile_ids import PLACES_PER_STATION
from ocpi_bridge.domain.stations import (
    Connector,
    Csms,
    CsmsAuth,
    CsmsDriver,
    CsmsMode,
    Evse,
    OcppVersion,
    PowerType,
    Station,
)
from ocpi_bridge.domain.url_guard.urls import (
    MAX_URL_LENGTH,
    check_host_entry,
    check_partner_url,
    check_public_url,
    partner_hosts,
)
from ocpi_bridge.ocpi.credentials import MAX_PARTIES
from ocpi_bridge.ocpi.versions import VERSIONS

# Ids of ours stand in keys, names of secrets and URLs: what all of them take without quoting.
_OUR_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,35}")
# CiString(36) (OCPI 16.1): printable ASCII. It begins and ends with no space, which nobody would see.
_OCPI_ID = re.compile(r"[!-~](?:[ -~]{0,34}[!-~])?")
# EVSE.evse_id: CiString(48) (OCPI 8.3.2); eMI3 has letters, digits and `*`, and older ids have more.
_EVSE_ID = re.compile(r"[!-~]{1,48}")
# The identity of a charge point: the last part of its WebSocket's URL, at most 48 characters (OCPP 2.0.1 part 4, 3.1.1).
_OCPP_IDENTITY = re.compile(r"[!-~]{1,48}")
_COUNTRY = re.compile(r"[A-Za-z]{2}")
_PARTY = re.compile(r"[A-Za-z0-9]{3}")
_CURRENCY = re.compile(r"[A-Z]{3}")
_AWS_ACCOUNT = re.compile(r"[0-9]{12}")
_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}")
# What RFC 6749 (appendix A) has for a client id; an audience is a URI or a name, a scope has spaces between its parts.
_PARAMETER = re.compile(r"[!-~](?:[ -~]{0,253}[!-~])?")
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1", "[::1]"})

# Capability (OCPI 2.2.1, 8.4.3): a mistyped one would silently make an EVSE incapable.
CAPABILITIES = frozenset(
    {
        "CHARGING_PREFERENCES_CAPABLE",
        "CHARGING_PROFILE_CAPABLE",
        "CHIP_CARD_SUPPORT",
        "CONTACTLESS_CARD_SUPPORT",
        "CREDIT_CARD_PAYABLE",
        "DEBIT_CARD_PAYABLE",
        "PED_TERMINAL",
        "REMOTE_START_STOP_CAPABLE",
        "RESERVABLE",
        "RFID_READER",
        "START_SESSION_CONNECTOR_REQUIRED",
        "TOKEN_GROUP_CAPABLE",
        "UNLOCK_CAPABLE",
    }
)
# Above it an AC voltage is one between two phases, and the power calculated from it would be too high by a factor of
# 1.7: a car could charge above the CPO's limit. The highest voltage to neutral in use is 347 V (Canada).
MAX_AC_VOLTAGE = 350
MAX_DC_VOLTAGE = 1500
MAX_AMPERAGE = 3000
# OCPP's integer.
MAX_PROFILE_ID = 2**31 - 1
# A call to the CSMS must end within the function that makes it (25 s), with time left to write down what came of it.
MAX_CALL_TIMEOUT = 20
# The deadline is the delay of an SQS message.
MAX_RESULT_TIMEOUT = 900
MAX_PUSH_INTERVAL = 86_400
# Less would end pauses that a plan means (prices and forecasts change by the quarter of an hour); more than a week is
# longer than any car stays.
MIN_FAIL_SAFE = 600
MAX_FAIL_SAFE = 604_800

# Headers of our own calls, and those that belong to the connection: an API key in one of them would break the call or
# be lost on its way. So would one whose name begins with `OCPI-` (4.1.8).
OUR_HEADERS = frozenset(
    {
        "accept",
        "accept-encoding",
        "authorization",
        "connection",
        "content-encoding",
        "content-length",
        "content-type",
        "cookie",
        "date",
        "expect",
        "host",
        "keep-alive",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "user-agent",
        "x-correlation-id",
        "x-request-id",
    }
)
_ROUTING = "ocpi-"


def check_partner(partner: Partner, *, local: bool) -> Iterator[InvalidInput]:
    """What is wrong with a partner. Only a `local` stage may name this machine."""
    yield from _matches(_OUR_ID, "partner_id", partner.partner_id, "1 to 36 letters, digits, '.', '_' or '-'")
    if not 0 < len(partner.name) <= 100:
        yield InvalidInput("name", "must have 1 to 100 characters")
    yield from _party(partner.party.country_code, partner.party.party_id, "party.")
    if not partner.callback_hosts:
        yield InvalidInput("callback_hosts", "must name at least one host: where results may be posted")
    for index, entry in enumerate(partner.callback_hosts):
        yield from _host(f"callback_hosts.{index}", entry, local=local)
    for field, url in (
        ("sessions_url", partner.sessions_url),
        ("charging_profiles_url", partner.charging_profiles_url),
    ):
        if url is not None:
            yield from _endpoint(partner, field, url, local=local)
    if partner.versions_url is not None:
        yield from _public_url("versions_url", partner.versions_url, "of the partner", local=local)
    if partner.version not in VERSIONS:
        yield InvalidInput("version", f"must be one of {', '.join(VERSIONS)}")
    yield from _parties(partner)
    yield from _auth(partner, local=local)
    if partner.pairing is not None and partner.pairing.url is not None:
        yield from _pairing(partner, partner.pairing.url, local=local)
    for field, rate in (("rate", partner.rate), ("clear_rate", partner.clear_rate)):
        yield from _rate(field, rate)
    yield from _within("meter_push_interval", partner.meter_push_interval, 1, MAX_PUSH_INTERVAL, "s")
    if partner.fail_safe is not None:
        yield from _within("fail_safe", partner.fail_safe, MIN_FAIL_SAFE, MAX_FAIL_SAFE, "s, or null")


def check_csms(csms: Csms, *, local: bool) -> Iterator[InvalidInput]:
    """What is wrong with a CSMS. Only a `local` stage may call one by http, on this machine."""
    yield from _matches(_OUR_ID, "csms_id", csms.csms_id, "1 to 36 letters, digits, '.', '_' or '-'")
    yield from _bus(csms) if csms.driver is CsmsDriver.BUS else _http(csms, local=local)
    for index, account in enumerate(csms.bus_accounts):
        yield from _matches(_AWS_ACCOUNT, f"bus_accounts.{index}", account, "an AWS account: 12 digits")
        if csms.bus_accounts.index(account) != index:
            yield InvalidInput(f"bus_accounts.{index}", "is given twice")
    yield from _party(csms.country_code, csms.party_id, "")
    ids = csms.profile_ids
    yield from _within("profile_ids.first", ids.first, 1, MAX_PROFILE_ID)
    yield from _within("profile_ids.last", ids.last, 1, MAX_PROFILE_ID)
    if ids.last - ids.first + 1 < PLACES_PER_STATION:
        needed = f"must hold at least {PLACES_PER_STATION} ids, and better thousands: each session takes its own"
        yield InvalidInput("profile_ids", needed)
    yield from _within("stack_level", csms.stack_level, 0, MAX_PROFILE_ID)
    yield from _within("call_timeout", csms.call_timeout, 1, MAX_CALL_TIMEOUT, "s")
    if csms.result_timeout is not None:
        yield from _within("result_timeout", csms.result_timeout, csms.call_timeout + 1, MAX_RESULT_TIMEOUT, "s")


def check_station(station: Station, prefix: str) -> Iterator[InvalidInput]:
    """What is wrong with a station; `prefix` is its path in the file (`stations.0.`)."""
    problems = [
        *_matches(_OCPP_IDENTITY, "station_id", station.station_id, "an OCPP identity: 1 to 48 printable characters"),
        *_ocpi_id("location_id", station.location_id),
        *_matches(_CURRENCY, "currency", station.currency, "three capital letters (ISO 4217)"),
        *_limits(station),
        *_numbers(station),
    ]
    for index, evse in enumerate(station.evses):
        problems += _evse(evse, f"evses.{index}.")
    yield from (InvalidInput(prefix + problem.field, problem.problem) for problem in problems)


def check_assignment(assignment: Assignment, prefix: str) -> Iterator[InvalidInput]:
    """What is wrong with an assignment; `prefix` is its path in the file (`assignments.0.`)."""
    if assignment.scope is Scope.EMSP:
        country, _, party = assignment.key.partition("/")
        if not (_COUNTRY.fullmatch(country) and _PARTY.fullmatch(party)):
            yield InvalidInput(f"{prefix}key", "must be the eMSP's country code and party id, such as NL/TNM")
    else:
        yield from _ocpi_id(f"{prefix}key", assignment.key)
    if assignment.valid_until is not None and assignment.valid_until <= assignment.valid_from:
        yield InvalidInput(f"{prefix}valid_until", "must be after valid_from")
    if assignment.shares and not assignment.consent.strip():
        yield InvalidInput(f"{prefix}consent", "must say where the person's consent comes from: `shares` rests on it")


def _http(csms: Csms, *, local: bool) -> Iterator[InvalidInput]:
    yield from _api(csms)
    yield from _base_url("base_url", csms.base_url, local=local)
    if csms.auth is CsmsAuth.HEADER:
        yield from _matches(_HEADER, "auth_header", csms.auth_header, "the name of an HTTP header")
        if csms.auth_header.lower() in OUR_HEADERS - {"authorization"}:
            yield InvalidInput("auth_header", "must be a header that the call does not have for itself")
    if csms.auth is CsmsAuth.OAUTH2 and csms.oauth2 is None:
        yield InvalidInput("oauth2", f"is missing: auth {csms.auth.value!r} needs it")
    if csms.oauth2 is not None:
        if csms.auth is not CsmsAuth.OAUTH2:
            problem = f"must be left out: it is for auth {CsmsAuth.OAUTH2.value!r}, not {csms.auth.value!r}"
            yield InvalidInput("oauth2", problem)
        yield from _oauth2(csms.oauth2, local=local)
        if csms.oauth2.api_key_header is not None:
            yield InvalidInput("oauth2.api_key_header", "must be left out: a CSMS has one credential of ours")


def _api(csms: Csms) -> Iterator[InvalidInput]:
    if not csms.preset and csms.api is None:
        yield InvalidInput("preset", "is missing: name a preset, or describe the API in `api`")
        return
    try:
        preset_of(csms)
    except InvalidInput as problem:
        yield problem


def _bus(csms: Csms) -> Iterator[InvalidInput]:
    """A CSMS on the bus is sent events and answers by events: there is no API of its own to call."""
    superfluous = {
        "preset": bool(csms.preset),
        "base_url": bool(csms.base_url),
        "api": csms.api is not None,
        "oauth2": csms.oauth2 is not None,
    }
    for name, _ in csms.parameters:
        if name not in FEED_PARAMETERS:
            yield InvalidInput(f"parameters.{name}", f"is no parameter of driver {CsmsDriver.BUS.value!r}")
    for name in (name for name, given in superfluous.items() if given):
        yield InvalidInput(name, f"must be left out: driver {CsmsDriver.BUS.value!r} calls no API")
    if csms.auth is not CsmsAuth.NONE:
        yield InvalidInput("auth", f"must be 'none': driver {CsmsDriver.BUS.value!r} calls no API")
    if csms.mode is not CsmsMode.CALLBACK:
        yield InvalidInput("mode", "must be 'callback': the answer of a CSMS on the bus is an event of its own")


def _parties(partner: Partner) -> Iterator[InvalidInput]:
    """Empty: there is only `party`."""
    if len(partner.parties) > MAX_PARTIES:
        yield InvalidInput("parties", f"must have at most {MAX_PARTIES}")
    for index, party in enumerate(partner.parties):
        yield from _party(party.country_code, party.party_id, f"parties.{index}.")
        first = next(place for place, other in enumerate(partner.parties) if other.is_same(party))
        if first != index:
            yield InvalidInput(f"parties.{index}", f"is given at parties.{first} already")
    if partner.parties and not any(party.is_same(partner.party) for party in partner.parties):
        yield InvalidInput("parties", "must contain `party`, or be left out")


def _auth(partner: Partner, *, local: bool) -> Iterator[InvalidInput]:
    wanted = partner.auth is OutboundAuth.OAUTH2
    if wanted and partner.oauth2 is None:
        yield InvalidInput("oauth2", f"is missing: auth {partner.auth.value!r} needs it")
    if partner.oauth2 is not None:
        if not wanted:
            problem = f"must be left out: it is for auth {OutboundAuth.OAUTH2.value!r}, not {partner.auth.value!r}"
            yield InvalidInput("oauth2", problem)
        yield from _oauth2(partner.oauth2, local=local)


def _oauth2(client: OAuth2Client, *, local: bool) -> Iterator[InvalidInput]:
    yield from _public_url("oauth2.token_url", client.token_url, "of the authorization server", local=local)
    for field, value in (("client_id", client.client_id), ("audience", client.audience), ("scope", client.scope)):
        if value is not None:
            yield from _matches(_PARAMETER, f"oauth2.{field}", value, "1 to 255 printable ASCII characters")
    if client.api_key_header is not None:
        yield from _matches(_HEADER, "oauth2.api_key_header", client.api_key_header, "the name of an HTTP header")
        name = client.api_key_header.lower()
        if name in OUR_HEADERS or name.startswith(_ROUTING):
            yield InvalidInput("oauth2.api_key_header", "must be a header that the call does not have for itself")


def _pairing(partner: Partner, url: str, *, local: bool) -> Iterator[InvalidInput]:
    try:
        hosts = partner_hosts(partner)
    except InvalidInput:
        return  # told where it belongs, at the endpoint
    try:
        check_partner_url(url, hosts, allow_loopback_http=local)
    except InvalidInput as problem:
        yield InvalidInput("pairing.url", f"{problem.problem}; expected is an https URL on one of `callback_hosts`")


def _public_url(field: str, url: str, whose: str, *, local: bool) -> Iterator[InvalidInput]:
    try:
        check_public_url(url, field, allow_loopback_http=local)
    except InvalidInput as problem:
        yield InvalidInput(field, f"{problem.problem}; expected is an https URL {whose}")


def _limits(station: Station) -> Iterator[InvalidInput]:
    if not station.evses:
        yield InvalidInput("evses", "must have at least one")
    if sum(len(evse.connectors) for evse in station.evses) > PLACES_PER_STATION:
        yield InvalidInput("evses", f"must have at most {PLACES_PER_STATION} connectors in all")
    if not station.allowed_units:
        yield InvalidInput("allowed_units", "must have at least one of W and A")
    if station.preferred_unit is not None and station.preferred_unit not in station.allowed_units:
        yield InvalidInput("preferred_unit", "must be one of allowed_units")
    if station.max_periods is not None:
        yield from _within("max_periods", station.max_periods, 1, MAX_PROFILE_ID)
    if station.max_stack_level is not None:
        yield from _within("max_stack_level", station.max_stack_level, 0, MAX_PROFILE_ID)


def _numbers(station: Station) -> Iterator[InvalidInput]:
    """OCPP must be able to tell outlets apart: 1.6 counts connectors through the station, 2.0.1 within an EVSE."""
    through_station = station.ocpp_version is OcppVersion.V16
    taken: dict[tuple[int, ...], str] = {}
    for index, evse in enumerate(station.evses):
        if not through_station and evse.connectors:
            number = evse.ocpp_evse_id if evse.ocpp_evse_id is not None else evse.connectors[0].ocpp_connector_id
            yield from _once(taken, (number,), f"evses.{index}.ocpp_evse_id", f"EVSE {number}")
        for place, connector in enumerate(evse.connectors):
            number = connector.ocpp_connector_id
            key = (-1, number) if through_station else (-1, index, number)
            yield from _once(
                taken, key, f"evses.{index}.connectors.{place}.ocpp_connector_id", f"OCPP connector {number}"
            )


def _once(taken: dict[tuple[int, ...], str], key: tuple[int, ...], path: str, name: str) -> Iterator[InvalidInput]:
    first = taken.setdefault(key, path)
    if first != path:
        yield InvalidInput(path, f"{name} is given at {first} already")


def _evse(evse: Evse, prefix: str) -> Iterator[InvalidInput]:
    yield from _ocpi_id(f"{prefix}uid", evse.uid)
    if evse.evse_id is not None:
        yield from _matches(_EVSE_ID, f"{prefix}evse_id", evse.evse_id, "an id by eMI3: 1 to 48 characters, no spaces")
    if evse.ocpp_evse_id is not None:
        yield from _within(f"{prefix}ocpp_evse_id", evse.ocpp_evse_id, 1, MAX_PROFILE_ID)
    if evse.cap_w is not None and evse.cap_w < 0:
        yield InvalidInput(f"{prefix}cap_w", "must not be negative (W)")
    unknown = sorted(evse.capabilities - CAPABILITIES)
    if unknown:
        yield InvalidInput(f"{prefix}capabilities", f"{unknown[0]!r} is no Capability of OCPI 2.2.1 (8.4.3)")
    if not evse.connectors:
        yield InvalidInput(f"{prefix}connectors", "must have at least one")
    seen: dict[str, int] = {}
    for index, connector in enumerate(evse.connectors):
        first = seen.setdefault(connector.connector_id.casefold(), index)
        if first != index:
            problem = f"{connector.connector_id!r} is given at {prefix}connectors.{first} already"
            yield InvalidInput(f"{prefix}connectors.{index}.connector_id", problem)
        yield from _connector(connector, f"{prefix}connectors.{index}.")


def _connector(connector: Connector, prefix: str) -> Iterator[InvalidInput]:
    yield from _ocpi_id(f"{prefix}connector_id", connector.connector_id)
    # Profile ids of a session count on it (domain.sessions.profile_id).
    yield from _within(f"{prefix}ocpp_connector_id", connector.ocpp_connector_id, 1, PLACES_PER_STATION)
    if connector.power_type is PowerType.DC:
        yield from _within(f"{prefix}max_voltage", connector.max_voltage, 1, MAX_DC_VOLTAGE, "V")
    elif not 1 <= connector.max_voltage <= MAX_AC_VOLTAGE:
        problem = f"must be from 1 to {MAX_AC_VOLTAGE} V: between line and neutral, such as 230 for a 400 V grid"
        yield InvalidInput(f"{prefix}max_voltage", problem)
    if not 1 <= connector.nominal_voltage <= MAX_AC_VOLTAGE:
        yield InvalidInput(f"{prefix}nominal_voltage", f"must be from 1 to {MAX_AC_VOLTAGE} V between line and neutral")
    yield from _within(f"{prefix}max_amperage", connector.max_amperage, 1, MAX_AMPERAGE, "A per phase")
    if connector.max_electric_power is not None and connector.max_electric_power < 1:
        yield InvalidInput(f"{prefix}max_electric_power", "must be at least 1 W")


def _party(country_code: str, party_id: str, prefix: str) -> Iterator[InvalidInput]:
    yield from _matches(_COUNTRY, f"{prefix}country_code", country_code, "two letters (ISO 3166)")
    yield from _matches(_PARTY, f"{prefix}party_id", party_id, "three letters or digits (ISO 15118)")


def _host(field: str, entry: str, *, local: bool) -> Iterator[InvalidInput]:
    try:
        check_host_entry(entry)
    except InvalidInput as problem:
        yield InvalidInput(field, f"{problem.problem}; expected is a host name, or a suffix such as .jedlix.com")
    if not local and (entry in _LOOPBACK or entry.rpartition(":")[0] in _LOOPBACK):
        yield InvalidInput(field, "names this machine, which only the stage `local` may")


def _endpoint(partner: Partner, field: str, url: str, *, local: bool) -> Iterator[InvalidInput]:
    if len(url) > MAX_URL_LENGTH:
        yield InvalidInput(field, f"must have at most {MAX_URL_LENGTH} characters (OCPI 16.7)")
    try:
        # Its own host is on the list by being its own; the other endpoint has its own check.
        hosts = partner_hosts(replace(partner, sessions_url=url, charging_profiles_url=None))
        check_partner_url(url, hosts, allow_loopback_http=local)
    except InvalidInput as problem:
        yield InvalidInput(field, f"{problem.problem}; expected is an https URL of the partner")
    if "?" in url:
        yield InvalidInput(field, "must have no query: ids are appended to it")


def _base_url(field: str, url: str, *, local: bool) -> Iterator[InvalidInput]:
    try:
        parts = urlsplit(url)
        port_is_valid = parts.port is None or parts.port > 0
    except ValueError:
        yield InvalidInput(field, "must be a URL")
        return
    here = local and parts.hostname in _LOOPBACK
    if parts.scheme != "https" and not (here and parts.scheme == "http"):
        yield InvalidInput(field, "must be an https URL: commands and credentials go there")
    if not parts.hostname or not port_is_valid:
        yield InvalidInput(field, "must name a host")
    if parts.username or parts.password or parts.query or parts.fragment:
        yield InvalidInput(field, "must have no user, query or fragment; credentials are given by --api-credential")


def _rate(field: str, rate: Rate) -> Iterator[InvalidInput]:
    if rate.burst < 1:
        yield InvalidInput(f"{field}.burst", "must be at least 1")
    if not (rate.seconds_per_request.is_finite() and rate.seconds_per_request > Decimal(0)):
        yield InvalidInput(f"{field}.seconds_per_request", "must be more than 0 (s)")


def _ocpi_id(field: str, value: str) -> Iterable[InvalidInput]:
    return _matches(_OCPI_ID, field, value, "1 to 36 printable ASCII characters (OCPI's CiString)")


def _matches(pattern: re.Pattern[str], field: str, value: str, expected: str) -> Iterator[InvalidInput]:
    if not pattern.fullmatch(value):
        yield InvalidInput(field, f"must be {expected}")


def _within(field: str, value: int, least: int, most: int, unit: str = "") -> Iterator[InvalidInput]:
    if not least <= value <= most:
        yield InvalidInput(field, f"must be from {least} to {most} {unit}".rstrip())
