"""A partner that takes calls and answers nothing is called once, and not for each session; later it learns the newest."""

from ocpi_bridge.adapters.dynamodb.pushes import DynamoPushStore
from ocpi_bridge.adapters.dynamodb.silences import DynamoSilences
from ocpi_bridge.domain.partners import Silence
from ocpi_bridge.ports.pushes import PushContext
from ocpi_bridge.runtime.clock import SystemClock
from tests.support.e2e_faults import sweep
from tests.support.e2e_site import SOON, Site, charging_at, site_name, site_world
from tests.support.e2e_waiting import eventually
from tools.counterparts.clock import utc_now
from tools.counterparts.http_service import NeverAnswer
from tools.demo.world import DRIVER_TAG, World, three_phase_station
from tools.local_stack import LocalStack


class Registry:
    """What the bridge knows of a world's partner, and what it owes it."""

    def __init__(self, world: World) -> None:
        outputs, client = world.stack.outputs, world.stack.client("dynamodb")
        tables = outputs["SessionsTableName"], outputs["RegistryTableName"]
        self._partner_id = world.partner_id
        self._pushes = DynamoPushStore(client, *tables, clock=SystemClock())
        self._silences = DynamoSilences(client, tables[1])

    def context(self, session_id: str) -> PushContext:
        return self._pushes.push_context(session_id, self._partner_id)

    def silence(self) -> Silence | None:
        return self.context("any").silence

    def let_it_be_over(self) -> None:
        """Half a minute goes by."""
        before = self.silence()
        assert before is not None
        assert self._silences.move_silence(self._partner_id, before, utc_now())


def until_held(registry: Registry, session_id: str) -> None:
    """Until a worker has looked at the session's newest state and put it off."""

    def is_held() -> bool:
        context = registry.context(session_id)
        assert context.session is not None
        return context.session.over and context.push_due_at is not None

    eventually(is_held, SOON, what="a push that is held back")


def both_are_over(place: Site, *session_ids: str) -> bool:
    """At the partner; the sweep wakes what is due."""
    sweep(place.stack)
    ended = {
        one.session.id for one in place.partner.session_pushes.matching(lambda one: one.session.status == "COMPLETED")
    }
    return ended == set(session_ids)


def test_a_partner_that_hangs_gets_one_call_and_learns_the_newest_when_it_answers(stack: LocalStack) -> None:
    name = site_name()
    station = three_phase_station(f"CP-{name}", connectors=2, location_id=f"LOC-{name}")
    with (
        site_world(stack, name, [station]) as world,
        charging_at(world, station.station_id) as place,
    ):
        partner, registry, first = world.partner, Registry(world), place.session_id
        place.charge_point.start_transaction(2, DRIVER_TAG)
        second = partner.wait_for_session(lambda one: one.evse_uid == f"{station.station_id}-2", SOON).id
        partner.misbehave(NeverAnswer(), path="/sessions", times=None)
        mark = partner.http.requests.mark()

        place.charge_point.stop_transaction(1)
        eventually(lambda: registry.silence() is not None, SOON, what="that the partner is silent")
        place.charge_point.stop_transaction(2)
        until_held(registry, second)
        sweep(stack)
        sweep(stack)
        assert len(partner.http.requests.matching(lambda _: True, mark)) == 1
        assert registry.context(second).pushed.attempts == 0

        partner.behave()
        registry.let_it_be_over()
        eventually(lambda: both_are_over(place, first, second), SOON, what="the end of both sessions at the partner")
        assert registry.silence() is None
        found = [f"{one.at:%H:%M:%S} {one.where}: {one.what}" for one in partner.violations()]
        assert not found, found
