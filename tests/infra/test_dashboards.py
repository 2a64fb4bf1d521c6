"""Two dashboards that can be read: titles, units, legends, nothing over another, nothing left out."""

from itertools import combinations
from typing import Any

import pytest

from tests.infra.stack_template import FUNCTIONS, StackTemplate
from tests.infra.watching import alarms, composites, dashboards, expressions, shown

pytestmark = pytest.mark.integration

SERVICE, ENGINE_ROOM = "ocpi-bridge-production-service", "ocpi-bridge-production-engine-room"


def test_the_first_row_of_the_service_is_the_state_of_every_alarm_the_severities_first(
    production: StackTemplate,
) -> None:
    first = dashboards(production)[SERVICE][0]
    listed = first["properties"]["alarms"]

    assert (first["type"], first["x"], first["y"], first["width"]) == ("alarm", 0, 0, 24)
    assert listed[:2] == ["Alarms/Bell/page", "Alarms/Bell/ticket"]
    parts_of_composites = 4
    assert len(listed) == len(alarms(production)) + len(composites(production)) - parts_of_composites


def test_widgets_lie_beside_each_other_and_within_the_dashboard(production: StackTemplate) -> None:
    for name, widgets in dashboards(production).items():
        boxes = [(one["x"], one["y"], one["x"] + one["width"], one["y"] + one["height"]) for one in widgets]
        assert all(left >= 0 and right <= 24 for left, _, right, _ in boxes), name
        for a, b in combinations(boxes, 2):
            assert a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1], (name, a, b)


def test_graphs_say_what_they_show_in_which_unit(production: StackTemplate) -> None:
    for widgets in dashboards(production).values():
        titles = [one["properties"]["title"] for one in widgets if one["type"] != "text"]
        assert len(set(titles)) == len(titles)
        for graph in (one["properties"] for one in widgets if one["properties"].get("view") == "timeSeries"):
            axis = graph["yAxis"]["left"]
            assert axis["label"], graph["title"]
            assert (axis["showUnits"], axis["min"], graph["period"]) == (False, 0, 300)
            assert graph["legend"]["position"] == "bottom"
            labels = [_label(line) for line in graph["metrics"] if _visible(line)]
            assert all(labels), graph["title"]
            assert len(set(labels)) == len(labels), graph["title"]


def test_what_is_calculated_uses_metrics_of_its_own_widget(production: StackTemplate) -> None:
    for widgets in dashboards(production).values():
        for widget in widgets:
            metrics = widget["properties"].get("metrics", [])
            ids = {line[-1]["id"] for line in metrics if isinstance(line[-1], dict) and "id" in line[-1]}
            for text, used in expressions(metrics):
                assert used <= ids, text


def test_the_engine_room_shows_every_queue_function_table_and_api(production: StackTemplate) -> None:
    places = {value.split(".")[0] for metric in shown(production) for _, value in metric.dimensions}
    wanted = {
        path
        for kind in ("AWS::SQS::Queue", "AWS::Lambda::Function", "AWS::DynamoDB::GlobalTable")
        for path, _ in production.of_type(kind)
    }

    assert wanted - places == set()
    assert {"ocpi-bridge-production-ocpi", "ocpi-bridge-production-csms"} <= places
    assert {name.split("/")[1] for name in wanted if name.endswith("/Function")} == set(FUNCTIONS)


def test_cold_starts_are_read_from_the_logs_of_all_functions(production: StackTemplate) -> None:
    (widget,) = (one for one in dashboards(production)[ENGINE_ROOM] if one["type"] == "log")
    query = widget["properties"]["query"]

    assert query.count("SOURCE") == len(FUNCTIONS)
    assert '@type = "REPORT"' in query
    assert "@initDuration" in query


def test_the_service_ends_with_the_widget_that_shows_a_sessions_story(production: StackTemplate) -> None:
    last = dashboards(production)[SERVICE][-1]

    assert (last["type"], last["width"], last["height"]) == ("custom", 24, 16)
    assert production.name(last["properties"]["endpoint"]).endswith("Stories/session_widget/Alias")
    # It is called again by whoever reads it, and not by the clock of the dashboard.
    assert last["properties"]["updateOn"] == {"refresh": False, "resize": True, "timeRange": False}


def _visible(line: list[Any]) -> bool:
    return not (isinstance(line[-1], dict) and line[-1].get("visible") is False)


def _label(line: list[Any]) -> str | None:
    return line[-1].get("label") if isinstance(line[-1], dict) else None
