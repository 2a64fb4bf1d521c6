"""A plot of plans over time as SVG: what was requested against what the charge point says it will do.

Pure functions on the standard library. Colours come from the page: `STYLE` names the variables that it must set.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from decimal import ROUND_CEILING, Decimal

from tools.demo.markup import Markup, element, joined, picture

STYLE = """\
.plot { max-width: 100%; height: auto; }
.plot text { fill: var(--ink); font: 13px var(--sans); }
.plot .soft { fill: var(--soft); }
.plot .grid { stroke: var(--line); stroke-width: 1; }
.plot .axis { stroke: var(--soft); stroke-width: 1; }
.plot .curve { fill: none; stroke-linejoin: round; }
/* The wide band stays visible where the narrow line covers it: two equal plans are seen as two. */
.plot .requested { stroke: var(--requested); stroke-width: 9; }
.plot .reported { stroke: var(--reported); stroke-width: 2.5; }
.plot .note { font-size: 15px; text-anchor: middle; paint-order: stroke; stroke: var(--paper); stroke-width: 6px; }
"""

WIDTH = 1120.0
HEIGHT = 430.0
LEFT, RIGHT, TOP, BOTTOM = 92.0, 1096.0, 56.0, 346.0
# More labels than these would touch each other at this size.
MOST_TIME_TICKS = 9
MOST_LIMIT_TICKS = 7

_MINUTES = (1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440)
_MULTIPLES = (Decimal(1), Decimal(2), Decimal("2.5"), Decimal(5), Decimal(10))


@dataclass(frozen=True, slots=True)
class Curve:
    """A course of limits: each holds from its moment until the next one's, the last until `until`."""

    steps: tuple[tuple[datetime, Decimal], ...]
    until: datetime


@dataclass(frozen=True, slots=True)
class Frame:
    """Where times and limits lie in the picture."""

    start: datetime
    end: datetime
    top: Decimal

    def x(self, moment: datetime) -> float:
        """Horizontal place of a moment; outside the frame it is on its edge."""
        share = (moment - self.start) / (self.end - self.start)
        return LEFT + (RIGHT - LEFT) * min(1.0, max(0.0, share))

    def y(self, limit: Decimal) -> float:
        """Vertical place of a limit."""
        return BOTTOM - (BOTTOM - TOP) * float(limit / self.top)


def plot(requested: Curve | None, reported: Curve | None, *, unit: str, zone: tzinfo) -> Markup:
    """Both courses in one picture, with times in `zone` and in UTC; a course that is missing is said in words.

    `unit` is W (total power) or A (per phase). All moments are aware.
    """
    curves = [curve for curve in (requested, reported) if curve is not None and curve.steps]
    if not curves:
        return _picture(_note("Nothing was requested, and the charge point has reported nothing."), "There is no plan.")
    frame = Frame(
        start=min(curve.steps[0][0] for curve in curves),
        end=max(_end(curve) for curve in curves),
        top=limit_ticks(max(limit for curve in curves for _, limit in curve.steps))[-1],
    )
    drawn = joined(_limit_axis(frame, unit), _time_axis(frame, zone), _legend(unit))
    for curve, name in ((requested, "requested"), (reported, "reported")):
        if curve is not None and curve.steps:
            points = " ".join(f"{x:.2f},{y:.2f}" for x, y in outline(curve, frame))
            drawn = joined(drawn, element("polyline", points=points, class_=f"curve {name}"))
    if reported is None or not reported.steps:
        drawn = joined(drawn, _note("The charge point has not said what it will do."))
    elif requested is None or not requested.steps:
        drawn = joined(drawn, _note("No plan was requested."))
    return _picture(drawn, _in_words(requested, reported, unit))


def outline(curve: Curve, frame: Frame) -> list[tuple[float, float]]:
    """The corners of a curve's step line, from left to right."""
    ends = [moment for moment, _ in curve.steps[1:]] + [_end(curve)]
    corners: list[tuple[float, float]] = []
    for (moment, limit), end in zip(curve.steps, ends, strict=True):
        corners += [(frame.x(moment), frame.y(limit)), (frame.x(end), frame.y(limit))]
    return corners


def limit_ticks(largest: Decimal) -> list[Decimal]:
    """Round numbers from 0 to at least `largest`, in equal steps."""
    if largest <= 0:
        return [Decimal(0), Decimal(1)]
    least = largest / (MOST_LIMIT_TICKS - 1)
    magnitude = Decimal(10) ** least.adjusted()
    step = next(magnitude * multiple for multiple in _MULTIPLES if magnitude * multiple >= least)
    count = int((largest / step).to_integral_value(ROUND_CEILING))
    return [step * number for number in range(count + 1)]


def time_ticks(start: datetime, end: datetime) -> list[datetime]:
    """Round times (UTC) within a span; none of less than a minute apart."""
    span = (end - start) / timedelta(minutes=1)
    minutes = next((step for step in _MINUTES if span / step <= MOST_TIME_TICKS - 1), None)
    # Beyond some days every number of days is as good as another.
    step = timedelta(minutes=minutes or _MINUTES[-1] * (1 + int(span / _MINUTES[-1] / (MOST_TIME_TICKS - 1))))
    midnight = start.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    tick = midnight + step * -(-(start - midnight) // step)
    ticks: list[datetime] = []
    while tick <= end:
        ticks.append(tick)
        tick += step
    return ticks


def _end(curve: Curve) -> datetime:
    """The end of a curve; one that would end where its last step begins is given a minute, to be seen."""
    return max(curve.until, curve.steps[-1][0] + timedelta(minutes=1))


def _limit_axis(frame: Frame, unit: str) -> Markup:
    meaning = {"W": "Limit, W (total power)", "A": "Limit, A (per phase)"}.get(unit, f"Limit, {unit}")
    marks = [element("text", meaning, x=12, y=TOP - 26, class_="soft")]
    for tick in limit_ticks(frame.top):
        y = frame.y(tick)
        marks.append(element("line", x1=LEFT, x2=RIGHT, y1=y, y2=y, class_="grid"))
        marks.append(element("text", _number(tick), x=LEFT - 10, y=y + 4.5, text_anchor="end"))
    return joined(*marks)


def _time_axis(frame: Frame, zone: tzinfo) -> Markup:
    marks = [element("line", x1=LEFT, x2=RIGHT, y1=BOTTOM, y2=BOTTOM, class_="axis")]
    rows = ((zone, f"local ({_zone_name(frame.start, zone)})", BOTTOM + 24), (UTC, "UTC", BOTTOM + 46))
    for tick in time_ticks(frame.start, frame.end):
        x = frame.x(tick)
        marks.append(element("line", x1=x, x2=x, y1=TOP, y2=BOTTOM, class_="grid"))
        marks.append(element("line", x1=x, x2=x, y1=BOTTOM, y2=BOTTOM + 6, class_="axis"))
        for row_zone, _, y in rows:
            marks.append(element("text", f"{tick.astimezone(row_zone):%H:%M}", x=x, y=y, text_anchor="middle"))
    for _, name, y in rows:
        marks.append(element("text", name, x=12, y=y, class_="soft"))
    date = f"local date {frame.start.astimezone(zone):%Y-%m-%d}, UTC date {frame.start.astimezone(UTC):%Y-%m-%d}"
    marks.append(element("text", f"Time of day; at the left edge: {date}", x=LEFT, y=BOTTOM + 72, class_="soft"))
    return joined(*marks)


def _legend(unit: str) -> Markup:
    entries = (
        ("requested", f"requested by the partner ({unit})"),
        ("reported", f"what the charge point says it will do ({unit})"),
    )
    marks: list[Markup] = []
    x = RIGHT - 590
    for name, label in entries:
        marks.append(element("line", x1=x, x2=x + 40, y1=TOP - 30, y2=TOP - 30, class_=f"curve {name}"))
        marks.append(element("text", label, x=x + 50, y=TOP - 25.5))
        x += 280
    return joined(*marks)


def _note(sentence: str) -> Markup:
    return element("text", sentence, x=(LEFT + RIGHT) / 2, y=(TOP + BOTTOM) / 2, class_="note")


def _picture(content: Markup, description: str) -> Markup:
    return picture(
        content,
        width=WIDTH,
        height=HEIGHT,
        title="The requested plan and what the charge point says it will do",
        description=description,
        identity="plot",
        class_="plot",
    )


def _in_words(requested: Curve | None, reported: Curve | None, unit: str) -> str:
    told = (("Requested", requested), ("The charge point says", reported))
    return " ".join(f"{who}: {'; '.join(_phrases(curve, unit)) or 'nothing'}." for who, curve in told)


def _phrases(curve: Curve | None, unit: str) -> Iterator[str]:
    if curve is None:
        return
    for moment, limit in curve.steps:
        yield f"{_number(limit)} {unit} from {moment.astimezone(UTC):%H:%M:%S} UTC"


def _zone_name(moment: datetime, zone: tzinfo) -> str:
    return moment.astimezone(zone).tzname() or f"{moment.astimezone(zone):%z}"


def _number(value: Decimal) -> str:
    # A narrow no-break space groups thousands in every language.
    return f"{value.normalize():,f}".replace(",", "\u202f")
