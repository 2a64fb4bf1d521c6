from datetime import timedelta

import pytest

from ocpi_bridge.domain.learning import RATE_LIMITED_FOR, rate_limited_for, says_not_supported


@pytest.mark.parametrize(
    "status", ["NotSupported", "NotImplemented", "CallError:NotSupported", "CallError:NotImplemented"]
)
def test_a_station_says_that_it_takes_no_profiles(status: str) -> None:
    assert says_not_supported(status)


@pytest.mark.parametrize("status", ["Accepted", "Rejected", "Unknown", "Unparseable", "CallError:InternalError", ""])
def test_any_other_status_says_nothing_of_the_next_time(status: str) -> None:
    assert not says_not_supported(status)


@pytest.mark.parametrize(
    ("detail", "seconds"),
    [
        ("RateLimitExceeded: 30 seconds before retry", 30),
        ("ratelimitexceeded : 1 second before retry", 1),
        ("RateLimitExceeded: retry in 45s", 45),
        ("RateLimitExceeded: 90 sec", 90),
        ("RateLimitExceeded: 2.5 seconds before retry", 3),
        ("RateLimitExceeded: 3600 seconds before retry", 3600),
    ],
)
def test_a_station_says_how_long_it_wants_to_be_left_alone(detail: str, seconds: int) -> None:
    assert rate_limited_for(detail) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "detail",
    ["RateLimitExceeded", "RateLimitExceeded: later", "RateLimitExceeded: 5 retries", "RateLimitExceeded: 3 stations"],
)
def test_a_station_that_says_no_time_is_left_alone_for_a_minute(detail: str) -> None:
    assert rate_limited_for(detail) == RATE_LIMITED_FOR == timedelta(minutes=1)


@pytest.mark.parametrize(
    ("said", "seconds"), [("0", 1), ("0.0", 1), ("3601", 3600), ("9" * 100, 3600), ("86400", 3600)]
)
def test_the_time_is_bounded_whatever_the_station_says(said: str, seconds: int) -> None:
    assert rate_limited_for(f"RateLimitExceeded: {said} seconds before retry") == timedelta(seconds=seconds)


@pytest.mark.parametrize("detail", ["", "InvalidProfile: 30 seconds before retry", "30 seconds: RateLimitExceeded"])
def test_another_reason_is_no_wish_to_be_left_alone(detail: str) -> None:
    assert rate_limited_for(detail) is None
