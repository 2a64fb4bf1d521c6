"""The bodies that the bridge only writes, as partners and CSMSs may rely on them.

What the bridge reads has models of its own in the code, and the document is made of those. What it writes is built field
by field, so its shape stands here once, strictly: a field that is not declared is an error. The contract tests hold
what the code really writes against these models (tests/contract/test_*_messages.py).
"""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from ocpi_bridge.domain.events import SessionStatus
from ocpi_bridge.domain.plans import RateUnit
from ocpi_bridge.domain.requests import Result
from ocpi_bridge.domain.stations import PowerType
from ocpi_bridge.domain.tokens import TOKEN_MAX_LENGTH
from ocpi_bridge.ocpi.charging_profiles import MAX_SECONDS, ResponseType
from ocpi_bridge.ocpi.credentials import MAX_NAME_LENGTH

# 16.2: UTC with Z, milliseconds or nothing, and so never longer than the 25 characters of a DateTime.
DateTime = Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{3})?Z$", max_length=25)]
CountryCode = Annotated[str, Field(pattern=r"^[A-Za-z]{2}$")]
PartyId = Annotated[str, Field(pattern=r"^[!-~]{1,3}$")]
# CiString(36) (16.1): printable ASCII.
Id = Annotated[str, Field(min_length=1, max_length=36, pattern=r"^[ -~]+$")]
Url = Annotated[str, Field(max_length=255, pattern=r"^https?://")]
Seconds = Annotated[int, Field(ge=0, le=MAX_SECONDS)]
# In W or A: one decimal, never negative.
Limit = Annotated[float, Field(ge=0)]


class Written(BaseModel):
    """A body, or a part of one, that the bridge writes."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Envelope(BaseModel):
    """The answer's frame (4.1.7). `data` is left out where the specification defines none, and on every error."""

    model_config = ConfigDict(strict=True)

    status_code: Annotated[int, Field(ge=1000, le=4999, description="OCPI status code (5).")]
    status_message: Annotated[str, Field(description="For people; it never repeats what was sent.")]
    timestamp: DateTime


# --- Versions and credentials (6, 7) -----------------------------------------------------------------------------------


class Version(Written):
    """A version that is served (6.1.1)."""

    version: Literal["2.2.1", "2.3.0"]
    url: Url


class Endpoint(Written):
    """An interface that is served (6.2.2)."""

    identifier: Literal["credentials", "sessions", "chargingprofiles"]
    role: Literal["SENDER", "RECEIVER"]
    url: Url


class VersionDetails(Written):
    """The interfaces of one version (6.2.1)."""

    version: Literal["2.2.1", "2.3.0"]
    endpoints: Annotated[list[Endpoint], Field(min_length=1)]


class BusinessDetails(Written):
    """Who a party is (8.4.2)."""

    name: Annotated[str, Field(max_length=MAX_NAME_LENGTH)]


class CredentialsRole(Written):
    """A party of the CPO (7.3.2)."""

    role: Literal["CPO"]
    party_id: PartyId
    country_code: CountryCode
    business_details: BusinessDetails


class OwnCredentials(Written):
    """Our Credentials object (7.3.1): `token` is what the partner presents from now on."""

    token: Annotated[str, Field(max_length=TOKEN_MAX_LENGTH, pattern="^[!-~]+$")]
    url: Url
    roles: Annotated[list[CredentialsRole], Field(min_length=1)]


# --- Sessions (9) ------------------------------------------------------------------------------------------------------


class CdrToken(Written):
    """The driver's token (10.4.5); uid and contract id are pseudonyms unless the driver consented."""

    country_code: CountryCode
    party_id: PartyId
    uid: Id
    type: Literal["AD_HOC_USER", "APP_USER", "OTHER", "RFID"]
    contract_id: Id


class DimensionType(StrEnum):
    """CdrDimensionType (10.4.2), those that the bridge tells."""

    ENERGY = "ENERGY"
    POWER = "POWER"
    CURRENT = "CURRENT"
    STATE_OF_CHARGE = "STATE_OF_CHARGE"
    TIME = "TIME"


class CdrDimension(Written):
    """ENERGY in kWh, POWER in kW, CURRENT in A summed over the phases, STATE_OF_CHARGE in %, TIME in hours."""

    type: DimensionType
    volume: float


class ChargingPeriod(Written):
    """A closed stretch of a session (10.4.6)."""

    start_date_time: DateTime
    dimensions: Annotated[list[CdrDimension], Field(min_length=1)]


class Price(Written):
    """Price of OCPI 2.2.1 (16.5)."""

    excl_vat: float
    incl_vat: float | None = None


class TaxAmount(Written):
    """A tax of OCPI 2.3.0."""

    name: str
    amount: float


class TaxedPrice(Written):
    """Price of OCPI 2.3.0."""

    before_taxes: float
    taxes: list[TaxAmount] = []


class SessionFields(Written):
    """Session (9.3.1) without its price; energy in kWh."""

    country_code: CountryCode
    party_id: PartyId
    id: Id
    start_date_time: DateTime
    end_date_time: DateTime | None = None
    kwh: Annotated[float, Field(ge=0)]
    cdr_token: CdrToken
    auth_method: Literal["AUTH_REQUEST", "COMMAND", "WHITELIST"]
    location_id: Id
    evse_uid: Id
    connector_id: Id
    currency: Annotated[str, Field(pattern="^[A-Z]{3}$")]
    charging_periods: list[ChargingPeriod] = []
    status: SessionStatus
    last_updated: DateTime


class Session(SessionFields):
    """Session of OCPI 2.2.1 (9.3.1)."""

    total_cost: Price | None = None


class TaxedSession(SessionFields):
    """Session of OCPI 2.3.0 (9.3.1): only the price differs."""

    total_cost: TaxedPrice | None = None


class SessionPatchFields(Written):
    """What changed of a session (9.2.2.3) but for its price; `charging_periods` are appended to those that are known."""

    start_date_time: DateTime | None = None
    end_date_time: DateTime | None = None
    kwh: Annotated[float, Field(ge=0)] | None = None
    cdr_token: CdrToken | None = None
    auth_method: Literal["AUTH_REQUEST", "COMMAND", "WHITELIST"] | None = None
    charging_periods: list[ChargingPeriod] | None = None
    status: SessionStatus | None = None
    last_updated: DateTime


class SessionPatch(SessionPatchFields):
    """What changed of a session of OCPI 2.2.1 (9.2.2.3)."""

    total_cost: Price | None = None


class TaxedSessionPatch(SessionPatchFields):
    """What changed of a session of OCPI 2.3.0 (9.2.2.3)."""

    total_cost: TaxedPrice | None = None


# --- Charging profiles (14) --------------------------------------------------------------------------------------------


class ChargingProfileResponse(Written):
    """The synchronous answer (14.5.1). `timeout` (s): how long to wait for the result; 0 where none will come."""

    result: ResponseType
    timeout: Seconds


class ActivePeriod(Written):
    """From `start_period` seconds after the start on, at most `limit` (14.6.4)."""

    start_period: Seconds
    limit: Limit


class ActiveProfile(Written):
    """The profile that the EVSE follows (14.6.3), always absolute and never empty."""

    start_date_time: DateTime
    duration: Seconds | None = None
    charging_rate_unit: RateUnit
    min_charging_rate: Limit | None = None
    charging_profile_period: Annotated[list[ActivePeriod], Field(min_length=1)]


class ActiveChargingProfile(Written):
    """What the charge point calculated, and when (14.6.1)."""

    start_date_time: DateTime
    charging_profile: ActiveProfile


class ProfileResult(Written):
    """ChargingProfileResult (14.5.3) and ClearProfileResult (14.5.4)."""

    result: Result


class ActiveChargingProfileResult(Written):
    """The result of a GET (14.5.2): `profile` only with ACCEPTED."""

    result: Result
    profile: ActiveChargingProfile | None = None


# --- Pairing, as Jedlix publishes it ------------------------------------------------------------------------------------


class PairedConnector(Written):
    """A connector (8.3.3); voltage in V, current in A, power in W."""

    id: Id
    power_type: PowerType
    max_voltage: int
    max_amperage: int
    max_electric_power: int | None = None


class PairedEvse(Written):
    """An EVSE (8.3.2) as a service provider needs it: `uid` is Session.evse_uid."""

    uid: Id
    evse_id: str | None = None
    capabilities: list[str]
    connectors: list[PairedConnector]


class PairAnswer(Written):
    """Whose charge point the code was for."""

    evse: PairedEvse


class PairCall(Written):
    """The code that the driver has from the service provider, and the charge point that it is for."""

    code: str
    evse: PairedEvse


class PairRefusal(Written):
    """Why there is no pair."""

    message: str


# --- The CSMS's side ---------------------------------------------------------------------------------------------------


class EventsTaken(Written):
    """All events of the post are kept."""

    accepted: int


class AnswerTaken(Written):
    """`recorded` is false where nobody waits for this answer any more."""

    recorded: bool


class CsmsError(Written):
    """What is wrong, and at which field if it is one."""

    error: str
    field: str | None = None


class GatewayError(Written):
    """What the gateway answers where no function does: without a timestamp, which it cannot write."""

    status_code: Literal[2000, 3000]
    status_message: str
