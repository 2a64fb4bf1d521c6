"""Charging preferences that the partner hands on for a driver (OCPI 9.2.1.2 and 9.3.2)."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from tools.counterparts.json_types import as_text
from tools.partner_simulator.datatypes import DateTime, Number
from tools.partner_simulator.models import OcpiObject
from tools.partner_simulator.requests import INVALID_PARAMETERS
from tools.partner_simulator.wire import Incoming

NOT_FOUND = 404


class ProfileType(StrEnum):
    """9.4.2."""

    CHEAP = "CHEAP"
    FAST = "FAST"
    GREEN = "GREEN"
    REGULAR = "REGULAR"


class PreferencesResponse(StrEnum):
    """9.4.1, ChargingPreferencesResponse."""

    ACCEPTED = "ACCEPTED"
    DEPARTURE_REQUIRED = "DEPARTURE_REQUIRED"
    ENERGY_NEED_REQUIRED = "ENERGY_NEED_REQUIRED"
    NOT_POSSIBLE = "NOT_POSSIBLE"
    PROFILE_TYPE_NOT_SUPPORTED = "PROFILE_TYPE_NOT_SUPPORTED"


class ChargingPreferences(OcpiObject):
    """9.3.2; `energy_need` in kWh."""

    profile_type: ProfileType
    departure_time: DateTime | None = None
    energy_need: Number | None = None
    discharge_allowed: bool | None = None


@dataclass(frozen=True, slots=True)
class PreferencesAnswer:
    """What the bridge answered; `response` is None for an error."""

    at: datetime
    status: int
    status_code: int | None
    message: str | None
    response: PreferencesResponse | None


def read_answer(incoming: Incoming) -> tuple[PreferencesAnswer, str | None]:
    """The answer to a PUT of preferences, and what breaks a rule in it: `data` is the enum's string itself (4.1.7)."""
    finding: str | None = None
    response: PreferencesResponse | None = None
    if incoming.is_success:
        text = as_text(incoming.data)
        try:
            response = PreferencesResponse(text or "")
        except ValueError:
            finding = f"data is {incoming.data!r}, no string of ChargingPreferencesResponse"
    elif incoming.status == NOT_FOUND and incoming.status_code != INVALID_PARAMETERS:
        finding = f"HTTP 404 with {incoming.status_code}, not 2001 (9.4.1)"
    answer = PreferencesAnswer(incoming.at, incoming.status, incoming.status_code, incoming.message, response)
    return answer, finding
