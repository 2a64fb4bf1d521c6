"""The widget's function: what a dashboard asks it, what it answers, and that it never fails in front of people."""

from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocpi_bridge.domain.histories import History
from ocpi_bridge.domain.requests import Answer, RequestKind, Result
from ocpi_bridge.runtime.widget_door import LONGEST_QUESTION, session_widget
from tests.support.deployed_functions import handler_of
from tests.support.deployed_site import Site, deployed_site
from tests.support.lambda_events import dashboard_event
from tests.support.markup import parsed, rows_of, text_of
from tests.support.queues import Queues
from tests.support.world import CARD, PAUSE_BETWEEN, World

ENDPOINT = "arn:aws:lambda:eu-west-1:123456789012:function:ocpi-bridge-test-session-widget:live"
CONTEXT = SimpleNamespace(invoked_function_arn=ENDPOINT)
Lines = Callable[[], list[dict[str, Any]]]


def nothing(_: str) -> History | None:
    return None


def asked_for(event: Mapping[str, Any]) -> list[str]:
    """What is looked up for an event."""
    asked: list[str] = []

    def look_back(any_id: str) -> None:
        asked.append(any_id)

    session_widget(look_back)(event, CONTEXT)
    return asked


def test_the_story_of_a_session_is_read_from_the_tables_and_shown(world: World, queues: Queues) -> None:
    with deployed_site(world, queues) as site:
        session = site.world.open_session()
        site.world.accept_put(session)
        request = site.world.request()
        assert site.world.commands.mark_sent(request)
        site.world.clock.advance(2)
        assert site.world.commands.record_answer(site.world.request(), Answer(Result.ACCEPTED, "Accepted"))
        site.world.put_request(session, RequestKind.GET, request_id="r2")
        assert site.world.commands.record_answer(site.world.request("r2"), Answer(Result.ACCEPTED, "", PAUSE_BETWEEN))
        site.world.clock.advance(60)

        html = handler_of("session_widget")(dashboard_event({"id": session.session_id}), CONTEXT)

        root = parsed(html)
        assert {node.attrib["class"] for node in root.iter("polyline")} == {
            "curve requested",
            "curve sent",
            "curve confirmed",
        }
        assert "ACCEPTED: Accepted" in [row[3] for row in rows_of(root, "Took")]
        assert CARD.uid not in html
        assert "Time (UTC+01:00)" in text_of(root)
        assert {node.attrib["endpoint"] for node in root.iter("cwdb-action")} == {ENDPOINT}


def test_it_describes_itself_without_reading_anything() -> None:
    answer = session_widget(_fails)({"describe": True}, CONTEXT)

    assert isinstance(answer, dict)
    assert "csms/station" in answer["markdown"]
    assert "**id**" in answer["markdown"]


@pytest.mark.parametrize(
    ("event", "wanted"),
    [
        (dashboard_event(), ""),
        (dashboard_event(id="preset"), "preset"),
        (dashboard_event({"id": " typed "}, id="preset"), "typed"),
        (dashboard_event({"id": "  "}, id="preset"), "preset"),
        (dashboard_event({"id": "typed"}, show="clicked"), "clicked"),
        ({"id": "bare"}, "bare"),
        ({}, ""),
        (dashboard_event({"id": "x" * 10_000}), "x" * LONGEST_QUESTION),
    ],
)
def test_what_was_clicked_counts_before_what_was_typed_and_that_before_the_widgets_own(
    event: Mapping[str, Any], wanted: str
) -> None:
    assert asked_for(event) == [wanted]


def test_the_dashboards_theme_and_width_are_the_widgets() -> None:
    dark = session_widget(nothing)(dashboard_event(theme="dark"), CONTEXT)

    assert "--paper: #12171d" in dark
    assert "--paper: #12171d" not in session_widget(nothing)(dashboard_event(), CONTEXT)


def _fails(_: str) -> History | None:
    raise RuntimeError("AccessDenied: secret words <b>")


def test_an_error_becomes_a_sentence_and_a_line_of_the_log(log: Lines) -> None:
    html = session_widget(_fails)(dashboard_event({"id": "s1"}), CONTEXT)

    assert isinstance(html, str)
    assert "cannot be shown now" in text_of(parsed(html))
    assert "secret words" not in html
    [line] = [line for line in log() if line.get("level") == "ERROR"]
    assert "AccessDenied" in line["exception"]


_JSON = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=True) | st.integers() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["widgetContext", "forms", "all", "id", "show", "timezone", "offsetISO", "theme", "width"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(
    st.dictionaries(st.sampled_from(["widgetContext", "id", "show", "describe"]), _JSON),
    st.sampled_from([None, CONTEXT]),
)
def test_whatever_it_is_given_it_answers(event: dict[str, Any], context: object) -> None:
    answer = session_widget(nothing)(event, context)

    assert isinstance(answer, dict) or answer.startswith('<div class="bridge-story">')


@pytest.mark.parametrize(
    ("offset", "named"),
    [
        ("+05:30", "UTC+05:30"),
        ("-08:00", "UTC-08:00"),
        ("+00:00", "UTC"),
        ("east", "UTC"),
        ("+99:00", "UTC"),
        (7, "UTC"),
    ],
)
def test_times_are_those_of_the_dashboard(world: World, queues: Queues, offset: object, named: str) -> None:
    with deployed_site(world, queues) as site:
        shown = _shown(site, offset)

    assert f"Time ({named})" in shown


def _shown(site: Site, offset: object) -> str:
    event = dashboard_event({"id": site.world.open_session().session_id})
    event["widgetContext"]["timezone"]["offsetISO"] = offset
    return text_of(parsed(handler_of("session_widget")(event, CONTEXT)))
