"""The rules that a rehearsal looks at, by module, with the section of OCPI 2.2.1 that asks for each.

MUST is what the specification demands, or what follows from it. SHOULD is what it recommends, or what it asks of others
than the Receiver alone. DECISION is what this project chose where the specification is silent: a platform that decides
otherwise breaks nothing, so that is told as a note.
"""

from dataclasses import dataclass
from enum import StrEnum

SPECIFICATION = "OCPI 2.2.1"


class Level(StrEnum):
    """How much a rule binds the Receiver."""

    MUST = "must"
    SHOULD = "should"
    DECISION = "decision"


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule; the part of `id` before the first dot is its module."""

    id: str
    level: Level
    section: str
    asks: str

    @property
    def module(self) -> str:
        """What the rule is grouped under."""
        return self.id.partition(".")[0]


MODULES = {
    "transport": "Transport and format",
    "auth": "Authorization",
    "versions": "Versions",
    "credentials": "Credentials",
    "sessions": "Sessions: the list",
    "preferences": "Charging preferences",
    "profiles": "Charging profiles: requests",
    "results": "Charging profiles: results",
    "active": "The active charging profile",
    "calls": "Calls of the Receiver",
    "pushes": "Pushes of sessions",
    "updates": "Pushes of active profiles",
}

_REGISTERED: list[Rule] = []


def _rule(level: Level, id_: str, section: str, asks: str) -> Rule:
    rule = Rule(id_, level, section, asks)
    _REGISTERED.append(rule)
    return rule


def _must(id_: str, section: str, asks: str) -> Rule:
    return _rule(Level.MUST, id_, section, asks)


def _should(id_: str, section: str, asks: str) -> Rule:
    return _rule(Level.SHOULD, id_, section, asks)


def _decided(id_: str, section: str, asks: str) -> Rule:
    return _rule(Level.DECISION, id_, section, asks)


ANSWERED = _must("transport.answered", "4.1", "Every request is answered")
CONTENT_TYPE = _must("transport.content-type", "4.1.7", "Answers are application/json")
ENVELOPE = _must("transport.envelope", "4.1.7", "Every successful answer is an envelope with a four-digit status_code")
ERROR_ENVELOPE = _should("transport.error-envelope", "4.1.7", "HTTP errors carry the envelope too")
TIMESTAMP = _must("transport.timestamp", "4.1.7, 16.2", "timestamp is there and a DateTime in UTC")
REQUEST_ID = _must("transport.request-id", "4.2", "The answer repeats X-Request-ID")
CORRELATION_ID = _must("transport.correlation-id", "4.2", "The answer repeats X-Correlation-ID")
IDS_ON_ERRORS = _must("transport.ids-on-errors", "4.2", "Errors repeat both ids too")
ROUTING_SWAPPED = _must("transport.routing-swapped", "4.1.8", "Answers of functional modules swap the routing headers")
ROUTING_NONE = _must("transport.routing-none", "4.1.8", "Answers of versions and credentials have no routing headers")
NOT_FOUND = _should("transport.not-found", "5", "What is not there is HTTP 404")
INVALID_JSON = _must("transport.invalid-json", "5", "A body that is no JSON is HTTP 400")
NO_HTTP_ERROR = _must("transport.no-http-error", "5", "Readable JSON with wrong fields is no HTTP error")
METHOD = _decided("transport.method", "4.1.4", "A method that an endpoint has not is HTTP 405 with Allow")
TRAILING_SLASH = _decided("transport.trailing-slash", "4.3", "Endpoints are served with a trailing slash too")
WITHOUT_IDS = _decided(
    "transport.without-ids", "4.2", "A request without ids is served, and gets ids of the Receiver's"
)
FOREIGN_PARTY = _decided("transport.foreign-party", "4.1.8", "A party that is not hosted is answered with 2001")

TLS = _must("auth.tls", "4.1.1", "All URLs are https")
BASE64 = _must("auth.base64", "4.1.2", "The token is taken in Base64")
MISSING_TOKEN = _must("auth.missing-token", "4.1.2", "No token is HTTP 401")
UNKNOWN_TOKEN = _must("auth.unknown-token", "4.1.2", "An unknown token is HTTP 401")
TOKEN_CASE = _must("auth.token-case", "7.3.1", "The case of a token counts")
CHALLENGE = _should("auth.challenge", "RFC 9110, 15.5.2", "HTTP 401 says how to authenticate")
LINE_FEED = _decided(
    "auth.line-feed", "4.1.2", "A line feed in the encoded token, as in the printed examples, is ignored"
)
REGISTRATION_OPENS = _must("auth.registration-opens", "4.1.2", "The registration token opens versions and details")
REGISTRATION_SCOPE = _must("auth.registration-scope", "4.1.2", "The registration token opens no functional module")

VERSION_LIST = _must("versions.list", "6.1", "The list has a version and an absolute URL in each entry")
VERSION_ONCE = _should("versions.once", "6.1", "No version stands there twice")
VERSION_221 = _must("versions.2-2-1", "6.1", "2.2.1 is offered")
DETAILS = _must("versions.details", "6.2", "The details name their version, and module, role and URL of each endpoint")
ENDPOINTS = _must("versions.endpoints", "6.2", "credentials, sessions SENDER and chargingprofiles RECEIVER are there")
ENDPOINT_ONCE = _must("versions.endpoint-once", "6.2.2", "No module stands there twice in one role, credentials once")

PUT_UNREGISTERED = _must("credentials.put-unregistered", "7.2.3", "PUT before registration is HTTP 405")
DELETE_UNREGISTERED = _must("credentials.delete-unregistered", "7.2.4", "DELETE before registration is HTTP 405")
CREDENTIALS_INVALID = _must("credentials.invalid-body", "5.2", "A POST that lacks a field is HTTP 200 with 2001")
CLIENT_UNUSABLE = _must("credentials.client-unusable", "5.3", "A POST is 3001 when the client's API cannot be used")
CLIENT_LACKS = _must("credentials.client-lacks-endpoints", "5.3", "A POST is 3003 when an endpoint is missing")
CLIENT_VERSION = _decided("credentials.client-version", "5.3", "A POST is 3002 when the client lacks the version")
CALLS_BACK = _must("credentials.calls-back", "7.1.1", "An open POST reads our versions and details with our token")
CALLS_UNROUTED = _must(
    "credentials.calls-unrouted", "4.1.8", "Calls to our versions and details have no routing headers"
)
CREDENTIALS_OBJECT = _must("credentials.object", "7.3.1", "Credentials have a token, a URL and at least one role")
CREDENTIALS_ROLE = _must("credentials.role", "7.3.2", "A CPO is among the roles, and no role stands there twice")
NEW_TOKEN = _must("credentials.new-token", "7.1.1", "POST gives a new token")
TOKEN_OPENS = _must("credentials.token-opens", "7.1.1", "The new token opens the functional modules")
REGISTRATION_ENDS = _must(
    "credentials.registration-token-ends", "7.1.1", "The registration token ends with the new one"
)
CREDENTIALS_GET = _must("credentials.get", "7.2.1", "GET shows the token that the caller presents")
POST_REGISTERED = _must("credentials.post-registered", "7.2.2", "POST when registered is HTTP 405")
PUT_READS = _must("credentials.put-reads-endpoints", "7.2.3", "PUT reads our versions and details again")
PUT_TOKEN = _must("credentials.put-new-token", "7.2.3", "PUT gives a new token")
OLD_TOKEN_ENDS = _must("credentials.old-token-ends", "7.2.3", "The replaced token ends with the new one's first use")
PATCH_UNDEFINED = _decided("credentials.patch", "7.2", "PATCH is not defined: HTTP 405")
UNREGISTER = _must("credentials.unregister", "7.2.4", "After DELETE the token opens nothing")

LIST = _must("sessions.list", "9.2.1.1", "data is a list of sessions")
DATE_FROM_REQUIRED = _must("sessions.date-from-required", "9.2.1.1", "A missing date_from is HTTP 200 with 2001")
DATE_FROM = _must("sessions.date-from", "9.2.1.1", "date_from counts, and is inclusive")
DATE_TO = _must("sessions.date-to", "9.2.1.1", "date_to counts, and is exclusive")
BAD_DATE = _must("sessions.bad-date", "5.2", "A date_from that is no DateTime is HTTP 200 with 2001")
BAD_NUMBER = _decided("sessions.bad-number", "4.1.4.1", "A negative limit or offset is HTTP 200 with 2001")
TOTAL = _must("sessions.total", "4.1.4.1.3", "Every page has X-Total-Count, a number")
LIMIT_HEADER = _must("sessions.limit-header", "4.1.4.1.3", "Every page has X-Limit, the same number on all")
LIMIT = _must("sessions.limit", "4.1.4.1", "A page has at most limit and X-Limit sessions")
OFFSET = _must("sessions.offset", "4.1.4.1", "offset skips sessions")
LINK = _must("sessions.link", "4.1.4.1.4", 'All pages but the last have Link, absolute, with rel="next"')
LINK_FILTERS = _must("sessions.link-filters", "4.1.4.1.4", "Link repeats the filters")
LAST_PAGE = _must("sessions.last-page", "4.1.4.1.4", "The last page has no Link, and X-Total-Count sessions have come")
EMPTY = _must("sessions.empty", "4.1.4.1", "A time without sessions is an empty list, X-Total-Count 0")
SESSION_OBJECT = _must("sessions.object", "9.3.1", "Each session has all required fields, of the right types")
SESSION_ONCE = _must("sessions.once", "9.3.1", "No id stands there twice, whatever its case")
ENERGY_UNIT = _should("sessions.energy-unit", "10.4.2", "ENERGY of the periods adds up to no more than kwh")
PERIOD_ORDER = _should("sessions.period-order", "10.4.6", "Charging periods follow each other")
NO_DATA = _must("sessions.no-data", "4.1.9", "#NA stands only for the EVSE of a reservation")

PREFERENCES_WORD = _must("preferences.word", "9.2.1.2", "The answer to charging preferences is a word of the enum")
PREFERENCES_INCAPABLE = _should(
    "preferences.incapable", "9.4.1", "An EVSE without the capability is HTTP 404 with 2001"
)
PREFERENCES_INVALID = _must("preferences.invalid", "5.2", "Preferences with a wrong field are HTTP 200 with 2001")

RESPONSE = _must("profiles.response", "14.5.1", "data has a result of the enum")
TIMEOUT = _must("profiles.timeout", "14.5.1", "data has a timeout in seconds, whatever the result")
UNKNOWN_SESSION = _must(
    "profiles.unknown-session", "14.6.5", "An unknown session is HTTP 200 with UNKNOWN_SESSION in data"
)
GET_DURATION = _must("profiles.get-duration", "14.4.1.1", "GET without a duration is HTTP 200 with 2001")
GET_URL = _must("profiles.get-response-url", "14.4.1.1", "GET without a response_url is HTTP 200 with 2001")
DELETE_URL = _must("profiles.delete-response-url", "14.4.1.3", "DELETE without a response_url is HTTP 200 with 2001")
PUT_REQUIRED = _must("profiles.put-required", "14.5.5", "A PUT that lacks a required field is HTTP 200 with 2001")
PUT_TYPES = _must("profiles.put-types", "14.6.3", "A PUT with a wrong type or enum value is HTTP 200 with 2001")
DURATION_FORM = _must("profiles.duration-form", "14.4.1.1", "A duration that is no number is HTTP 200 with 2001")
UNKNOWN_FIELDS = _should("profiles.unknown-fields", "2.3.0, 4.1", "Unknown fields are ignored")
NULL_OPTIONALS = _must("profiles.null-optionals", "2.1", "null in an optional field is like leaving it out")
DATE_FORMS = _must("profiles.date-forms", "16.2", "Each of the six shapes of a DateTime is read")
EMPTY_PERIODS = _must("profiles.empty-periods", "14.6.3", "A profile without periods is no error")
EMPTY_REJECTED = _decided("profiles.empty-rejected", "14.6.3", "A profile without periods is REJECTED")
PAST_REJECTED = _decided("profiles.past-rejected", "14.6.3", "A profile that is over is REJECTED")
FIRST_PERIOD = _decided("profiles.first-period", "14.6.4", "A first period that does not start at 0 is 2001")
PERIODS_SORTED = _decided("profiles.periods-sorted", "14.6.4", "Periods out of order are 2001")
URL_LENGTH = _decided("profiles.url-length", "16.7", "A response_url of more than 255 characters is 2001")
HOSTILE_URL = _decided(
    "profiles.hostile-url", "14.4.1", "A response_url that is not the partner's is 2001, never dialled"
)
SESSION_CASE = _must("profiles.session-case", "16.1", "A session's id is compared without case")
GET_ACCEPTED = _must("profiles.get", "14.4.1.1", "GET on the running session is accepted")
ENCODED_URL = _must("profiles.encoded-url", "14.4.1.1", "A percent-encoded response_url is called as it was meant")
UNENCODED_URL = _decided("profiles.unencoded-url", "14.4.1.1", "So is one that is not encoded, with a & in it")
PUT_ACCEPTED = _must("profiles.put", "14.4.1.2", "PUT on the running session is accepted")
DELETE_ACCEPTED = _must("profiles.delete", "14.4.1.3", "DELETE on the running session is accepted")

RESULT_COMES = _must("results.comes", "14.4.1", "An accepted request gets its result within the announced timeout")
RESULT_ONCE = _must("results.once", "14.5.1", "A result that was acknowledged comes once")
RESULT_IN_TIME = _must("results.in-time", "14.5.1", "No result comes after the announced timeout")
RESULT_PROMISED = _must("results.promised", "14.4.1", "No result comes for a request that was not accepted")
RESULT_BARE = _must("results.bare", "14.4.2.2", "The body is the result itself, without an envelope")
RESULT_FORM = _must("results.form", "14.6.6", "result is ACCEPTED, REJECTED or UNKNOWN")
RESULT_URL = _must("results.url", "14.4.2.1", "response_url is called by POST, byte for byte")
RESULT_PROFILE = _must("results.profile", "14.5.3", "A GET's ACCEPTED has a profile, other results have none")
RESULT_SLOW = _should("results.slow", "14.5.1", "A slow acknowledgement brings no second result")
RESULT_RETRY = _must("results.retry", "4.4, 14.5.1", "A result that failed comes again in time, or not at all")
RESULT_REDIRECT = _decided("results.redirect", "4.1.2", "A redirect is not followed: the token would go along")
SECOND_DELETE = _should("results.second-delete", "14.6.6", "DELETE with nothing left is UNKNOWN or ACCEPTED")

ACTIVE_FORM = _must("active.form", "14.6.1", "An active profile has a start and a charging profile with periods")
ACTIVE_FIRST = _must("active.first-period", "14.6.1", "Its first period starts at 0")
ACTIVE_ORDER = _must("active.period-order", "14.6.4", "Its periods follow each other")
ACTIVE_START = _should("active.start", "14.6.1", "It starts when the charge point calculated it: about now")
ACTIVE_CLIPPED = _should("active.clipped", "14.4.1.1", "It is no longer than the duration that was asked for")
ACTIVE_UNIT = _decided("active.unit", "14.6.2", "It is in the unit of the profile that was PUT")
ACTIVE_LIMIT = _must("active.limit", "14", "It never exceeds the profile that was PUT")

CALL_TOKEN = _must("calls.token", "4.1.2", "Calls present the token that we gave")
CALL_BASE64 = _must("calls.base64", "4.1.2", "They write it in Base64")
CALL_IDS = _must("calls.ids", "4.2", "They have X-Request-ID and X-Correlation-ID")
CALL_UNIQUE = _must("calls.unique-ids", "4.2", "No two have the same X-Request-ID")
CALL_TYPE = _must("calls.content-type", "4.1.4", "Their bodies are application/json")
CALL_ROUTING = _must("calls.routing", "4.1.8", "Those of functional modules have the routing headers, from a CPO to us")

PUSH_PUT_FIRST = _must("pushes.put-first", "9.2.2.2", "A session is PUT before it is PATCHed")
PUSH_OBJECT = _must("pushes.object", "9.3.1", "A PUT has the whole session, a PATCH leads to a valid one")
PUSH_BARE = _must("pushes.bare", "4.1.7", "The body is the session itself, without an envelope")
PUSH_URL = _must("pushes.url", "9.2.2", "Country, party and id in the URL are those of the object")
PUSH_UPDATED = _must("pushes.last-updated", "9.2.2.3", "A PATCH has last_updated")
PUSH_PERIODS = _must("pushes.periods", "9.2.2.3", "Periods of a PATCH are new ones, to be appended")
PUSH_FORWARD = _must("pushes.forward", "9.1, 9.3.1", "status, kwh and last_updated never go back")
PUSH_LISTED = _should("pushes.listed", "9.2.1.1", "A session that is pushed is in the list")

UPDATE_AFTER_PUT = _must("updates.after-put", "14.4.2.4", "No active profile is pushed before a PUT was accepted")
UPDATE_COMES = _must("updates.comes", "14.4.2.4", "A limit of the CPO's own that moves the profile is pushed")
UPDATE_BARE = _must("updates.bare", "14.4.2.5", "The body is the active profile itself, without an envelope")
UPDATE_LENGTH = _should("updates.length", "14.4.2.4", "It is 5 to 60 minutes long")
UPDATE_NEWEST = _must("updates.newest", "4.4", "No older profile follows a newer one")

RULES: tuple[Rule, ...] = tuple(_REGISTERED)
