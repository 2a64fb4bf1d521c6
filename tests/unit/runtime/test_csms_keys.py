"""The event keys of CSMSs: read again before anybody is refused, and no more often for whoever exists."""

import pytest

from ocpi_bridge.domain.errors import InvalidInput, UnknownEntity
from ocpi_bridge.ports.secrets import CsmsSecrets
from ocpi_bridge.runtime.wiring.csms_keys import FRESH_KEY_INTERVAL, MAX_REMEMBERED, EventKeys
from tests.support.clocks import ManualClock
from tests.support.fake_secrets import InMemorySecretStore


@pytest.fixture
def secrets() -> InMemorySecretStore:
    store = InMemorySecretStore()
    store.csms["acme"] = CsmsSecrets("the key")
    return store


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def keys(secrets: InMemorySecretStore, clock: ManualClock) -> EventKeys:
    return EventKeys(secrets, clock)


def shows(key: str, keys: EventKeys, csms_id: str = "acme") -> bool:
    """Whether somebody who has this key is taken for the CSMS."""

    def check(known: str) -> None:
        if known != key:
            raise InvalidInput("key", "is another one")

    try:
        keys.checked(csms_id, check)
    except (InvalidInput, UnknownEntity):
        return False
    return True


def test_a_key_that_was_replaced_is_known_at_once(keys: EventKeys, secrets: InMemorySecretStore) -> None:
    assert shows("the key", keys)
    secrets.csms["acme"] = CsmsSecrets("the new key")
    assert shows("the new key", keys)
    assert secrets.reads == ["csms/acme", "csms/acme"]


def test_one_that_there_is_not_costs_as_many_reads_as_one_whose_key_is_not_shown(
    keys: EventKeys, secrets: InMemorySecretStore, clock: ManualClock
) -> None:
    for _ in range(2):
        for _ in range(5):
            assert not shows("a guess", keys, "acme")
            assert not shows("a guess", keys, "nobody")
        clock.advance(FRESH_KEY_INTERVAL.total_seconds())
    assert secrets.reads.count("csms/nobody") == secrets.reads.count("csms/acme") == 3


def test_one_that_was_refused_before_it_was_added_is_known_a_minute_later(
    keys: EventKeys, secrets: InMemorySecretStore, clock: ManualClock
) -> None:
    assert not shows("its key", keys, "new")
    secrets.csms["new"] = CsmsSecrets("its key")
    clock.advance(FRESH_KEY_INTERVAL.total_seconds() + 1)
    assert shows("its key", keys, "new")
    assert shows("its key", keys, "new")


def test_ids_that_somebody_makes_up_fill_no_memory(keys: EventKeys) -> None:
    for number in range(MAX_REMEMBERED + 10):
        assert not shows("a guess", keys, f"made-up-{number}")
    assert len(keys.fresh) == MAX_REMEMBERED
    assert len(keys.unknown) == MAX_REMEMBERED
