"""The look of pages, in light and dark: colours as variables, and how tables and texts lie and wrap."""

from enum import StrEnum

_FONTS = """\
  --sans: system-ui, "Segoe UI", "Helvetica Neue", Arial, sans-serif;
  --mono: ui-monospace, "SFMono-Regular", Menlo, Consolas, "DejaVu Sans Mono", monospace;
"""
_LIGHT = """\
  --paper: #ffffff; --sheet: #f5f7f9; --ink: #17202a; --soft: #56626f; --line: #d3dae1;
  --good: #0b6b3a; --bad: #b3261e;
  --requested: #9cc3f5; --sent: #1f5fb4; --confirmed: #b03a00; --measured: #5f9e6e;
"""
_DARK = """\
  --paper: #12171d; --sheet: #1a2129; --ink: #e7ecf1; --soft: #a3b0bd; --line: #37424e;
  --good: #63d297; --bad: #ff8f85;
  --requested: #2c5f9e; --sent: #8fbcf7; --confirmed: #ffa366; --measured: #4f8f62;
"""
_TABLES = (
    (("table",), "border-collapse: collapse; width: 100%;"),
    (
        ("th", "td"),
        "text-align: left; vertical-align: top; padding: 6px 12px 6px 0; border-bottom: 1px solid var(--line);",
    ),
    (("th",), "font-weight: 600; color: var(--soft); overflow-wrap: normal;"),
    (("td",), "overflow-wrap: anywhere;"),
    (("td.number", "th.number"), "text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums;"),
    (("td.short",), "white-space: nowrap; overflow-wrap: normal;"),
)


def _tables(within: str = "") -> str:
    """How tables look, in the whole page or within what a selector names."""
    return "".join(f"{', '.join(within + one for one in names)} {{ {rules} }}\n" for names, rules in _TABLES)


STYLE = (
    f":root {{\n  color-scheme: light dark;\n{_FONTS}{_LIGHT}}}\n"
    f"@media (prefers-color-scheme: dark) {{\n:root {{\n{_DARK}}}\n}}\n"
    """\
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 15px/1.5 var(--sans); }
main { max-width: 1168px; margin: 0 auto; padding: 24px; }
h1 { font-size: 26px; line-height: 1.25; margin: 0 0 4px; overflow-wrap: anywhere; }
h2 { font-size: 19px; margin: 36px 0 8px; }
p { margin: 0 0 12px; max-width: 80ch; overflow-wrap: anywhere; }
.soft { color: var(--soft); }
.verdict { display: inline-block; margin: 8px 0; padding: 4px 12px; border: 2px solid; border-radius: 6px; font-weight: 600; }
.seen { color: var(--good); }
.failed { color: var(--bad); }
.wide { overflow-x: auto; }
details { margin: 8px 0; }
summary { cursor: pointer; color: var(--soft); }
""" + _tables()
)
"""Of a page of its own, which follows what the reader's system prefers."""


class Theme(StrEnum):
    """Where a part has no say over the page around it, it is told which one that is."""

    LIGHT = "light"
    DARK = "dark"


def scoped(name: str, theme: Theme) -> str:
    """The look of one part of a page that is somebody else's: nothing outside the class is touched."""
    colours = _DARK if theme is Theme.DARK else _LIGHT
    return (
        f".{name} {{\n  color-scheme: {theme};\n{_FONTS}{colours}"
        "  background: var(--paper); color: var(--ink); font: 14px/1.5 var(--sans); padding: 8px; overflow-wrap: anywhere;\n}\n"
        f".{name}, .{name} * {{ box-sizing: border-box; }}\n"
        f".{name} h2 {{ font-size: 17px; line-height: 1.3; margin: 20px 0 6px; color: var(--ink); }}\n"
        f".{name} p {{ margin: 0 0 10px; color: inherit; }}\n"
        f".{name} .soft {{ color: var(--soft); }}\n"
        f".{name} .wide {{ overflow-x: auto; }}\n" + _tables(f".{name} ")
    )
