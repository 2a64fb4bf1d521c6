"""The partner pulls: the sessions of a while, page by page (OCPI 9.2.1)."""

from collections.abc import Iterator
from datetime import timedelta

from tools.counterparts.clock import utc_now
from tools.demo.scene import Bound, Scene, StepFailed, needed
from tools.demo.sequence import Message
from tools.demo.storyline import BRIDGE, PARTNER
from tools.partner_simulator import Session, SessionPage

# Everything of this run, as a partner asks that was down for a while (OCPI 4.4).
BACK = timedelta(hours=1)
# One session a page, so that two sessions take two pages.
LIMIT = 1


def pull_sessions(scene: Scene, _within: Bound) -> str:
    """The partner asks for the sessions of the last hour; each is there once, as it was pushed, and Link leads on."""
    partner = scene.parts.partner
    scene.begin_chapter("The partner pulls the sessions")
    broken = len(partner.violations())
    pages = list(_crawl(scene))
    failed = next((page for page in pages if not page.is_success), None)
    if failed is not None:
        raise StepFailed("a page of sessions", f"HTTP {failed.status}, OCPI {failed.status_code}: {failed.message}")
    # Of the pages only: what goes wrong elsewhere meanwhile is the last step's affair.
    findings = [one.what for one in partner.violations()[broken:] if "sessions" in one.where]
    if findings:
        raise StepFailed("pages that break no rule", "; ".join(findings))
    ids = {needed(scene.session).id, needed(scene.silent_session).id}
    pulled = [session for page in pages for session in page.sessions]
    if len(pages) != len(ids) or {session.id for session in pulled} != ids:
        raise StepFailed(f"{len(ids)} pages with one session each", f"{len(pages)} with {len(pulled)} in all")
    pushed = {session.id: _told(session) for session in partner.sessions.all()}
    for session in pulled:
        if _told(session) != pushed[session.id]:
            raise StepFailed(f"{pushed[session.id]}, as it was pushed", _told(session))
    return (
        f"{len(pages)} pages of one session each, the second found by Link, X-Total-Count {pages[0].total} on each; "
        "status and energy are what was pushed before"
    )


def _told(session: Session) -> str:
    return f"{session.id} {session.status} with {session.kwh.normalize():f} kWh"


def _crawl(scene: Scene) -> Iterator[SessionPage]:
    """Every page; what the partner says to get it is noted, since it keeps a record of the answers only."""
    crawl = scene.parts.partner.bridge.crawl_sessions(utc_now() - BACK, limit=LIMIT)
    while True:
        asked = utc_now()
        page = next(crawl, None)
        if page is None:
            return
        link = ", Link" if page.next_url is not None else ""
        answer = f"{page.status} with {page.count} of {page.total}{link}"
        by = "by Link" if page.offset else "date_from, limit"
        scene.notes.append(Message(asked, PARTNER, BRIDGE, f"GET sessions, {by}"))
        scene.notes.append(Message(page.at, BRIDGE, PARTNER, answer, answer=True))
        yield page
