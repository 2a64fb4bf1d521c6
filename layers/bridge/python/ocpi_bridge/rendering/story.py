"""A session's history as HTML: what is known of it, its picture, what waits, its partners, and all that happened."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta, tzinfo

from ocpi_bridge.domain.courses import CourseKind
from ocpi_bridge.domain.histories import Actor, Happening, History, Sense, Standing, Step
from ocpi_bridge.domain.plans import RateUnit
from ocpi_bridge.domain.requests import Request
from ocpi_bridge.rendering.axes import WIDTH, number, zone_name
from ocpi_bridge.rendering.markup import Markup, element, joined
from ocpi_bridge.rendering.page import page
from ocpi_bridge.rendering.plot import STYLE as PLOT_STYLE
from ocpi_bridge.rendering.plot import Line, Mark, Picture, plot

STYLE = (
    PLOT_STYLE
    + """\
.chip { display: inline-block; padding: 1px 9px; border: 1px solid; border-radius: 10px; font-size: 13px; white-space: nowrap; }
.facts { display: grid; grid-template-columns: repeat(auto-fill, minmax(190px, 1fr)); gap: 8px 20px; margin: 8px 0 16px; }
.facts div { min-width: 0; overflow-wrap: anywhere; }
.facts span { display: block; color: var(--soft); font-size: 12.5px; }
.happened .good { color: var(--good); }
.happened .bad { color: var(--bad); font-weight: 600; }
.happened .id { display: block; color: var(--soft); font: 12px var(--mono); }
.happened tr.chosen td { background: var(--sheet); }
.happened td.when { white-space: nowrap; overflow-wrap: normal; font-variant-numeric: tabular-nums; }
"""
)

# A CSMS's own words may be a page long.
LONGEST_TEXT = 300
_LABELS = {
    CourseKind.REQUESTED: "requested by the partner",
    CourseKind.SENT: "sent to the charge point",
    CourseKind.CONFIRMED: "confirmed by the charge point",
    CourseKind.MEASURED: "measured",
}
_TITLES = {RateUnit.WATT: "Power", RateUnit.AMPERE: "Current per phase"}
_DASH = "\N{EN DASH}"


def story_page(history: History, zone: tzinfo) -> str:
    """The history as one HTML file; times are shown in `zone`."""
    others = f"Other sessions of the charge point: {', '.join(history.others)}" if history.others else ""
    told = story(history, zone, heading="h1")
    return page(f"Session {history.session.session_id}", STYLE, *told, element("p", others, class_="soft"))


def story(
    history: History, zone: tzinfo, *, width: float = WIDTH, pictures: bool = True, heading: str = "h2"
) -> Iterator[Markup]:
    """The history piece by piece, to stand in a page that has STYLE. `width` is how wide pictures may be (px)."""
    yield _title(history, heading)
    yield _facts(history, zone)
    if pictures:
        yield from _pictures(history, zone, width)
    else:
        yield element("p", "There is too much to draw here: bridge session plot makes a page of it.", class_="soft")
    yield element("h2", "What waits")
    yield _pending(history, zone)
    yield element("h2", "Partners")
    yield _partners(history.partners, zone)
    yield element("h2", "What happened")
    yield _happened(history, zone)


def took(time: timedelta | None) -> str:
    """A length of time as people say it."""
    if time is None:
        return ""
    seconds = time.total_seconds()
    if seconds < 0:
        return ""
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"


def _title(history: History, heading: str) -> Markup:
    session = history.session
    where = f"{session.csms_id}/{session.station_id}, EVSE {session.evse_uid}, connector {session.connector_id}"
    return joined(
        element(heading, f"Session {session.session_id} ", element("span", session.status, class_="chip")),
        element("p", where, class_="soft"),
    )


def _facts(history: History, zone: tzinfo) -> Markup:
    facts = (element("div", element("span", name), value) for name, value in _known(history, zone))
    return element("div", *facts, class_="facts")


def _known(history: History, zone: tzinfo) -> Iterator[tuple[str, str]]:
    session = history.session
    yield "Begun", _moment(session.start, zone)
    yield "Ended", _moment(session.last_moment, zone)
    yield "Energy", f"{number(session.kwh)} kWh"
    if session.power_w is not None:
        yield "Power, last told", f"{number(session.power_w / 1000)} kW"
    yield "Phases seen in use", str(session.phases or "not known")
    yield "Transaction", session.transaction_id if session.transaction_known else "not known: nothing can be steered"
    steered_by = session.rights.steered_by or "nobody"
    yield "Steered by", f"{steered_by}, suspended by the CPO" if session.steering_suspended else steered_by
    yield "Plan at the charge point", _installed(history, zone)
    if session.reported_limit is not None:
        yield "Limit told by the CSMS", f"from {session.reported_limit.source}"


def _installed(history: History, zone: tzinfo) -> str:
    if history.in_the_dark:
        return "not known: the outcome of the last command is not"
    if history.installed is None:
        return "none of ours"
    ends = [at for at in (history.installed.ends_at, history.installed.fail_safe_at) if at is not None]
    until = f", until {_moment(min(ends), zone)}" if ends else ""
    return f"of request {history.installed.request_id}{until}"


def _pictures(history: History, zone: tzinfo, width: float) -> Iterator[Markup]:
    yield element("h2", "Plan, answer and measurement")
    marks = [mark for one in history.happenings if (mark := _mark(one, zone)) is not None]
    notes = tuple(_empty(history))
    for unit in sorted({RateUnit.WATT} | {one.unit for one in history.courses}, reverse=True):
        lines = [Line(one.kind, _LABELS[one.kind], one.stretches) for one in history.courses if one.unit is unit]
        drawn = plot(
            lines,
            unit=unit,
            zone=zone,
            shown=Picture(f"{_TITLES[unit]} over time", f"plot-{unit.lower()}", width),
            window=(history.since, history.until),
            marks=marks,
            notes=notes if unit is RateUnit.WATT and not lines else (),
            now=history.at,
        )
        yield element("div", drawn, class_="wide")
    if notes and history.courses:
        yield element("p", " ".join(notes), class_="soft")


def _empty(history: History) -> Iterator[str]:
    kinds = {one.kind for one in history.courses}
    if CourseKind.REQUESTED not in kinds:
        yield "No plan yet: no partner has asked for one."
    elif CourseKind.CONFIRMED not in kinds:
        yield "The charge point's own schedule was not read yet."
    if CourseKind.MEASURED not in kinds:
        yield "Nothing measured yet."


def _mark(one: Happening, zone: tzinfo) -> Mark | None:
    told = f"{_clock(one.at, zone)} {_who(one)} {one.what}"
    match one.step, one.sense:
        case Step.REQUEST, _:
            return Mark(one.at, "asked", told)
        case Step.ANSWER, Sense.GOOD:
            return Mark(one.at, "good", f"{told}: {_cut(one.result)}")
        case ((Step.ANSWER | Step.DELIVERY), Sense.BAD):
            return Mark(one.at, "bad", f"{told}: {_cut(one.result)}")
    return None


def _pending(history: History, zone: tzinfo) -> Markup:
    if not history.pending:
        return element("p", "No request waits, and no result is on its way.", class_="soft")
    rows = [_row(_pending_cells(one, history.at, zone)) for one in history.pending]
    return _table(("Request", "Asked for", "By", "State", "Answered at the latest"), rows)


def _pending_cells(request: Request, now: datetime, zone: tzinfo) -> Iterator[Markup]:
    left = request.deadline - now
    word = f" (in {took(left)})" if left > timedelta(0) else " (past)"
    yield element("td", request.request_id)
    yield element("td", request.kind)
    yield element("td", request.partner_id or "the bridge")
    yield element("td", request.state)
    yield element("td", _moment(request.deadline, zone) + word)


def _partners(partners: Sequence[Standing], zone: tzinfo) -> Markup:
    if not partners:
        return element("p", "No partner may see this session.", class_="soft")
    rows = [_row(_partner_cells(one, zone)) for one in partners]
    columns = ("Partner", "May", "Took the session", "Took an active profile", "Pushes")
    return _table(columns, rows)


def _partner_cells(one: Standing, zone: tzinfo) -> Iterator[Markup]:
    pushes = [f"{one.failures} failed in a row"] if one.failures else []
    if one.in_doubt:
        pushes.append("the last one is in doubt")
    if one.watching:
        pushes.append("is told each change of the active profile")
    yield element("td", one.partner_id)
    yield element("td", "see and steer" if one.steers else "see" if one.sees else "nothing any more")
    yield element("td", _moment(one.told_at, zone) if one.told_at else "not yet")
    yield element("td", _moment(one.heard_at, zone))
    yield element("td", "; ".join(pushes) or _DASH, class_="bad" if one.failures or one.in_doubt else None)


def _happened(history: History, zone: tzinfo) -> Markup:
    earlier = "Earlier requests are left out. " if history.earlier_requests else ""
    left_out = earlier + ("Earlier charging periods are left out." if history.earlier_periods else "")
    rows = [
        _row(_cells(one, zone), chosen=one.request_id is not None and one.request_id == history.chosen)
        for one in history.happenings
    ]
    heads = (f"Time ({zone_name(history.at, zone)})", "Who", "What", "Result", "Took")
    note = element("p", left_out, class_="soft") if left_out else Markup("")
    return joined(note, _table(heads, rows, numbers=frozenset({"Took"})))


def _cells(one: Happening, zone: tzinfo) -> Iterator[Markup]:
    request = element("span", one.request_id, class_="id") if one.request_id else Markup("")
    sense = None if one.sense is Sense.NEUTRAL else one.sense.value
    yield element("td", _date(one.at, zone), element("br"), _clock(one.at, zone), class_="when")
    yield element("td", _who(one))
    yield element("td", one.what, request)
    yield element("td", _cut(one.result), class_=sense)
    yield element("td", took(one.took), class_="number")


def _who(one: Happening) -> str:
    if one.by is Actor.BRIDGE or one.name is None:
        return f"the {one.by}"
    return f"{one.by} {one.name}"


def _row(cells: Iterator[Markup], *, chosen: bool = False) -> Markup:
    return element("tr", *cells, class_="chosen" if chosen else None)


def _table(columns: Sequence[str], rows: Sequence[Markup], *, numbers: frozenset[str] = frozenset()) -> Markup:
    heads = [element("th", one, scope="col", class_="number" if one in numbers else None) for one in columns]
    head = element("thead", element("tr", *heads))
    return element("div", element("table", head, element("tbody", *rows), class_="happened"), class_="wide")


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST_TEXT else text[:LONGEST_TEXT] + "\N{HORIZONTAL ELLIPSIS}"


def _moment(moment: datetime | None, zone: tzinfo) -> str:
    return _DASH if moment is None else f"{_date(moment, zone)} {moment.astimezone(zone):%H:%M:%S}"


def _date(moment: datetime, zone: tzinfo) -> str:
    return f"{moment.astimezone(zone):%Y-%m-%d}"


def _clock(moment: datetime, zone: tzinfo) -> str:
    return f"{moment.astimezone(zone):%H:%M:%S.%f}"[:-3]
