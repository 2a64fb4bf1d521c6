"""Sending charger commands and recording their answers: one conditional write for each step of a request's life."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ocpi_bridge.adapters.dynamodb import instants, registry_items, request_items, session_items, tables, writes
from ocpi_bridge.adapters.dynamodb.documents import dump
from ocpi_bridge.adapters.dynamodb.requests import uncertain_entry
from ocpi_bridge.domain.plans import Plan
from ocpi_bridge.domain.requests import (
    Answer,
    InstalledPlan,
    Origin,
    Request,
    RequestKind,
    RequestState,
    Result,
    Whereabouts,
)
from ocpi_bridge.domain.values import dataclass
from ocpi_bridge.ports.clock import Clock
from ocpi_bridge.ports.commands import CommandContext

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

_STATES = {"pending": RequestState.PENDING.value, "sent": RequestState.SENT.value}


@dataclass(frozen=True, slots=True)
class DynamoCommandStore:
    """CommandStore on the three tables. `clock` tells when each step was taken, for those who look back at it."""

    client: "DynamoDBClient"
    sessions: str
    requests: str
    registry: str
    clock: Clock

    def command_context(self, request_id: str, about: Whereabouts | None = None) -> CommandContext | None:
        """See CommandStore: one call, or two where `about` does not say it or is wrong, or the plan stands apart."""
        request_key = (self.requests, *request_items.request_key(request_id))
        plan_key = (self.requests, *request_items.plan_key(request_id))
        found = tables.get_many(self.client, [request_key, *(self._around(about) if about else ())])
        if request_key not in found:
            return None
        item = found[request_key]
        request = request_items.request_of(item)
        missing = self._around(request.whereabouts) if request.whereabouts != about else ()
        apart = (plan_key,) if request_items.plan_stands_apart(request, item) else ()
        found |= tables.get_many(self.client, (*missing, *apart))
        return self._context(request, found, plan=request_items.plan_of(found.get(plan_key) if apart else item))

    def answer_context(self, request_id: str, csms_id: str | None) -> CommandContext | None:
        """See CommandStore: one call for a SET or CLEAR whose CSMS is told, else two."""
        request_key = (self.requests, *request_items.request_key(request_id))
        told = [(self.registry, *registry_items.csms_key(csms_id))] if csms_id else []
        found = tables.get_many(self.client, [request_key, *told])
        if request_key not in found:
            return None
        request = request_items.request_of(found[request_key])
        if request.kind is RequestKind.GET:
            found |= tables.get_many(self.client, self._around(request.whereabouts))
        elif request.csms_id != csms_id:
            found |= tables.get_many(self.client, [(self.registry, *registry_items.csms_key(request.csms_id))])
        return self._context(request, found, plan=None)

    def _around(self, about: Whereabouts) -> tuple[tables.Key, ...]:
        station = (about.csms_id, about.station_id)
        return (
            (self.sessions, *session_items.session_key(about.session_id)),
            (self.sessions, *session_items.control_key(about.session_id)),
            (self.registry, *registry_items.csms_key(about.csms_id)),
            (self.registry, *registry_items.station_key(*station)),
            (self.registry, *registry_items.station_state_key(*station)),
        )

    def _context(
        self, request: Request, found: Mapping[tables.Key, dict[str, Any]], *, plan: Plan | None
    ) -> CommandContext:
        session, control, csms, station, state = self._around(request.whereabouts)
        return CommandContext(
            request=request,
            plan=plan,
            session=session_items.session_of(found[session]) if session in found else None,
            control=session_items.control_of(request.session_id, found.get(control)),
            csms=registry_items.csms_of(found[csms]) if csms in found else None,
            station=registry_items.station_of(found[station]) if station in found else None,
            state=registry_items.station_state_of(found.get(state)),
        )

    def mark_sent(self, request: Request) -> bool:
        """See CommandStore."""
        now = instants.epoch_ms(self.clock.now())
        entries = [
            writes.update(
                self.requests,
                request_items.request_key(request.request_id),
                {
                    "state": RequestState.SENT.value,
                    "attempts": request.attempts + 1,
                    "step": request.step,
                    "sent_at": now,
                    **({} if request.attempts else {"first_sent_at": now}),
                    **({"fitted_to": dump(request.fitted_to)} if request.fitted_to is not None else {}),
                },
                "#state = :was AND #step = :step AND #attempts = :attempts_before",
                {"was": request.state.value, "attempts_before": request.attempts},
            )
        ]
        if request.number is not None:
            again = request.state is RequestState.SENT
            entries.append(
                writes.update(
                    self.sessions,
                    session_items.control_key(request.session_id),
                    {"sent": request.number},
                    "#sent = :sent" if again else "attribute_not_exists(#sent) OR #sent <= :sent",
                    {},
                )
            )
        return writes.write(self.client, entries)

    def nothing_sent(self, request: Request) -> None:
        """See CommandStore."""
        as_it_is = {"state": request.state.value, "step": request.step, "attempts": request.attempts}
        noted = writes.update(
            self.requests,
            request_items.request_key(request.request_id),
            {**as_it_is, "unsent": request.attempts},
            "#state = :state AND #step = :step AND #attempts = :attempts",
            {},
        )
        writes.write(self.client, [noted])

    def record_answer(self, request: Request, answer: Answer, *, uncertain: bool = False) -> bool:
        """See CommandStore."""
        entries = [self._answered(request, answer)]
        if answer.active_profile is not None:
            key = request_items.profile_key(request.request_id)
            expires_at = instants.expiry(request.created_at, request_items.REQUEST_RETENTION)
            profile = request_items.plan_item(key, "profile", answer.active_profile, expires_at)
            entries.append(writes.put(self.requests, profile))
        left = (
            uncertain_entry(self.sessions, request)
            if uncertain and request.number
            else self._installed(request, answer)
        )
        if left is not None and writes.write(self.client, [*entries, left]):
            return True
        # Either the request moved on, or more is known of a later one: the answer alone settles which.
        return writes.write(self.client, entries)

    def turn_to_step(self, request: Request, step: int) -> bool:
        """See CommandStore."""
        turned = writes.update(
            self.requests,
            request_items.request_key(request.request_id),
            {"state": RequestState.PENDING.value, "step": step},
            "#state = :was AND #step = :at_step",
            {"was": RequestState.SENT.value, "at_step": request.step},
        )
        if step > request.step and request.number is not None:
            # Only a CLEAR stands before another step: what was installed is gone, whatever becomes of the SET.
            cleared = self._control_after(request, request.number, plan=None)
            if writes.write(self.client, [turned, cleared]):
                return True
        return writes.write(self.client, [turned])

    def _answered(self, request: Request, answer: Answer) -> "TransactWriteItemTypeDef":
        ended = request.origin is Origin.BRIDGE
        return writes.update(
            self.requests,
            request_items.request_key(request.request_id),
            {
                "state": RequestState.ANSWERED.value,
                "result": answer.result.value,
                "reason": answer.reason,
                "step": request.step,
                "answered_at": instants.epoch_ms(self.clock.now()),
                **({} if answer.supported else {"supported": False}),
            },
            "#state IN (:pending, :sent) AND #step = :step",
            _STATES,
            remove=("due_shard", "due_at") if ended else (),
        )

    def _installed(self, request: Request, answer: Answer) -> "TransactWriteItemTypeDef | None":
        # A CLEAR whose profile is unknown there leaves none either.
        done = {Result.ACCEPTED, Result.UNKNOWN} if request.kind is RequestKind.CLEAR else {Result.ACCEPTED}
        if answer.result not in done or request.number is None:
            return None
        plan = None
        if request.kind is RequestKind.SET:
            plan = dump(
                InstalledPlan(
                    request_id=request.request_id,
                    number=request.number,
                    ends_at=request.plan_ends_at,
                    partner_id=request.partner_id,
                    at=request.created_at,
                    fail_safe_at=request.fail_safe_at,
                    fitted_to=request.fitted_to,
                )
            )
        return self._control_after(request, request.number, plan)

    def _control_after(self, request: Request, number: int, plan: str | None) -> "TransactWriteItemTypeDef":
        """The control with what the request of that number left at the charge point: a plan, or none."""
        return writes.update(
            self.sessions,
            session_items.control_key(request.session_id),
            {"installed_number": number, **({"installed": plan} if plan else {})},
            "attribute_not_exists(#installed_number) OR #installed_number <= :installed_number",
            {},
            remove=() if plan else ("installed",),
        )
