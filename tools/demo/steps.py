"""The steps of the main job. Each waits for what must be seen at the far end and says in a sentence what it saw."""

from datetime import timedelta
from urllib.parse import urlsplit

from tools.charge_point import Car, LogEvent
from tools.counterparts.clock import utc_now
from tools.counterparts.json_types import JsonObject, as_object
from tools.counterparts.ocpp_json import Call, CallError
from tools.demo import checks
from tools.demo.scene import Bound, Scene, StepFailed, needed
from tools.demo.world import DRIVER_TAG
from tools.partner_simulator import Exchange, ReceivedResult, ResultType, Session, SessionStatus, guide_profile

# The guide's profile has its last period after an hour: so much lets the charge point tell all of it.
ACTIVE_PROFILE_SECONDS = 5400
CHARGED_WH = 1200


def plug_in(scene: Scene, within: Bound) -> str:
    """A car is plugged in and a transaction runs, at the charge point and in the CSMS's books."""
    scene.begin_chapter("A car is plugged in")
    scene.transaction_id = arrive(scene, within)
    return f"Transaction {scene.transaction_id} runs at the charge point and is in the CSMS's books"


def see_session(scene: Scene, within: Bound) -> str:
    """The partner has the session, ACTIVE, with the EVSE that the car is at, where its endpoints were discovered."""
    partner = scene.parts.partner
    session = session_at(scene, scene.parts.charge_point.station_id, within)
    pushes = partner.http.requests.matching(lambda one: one.method == "PUT" and one.path.endswith(f"/{session.id}"))
    discovered = urlsplit(partner.sessions_url).path
    elsewhere = [one.path for one in pushes if not one.path.startswith(f"{discovered}/")]
    if elsewhere:
        raise StepFailed(f"the session below {discovered}", elsewhere[0])
    scene.session = session
    return f"Session {session.id} is ACTIVE at the partner, EVSE {session.evse_uid}; it came to {discovered}, as discovered"


def ask_silent_charger(scene: Scene, within: Bound) -> str:
    """The partner PUTs a profile for a charger that takes the command and never answers."""
    parts = scene.parts
    parts.silent.start_transaction(1, DRIVER_TAG)
    scene.silent_session = session_at(scene, parts.silent.station_id, within)
    scene.tell("The partner PUTs a profile for it")
    scene.silent_put = parts.partner.bridge.put_profile(scene.silent_session.id, guide_profile(utc_now()))
    accepted(scene.silent_put)
    parts.silent.wait_for_command("SetChargingProfile", within.left())
    return (
        f"{parts.silent.station_id} has the command and stays silent; a result is promised within "
        f"{scene.silent_put.timeout} s, and is waited for further down"
    )


def put_profile(scene: Scene, _within: Bound) -> str:
    """The bridge answers the guide's profile, starting now, with ACCEPTED."""
    profile = guide_profile(utc_now())
    scene.requested = checks.requested_plan(profile)
    scene.begin_chapter("PUT: the profile of Jedlix's guide")
    scene.put = scene.parts.partner.bridge.put_profile(needed(scene.session).id, profile)
    accepted(scene.put)
    return f"ACCEPTED, a result is promised within {scene.put.timeout} s. The plan: {checks.in_words(scene.requested)}"


def see_profile_at_charge_point(scene: Scene, within: Bound) -> str:
    """The charge point's own log has SetChargingProfile with this plan for this transaction, and it accepted it."""
    requested, put = needed(scene.requested), needed(scene.put)
    event = scene.parts.charge_point.wait_for("SetChargingProfile", within.left())
    commanded_as = payload(event)
    transaction = as_object(commanded_as.get("csChargingProfiles")).get("transactionId")
    if transaction != scene.transaction_id:
        raise StepFailed(f"a profile for transaction {scene.transaction_id}", f"one for transaction {transaction}")
    commanded = checks.commanded_plan(commanded_as)
    until = checks.last_start(requested) + timedelta(hours=1)
    if not checks.says_the_same(requested, commanded, put.sent_at, until):
        raise StepFailed(checks.in_words(requested), checks.in_words(commanded))
    answered_with(scene, event, "Accepted", within)
    return f"{after(put, event)} after the PUT: SetChargingProfile with the same limits, answered Accepted"


def see_result(scene: Scene, within: Bound) -> str:
    """The result of the PUT is at the partner: ACCEPTED."""
    put = needed(scene.put)
    result = result_of(put, ResultType.ACCEPTED, within)
    return f"{after(put, result)} after the PUT: ACCEPTED"


def get_active_profile(scene: Scene, within: Bound) -> str:
    """The partner asks what the charge point will do, and is told the plan by the charge point itself."""
    charge_point, requested = scene.parts.charge_point, needed(scene.requested)
    mark = charge_point.mark()
    scene.begin_chapter("GET: what will the charge point do?")
    exchange = scene.parts.partner.bridge.get_active_profile(needed(scene.session).id, ACTIVE_PROFILE_SECONDS)
    accepted(exchange)
    scene.tell("Waiting for GetCompositeSchedule at the charge point")
    event = charge_point.wait_for("GetCompositeSchedule", within.left(), since=mark)
    answered_with(scene, event, "Accepted", within)
    scene.tell("Waiting for the active profile at the partner")
    result = result_of(exchange, ResultType.ACCEPTED, within)
    reported = checks.active_plan(needed(result.profile))
    scene.reported = reported
    since = needed(reported.start)
    until = since + timedelta(seconds=ACTIVE_PROFILE_SECONDS)
    if not checks.says_the_same(requested, reported, since, until):
        raise StepFailed(checks.in_words(requested), checks.in_words(reported))
    return f"The charge point was asked and says the same as the plan: {checks.in_words(reported)}"


def delete_profile(scene: Scene, within: Bound) -> str:
    """The partner clears the profile: ClearChargingProfile at the charge point, ACCEPTED at the partner."""
    charge_point = scene.parts.charge_point
    mark = charge_point.mark()
    scene.begin_chapter("DELETE: the profile is cleared")
    exchange = scene.parts.partner.bridge.delete_profile(needed(scene.session).id)
    accepted(exchange)
    scene.tell("Waiting for ClearChargingProfile at the charge point")
    event = charge_point.wait_for("ClearChargingProfile", within.left(), since=mark)
    answered_with(scene, event, "Accepted", within)
    scene.tell("Waiting for the result at the partner")
    result = result_of(exchange, ResultType.ACCEPTED, within)
    return f"ClearChargingProfile at the charge point, answered Accepted; {after(exchange, result)} later the partner has ACCEPTED"


def see_rejection(scene: Scene, within: Bound) -> str:
    """The request that the silent charger never answered is REJECTED, before the timeout that was announced."""
    put = needed(scene.silent_put)
    scene.tell(f"It was asked at {put.sent_at:%H:%M:%S} UTC; the bridge has to give up before {put.timeout} s are over")
    promised = needed(put.answer).at + timedelta(seconds=put.timeout or 0)
    result = result_of(put, ResultType.REJECTED, within)
    if result.at >= promised:
        late = (result.at - promised).total_seconds()
        raise StepFailed(f"a result within the {put.timeout} s announced", f"REJECTED {late:.1f} s after them")
    return f"REJECTED {after(put, result)} after the PUT; {put.timeout} s had been announced"


def end_transaction(scene: Scene, within: Bound) -> str:
    """The car has charged and leaves; the session is COMPLETED at the partner, with its end and its energy."""
    parts = scene.parts
    scene.begin_chapter("The car leaves")
    leave(scene)
    parts.silent.stop_transaction(1)
    completed(scene, needed(scene.silent_session), within)
    ended = completed(scene, needed(scene.session), within)
    if ended.end_date_time is None or ended.kwh * 1000 < CHARGED_WH:
        raise StepFailed(f"an end, and at least {CHARGED_WH} Wh", f"end {ended.end_date_time}, {ended.kwh} kWh")
    return f"Session {ended.id} is COMPLETED at the partner: {ended.kwh.normalize():f} kWh, ended {ended.end_date_time:%H:%M:%S} UTC"


def see_no_violation(scene: Scene, _within: Bound) -> str:
    """Nobody broke a rule: OCPI as the partner judges it, OCPP as its official schemas do, one result per request."""
    parts = scene.parts
    findings = [f"partner: {one.where}: {one.what}" for one in parts.partner.violations()]
    findings += [f"partner failed: {error!r}" for error in parts.partner.http.errors.entries()]
    findings += [f"CSMS failed: {error!r}" for error in parts.csms.http.errors.entries()]
    findings += [f"OCPP {one.action}: {one.problem}" for one in parts.csms.frames() if one.problem is not None]
    exchanges = parts.partner.exchanges.journal.entries()
    for exchange in exchanges:
        if exchange.is_accepted and len(exchange.results()) != 1:
            findings.append(f"{exchange.method} {exchange.session_id}: {len(exchange.results())} results")
    if findings:
        raise StepFailed("no broken rule", "; ".join(findings))
    return (
        f"{len(exchanges)} requests, each with exactly one result in time; no rule of OCPI {parts.partner.version} or "
        "OCPP 1.6 broken, in what was pushed nor in what was pulled"
    )


# What several steps do, the measurement's too


def arrive(scene: Scene, within: Bound) -> int:
    """A car is plugged in and its driver's token starts a transaction; its id, once station and CSMS agree on it."""
    parts = scene.parts
    parts.charge_point.plug_in(1, Car())
    transaction_id = parts.charge_point.start_transaction(1, DRIVER_TAG)
    state = parts.charge_point.wait_for_connector(1, lambda one: one.transaction_id is not None, within.left())
    booked = [one.transaction_id for one in parts.csms.books.active(parts.charge_point.station_id)]
    if [state.transaction_id] != booked:
        raise StepFailed(f"transaction {transaction_id} everywhere", f"{state.transaction_id}; at the CSMS {booked}")
    return transaction_id


def leave(scene: Scene) -> None:
    """The car has charged a little; the transaction ends and the car is unplugged."""
    charge_point = scene.parts.charge_point
    charge_point.send_meter_values(1, energy_wh=CHARGED_WH)
    charge_point.stop_transaction(1, id_tag=DRIVER_TAG)
    charge_point.unplug(1)


def session_at(scene: Scene, station_id: str, within: Bound) -> Session:
    """The ACTIVE session at a station's EVSE, once the partner has it."""
    scene.tell("Waiting for the session at the partner")
    return scene.parts.partner.wait_for_session(
        lambda one: one.evse_uid == f"{station_id}-1" and one.status is SessionStatus.ACTIVE, within.left()
    )


def completed(scene: Scene, session: Session, within: Bound) -> Session:
    """The session, once it is COMPLETED at the partner."""
    return scene.parts.partner.wait_for_session(
        lambda one: one.id == session.id and one.status is SessionStatus.COMPLETED, within.left()
    )


def accepted(exchange: Exchange) -> None:
    """Raise StepFailed unless the synchronous answer is HTTP 200, OCPI 1000, ACCEPTED."""
    if (exchange.status, exchange.status_code, exchange.is_accepted) != (200, 1000, True):
        said = f"HTTP {exchange.status}, OCPI {exchange.status_code}, {exchange.result or exchange.message}"
        raise StepFailed("HTTP 200, OCPI 1000, ACCEPTED", said)


def result_of(exchange: Exchange, expected: ResultType, within: Bound) -> ReceivedResult:
    """The result at the partner; raises StepFailed for another one than expected."""
    result = exchange.wait_for_result(within.left())
    if result.result is not expected:
        raise StepFailed(f"the result {expected} at the partner", f"{result.result}")
    return result


def answered_with(scene: Scene, event: LogEvent, expected: str, within: Bound) -> JsonObject:
    """What the charge point answered; raises StepFailed for another status than expected."""
    answer = scene.parts.charge_point.answer_to(event, within.left())
    status = answer.code if isinstance(answer, CallError) else answer.get("status")
    if isinstance(answer, CallError) or status != expected:
        raise StepFailed(f"the charge point answers {expected}", f"it answers {status}")
    return answer


def payload(event: LogEvent) -> JsonObject:
    """The payload of a CALL in a charge point's log; empty for anything else."""
    return event.frame.payload if isinstance(event.frame, Call) else {}


def after(exchange: Exchange, later: LogEvent | ReceivedResult) -> str:
    """How long after the partner's request something was seen."""
    return f"{(later.at - exchange.sent_at).total_seconds():.2f} s"
