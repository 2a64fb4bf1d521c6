"""The plot: where its lines run, what its axes say, and what it says when there is nothing to draw."""

from datetime import UTC, datetime, timedelta, timezone, tzinfo
from decimal import Decimal
from itertools import pairwise
from xml.etree import ElementTree as ET
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocpi_bridge.domain.courses import Stretch
from ocpi_bridge.domain.plans import RateUnit
from ocpi_bridge.rendering.axes import AREA, LEFT, MARGIN, Frame, limit_ticks, time_ticks
from ocpi_bridge.rendering.plot import NARROWEST, Line, Mark, Picture, outline, plot

START = datetime(2026, 1, 15, 17, 5, tzinfo=UTC)
SVG = "{http://www.w3.org/2000/svg}"
AMSTERDAM = ZoneInfo("Europe/Amsterdam")
BOTTOM = 400.0


def after(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


def stretch(start: float, end: float, value: str) -> Stretch:
    return Stretch(after(start), after(end), Decimal(value))


GUIDE = (stretch(0, 30, "22000"), stretch(30, 60, "0"), stretch(60, 90, "10000"))
REQUESTED = Line("requested", "requested by the partner", GUIDE)
CONFIRMED = Line("confirmed", "confirmed by the charge point", GUIDE)
MEASURED = Line("measured", "measured", GUIDE[:1])


def drawn(
    *lines: Line, zone: tzinfo = UTC, width: float = 1120, unit: RateUnit = RateUnit.WATT, marks: tuple[Mark, ...] = ()
) -> ET.Element:
    return ET.fromstring(plot(lines, unit=unit, zone=zone, shown=Picture("A plot", width=width), marks=marks))


def texts(root: ET.Element) -> list[str]:
    return [node.text or "" for node in root.iter(f"{SVG}text")]


def points(root: ET.Element) -> list[tuple[float, float]]:
    return [
        (float(x), float(y))
        for kind in ("polyline", "polygon")
        for node in root.iter(f"{SVG}{kind}")
        for x, y in (pair.split(",") for pair in node.attrib["points"].split())
    ]


def test_a_line_runs_in_steps_and_ends_where_it_ends() -> None:
    frame = Frame(START, after(90), Decimal(25000))

    (corners,) = outline(GUIDE, frame, BOTTOM)

    assert corners[0] == (LEFT, frame.y(Decimal(22000), BOTTOM))
    assert corners[-1] == (frame.right, frame.y(Decimal(10000), BOTTOM))
    assert all(one[0] == two[0] or one[1] == two[1] for one, two in pairwise(corners)), "only level and upright lines"
    limits = (22000, 22000, 0, 0, 10000, 10000)
    assert [y for _, y in corners] == [frame.y(Decimal(limit), BOTTOM) for limit in limits]


def test_where_nothing_is_known_nothing_is_drawn() -> None:
    frame = Frame(START, after(90), Decimal(25000))

    first, second = outline((GUIDE[0], GUIDE[2]), frame, BOTTOM)

    assert first[-1][0] == frame.x(after(30))
    assert second[0][0] == frame.x(after(60))


def test_the_frame_maps_its_edges_to_the_edges_of_the_area() -> None:
    frame = Frame(START, after(60), Decimal(100), 600)

    assert (frame.x(START), frame.x(after(60))) == (LEFT, 600 - MARGIN)
    assert frame.x(after(30)) == (LEFT + 600 - MARGIN) / 2
    assert (frame.y(Decimal(0), BOTTOM), frame.y(Decimal(100), BOTTOM)) == (BOTTOM, BOTTOM - AREA)
    assert (frame.x(after(-5)), frame.y(Decimal(-1), BOTTOM)) == (LEFT, BOTTOM)


@pytest.mark.parametrize(
    ("largest", "top"), [("22", 25), ("25", 25), ("22.08", 25), ("16", 20), ("0.4", 0.4), ("0", 1), ("22000", 25000)]
)
def test_the_limit_axis_reaches_the_largest_limit_in_round_steps(largest: str, top: float) -> None:
    ticks = limit_ticks(Decimal(largest))

    assert ticks[0] == 0
    assert ticks[-1] >= Decimal(largest)
    assert float(ticks[-1]) == top
    assert len({two - one for one, two in pairwise(ticks)}) == 1
    assert len(ticks) <= 8


@pytest.mark.parametrize("zone", [UTC, AMSTERDAM, timezone(timedelta(hours=5, minutes=30))])
@pytest.mark.parametrize("minutes", [1, 3, 15, 90, 1440, 30 * 1440])
def test_the_time_axis_has_a_few_round_times_of_its_zone_whatever_the_span(minutes: float, zone: tzinfo) -> None:
    ticks = time_ticks(START, after(minutes), zone, 9)

    assert 1 <= len(ticks) <= 9
    assert all(START <= tick <= after(minutes) and tick.second == 0 for tick in ticks)
    if minutes > 1440:
        assert {f"{tick.astimezone(zone):%H:%M}" for tick in ticks} == {"00:00"}


def test_lines_are_told_apart_and_named_with_the_unit_on_the_axis() -> None:
    root = drawn(REQUESTED, CONFIRMED)

    assert [node.attrib["class"] for node in root.iter(f"{SVG}polyline")] == ["curve requested", "curve confirmed"]
    assert {"requested by the partner", "confirmed by the charge point", "Power, kW (total)", "25"} <= set(texts(root))


def test_what_was_measured_is_an_area_below_the_lines() -> None:
    root = drawn(REQUESTED, MEASURED)

    first, second = root.iter(f"{SVG}polyline")
    assert (first.attrib["class"], second.attrib["class"]) == ("curve measured", "curve requested")
    corners = [tuple(map(float, pair.split(","))) for pair in first.attrib["points"].split()]
    floor = max(y for _, y in corners)
    assert corners[0] == corners[-1]
    assert [y for _, y in corners] == [corners[0][1]] * 2 + [floor] * 2 + [corners[0][1]]


def test_amperes_are_shown_as_they_are_and_per_phase() -> None:
    root = drawn(Line("requested", "requested", (stretch(0, 10, "16"),)), unit=RateUnit.AMPERE)

    assert {"Current, A (per phase)", "20"} <= set(texts(root))
    assert "16 A from 17:05:00 UTC" in ET.tostring(root, "unicode")


def test_times_are_written_in_the_zone_and_in_utc_and_once_where_both_are_one() -> None:
    written = texts(drawn(REQUESTED, zone=AMSTERDAM))
    assert {"17:20", "18:20", "CET", "UTC", "2026-01-15"} <= set(written)

    alone = texts(drawn(REQUESTED))
    assert "17:20" in alone
    assert alone.count("UTC") == 1


def test_a_day_that_begins_within_the_picture_is_named() -> None:
    late = Line("requested", "requested", (stretch(5 * 60, 9 * 60, "1"),))

    assert {"2026-01-15", "2026-01-16"} <= set(texts(drawn(late)))


def test_a_screen_reader_is_told_the_limits_and_how_many_more_there_are() -> None:
    assert "22 kW from 17:05:00 UTC; 0 kW from 17:35:00 UTC; 10 kW from 18:05:00 UTC." in ET.tostring(
        drawn(REQUESTED), "unicode"
    )
    many = Line("requested", "requested", [stretch(n, n + 1, str(n)) for n in range(1000)])
    assert "and 976 more" in ET.tostring(drawn(many), "unicode")


def test_without_anything_to_draw_the_picture_says_so_within_its_width() -> None:
    sentence = "Nothing was requested, and the charge point has reported nothing."
    root = ET.fromstring(
        plot((), unit=RateUnit.WATT, zone=UTC, shown=Picture("A plot", width=NARROWEST), notes=(sentence,))
    )

    assert " ".join(texts(root)) == sentence
    assert len(texts(root)) > 1
    assert sentence in (root.findtext(f"{SVG}desc") or "")


def test_marks_are_shown_with_their_words_and_left_out_beyond_the_picture() -> None:
    marks = (
        Mark(after(10), "asked", "somebody asked"),
        Mark(after(11), "bad", "<no>"),
        Mark(after(500), "good", "late"),
    )
    root = drawn(REQUESTED, marks=marks)

    assert [node.findtext(f"{SVG}title") for node in root.iter(f"{SVG}g")] == ["somebody asked", "<no>"]
    assert {"a request", "a refusal or failure"} <= set(texts(root))
    assert "a result" not in texts(root)


def test_a_plan_of_nothing_but_a_pause_can_be_drawn() -> None:
    assert points(drawn(Line("requested", "requested", (stretch(0, 15, "0"),))))


@pytest.mark.parametrize("days", [3, 9, 10, 11, 12, 40])
@pytest.mark.parametrize("width", [NARROWEST, 600, 900, 1200])
def test_dates_side_by_side_leave_each_other_room(days: int, width: float) -> None:
    _assert_nothing_overlaps(drawn(Line("requested", "requested", (stretch(-5, days * 1440, "1"),)), width=width))


@given(
    st.lists(
        st.lists(st.tuples(st.integers(0, 10**6), st.integers(1, 10**5), st.integers(-100, 10**6)), max_size=12),
        max_size=4,
    ),
    st.sampled_from([300.0, NARROWEST, 600.0, 900.0, 1200.0, 2400.0]),
    st.sampled_from([UTC, AMSTERDAM, timezone(timedelta(hours=-11, minutes=-30))]),
    st.sampled_from(RateUnit),
)
def test_everything_lies_within_the_picture_and_no_label_over_another(
    courses: list[list[tuple[int, int, int]]], width: float, zone: tzinfo, unit: RateUnit
) -> None:
    names = ("requested", "sent", "confirmed", "measured")
    lines = []
    for name, course in zip(names, courses, strict=False):
        at, stretches = START, []
        for gap, length, value in course:
            start = at + timedelta(seconds=gap)
            at = start + timedelta(seconds=length)
            stretches.append(Stretch(start, at, Decimal(value)))
        lines.append(Line(name, f"{name} by somebody", stretches))
    marks = tuple(Mark(one.stretches[0].start, "asked", "asked") for one in lines if one.stretches)

    root = drawn(*lines, width=width, zone=zone, unit=unit, marks=marks)

    _assert_nothing_overlaps(root)


def _assert_nothing_overlaps(root: ET.Element) -> None:
    _, _, right, bottom = map(float, root.attrib["viewBox"].split())
    places = points(root)
    places += [(float(node.attrib["x"]), float(node.attrib["y"])) for node in root.iter(f"{SVG}text")]
    places += [(float(node.attrib["cx"]), float(node.attrib["cy"])) for node in root.iter(f"{SVG}circle")]
    assert all(0 <= x <= right and 0 <= y <= bottom for x, y in places)
    rows: dict[float, list[tuple[float, float]]] = {}
    for node in root.iter(f"{SVG}text"):
        first, last = _extent(node)
        assert first >= 0
        assert last <= right
        rows.setdefault(float(node.attrib["y"]), []).append((first, last))
    for row in rows.values():
        for one, two in pairwise(sorted(row)):
            assert one[1] <= two[0], row


def _extent(node: ET.Element) -> tuple[float, float]:
    """From where to where a text reaches, as wide as its font is for digits and capitals on the whole."""
    x, length = float(node.attrib["x"]), len(node.text or "") * 6.9
    match node.attrib.get("text-anchor"):
        case "middle":
            return x - length / 2, x + length / 2
        case "end":
            return x - length, x
    return x, x + length
