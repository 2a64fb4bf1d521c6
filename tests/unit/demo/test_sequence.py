"""The sequence diagram: who told whom what, in which order, and when."""

from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree as ET

import pytest

from tools.demo.sequence import Chapter, Message, Party, milliseconds, sequence

ZERO = datetime(2026, 1, 15, 17, 5, tzinfo=UTC)
PARTIES = (Party("Partner", "simulated"), Party("Bridge", "ours"), Party("CP-1", "charge point"))
SVG = "{http://www.w3.org/2000/svg}"


def at(milliseconds_later: int) -> datetime:
    return ZERO + timedelta(milliseconds=milliseconds_later)


PUT = Message(at(0), "Partner", "Bridge", "PUT charging profile")
ANSWER = Message(at(24), "Bridge", "Partner", "200 ACCEPTED", answer=True)
SET = Message(at(1234), "Bridge", "CP-1", "SetChargingProfile")


def drawn(*messages: Message, chapters: tuple[Chapter, ...] = (), zero: datetime | None = ZERO) -> ET.Element:
    return ET.fromstring(sequence(PARTIES, messages, chapters, zero=zero, zone=UTC, title="The way", identity="way"))


def texts(root: ET.Element) -> list[str]:
    return [node.text or "" for node in root.iter(f"{SVG}text")]


def arrows(root: ET.Element) -> list[dict[str, str]]:
    return [dict(node.attrib) for node in root.iter(f"{SVG}line") if node.attrib["class"].startswith("arrow")]


def test_messages_stand_in_order_with_their_times() -> None:
    written = texts(drawn(PUT, ANSWER, SET))

    assert [text for text in written if "ms" in text] == ["+0 ms", "+24 ms", "+1\u202f234 ms"]
    assert "17:05:01.234" in written
    assert written.index("PUT charging profile") < written.index("200 ACCEPTED") < written.index("SetChargingProfile")


def test_arrows_run_from_the_sender_to_the_receiver_and_answers_are_dashed() -> None:
    there, back, _ = arrows(drawn(PUT, ANSWER, SET))

    assert float(there["x1"]) < float(there["x2"])
    assert float(back["x1"]) > float(back["x2"])
    assert (there["class"], back["class"]) == ("arrow", "arrow answer")


def test_what_happened_before_the_put_has_a_negative_time() -> None:
    assert milliseconds(at(-1500), ZERO) == "\u22121\u202f500 ms"


def test_without_a_put_only_the_time_of_day_is_shown() -> None:
    written = texts(drawn(PUT, zero=None))

    assert "17:05:00.000" in written
    assert not any("ms" in text or text == "PUT" for text in written)


def test_chapters_head_the_messages_that_follow_them_and_empty_ones_are_left_out() -> None:
    chapters = (
        Chapter(at(-10), "Before"),
        Chapter(at(-5), "PUT"),
        Chapter(at(1000), "Charger"),
        Chapter(at(2000), "End"),
    )

    written = texts(drawn(PUT, SET, chapters=chapters))

    assert "Before" not in written
    assert "End" not in written
    assert written.index("PUT") < written.index("PUT charging profile") < written.index("Charger")


def test_a_text_that_is_too_long_is_cut_and_kept_whole_in_its_title() -> None:
    long = "transaction.updated, " * 10
    root = drawn(Message(at(0), "Partner", "Bridge", long))

    shown = next(text for text in texts(root) if text.startswith("transaction"))
    assert shown.endswith("\u2026")
    assert len(shown) < 60
    assert f"Partner to Bridge: {long}" in [node.text for node in root.iter(f"{SVG}title")]


def test_texts_of_others_are_escaped() -> None:
    assert "<b>&amp;</b>" not in sequence(
        PARTIES, [Message(at(0), "Partner", "Bridge", "<b>&</b>")], zero=None, zone=UTC, title="", identity="x"
    )


def test_an_empty_sequence_says_so() -> None:
    assert "No message was seen." in texts(drawn())


def test_a_message_of_somebody_who_takes_no_part_is_an_error() -> None:
    with pytest.raises(KeyError):
        drawn(Message(at(0), "Partner", "Nobody", "?"))
