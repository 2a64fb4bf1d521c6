r"""URLs that a partner gives us to call: hostile input until checked (OCPI 4.1.2, 14.4.2.1).

The partner's token goes along with every call, so a URL is called only where the partner's own list names its host.
The grammar is deliberately smaller than RFC 3986: a spelling that two parsers could read in two ways is refused, and
what is left is sent byte for byte as the partner wrote it.

A partner's list has exact names (`ocpi.jedlix.com`) and suffixes that begin with a dot (`.jedlix.com`, any name below
it). Only port 443 is meant, because another port of the same host may be another service, which must not get the
token; an entry that names a port (`ocpi.example.com:8443`) means that one.
"""

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from ocpi_bridge.domain.errors import InvalidInput, UrlRefused
from ocpi_bridge.domain.partners import Partner
from ocpi_bridge.domain.values import dataclass

# URL is string(255) in OCPI (16.7).
MAX_URL_LENGTH = 255
# A host name in DNS (RFC 1035, 2.3.4).
MAX_HOST_LENGTH = 253

_HTTPS_PORT = 443
_MAX_PORT = 65535
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "[::1]"})

_PRINTABLE = re.compile(r"[!-~]+")
_URL = re.compile(r"(?P<scheme>[A-Za-z]+)://(?P<authority>[^/?]+)(?:[/?].*)?")
_AUTHORITY = re.compile(r"(?P<host>\[[^\]]*\]|[^:\[\]]+)(?::(?P<port>\d{1,5}))?")
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
# The last label of an IPv4 address in any of its spellings: 127.0.0.1, 2130706433, 0x7f.1, 0177.0.0.01.
_NUMBER = re.compile(r"\d+|0x[0-9a-f]*")
_PUNYCODE = "xn--"


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a URL points: lower case, IPv6 in brackets, the port always given."""

    scheme: str
    host: str
    port: int


def check_callback_url(url: str, hosts: Iterable[str], *, allow_loopback_http: bool) -> None:
    """Raises UrlRefused("response_url", ...) unless the URL may be called for a partner with these hosts.

    At most 255 characters (16.7), else as `check_partner_url`.
    """
    with _refusing(url):
        _check_length(url, "response_url")
    check_partner_url(url, hosts, allow_loopback_http=allow_loopback_http, field="response_url")


def check_partner_url(url: str, hosts: Iterable[str], *, allow_loopback_http: bool, field: str = "url") -> None:
    """Raises UrlRefused unless the URL is absolute https to a host and port that the list names.

    With `allow_loopback_http` (stage `local` only) listed loopback hosts may be called too, by http and on any port.
    The error never repeats the URL: its query may carry what must not be logged.
    """
    with _refusing(url):
        place = _parse(url, field)
        _check_place(place, field, allow_loopback_http=allow_loopback_http)
        if not any(_covers(entry.lower(), place) for entry in hosts):
            raise InvalidInput(field, "has a host (or port) that is not on the partner's list")


def check_public_url(url: str, field: str, *, allow_loopback_http: bool) -> None:
    """Raises UrlRefused unless the URL is absolute https to a host name, at most 255 characters (16.7).

    For URLs of a handshake (6, 7): no list can name their hosts before it, so the guarded network alone says which
    addresses are dialled. With `allow_loopback_http` (stage `local` only) this machine may be called too, by http.
    The error never repeats the URL.
    """
    with _refusing(url):
        _check_length(url, field)
        _check_place(_parse(url, field), field, allow_loopback_http=allow_loopback_http)


def check_host_entry(entry: str) -> None:
    """Raises InvalidInput("callback_hosts", ...) unless the entry can stand on a partner's list of hosts.

    A suffix has two labels at least: `.com` would give the partner's token to everybody.
    """
    field = "callback_hosts"
    name, _ = _split_entry(entry.lower())
    if name in _LOOPBACK:
        return
    _check_name(name.removeprefix("."), field)
    if name.startswith(".") and name.count(".") < 2:
        raise InvalidInput(field, "a suffix needs two labels at least")


def partner_hosts(partner: Partner) -> tuple[str, ...]:
    """Every host that may be called for the partner: its list, and the hosts (and ports) of its own endpoints."""
    endpoints = (partner.sessions_url, partner.charging_profiles_url)
    places = [_parse(url, "endpoint") for url in endpoints if url is not None]
    return (*partner.callback_hosts, *(f"{place.host}:{place.port}" for place in places))


def host_of(url: str) -> str | None:
    """The host of a URL, fit for logs and counters; None where it has none that is spelled properly."""
    try:
        place = _parse(url, "url")
        if place.host not in _LOOPBACK:
            _check_name(place.host, "url")
    except InvalidInput:
        return None
    return place.host


@contextmanager
def _refusing(url: str) -> Iterator[None]:
    """Whatever is wrong with the URL refuses its host."""
    try:
        yield
    except InvalidInput as error:
        raise UrlRefused(error.field, error.problem, host_of(url)) from None


def _check_length(url: str, field: str) -> None:
    if len(url) > MAX_URL_LENGTH:
        raise InvalidInput(field, f"is longer than {MAX_URL_LENGTH} characters")


def _parse(url: str, field: str) -> _Place:
    if not _PRINTABLE.fullmatch(url):
        raise InvalidInput(field, "is empty or has characters that no URL has")
    if "\\" in url or "#" in url:
        raise InvalidInput(field, "has a backslash or a fragment")
    match = _URL.fullmatch(url)
    if match is None:
        raise InvalidInput(field, "is not an absolute URL")
    scheme = match["scheme"].lower()
    if scheme not in {"http", "https"}:
        raise InvalidInput(field, "is not https")
    if "@" in match["authority"]:
        raise InvalidInput(field, "has user information")
    authority = _AUTHORITY.fullmatch(match["authority"].lower())
    if authority is None:
        raise InvalidInput(field, "has no valid host and port")
    port = int(authority["port"] or (_HTTPS_PORT if scheme == "https" else 80))
    if not 0 < port <= _MAX_PORT:
        raise InvalidInput(field, "has no valid port")
    return _Place(scheme, authority["host"], port)


def _check_place(place: _Place, field: str, *, allow_loopback_http: bool) -> None:
    if place.host in _LOOPBACK:
        if not allow_loopback_http:
            raise InvalidInput(field, "points to this machine")
    elif place.scheme != "https":
        raise InvalidInput(field, "is not https")
    else:
        _check_name(place.host, field)


def _check_name(host: str, field: str) -> None:
    labels = host.split(".")
    last = host.removesuffix(".").rpartition(".")[2]
    if host.startswith("[") or _NUMBER.fullmatch(last):
        raise InvalidInput(field, "has an IP address instead of a host name")
    if len(host) > MAX_HOST_LENGTH or not all(_LABEL.fullmatch(label) for label in labels):
        raise InvalidInput(field, "has no valid host name")


def _covers(entry: str, place: _Place) -> bool:
    name, port = _split_entry(entry)
    if place.host in _LOOPBACK:
        return name == place.host
    if port != place.port:
        return False
    if not name.startswith("."):
        return name == place.host
    below = place.host.removesuffix(name)
    # A suffix does not vouch for names in other scripts: they can look like any other name of the partner.
    return below not in {"", place.host} and not any(label.startswith(_PUNYCODE) for label in below.split("."))


def _split_entry(entry: str) -> tuple[str, int]:
    match = _AUTHORITY.fullmatch(entry)
    if match is None:
        return entry, _HTTPS_PORT
    return match["host"], int(match["port"] or _HTTPS_PORT)
