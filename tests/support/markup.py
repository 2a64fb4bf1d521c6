"""Pieces of HTML as the renderer makes them: whole as XML, with nothing that runs or loads, and nothing that overflows."""

import re
from xml.etree import ElementTree as ET

FORBIDDEN = frozenset({"script", "iframe", "use", "link", "img", "object", "embed", "base", "image", "foreignObject"})


def parsed(html: str) -> ET.Element:
    """The tree of a page or a piece of one, after a look at what must be true of all of them."""
    root = ET.fromstring(html.removeprefix("<!DOCTYPE html>\n").replace(' xmlns="http://www.w3.org/2000/svg"', ""))
    ids = [node.attrib["id"] for node in root.iter() if "id" in node.attrib]
    assert len(ids) == len(set(ids)), ids
    for node in root.iter():
        assert node.tag not in FORBIDDEN, node.tag
        for name, value in node.attrib.items():
            assert not name.startswith("on"), name
            assert name not in {"src", "href", "style", "srcset"}, name
            assert "javascript:" not in value
    style = "".join(node.text or "" for node in root.iter("style"))
    assert not re.search(r"@import|url\(|expression\(", style)
    used, defined = set(re.findall(r"var\((--[a-z]+)\)", style)), set(re.findall(r"(--[a-z]+):", style))
    assert used <= defined
    _wraps(root, style)
    return root


def text_of(root: ET.Element) -> str:
    """All that can be read in it."""
    return " ".join(
        text.strip() for node in root.iter() if node.tag != "style" for text in (node.text, node.tail) if text
    )


def rows_of(root: ET.Element, heading: str) -> list[list[str]]:
    """The rows of the table that has this column, cell by cell."""
    for table in root.iter("table"):
        if heading in ["".join(cell.itertext()) for cell in table.iter("th")]:
            body = table.find("tbody")
            assert body is not None
            return [[" ".join(cell.itertext()) for cell in row.iter("td")] for row in body.iter("tr")]
    return []


def _wraps(root: ET.Element, style: str) -> None:
    """No picture is wider than its place, tables scroll within theirs, and long words are broken."""
    assert "overflow-wrap: anywhere" in style
    assert ".wide { overflow-x: auto; }" in style
    for picture in root.iter("svg"):
        assert picture.attrib["viewBox"] == f"0 0 {picture.attrib['width']} {picture.attrib['height']}"
        assert f".{picture.attrib['class']} {{ max-width: 100%; height: auto;" in style
    wide = [node for node in root.iter("div") if node.attrib.get("class") == "wide"]
    happened = [node for node in root.iter("table") if node.attrib.get("class") == "happened"]
    assert all(any(table in list(place) for place in wide) for table in happened)
