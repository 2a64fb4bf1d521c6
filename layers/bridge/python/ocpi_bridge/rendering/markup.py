"""HTML and SVG as text: elements whose content and attributes are always escaped."""

from html import escape

# Elements of HTML that have no content and no end tag.
_VOID = frozenset({"br", "col", "input", "meta"})


class Markup(str):
    """Text that is markup already; every other text is escaped when it is put into an element."""

    __slots__ = ()


def element(name: str, /, *content: str, **attributes: str | float | None) -> Markup:
    """One element. Attributes: `class_` is class, `stroke_width` is stroke-width; None leaves one out.

    Numbers are written with two decimals at most, which is finer than a screen can show.
    """
    start = "".join(
        [name, *(f' {_name(key)}="{_value(value)}"' for key, value in attributes.items() if value is not None)]
    )
    if name in _VOID:
        return Markup(f"<{start}/>")
    return Markup(f"<{start}>{joined(*content)}</{name}>")


def joined(*content: str) -> Markup:
    """Pieces of content one after the other, escaped where they are not markup."""
    return Markup("".join(piece if isinstance(piece, Markup) else escape(piece) for piece in content))


def picture(
    content: str, *, width: float, height: float, title: str, description: str, identity: str, class_: str
) -> Markup:
    """An SVG of this size (px at scale 1) that a screen reader announces by title and description.

    `identity` is unique in the page; the ids of both texts begin with it.
    """
    return element(
        "svg",
        element("title", title, id=f"{identity}-title"),
        element("desc", description, id=f"{identity}-description"),
        content,
        class_=class_,
        viewBox=f"0 0 {_value(width)} {_value(height)}",
        width=width,
        height=height,
        role="img",
        xmlns="http://www.w3.org/2000/svg",
        aria_labelledby=f"{identity}-title {identity}-description",
    )


def _name(key: str) -> str:
    return key.rstrip("_").replace("_", "-")


def _value(value: str | float) -> str:
    if isinstance(value, str):
        return escape(value)
    return f"{value:.2f}".rstrip("0").rstrip(".")
