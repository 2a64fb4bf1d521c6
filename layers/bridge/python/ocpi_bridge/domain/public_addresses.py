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


def is_public(address: str) -> bool:
    """Whether the address is public unicast; what is no address in its usual spelling is not.

    `address` is spelled as the resolver spells it: dotted decimal, or IPv6 without a zone.
    """
    try:
        if ":" in address:
            return _is_public_v6(IPv6Address(address))
        return not any(IPv4Address(address) in block for block in _IPV4_SPECIAL)
    except AddressValueError:
        return False


def _is_public_v6(address: IPv6Address) -> bool:
    if address.scope_id is not None or address not in _IPV6_UNICAST:
        return False
    return not any(address in block for block in _IPV6_SPECIAL)
