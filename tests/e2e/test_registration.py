"""Registration by OCPI's handshake, in both directions: whoever fails in the middle, nothing is half done."""

import base64
from collections.abc import Iterator

import httpx
import pytest

from ocpi_bridge.domain.partners import Registration
from ocpi_bridge.domain.tokens import new_token
from tests.support.e2e_faults import sweep
from tests.support.e2e_platform import Guest, GuestSite, guest, guest_site
from tests.support.e2e_site import SOON, flat
from tests.support.e2e_waiting import eventually
from tools.counterparts.http_service import NeverAnswer, ResetConnection
from tools.counterparts.json_types import as_object, read_json, write_json
from tools.demo_csms.event_reporter import trusting_client
from tools.local_stack import LocalStack
from tools.partner_simulator import (
    AnswerLostError,
    AnswerStyle,
    HandshakeError,
    Manner,
    MessageIds,
    OcpiVersion,
    ResponseType,
    ResultType,
    VersionList,
)
from tools.partner_simulator.faults import endless_body, http_error, not_json, redirect
from tools.partner_simulator.platform_models import CHARGING_PROFILES, SESSIONS

BY_THE_BOOK = Manner()


@pytest.fixture
def coming(stack: LocalStack) -> Iterator[Guest]:
    with guest(stack) as one:
        yield one


def call(coming: Guest, token: str, method: str, path: str, body: bytes | None = None) -> httpx.Response:
    """A call with this token."""
    encoded = base64.b64encode(token.encode()).decode()
    with trusting_client(coming.stack.ca_file, SOON) as http:
        return http.request(
            method, coming.stack.ocpi_api_url + path, headers={"Authorization": f"Token {encoded}"}, content=body
        )


def asked(coming: Guest, token: str, method: str = "GET", path: str = "/ocpi/versions") -> tuple[int, int]:
    """HTTP and OCPI status of a call with this token."""
    answer = call(coming, token, method, path)
    return answer.status_code, int(str(as_object(read_json(answer.content))["status_code"]))


# --- The partner begins ------------------------------------------------------------------------------------------------


def test_a_partner_registers_in_the_newest_version_that_both_speak(coming: Guest) -> None:
    token = coming.invite()
    assert asked(coming, token) == (200, 1000)
    assert asked(coming, token, path="/ocpi/2.2.1/sessions?date_from=2026-01-01T00:00:00Z") == (401, 2000)

    registered = coming.register(token)

    assert registered.version is OcpiVersion.V230
    entry = coming.known()
    assert (entry.registration, entry.version) == (Registration.REGISTERED, "2.3.0")
    assert (entry.sessions_url, entry.charging_profiles_url) == (
        coming.partner.sessions_url,
        coming.partner.charging_profiles_url,
    )
    assert coming.partner.read_credentials().token == coming.partner.token
    assert len(coming.secrets()) == 1
    # The new token was used: the registration token is dead for everything.
    for method, path in (
        ("GET", "/ocpi/versions"),
        ("GET", "/ocpi/2.2.1/credentials"),
        ("POST", "/ocpi/2.2.1/credentials"),
    ):
        assert asked(coming, token, method, path) == (401, 2000)


@pytest.mark.parametrize("version", list(OcpiVersion))
def test_a_partner_that_speaks_one_version_gets_that_one(stack: LocalStack, version: OcpiVersion) -> None:
    with guest(stack, Manner(versions=(version,))) as coming:
        assert coming.register(coming.invite()).version is version
        assert coming.known().version == version.value


BAD_PLATFORMS: dict[str, tuple[Manner, int]] = {
    "never answers": (Manner(versions_fault=NeverAnswer()), 3001),
    "resets the connection": (Manner(versions_fault=ResetConnection()), 3001),
    "answers 500": (Manner(versions_fault=http_error(500)), 3001),
    "answers 401 whatever the encoding": (Manner(versions_fault=http_error(401)), 3001),
    "answers with HTML": (Manner(versions_fault=not_json()), 3001),
    "answers without end": (Manner(versions_fault=endless_body(10_000_000)), 3001),
    "redirects": (Manner(versions_fault=redirect("https://localhost/elsewhere")), 3001),
    "details fail": (Manner(details_fault=http_error(503)), 3001),
    "an empty list of versions": (Manner(version_list=VersionList.EMPTY), 3001),
    "a list that is none": (Manner(version_list=VersionList.GARBAGE), 3001),
    "no version that both speak": (Manner(version_list=VersionList.NO_MUTUAL), 3002),
    "no sessions": (Manner(hidden_modules=frozenset({SESSIONS})), 3003),
    "no charging profiles": (Manner(hidden_modules=frozenset({CHARGING_PROFILES})), 3003),
}


@pytest.mark.parametrize(("manner", "code"), BAD_PLATFORMS.values(), ids=BAD_PLATFORMS)
def test_a_platform_that_cannot_be_used_leaves_nothing_behind_and_the_next_try_works(
    coming: Guest, manner: Manner, code: int
) -> None:
    token = coming.invite()
    before = coming.state()
    coming.partner.behave_as(manner)

    with pytest.raises(HandshakeError) as refusal:
        coming.register(token)

    assert (refusal.value.status, refusal.value.status_code) == (200, code)
    assert coming.state() == before
    coming.partner.behave_as(BY_THE_BOOK)
    coming.register(token)
    assert coming.known().registration is Registration.REGISTERED


def test_after_a_lost_answer_the_same_post_may_be_repeated_until_the_new_token_is_used(coming: Guest) -> None:
    token, offered = coming.invite(), new_token()
    coming.partner.behave_as(Manner(loses_answers=True))
    with pytest.raises(AnswerLostError):
        coming.partner.register(coming.versions_url, token, ca_file=coming.stack.ca_file, token=offered)
    coming.partner.behave_as(BY_THE_BOOK)
    assert asked(coming, token) == (401, 2000)

    role = {"role": "SCSP", "country_code": "BE", "party_id": "GST", "business_details": {"name": "Guest"}}
    body = {"token": offered, "url": coming.partner.versions_url, "roles": [role]}
    answer = call(coming, token, "POST", "/ocpi/2.3.0/credentials", write_json(body).encode())

    data = as_object(as_object(read_json(answer.content))["data"])
    assert asked(coming, str(data["token"])) == (200, 1000)
    assert asked(coming, token, "POST", "/ocpi/2.3.0/credentials") == (401, 2000)
    assert len(coming.secrets()) == 1


def test_who_is_registered_cannot_register_and_who_is_not_can_neither_renew_nor_end(coming: Guest) -> None:
    token = coming.invite()
    for method in ("PUT", "DELETE"):
        assert asked(coming, token, method, "/ocpi/2.2.1/credentials") == (405, 2000)
    assert asked(coming, "unknown-token", "PUT", "/ocpi/2.2.1/credentials") == (401, 2000)
    coming.register(token)
    assert asked(coming, coming.partner.token, "POST", "/ocpi/2.2.1/credentials") == (405, 2000)
    assert asked(coming, coming.partner.token, "PATCH", "/ocpi/2.2.1/credentials") == (405, 2000)


# --- Rotation ----------------------------------------------------------------------------------------------------------


def test_the_old_token_lives_until_the_new_one_is_used(coming: Guest) -> None:
    coming.register(coming.invite())
    old = coming.partner.token
    former_secrets = coming.secrets()

    coming.partner.rotate()

    assert asked(coming, old) == (200, 1000)
    assert asked(coming, coming.partner.token) == (200, 1000)
    assert asked(coming, old) == (401, 2000)
    assert len(coming.secrets()) == 1
    assert coming.secrets() != former_secrets


def test_a_lost_answer_to_a_rotation_locks_nobody_out(coming: Guest) -> None:
    coming.register(coming.invite())
    coming.partner.behave_as(Manner(loses_answers=True))
    for _ in range(2):
        with pytest.raises(AnswerLostError):
            coming.partner.rotate()
    coming.partner.behave_as(BY_THE_BOOK)

    coming.partner.rotate()

    assert asked(coming, coming.partner.token) == (200, 1000)
    _, tokens, secrets = coming.state()
    assert (len(tokens), len(secrets)) == (1, 1)  # type: ignore[arg-type]


def test_a_rotation_in_mid_session_disturbs_nothing(stack: LocalStack) -> None:
    with guest_site(stack) as at:
        put(at, 9000)
        at.partner.rotate()
        put(at, 7000)
        asked_for = at.partner.bridge.get_active_profile(at.session_id, 900)
        assert asked_for.wait_for_result(SOON).result is ResultType.ACCEPTED


# --- The end -----------------------------------------------------------------------------------------------------------


def test_a_partner_that_leaves_takes_its_plans_with_it(stack: LocalStack) -> None:
    with guest_site(stack) as at:
        put(at, 9000)
        token = at.partner.token

        at.partner.unregister()

        assert asked(at.guest, token) == (401, 2000)
        assert (at.guest.known().registration, at.guest.secrets()) == (Registration.LEFT, [])

        def cleared() -> bool:
            sweep(stack)
            return bool(at.place.commands("ClearChargingProfile"))

        eventually(cleared, SOON, what="the plan cleared at the charge point")


# --- We begin ----------------------------------------------------------------------------------------------------------


def test_we_register_at_a_partner_rotate_and_leave(coming: Guest) -> None:
    versions_url, token = coming.partner.invite(ca_file=coming.stack.ca_file)
    partner_id = coming.entry.partner_id

    coming.handshakes.register(coming.entry, versions_url, token)
    assert (coming.known().registration, coming.known().version) == (Registration.REGISTERED, "2.3.0")
    assert asked(coming, coming.partner.token) == (200, 1000)

    first = coming.partner.token
    coming.handshakes.rotate(partner_id)
    assert coming.partner.token != first
    assert asked(coming, coming.partner.token) == (200, 1000)
    assert asked(coming, first) == (401, 2000)

    ended = coming.handshakes.unregister(partner_id)
    assert (ended.not_told, coming.known().registration, coming.secrets()) == (None, Registration.LEFT, [])


# --- A sloppy partner --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("answers", list(AnswerStyle), ids=lambda style: style.name.lower())
def test_a_sloppy_partner_is_served_and_understood(stack: LocalStack, answers: AnswerStyle) -> None:
    sloppy = Manner(
        plain_tokens=True,
        message_ids=MessageIds.NONE,
        routing_headers=False,
        trailing_slashes=True,
        endpoint_slashes=True,
        answers=answers,
    )
    with guest_site(stack, sloppy) as at:
        put(at, 9000)
        deleted = at.partner.bridge.delete_profile(at.session_id)
        assert deleted.wait_for_result(SOON).result is ResultType.ACCEPTED
        # Delivered once: what it answered was taken for what it is.
        assert len(deleted.results()) == 1


def put(at: GuestSite, watts: int) -> None:
    exchange = at.partner.bridge.put_profile(at.session_id, flat(watts))
    assert exchange.result is ResponseType.ACCEPTED
    assert exchange.wait_for_result(SOON).result is ResultType.ACCEPTED
