"""A rehearsal with a Receiver that does one thing wrong names the rules that this breaks, and no other."""

from collections import defaultdict
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from tests.support.rehearsals import BRIEF, failed, rehearsed
from tests.support.rehearsed_receiver import Fault
from tools.rehearsal import RULES, Rule, rules

pytestmark = pytest.mark.integration

# What comes after a timeout of a second, or after a slow acknowledgement, has to be waited for.
UNTIL_LATE = replace(BRIEF, quiet=3.0)
SLOWLY = replace(BRIEF, slow=0.8, quiet=1.2)
PATIENCE = {
    Fault.LATE_RESULTS: UNTIL_LATE,
    Fault.RETRIES_AFTER_TIMEOUT: UNTIL_LATE,
    Fault.IMPATIENT: SLOWLY,
    Fault.RESULTS_TWICE: SLOWLY,
}
# A rehearsal waits far more than it works.
AT_ONCE = 12

BREAKS: Mapping[Fault, set[Rule]] = {
    Fault.NO_CONTENT_TYPE: {rules.CONTENT_TYPE},
    Fault.NO_STATUS_CODE: {rules.ENVELOPE, rules.ERROR_ENVELOPE},
    Fault.BARE_HTTP_ERRORS: {rules.ERROR_ENVELOPE},
    Fault.LOCAL_TIMESTAMP: {rules.TIMESTAMP},
    Fault.NO_REQUEST_ID: {rules.REQUEST_ID, rules.WITHOUT_IDS},
    Fault.OTHER_CORRELATION_ID: {rules.CORRELATION_ID},
    Fault.NO_IDS_ON_ERRORS: {rules.IDS_ON_ERRORS},
    Fault.ROUTING_NOT_SWAPPED: {rules.ROUTING_SWAPPED},
    Fault.ROUTED_VERSIONS: {rules.ROUTING_NONE},
    Fault.EMPTY_INSTEAD_OF_404: {rules.NOT_FOUND},
    Fault.INVALID_JSON_IS_200: {rules.INVALID_JSON},
    Fault.WRONG_FIELDS_ARE_400: {rules.NO_HTTP_ERROR},
    Fault.NO_405: {rules.METHOD},
    Fault.NO_TRAILING_SLASH: {rules.TRAILING_SLASH},
    Fault.IDS_REQUIRED: {rules.WITHOUT_IDS},
    Fault.ANY_PARTY: {rules.FOREIGN_PARTY},
    Fault.NO_ANSWER_TO_DELETE: {rules.ANSWERED},
    Fault.UNKNOWN_TOKEN_IS_400: {
        rules.UNKNOWN_TOKEN,
        rules.TOKEN_CASE,
        rules.REGISTRATION_ENDS,
        rules.OLD_TOKEN_ENDS,
        rules.UNREGISTER,
    },
    Fault.NO_TOKEN_NEEDED: {rules.MISSING_TOKEN},
    Fault.TOKENS_WITHOUT_CASE: {rules.TOKEN_CASE},
    Fault.NO_CHALLENGE: {rules.CHALLENGE},
    Fault.LINE_FEED_REFUSED: {rules.LINE_FEED},
    Fault.REGISTRATION_TOKEN_OPENS_ALL: {rules.REGISTRATION_SCOPE},
    Fault.REGISTRATION_TOKEN_REFUSED: {
        rules.BASE64,
        rules.LINE_FEED,
        rules.REGISTRATION_OPENS,
        rules.VERSION_LIST,
        rules.VERSION_221,
    },
    Fault.PLAIN_HTTP: {rules.TLS},
    Fault.NO_VERSION_221: {rules.VERSION_221},
    Fault.NO_PROFILES_ENDPOINT: {rules.ENDPOINTS},
    Fault.RELATIVE_VERSION_URL: {rules.VERSION_LIST},
    Fault.VERSION_TWICE: {rules.VERSION_ONCE},
    Fault.DETAILS_WITHOUT_VERSION: {rules.DETAILS},
    Fault.CREDENTIALS_TWICE: {rules.ENDPOINT_ONCE},
    Fault.PUT_UNREGISTERED: {rules.PUT_UNREGISTERED},
    Fault.DELETE_UNREGISTERED_IS_401: {rules.DELETE_UNREGISTERED},
    Fault.INCOMPLETE_CREDENTIALS_ARE_3000: {rules.CREDENTIALS_INVALID},
    Fault.UNUSABLE_CLIENT_IS_2000: {rules.CLIENT_UNUSABLE},
    Fault.MISSING_ENDPOINT_IS_FINE: {rules.CLIENT_LACKS},
    Fault.MISSING_VERSION_IS_3001: {rules.CLIENT_VERSION},
    Fault.NO_CALL_BACK: {rules.CLIENT_UNUSABLE, rules.CLIENT_LACKS, rules.CLIENT_VERSION, rules.CALLS_BACK},
    Fault.ROUTED_CALL_BACK: {rules.CALLS_UNROUTED},
    Fault.SAME_TOKEN_AGAIN: {rules.NEW_TOKEN},
    Fault.NEW_TOKEN_OPENS_NO_SESSIONS: {rules.TOKEN_OPENS},
    Fault.REGISTRATION_TOKEN_STAYS: {rules.REGISTRATION_ENDS},
    Fault.CREDENTIALS_WITHOUT_ROLES: {rules.CREDENTIALS_OBJECT},
    Fault.NO_CPO: {rules.CREDENTIALS_ROLE},
    Fault.GET_SHOWS_THEIR_TOKEN: {rules.CREDENTIALS_GET},
    Fault.POST_TWICE: {rules.POST_REGISTERED},
    Fault.PUT_DOES_NOT_READ: {rules.PUT_READS},
    Fault.PUT_KEEPS_TOKEN: {rules.PUT_TOKEN},
    Fault.OLD_TOKEN_STAYS: {rules.OLD_TOKEN_ENDS},
    Fault.PATCH_OF_CREDENTIALS: {rules.PATCH_UNDEFINED},
    Fault.UNREGISTERED_TOKEN_STAYS: {rules.UNREGISTER},
    Fault.SESSIONS_IN_AN_OBJECT: {rules.LIST},
    Fault.DATE_FROM_OPTIONAL: {rules.DATE_FROM_REQUIRED},
    Fault.BAD_DATE_IGNORED: {rules.BAD_DATE},
    Fault.NEGATIVE_LIMIT_IGNORED: {rules.BAD_NUMBER},
    Fault.DATE_FROM_EXCLUSIVE: {rules.DATE_FROM},
    Fault.DATE_TO_INCLUSIVE: {rules.DATE_TO},
    Fault.NO_TOTAL: {rules.TOTAL},
    Fault.LIMIT_OF_THE_PAGE: {rules.LIMIT_HEADER},
    Fault.LIMIT_IGNORED: {rules.LIMIT},
    Fault.OFFSET_IGNORED: {rules.OFFSET},
    Fault.NO_LINK: {rules.LINK},
    Fault.LINK_WITHOUT_FILTERS: {rules.LINK_FILTERS},
    Fault.LINK_ON_THE_LAST_PAGE: {rules.LAST_PAGE},
    Fault.EMPTY_IS_404: {rules.EMPTY},
    Fault.SESSION_WITHOUT_CURRENCY: {rules.SESSION_OBJECT},
    Fault.KWH_AS_TEXT: {rules.SESSION_OBJECT},
    Fault.SESSION_WITH_OFFSET_TIME: {rules.SESSION_OBJECT},
    Fault.SAME_SESSION_TWICE: {rules.SESSION_ONCE},
    Fault.ENERGY_IN_WH: {rules.ENERGY_UNIT},
    Fault.PERIODS_REVERSED: {rules.PERIOD_ORDER},
    Fault.ANONYMOUS_TOKEN: {rules.NO_DATA},
    Fault.PREFERENCES_AS_OBJECT: {rules.PREFERENCES_WORD},
    Fault.ANY_PREFERENCES: {rules.PREFERENCES_INVALID},
    Fault.RESULT_IN_LOWER_CASE: {rules.RESPONSE, rules.UNKNOWN_SESSION},
    Fault.NO_TIMEOUT: {rules.TIMEOUT},
    Fault.UNKNOWN_SESSION_IS_404: {rules.UNKNOWN_SESSION},
    Fault.DURATION_OPTIONAL: {rules.GET_DURATION},
    Fault.GET_WITHOUT_URL: {rules.GET_URL},
    Fault.DELETE_WITHOUT_URL: {rules.DELETE_URL},
    Fault.PUT_WITHOUT_UNIT: {rules.PUT_REQUIRED},
    Fault.LIMIT_AS_TEXT: {rules.PUT_TYPES},
    Fault.DURATION_AS_WORD: {rules.DURATION_FORM},
    Fault.UNKNOWN_FIELDS_REFUSED: {rules.UNKNOWN_FIELDS},
    Fault.NULLS_REFUSED: {rules.NULL_OPTIONALS},
    Fault.Z_REQUIRED: {rules.DATE_FORMS},
    Fault.EMPTY_PERIODS_ARE_2001: {rules.EMPTY_PERIODS},
    Fault.EMPTY_PERIODS_ACCEPTED: {rules.EMPTY_REJECTED},
    Fault.PAST_ACCEPTED: {rules.PAST_REJECTED},
    Fault.ANY_FIRST_PERIOD: {rules.FIRST_PERIOD},
    Fault.ANY_ORDER: {rules.PERIODS_SORTED},
    Fault.ANY_LENGTH: {rules.URL_LENGTH},
    Fault.ANY_RESPONSE_URL: {rules.HOSTILE_URL},
    Fault.SESSION_ID_WITH_CASE: {rules.SESSION_CASE},
    Fault.QUERY_CUT_AT_AMPERSAND: {rules.UNENCODED_URL},
    Fault.NEVER_ACCEPTS_GET: {rules.GET_ACCEPTED},
    Fault.NEVER_ACCEPTS_PUT: {rules.EMPTY_REJECTED, rules.PAST_REJECTED, rules.PUT_ACCEPTED},
    Fault.NEVER_ACCEPTS_DELETE: {rules.DELETE_ACCEPTED},
    Fault.NO_RESULTS: {rules.RESULT_COMES},
    Fault.RESULTS_TWICE: {rules.RESULT_ONCE, rules.RESULT_SLOW, rules.RESULT_RETRY},
    Fault.LATE_RESULTS: {rules.RESULT_COMES, rules.RESULT_IN_TIME, rules.RESULT_RETRY},
    Fault.RESULTS_AFTER_REJECTED: {rules.RESULT_PROMISED},
    Fault.WRAPPED_RESULTS: {rules.RESULT_BARE},
    Fault.RESULT_TIMEOUT: {rules.RESULT_FORM},
    Fault.RESPONSE_URL_CHANGED: {rules.ENCODED_URL, rules.RESULT_COMES, rules.RESULT_URL},
    Fault.ACCEPTED_WITHOUT_PROFILE: {rules.RESULT_PROFILE},
    Fault.IMPATIENT: {rules.RESULT_SLOW},
    Fault.RETRIES_AFTER_TIMEOUT: {rules.RESULT_IN_TIME, rules.RESULT_RETRY},
    Fault.FOLLOWS_REDIRECTS: {rules.RESULT_REDIRECT},
    Fault.SECOND_DELETE_REJECTED: {rules.SECOND_DELETE},
    Fault.NO_PERIODS: {rules.ACTIVE_FORM},
    Fault.LATE_FIRST_PERIOD: {rules.ACTIVE_FIRST},
    Fault.ACTIVE_PERIODS_REVERSED: {rules.ACTIVE_ORDER},
    Fault.ACTIVE_SINCE_YESTERDAY: {rules.ACTIVE_START},
    Fault.DURATION_NOT_KEPT: {rules.ACTIVE_CLIPPED},
    Fault.IN_AMPERES: {rules.ACTIVE_UNIT},
    Fault.ABOVE_THE_LIMIT: {rules.ACTIVE_LIMIT},
    Fault.CALLS_WITH_TOKEN_A: {rules.CALL_TOKEN},
    Fault.CALLS_WITH_REPLACED_TOKEN: {rules.CALL_TOKEN},
    Fault.CALLS_WITH_PLAIN_TOKEN: {rules.CALL_BASE64},
    Fault.CALLS_WITHOUT_IDS: {rules.CALL_IDS},
    Fault.CALLS_WITH_ONE_ID: {rules.CALL_UNIQUE},
    Fault.CALLS_AS_TEXT: {rules.CALL_TYPE},
    Fault.CALLS_UNROUTED: {rules.CALL_ROUTING},
    Fault.PATCH_FIRST: {rules.PUSH_PUT_FIRST},
    Fault.PUSH_WITHOUT_KWH: {rules.PUSH_OBJECT},
    Fault.WRAPPED_PUSHES: {rules.PUSH_BARE},
    Fault.PUSH_TO_ANOTHER_PARTY: {rules.PUSH_URL},
    Fault.PATCH_WITHOUT_LAST_UPDATED: {rules.PUSH_UPDATED},
    Fault.ALL_PERIODS_AGAIN: {rules.PUSH_PERIODS},
    Fault.STATUS_GOES_BACK: {rules.PUSH_FORWARD},
    Fault.PUSHED_IS_NOT_LISTED: {rules.PUSH_LISTED},
    Fault.UPDATE_BEFORE_PUT: {rules.UPDATE_AFTER_PUT},
    Fault.NO_UPDATES: {rules.UPDATE_COMES},
    Fault.WRAPPED_UPDATES: {rules.UPDATE_BARE},
    Fault.UPDATE_FOR_A_DAY: {rules.UPDATE_LENGTH},
    Fault.OLDER_UPDATE_FOLLOWS: {rules.UPDATE_NEWEST},
}


def _by_module() -> dict[str, list[Fault]]:
    modules: dict[str, list[Fault]] = defaultdict(list)
    for fault, broken in BREAKS.items():
        modules[min(broken, key=RULES.index).module].append(fault)
    return modules


@pytest.mark.parametrize(
    ("module", "faults"), _by_module().items(), ids=lambda value: value if isinstance(value, str) else ""
)
def test_a_fault_is_named_by_exactly_the_rules_that_it_breaks(module: str, faults: list[Fault]) -> None:
    def broken(fault: Fault) -> set[Rule]:
        return failed(rehearsed(fault, patience=PATIENCE.get(fault, BRIEF)))

    with ThreadPoolExecutor(AT_ONCE) as pool:
        found = dict(zip(faults, pool.map(broken, faults), strict=True))

    assert _named(found) == _named({fault: BREAKS[fault] for fault in faults})


def test_every_fault_of_the_receiver_is_in_the_table() -> None:
    assert set(BREAKS) == set(Fault)


def test_every_rule_is_broken_by_some_fault() -> None:
    # What a Receiver without preferences answers is the one thing that this Receiver cannot do wrong.
    assert set(RULES) - {rule for broken in BREAKS.values() for rule in broken} == {rules.PREFERENCES_INCAPABLE}


def _named(found: Mapping[Fault, set[Rule]]) -> dict[str, list[str]]:
    return {fault.name: sorted(rule.id for rule in broken) for fault, broken in found.items()}
