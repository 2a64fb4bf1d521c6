"""The report of a run as one HTML file: no external part, no script, light and dark. Pure functions."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo

from ocpi_bridge.domain.courses import Stretch
from ocpi_bridge.domain.plans import RateUnit
from ocpi_bridge.rendering.markup import Markup, element, joined
from ocpi_bridge.rendering.page import page
from ocpi_bridge.rendering.plot import STYLE as PLOT_STYLE
from ocpi_bridge.rendering.plot import Line, Picture, plot
from tools.demo import sequence
from tools.demo.measurement import Measurement
from tools.demo.outcomes import Outcome, Play, Verdict
from tools.demo.sequence import Chapter, Message, Party

_VERDICTS = {Verdict.SEEN: "seen", Verdict.FAILED: "FAILED", Verdict.NOT_REACHED: "not reached"}


@dataclass(frozen=True, slots=True)
class Story:
    """A sequence of messages with its heading and what is to be known of it. `zero` is the PUT's moment."""

    heading: str
    introduction: str
    parties: tuple[Party, ...]
    messages: tuple[Message, ...]
    chapters: tuple[Chapter, ...]
    zero: datetime | None


@dataclass(frozen=True, slots=True)
class Plans:
    """The requested plan and the reported one, as far as they are known."""

    requested: tuple[Stretch, ...] = ()
    reported: tuple[Stretch, ...] = ()
    unit: RateUnit = RateUnit.WATT


def report(play: Play, plans: Plans, stories: Sequence[Story], measured: Measurement | None, *, zone: tzinfo) -> str:
    """The whole document; times of day are shown in `zone`, and in UTC where it says so."""
    title = "A charging profile reaches a charge point"
    return page(
        title,
        PLOT_STYLE + sequence.STYLE,
        element("h1", title),
        _summary(play, zone),
        _heading("The steps"),
        _steps(play.outcomes),
        _heading("Requested, and what the charge point says it will do"),
        element("div", _plot(plans, zone), class_="wide"),
        *(_measurement(measured) if measured is not None and measured.to_result else ()),
        *(_story(story, number, zone) for number, story in enumerate(stories, 1)),
    )


def _plot(plans: Plans, zone: tzinfo) -> Markup:
    lines = (
        Line("requested", "requested by the partner", plans.requested),
        Line("confirmed", "what the charge point says it will do", plans.reported),
    )
    title = "The requested plan and what the charge point says it will do"
    return plot(lines, unit=plans.unit, zone=zone, shown=Picture(title), notes=_missing(plans))


def _missing(plans: Plans) -> tuple[str, ...]:
    match plans.requested, plans.reported:
        case (), ():
            return ("Nothing was requested, and the charge point has reported nothing.",)
        case (), _:
            return ("No plan was requested.",)
        case _, ():
            return ("The charge point has not said what it will do.",)
    return ()


def _heading(text: str) -> Markup:
    return element("h2", text)


def _summary(play: Play, zone: tzinfo) -> Markup:
    failed = play.failed
    if failed is None:
        verdict = element("p", f"All {len(play.outcomes)} steps were observed at the far end", class_="verdict seen")
    else:
        number = play.outcomes.index(failed) + 1
        verdict = element("p", f"Step {number} was not observed: {failed.title}", class_="verdict failed")
    seconds = sum(outcome.seconds for outcome in play.outcomes)
    began = play.started.astimezone(zone)
    told = f"Run of {began:%Y-%m-%d %H:%M:%S} ({began.tzname()}), {seconds:.0f} s in all. Times of day are local unless they say UTC."
    return joined(verdict, element("p", told, class_="soft"))


def _steps(outcomes: Sequence[Outcome]) -> Markup:
    rows = [
        element(
            "tr",
            element("td", str(number), class_="number"),
            element("td", outcome.title),
            element("td", _VERDICTS[outcome.verdict], class_=f"short {outcome.verdict.value.replace(' ', '-')}"),
            element(
                "td", "" if outcome.verdict is Verdict.NOT_REACHED else f"{outcome.seconds:.1f} s", class_="number"
            ),
            element("td", *_lines(outcome.told + outcome.around)),
        )
        for number, outcome in enumerate(outcomes, 1)
    ]
    return _table(("#", "Step", "Verdict", "Took", "What was seen"), rows, numbers={"#", "Took"})


def _lines(lines: Sequence[str]) -> list[str]:
    return [piece for line in lines for piece in (line, element("br"))][:-1]


def _measurement(measured: Measurement) -> tuple[Markup, ...]:
    rows = [
        element("tr", element("td", name), *(element("td", f"{value:.3f}", class_="number") for value in values))
        for name, values in measured.rows()
    ]
    return (
        _heading(f"{len(measured.to_result)} PUTs in sequence"),
        _table(("Seconds", "p50", "p95", "max"), rows, numbers={"p50", "p95", "max"}),
    )


def _story(story: Story, number: int, zone: tzinfo) -> Markup:
    identity = f"story-{number}"
    drawn = sequence.sequence(
        story.parties,
        story.messages,
        story.chapters,
        zero=story.zero,
        zone=zone,
        title=story.heading,
        identity=identity,
    )
    return joined(
        _heading(story.heading),
        element("p", story.introduction),
        element("div", drawn, class_="wide"),
        element("details", element("summary", "The same as a table"), _messages(story, zone)),
    )


def _messages(story: Story, zone: tzinfo) -> Markup:
    rows = [
        element(
            "tr",
            element("td", sequence.clock_time(message.at, zone), class_="number"),
            element("td", "" if story.zero is None else sequence.milliseconds(message.at, story.zero), class_="number"),
            element("td", f"{message.source} to {message.target}", class_="short"),
            element("td", message.text),
        )
        for message in story.messages
    ]
    return _table(("Time", "Since the PUT", "Who to whom", "What"), rows, numbers={"Time", "Since the PUT"})


def _table(columns: Sequence[str], rows: Sequence[Markup], *, numbers: set[str]) -> Markup:
    heads = [element("th", column, scope="col", class_="number" if column in numbers else None) for column in columns]
    head = element("thead", element("tr", *heads))
    return element("table", head, element("tbody", *rows))
