"""A plot of limits and power over time as SVG: level lines, an area of what was measured, marks of what happened.

Colours come from the page: `STYLE` names the variables that it must set.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from decimal import Decimal
from textwrap import wrap

from ocpi_bridge.domain.courses import Stretch
from ocpi_bridge.domain.plans import RateUnit
from ocpi_bridge.domain.values import dataclass
from ocpi_bridge.rendering.axes import (
    AREA,
    AXIS,
    CHARACTER,
    LEFT,
    SHOWN_IN,
    WIDTH,
    Frame,
    limit_axis,
    limit_ticks,
    number,
    time_axis,
    time_rows,
)
from ocpi_bridge.rendering.markup import Markup, element, joined, picture

STYLE = """\
.plot { max-width: 100%; height: auto; display: block; }
.plot text { fill: var(--ink); font: 13px var(--sans); }
.plot .soft { fill: var(--soft); }
.plot .grid { stroke: var(--line); stroke-width: 1; }
.plot .axis { stroke: var(--soft); stroke-width: 1; }
.plot .curve { fill: none; stroke-linejoin: round; }
/* The wide band stays visible where narrow lines cover it: equal plans are seen as several. */
.plot .requested { stroke: var(--requested); stroke-width: 10; }
.plot .sent { stroke: var(--sent); stroke-width: 5; }
.plot .confirmed { stroke: var(--confirmed); stroke-width: 2.2; }
.plot .measured { stroke: var(--measured); stroke-width: 1.2; fill: var(--measured); fill-opacity: 0.3; }
.plot .mark { stroke: var(--paper); stroke-width: 1; fill: var(--ink); }
.plot .mark.good { fill: var(--good); }
.plot .mark.bad { fill: var(--bad); }
.plot .now { stroke: var(--soft); stroke-width: 1.2; stroke-dasharray: 4 4; }
.plot .note { font-size: 15px; text-anchor: middle; paint-order: stroke; stroke: var(--paper); stroke-width: 6px; }
"""

# Below this width (px) axes and legend have no room; the picture shrinks as a whole instead.
NARROWEST = 420.0
# Above the area: one row of the legend, the axis's unit, and marks.
TOP = 84.0
# The height of a line of a note, and how wide a character of it is about (px).
NOTE, NOTE_CHARACTER = 24.0, 8.2
_SHORT = {RateUnit.WATT: "kW", RateUnit.AMPERE: "A"}
# What is read to those who see no picture has an end.
MOST_PHRASES = 24


@dataclass(frozen=True, slots=True)
class Line:
    """A course of values (W in total or A per phase, by the plot's unit). `name` is its class in STYLE.

    What is named `measured` is drawn as an area. Where it has a gap nothing is drawn.
    """

    name: str
    label: str
    stretches: Sequence[Stretch]


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that happened at an instant: a triangle for what was asked, a dot for what came of it.

    `name` is `asked`, `good` or `bad`; `text` is shown when it is pointed at.
    """

    at: datetime
    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Picture:
    """What a plot is called, and the id that is its own in the page."""

    title: str
    identity: str = "plot"
    width: float = WIDTH


def plot(
    lines: Sequence[Line],
    *,
    unit: RateUnit,
    zone: tzinfo,
    shown: Picture,
    window: tuple[datetime, datetime] | None = None,
    marks: Sequence[Mark] = (),
    notes: Sequence[str] = (),
    now: datetime | None = None,
) -> Markup:
    """All lines in one picture, with times in `zone` and in UTC, and `notes` in words in its middle.

    `window` is what is shown of time; None: as far as the lines go. Marks outside it are left out. Moments are aware.
    """
    width = max(NARROWEST, shown.width)
    drawn_lines = [line for line in lines if line.stretches]
    window = window or _span(drawn_lines)
    if window is None:
        wrapped = _wrapped(notes, width)
        return _picture(_notes(wrapped, width / 2, 40.0), shown, width, 56.0 + NOTE * len(wrapped), " ".join(notes))
    start, end = window[0], max(window[1], window[0] + timedelta(minutes=1))
    scale = SHOWN_IN[unit]
    highest = max((one.value for line in drawn_lines for one in line.stretches), default=Decimal(0))
    frame = Frame(start, end, limit_ticks(highest / scale)[-1] * scale, width)
    kinds = {mark.name for mark in marks if start <= mark.at <= end}
    rows = _rows(_entries(drawn_lines, kinds), width)
    bottom = TOP + AREA + 22.0 * (len(rows) - 1)
    # What is measured lies below the lines that it is compared with.
    ordered = sorted(drawn_lines, key=lambda line: line.name != "measured")
    content = joined(
        _legend(rows),
        limit_axis(frame, unit, bottom),
        time_axis(frame, zone, bottom),
        *(_line(line, frame, bottom) for line in ordered),
        _now(frame, now, bottom),
        *(_mark(mark, frame, bottom) for mark in marks if start <= mark.at <= end),
        _notes(_wrapped(notes, frame.right - LEFT), (LEFT + frame.right) / 2, bottom - AREA / 2),
    )
    words = " ".join([*(_in_words(line, unit) for line in drawn_lines), *notes])
    return _picture(content, shown, width, bottom + 24.0 + 22.0 * time_rows(frame, zone), words)


def outline(stretches: Iterable[Stretch], frame: Frame, bottom: float) -> list[list[tuple[float, float]]]:
    """The corners of a step line from left to right: one list for each part without a gap."""
    parts: list[list[tuple[float, float]]] = []
    last: datetime | None = None
    for one in stretches:
        if one.start != last:
            parts.append([])
        y = frame.y(one.value, bottom)
        parts[-1] += [(frame.x(one.start), y), (frame.x(one.end), y)]
        last = one.end
    return parts


def _span(lines: Sequence[Line]) -> tuple[datetime, datetime] | None:
    if not lines:
        return None
    return min(line.stretches[0].start for line in lines), max(line.stretches[-1].end for line in lines)


def _line(line: Line, frame: Frame, bottom: float) -> Markup:
    drawn = []
    for corners in outline(line.stretches, frame, bottom):
        if line.name == "measured":
            corners += [(corners[-1][0], bottom), (corners[0][0], bottom), corners[0]]
        points = " ".join(f"{x:.2f},{y:.2f}" for x, y in corners)
        drawn.append(element("polyline", points=points, class_=f"curve {line.name}"))
    return joined(*drawn)


def _entries(lines: Sequence[Line], kinds: set[str]) -> list[tuple[str, str]]:
    marks = (("asked", "a request"), ("good", "a result"), ("bad", "a refusal or failure"))
    return [(line.name, line.label) for line in lines] + [entry for entry in marks if entry[0] in kinds]


def _rows(entries: Sequence[tuple[str, str]], width: float) -> list[list[tuple[float, str, str]]]:
    """The legend's entries with their places, in as many rows as they need."""
    rows: list[list[tuple[float, str, str]]] = [[]]
    x = 12.0
    for name, label in entries:
        room = 40 + len(label) * CHARACTER + 22
        if rows[-1] and x + room > width:
            rows.append([])
            x = 12.0
        rows[-1].append((x, name, label))
        x += room
    return rows


def _legend(rows: Sequence[Sequence[tuple[float, str, str]]]) -> Markup:
    marks: list[Markup] = []
    for place, row in enumerate(rows):
        y = 18.0 + 22.0 * place
        for x, name, label in row:
            if name in {"asked", "good", "bad"}:
                marks.append(_symbol(name, x + 17, y))
            elif name == "measured":
                marks.append(element("rect", x=x, y=y - 7, width=34, height=12, class_="measured"))
            else:
                marks.append(element("line", x1=x, x2=x + 34, y1=y, y2=y, class_=f"curve {name}"))
            marks.append(element("text", label, x=x + 40, y=y + 4.5))
    return joined(*marks)


def _mark(mark: Mark, frame: Frame, bottom: float) -> Markup:
    # Results hang below requests, so that neither hides the other.
    y = bottom - AREA - (8 if mark.name == "asked" else -6)
    return element("g", element("title", mark.text), _symbol(mark.name, frame.x(mark.at), y))


def _symbol(name: str, x: float, y: float) -> Markup:
    if name == "asked":
        points = f"{x - 6:.2f},{y - 6:.2f} {x + 6:.2f},{y - 6:.2f} {x:.2f},{y + 5:.2f}"
        return element("polygon", points=points, class_="mark asked")
    return element("circle", cx=x, cy=y, r=5, class_=f"mark {name}")


def _now(frame: Frame, now: datetime | None, bottom: float) -> Markup:
    if now is None or not frame.start < now < frame.end:
        return Markup("")
    x = frame.x(now)
    label = element("text", "now", x=x, y=bottom - AREA - 22, text_anchor="middle", class_="soft")
    near_the_axis = x < LEFT + len(AXIS[RateUnit.AMPERE]) * CHARACTER
    return joined(
        element("line", x1=x, x2=x, y1=bottom - AREA, y2=bottom, class_="now"), Markup("") if near_the_axis else label
    )


def _wrapped(notes: Sequence[str], room: float) -> list[str]:
    return [line for note in notes for line in wrap(note, max(8, int(room / NOTE_CHARACTER)))]


def _notes(lines: Sequence[str], x: float, y: float) -> Markup:
    """Lines of text below each other, around a vertical line."""
    return joined(*(element("text", one, x=x, y=y + NOTE * place, class_="note") for place, one in enumerate(lines)))


def _picture(content: Markup, shown: Picture, width: float, height: float, description: str) -> Markup:
    return picture(
        content,
        width=width,
        height=height,
        title=shown.title,
        description=description,
        identity=shown.identity,
        class_="plot",
    )


def _in_words(line: Line, unit: RateUnit) -> str:
    phrases = list(_phrases(line.stretches, unit))
    more = f"; and {len(phrases) - MOST_PHRASES} more" if len(phrases) > MOST_PHRASES else ""
    return f"{line.label[:1].upper()}{line.label[1:]}: {'; '.join(phrases[:MOST_PHRASES])}{more}."


def _phrases(stretches: Sequence[Stretch], unit: RateUnit) -> Iterator[str]:
    for one in stretches:
        yield f"{number(one.value / SHOWN_IN[unit])} {_SHORT[unit]} from {one.start.astimezone(UTC):%H:%M:%S} UTC"
