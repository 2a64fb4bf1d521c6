"""The bridge's own metrics: names, units, dimensions and every value that these can have.

Standard library only: what shows and watches the metrics (infra/) reads it too. Few values each, since CloudWatch bills
each combination as a metric of its own (docs/operations.md, "What watching costs").
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import field
from enum import StrEnum
from itertools import product
from typing import Final

from ocpi_bridge.domain.values import dataclass

NAMESPACE: Final = "OcpiBridge"
"""Each stage has its own: `OcpiBridge/production`."""


class Unit(StrEnum):
    """Units as CloudWatch spells them."""

    COUNT = "Count"
    MILLISECONDS = "Milliseconds"


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric. `dimensions`: each dimension's values; a datapoint has all dimensions, or none where there are none."""

    name: str
    unit: Unit = Unit.COUNT
    dimensions: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def series(self) -> Iterator[dict[str, str]]:
        """Every combination of dimension values: what CloudWatch keeps, shows and bills apart."""
        for combination in product(*self.dimensions.values()):
            yield dict(zip(self.dimensions, combination, strict=True))

    @property
    def size(self) -> int:
        """How many combinations there are."""
        return math.prod(len(values) for values in self.dimensions.values())


class PartnerError(StrEnum):
    """Why a partner did not take a message, in classes that ask for different things to be done."""

    UNAUTHORIZED = "unauthorized"
    NO_CREDENTIALS = "no_credentials"
    REFUSED_ADDRESS = "refused_address"
    UNREACHABLE = "unreachable"
    TIMEOUT = "timeout"
    THROTTLED = "throttled"
    CLIENT_ERROR = "client_error"
    SERVER_ERROR = "server_error"
    OCPI_ERROR = "ocpi_error"
    TOO_LATE = "too_late"
    OTHER = "other"


_CLASSES: Final = {
    "http_401": PartnerError.UNAUTHORIZED,
    "http_429": PartnerError.THROTTLED,
    "no_token": PartnerError.NO_CREDENTIALS,
    "no_client_secret": PartnerError.NO_CREDENTIALS,
    "no_api_key": PartnerError.NO_CREDENTIALS,
    "refused_host": PartnerError.REFUSED_ADDRESS,
    "refused_address": PartnerError.REFUSED_ADDRESS,
    "connect": PartnerError.UNREACHABLE,
    "connection_lost": PartnerError.UNREACHABLE,
    "dns": PartnerError.UNREACHABLE,
    "tls": PartnerError.UNREACHABLE,
    "protocol": PartnerError.UNREACHABLE,
    "timeout": PartnerError.TIMEOUT,
    "connect_timeout": PartnerError.TIMEOUT,
    "redirect": PartnerError.CLIENT_ERROR,
    "too_late": PartnerError.TOO_LATE,
}
_FAMILIES: Final = {
    "http_4": PartnerError.CLIENT_ERROR,
    "http_5": PartnerError.SERVER_ERROR,
    "ocpi_": PartnerError.OCPI_ERROR,
    "oauth_": PartnerError.NO_CREDENTIALS,
}


def partner_error(error: str | None) -> PartnerError:
    """The class of a receipt's error."""
    known = _CLASSES.get(error or "")
    if known is not None:
        return known
    families = (found for family, found in _FAMILIES.items() if (error or "").startswith(family))
    return next(families, PartnerError.OTHER)


class RequestResult(StrEnum):
    """The synchronous answer to a charging profile request: ChargingProfileResponseType (14.6.4), or why there is none."""

    ACCEPTED = "ACCEPTED"
    REJECTED = "REJECTED"
    NOT_SUPPORTED = "NOT_SUPPORTED"
    UNKNOWN_SESSION = "UNKNOWN_SESSION"
    TOO_OFTEN = "TOO_OFTEN"
    INVALID = "invalid"
    UNAUTHORIZED = "unauthorized"
    FAILED = "failed"


class EventOutcome(StrEnum):
    """What became of something that a CSMS reported: taken, refused, or true of nothing that the bridge knows."""

    TAKEN = "taken"
    REFUSED = "refused"
    UNPLACED = "unplaced"


CALL_TAKEN: Final = "delivered"
"""The outcome of a call that the partner took; every other outcome is a PartnerError."""

REQUESTS: Final = Metric("Requests", dimensions={"kind": ("SET", "CLEAR", "GET"), "result": tuple(RequestResult)})
"""Partners' charging profile requests."""

COMMANDS: Final = Metric(
    "Commands", dimensions={"outcome": ("answered", "pending", "refused", "superseded", "out_of_time", "again")}
)
"""Turns of requests at their charge point (usecases.send_command.Sent)."""

EXPIRED_REQUESTS: Final = Metric("ExpiredRequests")
"""1 for a partner's request that nobody answered in time, 0 for one that the charge point answered: Average is the ratio."""

DELIVERED_RESULTS: Final = Metric("DeliveredResults")
"""1 for a result that reached its partner, 0 for one that was given up: Average is the ratio that the SLO is about."""

UNDELIVERED_RESULTS: Final = Metric("UndeliveredResults", dimensions={"error": tuple(PartnerError)})
"""Results that were given up, by what the last attempt met."""

CHARGER_ANSWER_TIME: Final = Metric("ChargerAnswerTime", Unit.MILLISECONDS)
"""From a partner's accepted request to its charge point's answer."""

RESULT_DELIVERY_TIME: Final = Metric("ResultDeliveryTime", Unit.MILLISECONDS)
"""From a partner's accepted request to its delivered result."""

SESSION_PUSHES: Final = Metric("SessionPushes", dimensions={"outcome": ("put", "patch", "failed", "given_up")})
"""Pushes of sessions to partners (usecases.push_session.PushResult)."""

ACTIVE_PROFILES: Final = Metric("ActiveProfiles", dimensions={"outcome": ("pushed", "failed", "resending", "clearing")})
"""What was done about followed profiles: told to the partner, or brought back to the plan (usecases.watching.Watched)."""

PARTNER_CALLS: Final = Metric(
    # What is too late is not called any more.
    "PartnerCalls",
    dimensions={"outcome": (CALL_TAKEN, *(error for error in PartnerError if error is not PartnerError.TOO_LATE))},
)
"""Every call of a partner's interfaces, retries included."""

REFUSED_URLS: Final = Metric("RefusedUrls")
"""URLs of partners that must not be called: a `response_url`, an endpoint, an authorization server."""

EVENTS: Final = Metric("Events", dimensions={"outcome": tuple(EventOutcome)})
"""What CSMSs reported, one by one."""

LIVE_SESSIONS: Final = Metric("LiveSessions")
"""Sessions that are not over and that a partner sees, counted each minute; one that two partners see counts twice."""

SILENT_PARTNERS: Final = Metric("SilentPartners")
"""Partners that take no push while sessions of theirs run, counted each minute."""

GIVEN_UP_MESSAGES: Final = Metric("GivenUpMessages")
"""Messages that a worker put into a dead-letter queue after their last try."""

INTERNAL_ERRORS: Final = Metric("InternalErrors")
"""Errors that a function caught and answered: Lambda's own error count does not have them."""

CATALOGUE: Final = (
    REQUESTS,
    COMMANDS,
    EXPIRED_REQUESTS,
    DELIVERED_RESULTS,
    UNDELIVERED_RESULTS,
    CHARGER_ANSWER_TIME,
    RESULT_DELIVERY_TIME,
    SESSION_PUSHES,
    ACTIVE_PROFILES,
    PARTNER_CALLS,
    REFUSED_URLS,
    EVENTS,
    LIVE_SESSIONS,
    SILENT_PARTNERS,
    GIVEN_UP_MESSAGES,
    INTERNAL_ERRORS,
)
