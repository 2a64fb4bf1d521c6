"""Where a connection to a partner may end: public unicast addresses, and nothing that only looks like one."""

from ipaddress import IPv4Address, IPv6Address
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocpi_bridge.domain.public_addresses import is_public

HOSTILE = [
    line
    for line in (Path(__file__).parents[2] / "fixtures" / "hostile_addresses.txt").read_text().splitlines()
    if line and not line.startswith("#")
]


@pytest.mark.parametrize("address", HOSTILE)
def test_a_hostile_address_is_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", [line for line in HOSTILE if ":" not in line])
def test_no_ipv6_form_of_a_hostile_address_is_public(address: str) -> None:
    number = int(IPv4Address(address))
    carriers = {
        "mapped": IPv6Address((0xFFFF << 32) | number),
        "compatible": IPv6Address(number),
        "NAT64": IPv6Address((0x64FF9B << 96) | number),
        "local NAT64": IPv6Address((0x64FF9B0001 << 80) | number),
        "6to4": IPv6Address((0x2002 << 112) | (number << 80) | 1),
        "Teredo": IPv6Address((0x20010000 << 96) | (number ^ 0xFFFFFFFF)),
    }
    assert [name for name, carrier in carriers.items() if is_public(str(carrier))] == []


@pytest.mark.parametrize(
    "address",
    [
        "127.1",
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "8.8.8.8.",
        " 8.8.8.8",
        "8.8.8.8/32",
        "[2600::1]",
        "2600::1%eth0",
        "fe80::1%eth0",
        "2600:::1",
        "localhost",
        "",
    ],
)
def test_what_is_no_address_in_its_usual_spelling_is_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["1.1.1.1", "8.8.8.8", "52.95.110.1", "2600:1f18::1", "2a05:d018::1"])
def test_public_addresses_are_public(address: str) -> None:
    assert is_public(address)


@given(st.integers(min_value=0, max_value=2**128 - 1).map(IPv6Address))
def test_no_public_ipv6_address_is_outside_global_unicast(address: IPv6Address) -> None:
    if is_public(str(address)):
        assert int(address) >> 125 == 1
        assert address.ipv4_mapped is None
        assert address.sixtofour is None
        assert address.teredo is None


@given(st.integers(min_value=0, max_value=2**32 - 1).map(IPv4Address))
def test_no_public_ipv4_address_is_private_or_multicast(address: IPv4Address) -> None:
    if is_public(str(address)):
        assert address.is_global
        assert not address.is_multicast
