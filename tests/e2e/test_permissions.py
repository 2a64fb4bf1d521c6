"""Permissions are enforced, and each function has just what it needs: without one grant the job does not get through."""

import pytest

from tests.support.e2e_grants import Grants
from tests.support.e2e_log import FunctionLog
from tests.support.e2e_site import SOON, flat, site
from tests.support.e2e_waiting import eventually
from tools.local_stack import LocalStack
from tools.partner_simulator import ResponseType, ResultType

SET = "SetChargingProfile"

# The embedded AWS asks for SendMessageBatch by its name; on AWS it is a part of SendMessage.
NEEDED = (
    ("relay_outbox", "sqs:SendMessageBatch", "charger-commands.fifo"),
    ("relay_outbox", "sqs:SendMessageBatch", "result-callbacks"),
    ("send_charger_commands", "dynamodb:UpdateItem", "TablesRequests"),
    ("send_charger_commands", "dynamodb:BatchGetItem", "TablesRegistry"),
    ("deliver_results", "secretsmanager:GetSecretValue", "partners/"),
    ("deliver_results", "dynamodb:UpdateItem", "TablesRequests"),
)


@pytest.mark.parametrize(("function", "action", "resource"), NEEDED)
def test_without_one_grant_no_result_reaches_the_partner(
    stack: LocalStack, function: str, action: str, resource: str
) -> None:
    grants = Grants(stack)
    with site(stack) as place, grants.without(grants.find(function, action, resource)):
        log = FunctionLog(stack)
        put = place.bridge.put_profile(place.session_id, flat(7000))

        eventually(lambda: f"not authorized to perform: {action}" in log.text(), SOON, what=f"that {action} is denied")

        assert put.result is ResponseType.ACCEPTED
        assert put.results() == []


@pytest.mark.parametrize("table", ["TablesRequests", "TablesSessions"])
def test_without_one_grant_a_charge_points_answer_is_not_taken(stack: LocalStack, table: str) -> None:
    grants = Grants(stack)
    with site(stack) as place, grants.without(grants.find("csms_callback", "dynamodb:UpdateItem", table)):
        put = place.bridge.put_profile(place.session_id, flat(7000))

        of_the_plan = place.csms.callbacks.deliveries.wait_for(lambda one: one.command.action == SET, SOON)
        assert of_the_plan.status == 503

        assert put.result is ResponseType.ACCEPTED
        assert put.results() == []


@pytest.mark.parametrize("table", ["TablesRequests", "TablesSessions"])
def test_without_one_grant_a_request_is_not_accepted(stack: LocalStack, table: str) -> None:
    action = {"TablesRequests": "dynamodb:PutItem", "TablesSessions": "dynamodb:UpdateItem"}[table]
    grants = Grants(stack)
    with site(stack) as place:
        with grants.without(grants.find("ocpi_charging_profiles", action, table)):
            refused = place.bridge.put_profile(place.session_id, flat(7000))
        accepted = place.bridge.put_profile(place.session_id, flat(8000))

        # Our fault, not the partner's, and still in the envelope.
        assert (refused.status, refused.status_code, refused.result) == (200, 3000, None)
        assert accepted.wait_for_result(SOON).result is ResultType.ACCEPTED
        assert refused.results() == []
        assert len(place.commands()) == 1
