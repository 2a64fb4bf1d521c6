"""Learning of stations: how long what one said of itself is believed, and what it says besides Accepted and Rejected."""

import re
from datetime import timedelta
from decimal import ROUND_CEILING, Decimal

# A station that is updated says something else afterwards, and nobody tells the bridge: after a week it is asked anew.
LEARNED_FOR = timedelta(days=7)
NOT_SUPPORTED_FOR = timedelta(days=7)

# A station that does not say how long it wants to be left alone: long enough to empty its queue, and no plan is old yet.
RATE_LIMITED_FOR = timedelta(seconds=60)
# A number of the station's must neither be ignored nor close a session to its partner for good.
LEAST_RATE_LIMIT = timedelta(seconds=1)
LONGEST_RATE_LIMIT = timedelta(hours=1)

# In OCPP-J (4.2.3) NotImplemented is an action that is not known, NotSupported one that is known and not supported. As a
# status only NotSupported exists (1.6 7.11); NotImplemented is met in the field.
_NOT_SUPPORTED = frozenset({"NotSupported", "NotImplemented", "CallError:NotSupported", "CallError:NotImplemented"})

_RATE_LIMIT_EXCEEDED = "ratelimitexceeded"
_SECONDS = re.compile(r"(?<![0-9.])([0-9]+(?:\.[0-9]+)?) *s(?:ec(?:onds?|s)?)?\b", re.IGNORECASE)


def says_not_supported(status: str) -> bool:
    """Whether the status of a SET means that the station takes no charging profiles at all.

    A CALLERROR is read as the driver gives it, `CallError:<code>`. To a GET these say nothing of SET: a station may
    take profiles and have no composite schedules.
    """
    return status in _NOT_SUPPORTED


def rate_limited_for(detail: str) -> timedelta | None:
    """How long a station that refused wants to be left alone, between 1 s and an hour; None where that was not its reason.

    `detail` is its reason as the codec gives it, `<reasonCode>: <additionalInfo>`. OCPP 2.1's code RateLimitExceeded
    comes with "<n> seconds before retry"; without a number it is RATE_LIMITED_FOR.
    """
    code, _, said = detail.partition(":")
    if code.strip().casefold() != _RATE_LIMIT_EXCEEDED:
        return None
    found = _SECONDS.search(said)
    if found is None:
        return RATE_LIMITED_FOR
    longest = Decimal(int(LONGEST_RATE_LIMIT.total_seconds()))
    seconds = min(Decimal(found.group(1)), longest).to_integral_value(ROUND_CEILING)
    return max(LEAST_RATE_LIMIT, timedelta(seconds=int(seconds)))
