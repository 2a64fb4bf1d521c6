"""Everything that functions can tell operators of: each outcome once, through the code that writes it.

What the doors and workers say is driven as deployed where it is a step of the usual way, and by every outcome that their
use cases know.
"""

from collections.abc import Iterable

from ocpi_bridge.adapters.csms.command_results import CommandResult
from ocpi_bridge.domain.errors import InvalidInput, UrlRefused
from ocpi_bridge.domain.events import EventType
from ocpi_bridge.domain.partners import Party
from ocpi_bridge.domain.requests import Request, RequestState
from ocpi_bridge.ocpi.charging_profiles import ResponseType
from ocpi_bridge.ports.json_values import JsonValue
from ocpi_bridge.ports.partners import PartnerMessage, Receipt
from ocpi_bridge.ports.pushes import Pushed
from ocpi_bridge.runtime.ocpi_door import PartnerCall, ocpi_endpoint
from ocpi_bridge.runtime.partner_calls import ObservedPartnerClient
from ocpi_bridge.runtime.wiring.ocpi import OcpiModule
from ocpi_bridge.runtime.worker_logs import (
    log_ingested,
    log_outcome,
    log_refused,
    log_result,
    log_turn,
    log_update,
)
from ocpi_bridge.usecases import record_result
from ocpi_bridge.usecases.deliver_result import Delivered, Outcome
from ocpi_bridge.usecases.ingested import Ingested
from ocpi_bridge.usecases.push_session import PushResult
from ocpi_bridge.usecases.record_result import ReportedResult
from ocpi_bridge.usecases.send_command import Sent, Turn
from ocpi_bridge.usecases.survey import FAILURES
from ocpi_bridge.usecases.update_partner import Updated
from ocpi_bridge.usecases.watching import Watched
from tests.support.deployed_site import AUTHORIZED, Site, answered_by, deployed_site, ocpi, set_profile
from tests.support.emissions import Emissions, emissions
from tests.support.lambda_events import proxy_event, queue_event
from tests.support.queues import aws_queues
from tests.support.scripted import ScriptedPartner
from tests.support.tables import aws_tables
from tests.support.world import World, event

PATH = "/ocpi/2.2.1/chargingprofiles/x"

# Every class that ports.Receipt documents, and an example of each family.
RECEIPT_ERRORS = (
    "http_401",
    "http_404",
    "http_429",
    "http_503",
    "ocpi_2001",
    "connect",
    "timeout",
    "connect_timeout",
    "connection_lost",
    "dns",
    "tls",
    "protocol",
    "redirect",
    "body_too_large",
    "refused_host",
    "refused_address",
    "invalid_request",
    "not_connected",
    "no_token",
    "no_client_secret",
    "no_api_key",
    "oauth_http_401",
)


def everything_told() -> Emissions:
    """What all of it writes."""
    with (
        aws_tables() as tables,
        aws_queues() as queues,
        deployed_site(World(tables), queues) as site,
        emissions() as heard,
    ):
        _usual_way(site)
        request = site.world.request(site.world.requests()[0].request_id)
        _answers_at_the_door(site.world)
        _outcomes_of_workers(request)
        _calls_of_partners(site.world)
        _events(site)
        _sweep_with_a_silent_partner(site)
    return heard


def _usual_way(site: Site) -> None:
    """A PUT, all the way; and one that nobody answers."""
    session = site.world.open_session()
    site.run("ocpi_charging_profiles", ocpi("PUT", PATH, session_id=session.session_id, body=set_profile()))
    [request] = site.world.requests()
    site.relay(site.world.request_item(request.request_id))
    site.drain("send_charger_commands", site.queues.charger_commands)
    answered_by(site, site.driver.commands[0])
    site.relay(site.world.request_item(request.request_id))
    site.drain("deliver_results", site.queues.result_callbacks)


def _answers_at_the_door(world: World) -> None:
    service = OcpiModule(world.intake, world.clock, Party("NL", "CPO"))
    for method in ("PUT", "GET", "DELETE"):
        for result in ResponseType:

            def answer(_: PartnerCall, result: ResponseType = result) -> JsonValue:
                return {"result": result, "timeout": 0}

            ocpi_endpoint(service)(answer)(ocpi(method, PATH), None)
        for error in (
            RuntimeError("broken"),
            UrlRefused("response_url", "is elsewhere", "evil.example"),
            InvalidInput("a", "b"),
        ):

            def fail(_: PartnerCall, error: Exception = error) -> JsonValue:
                raise error

            ocpi_endpoint(service)(fail)(ocpi(method, PATH), None)
            ocpi_endpoint(service)(fail)(ocpi(method, PATH, headers={}), None)


def _outcomes_of_workers(request: Request) -> None:
    for sent in Sent:
        log_turn(Turn(sent, request, reason="a reason"))
    for error in (*RECEIPT_ERRORS, "too_late"):
        log_outcome(Outcome(Delivered.GIVEN_UP, request, error=error))
    for delivered in Delivered:
        log_outcome(Outcome(delivered, request, expired=True))
    for reported in record_result.Outcome:
        result = CommandResult("e-1", request.created_at, "acme", "CP-001", request.command_id, b"")
        log_result(ReportedResult(reported, request), result)
    for push, watch in _pairs(PushResult, Watched):
        log_update(request.session_id, "jedlix", "corr-1", Updated(push, watch))


def _pairs(pushes: Iterable[PushResult], watches: Iterable[Watched]) -> Iterable[tuple[PushResult, Watched]]:
    yield from ((push, Watched.NOTHING) for push in pushes)
    yield from ((PushResult.NOTHING_NEW, watch) for watch in watches)


def _calls_of_partners(world: World) -> None:
    message = PartnerMessage("PUT", "https://www.jedlix.com/x", {}, "corr-1", Party("NL", "CPO"), world.partner.party)
    receipts = [Receipt(delivered=True, http_status=200)]
    receipts += [Receipt(delivered=False, error=error) for error in RECEIPT_ERRORS]
    for receipt in receipts:
        ObservedPartnerClient(ScriptedPartner(receipt), world.clock).send(world.partner, message, 1)


def _events(site: Site) -> None:
    for done in Ingested:
        log_ingested(event(EventType.TRANSACTION_STARTED), done)
    log_refused("acme", "CP-001", "e-1", "unreadable", "no time")
    frames = {"csms_id": "acme", "token": "0" * 43}
    site.run("csms_frames", proxy_event("POST", "/csms/v1/citrineos/acme/0", path_parameters=frames, body="{}"))
    session = {"csms_id": "acme", "country_code": "NL", "party_id": "ACM", "session_id": "s"}
    site.run("csms_sessions", proxy_event("PUT", "/x", headers=AUTHORIZED, path_parameters=session, body="{}"))
    site.queues.client.send_message(QueueUrl=site.queues.result_callbacks, MessageBody="{}")
    last = queue_event(site.queues.client, site.queues.result_callbacks)
    last["Records"][0]["attributes"]["ApproximateReceiveCount"] = "99"
    site.run("deliver_results", last)


def _sweep_with_a_silent_partner(site: Site) -> None:
    [session, *_] = site.world.stored_sessions()
    failed = Pushed(session.session_id, "jedlix", in_doubt=True, attempts=FAILURES)
    site.world.pushes.save_pushed(failed, due_at=None)
    site.world.put_request(session, request_id="late", state=RequestState.SENT)
    site.run("sweep", {})
