"""One HTML file that is whole by itself."""

from ocpi_bridge.rendering.markup import Markup, element
from ocpi_bridge.rendering.style import STYLE


def page(title: str, styles: str, *content: str) -> str:
    """The document with this content in its main part; `styles` are added to those that every page has."""
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("title", title),
        element("style", Markup(STYLE + styles)),
    )
    return "<!DOCTYPE html>\n" + element("html", head, element("body", element("main", *content)), lang="en") + "\n"
