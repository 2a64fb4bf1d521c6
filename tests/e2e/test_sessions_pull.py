"""A partner pulls sessions and sets charging preferences on the deployed stack, as only its own token allows."""

import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal

import pytest

from ocpi_bridge.adapters.dynamodb import session_items, tables
from ocpi_bridge.domain.assignments import Rights
from ocpi_bridge.domain.events import EventType, SessionStatus
from ocpi_bridge.domain.preferences import CHARGING_PREFERENCES_CAPABLE
from ocpi_bridge.domain.sessions import Session
from ocpi_bridge.domain.stations import CHARGING_PROFILE_CAPABLE
from tests.support.e2e_platform import Guest, guest
from tests.support.e2e_site import SOON, charging_at, site, site_name, site_world, sites_station, watching_partner
from tests.support.e2e_waiting import eventually
from tests.support.world import event, session_of
from tools.counterparts.clock import utc_now
from tools.counterparts.json_types import JsonObject, as_object
from tools.local_stack import LocalStack
from tools.partner_simulator import ChargingPreferences, PreferencesResponse, ProfileType

SESSIONS = 1000
OTHERS = 100
LIMIT = 50
CHANGES_BETWEEN_PAGES = 40
SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Archive:
    """Sessions in the table, written as the bridge writes them but for their entity: nobody pushes them to anybody."""

    stack: LocalStack

    def write(self, sessions: Sequence[Session]) -> None:
        client, table = self.stack.client("dynamodb"), self.stack.outputs["SessionsTableName"]
        items = [tables.to_item({**session_items.session_item(one), "entity": "archived"}) for one in sessions]
        for first in range(0, len(items), 25):
            batch = [{"PutRequest": {"Item": item}} for item in items[first : first + 25]]
            while batch:
                answer = client.batch_write_item(RequestItems={table: batch})  # type: ignore[dict-item]
                batch = answer["UnprocessedItems"].get(table, [])  # type: ignore[assignment]


def seen_by(partner_id: str, count: int) -> list[Session]:
    """So many sessions of a partner that are over, an hour ago, one a second."""
    began = utc_now().replace(microsecond=0) - timedelta(hours=1)
    name = site_name()
    opened = [session_of(event(EventType.TRANSACTION_STARTED, transaction_id=f"{name}-{n}")) for n in range(count)]
    rights = Rights(frozenset({partner_id}), partner_id)
    return [
        replace(
            one,
            status=SessionStatus.COMPLETED,
            rights=rights,
            known_to=frozenset(),
            country_code="NL",
            party_id="LOC",
            last_updated=began + n * SECOND,
        )
        for n, one in enumerate(opened)
    ]


@pytest.fixture
def registered(stack: LocalStack) -> Iterator[Guest]:
    with guest(stack) as coming:
        coming.register(coming.invite())
        yield coming


def test_a_thousand_sessions_that_change_while_they_are_paged_are_all_seen(
    stack: LocalStack, registered: Guest
) -> None:
    archive = Archive(stack)
    mine = seen_by(registered.entry.partner_id, SESSIONS)
    archive.write(mine)
    archive.write(seen_by("somebody-else", OTHERS))
    since = mine[0].last_updated
    chance = random.Random(20260115)
    seen: list[str] = []
    links: list[bool] = []

    for page in registered.partner.bridge.crawl_sessions(since, limit=LIMIT, changing=True):
        assert (page.status, page.status_code) == (200, 1000)
        seen += [session.id for session in page.sessions]
        links.append(page.next_url is not None)
        if len(links) <= SESSIONS // LIMIT:
            moved = chance.sample(mine, CHANGES_BETWEEN_PAGES)
            archive.write([replace(one, last_updated=utc_now(), version=len(links) + 1) for one in moved])

    assert set(seen) == {session.session_id for session in mine}
    assert links == [True] * (len(links) - 1) + [False]


def test_pages_by_offset_and_filters(stack: LocalStack, registered: Guest) -> None:
    archive, bridge = Archive(stack), registered.partner.bridge
    mine = seen_by(registered.entry.partner_id, 7)
    archive.write(mine)
    first = mine[0].last_updated

    window = bridge.pull_sessions(mine[2].last_updated, mine[5].last_updated)
    assert {session.id for page in window for session in page.sessions} == {one.session_id for one in mine[2:5]}
    pages = [bridge.session_page(first, offset=offset, limit=3) for offset in (0, 3, 6, 9)]
    assert [len(page.sessions) for page in pages] == [3, 3, 1, 0]
    assert [page.total for page in pages] == [7] * 4
    assert {session.id for page in pages for session in page.sessions} == {one.session_id for one in mine}
    elsewhere = {"OCPI-to-country-code": "XX", "OCPI-to-party-id": "YYY"}
    assert bridge.session_page(first, headers=elsewhere).status_code == 2001


@pytest.mark.parametrize(
    "query",
    [
        "",
        "date_to=2026-01-01T00:00:00Z",
        "date_from=yesterday",
        "date_from=2026-01-01T00:00:00Z&limit=0",
        "date_from=2026-01-01T00:00:00Z&offset=-1",
        "date_from=2026-01-01T00:00:00Z&cursor=nonsense",
    ],
)
def test_a_query_that_breaks_a_rule_is_2001(registered: Guest, query: str) -> None:
    page = registered.partner.bridge.session_page(None, raw_query=query)
    assert (page.status, page.status_code) == (200, 2001)


def test_each_partner_lists_the_sessions_that_it_sees_and_no_other(stack: LocalStack) -> None:
    name = site_name()
    station, since = sites_station(name), utc_now() - timedelta(minutes=5)
    with (
        site_world(stack, name, [station]) as world,
        watching_partner(world) as watcher,
        charging_at(world, station.station_id) as place,
        guest(stack) as stranger,
    ):
        stranger.register(stranger.invite())
        for partner in (place.partner, watcher):
            [page] = partner.bridge.pull_sessions(since)
            assert [session.id for session in page.sessions] == [place.session_id]
            assert partner.violations() == []
        assert [page.total for page in stranger.partner.bridge.pull_sessions(since)] == [0]


# --- Charging preferences ----------------------------------------------------------------------------------------------


@pytest.fixture
def bus(stack: LocalStack) -> Iterator["BusListener"]:
    with_bus = BusListener(stack, f"listener-{site_name()}")
    yield with_bus
    with_bus.close()


class BusListener:
    """A CSMS that listens on the bus: a rule of the CPO's and a queue behind it."""

    def __init__(self, stack: LocalStack, name: str) -> None:
        self._events, self._sqs = stack.client("events"), stack.client("sqs")
        self._name, self._bus = name, stack.outputs["CsmsBusName"]
        self._queue = self._sqs.create_queue(QueueName=name)["QueueUrl"]
        arn = self._sqs.get_queue_attributes(QueueUrl=self._queue, AttributeNames=["QueueArn"])["Attributes"][
            "QueueArn"
        ]
        self._events.put_rule(Name=name, EventBusName=self._bus, EventPattern='{"source": ["ocpi-bridge"]}')
        self._events.put_targets(Rule=name, EventBusName=self._bus, Targets=[{"Id": "queue", "Arn": arn}])

    def wait_for(self, session_id: str) -> JsonObject:
        def look() -> JsonObject | None:
            for message in self._sqs.receive_message(QueueUrl=self._queue, WaitTimeSeconds=1).get("Messages", []):
                told = as_object(json.loads(message["Body"], parse_float=Decimal))
                if as_object(told["detail"])["session_id"] == session_id:
                    return told
            return None

        return eventually(look, SOON, what="charging preferences on the CSMS bus")

    def close(self) -> None:
        self._events.remove_targets(Rule=self._name, EventBusName=self._bus, Ids=["queue"])
        self._events.delete_rule(Name=self._name, EventBusName=self._bus)
        self._sqs.delete_queue(QueueUrl=self._queue)


def test_charging_preferences_reach_the_csms_by_its_bus(stack: LocalStack, bus: BusListener) -> None:
    name = site_name()
    station = sites_station(name)
    capable = frozenset({CHARGING_PROFILE_CAPABLE, CHARGING_PREFERENCES_CAPABLE})
    station = replace(station, evses=tuple(replace(evse, capabilities=capable) for evse in station.evses))
    with site_world(stack, name, [station]) as world, charging_at(world, station.station_id) as place:
        wishes = ChargingPreferences(profile_type=ProfileType.GREEN, departure_time=utc_now() + timedelta(hours=8))

        answer = place.bridge.set_preferences(place.session_id, wishes)

        assert (answer.status, answer.response) == (200, PreferencesResponse.ACCEPTED)
        told = bus.wait_for(place.session_id)
        assert told["detail-type"] == "ocpi.charging_preferences.set"
        detail = as_object(told["detail"])
        assert (detail["station_id"], as_object(detail["data"])["profile_type"]) == (station.station_id, "GREEN")


def test_an_evse_that_takes_no_preferences_is_404_with_2001_like_a_session_that_nobody_knows(stack: LocalStack) -> None:
    with site(stack) as place:
        for session_id in (place.session_id, "unknown-session"):
            answer = place.bridge.set_preferences(session_id, {"profile_type": "CHEAP"})
            assert (answer.status, answer.status_code) == (404, 2001)
