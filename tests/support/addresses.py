"""Addresses that nothing of ours may be made to call, in every form in which they can be written or wrapped."""

from collections.abc import Mapping
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from itertools import chain
from pathlib import Path

_FILE = Path(__file__).parents[1] / "fixtures" / "hostile_addresses.txt"
HOSTILE = tuple(line for line in _FILE.read_text().splitlines() if line and not line.startswith("#"))

# IANA's special-purpose registries, multicast and what is reserved beside them: written down here once more, so that a
# block that the guard's own list loses is missed.
SPECIAL_V4 = tuple(
    map(
        IPv4Network,
        (
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
        ),
    )
)
SPECIAL_V6 = tuple(
    map(
        IPv6Network,
        (
            "::/128",
            "::1/128",
            "::/96",
            "::ffff:0:0/96",
            "::ffff:0:0:0/96",
            "64:ff9b::/96",
            "64:ff9b:1::/48",
            "100::/64",
            "100:0:0:1::/64",
            "2001::/23",
            "2001::/32",
            "2001:2::/48",
            "2001:20::/28",
            "2001:db8::/32",
            "2002::/16",
            "2620:4f:8000::/48",
            "3fff::/20",
            "5f00::/16",
            "fc00::/7",
            "fd00:ec2::/32",
            "fe80::/10",
            "fec0::/10",
            "ff00::/8",
        ),
    )
)


def samples(block: IPv4Network | IPv6Network) -> tuple[str, ...]:
    """The first, a middle and the last address of a block."""
    last = block.num_addresses - 1
    return tuple(str(block[index]) for index in sorted({0, last // 2, last}))


SPECIAL = (
    *chain.from_iterable(map(samples, SPECIAL_V4)),
    *chain.from_iterable(map(samples, SPECIAL_V6)),
)


def wrapped(address: IPv4Address) -> Mapping[str, IPv6Address]:
    """Every IPv6 address that some network carries to this IPv4 address."""
    number, network = int(address), 0x2600_1F18 << 96
    return {
        "compatible": IPv6Address(number),
        "mapped": IPv6Address((0xFFFF << 32) | number),
        "translated": IPv6Address((0xFFFF << 48) | number),
        "NAT64": IPv6Address((0x64_FF9B << 96) | number),
        "local NAT64": IPv6Address((0x64_FF9B_0001 << 80) | number),
        "6to4": IPv6Address((0x2002 << 112) | (number << 80) | 1),
        "Teredo": IPv6Address((0x2001_0000 << 96) | (number ^ 0xFFFF_FFFF)),
        "ISATAP, link-local": IPv6Address((0xFE80 << 112) | (0x5EFE << 32) | number),
        "ISATAP, of a public network": IPv6Address(network | (0x5EFE << 32) | number),
        "ISATAP, said to be unique": IPv6Address(network | (0x0200_5EFE << 32) | number),
    }


def spellings(address: IPv4Address | IPv6Address) -> list[str]:
    """Every way in which some resolver or library reads an address in the host of a URL."""
    if isinstance(address, IPv6Address):
        plain = [f"[{address}]", f"[{address.exploded}]", f"[{address.exploded.upper()}]", f"[{address}%eth0]"]
        dotted = f"{address.exploded[:30]}{IPv4Address(int(address) & 0xFFFF_FFFF)}"
        return [*plain, f"[{address}%25eth0]", f"[{dotted}]", f"[{address}].", str(address)]
    number, (a, b, c, d) = int(address), address.packed
    octets = (a, b, c, d)
    dotted_forms = [
        ".".join(map(str, octets)),
        ".".join(f"0{octet:o}" for octet in octets),
        ".".join(f"{octet:#x}" for octet in octets),
        ".".join(f"{octet:#X}" for octet in octets),
        ".".join(f"{octet:03d}" for octet in octets),
        f"{a}.{b}.{(c << 8) | d}",
        f"{a}.{number & 0xFFFFFF}",
        f"{a:#x}.{number & 0xFFFFFF:#x}",
        f"{a}.{b:#x}.0{c:o}.{d}",
        str(number),
        f"{number:#x}",
        f"0{number:o}",
        f"0x{number:016x}",
        str(number + 2**32),
    ]
    inside = [f"[{carrier}]" for carrier in wrapped(address).values()]
    mixed = [f"[::ffff:{address}]", f"[64:ff9b::{address}]", f"[::{address}]"]
    wide = str(address).translate({ord(digit): ord(digit) + 0xFEE0 for digit in "0123456789."})
    circled = str(address).translate({ord(digit): 0x2460 + ord(digit) - ord("1") for digit in "123456789"})
    percent = "".join(f"%{ord(character):02x}" for character in str(address))
    other_dots = [str(address).replace(".", dot) for dot in ("\u3002", "\uff0e", "\uff61", "%2e")]
    return [*dotted_forms, *(f"{one}." for one in dotted_forms), *inside, *mixed, wide, circled, percent, *other_dots]
