"""What an ActiveChargingProfile has to be, wherever it comes from (OCPI 14.6.1)."""

from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise

from pydantic import ValidationError

from tools.counterparts.json_types import JsonObject, as_object
from tools.partner_simulator.datatypes import DateTime
from tools.partner_simulator.models import ChargingProfile, OcpiObject, findings
from tools.rehearsal import rules
from tools.rehearsal.ledger import Ledger

# Clocks of charge points and platforms, and the way through both.
CLOCK_TOLERANCE = timedelta(minutes=5)
# Rounding to tenths in a charge point, and from A to W.
LIMIT_TOLERANCE = Decimal("0.5")


class ReadProfile(OcpiObject):
    """An active profile by its form alone; what its periods have to be is looked at one by one."""

    start_date_time: DateTime
    charging_profile: ChargingProfile


def judge_active_profile(ledger: Ledger, body: JsonObject, where: str, at: datetime) -> ReadProfile | None:
    """Record what an active profile that came at a moment keeps and breaks; the profile where it has the form."""
    problem, read = "", None
    try:
        read = ReadProfile.model_validate(body, extra="ignore")
    except ValidationError as error:
        problem = findings(error)
    periods = [] if read is None else read.charging_profile.charging_profile_period or []
    if read is not None and not periods:
        problem = "no periods"
    ledger.expect(
        rules.ACTIVE_FORM, not problem, where=where, expected="start_date_time and charging_profile", seen=problem
    )
    if read is None or not periods:
        return None
    starts = [period.start_period for period in periods]
    ledger.expect(rules.ACTIVE_FIRST, starts[0] == 0, where=where, expected="0", seen=starts)
    in_order = all(earlier < later for earlier, later in pairwise(starts))
    ledger.expect(rules.ACTIVE_ORDER, in_order, where=where, expected="in order", seen=starts)
    is_now = abs(at - read.start_date_time) <= CLOCK_TOLERANCE
    ledger.expect(rules.ACTIVE_START, is_now, where=where, expected=f"about {at:%H:%M:%S}", seen=read.start_date_time)
    return read


def judge_length(ledger: Ledger, read: ReadProfile, where: str, asked: int) -> None:
    """Record whether a profile ends with the duration that was asked for (s)."""
    profile = read.charging_profile
    last = max(period.start_period for period in profile.charging_profile_period or [])
    is_clipped = last < asked and (profile.duration is None or profile.duration <= asked)
    ledger.expect(
        rules.ACTIVE_CLIPPED,
        is_clipped,
        where=where,
        expected=f"{asked} s at the most",
        seen=f"duration {profile.duration}, last period at {last} s",
    )


def judge_limit(ledger: Ledger, read: ReadProfile, where: str, watts: int) -> None:
    """Record whether a profile keeps to a plan of one limit (W) and to its unit."""
    profile = read.charging_profile
    unit = profile.charging_rate_unit
    if not ledger.expect(rules.ACTIVE_UNIT, unit == "W", where=where, expected="W", seen=unit):
        return
    limits = [period.limit for period in profile.charging_profile_period or []]
    is_within = all(limit <= watts + LIMIT_TOLERANCE for limit in limits)
    ledger.expect(rules.ACTIVE_LIMIT, is_within, where=where, expected=f"at most {watts} W", seen=limits)


def result_profile(body: JsonObject | None) -> JsonObject:
    """The profile in the result of a GET, empty where there is none."""
    return as_object((body or {}).get("profile"))
