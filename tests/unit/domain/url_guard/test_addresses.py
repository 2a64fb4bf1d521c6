"""Where a connection to a partner may end: public unicast addresses, and nothing that only looks like one."""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocpi_bridge.domain.url_guard.addresses import is_loopback, is_private, is_public
from tests.support.addresses import HOSTILE, SPECIAL_V4, SPECIAL_V6, samples, wrapped

Block = IPv4Network | IPv6Network


@pytest.mark.parametrize("address", HOSTILE)
def test_a_hostile_address_is_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("block", [*SPECIAL_V4, *SPECIAL_V6], ids=str)
def test_no_address_of_a_special_block_is_public(block: Block) -> None:
    assert [address for address in samples(block) if is_public(address)] == []


@pytest.mark.parametrize("block", [*SPECIAL_V4, IPv4Network("8.8.8.8/32")], ids=str)
def test_no_ipv6_form_of_an_ipv4_address_is_public(block: IPv4Network) -> None:
    carriers = [carrier for address in samples(block) for carrier in wrapped(IPv4Address(address)).items()]
    assert [form for form, carrier in carriers if is_public(str(carrier)) or is_private(str(carrier))] == []


@pytest.mark.parametrize("block", SPECIAL_V4, ids=str)
def test_the_address_next_to_a_special_block_is_public_unless_it_is_in_another(block: IPv4Network) -> None:
    for number in (int(block[0]) - 1, int(block[-1]) + 1):
        if 0 <= number < 2**32:
            neighbour = IPv4Address(number)
            assert is_public(str(neighbour)) is not any(neighbour in other for other in SPECIAL_V4)


@given(st.sampled_from([*SPECIAL_V4, *SPECIAL_V6]), st.integers(min_value=0))
def test_wherever_one_looks_into_a_special_block_nothing_is_public(block: Block, index: int) -> None:
    assert not is_public(str(block[index % block.num_addresses]))


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


# --- Addresses of an operator's own networks -------------------------------------------------------------------------


@pytest.mark.parametrize("address", ["10.0.0.1", "172.31.255.254", "192.168.1.1", "100.64.0.1", "fd12:3456::1"])
def test_a_private_network_is_no_public_one(address: str) -> None:
    assert is_private(address)
    assert not is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "::1",
        "169.254.169.254",
        "169.254.170.2",
        "fd00:ec2::254",
        "fe80::1",
        "fd12::1%eth0",
        "0.0.0.0",
        "224.0.0.1",
        "::ffff:10.0.0.1",
        "64:ff9b::a00:1",
        "fd12::5efe:127.0.0.1",
        "8.8.8.8",
        "10.1",
    ],
)
def test_neither_this_machine_nor_the_cloud_below_it_is_a_private_network(address: str) -> None:
    assert not is_private(address)


def test_this_machine_is_known_by_its_own_addresses_only() -> None:
    assert [one for one in ("127.0.0.1", "127.8.9.10", "::1") if not is_loopback(one)] == []
    wrapped_ones = ("::ffff:127.0.0.1", "::1%lo", "::7f00:1", "64:ff9b::7f00:1", "localhost", "0.0.0.0", "")
    assert [one for one in wrapped_ones if is_loopback(one)] == []
