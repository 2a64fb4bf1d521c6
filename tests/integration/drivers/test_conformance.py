"""Every driver and every preset in front of one charge point that can misbehave: what the bridge learns in each case.

The table is that of docs/csms-drivers.md. A preset that is new takes part by being there.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from ocpi_bridge.adapters.csms.answers import CallbackReader
from ocpi_bridge.adapters.csms.connect import http_charge_point_driver
from ocpi_bridge.adapters.csms.driver import HttpChargePointDriver
from ocpi_bridge.adapters.csms.presets import preset, preset_names
from ocpi_bridge.adapters.eventbridge.commands import BusChargePointDriver
from ocpi_bridge.domain.plans import PlanPeriod, RateUnit
from ocpi_bridge.domain.requests import RequestKind
from ocpi_bridge.domain.stations import Csms, CsmsDriver, CsmsMode, OcppVersion
from ocpi_bridge.ports.charge_points import ChargePointDriver, Done, Failed, Pending
from tests.support.charge_point_behind_a_csms import ChargePoint, Knob
from tests.support.clocks import START, ManualClock
from tests.support.fake_csms import BusCsms, HttpCsms
from tests.support.fake_secrets import InMemorySecretStore
from tests.support.preset_calls import a_command, csms_of

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[3]

SET, CLEAR, GET, LEARN = RequestKind.SET, RequestKind.CLEAR, RequestKind.GET, RequestKind.LEARN
ALL = tuple(RequestKind)
# Far more than a loopback needs, and what a silent CSMS costs the suite.
CALL_TIME = timedelta(seconds=5)
SHORT_CALL_TIME = timedelta(seconds=0.3)

# What is learned. "later" is the answer that the CSMS reports; at a synchronous one it is there at once.
ACCEPTED, REJECTED, UNKNOWN = "Accepted", "Rejected", "Unknown"
NEVER = "no answer ever comes"
NOT_SENT = "nothing was sent, try again"
REFUSED = "nothing was sent, and trying again is no use"
PERHAPS = "perhaps it was sent, try again"

LATER, AT_ONCE, PLAIN, BY_HTTP_STATUS, BUS = "later", "at once", "plain", "by HTTP status", "bus"

# What a SET leads to, by what is the matter and how the CSMS speaks: LATER and AT_ONCE give a verdict first (CitrineOS),
# PLAIN answers with OCPP's payload, BY_HTTP_STATUS with no payload at all.
SET_OUTCOMES: dict[Knob, dict[str, str]] = {
    Knob.NOTHING: dict.fromkeys((LATER, AT_ONCE, PLAIN, BY_HTTP_STATUS, BUS), ACCEPTED),
    Knob.OFFLINE: {
        LATER: NOT_SENT,
        AT_ONCE: NOT_SENT,
        PLAIN: REFUSED,
        BY_HTTP_STATUS: REFUSED,
        BUS: "CallError:StationOffline",
    },
    Knob.BUSY: {
        LATER: NOT_SENT,
        AT_ONCE: NOT_SENT,
        PLAIN: NOT_SENT,
        BY_HTTP_STATUS: NOT_SENT,
        BUS: "CallError:StationBusy",
    },
    Knob.SILENT: {LATER: NEVER, AT_ONCE: PERHAPS, PLAIN: PERHAPS, BY_HTTP_STATUS: PERHAPS, BUS: NEVER},
    Knob.REJECTS: dict.fromkeys((LATER, AT_ONCE, PLAIN, BY_HTTP_STATUS, BUS), REJECTED),
    Knob.LIES: dict.fromkeys((LATER, AT_ONCE, PLAIN, BY_HTTP_STATUS, BUS), ACCEPTED),
    Knob.NOT_SUPPORTED: {
        LATER: "CallError:NotSupported",
        AT_ONCE: "CallError:NotSupported",
        PLAIN: PERHAPS,
        BY_HTTP_STATUS: PERHAPS,
        BUS: "CallError:NotSupported",
    },
    Knob.STRANGE_STATUS: {
        LATER: NEVER,
        AT_ONCE: "NotImplemented",
        PLAIN: "NotImplemented",
        BY_HTTP_STATUS: REJECTED,
        BUS: "NotImplemented",
    },
    Knob.ANSWERS_TWICE: dict.fromkeys((LATER, AT_ONCE, PLAIN, BY_HTTP_STATUS, BUS), ACCEPTED),
}

# The rows of the documented table, and its words.
DOCUMENTED = {
    "obeys": Knob.NOTHING,
    "is offline": Knob.OFFLINE,
    "is busy with another call": Knob.BUSY,
    "says nothing": Knob.SILENT,
    "rejects": Knob.REJECTS,
    "accepts everything and does nothing": Knob.LIES,
    "answers CALLERROR NotSupported": Knob.NOT_SUPPORTED,
    "answers a status that OCPP has not": Knob.STRANGE_STATUS,
    "answers twice": Knob.ANSWERS_TWICE,
}
WORDS = {
    "no answer comes": NEVER,
    "not sent, again": NOT_SENT,
    "not sent, refused": REFUSED,
    "perhaps sent, again": PERHAPS,
    "that status": "NotImplemented",
    "Accepted; the second counts no more": ACCEPTED,
}

IN_WATT = (PlanPeriod(0, Decimal(11000)), PlanPeriod(900, Decimal("4100.5")))


@dataclass(frozen=True, slots=True)
class Way:
    """One way to a charge point: a driver, a preset where it has one, and what the charge point speaks."""

    csms: Csms
    version: OcppVersion

    @property
    def style(self) -> str:
        if self.csms.driver is CsmsDriver.BUS:
            return BUS
        api = preset(self.csms.preset)
        assert api is not None
        if api.verdict_at is not None:
            return LATER if self.csms.mode is CsmsMode.CALLBACK else AT_ONCE
        operation = api.operation(SET, self.version)
        return BY_HTTP_STATUS if operation is not None and operation.http_answers else PLAIN

    def offers(self, kind: RequestKind) -> bool:
        api = preset(self.csms.preset)
        return self.csms.driver is CsmsDriver.BUS or (api is not None and api.operation(kind, self.version) is not None)

    def __str__(self) -> str:
        name = self.csms.preset or "bus"
        return f"{name}-{self.csms.mode}-{self.version}"


def ways() -> Iterator[Way]:
    for name in preset_names():
        api = preset(name)
        assert api is not None
        answering = {CsmsMode.SYNCHRONOUS: api.synchronous, CsmsMode.CALLBACK: api.callback}
        for mode in (mode for mode, reading in answering.items() if reading is not None):
            csms = csms_of(name, mode, **dict.fromkeys(api.required, "something"))
            yield from (Way(csms, version) for version in OcppVersion if api.operation(SET, version) is not None)
    on_the_bus = replace(csms_of("", CsmsMode.CALLBACK), driver=CsmsDriver.BUS, base_url="")
    yield from (Way(on_the_bus, version) for version in OcppVersion)


WAYS = tuple(ways())


class Bench:
    """A driver, its CSMS and the charge point behind it."""

    def __init__(
        self, way: Way, csms: HttpCsms | BusCsms, charge_point: ChargePoint, by_http: HttpChargePointDriver
    ) -> None:
        self.charge_point = charge_point
        self._way = way
        self._csms = csms
        self._entry = way.csms
        self._driver: ChargePointDriver = by_http
        if isinstance(csms, BusCsms):
            self._driver = BusChargePointDriver(csms, ManualClock())
        else:
            self._entry = replace(way.csms, base_url=csms.url)

    def ask(self, kind: RequestKind) -> Done | Pending | Failed:
        """The driver's outcome; where it is Pending, what the CSMS reports then, and Pending if that is nothing."""
        call_time = SHORT_CALL_TIME if self.charge_point.knob is Knob.SILENT else CALL_TIME
        command = replace(a_command(kind, self._way.version), deadline=START + call_time)
        outcome = self._driver.submit(self._entry, command)
        if not isinstance(outcome, Pending):
            assert self._csms.reports == [], "an answer at once, and another one later"
            return outcome
        reader = CallbackReader()
        said = [reader.parse_callback(self._entry, kind, report, START) for report in self._csms.reports]
        self._csms.reports.clear()
        assert all(one == said[0] for one in said), "an answer that comes twice is the same twice"
        return said[0] if said else outcome


def served(way: Way, charge_point: ChargePoint) -> AbstractContextManager[HttpCsms | BusCsms]:
    if way.csms.driver is CsmsDriver.BUS:
        return nullcontext(BusCsms(charge_point))
    api = preset(way.csms.preset)
    assert api is not None
    return HttpCsms(api, charge_point, way.csms.parameters)


@pytest.fixture(scope="module")
def by_http() -> Iterator[HttpChargePointDriver]:
    made = http_charge_point_driver(InMemorySecretStore(), ManualClock(), allow_loopback=True)
    yield made
    made.close()


@pytest.fixture
def bench(way: Way, knob: Knob, by_http: HttpChargePointDriver) -> Iterator[Bench]:
    charge_point = ChargePoint(knob, way.version)
    with served(way, charge_point) as csms:
        yield Bench(way, csms, charge_point, by_http)


def learned(outcome: Done | Pending | Failed) -> str:
    match outcome:
        case Done():
            return outcome.status
        case Pending():
            return NEVER
        case Failed(nothing_sent=True):
            return NOT_SENT if outcome.retryable else REFUSED
    return PERHAPS if outcome.retryable else "perhaps it was sent"


def periods_of(outcome: Done | Pending | Failed) -> tuple[PlanPeriod, ...]:
    assert isinstance(outcome, Done)
    assert outcome.status == ACCEPTED
    return outcome.schedule.periods if outcome.schedule is not None else ()


every_way = pytest.mark.parametrize("way", WAYS, ids=str)
every_way_with_composites = pytest.mark.parametrize("way", [way for way in WAYS if way.offers(GET)], ids=str)


@every_way
@pytest.mark.parametrize("knob", SET_OUTCOMES, ids=lambda knob: knob.name)
def test_each_misbehaviour_has_its_one_outcome(way: Way, knob: Knob, bench: Bench) -> None:
    outcome = bench.ask(SET)
    assert learned(outcome) == SET_OUTCOMES[knob][way.style]
    reached = bench.charge_point.calls == [SET]
    if isinstance(outcome, Failed):
        assert not (outcome.nothing_sent and reached), "it says that nothing was sent, and the charge point has it"
    else:
        assert reached or way.style == BUS


@every_way
@pytest.mark.parametrize("knob", [Knob.NOTHING], ids=lambda knob: knob.name)
def test_the_charge_point_gets_the_plan_as_it_is_and_loses_it_again(way: Way, knob: Knob, bench: Bench) -> None:
    assert learned(bench.ask(SET)) == ACCEPTED
    assert bench.charge_point.limits == tuple((period.start, float(period.limit)) for period in IN_WATT)
    if way.offers(CLEAR):
        assert learned(bench.ask(CLEAR)) == ACCEPTED
        assert bench.charge_point.limits == ()
        assert learned(bench.ask(CLEAR)) == (REJECTED if way.style == BY_HTTP_STATUS else UNKNOWN)


@every_way
@pytest.mark.parametrize("kind", ALL)
@pytest.mark.parametrize("knob", [Knob.NOTHING], ids=lambda knob: knob.name)
def test_what_a_preset_does_not_offer_is_refused_at_once_and_nothing_is_called(
    way: Way, knob: Knob, kind: RequestKind, bench: Bench
) -> None:
    outcome = bench.ask(kind)
    if way.offers(kind):
        assert bench.charge_point.calls == [kind]
    else:
        assert learned(outcome) == REFUSED
        assert bench.charge_point.calls == []


@every_way_with_composites
@pytest.mark.parametrize(
    ("knob", "unit", "periods"),
    [
        (Knob.NOTHING, RateUnit.WATT, IN_WATT),
        (Knob.LOCAL_LIMIT, RateUnit.WATT, (PlanPeriod(0, Decimal(7400)), PlanPeriod(900, Decimal("4100.5")))),
        (Knob.WRONG_UNIT, RateUnit.AMPERE, (PlanPeriod(0, Decimal("15.9")), PlanPeriod(900, Decimal("5.9")))),
    ],
    ids=lambda value: value.name if isinstance(value, Knob) else "",
)
def test_a_composite_schedule_is_what_the_charge_point_says_in_its_own_unit(
    way: Way, knob: Knob, unit: RateUnit, periods: tuple[PlanPeriod, ...], bench: Bench
) -> None:
    bench.ask(SET)
    outcome = bench.ask(GET)
    rounded = tuple(replace(period, limit=period.limit.quantize(Decimal("0.1"))) for period in periods_of(outcome))
    assert rounded == periods
    assert isinstance(outcome, Done)
    assert outcome.schedule is not None
    assert outcome.schedule.unit is unit


@every_way_with_composites
@pytest.mark.parametrize("knob", [Knob.LIES], ids=lambda knob: knob.name)
def test_a_charge_point_that_accepts_everything_shows_no_schedule(way: Way, knob: Knob, bench: Bench) -> None:
    assert learned(bench.ask(SET)) == ACCEPTED
    assert periods_of(bench.ask(GET)) == ()


@every_way_with_composites
@pytest.mark.parametrize("knob", [Knob.NO_COMPOSITE], ids=lambda knob: knob.name)
def test_a_charge_point_without_composite_schedules_rejects_the_question(way: Way, knob: Knob, bench: Bench) -> None:
    assert learned(bench.ask(SET)) == ACCEPTED
    assert learned(bench.ask(GET)) == REJECTED


@pytest.mark.parametrize("way", [way for way in WAYS if way.offers(LEARN)], ids=str)
@pytest.mark.parametrize("knob", [Knob.NOTHING], ids=lambda knob: knob.name)
def test_what_the_charge_point_can_take_is_learned(way: Way, knob: Knob, bench: Bench) -> None:
    outcome = bench.ask(LEARN)
    assert isinstance(outcome, Done)
    assert outcome.capabilities is not None
    assert outcome.capabilities.max_stack_level == 9


def test_the_documented_table_is_this_one() -> None:
    lines = (ROOT / "docs" / "csms-drivers.md").read_text(encoding="utf-8").splitlines()
    rows = [[cell.strip().strip("`") for cell in line.strip("|").split("|")] for line in lines if line.startswith("| ")]
    table = {row[0]: [WORDS.get(word, word) for word in row[1:]] for row in rows if row[0] in DOCUMENTED}
    assert {DOCUMENTED[name]: outcomes for name, outcomes in table.items()} == {
        knob: [outcomes[style] for style in (LATER, AT_ONCE, PLAIN, BY_HTTP_STATUS, BUS)]
        for knob, outcomes in SET_OUTCOMES.items()
    }


def test_every_preset_and_both_drivers_take_part() -> None:
    assert {way.csms.preset for way in WAYS} == {*preset_names(), ""}
    assert {way.style for way in WAYS} == {LATER, AT_ONCE, PLAIN, BY_HTTP_STATUS, BUS}
