"""The bridge as its functions make it of the use cases: doors, workers with their queues, and time."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import count

from ocpi_bridge.domain.assignments import Assignment
from ocpi_bridge.domain.errors import Contended
from ocpi_bridge.domain.events import EventType, Reading, StationEvent
from ocpi_bridge.domain.plans import Plan
from ocpi_bridge.domain.preferences import ChargingPreferences
from ocpi_bridge.domain.sessions import Session
from ocpi_bridge.domain.stations import Replacement
from ocpi_bridge.domain.tokens import AcceptedToken
from ocpi_bridge.ocpi.charging_preferences import ChargingPreferencesResponse
from ocpi_bridge.ocpi.charging_profiles import (
    ChargingProfileCall,
    ClearProfile,
    ReadActiveProfile,
    ResponseType,
    SetProfile,
)
from ocpi_bridge.ocpi.transport import CallContext, MessageIds, TransportError
from ocpi_bridge.ports.messages import CommandMessage, DeadlineMessage, OverdueSession, PushMessage, ResultMessage
from ocpi_bridge.usecases.deliver_result import DeliverResult
from ocpi_bridge.usecases.ingest_event import IngestEvent
from ocpi_bridge.usecases.keep_plan import KeepPlan
from ocpi_bridge.usecases.own_requests import OwnRequests
from ocpi_bridge.usecases.partner_line import PartnerLines
from ocpi_bridge.usecases.push_session import PushSession
from ocpi_bridge.usecases.record_answer import RecordAnswer
from ocpi_bridge.usecases.record_result import RecordResult
from ocpi_bridge.usecases.relay_outbox import relay_outbox
from ocpi_bridge.usecases.request_profile import RequestProfile
from ocpi_bridge.usecases.send_command import SendCommand
from ocpi_bridge.usecases.set_preferences import SetPreferences
from ocpi_bridge.usecases.sweep import Sweep
from ocpi_bridge.usecases.tell_active_profile import TellActiveProfile
from ocpi_bridge.usecases.update_partner import UpdatePartner
from ocpi_bridge.usecases.watch_active_profile import WatchActiveProfile
from tests.support import registry_entries
from tests.support.clocks import START, ManualClock
from tests.support.fake_secrets import InMemorySecretStore
from tests.support.memory import MemoryPreferences
from tests.support.model.charge_point import ModelChargePoint, Showing
from tests.support.model.hazard import Died, Hazard
from tests.support.model.partner import ModelPartner
from tests.support.model.queues import Entry, ModelQueues
from tests.support.scripted import MemoryBus
from tests.support.stores import MemoryStores
from tests.support.world import CARD

# What a stage tells its partners unless it is set otherwise (infra.stages).
TIMEOUT = timedelta(seconds=90)
SWEPT_EVERY = timedelta(seconds=60)
# More steps than this at one instant are no work but a circle.
MOST_AT_ONCE = 500
# Backoffs go up to a quarter of an hour, and the last result may be a plan's end; who needs longer never rests.
MOST_MINUTES = 180
UID = "BE*BEC*E041503001"


@dataclass(frozen=True, slots=True)
class Call:
    """A call of the partner, which it may repeat."""

    call: ChargingProfileCall
    x_request_id: str
    token: str
    session_id: str

    @property
    def url(self) -> str:
        return self.call.response_url


class ModelBridge:
    """One partner, one CSMS, one station with one connector; cars come one after the other.

    Workers run when they are told to; `pass_time` moves the clock as in life, with all workers awake. Any worker may die
    (`hazard`); its message comes back. `accepted` are the response_urls of calls that were answered ACCEPTED. `late` are
    requests that somebody lost a message of, died with, or slept over: their results may come to nothing, never to two.
    `told_profiles`: the partner can be told of active profiles.
    """

    def __init__(
        self,
        replacement: Replacement | None = None,
        *,
        showing: Showing = Showing.FOLLOWED,
        told_profiles: bool = True,
    ) -> None:
        self.clock = ManualClock()
        self.hazard = Hazard()
        self.stores = MemoryStores()
        self.books = self.stores.books
        self.queues = ModelQueues(self.clock)
        self.partner = ModelPartner(self.clock)
        self.charge_point = ModelChargePoint(self.books, self.clock, showing)
        self.bus = MemoryBus()
        self.told_profiles = told_profiles
        self.token = "token-0"
        self.calls: list[Call] = []
        self.accepted: set[str] = set()
        self.late: set[str] = set()
        self._numbers = count(1)
        self._cars = count(1)
        self._posted = 0
        self._sweep_at = self.clock.now() + SWEPT_EVERY
        self._wire()
        self.stores.add(
            replace(
                registry_entries.partner(),
                charging_profiles_url="https://ocpi.jedlix.com/ocpi/2.2.1/chargingprofiles" if told_profiles else None,
            ),
            replace(registry_entries.csms(), replacement=replacement),
            registry_entries.station(evse_uids=(UID,)),
            self.assignment,
            AcceptedToken(self.token, "jedlix", registry_entries.partner().party, self.clock.now()),
        )

    @property
    def assignment(self) -> Assignment:
        return registry_entries.assignment(key=UID)

    def _wire(self) -> None:
        guarded, stores, clock = self.hazard.guarded, self.stores, self.clock
        outbox, client = guarded("outbox", self.queues), guarded("partner", self.partner)
        commands, deliveries = guarded("commands", stores.commands), guarded("deliveries", stores.deliveries)
        intake, watches = guarded("intake", stores.intake), guarded("watches", stores.watches)
        sessions, pushes = guarded("sessions", stores.sessions), guarded("pushes", stores.pushes)
        states, driver = guarded("states", stores.states), guarded("driver", self.charge_point)
        secrets = InMemorySecretStore()
        secrets.signing_key = b"signing key"
        own = OwnRequests(intake, clock, lambda _: None)
        record = RecordAnswer(commands, states, clock)
        self.intake = intake
        self.request_profile = RequestProfile(intake, clock, TIMEOUT, allow_loopback_http=False, pause=lambda _: None)
        self.send_command = SendCommand(commands, driver, record, lambda *_: "https://csms.example", clock)
        self.record_result = RecordResult(commands, self.charge_point, record, clock)
        self.deliver_result = DeliverResult(deliveries, deliveries, client, outbox, clock, random=lambda: 0.0)
        self.sweep = Sweep(guarded("sweeps", stores.sweeps), outbox, clock)
        self.ingest = IngestEvent(sessions, states, clock, own.learn)
        self.update_partner = UpdatePartner(
            store=pushes,
            sessions=sessions,
            lines=PartnerLines(client, guarded("silences", stores.silences), clock),
            push=PushSession(pushes, secrets, clock),
            watch=WatchActiveProfile(watches, own, KeepPlan(watches, own), TellActiveProfile(watches), clock),
            clock=clock,
        )
        self._set_preferences = SetPreferences(intake, guarded("preferences", MemoryPreferences(self.books)), clock)
        self._outbox, self._bus = outbox, guarded("bus", self.bus)

    # --- The partner -------------------------------------------------------------------------------------------------

    def put(self, plan: Plan, *, x_request_id: str | None = None) -> Call:
        """A PUT on the session of the car that is there, or was there last."""
        return self._ask(lambda url: SetProfile(plan, url), x_request_id)

    def delete(self, *, x_request_id: str | None = None) -> Call:
        return self._ask(ClearProfile, x_request_id)

    def get(self, *, x_request_id: str | None = None) -> Call:
        return self._ask(lambda url: ReadActiveProfile(900, url), x_request_id)

    def ask(self, call: Call) -> ResponseType | None:
        """Calls, or repeats a call; None where no answer came, or 401."""
        ids = MessageIds(call.x_request_id, call.x_request_id)
        try:
            caller = self.intake.caller([call.token], call.session_id)
            if caller.token is None:
                return None
            if caller.token.supersedes:
                self.intake.settle_token(caller.token)
            answer = self.request_profile(caller, call.call, CallContext(ids, None, None)).result
        except (Died, Contended, TransportError):
            return None
        if answer is ResponseType.ACCEPTED:
            self.accepted.add(call.url)
        return answer

    def wish(self, preferences: ChargingPreferences) -> ChargingPreferencesResponse | None:
        """The driver's preferences; None where no answer came."""
        try:
            caller = self.intake.caller([self.token], self.session.session_id)
            return self._set_preferences(caller, preferences, CallContext(MessageIds("wish", "wish"), None, None))
        except Died:
            return None

    def rotate_token(self) -> None:
        """A new token for the partner; the one before ends when this is used."""
        before, self.token = self.token, f"token-{next(self._numbers)}"
        party = registry_entries.partner().party
        self.stores.add(AcceptedToken(self.token, "jedlix", party, self.clock.now(), supersedes=(before,)))

    def _ask(self, made: Callable[[str], ChargingProfileCall], x_request_id: str | None) -> Call:
        number = next(self._numbers)
        url = f"https://www.jedlix.com/ocpi/response/{number}"
        call = Call(made(url), x_request_id or f"x-{number}", self.token, self.session.session_id)
        self.calls.append(call)
        self.ask(call)
        return call

    # --- The CSMS ----------------------------------------------------------------------------------------------------

    @property
    def session(self) -> Session:
        """The session of the newest car."""
        return max(self.books.sessions.sessions.values(), key=lambda one: one.start)

    def car_comes(self) -> None:
        """Another car starts to charge; whoever was there has left, even if nobody said so."""
        self.charge_point.transaction = f"tx-{next(self._cars)}"
        self.report(EventType.TRANSACTION_STARTED)

    def car_leaves(self) -> None:
        if self.charge_point.transaction is not None:
            self.report(EventType.TRANSACTION_ENDED)
            self.charge_point.transaction = None

    def report(self, kind: EventType, *, cap_w: Decimal | None = None) -> None:
        """An event of the station, now; and now is later than all that came before it, as it is in life."""
        self.clock.advance(0.001)
        number, seconds = next(self._numbers), (self.clock.now() - START).total_seconds()
        about = kind.about_a_transaction
        self.queues.report(
            StationEvent(
                event_id=f"e-{number}",
                type=kind,
                time=self.clock.now(),
                csms_id="acme",
                station_id="CP-001",
                connector_id=1 if about or kind is EventType.CAP_CHANGED else None,
                transaction_id=self.charge_point.transaction if about else None,
                id_token=CARD if kind is EventType.TRANSACTION_STARTED else None,
                reading=Reading(meter_wh=Decimal(round(seconds))) if about else Reading(),
                cap_w=cap_w,
            )
        )

    def assign(self, *assignments: Assignment) -> None:
        """The CPO says who may steer; whoever changes that leaves the note for the sweep."""
        self.books.sessions.assignments[:] = assignments
        self.stores.reassess("jedlix")

    # --- Workers -----------------------------------------------------------------------------------------------------

    def relay(self, *, twice: bool = False) -> None:
        """The stream's worker takes what changed."""
        batch = list(self.books.changes)
        with self.alive():
            for _ in range(2 if twice else 1):
                relay_outbox(self._outbox, self._bus, batch)
            self.books.changes[:] = [one for one in self.books.changes if one not in batch]

    def lose_record(self) -> None:
        """The oldest record of the stream is never relayed."""
        self.sleep_over()
        del self.books.changes[:1]

    def work(self, *, twice: bool = False) -> bool:
        """A worker takes the next message. Whether there was one."""
        entry = self.queues.due()
        if entry is not None:
            self.take(entry, twice=twice)
        return entry is not None

    def take(self, entry: Entry, *, twice: bool = False) -> None:
        """A worker takes this message; `twice`: it does its work, and the queue does not hear that it is done."""
        self.queues.taken(entry)
        try:
            again_in = self._handle(entry)
        except Contended:
            self.queues.comes_back(entry)
        except Died:
            self.sleep_over()
            self.queues.comes_back(entry)
        else:
            if again_in is None and not twice:
                self.queues.done(entry)
            else:
                self.queues.comes_back(entry, again_in)

    def sweep_once(self) -> None:
        with self.alive():
            self.sweep()

    def post_reply(self, number: int) -> None:
        """The CSMS posts an answer, the first time or again."""
        command_id, _ = self.charge_point.replies[number]
        with self.alive():
            self.record_result(command_id, str(number).encode())
            self._posted = max(self._posted, number + 1)

    def _handle(self, entry: Entry) -> float | None:
        match entry.message:
            case CommandMessage(request_id=request_id, step=step, about=about):
                return self.send_command(request_id, step, about).again_in
            case DeadlineMessage(request_id=request_id):
                return self._until(self.deliver_result.expire(request_id).again_at)
            case ResultMessage(request_id=request_id, partner_id=partner_id):
                return self._until(self.deliver_result.deliver(request_id, partner_id).again_at)
            case PushMessage(session_id=session_id, partner_id=partner_id, reassess=reassess):
                updated = self.update_partner(
                    session_id, partner_id, "corr", reassess=reassess, settle=entry.receipts < 2
                )
                return updated.again_in
            case OverdueSession() as overdue:
                self.ingest(_ended(overdue))
            case StationEvent() as event:
                self.ingest(event)
        return None

    def _until(self, at: datetime | None) -> float | None:
        return None if at is None else (at - self.clock.now()).total_seconds()

    @contextmanager
    def alive(self) -> Iterator[None]:
        """What a worker does; when it dies, others go on."""
        try:
            yield
        except (Died, Contended):
            self.sleep_over()

    # --- Time --------------------------------------------------------------------------------------------------------

    def sleep_over(self) -> None:
        """Something was lost or delayed: the results of what is open now may not reach the partner in time."""
        self.late |= {one.request_id for one in self.books.open_requests()}

    def settle(self) -> None:
        """All that can be done at this instant is done."""
        for _ in range(MOST_AT_ONCE):
            self.charge_point.catch_up()
            if self.books.changes:
                self.relay()
            elif self._posted < len(self.charge_point.replies):
                self.post_reply(self._posted)
            elif not self.work():
                return
        raise AssertionError("the workers are busy for ever")

    def pass_time(self, seconds: float) -> None:
        """The clock moves, and whatever is due is done when it is due."""
        end = self.clock.now() + timedelta(seconds=seconds)
        self.settle()
        while self.clock.now() < end:
            instants = (self.queues.next_at, self.charge_point.next_at, self._sweep_at)
            following = min(at for at in instants if at is not None)
            step = max(timedelta(seconds=1), min(following, end) - self.clock.now())
            self.clock.advance(step.total_seconds())
            if self.clock.now() >= self._sweep_at:
                self._sweep_at = self.clock.now() + SWEPT_EVERY
                self.sweep_once()
            self.settle()

    def outage(self, seconds: float) -> None:
        """The clock moves, and nobody works."""
        self.sleep_over()
        self.clock.advance(seconds)

    def rest(self, each_minute: Callable[[], None]) -> None:
        """Everybody is well again, a car that is there goes on charging, and time passes until nothing is left to do."""
        self.hazard.disarm()
        self.partner.manners.clear()
        self.charge_point.conduct.clear()
        self.pass_time(60)
        if self.charge_point.transaction is not None:
            self.report(EventType.TRANSACTION_UPDATED)
        for _ in range(MOST_MINUTES):
            self.pass_time(60)
            each_minute()
            if not self.unrest:
                return
        raise AssertionError(f"it never comes to rest: {self.unrest}")

    @property
    def unrest(self) -> list[str]:
        """What is still to be done."""
        books = self.books
        return [
            *(f"a change {change}" for change in books.changes),
            *(f"a message {entry.message}" for entry in self.queues.entries),
            *(f"an open request {one.request_id}" for one in books.open_requests()),
            *(f"a push {pushed.session_id} at {due}" for pushed, due in books.pushed.values() if due is not None),
            *(f"a watch {watch}" for watch in books.watches.values() if watch.due_at is not None),
            *(f"an end that somebody looks at: {name}" for name in books.sessions.ended),
            *(f"an end of {one.session_id}" for one in books.sessions.sessions.values() if one.closes_at is not None),
            *(f"a walk for {partner_id}" for partner_id in books.reassessments),
        ]


def _ended(overdue: OverdueSession) -> StationEvent:
    return StationEvent(
        event_id=f"overdue-{overdue.session_id}",
        type=EventType.TRANSACTION_ENDED,
        time=overdue.ended_at,
        csms_id=overdue.csms_id,
        station_id=overdue.station_id,
        transaction_id=overdue.transaction_id,
        session_id=overdue.session_id,
    )
