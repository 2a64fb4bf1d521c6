"""The plot of plans: where its lines run, what its axes say, and what it says when there is nothing to draw."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from xml.etree import ElementTree as ET
from zoneinfo import ZoneInfo

import pytest

from tools.demo.plot import (
    BOTTOM,
    HEIGHT,
    LEFT,
    RIGHT,
    TOP,
    WIDTH,
    Curve,
    Frame,
    limit_ticks,
    outline,
    plot,
    time_ticks,
)

START = datetime(2026, 1, 15, 17, 5, tzinfo=UTC)
SVG = "{http://www.w3.org/2000/svg}"


def after(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


GUIDE = Curve(((START, Decimal(22000)), (after(30), Decimal(0)), (after(60), Decimal(10000))), after(90))


def texts(svg: str) -> list[str]:
    return [node.text or "" for node in ET.fromstring(svg).iter(f"{SVG}text")]


def test_a_curve_runs_in_steps_and_ends_where_it_ends() -> None:
    frame = Frame(START, after(90), Decimal(25000))

    corners = outline(GUIDE, frame)

    assert corners[0] == (LEFT, frame.y(Decimal(22000)))
    assert corners[-1] == (RIGHT, frame.y(Decimal(10000)))
    assert all(one[0] == two[0] or one[1] == two[1] for one, two in pairwise(corners)), "only level and upright lines"
    assert [y for _, y in corners] == [frame.y(Decimal(limit)) for limit in (22000, 22000, 0, 0, 10000, 10000)]


def test_the_frame_maps_its_edges_to_the_edges_of_the_picture() -> None:
    frame = Frame(START, after(60), Decimal(100))

    assert (frame.x(START), frame.x(after(30)), frame.x(after(60))) == (LEFT, (LEFT + RIGHT) / 2, RIGHT)
    assert (frame.y(Decimal(0)), frame.y(Decimal(100))) == (BOTTOM, TOP)
    assert frame.x(after(-5)) == LEFT


@pytest.mark.parametrize(
    ("largest", "top"), [("22000", 25000), ("25000", 25000), ("22080", 25000), ("16", 20), ("0.4", 0.4), ("0", 1)]
)
def test_the_limit_axis_reaches_the_largest_limit_in_round_steps(largest: str, top: float) -> None:
    ticks = limit_ticks(Decimal(largest))

    assert ticks[0] == 0
    assert ticks[-1] >= Decimal(largest)
    assert float(ticks[-1]) == top
    assert len({two - one for one, two in pairwise(ticks)}) == 1
    assert len(ticks) <= 8


@pytest.mark.parametrize("minutes", [0.5, 3, 15, 90, 1440, 30 * 1440])
def test_the_time_axis_has_a_few_round_times_whatever_the_span(minutes: float) -> None:
    ticks = time_ticks(START, after(minutes))

    assert 1 <= len(ticks) <= 9
    assert all(START <= tick <= after(minutes) and tick.second == 0 for tick in ticks)


def test_both_curves_are_drawn_and_told_apart_by_name() -> None:
    svg = plot(GUIDE, GUIDE, unit="W", zone=UTC)

    lines = [node.attrib["class"] for node in ET.fromstring(svg).iter(f"{SVG}polyline")]
    assert lines == ["curve requested", "curve reported"]
    assert "requested by the partner (W)" in texts(svg)
    assert "what the charge point says it will do (W)" in texts(svg)


def test_every_part_of_the_plot_lies_within_the_picture() -> None:
    root = ET.fromstring(plot(GUIDE, GUIDE, unit="W", zone=UTC))

    points = [
        tuple(map(float, pair.split(",")))
        for node in root.iter(f"{SVG}polyline")
        for pair in node.attrib["points"].split()
    ]
    points += [(float(node.attrib["x"]), float(node.attrib["y"])) for node in root.iter(f"{SVG}text")]
    assert all(0 <= x <= WIDTH and 0 <= y <= HEIGHT for x, y in points)
    assert all(TOP <= y <= BOTTOM for y in (points[0][1], points[1][1]))


def test_times_are_written_in_the_local_zone_and_in_utc() -> None:
    written = texts(plot(GUIDE, GUIDE, unit="W", zone=ZoneInfo("Europe/Amsterdam")))

    assert "17:15" in written
    assert "18:15" in written
    assert "local (CET)" in written
    assert "UTC" in written


def test_the_dates_of_both_zones_are_given_when_midnight_lies_between_them() -> None:
    late = Curve(((START.replace(hour=23, minute=30), Decimal(1)),), START.replace(hour=23, minute=59))

    written = texts(plot(late, None, unit="W", zone=ZoneInfo("Europe/Amsterdam")))

    assert any("local date 2026-01-16, UTC date 2026-01-15" in text for text in written)


def test_a_screen_reader_is_told_the_limits() -> None:
    assert "22\u202f000 W from 17:05:00 UTC; 0 W from 17:35:00 UTC; 10\u202f000 W from 18:05:00 UTC" in plot(
        GUIDE, None, unit="W", zone=UTC
    )


def test_without_any_plan_the_picture_says_so() -> None:
    svg = plot(None, None, unit="W", zone=UTC)

    assert texts(svg) == ["Nothing was requested, and the charge point has reported nothing."]


def test_a_charge_point_that_said_nothing_is_not_drawn_as_a_line() -> None:
    svg = plot(GUIDE, None, unit="W", zone=UTC)

    assert "The charge point has not said what it will do." in texts(svg)
    assert [node.attrib["class"] for node in ET.fromstring(svg).iter(f"{SVG}polyline")] == ["curve requested"]


def test_a_report_without_a_request_is_drawn_with_a_note() -> None:
    assert "No plan was requested." in texts(plot(None, GUIDE, unit="W", zone=UTC))


def test_a_plan_of_nothing_but_a_pause_can_be_drawn() -> None:
    pause = Curve(((START, Decimal(0)),), after(15))

    assert "Limit, A (per phase)" in texts(plot(pause, pause, unit="A", zone=UTC))


def test_a_curve_that_ends_where_its_last_step_begins_is_still_seen() -> None:
    frame = Frame(START, after(10), Decimal(10))

    corners = outline(Curve(((START, Decimal(5)),), START), frame)

    assert corners[0][0] < corners[-1][0]
