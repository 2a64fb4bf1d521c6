"""The axes of a plot: where times and values lie, and round numbers beside them."""

from datetime import UTC, datetime, timedelta, tzinfo
from decimal import ROUND_CEILING, Decimal

from ocpi_bridge.domain.plans import RateUnit
from ocpi_bridge.domain.values import dataclass
from ocpi_bridge.rendering.markup import Markup, element, joined

WIDTH = 1120.0
"""Of a page of its own (px). At any width texts have one size: a narrow plot has fewer marks on its axes."""
# The name of a zone (`UTC+01:00`) stands left of the first mark; half a date has room right of the last one.
LEFT, MARGIN, AREA = 108.0, 40.0, 260.0
# A mark with its text needs this much of the axis (px); more of them would touch each other.
TIME_TICK = 92.0
MOST_LIMIT_TICKS = 7
# A character of the axes' and the legend's font is about this wide (px).
CHARACTER = 6.9

_MINUTES = (1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440)
_MULTIPLES = (Decimal(1), Decimal(2), Decimal("2.5"), Decimal(5), Decimal(10))
SHOWN_IN = {RateUnit.WATT: Decimal(1000), RateUnit.AMPERE: Decimal(1)}
AXIS = {RateUnit.WATT: "Power, kW (total)", RateUnit.AMPERE: "Current, A (per phase)"}


@dataclass(frozen=True, slots=True)
class Frame:
    """Where times and values lie in a picture of this width (px)."""

    start: datetime
    end: datetime
    top: Decimal
    width: float = WIDTH

    @property
    def right(self) -> float:
        """The right edge of the area."""
        return self.width - MARGIN

    def x(self, moment: datetime) -> float:
        """Horizontal place of a moment; outside the frame it is on its edge."""
        share = (moment - self.start) / (self.end - self.start)
        return LEFT + (self.right - LEFT) * min(1.0, max(0.0, share))

    def y(self, value: Decimal, bottom: float) -> float:
        """Vertical place of a value in an area that ends at `bottom`; what is below nothing is on the edge."""
        return bottom - AREA * float(max(Decimal(0), min(self.top, value)) / self.top)


def limit_ticks(largest: Decimal) -> list[Decimal]:
    """Round numbers from 0 to at least `largest`, in equal steps."""
    if largest <= 0:
        return [Decimal(0), Decimal(1)]
    least = largest / (MOST_LIMIT_TICKS - 1)
    magnitude = Decimal(10) ** least.adjusted()
    step = next(magnitude * multiple for multiple in _MULTIPLES if magnitude * multiple >= least)
    count = int((largest / step).to_integral_value(ROUND_CEILING))
    return [step * number for number in range(count + 1)]


def time_ticks(start: datetime, end: datetime, zone: tzinfo, most: int) -> list[datetime]:
    """Round times of the zone within a span; none of less than a minute apart, and `most` at most."""
    span = (end - start) / timedelta(minutes=1)
    minutes = next((step for step in _MINUTES if span / step <= most - 1), None)
    # Beyond some days every number of days is as good as another.
    step = timedelta(minutes=minutes or _MINUTES[-1] * (1 + int(span / _MINUTES[-1] / (most - 1))))
    # Of the zone as it is at the start: a change of the clock within shifts the rest, and moves no mark.
    offset = start.astimezone(zone).utcoffset() or timedelta(0)
    midnight = (start + offset).astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - offset
    tick = midnight + step * -(-(start - midnight) // step)
    ticks: list[datetime] = []
    while tick <= end:
        ticks.append(tick)
        tick += step
    return ticks


def number(value: Decimal) -> str:
    """A number as people read it, with two decimals at most."""
    rounded = value.quantize(Decimal("0.01")).normalize()
    # A narrow no-break space groups thousands in every language.
    return f"{rounded:,f}".replace(",", "\u202f")


def zone_name(moment: datetime, zone: tzinfo) -> str:
    """What the zone is called at a moment."""
    return moment.astimezone(zone).tzname() or f"{moment.astimezone(zone):%z}"


def limit_axis(frame: Frame, unit: RateUnit, bottom: float) -> Markup:
    """The axis of values on the left, with its unit above it."""
    marks = [element("text", AXIS[unit], x=12, y=bottom - AREA - 22, class_="soft")]
    for tick in limit_ticks(frame.top / SHOWN_IN[unit]):
        y = frame.y(tick * SHOWN_IN[unit], bottom)
        marks.append(element("line", x1=LEFT, x2=frame.right, y1=y, y2=y, class_="grid"))
        marks.append(element("text", number(tick), x=LEFT - 10, y=y + 4.5, text_anchor="end"))
    return joined(*marks)


def time_axis(frame: Frame, zone: tzinfo, bottom: float) -> Markup:
    """The axis of time below: in the zone, in UTC where that is another one, and the days."""
    marks = [element("line", x1=LEFT, x2=frame.right, y1=bottom, y2=bottom, class_="axis")]
    zones = [zone] if _is_utc(frame, zone) else [zone, UTC]
    rows = [(one, zone_name(frame.start, one), bottom + 24 + 22 * place) for place, one in enumerate(zones)]
    dates_y = bottom + 24 + 22 * len(rows)
    last_date = ""
    for tick in time_ticks(frame.start, frame.end, zone, max(2, int((frame.right - LEFT) / TIME_TICK))):
        x = frame.x(tick)
        marks.append(element("line", x1=x, x2=x, y1=bottom - AREA, y2=bottom, class_="grid"))
        marks.append(element("line", x1=x, x2=x, y1=bottom, y2=bottom + 6, class_="axis"))
        for row_zone, _, y in rows:
            marks.append(element("text", f"{tick.astimezone(row_zone):%H:%M}", x=x, y=y, text_anchor="middle"))
        date = f"{tick.astimezone(zone):%Y-%m-%d}"
        if date != last_date:
            marks.append(element("text", date, x=x, y=dates_y, text_anchor="middle", class_="soft"))
            last_date = date
    for _, name, y in (*rows, (zone, "date", dates_y)):
        marks.append(element("text", name, x=12, y=y, class_="soft"))
    return joined(*marks)


def time_rows(frame: Frame, zone: tzinfo) -> int:
    """How many rows of text the axis of time has."""
    return 2 if _is_utc(frame, zone) else 3


def _is_utc(frame: Frame, zone: tzinfo) -> bool:
    return all(one.astimezone(zone).utcoffset() == timedelta(0) for one in (frame.start, frame.end))
