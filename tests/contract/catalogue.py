"""What each file of tests/fixtures/ocpi is to us. A file that is in no list, or in two, fails test_catalogue."""

import json
from enum import StrEnum
from pathlib import Path
from typing import Any

from tests.support.fixtures import OCPI


class Message(StrEnum):
    """What a file holds, by which of our code has to do with it."""

    # A partner sends it to us.
    SET_CHARGING_PROFILE = "set charging profile"
    PREFERENCES = "charging preferences"
    CREDENTIALS = "credentials"
    VERSIONS = "version list"
    VERSION_DETAILS = "version details"
    PAIR_REQUEST = "pair request"
    AUTHORIZATION = "authorization header"
    TOKENS = "tokens and their encodings"
    DATE_TIMES = "date times"
    URLS = "table of URLs"
    QUERY = "URL with a query of a list"
    BROKEN_JSON = "no JSON"
    # A partner answers our calls with it.
    ANSWER = "answer of a partner"
    ERROR_ANSWER = "answer of a partner that refuses"
    # We send it.
    SYNC_ANSWER = "synchronous answer"
    REFUSED_BODY = "answer to a wrong body"
    RESULT = "result"
    ACTIVE_PROFILE = "active charging profile"
    SESSION = "session"
    SESSION_PATCH = "session patch"
    SESSION_PAGE = "page of sessions"
    PREFERENCES_ANSWER = "answer to preferences"
    PREFERENCES_REFUSED = "answer to preferences where there can be none"
    OWN_VERSIONS = "our versions"
    OWN_VERSION_DETAILS = "our version details"
    OWN_CREDENTIALS = "our credentials"
    HANDSHAKE_ERROR = "answer to a handshake that failed"
    LINK = "link header"
    PAIR_CALL = "our pair request"
    PAIR_ANSWER = "our pair answer"
    PAIR_REFUSAL = "our pair refusal"


CATALOGUE: dict[str, Message] = {
    "authorization_base64_vectors.json": Message.TOKENS,
    "constructed/chargingprofiles/put_request_*.json": Message.SET_CHARGING_PROFILE,
    "constructed/chargingprofiles/ack_from_scsp_no_data.json": Message.ANSWER,
    "constructed/chargingprofiles/sync_response_[!i]*.json": Message.SYNC_ANSWER,
    "constructed/chargingprofiles/sync_response_invalid_body_2001.json": Message.REFUSED_BODY,
    "constructed/chargingprofiles/async_*.json": Message.RESULT,
    "constructed/chargingprofiles/push_*.json": Message.ACTIVE_PROFILE,
    "constructed/sessions/session_put_*.json": Message.SESSION,
    "constructed/sessions/session_patch_*.json": Message.SESSION_PATCH,
    "constructed/sessions/sessions_get_page_response.json": Message.SESSION_PAGE,
    "constructed/sessions/charging_preferences_put_request.json": Message.PREFERENCES,
    "constructed/sessions/charging_preferences_put_response.json": Message.PREFERENCES_ANSWER,
    "constructed/sessions/charging_preferences_put_response_not_capable_http404.json": Message.PREFERENCES_REFUSED,
    "constructed/transport/credentials_cpo_post_response.json": Message.OWN_CREDENTIALS,
    "constructed/transport/credentials_post_error_*.json": Message.HANDSHAKE_ERROR,
    "constructed/transport/credentials_scsp_post_request.json": Message.CREDENTIALS,
    "constructed/transport/version_details_cpo_bridge_response.json": Message.OWN_VERSION_DETAILS,
    "constructed/transport/version_details_scsp_response.json": Message.VERSION_DETAILS,
    "constructed/transport/versions_response.json": Message.OWN_VERSIONS,
    "jedlix/set_charging_profile_guide.json": Message.SET_CHARGING_PROFILE,
    "jedlix/urls_guide.tsv": Message.URLS,
    "jedlix/pair_request_jedlix_to_cpo.json": Message.PAIR_REQUEST,
    "jedlix/pair_request_cpo_to_jedlix.json": Message.PAIR_CALL,
    "jedlix/pair_response_cpo_to_jedlix_200.json": Message.PAIR_ANSWER,
    "jedlix/pair_response_cpo_to_jedlix_404.json": Message.PAIR_REFUSAL,
    "spec-*/credentials_example*.json": Message.CREDENTIALS,
    "spec-*/session_example_*.json": Message.SESSION,
    "spec-*/session_patch_example_*.json": Message.SESSION_PATCH,
    "spec-*/versions_info_example.json": Message.VERSIONS,
    "spec-*/transport_and_format_version_info_example.json": Message.VERSIONS,
    "spec-*/version_details_example*.json": Message.VERSION_DETAILS,
    "spec-*/transport_and_format_version_details_example.json": Message.VERSION_DETAILS,
    "spec-2.2.1/transport_and_format_get_token*.json": Message.ANSWER,
    "spec-2.2.1/transport_and_format_error_response.json": Message.ERROR_ANSWER,
    "spec-2.2.1/hubclientinfo_put_example.INVALID_JSON.txt": Message.BROKEN_JSON,
    "spec-2.2.1/example_urls.tsv": Message.URLS,
    "spec-2.2.1/types_datetime_valid_examples.txt": Message.DATE_TIMES,
    "spec-2.2.1/headers/authorization_*.txt": Message.AUTHORIZATION,
    "spec-2.2.1/headers/link_next_*.txt": Message.LINK,
    "spec-2.2.1/headers/filtered_request_url.txt": Message.QUERY,
    "spec-2.2.1/headers/limit_request_url.txt": Message.QUERY,
}
"""By pattern of the path below tests/fixtures/ocpi; each file is of one kind."""

NOT_OURS: dict[str, str] = {
    "README.md": "says where the files come from",
    "spec-2.2.1/headers/client_owned_object_url.txt": "a tariff's URL; sessions, the client owned objects that we push, "
    "have theirs in example_urls.tsv",
}
"""Files that no code of ours has to do with, each with the reason."""


def files(*messages: Message) -> list[str]:
    """The files that hold such messages, as paths below tests/fixtures/ocpi."""
    found = {name for pattern, message in CATALOGUE.items() if message in messages for name in matches(pattern)}
    return sorted(found)


def matches(pattern: str) -> list[str]:
    """The files of a pattern."""
    return sorted(path.relative_to(OCPI).as_posix() for path in OCPI.glob(pattern))


def everything() -> list[str]:
    """All files that there are."""
    return sorted(path.relative_to(OCPI).as_posix() for path in OCPI.rglob("*") if path.is_file())


def fixture(name: str) -> Any:  # noqa: ANN401 - whatever stands in the file
    """The JSON of the file, fractions as floats."""
    return json.loads(text_of(name))


def text_of(name: str) -> str:
    """The file as it is."""
    return Path(OCPI / name).read_text(encoding="utf-8")
