"""Two partners on two CSMSs: neither sees, steers or speaks for anything of the other."""

from collections.abc import Iterator

import pytest

from tests.support.e2e_log import FunctionLog
from tests.support.e2e_site import (
    SOON,
    Site,
    charging_at,
    flat,
    limits,
    site,
    site_name,
    site_world,
    sites_station,
    token_of,
    watching_partner,
)
from tools.counterparts.clock import utc_now, write_datetime
from tools.counterparts.json_types import JsonObject, as_object, read_json
from tools.demo.world import CONTRACT_ID
from tools.local_stack import LocalStack
from tools.partner_simulator import Exchange, ResponseType, ResultType


@pytest.fixture(scope="module")
def ours(stack: LocalStack) -> Iterator[Site]:
    with site(stack) as place:
        yield place


@pytest.fixture(scope="module")
def theirs(stack: LocalStack) -> Iterator[Site]:
    with site(stack) as place:
        yield place


def ask_everything(place: Site, session_id: str) -> list[Exchange]:
    return [
        place.bridge.put_profile(session_id, flat(7000)),
        place.bridge.put_profile(session_id, {"charging_rate_unit": "W", "charging_profile_period": []}),
        place.bridge.get_active_profile(session_id),
        place.bridge.delete_profile(session_id),
    ]


def told(exchange: Exchange) -> tuple[int, JsonObject, frozenset[tuple[str, str]]]:
    """All that an answer tells, but for its time and its ids."""
    assert exchange.answer is not None
    body = as_object(read_json(exchange.answer.raw_body))
    changing = ("x-request-id", "x-correlation-id", "x-amz", "date", "content-length")
    headers = {(name, value) for name, value in exchange.answer.headers.items() if not name.startswith(changing)}
    return exchange.answer.status, {**body, "timestamp": ""}, frozenset(headers)


def test_another_partners_session_is_as_unknown_as_one_that_does_not_exist(ours: Site, theirs: Site) -> None:
    foreign = ask_everything(ours, theirs.session_id)
    unknown = ask_everything(ours, "00000000-0000-0000-0000-000000000000")

    assert [exchange.result for exchange in foreign] == [ResponseType.UNKNOWN_SESSION] * len(foreign)
    assert [told(exchange) for exchange in foreign] == [told(exchange) for exchange in unknown]
    assert theirs.commands() == []
    assert theirs.items.requests(theirs.session_id) == []


def test_routing_headers_of_a_foreign_session_tell_nothing_of_it(ours: Site, theirs: Site) -> None:
    headers = {"OCPI-to-party-id": "XXX", "OCPI-to-country-code": "DE"}

    foreign = ours.bridge.get_active_profile(theirs.session_id, headers=headers)
    unknown = ours.bridge.get_active_profile("unknown", headers=headers)

    assert foreign.result is unknown.result is ResponseType.UNKNOWN_SESSION


def test_each_partner_steers_its_own_session_and_gets_its_own_result(ours: Site, theirs: Site) -> None:
    ours_put = ours.bridge.put_profile(ours.session_id, flat(6001))
    theirs_put = theirs.bridge.put_profile(theirs.session_id, flat(6002))

    for place, put, watts in ((ours, ours_put, 6001), (theirs, theirs_put, 6002)):
        assert put.wait_for_result(SOON).result is ResultType.ACCEPTED
        assert [limit for _, limit in limits(place.commands("SetChargingProfile")[-1])] == [watts]
        assert [post.target in (put.response_url or "") for post in place.posts()] == [True]


def test_each_partner_sees_its_own_sessions_only(ours: Site, theirs: Site) -> None:
    assert [session.id for session in ours.partner.sessions.all()] == [ours.session_id]
    assert [session.id for session in theirs.partner.sessions.all()] == [theirs.session_id]


def test_a_drivers_token_is_another_pseudonym_at_each_partner(ours: Site, theirs: Site) -> None:
    mine, other = (place.partner.sessions.all()[0].cdr_token for place in (ours, theirs))

    # The same card of the same driver, at two partners.
    assert mine.uid != other.uid
    assert mine.contract_id != other.contract_id
    assert CONTRACT_ID not in {mine.contract_id, other.contract_id}


def test_a_csms_cannot_speak_for_a_station_of_another(ours: Site, theirs: Site) -> None:
    log = FunctionLog(ours.stack)
    forged: JsonObject = {
        "id": "forged",
        "type": "transaction.ended",
        "time": write_datetime(utc_now()),
        "csms": ours.csms.csms_id,
        "station_id": ours.station_id,
        "connector_id": 1,
        "transaction_id": str(ours.transaction_id),
        "data": {},
    }

    # Signed properly, with the other CSMS's key and id.
    theirs.csms.report(forged)

    (line,) = log.wait_for(SOON, message="event.ingested", event_id="forged")
    assert line["outcome"] == "unknown_station"
    still = ours.bridge.put_profile(ours.session_id, flat(6004))
    assert still.wait_for_result(SOON).result is ResultType.ACCEPTED
    assert ours.partner.sessions.all()[0].status == "ACTIVE"


def test_who_may_see_a_session_gets_it_and_may_not_steer_it(stack: LocalStack) -> None:
    name = site_name()
    with site_world(stack, name, [sites_station(name)]) as world, watching_partner(world) as watcher:
        with charging_at(world, f"CP-{name}") as place:
            seen = watcher.wait_for_session(lambda one: one.id == place.session_id, SOON)

            for refused in (
                watcher.bridge.put_profile(place.session_id, flat(7000)),
                watcher.bridge.get_active_profile(place.session_id),
                watcher.bridge.delete_profile(place.session_id),
            ):
                assert (refused.status_code, refused.result) == (1000, ResponseType.REJECTED)

            steering = place.bridge.put_profile(place.session_id, flat(8000))
            assert steering.wait_for_result(SOON).result is ResultType.ACCEPTED
            assert len(place.commands()) == 1
            assert seen.status == "ACTIVE"
        assert watcher.results.entries() == []
        assert (world.partner.violations(), watcher.violations()) == ([], [])


def test_a_revoked_partner_is_shut_out_at_once(stack: LocalStack, theirs: Site) -> None:
    with site(stack) as place:
        before = place.bridge.put_profile(place.session_id, flat(7000))
        assert before.wait_for_result(SOON).result is ResultType.ACCEPTED

        place.world.registry.remove_partner(place.world.partner_id)

        after = place.bridge.put_profile(place.session_id, flat(8000))
        assert (after.status, after.status_code) == (401, 2000)
        assert len(place.commands()) == 1
        assert token_of(place.partner) != token_of(theirs.partner)
