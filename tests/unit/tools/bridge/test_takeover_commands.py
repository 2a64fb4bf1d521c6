"""`bridge steering`, `bridge release`, `bridge cap`: what is written, who is concerned, and what remains."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from ocpi_bridge.adapters.dynamodb import live_sessions, session_items
from ocpi_bridge.adapters.dynamodb.documents import dump
from ocpi_bridge.adapters.dynamodb.live_sessions import DynamoLiveSessions
from ocpi_bridge.adapters.dynamodb.registry import DynamoRegistry
from ocpi_bridge.adapters.dynamodb.sessions import DynamoSessionStore
from ocpi_bridge.adapters.dynamodb.tables import key, to_item
from ocpi_bridge.domain.assignments import Rights
from ocpi_bridge.domain.events import EventType, SessionStatus
from ocpi_bridge.domain.requests import InstalledPlan
from ocpi_bridge.domain.session_course import new_session
from ocpi_bridge.domain.sessions import Session
from ocpi_bridge.domain.stations import StationState, find_outlet
from tests.support import registry_entries
from tests.support.clocks import START, ManualClock
from tests.support.command_line import CommandLine, Done
from tests.support.tables import AwsTables
from tests.support.world import event
from tools.bridge.cli import app
from tools.bridge.deployment import Deployment
from tools.bridge.takeover import POLL_SECONDS

Pauses = list[Callable[[], None]]
Charge = Callable[..., Session]
Install = Callable[..., None]

PLAN = InstalledPlan("r1", 1)
STATIONS = {
    "CP-001": registry_entries.station("CP-001", ("E1", "e2")),
    "CP-002": registry_entries.station("CP-002", ("E3",)),
}


@pytest.fixture
def bridge(deployment: Deployment, registry: DynamoRegistry) -> CommandLine:
    registry.add_partner(registry_entries.partner(), [], START)
    registry.add_partner(registry_entries.partner("other"), [], START)
    registry.add_csms(registry_entries.csms())
    registry.add_csms(registry_entries.csms("second"))
    registry.import_stations("acme", [*STATIONS.values()])
    return CommandLine(app, deployment)


@pytest.fixture
def charge(tables: AwsTables) -> Charge:
    """A stored session at a connector; `over` when it is completed."""
    store = DynamoSessionStore(tables.client, tables.sessions, tables.registry)

    def charged(
        transaction_id: str,
        station_id: str = "CP-001",
        connector_id: int = 1,
        partner: str = "jedlix",
        *,
        over: bool = False,
    ) -> Session:
        first = event(
            EventType.TRANSACTION_STARTED,
            transaction_id=transaction_id,
            station_id=station_id,
            connector_id=connector_id,
        )
        outlet = find_outlet(STATIONS[station_id], connector_id, None)
        assert outlet is not None
        session = new_session(first, registry_entries.csms(), outlet, Rights(frozenset({partner}), partner), START)
        session = replace(session, status=SessionStatus.COMPLETED) if over else session
        assert store.create(session, None)
        return session

    return charged


@pytest.fixture
def install(tables: AwsTables) -> Install:
    """Says what is installed at a session's charge point: by default a plan without an end."""

    def installed(session: Session, plan: InstalledPlan | None = PLAN, **control: int) -> None:
        place = session_items.control_key(session.session_id)
        item: dict[str, Any] = {"pk": place[0], "sk": place[1], "entity": "control", **control}
        if plan is not None:
            item["installed"] = dump(plan)
        tables.put(tables.sessions, to_item(item))

    return installed


@pytest.fixture
def cleared(tables: AwsTables) -> Callable[[Session], None]:
    """What is at a session's charge point goes."""

    def gone(session: Session) -> None:
        tables.client.delete_item(TableName=tables.sessions, Key=key(*session_items.control_key(session.session_id)))

    return gone


@pytest.fixture
def live(tables: AwsTables) -> DynamoLiveSessions:
    return DynamoLiveSessions(tables.client, tables.sessions, tables.registry)


def state(deployment: Deployment, station_id: str = "CP-001") -> StationState:
    return deployment.states.state("acme", station_id)


def concerned(done: Done) -> dict[str, bool]:
    """The sessions that a command told of, and whether each has a plan."""
    assert done.exit_code == 0, done.stderr
    return {one["session_id"]: one["plan_installed"] for one in done.document["sessions"]}


# --- Steering --------------------------------------------------------------------------------------------------------


def test_a_station_is_taken_back_and_given_again(
    bridge: CommandLine, deployment: Deployment, charge: Charge, install: Install, live: DynamoLiveSessions
) -> None:
    one, two, elsewhere = charge("1"), charge("2", connector_id=2), charge("3", "CP-002")
    install(one)
    off = bridge("steering", "off", "--station", "acme/CP-001", "--json")
    assert concerned(off) == {one.session_id: True, two.session_id: False}
    assert (state(deployment).steering_suspended, state(deployment, "CP-002").steering_suspended) == (True, False)
    woken = [found.profile_doubt_at for found in map(live.session, (one.session_id, elsewhere.session_id)) if found]
    assert woken == [START, None]
    told = bridge("steering", "off", "--station", "acme/CP-001").stdout
    assert f"{one.session_id} at EVSE E1; is being released" in told
    assert bridge("steering", "on", "--station", "acme/CP-001").exit_code == 0
    assert not state(deployment).steering_suspended


def test_an_evse_is_taken_back_by_its_uid_whatever_its_case(
    bridge: CommandLine, deployment: Deployment, charge: Charge
) -> None:
    charge("1")
    two = charge("2", connector_id=2)
    assert concerned(bridge("steering", "off", "--evse", "E2", "--json")) == {two.session_id: False}
    assert state(deployment).suspended_evses == {"e2"}
    bridge("steering", "on", "--station", "acme/CP-001")
    assert state(deployment).suspends("E2")
    bridge("steering", "on", "--evse", "e2")
    assert not state(deployment).suspends("E2")


def test_a_session_is_taken_back_and_the_next_one_is_not(
    bridge: CommandLine, deployment: Deployment, charge: Charge, live: DynamoLiveSessions, clock: ManualClock
) -> None:
    one, two = charge("1"), charge("2", connector_id=2)
    assert concerned(bridge("steering", "off", "--session", one.session_id.upper(), "--json")) == {
        one.session_id: False
    }
    off = [found.steering_suspended for found in map(live.session, (one.session_id, two.session_id)) if found]
    assert off == [True, False]
    assert not state(deployment).suspends("E1")
    clock.advance(1)
    assert bridge("steering", "on", "--session", one.session_id).exit_code == 0
    given = live.session(one.session_id)
    assert given is not None
    assert not given.steering_suspended


def test_all_stations_of_a_csms_are_taken_back_after_asking(bridge: CommandLine, deployment: Deployment) -> None:
    assert bridge("steering", "off", "--all", "acme").exit_code == 1  # nobody answers
    assert not state(deployment).steering_suspended
    done = bridge("steering", "off", "--all", "acme", "--yes", "--json")
    assert done.document["stations"] == ["acme/CP-001", "acme/CP-002"]
    assert [state(deployment, one).steering_suspended for one in STATIONS] == [True, True]
    assert bridge("steering", "on", "--all", "acme").exit_code == 1
    assert bridge("steering", "on", "--all", "acme", "--yes").exit_code == 0
    assert not state(deployment).steering_suspended


def test_a_session_that_is_over_is_not_taken_back(bridge: CommandLine, charge: Charge) -> None:
    over = charge("1", over=True)
    refused = bridge("steering", "off", "--session", over.session_id)
    assert (refused.exit_code, "unknown live session" in refused.stderr) == (1, True)


@pytest.mark.parametrize(
    ("tell", "command"),
    [
        (
            lambda states, at: states.set_steering("acme", "CP-001", None, suspended=True, at=at),
            ("steering", "on", "--station", "acme/CP-001"),
        ),
        (
            lambda states, at: states.set_steering("acme", "CP-001", "E1", suspended=False, at=at),
            ("steering", "off", "--evse", "E1"),
        ),
        (lambda states, at: states.set_cap("acme", "CP-001", "E1", Decimal(1), at), ("cap", "lift", "--evse", "E1")),
    ],
)
def test_what_a_clock_ahead_of_ours_said_is_not_taken_for_ours(
    tell: Callable[..., None], command: tuple[str, ...], bridge: CommandLine, deployment: Deployment
) -> None:
    tell(deployment.states, START + timedelta(minutes=3))
    refused = bridge(*command)
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert "clock that is ahead" in refused.stderr


def test_what_is_off_is_shown(bridge: CommandLine, charge: Charge, install: Install) -> None:
    assert "off at no station" in bridge("steering", "show").stdout
    one, two = charge("1"), charge("2", connector_id=2)
    install(two)
    bridge("steering", "off", "--evse", "E1")
    bridge("steering", "off", "--station", "acme/CP-002")
    assert bridge("steering", "show", "--json").document == [
        {"csms": "acme", "station": "CP-001", "evse": "e1"},
        {"csms": "acme", "station": "CP-002"},
    ]
    shown = bridge("steering", "show", "--station", "acme/CP-001", "--json").document
    assert {document["session_id"]: (document["steering"], document["plan_installed"]) for document in shown} == {
        one.session_id: (False, False),
        two.session_id: (True, True),
    }
    bridge("steering", "off", "--session", two.session_id)
    [only] = bridge("steering", "show", "--session", two.session_id, "--json").document
    assert only["steering"] is False
    bridge("steering", "off", "--station", "acme/CP-001")
    bridge("steering", "on", "--evse", "E1")
    [by_station] = bridge("steering", "show", "--evse", "E1", "--json").document
    assert by_station["steering"] is False
    assert "no live session" in bridge("steering", "show", "--all", "second").stdout


@pytest.mark.parametrize(
    "options",
    [
        (),
        ("--evse", "E1", "--station", "acme/CP-001"),
        ("--evse", "E1", "--session", "x"),
        ("--all", "acme", "--evse", "E1"),
        ("--station", "CP-001"),
        ("--station", "acme/"),
    ],
)
@pytest.mark.parametrize("word", ["off", "on"])
def test_steering_is_about_exactly_one_thing(word: str, options: tuple[str, ...], bridge: CommandLine) -> None:
    assert bridge("steering", word, *options).exit_code == 2


# --- Release ---------------------------------------------------------------------------------------------------------


def test_a_release_waits_until_the_plans_are_gone(
    bridge: CommandLine,
    charge: Charge,
    install: Install,
    pauses: Pauses,
    cleared: Callable[[Session], None],
    clock: ManualClock,
    live: DynamoLiveSessions,
) -> None:
    one, two, without = charge("1"), charge("2", "CP-002"), charge("3", connector_id=2)
    install(one)
    install(two)
    pauses += [lambda: None, lambda: cleared(one), lambda: cleared(two)]
    done = bridge("release", "--all", "--yes", "--json")
    assert (done.exit_code, done.document) == (0, {"released": 2, "remaining": []})
    assert pauses == []
    assert clock.now() == START + timedelta(seconds=3 * POLL_SECONDS)
    released = {session.session_id: live.session(session.session_id) for session in (one, two)}
    assert [found.released_at for found in released.values() if found] == [START, START]
    assert without.session_id not in done.stdout


def test_a_plan_that_stays_is_told_and_the_exit_code_says_so(
    bridge: CommandLine, charge: Charge, install: Install, pauses: Pauses, cleared: Callable[[Session], None]
) -> None:
    one, two = charge("1"), charge("2", connector_id=2)
    install(one)
    install(two)
    pauses.append(lambda: cleared(one))
    done = bridge("release", "--station", "acme/CP-001", "--wait", "5")
    assert done.exit_code == 3
    assert "1 plan(s) released." in done.stdout
    assert two.session_id in done.stdout
    assert one.session_id not in done.stdout
    again = bridge("release", "--station", "acme/CP-001", "--wait", "0", "--json")
    assert (again.exit_code, again.document) == (3, {"released": 0, "remaining": [two.session_id]})


def test_a_charge_point_of_which_nobody_knows_what_it_was_left_with_is_released_too(
    bridge: CommandLine, charge: Charge, install: Install
) -> None:
    dark, known = charge("1"), charge("2", connector_id=2)
    install(dark, None, uncertain=3, installed_number=2)
    install(known, None, uncertain=2, installed_number=3)
    done = bridge("release", "--station", "acme/CP-001", "--wait", "0", "--json")
    assert (done.exit_code, done.document["remaining"]) == (3, [dark.session_id])


def test_a_plan_whose_end_is_past_need_not_be_cleared(bridge: CommandLine, charge: Charge, install: Install) -> None:
    install(charge("1"), InstalledPlan("r1", 1, ends_at=START - timedelta(seconds=1)))
    done = bridge("release", "--all", "--yes")
    assert (done.exit_code, "No plan is installed." in done.stdout) == (0, True)


def test_a_partners_plans_are_released_and_no_other_ones(
    bridge: CommandLine, charge: Charge, install: Install, live: DynamoLiveSessions
) -> None:
    # Where an end was lost, the car before is still at the same EVSE.
    theirs, ours = charge("1", partner="other"), charge("2")
    install(ours)
    install(theirs)
    done = bridge("release", "--partner", "jedlix", "--wait", "0", "--json")
    assert done.document["remaining"] == [ours.session_id]
    untouched = live.session(theirs.session_id)
    assert untouched is not None
    assert untouched.released_at is None


def test_a_release_of_everything_asks_first(
    bridge: CommandLine, charge: Charge, install: Install, live: DynamoLiveSessions
) -> None:
    session = charge("1")
    install(session)
    assert bridge("release", "--all").exit_code == 1
    untouched = live.session(session.session_id)
    assert untouched is not None
    assert untouched.released_at is None


@pytest.mark.parametrize(
    "options",
    [
        (),
        ("--all", "--partner", "jedlix"),
        ("--all", "--station", "acme/CP-001"),
        ("--station", "CP-001"),
        ("--all", "--wait", "-1"),
        ("--all", "--wait", "3601"),
    ],
)
def test_a_release_is_of_exactly_one_kind(options: tuple[str, ...], bridge: CommandLine) -> None:
    assert bridge("release", *options, "--yes").exit_code == 2


def test_all_live_sessions_of_a_partner_are_found_however_many(
    charge: Charge, live: DynamoLiveSessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_sessions, "READ_LIMIT", 5)
    sessions = {charge(str(number)).session_id for number in range(12)}
    charge("over", over=True)
    assert {one.session_id for one in live.of_partner("jedlix")} == sessions
    assert len(live.controls(sessions)) == len(sessions)


# --- Caps ------------------------------------------------------------------------------------------------------------


def test_a_cap_is_set_and_lifted(
    bridge: CommandLine, deployment: Deployment, charge: Charge, live: DynamoLiveSessions
) -> None:
    session = charge("1")
    done = bridge("cap", "set", "--evse", "e1", "--watts", "7400.5", "--json")
    assert concerned(done) == {session.session_id: False}
    assert done.document["cap_w"] == 7400.5
    assert state(deployment).caps_w == {"e1": Decimal("7400.5")}
    woken = live.session(session.session_id)
    assert woken is not None
    assert woken.profile_doubt_at == START
    assert "at most 11000 W" in bridge("cap", "set", "--evse", "E1", "--watts", "11000").stdout
    lifted = bridge("cap", "lift", "--evse", "E1", "--json")
    assert (lifted.document["cap_w"], state(deployment).caps_w) == (None, {})


@pytest.mark.parametrize("watts", ["-1", "much", "NaN", "Infinity"])
def test_a_cap_is_a_power(watts: str, bridge: CommandLine) -> None:
    assert bridge("cap", "set", "--evse", "E1", "--watts", watts).exit_code == 2


def test_a_cap_of_nothing_is_a_cap(bridge: CommandLine, deployment: Deployment) -> None:
    assert bridge("cap", "set", "--evse", "E1", "--watts", "0").exit_code == 0
    assert state(deployment).caps_w == {"e1": Decimal(0)}
