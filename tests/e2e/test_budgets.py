"""A cycle on the deployed stack calls of DynamoDB and SQS what its budget says: counted between the functions and AWS."""

from collections import Counter

from ocpi_bridge.domain.requests import RequestState
from tests.support.e2e_site import SOON, Site, flat, site
from tools.bridge.cost_budgets import BUDGETS, DEADLINE, Happening, Mode
from tools.bridge.cost_durations import QUEUE_WORKERS
from tools.counterparts.http_service import Request
from tools.local_stack import LocalStack
from tools.prove.aws_faults import is_table
from tools.prove.aws_way import AwsWay

CYCLE = ("ocpi_charging_profiles", "relay_outbox", "send_charger_commands", "csms_callback", "deliver_results")
# The SDK's own attempts at one call carry one id.
INVOCATION = "amz-sdk-invocation-id"


class Calls:
    """The calls that functions make of DynamoDB and SQS, each once, however often the SDK tried it."""

    def __init__(self) -> None:
        self._seen: dict[str, tuple[str, Request]] = {}

    def saw(self, function: str, request: Request) -> None:
        self._seen[request.header(INVOCATION) or ""] = function, request

    def forget(self) -> None:
        self._seen.clear()

    def about(self, *names: str) -> list[tuple[str, Request]]:
        """Those that name one of these: what else happens on the stack is left out."""
        return [one for one in self._seen.values() if any(name.encode() in one[1].body for name in names)]


def delivered(place: Site) -> str:
    """The id of a request whose result was delivered, and which is noted to be."""
    job = place.bridge.put_profile(place.session_id, flat(7000))
    job.wait_for_result(SOON)
    return place.items.wait_for_state(place.session_id, job.response_url, RequestState.DELIVERED, SOON).request_id


def test_a_put_calls_what_its_budget_says_from_the_call_to_the_delivered_result(stack: LocalStack) -> None:
    calls = Calls()
    with site(stack) as place, AwsWay(stack, CYCLE, calls.saw):
        # Functions start for the first time, and read their secrets.
        delivered(place)
        calls.forget()
        request_id = delivered(place)
        seen = calls.about(request_id, place.session_id, place.world.partner_id)
    by_function = Counter(function for function, request in seen if is_table(request))
    assert by_function == {
        "ocpi_charging_profiles": 3,
        "send_charger_commands": 2,
        "csms_callback": 2,
        "deliver_results": 3,
    }
    budget = BUDGETS[Happening.PUT, Mode.CALLBACK]
    assert by_function.total() == budget.dynamodb - DEADLINE.dynamodb
    taken = 2 * sum(number for name, number in budget.runs.items() if name in QUEUE_WORKERS)
    assert len(seen) - by_function.total() == budget.sqs - taken
