"""The report: one file without external parts or scripts, which says how the run ended."""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from html.parser import HTMLParser

from ocpi_bridge.domain.courses import Stretch
from tools.demo.measurement import Measurement
from tools.demo.outcomes import Outcome, Play, Verdict
from tools.demo.report import Plans, Story, report
from tools.demo.sequence import Chapter, Message, Party

ZERO = datetime(2026, 1, 15, 17, 5, tzinfo=UTC)
NO_PLANS = Plans()
COURSE = (Stretch(ZERO, ZERO + timedelta(hours=1), Decimal(22000)),)
STORY = Story(
    "The way",
    "Who told whom what.",
    (Party("Partner", "simulated"), Party("Bridge", "ours")),
    (Message(ZERO, "Partner", "Bridge", "PUT <profile>"),),
    (Chapter(ZERO, "PUT"),),
    ZERO,
)


class Document(HTMLParser):
    """Which elements there are, whether each is closed, and all attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def a_report(*outcomes: Outcome, plans: Plans = NO_PLANS, measured: Measurement | None = None) -> str:
    told = outcomes or (Outcome("Deploy", Verdict.SEEN, 11.0, ("It answers",)),)
    return report(Play(ZERO, list(told)), plans, [STORY], measured, zone=UTC)


def test_the_file_is_whole_by_itself_and_runs_nothing() -> None:
    text = a_report(plans=Plans(COURSE, COURSE))
    document = Document(text)

    assert not document.open
    assert not {"script", "link", "img", "iframe", "object"} & set(document.tags)
    assert not [name for name, _ in document.attributes if name in {"src", "href"} or name.startswith("on")]
    assert not re.search(r"@import|url\(", text)
    assert [name for name, _ in document.attributes].count("lang") == 1


def test_it_can_be_read_in_light_and_in_dark() -> None:
    text = a_report()

    assert "color-scheme: light dark" in text
    assert "@media (prefers-color-scheme: dark)" in text
    used, defined = set(re.findall(r"var\((--[a-z]+)\)", text)), set(re.findall(r"(--[a-z]+):", text))
    assert used <= defined


def test_pictures_are_announced_under_ids_of_their_own() -> None:
    document = Document(report(Play(ZERO, []), Plans(COURSE), [STORY, STORY], None, zone=UTC))

    ids = [value for name, value in document.attributes if name == "id"]
    assert len(ids) == len(set(ids))
    labelled = [value or "" for name, value in document.attributes if name == "aria-labelledby"]
    assert len(labelled) == 3
    assert {one for value in labelled for one in value.split()} <= set(ids)


def test_a_run_that_was_seen_whole_says_so() -> None:
    text = a_report()

    assert "All 1 steps were observed at the far end" in text
    assert "2026-01-15 17:05:00" in text


def test_a_failed_step_is_named_with_every_line_that_was_told() -> None:
    failed = Outcome("Compare", Verdict.FAILED, 2.0, ("expected: <22 kW>", "seen: 11 kW & less"))

    text = a_report(Outcome("Deploy", Verdict.SEEN), failed, Outcome("Clear", Verdict.NOT_REACHED))

    assert "Step 2 was not observed: Compare" in text
    assert "expected: &lt;22 kW&gt;<br/>seen: 11 kW &amp; less" in text
    assert "not reached" in text


def test_without_a_plan_the_plot_says_that_there_is_none() -> None:
    assert "Nothing was requested" in a_report()


def test_a_plan_is_drawn_in_kilowatts_with_what_the_charge_point_said() -> None:
    text = a_report(plans=Plans(COURSE, COURSE))

    assert "Power, kW (total)" in text
    assert "what the charge point says it will do" in text
    assert text.count("<polyline") == 2


def test_a_charge_point_that_said_nothing_is_said_to_have_said_nothing() -> None:
    assert "The charge point has not said what it will do." in a_report(plans=Plans(COURSE))
    assert "No plan was requested." in a_report(plans=Plans(reported=COURSE))


def test_the_messages_are_there_as_a_table_too() -> None:
    text = a_report()

    assert "<td>PUT &lt;profile&gt;</td>" in text
    assert "Partner to Bridge" in text


def test_a_measurement_is_shown_only_when_there_is_one() -> None:
    assert "PUTs in sequence" not in a_report(measured=Measurement())
    assert "2 PUTs in sequence" in a_report(measured=Measurement([0.1, 0.2], [0.2, 0.3]))
