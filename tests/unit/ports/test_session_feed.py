"""Which sessions belong in a window of a partner's feed."""

from dataclasses import replace

import pytest

from ocpi_bridge.domain.partners import Party
from ocpi_bridge.ports.session_feed import FeedWindow
from tests.support.feeds import seconds, session_in_feed

SESSION = session_in_feed("s-1", seconds(10))


@pytest.mark.parametrize(
    ("window", "shown"),
    [
        (FeedWindow("jedlix", seconds(10)), True),
        (FeedWindow("jedlix", seconds(10.001)), False),
        (FeedWindow("jedlix", seconds(0), seconds(10.001)), True),
        (FeedWindow("jedlix", seconds(0), seconds(10)), False),
        (FeedWindow("other", seconds(0)), False),
        (FeedWindow("jedlix", seconds(0), party=Party("nl", "acm")), True),
        (FeedWindow("jedlix", seconds(0), party=Party("BE", "ACM")), False),
    ],
)
def test_a_session_is_shown_within_the_dates_to_who_sees_it_and_asks_for_its_party(
    window: FeedWindow, *, shown: bool
) -> None:
    assert window.shows(SESSION) is shown


def test_a_session_is_shown_by_its_whole_instant_although_partners_are_told_milliseconds() -> None:
    finer = replace(SESSION, last_updated=seconds(10.0009))
    assert FeedWindow("jedlix", seconds(10), seconds(10.001)).shows(finer)
