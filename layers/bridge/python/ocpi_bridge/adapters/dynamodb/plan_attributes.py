"""Plans as two attributes of an item: `plan` is JSON of all but the periods, `periods` is their text.

`0 11000;900 10500.5` is 11000 from the start on and 10500.5 from 900 s on, in the plan's unit. As JSON each period would
be more than twice as long, and a KB more costs (docs/decisions/0027-what-a-cycle-costs.md).
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from ocpi_bridge.adapters.dynamodb.documents import compact, load
from ocpi_bridge.domain.plans import Plan, PlanPeriod


def plan_attributes(plan: Plan) -> dict[str, str]:
    """The attributes of a plan."""
    periods = ";".join(f"{period.start} {_limit(period.limit)}" for period in plan.periods)
    return {"plan": compact(plan, beside=("periods",)), "periods": periods}


def plan_of_attributes(item: Mapping[str, Any]) -> Plan | None:
    """The plan that an item has, None where it has none."""
    if "plan" not in item:
        return None
    return load(Plan, item["plan"], periods=tuple(map(_period, filter(None, item["periods"].split(";")))))


def _limit(limit: Decimal) -> str:
    # JSON's numbers often come with a decimal that says nothing.
    return str(limit).removesuffix(".0")


def _period(text: str) -> PlanPeriod:
    start, _, limit = text.partition(" ")
    return PlanPeriod(int(start), Decimal(limit))
