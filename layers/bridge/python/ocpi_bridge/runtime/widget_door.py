"""The door of CloudWatch's custom widgets: what a dashboard asks becomes HTML, and an error becomes a sentence."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, timedelta, timezone, tzinfo
from typing import Any

from ocpi_bridge.domain.histories import History
from ocpi_bridge.rendering.style import Theme
from ocpi_bridge.rendering.widget import DOCUMENTATION, FIELD, SHOW, Surroundings, notice, widget
from ocpi_bridge.runtime.metrics import log_failure
from ocpi_bridge.runtime.observability import logger
from ocpi_bridge.runtime.start import started
from ocpi_bridge.usecases.session_story import LONGEST_ID

# As narrow and as wide as a widget can be on a screen (px), and what it is where CloudWatch does not say.
NARROWEST, WIDEST, USUAL = 300.0, 2400.0, 1200.0
# No id is longer, so what is longer is only told back.
LONGEST_QUESTION = LONGEST_ID + 1

Handler = Callable[[Mapping[str, Any], Any], str | dict[str, str]]


def session_widget(look_back: Callable[[str], History | None]) -> Handler:
    """Makes a Lambda handler for the widget. It raises nothing: a dashboard would show the error's insides."""

    def handle(event: Mapping[str, Any], context: Any) -> str | dict[str, str]:  # noqa: ANN401 - Lambda's own
        if event.get("describe"):
            return {"markdown": DOCUMENTATION}
        around = _surroundings(_part(event, "widgetContext"), str(getattr(context, "invoked_function_arn", "")))
        asked = _asked(event)
        try:
            found = look_back(asked)
            logger.info("story looked up", extra={"outcome": "found" if found else "not found"})
            return widget(asked, found, around)
        except Exception:  # noqa: BLE001 - whatever it is, a dashboard is told a sentence
            log_failure("a story cannot be shown")
            return notice("The story cannot be shown now. The log of the function session_widget says why.", around)

    return started(handle)


def _asked(event: Mapping[str, Any]) -> str:
    """The id that was clicked, else the one in the form, else the one that the widget was made with."""
    context = _part(event, "widgetContext")
    given = (
        event.get(SHOW),
        _part(_part(context, "forms"), "all").get(FIELD),
        event.get(FIELD),
        _part(context, "params").get(FIELD),
    )
    return next((one.strip()[:LONGEST_QUESTION] for one in given if isinstance(one, str) and one.strip()), "")


def _surroundings(context: Mapping[str, Any], endpoint: str) -> Surroundings:
    width = context.get("width")
    usable = isinstance(width, int | float) and NARROWEST <= width <= WIDEST
    return Surroundings(
        endpoint=endpoint,
        theme=Theme.DARK if context.get("theme") == Theme.DARK else Theme.LIGHT,
        zone=_zone(_part(context, "timezone").get("offsetISO")),
        width=float(width) if usable and width else USUAL,
    )


def _zone(offset: object) -> tzinfo:
    """The zone of an offset such as `+01:00`; UTC for what is none."""
    found = re.fullmatch(r"([+-])([01]\d|2[0-3]):([0-5]\d)", offset) if isinstance(offset, str) else None
    if found is None or offset == "+00:00":
        return UTC
    sign, hours, minutes = found.groups()
    return timezone((-1 if sign == "-" else 1) * timedelta(hours=int(hours), minutes=int(minutes)))


def _part(whole: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = whole.get(name)
    return part if isinstance(part, Mapping) else {}
