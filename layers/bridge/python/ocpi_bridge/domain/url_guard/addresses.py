"""Public addresses: where a connection to a partner may end.

An allow-list, because every list of what is forbidden is incomplete: `ipaddress.is_global` lets multicast, 6to4 and the
translated forms of private addresses through.
"""

from ipaddress import AddressValueError, IPv4Address, IPv4Network, IPv6Address, IPv6Network

# Global unicast as IANA hands it out. Everything else is out by that alone: loopback, link-local, unique local,
# multicast, IPv4-mapped and the well-known NAT64 prefixes.
_IPV6_UNICAST = IPv6Network("2000::/3")
_IPV6_SPECIAL = tuple(
    IPv6Network(block)
    for block in (
        "2001::/23",  # protocol assignments: Teredo, ORCHID, benchmarking
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4: carries any IPv4 address, private ones too
        "2620:4f:8000::/48",  # AS112, answers for private reverse zones
        "3fff::/20",  # documentation
    )
)
# The special-purpose registry of IANA (RFC 6890 and later), whole; multicast and the reserved class E behind it.
_IPV4_SPECIAL = tuple(
    IPv4Network(block)
    for block in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.31.196.0/24",
        "192.52.193.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "192.175.48.0/24",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
    )
)


# Networks of an operator's own, where a CSMS may stand. Not the addresses at which a cloud speaks to its machines.
_PRIVATE_V4 = tuple(IPv4Network(block) for block in ("10.0.0.0/8", "100.64.0.0/10", "172.16.0.0/12", "192.168.0.0/16"))
_PRIVATE_V6 = IPv6Network("fc00::/7")
_CLOUD_SERVICES_V6 = IPv6Network("fd00:ec2::/32")
# The second half of an ISATAP address (RFC 5214, 6.1), but for the bit that says whether the IPv4 address in it is
# unique: such an address ends wherever that IPv4 address is, whatever network it claims to be in.
_ISATAP = 0x00005EFE
_ISATAP_MASK = 0xFDFFFFFF


def is_public(address: str) -> bool:
    """Whether the address is public unicast; what is no address in its usual spelling is not.

    `address` is spelled as the resolver spells it: dotted decimal, or IPv6 without a zone.
    """
    parsed = _parsed(address)
    if isinstance(parsed, IPv4Address):
        return not any(parsed in block for block in _IPV4_SPECIAL)
    return parsed is not None and _is_public_v6(parsed)


def is_private(address: str) -> bool:
    """Whether the address is in a private network: no public one, and none of this machine or of the cloud below it."""
    parsed = _parsed(address)
    if isinstance(parsed, IPv4Address):
        return any(parsed in block for block in _PRIVATE_V4)
    return (
        parsed is not None
        and parsed.scope_id is None
        and parsed in _PRIVATE_V6
        and parsed not in _CLOUD_SERVICES_V6
        and not _is_isatap(parsed)
    )


def is_loopback(address: str) -> bool:
    """Whether the address is this machine's, spelled as such and not wrapped into another one."""
    parsed = _parsed(address)
    if isinstance(parsed, IPv4Address):
        return parsed.is_loopback
    return parsed is not None and int(parsed) == 1 and parsed.scope_id is None


def _parsed(address: str) -> IPv4Address | IPv6Address | None:
    try:
        return IPv6Address(address) if ":" in address else IPv4Address(address)
    except AddressValueError:
        return None


def _is_isatap(address: IPv6Address) -> bool:
    return (int(address) >> 32) & _ISATAP_MASK == _ISATAP


def _is_public_v6(address: IPv6Address) -> bool:
    if address.scope_id is not None or address not in _IPV6_UNICAST or _is_isatap(address):
        return False
    return not any(address in block for block in _IPV6_SPECIAL)
