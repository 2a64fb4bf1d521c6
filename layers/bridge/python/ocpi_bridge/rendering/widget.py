"""A session's story as a custom widget of a CloudWatch dashboard: a form, and what was found.

CloudWatch takes scripts, iframes and SVG's `use` out of what a function returns, and calls the function again for a
`cwdb-action`, with the contents of the form.
"""

import json
from collections.abc import Iterator
from datetime import tzinfo

from ocpi_bridge.domain.histories import History
from ocpi_bridge.domain.values import dataclass
from ocpi_bridge.rendering.markup import Markup, element
from ocpi_bridge.rendering.story import STYLE, story
from ocpi_bridge.rendering.style import Theme, scoped

# What the form's field and the parameter are called.
FIELD = "id"
SHOW = "show"
SCOPE = "bridge-story"
# More than this makes a dashboard slow; a story with all that is kept of it has a fifth.
MOST_CHARACTERS = 500_000
# What lies around a picture in the widget (px).
AROUND = 24.0

_FORM = """\
.bridge-story cwdb-action { display: none; }
.bridge-story form { display: flex; flex-wrap: wrap; gap: 6px 10px; align-items: center; margin: 0 0 8px; }
.bridge-story input { flex: 1 1 240px; min-width: 0; max-width: 480px; padding: 4px 8px; font: inherit;
  color: var(--ink); background: var(--paper); border: 1px solid var(--soft); border-radius: 4px; }
"""
DOCUMENTATION = """\
### Session, station or request: its story

Shows what became of a charging session: the plan that was asked for, what was sent, what the charge point confirmed,
what was measured, requests that wait, how partners stand to it, and all that happened, in order.

Type the id of a session, of a request, or a station as `csms/station` into the widget. A widget can also have one from
the start:

Parameter | What it is
--- | ---
**id** | the id of a session or a request, or `csms/station`

### Example parameters
```yaml
id: acme/CP-001
```
"""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a widget is told of the dashboard that shows it; `endpoint` is the function that it calls again."""

    endpoint: str
    theme: Theme
    zone: tzinfo
    width: float


def widget(asked: str, found: History | None, around: Surroundings) -> str:
    """The widget after somebody asked for an id; an empty one asks for one."""
    if found is None:
        sentence = (
            f"There is no session, request or station with the id {asked}. Sessions and requests are forgotten after a while."
            if asked
            else "Type the id of a session or of a request, or a station as csms/station."
        )
        return _frame(asked, around, element("p", sentence))
    whole = _frame(asked, around, *_told(found, around, pictures=True))
    if len(whole) <= MOST_CHARACTERS:
        return whole
    bare = _frame(asked, around, *_told(found, around, pictures=False))
    return (
        bare if len(bare) <= MOST_CHARACTERS else notice(f"The story of {asked} is too long to be shown here.", around)
    )


def notice(sentence: str, around: Surroundings) -> str:
    """The widget with a sentence in the place of a story."""
    return _frame("", around, element("p", sentence))


def _told(found: History, around: Surroundings, *, pictures: bool) -> Iterator[Markup]:
    if found.others:
        yield element("p", "Other sessions of the charge point: ", *_links(found.others, around))
    yield from story(found, around.zone, width=around.width - AROUND, pictures=pictures)


def _frame(asked: str, around: Surroundings, *content: Markup) -> str:
    style = element("style", Markup(scoped(SCOPE, around.theme) + STYLE + _FORM))
    return element("div", style, _form(asked, around), *content, class_=SCOPE)


def _form(asked: str, around: Surroundings) -> Markup:
    field = element(
        "input", name=FIELD, value=asked, maxlength=255, placeholder="session, request or csms/station", aria_label="id"
    )
    return element("form", field, element("a", "Show", class_="btn btn-primary"), _action(around, {}))


def _links(ids: tuple[str, ...], around: Surroundings) -> Iterator[Markup]:
    for one in ids:
        yield element("a", one, class_="btn")
        yield _action(around, {SHOW: one})
        yield Markup(" ")


def _action(around: Surroundings, parameters: dict[str, str]) -> Markup:
    """What the element before it does when it is clicked: the function is called, and its answer replaces the widget."""
    return element("cwdb-action", json.dumps(parameters), action="call", display="widget", endpoint=around.endpoint)
