"""Strategies: sessions and charging periods of every kind, as events make them."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from ocpi_bridge.domain.assignments import Rights, Share
from ocpi_bridge.domain.events import EventType, IdToken, SessionStatus
from ocpi_bridge.domain.prices import Price
from ocpi_bridge.domain.sessions import ChargingPeriod, Session
from tests.support.clocks import START
from tests.support.world import event, session_of

CONTRACTS = ["NL-TNM-C12345678-X", "NLTNMC12345678X", "DE*ABC*1234", "12345", "x"]


def amounts(least: int = 0) -> SearchStrategy[Decimal]:
    return st.decimals(min_value=least, max_value=100_000, places=4)


def id_tokens() -> SearchStrategy[IdToken | None]:
    return st.none() | st.builds(
        IdToken,
        uid=st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=36),
        kind=st.sampled_from(["AD_HOC_USER", "APP_USER", "OTHER", "RFID"]),
        contract_id=st.none() | st.sampled_from(CONTRACTS),
    )


def prices() -> SearchStrategy[Price]:
    return st.builds(Price, excl_vat=amounts(), incl_vat=st.none() | amounts())


@st.composite
def sessions(draw: DrawFn) -> Session:
    first = session_of(event(EventType.TRANSACTION_STARTED, meter="1000"))
    start = START + timedelta(milliseconds=draw(st.integers(-10_000_000, 10_000_000)))
    shares = draw(st.frozensets(st.sampled_from(Share)))
    return replace(
        first,
        token=draw(id_tokens()),
        auth_method=draw(st.sampled_from(["AUTH_REQUEST", "COMMAND", "WHITELIST"])),
        status=draw(st.sampled_from(SessionStatus)),
        start=start,
        end=draw(st.none() | st.just(start + timedelta(hours=3, microseconds=1))),
        last_updated=start + timedelta(hours=1, microseconds=draw(st.integers(0, 999_999))),
        meter_wh=draw(st.none() | st.decimals(min_value=1000, max_value=10_000_000, places=3)),
        total_cost=draw(st.none() | prices()),
        rights=Rights(frozenset({"jedlix"}), "jedlix", {"jedlix": shares}),
    )


@st.composite
def charging_periods(draw: DrawFn) -> list[ChargingPeriod]:
    lengths = draw(st.lists(st.integers(1, 100_000), max_size=4))
    begins = [START + timedelta(seconds=sum(lengths[:index])) for index in range(len(lengths))]
    return [
        ChargingPeriod(
            index=index,
            start=begin,
            end=begin + timedelta(seconds=length),
            energy=draw(amounts()),
            power=draw(amounts(-1000)),
            current=draw(st.none() | amounts(-1000)),
            soc=draw(st.none() | st.decimals(min_value=0, max_value=100, places=1)),
        )
        for index, (begin, length) in enumerate(zip(begins, lengths, strict=True), 1)
    ]
