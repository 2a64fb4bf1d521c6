"""What responses of OCPP 1.6 and 2.0.1 have in common, read: statuses, charging schedules, numbers.

Writing is strict (payloads), reading is not: charge points leave fields out, add some, and send numbers as they like. A
reader here never raises; it returns what can be understood, or says with the status UNPARSEABLE that nothing could.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation

from ocpi_bridge.domain.plans import Plan, PlanPeriod, RateUnit
from ocpi_bridge.domain.times import in_utc
from ocpi_bridge.ports.charge_points import Done
from ocpi_bridge.ports.json_values import JsonValue

# The status of an answer that has none, or of a composite schedule that is there but cannot be understood. No OCPP
# status has this name.
UNPARSEABLE = "Unparseable"

# Statuses and reasons come from outside and end in logs and items; the longest status of OCPP has half of this.
MAX_STATUS_LENGTH = 50
MAX_DETAIL_LENGTH = 200

# OCPP's integers have 32 bits; a period that begins later never begins.
MAX_SECONDS = 2**31 - 1

# No outlet delivers a terawatt. Some stations write "no limit" as a large number, but arithmetic on limits needs an end.
MAX_LIMIT = Decimal(10) ** 12

# A station without a clock says 1970; no transaction is this old.
PLAUSIBLE_START_DISTANCE = timedelta(days=30)


def read_status(payload: JsonValue) -> Done:
    """The status of a response, whatever it says, with the station's reason (statusInfo of 2.0.1) as the detail."""
    if not isinstance(payload, Mapping):
        return Done(UNPARSEABLE, detail="the answer is no object")
    status = payload.get("status")
    if not isinstance(status, str) or not status.strip():
        return Done(UNPARSEABLE, detail="the answer has no status")
    return Done(status.strip()[:MAX_STATUS_LENGTH], detail=_read_status_info(payload.get("statusInfo")))


def read_composite(answer: Done, schedule: JsonValue, starts: Sequence[JsonValue], received_at: datetime) -> Done:
    """The answer with its composite schedule as a plan with an absolute start, in the unit that the schedule names.

    The start is the first of `starts` that is a plausible dateTime, else `received_at`: a composite begins on receipt
    (1.6 errata 3.28). Periods are sorted; those without a readable limit are skipped, and where that (or the station)
    leaves a gap at the beginning, the plan starts after it. A negative limit counts as 0. No schedule, or one without
    periods, leaves the answer as it is. A schedule with periods but without a known unit or a readable period makes
    the status UNPARSEABLE.
    """
    if not schedule:
        return answer
    if not isinstance(schedule, Mapping):
        return Done(UNPARSEABLE, detail="the composite schedule is no object")
    listed = schedule.get("chargingSchedulePeriod")
    if not listed:
        return answer
    unit = schedule.get("chargingRateUnit")
    if not isinstance(unit, str) or unit not in set(RateUnit):
        return Done(UNPARSEABLE, detail="the composite schedule has no known unit")
    periods = _read_periods(listed)
    if not periods:
        return Done(UNPARSEABLE, detail="the composite schedule has no period with a limit")
    gap = periods[0].start
    duration = _read_seconds(schedule.get("duration"))
    plan = Plan(
        unit=RateUnit(unit),
        periods=tuple(replace(period, start=period.start - gap) for period in periods),
        start=_read_start(starts, received_at) + timedelta(seconds=gap),
        duration=duration - gap if duration is not None and duration > gap else None,
        min_rate=_read_limit(schedule.get("minChargingRate")),
    )
    return replace(answer, schedule=plan)


def _read_periods(listed: JsonValue) -> list[PlanPeriod]:
    by_start: dict[int, Decimal] = {}
    for start, limit in sorted(_readable(listed), key=lambda pair: pair[0]):
        by_start[max(0, start)] = limit
    return [PlanPeriod(start, limit) for start, limit in by_start.items()]


def _readable(listed: JsonValue) -> Iterator[tuple[int, Decimal]]:
    if not isinstance(listed, Sequence) or isinstance(listed, str):
        return
    for period in listed:
        if isinstance(period, Mapping):
            start, limit = _read_seconds(period.get("startPeriod")), _read_limit(period.get("limit"))
            if start is not None and limit is not None:
                yield start, limit


def _read_start(starts: Sequence[JsonValue], received_at: datetime) -> datetime:
    for start in starts:
        instant = _read_instant(start)
        if instant is not None and abs(instant - received_at) <= PLAUSIBLE_START_DISTANCE:
            return instant
    return in_utc(received_at)


def _read_instant(value: JsonValue) -> datetime | None:
    if not isinstance(value, str):
        return None
    try:
        return in_utc(datetime.fromisoformat(value.strip()))
    except (ValueError, OverflowError):
        return None


def _read_seconds(value: JsonValue) -> int | None:
    number = read_number(value)
    return int(number) if number is not None and -MAX_SECONDS <= number <= MAX_SECONDS else None


def _read_limit(value: JsonValue) -> Decimal | None:
    number = read_number(value)
    return None if number is None else min(max(number, Decimal(0)), MAX_LIMIT)


def read_number(value: JsonValue) -> Decimal | None:
    """The number that a JSON number means, or a string with one in it. By its text: a float's binary digits say more."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal | str):
        return None
    try:
        number = Decimal(str(value))
    except (InvalidOperation, ValueError):
        return None
    return number if number.is_finite() else None


def _read_status_info(info: JsonValue) -> str:
    if not isinstance(info, Mapping):
        return ""
    said = [text for text in (info.get("reasonCode"), info.get("additionalInfo")) if isinstance(text, str) and text]
    return ": ".join(said)[:MAX_DETAIL_LENGTH]
