"""A session that a partner steers: the partner at one end, the charge point at the other, the real use cases between."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

from ocpi_bridge.domain.plans import Plan, PlanPeriod, RateUnit
from ocpi_bridge.domain.requests import Origin, Request, RequestState
from ocpi_bridge.domain.sessions import Session, doubted
from ocpi_bridge.ports.charge_points import Done
from ocpi_bridge.ports.json_values import JsonValue
from ocpi_bridge.ports.partners import Receipt
from ocpi_bridge.usecases.keep_plan import KeepPlan
from ocpi_bridge.usecases.own_requests import OwnRequests
from ocpi_bridge.usecases.partner_line import PartnerLines
from ocpi_bridge.usecases.push_session import PushSession
from ocpi_bridge.usecases.send_command import SendCommand
from ocpi_bridge.usecases.tell_active_profile import TellActiveProfile
from ocpi_bridge.usecases.update_partner import UpdatePartner
from ocpi_bridge.usecases.watch_active_profile import DEBOUNCE, WatchActiveProfile
from ocpi_bridge.usecases.watching import Watched
from tests.support.clocks import START
from tests.support.fake_secrets import InMemorySecretStore
from tests.support.scripted import Outcome, ScriptedDriver, ScriptedPartner
from tests.support.world import World

ACCEPTED = Done("Accepted")


def schedule(*limits: str, start: float = 0, seconds: int = 3600, step: int = 1800) -> Done:
    """A composite schedule in W that begins some seconds after the world's start."""
    periods = tuple(PlanPeriod(index * step, Decimal(limit)) for index, limit in enumerate(limits))
    return Done("Accepted", Plan(RateUnit.WATT, periods, START + timedelta(seconds=start), seconds))


# The partner's plan as a charge point reports it: 10 kW for half an hour, then a pause.
AS_ASKED = schedule("10000", "0")
LOWER = schedule("4000", "0")


def sender(world: World, outcome: Outcome | ScriptedDriver) -> SendCommand:
    """The real sender, to a charge point with this one answer."""
    driver = outcome if isinstance(outcome, ScriptedDriver) else ScriptedDriver(outcome)
    return SendCommand(world.commands, driver, world.record(), lambda *_: "https://csms.example", world.clock)


class Site:
    """The partner at one end, the charge point at the other, and between them the real stores and use cases."""

    def __init__(self, world: World, *receipts: Receipt) -> None:
        self.world = world
        self.http = ScriptedPartner(*receipts)
        secrets = InMemorySecretStore()
        secrets.signing_key = b"signing key"
        own = OwnRequests(world.intake, world.clock, lambda _: None)
        self.update = UpdatePartner(
            store=world.pushes,
            sessions=world.sessions,
            lines=PartnerLines(self.http, world.silences, world.clock),
            push=PushSession(world.pushes, secrets, world.clock),
            watch=WatchActiveProfile(
                world.watches,
                own,
                KeepPlan(world.watches, own),
                TellActiveProfile(world.watches),
                world.clock,
            ),
            clock=world.clock,
        )

    def step(self, session: Session, *, reassess: bool = False) -> Watched:
        return self.update(session.session_id, "jedlix", "corr-1", reassess=reassess).watch

    def doubt(self, session: Session) -> None:
        """Something happened at the station."""
        before = self.world.session(session.session_id)
        assert self.world.sessions.update(before, doubted(before, self.world.clock.now()), None)
        self.world.clock.advance(DEBOUNCE.total_seconds())

    def hint(self, session: Session, **shown: Any) -> None:  # noqa: ANN401 - any field of a session
        """The charge point shows that it charges otherwise than before."""
        before, now = self.world.session(session.session_id), self.world.clock.now()
        after = replace(before, rate_hint_at=now, version=before.version + 1, **shown)
        assert self.world.sessions.update(before, after, None)
        self.world.clock.advance(DEBOUNCE.total_seconds())

    def own(self) -> list[Request]:
        """The bridge's own requests, in the order of their making."""
        mine = [one for one in self.world.requests() if one.origin is Origin.BRIDGE]
        return sorted(mine, key=lambda one: one.created_at)

    def charge_point(self, outcome: Outcome) -> None:
        """Answers what waits for it."""
        self.charge_point_is(ScriptedDriver(outcome))

    def charge_point_is(self, driver: ScriptedDriver) -> None:
        """The charge point behind this driver answers what waits for it."""
        send = sender(self.world, driver)
        for request in self.world.requests():
            while self.world.request(request.request_id).state is RequestState.PENDING:
                send(request.request_id, self.world.request(request.request_id).step)

    def look(self, session: Session, shown: Outcome) -> Watched:
        """Two steps: the charge point is asked, and what it shows is dealt with."""
        assert self.step(session) is Watched.LOOKING
        self.charge_point(shown)
        return self.step(session)

    def told_periods(self, index: int = -1) -> list[dict[str, Any]]:
        """The periods of an active profile that the partner was sent, of the last one by itself."""
        told: Any = self.profiles[index]
        periods: list[dict[str, Any]] = told["charging_profile"]["charging_profile_period"]
        return periods

    @property
    def profiles(self) -> list[JsonValue]:
        """The active profiles that the partner was sent."""
        return [one.body for one in self.http.messages if "/chargingprofiles/" in one.url]
