"""GET sessions: the page, its headers, its filters, and the sessions on it (OCPI 4.1.4.1 and 9.2.1.1)."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from urllib.parse import parse_qs, urlencode, urlsplit

from pydantic import ValidationError

from tools.counterparts.clock import utc_now, write_datetime
from tools.counterparts.json_types import JsonObject, as_list, as_object, as_text
from tools.partner_simulator.datatypes import read_datetime
from tools.partner_simulator.models import Session, findings
from tools.partner_simulator.page_rules import LIMIT, LINK, TOTAL, header_number, next_link
from tools.partner_simulator.platform_models import OcpiVersion
from tools.partner_simulator.session_forms import form_findings
from tools.rehearsal import rules
from tools.rehearsal.checks.check import Check
from tools.rehearsal.judgement import has_code
from tools.rehearsal.stage import Need, Stage
from tools.rehearsal.wire import Answer, UnansweredError

# Sessions that run, and those that were over a moment ago.
BACK = timedelta(days=7)
# Before any session, and after: no platform has sessions of these times.
LONG_AGO = datetime.fromisoformat("2010-01-01T00:00:00+00:00")
# One more page than shows that Link goes on; a rehearsal reads no archive.
MOST_PAGES = 4
# POWER times TIME and rounded counters never agree to the last digit.
ENERGY_TOLERANCE = Decimal("0.05")
NO_DATA = "#NA"


def read_list(stage: Stage) -> None:
    """The pages of a week, from the first on, with the sessions on them."""
    date_from = write_datetime(utc_now() - BACK)
    pages = _crawl(stage, {"date_from": date_from, "limit": "1"})
    sessions = [as_object(one) for page in pages for one in as_list(page.data)]
    for session in sessions:
        judge_session(stage, rules.SESSION_OBJECT, session, "GET sessions")
    ids = [str(one.get("id")).casefold() for one in sessions]
    if sessions:
        stage.ledger.expect(
            rules.SESSION_ONCE, len(set(ids)) == len(ids), where="GET sessions", expected="each once", seen=ids
        )
    _judge_offset(stage, date_from, pages)
    if sessions:
        _judge_window(stage, sessions[-1])


def refuse_bad_queries(stage: Stage) -> None:
    """Queries that are wrong, and one that finds nothing."""
    for rule, query, what in (
        (rules.DATE_FROM_REQUIRED, {}, "without date_from"),
        (rules.BAD_DATE, {"date_from": "yesterday"}, "with a date_from that is none"),
        (rules.BAD_NUMBER, {"date_from": write_datetime(LONG_AGO), "limit": "-1"}, "with a negative limit"),
        (rules.BAD_NUMBER, {"date_from": write_datetime(LONG_AGO), "offset": "-1"}, "with a negative offset"),
    ):
        answer = _page(stage, query, f"GET sessions {what}")
        stage.ledger.expect(
            rule, has_code(answer, 200, 2001), where=answer.call.where, expected="HTTP 200, OCPI 2001", seen=answer
        )
    window = {
        "date_from": write_datetime(LONG_AGO),
        "date_to": write_datetime(LONG_AGO + timedelta(days=1)),
    }
    answer = _page(stage, window, "GET sessions of a day without any")
    is_empty = answer.is_success and answer.data == [] and header_number(answer.headers, TOTAL) in {0, None}
    seen = f"{answer}, data {answer.data}, X-Total-Count {answer.headers.get(TOTAL)}"
    stage.ledger.expect(rules.EMPTY, is_empty, where=answer.call.where, expected="[] and X-Total-Count 0", seen=seen)


def judge_session(stage: Stage, rule: rules.Rule, session: JsonObject, where: str) -> Session | None:
    """Record what a Session keeps and breaks, by `rule` for its form; the session where it has the form."""
    problem = "; ".join(form_findings(session, OcpiVersion.V221))
    read: Session | None = None
    try:
        read = Session.model_validate(session, extra="ignore")
    except ValidationError as error:
        problem = findings(error)
    stage.ledger.expect(rule, not problem, where=where, expected="a Session of 9.3.1", seen=problem)
    if read is None:
        return None
    texts = _texts({name: value for name, value in session.items() if name not in {"evse_uid", "connector_id"}})
    is_reservation = session.get("status") == "RESERVATION"
    texts += [] if is_reservation else [str(session.get("evse_uid")), str(session.get("connector_id"))]
    stage.ledger.expect(rules.NO_DATA, NO_DATA not in texts, where=where, expected="no #NA", seen=session)
    periods = read.charging_periods or []
    if periods:
        energy = sum(
            (one.volume for period in periods for one in period.dimensions if one.type == "ENERGY"), Decimal(0)
        )
        stage.ledger.expect(
            rules.ENERGY_UNIT,
            energy <= read.kwh + ENERGY_TOLERANCE,
            where=where,
            expected=f"at most {read.kwh} kWh",
            seen=f"{energy}, as if it were Wh",
        )
        starts = [period.start_date_time for period in periods]
        stage.ledger.expect(rules.PERIOD_ORDER, starts == sorted(starts), where=where, expected="in order", seen=starts)
    return read


def list_sessions(stage: Stage) -> list[JsonObject]:
    """The sessions of a week, as many pages as a rehearsal reads; raises UnansweredError."""
    query = {"date_from": write_datetime(utc_now() - BACK)}
    answer, found = _page(stage, query, "GET sessions"), []
    for _ in range(MOST_PAGES):
        if not isinstance(answer.data, list):
            raise UnansweredError("GET sessions gives no list")
        found += [as_object(one) for one in as_list(answer.data)]
        url = next_link(answer.headers)
        if url is None:
            break
        answer = stage.counterpart.call("GET", url, "GET sessions by Link")
    return found


def _crawl(stage: Stage, query: dict[str, str]) -> list[Answer]:
    """The first pages by Link, each judged."""
    first = _page(stage, query, "GET sessions")
    is_list = first.is_success and isinstance(first.data, list)
    stage.ledger.expect(
        rules.LIST, is_list, where="GET sessions", expected="HTTP 200, OCPI 1000, a list", seen=f"{first}, {first.data}"
    )
    if not is_list:
        raise UnansweredError("GET sessions gives no list")
    pages, url = [first], _judge_page(stage, first, first, query, 0)
    while url is not None and len(pages) < MOST_PAGES:
        page = stage.counterpart.call("GET", url, "GET sessions by Link")
        count = sum(len(as_list(one.data)) for one in pages)
        pages.append(page)
        url = _judge_page(stage, first, page, query, count)
    return pages


def _judge_page(stage: Stage, first: Answer, page: Answer, query: dict[str, str], before: int) -> str | None:
    where, count = page.call.where, len(as_list(page.data))
    total, limit = header_number(page.headers, TOTAL), header_number(page.headers, LIMIT)
    stage.ledger.expect(rules.TOTAL, total is not None, where=where, expected="a number", seen=page.headers.get(TOTAL))
    is_constant = limit is not None and limit > 0 and limit == header_number(first.headers, LIMIT)
    stage.ledger.expect(
        rules.LIMIT_HEADER, is_constant, where=where, expected="one number on all pages", seen=page.headers.get(LIMIT)
    )
    most = int(query["limit"])
    stage.ledger.expect(rules.LIMIT, count <= most, where=where, expected=f"at most {most}", seen=count)
    is_last = total is not None and before + count >= total
    url = next_link(page.headers)
    if total is None:
        return None
    if is_last:
        stage.ledger.expect(rules.LAST_PAGE, url is None, where=where, expected="no Link", seen=page.headers.get(LINK))
        return None
    if url is None and not page.headers.get(LINK):
        # Whether a Link is missing or the count is wrong cannot be told apart.
        seen = f"no Link after {before + count} of {total}"
        stage.ledger.breach(rules.LINK, where=where, expected="Link", seen=seen)
        return None
    is_absolute = url is not None and urlsplit(url).scheme in {"http", "https"} and bool(urlsplit(url).netloc)
    stage.ledger.expect(
        rules.LINK, is_absolute, where=where, expected='<absolute URL>; rel="next"', seen=page.headers.get(LINK)
    )
    if url is None or not is_absolute:
        return None
    repeated = parse_qs(urlsplit(url).query)
    is_kept = all(_same(repeated.get(name, []), value) for name, value in query.items())
    stage.ledger.expect(rules.LINK_FILTERS, is_kept, where=where, expected=str(query), seen=urlsplit(url).query)
    return url


def _same(repeated: Sequence[str], asked: str) -> bool:
    """Whether a parameter stands in Link once and says the same, a time in whatever shape."""
    if len(repeated) != 1:
        return False
    try:
        return repeated[0] == asked or read_datetime(repeated[0]) == read_datetime(asked)
    except ValueError:
        return False


def _judge_offset(stage: Stage, date_from: str, pages: Sequence[Answer]) -> None:
    total = header_number(pages[0].headers, TOTAL)
    if total is None:
        return
    # Sessions may come meanwhile, so one beyond all of them is asked for.
    offset = total + 1000
    answer = _page(stage, {"date_from": date_from, "offset": str(offset)}, "GET sessions behind the last one")
    stage.ledger.expect(
        rules.OFFSET,
        answer.is_success and answer.data == [],
        where=answer.call.where,
        expected="an empty list",
        seen=f"{answer}, {len(as_list(answer.data))} sessions",
    )
    if answer.is_success:
        limits = [page.headers.get(LIMIT) for page in (pages[0], answer)]
        is_constant = limits[0] == limits[1]
        stage.ledger.expect(
            rules.LIMIT_HEADER, is_constant, where=answer.call.where, expected=f"{limits[0]}", seen=limits[1]
        )
        url = next_link(answer.headers)
        stage.ledger.expect(rules.LAST_PAGE, url is None, where=answer.call.where, expected="no Link", seen="Link")


def _judge_window(stage: Stage, session: JsonObject) -> None:
    """`date_from` includes the moment of the last update, `date_to` does not."""
    text = as_text(session.get("last_updated")) or ""
    try:
        at = read_datetime(text)
    except ValueError:
        return
    known = str(session.get("id")).casefold()
    # A window with an end in the past: a session that changes meanwhile only leaves it, and is then looked for later.
    since = _page(stage, {"date_from": text}, "GET sessions from a last update on")
    found = [as_object(one) for one in as_list(since.data)]
    early = [one for one in found if _updated(one) < at]
    is_there = any(str(one.get("id")).casefold() == known for one in found) or next_link(since.headers) is not None
    stage.ledger.expect(
        rules.DATE_FROM,
        since.is_success and is_there and not early,
        where=since.call.where,
        expected=f"{known}, updated at {text}, and nothing earlier",
        seen=f"{since}, {[(one.get('id'), one.get('last_updated')) for one in found]}",
    )
    window = {"date_from": write_datetime(LONG_AGO), "date_to": text}
    until = _page(stage, window, "GET sessions until a last update")
    late = [one for one in map(as_object, as_list(until.data)) if _updated(one) >= at]
    stage.ledger.expect(
        rules.DATE_TO,
        until.is_success and not late,
        where=until.call.where,
        expected=f"nothing that was updated at {text} or later",
        seen=f"{until}, {[(one.get('id'), one.get('last_updated')) for one in late]}",
    )


def _updated(session: JsonObject) -> datetime:
    try:
        return read_datetime(session.get("last_updated"))
    except ValueError:
        return LONG_AGO


def _page(stage: Stage, query: dict[str, str], where: str) -> Answer:
    url = stage.counterpart.known_endpoints.sessions
    return stage.counterpart.call("GET", f"{url}?{urlencode(query)}" if query else url, where)


def _texts(value: object) -> list[str]:
    if isinstance(value, dict):
        return [text for item in value.values() for text in _texts(item)]
    if isinstance(value, list):
        return [text for item in value for text in _texts(item)]
    return [value] if isinstance(value, str) else []


CHECKS = (
    Check(
        "The list of sessions",
        read_list,
        (
            rules.LIST,
            rules.TOTAL,
            rules.LIMIT_HEADER,
            rules.LIMIT,
            rules.LINK,
            rules.LINK_FILTERS,
            rules.LAST_PAGE,
            rules.OFFSET,
            rules.DATE_FROM,
            rules.DATE_TO,
            rules.SESSION_OBJECT,
            rules.SESSION_ONCE,
            rules.NO_DATA,
            rules.ENERGY_UNIT,
            rules.PERIOD_ORDER,
        ),
        (Need.ENDPOINTS,),
    ),
    Check(
        "Queries of sessions that are wrong, or find nothing",
        refuse_bad_queries,
        (rules.DATE_FROM_REQUIRED, rules.BAD_DATE, rules.BAD_NUMBER, rules.EMPTY),
        (Need.ENDPOINTS,),
    ),
)
