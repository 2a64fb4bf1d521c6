"""`bridge request`: one request, with its plan, its state, the delivery of its result, and what to do where it hangs."""

from collections.abc import Mapping
from typing import Annotated

import typer

from ocpi_bridge.domain.errors import UnknownEntity
from ocpi_bridge.domain.plans import Plan
from ocpi_bridge.domain.requests import WAITING, Request, RequestState
from ocpi_bridge.ports.stories import RequestStory
from tools.bridge import files
from tools.bridge.dlq_entries import RESULTS
from tools.bridge.request_documents import request_document
from tools.bridge.session import Session, command
from tools.bridge.wording import lines

app = typer.Typer(
    no_args_is_help=True, help="Requests: what a partner, or the bridge itself, wanted of a charge point."
)

RequestId = Annotated[
    str, typer.Argument(metavar="REQUEST", help="The request's id, as logs and `bridge session show` have it.")
]


@command(app, "show")
def show(session: Session, request_id: RequestId) -> None:
    """Show a request: its plan, how far it came and when, its result, and the delivery of that.

    Where the result could not be delivered, its entry in the dead-letter queue is named. Of the `response_url` only the
    host is shown.
    """
    told = session.deployment.tracer().stories.request(request_id)
    if told is None:
        raise UnknownEntity("request", request_id)
    document = _document(told)
    hint = _hint(session, told.request)
    if hint is not None:
        document["what_to_do"] = hint
    session.output.done(document, *lines(_for_people(document)))


def _document(told: RequestStory) -> dict[str, files.Json]:
    when = told.milestones
    return {
        "request_id": told.request.request_id,
        "session_id": told.request.session_id,
        "partner_id": told.request.partner_id,
        "origin": told.request.origin.value,
        **request_document(told.request),
        "first_sent_at": files.to_json(when.first_sent_at),
        "sent_at": files.to_json(when.sent_at),
        "answered_at": files.to_json(when.answered_at),
        "first_delivery_at": files.to_json(when.first_delivery_at),
        "closed_at": files.to_json(when.closed_at),
        "correlation_id": told.request.correlation_id,
        "plan": _plan(told.plan),
        "active_profile": _plan(told.profile),
    }


def _plan(plan: Plan | None) -> files.Json:
    """A plan; its periods are start (s) and limit in the plan's unit, as the partner or the charge point gave them."""
    if plan is None:
        return None
    return {
        "unit": plan.unit.value,
        "start": files.to_json(plan.start),
        "duration": plan.duration,
        "periods": [{"start": one.start, "limit": files.to_json(one.limit)} for one in plan.periods],
    }


def _for_people(document: Mapping[str, files.Json]) -> Mapping[str, files.Json]:
    """The periods of plans in one line."""
    shown = dict(document)
    for name in ("plan", "active_profile"):
        plan = document[name]
        if isinstance(plan, dict) and isinstance(plan["periods"], list):
            periods = [one for one in plan["periods"] if isinstance(one, dict)]
            steps = ", ".join(f"{one['limit']} {plan['unit']} from {one['start']} s" for one in periods)
            shown[name] = {**plan, "periods": steps}
    return shown


def _hint(session: Session, request: Request) -> str | None:
    """What an operator can do where the request is not done."""
    if request.state in WAITING and session.deployment.takeover.clock.now() > request.deadline:
        return "its deadline is over and nobody closed it: `bridge dlq list`, and `bridge doctor` whether functions are fed"
    if request.state is not RequestState.UNDELIVERED:
        return None
    [listed] = session.deployment.dead_letters.listed(RESULTS)
    for entry, _ in listed.entries:
        if entry.request_id == request.request_id:
            return f"its result lies in {RESULTS}: `bridge dlq show {entry.entry_id} --queue {RESULTS}`, then redrive"
    return f"its result was given up, and is not among the letters of {RESULTS} that were read"
