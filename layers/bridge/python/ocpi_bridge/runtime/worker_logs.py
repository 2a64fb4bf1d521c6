"""What the workers log and count: one line a step, in the vocabularies of observability and metric_catalogue."""

from collections.abc import Iterable
from dataclasses import asdict
from typing import TYPE_CHECKING

from ocpi_bridge.domain.requests import Request
from ocpi_bridge.domain.url_guard.urls import host_of
from ocpi_bridge.runtime.metric_catalogue import (
    ACTIVE_PROFILES,
    CHARGER_ANSWER_TIME,
    COMMANDS,
    DELIVERED_RESULTS,
    EVENTS,
    EXPIRED_REQUESTS,
    LIVE_SESSIONS,
    RESULT_DELIVERY_TIME,
    SESSION_PUSHES,
    SILENT_PARTNERS,
    UNDELIVERED_RESULTS,
    EventOutcome,
    Metric,
    partner_error,
)
from ocpi_bridge.runtime.metrics import emit, milliseconds_since
from ocpi_bridge.runtime.observability import logger

if TYPE_CHECKING:
    # Types only: a worker must not load the use cases of the others.
    from ocpi_bridge.adapters.csms.command_results import CommandResult
    from ocpi_bridge.domain.events import StationEvent
    from ocpi_bridge.usecases.deliver_result import Outcome
    from ocpi_bridge.usecases.ingested import Ingested
    from ocpi_bridge.usecases.record_result import ReportedResult
    from ocpi_bridge.usecases.relay_outbox import Change
    from ocpi_bridge.usecases.send_command import Turn
    from ocpi_bridge.usecases.survey import Surveyed
    from ocpi_bridge.usecases.sweep import Swept
    from ocpi_bridge.usecases.update_partner import Updated


def log_turn(turn: "Turn") -> None:
    """One turn of a request at its charge point."""
    logger.info("command.turn", extra={**_about(turn.request), "outcome": turn.what, "reason": turn.reason})
    _count(COMMANDS, turn.what)
    if turn.what == "answered":
        _count_answer(turn.request)


def log_outcome(outcome: "Outcome") -> None:
    """One attempt to deliver a result."""
    request = outcome.request
    host = host_of(request.callback.response_url) if request and request.callback else None
    about = {**_about(request), "outcome": outcome.what, "error": outcome.error, "host": host}
    logger.info("result.expired" if outcome.expired else "result.attempt", extra=about)
    if outcome.expired and _of_a_partner(request):
        emit(EXPIRED_REQUESTS)
    if request is not None and outcome.what == "delivered":
        emit(DELIVERED_RESULTS)
        emit(RESULT_DELIVERY_TIME, milliseconds_since(request.created_at))
    elif outcome.what == "given_up":
        emit(DELIVERED_RESULTS, 0)
        emit(UNDELIVERED_RESULTS, error=partner_error(outcome.error))


def log_ingested(event: "StationEvent", done: "Ingested") -> None:
    """One event of a CSMS; one that belongs nowhere is a warning, for the operator to find."""
    extra = {
        "event_id": event.event_id,
        "event_type": event.type,
        "station_key": f"{event.csms_id}#{event.station_id}",
        "connector_id": event.connector_id,
        "transaction_id": event.transaction_id,
        "outcome": done,
    }
    (logger.warning if done.lost else logger.info)("event.ingested", extra=extra)
    emit(EVENTS, outcome=EventOutcome.UNPLACED if done.lost else EventOutcome.TAKEN)


def log_result(reported: "ReportedResult", result: "CommandResult | None" = None) -> None:
    """A charge point's answer, posted or as an event; one to a command that is not the CSMS's is a warning."""
    event = {"event_id": result.event_id, "csms_id": result.csms_id} if result is not None else {}
    log = logger.warning if reported.outcome.refused else logger.info
    log("command.answered", extra={**_about(reported.request), **event, "outcome": reported.outcome})
    if reported.outcome == "answered":
        _count_answer(reported.request)


def log_refused(csms_id: str, station_id: str, event_id: str, reason: str, detail: str) -> None:
    """What a CSMS, or somebody on the bus, reported in vain."""
    about = {"csms_id": csms_id, "station_key": f"{csms_id}#{station_id}", "event_id": event_id}
    logger.warning("event.refused", extra={**about, "outcome": reason, "reason": detail})
    emit(EVENTS, outcome=EventOutcome.REFUSED)


def log_update(session_id: str, partner_id: str, correlation_id: str, updated: "Updated") -> None:
    """What a partner was told of a session, and of the profile that is followed."""
    about = {"session_id": session_id, "partner_id": partner_id, "correlation_id": correlation_id}
    for event in updated.learned:
        (logger.info if event == "answers" else logger.warning)(f"partner.{event}", extra=about)
    logger.info("session.push", extra={**about, "outcome": updated.push})
    _count(SESSION_PUSHES, updated.push)
    _count(ACTIVE_PROFILES, updated.watch)
    if updated.watch != "nothing":
        logger.info("active_profile.watch", extra={**about, "outcome": updated.watch})


def log_relayed(changes: "Iterable[Change]") -> None:
    """Requests that went on to their next function. Sessions have a line where they are pushed, and change often."""
    for change in changes:
        if isinstance(change, Request):
            logger.info("outbox.relayed", extra={**_about(change), "state": change.state})


def log_sweep(swept: "Swept", surveyed: "Surveyed") -> None:
    """What was woken, and how it goes; a partner that is silent is a warning of its own."""
    logger.info("sweep.done", extra={**asdict(swept), "live_sessions": surveyed.live_sessions})
    for partner_id in surveyed.silent_partners:
        logger.warning("partner.silent", extra={"partner_id": partner_id})
    emit(LIVE_SESSIONS, surveyed.live_sessions)
    emit(SILENT_PARTNERS, len(surveyed.silent_partners))


def _count(metric: Metric, outcome: str) -> None:
    """One outcome of a step; a step that found nothing to do is none that counts."""
    if outcome in metric.dimensions["outcome"]:
        emit(metric, outcome=outcome)


def _count_answer(request: Request | None) -> None:
    if request is not None and _of_a_partner(request):
        emit(EXPIRED_REQUESTS, 0)
        emit(CHARGER_ANSWER_TIME, milliseconds_since(request.created_at))


def _of_a_partner(request: Request | None) -> bool:
    return request is not None and request.origin == "partner"


def _about(request: Request | None) -> dict[str, object]:
    if request is None:
        return {}
    return {
        "request_id": request.request_id,
        "partner_id": request.partner_id,
        "session_id": request.session_id,
        "station_key": request.station_key,
        "kind": request.kind,
        "attempts": request.attempts,
        "correlation_id": request.correlation_id,
    }
