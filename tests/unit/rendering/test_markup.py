"""Whatever is put into the report stays text."""

import pytest

from ocpi_bridge.rendering.markup import Markup, element, joined, picture


def test_content_and_attributes_are_escaped() -> None:
    made = element("td", '<script>"x" & y</script>', title='"><b>')

    assert made == '<td title="&quot;&gt;&lt;b&gt;">&lt;script&gt;&quot;x&quot; &amp; y&lt;/script&gt;</td>'


def test_markup_inside_an_element_stays_markup() -> None:
    assert element("p", element("b", "a < b"), " and more") == "<p><b>a &lt; b</b> and more</p>"


def test_text_that_is_joined_to_markup_is_escaped() -> None:
    assert joined(Markup("<b>1</b>"), "<i>") == "<b>1</b>&lt;i&gt;"


@pytest.mark.parametrize(("number", "written"), [(3, "3"), (2.5, "2.5"), (1 / 3, "0.33"), (100.0, "100"), (0.0, "0")])
def test_numbers_in_attributes_are_short(number: float, written: str) -> None:
    assert element("line", x1=number) == f'<line x1="{written}"></line>'


def test_elements_without_content_are_closed_as_xml_and_html_both_take_it() -> None:
    assert element("br") == "<br/>"
    assert element("input", name="id", value='"') == '<input name="id" value="&quot;"/>'


def test_names_that_python_reserves_and_names_with_hyphens_can_be_written() -> None:
    assert element("g", class_="soft", stroke_width=2, id=None) == '<g class="soft" stroke-width="2"></g>'


def test_a_picture_is_announced_by_its_title_and_description() -> None:
    made = picture("", width=10, height=20, title="What", description="It shows that", identity="one", class_="plot")

    assert 'role="img"' in made
    assert 'aria-labelledby="one-title one-description"' in made
    assert '<title id="one-title">What</title><desc id="one-description">It shows that</desc>' in made
    assert 'viewBox="0 0 10 20"' in made
