"""A session's story as a page and as a widget: what is said, what is said where there is nothing, and that it is safe."""

import json
from dataclasses import replace
from datetime import UTC, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocpi_bridge.domain.controls import Control
from ocpi_bridge.domain.histories import History
from ocpi_bridge.domain.plans import Plan, PlanPeriod, RateUnit
from ocpi_bridge.domain.requests import Delivery, InstalledPlan, RequestKind, RequestState, Result
from ocpi_bridge.ports.pushes import Pushed
from ocpi_bridge.ports.stories import PartnerStory, SessionStory
from ocpi_bridge.rendering import widget as widgets
from ocpi_bridge.rendering.story import LONGEST_TEXT, story_page, took
from ocpi_bridge.rendering.style import Theme
from ocpi_bridge.rendering.widget import Surroundings, notice, widget
from ocpi_bridge.usecases.session_story import history
from tests.support.markup import parsed, rows_of, text_of
from tests.support.session_stories import a_session, a_story, a_usual_story, asked, at, period, plan_of

ENDPOINT = "arn:aws:lambda:eu-west-1:123456789012:function:session-widget:live"
AROUND = Surroundings(ENDPOINT, Theme.LIGHT, UTC, 900)
NASTY = "<script>alert('&')</script>\"" + "x" * 200


def shown(story: SessionStory, minute: float = 60) -> str:
    return widget("s1", history(story, at(minute)), AROUND)


def usual() -> History:
    return history(a_usual_story(), at(60))


def test_a_page_tells_what_was_asked_what_came_of_it_and_how_long_it_took() -> None:
    rows = rows_of(parsed(story_page(usual(), UTC)), "Took")

    assert [row[1] for row in rows[:5]] == [
        "charge point CP-001",
        "partner jedlix",
        "the bridge",
        "charge point CP-001",
        "partner jedlix",
    ]
    assert rows[1][2].startswith("asks for a charging profile (SET) no. 1: 3 periods in W")
    assert rows[3][3:] == ["ACCEPTED: Accepted", "1.0 s"]
    assert rows[3][0].split() == ["2026-01-15", "17:01:02.000"]


def test_all_courses_are_drawn_with_axes_units_and_a_zone() -> None:
    root = parsed(story_page(usual(), ZoneInfo("Europe/Amsterdam")))

    lines = {node.attrib["class"].removeprefix("curve ") for node in root.iter("polyline")}
    assert lines == {"requested", "sent", "confirmed", "measured"}
    text = text_of(root)
    assert "Power, kW (total)" in text
    assert "Time (CET)" in text
    assert "now" in [node.text for node in root.iter("text")]


def test_a_plan_in_amperes_has_a_picture_of_its_own() -> None:
    plan = plan_of((0, "16"), unit=RateUnit.AMPERE)
    story = a_story(asked(1, plan=plan), session=a_session(phases=3), periods=(period(1, 0, 15, "4", "18"),))

    text = text_of(parsed(shown(story)))

    assert "Current, A (per phase)" in text
    assert "Power, kW (total)" in text


def test_what_is_not_there_is_said_in_words() -> None:
    root = parsed(shown(a_story()))

    text = text_of(root)
    assert "No plan yet: no partner has asked for one." in text
    assert "Nothing measured yet." in text
    assert "No request waits" in text
    assert "No partner may see this session." in text
    assert not list(root.iter("polyline"))


def test_a_plan_that_nobody_confirmed_says_that_nothing_was_read() -> None:
    text = text_of(parsed(shown(a_story(asked(1, plan=plan_of((0, "9000")))))))

    assert "The charge point's own schedule was not read yet." in text
    assert "No plan yet" not in text


def test_a_request_that_waits_is_shown_with_the_time_it_has_left() -> None:
    waiting = a_story(asked(1, result=None, sent=False))
    [row] = rows_of(parsed(shown(waiting, 1)), "Asked for")
    assert row[:4] == ["r1", "SET", "jedlix", "PENDING"]
    assert row[4].endswith("(in 50.0 s)")

    [late] = rows_of(parsed(shown(waiting, 5)), "Asked for")
    assert late[4].endswith("(past)")


def test_a_partner_is_shown_with_what_it_took_and_what_failed() -> None:
    partners = (
        PartnerStory(Pushed("s1", "jedlix", at=at(5), attempts=3, in_doubt=True)),
        PartnerStory(Pushed("s1", "former")),
    )
    first, second = rows_of(parsed(shown(a_story(partners=partners))), "Pushes")

    assert first[:3] == ["jedlix", "see and steer", "2026-01-15 17:05:00"]
    assert first[4] == "3 failed in a row; the last one is in doubt"
    assert second[1:3] == ["nothing any more", "not yet"]


def test_the_plan_at_the_charge_point_is_named_or_said_to_be_unknown() -> None:
    installed = InstalledPlan("r9", 1, ends_at=at(90), fail_safe_at=at(70))
    assert "of request r9, until 2026-01-15 18:10:00" in shown(a_story(control=Control("s1", installed=installed)))
    assert "none of ours" in shown(a_story())
    dark = Control("s1", installed=installed, uncertain=2, settled=1)
    assert "the outcome of the last command is not" in shown(a_story(control=dark))


def test_the_request_that_was_asked_for_is_marked_and_nothing_else() -> None:
    root = parsed(story_page(replace(usual(), chosen="r2"), UTC))
    chosen = [row for row in root.iter("tr") if row.attrib.get("class") == "chosen"]

    assert len(chosen) == 4
    assert all("r2" in "".join(row.itertext()) for row in chosen)
    assert not [row for row in parsed(story_page(usual(), UTC)).iter("tr") if "class" in row.attrib]


def test_a_story_that_was_cut_says_so() -> None:
    story = replace(a_usual_story(), earlier_requests=True, earlier_periods=True)

    assert "Earlier requests are left out. Earlier charging periods are left out." in shown(story)
    assert "left out" not in shown(a_usual_story())


def test_a_result_that_failed_is_marked_and_coloured() -> None:
    put = asked(1, state=RequestState.UNDELIVERED, delivery=Delivery(attempts=4, last_error="http_500"))
    root = parsed(shown(a_story(put)))

    assert [node.text for node in root.iter("td") if node.attrib.get("class") == "bad"] == [
        "4 attempts, last error: http_500"
    ]
    assert "mark bad" in {node.attrib.get("class") for node in root.iter("circle")}


def test_whatever_others_wrote_stays_text_and_is_cut_where_it_is_long() -> None:
    put = asked(1, plan=plan_of((0, "9000")), partner_id=NASTY, request_id=NASTY, reason=NASTY + "y" * 1000)
    names = {"session_id": NASTY, "station_id": NASTY, "evse_uid": NASTY, "transaction_id": NASTY}
    story = a_story(put, session=a_session(**names), partners=(PartnerStory(Pushed("s1", NASTY)),))
    found = replace(history(story, at(60)), others=(NASTY,), chosen=NASTY)

    for text in (widget(NASTY, found, AROUND), story_page(found, UTC), widget(NASTY, None, AROUND)):
        assert NASTY in " ".join(parsed(text).itertext())
        assert "y" * (LONGEST_TEXT + 1) not in text


def test_a_thousand_periods_are_drawn_within_bounds() -> None:
    plan = Plan(RateUnit.WATT, tuple(PlanPeriod(60 * n, Decimal(n * 37 % 11000)) for n in range(1000)), at(1))
    text = shown(a_story(asked(1, plan=plan)))

    assert len(text) < 120_000
    root = parsed(text)
    assert max(len(node.attrib["points"].split()) for node in root.iter("polyline")) > 1000


# --- The widget ------------------------------------------------------------------------------------------------------


def test_a_widget_without_an_id_asks_for_one_and_calls_the_function_with_the_form() -> None:
    root = parsed(widget("", None, AROUND))

    [field] = root.iter("input")
    assert (field.attrib["name"], field.attrib["value"]) == ("id", "")
    form = root.find("form")
    assert form is not None
    # CloudWatch binds an action to the element before it.
    assert [node.tag for node in form] == ["input", "a", "cwdb-action"]
    action = form[2]
    assert (action.attrib["action"], action.attrib["display"], action.attrib["endpoint"]) == (
        "call",
        "widget",
        ENDPOINT,
    )
    assert json.loads(action.text or "") == {}
    assert "Type the id of a session or of a request" in text_of(root)


def test_an_id_that_leads_nowhere_is_told_back() -> None:
    root = parsed(widget("nobody", None, AROUND))

    assert "There is no session, request or station with the id nobody." in text_of(root)
    assert next(root.iter("input")).attrib["value"] == "nobody"


def test_the_other_sessions_of_a_station_are_a_click_away() -> None:
    root = parsed(widget("acme/CP-001", replace(usual(), others=("s2", "s3")), AROUND))

    actions = [json.loads(node.text or "") for node in root.iter("cwdb-action")]
    assert actions == [{}, {"show": "s2"}, {"show": "s3"}]


def test_a_widget_touches_nothing_outside_itself() -> None:
    root = parsed(widget("s1", usual(), AROUND))

    assert root.attrib["class"] == "bridge-story"
    style = next(root.iter("style")).text or ""
    selectors = [rule.split("{")[0].strip() for rule in style.replace("/*", "}/*").split("}") if "{" in rule]
    ours = (".bridge-story", ".plot", ".chip", ".facts", ".happened", "/*")
    for selector in (one.strip() for group in selectors for one in group.split(",")):
        assert selector.startswith(ours), selector


@pytest.mark.parametrize("theme", Theme)
def test_a_widget_has_the_theme_of_its_dashboard(theme: Theme) -> None:
    text = widget("s1", usual(), replace(AROUND, theme=theme))

    assert ("--paper: #12171d" in text) is (theme is Theme.DARK)
    assert ("--paper: #ffffff" in text) is (theme is Theme.LIGHT)
    assert "prefers-color-scheme" not in text


def test_a_page_follows_what_the_readers_system_prefers() -> None:
    text = story_page(usual(), UTC)

    assert "color-scheme: light dark" in text
    assert "@media (prefers-color-scheme: dark)" in text


@pytest.mark.parametrize("width", [300, 600, 900, 1200, 2400])
def test_pictures_are_as_wide_as_the_widget_has_room_for(width: int) -> None:
    [picture] = parsed(widget("s1", usual(), replace(AROUND, width=width))).iter("svg")

    assert float(picture.attrib["width"]) == max(420, width - widgets.AROUND)


def test_a_story_that_is_too_long_loses_its_pictures_and_then_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = widget("s1", usual(), AROUND)
    monkeypatch.setattr(widgets, "MOST_CHARACTERS", len(whole) - 1)
    bare = parsed(widget("s1", usual(), AROUND))
    assert not list(bare.iter("svg"))
    assert "bridge session plot" in text_of(bare)
    assert rows_of(bare, "Took")

    monkeypatch.setattr(widgets, "MOST_CHARACTERS", 100)
    assert "too long to be shown here" in widget("s1", usual(), AROUND)


def test_a_notice_is_a_sentence_with_the_form() -> None:
    root = parsed(notice("Not now <please>.", AROUND))

    assert "Not now <please>." in text_of(root)
    assert list(root.iter("input"))


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(0.0123, "12 ms"), (1.25, "1.2 s"), (59.9, "59.9 s"), (61, "1 min 01 s"), (7500, "2 h 05 min"), (-1, "")],
)
def test_lengths_of_time_are_told_as_people_say_them(seconds: float, told: str) -> None:
    assert took(timedelta(seconds=seconds)) == told
    assert took(None) == ""


_TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=60)


@given(
    st.lists(st.tuples(st.sampled_from(RequestKind), st.sampled_from([*Result, None]), _TEXT, _TEXT), max_size=5),
    _TEXT,
    st.sampled_from(RateUnit),
    st.sampled_from(Theme),
    st.integers(300, 2400),
)
def test_any_story_is_whole_and_harmless_in_any_widget(
    requests: list[tuple[RequestKind, Result | None, str, str]], name: str, unit: RateUnit, theme: Theme, width: int
) -> None:
    told = [
        asked(
            minute,
            kind,
            result=result,
            plan=plan_of((0, "9000"), (30, "16"), unit=unit) if kind is RequestKind.SET else None,
            profile=plan_of((0, "12"), unit=unit, start=at(minute)) if kind is RequestKind.GET else None,
            reason=reason,
            partner_id=partner,
        )
        for minute, (kind, result, reason, partner) in enumerate(requests, 1)
    ]
    session = a_session(session_id=name, evse_uid=name, transaction_id=name, phases=3)
    story = a_story(*told, session=session, periods=(period(1, 0, 15, "4", "18"),))

    root = parsed(widget(name, history(story, at(60)), Surroundings(ENDPOINT, theme, UTC, width)))

    for picture in root.iter("svg"):
        _, _, right, bottom = map(float, picture.attrib["viewBox"].split())
        for node in picture.iter("text"):
            assert 0 <= float(node.attrib["x"]) <= right
            assert 0 <= float(node.attrib["y"]) <= bottom
