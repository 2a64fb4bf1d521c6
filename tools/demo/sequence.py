"""A sequence diagram as SVG: who told whom what, and when. Pure functions on the standard library.

Colours come from the page: `STYLE` names the variables that it must set.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from ocpi_bridge.rendering.markup import Markup, element, joined, picture

STYLE = """\
.sequence { max-width: 100%; height: auto; }
.sequence text { fill: var(--ink); font: 13px var(--sans); }
.sequence .soft { fill: var(--soft); }
.sequence .time { fill: var(--soft); font-family: var(--mono); font-size: 12px; }
.sequence .party { font-weight: 600; text-anchor: middle; }
.sequence .kind { fill: var(--soft); font-size: 12px; text-anchor: middle; }
.sequence .chapter { font-weight: 600; }
.sequence .label { text-anchor: middle; }
.sequence .life { stroke: var(--line); stroke-width: 1.5; }
.sequence .break { stroke: var(--line); stroke-width: 1; stroke-dasharray: 2 4; }
.sequence .arrow { stroke: var(--ink); stroke-width: 1.3; fill: none; }
.sequence .answer { stroke-dasharray: 5 4; }
.sequence .head { fill: var(--ink); }
"""

WIDTH = 1120.0
FIRST_LANE, LAST_LANE = 272.0, 1016.0
HEADER = 64.0
ROW = 34.0
CHAPTER_ROW = 40.0
HEAD = 7.0
# A character of the label's font is about this wide (px); a label that is too long is cut, its title has it whole.
CHARACTER = 6.9

_MILLISECOND = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class Party:
    """Who takes part: a name, and what it is."""

    name: str
    kind: str


@dataclass(frozen=True, slots=True)
class Message:
    """One message between two parties, named by their names; an answer is drawn dashed."""

    at: datetime
    source: str
    target: str
    text: str
    answer: bool = False


@dataclass(frozen=True, slots=True)
class Chapter:
    """A heading above the messages from `at` on."""

    at: datetime
    title: str


def sequence(
    parties: Sequence[Party],
    messages: Sequence[Message],
    chapters: Sequence[Chapter] = (),
    *,
    zero: datetime | None,
    zone: tzinfo,
    title: str,
    identity: str,
) -> Markup:
    """The messages from top to bottom, in the order given, with their time in `zone` and the ms since `zero`.

    A chapter without messages is left out. Without `zero` there is no second time. Raises KeyError for a message of
    somebody who takes no part.
    """
    lanes = _lanes(parties)
    y = HEADER
    drawn: list[Markup] = []
    waiting = sorted(chapters, key=lambda chapter: chapter.at)
    for message in messages:
        begun = [chapter for chapter in waiting if chapter.at <= message.at]
        waiting = waiting[len(begun) :]
        if begun:
            y += CHAPTER_ROW
            drawn.append(_chapter(begun[-1], y))
        y += ROW
        drawn.append(_times(message, y, zero, zone))
        drawn.append(_arrow(message, y, lanes[message.source], lanes[message.target]))
    if not messages:
        y += ROW
        drawn.append(element("text", "No message was seen.", x=(FIRST_LANE + LAST_LANE) / 2, y=y, class_="label"))
    height = y + ROW
    return picture(
        joined(_header(parties, lanes, height, zero), *drawn),
        width=WIDTH,
        height=height,
        title=title,
        description=f"{len(messages)} messages between {', '.join(party.name for party in parties)}.",
        identity=identity,
        class_="sequence",
    )


def milliseconds(moment: datetime, zero: datetime) -> str:
    """The time since `zero` as `+1 234 ms`, with a minus sign before it."""
    count = round((moment - zero) / _MILLISECOND)
    sign = "\u2212" if count < 0 else "+"
    # A narrow no-break space groups thousands in every language.
    return f"{sign}{abs(count):,} ms".replace(",", "\u202f")


def clock_time(moment: datetime, zone: tzinfo) -> str:
    """The time of day with milliseconds."""
    return f"{moment.astimezone(zone):%H:%M:%S.%f}"[:-3]


def _lanes(parties: Sequence[Party]) -> dict[str, float]:
    gap = (LAST_LANE - FIRST_LANE) / max(1, len(parties) - 1)
    return {party.name: FIRST_LANE + gap * index for index, party in enumerate(parties)}


def _header(parties: Sequence[Party], lanes: dict[str, float], height: float, zero: datetime | None) -> Markup:
    marks = [] if zero is None else [element("text", "since the PUT", x=194, y=22, text_anchor="end", class_="soft")]
    marks.append(element("text", "time", x=12, y=22, class_="soft"))
    for party in parties:
        x = lanes[party.name]
        marks.append(element("line", x1=x, x2=x, y1=HEADER - 10, y2=height - ROW / 2, class_="life"))
        marks.append(element("text", party.name, x=x, y=22, class_="party"))
        marks.append(element("text", party.kind, x=x, y=40, class_="kind"))
    return joined(*marks)


def _chapter(chapter: Chapter, y: float) -> Markup:
    return joined(
        element("line", x1=0, x2=WIDTH, y1=y - 20, y2=y - 20, class_="break"),
        element("text", chapter.title, x=12, y=y, class_="chapter"),
    )


def _times(message: Message, y: float, zero: datetime | None, zone: tzinfo) -> Markup:
    marks = [element("text", clock_time(message.at, zone), x=12, y=y + 4, class_="time")]
    if zero is not None:
        since = milliseconds(message.at, zero)
        marks.append(element("text", since, x=194, y=y + 4, text_anchor="end", class_="time"))
    return joined(*marks)


def _arrow(message: Message, y: float, source: float, target: float) -> Markup:
    forward = 1 if target > source else -1
    tip = f"{target:.1f},{y:.1f} {target - forward * HEAD:.1f},{y - HEAD / 2:.1f} {target - forward * HEAD:.1f},{y + HEAD / 2:.1f}"
    room = int(abs(target - source) / CHARACTER) - 1
    label = message.text if len(message.text) <= room else message.text[: room - 1] + "\u2026"
    return element(
        "g",
        element("title", f"{message.source} to {message.target}: {message.text}"),
        element(
            "line",
            x1=source,
            x2=target - forward * HEAD,
            y1=y,
            y2=y,
            class_="arrow answer" if message.answer else "arrow",
        ),
        element("polygon", points=tip, class_="head"),
        element("text", label, x=(source + target) / 2, y=y - 6, class_="label"),
    )
