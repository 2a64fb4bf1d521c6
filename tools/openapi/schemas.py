"""The schemas of the document, made of the models that the code reads with and of those in `messages`."""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from inspect import cleandoc
from typing import Final

from pydantic import BaseModel, TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode, JsonSchemaValue
from pydantic_core import core_schema

# The readers' models are private where they live: nobody but their parser needs them there, and the document is the one
# place that has to say what that parser takes. Imported, it says so by itself when a field or a bound changes.
from ocpi_bridge.adapters.csms.events import _CommandError, _Data, _Event, _IdToken, _Limit, _Post
from ocpi_bridge.adapters.csms.events import _Price as _EventPrice
from ocpi_bridge.adapters.csms.ocpi_sessions import (
    _Cost,
    _Dimension,
    _ReportedPeriod,
    _ReportedSession,
    _ReportedToken,
    _WholeReportedSession,
)
from ocpi_bridge.domain.tokens import TOKEN_MAX_LENGTH
from ocpi_bridge.domain.url_guard.urls import MAX_URL_LENGTH
from ocpi_bridge.ocpi.charging_preferences import ChargingPreferencesResponse
from ocpi_bridge.ocpi.charging_preferences import _Body as _ChargingPreferences
from ocpi_bridge.ocpi.charging_profiles import _ChargingProfile, _Period, _SetChargingProfile
from ocpi_bridge.ocpi.credentials import _Credentials, _Role
from ocpi_bridge.ocpi.datetimes import _SHAPE
from ocpi_bridge.ocpi.pairing import _Pair
from ocpi_bridge.ports.json_values import JsonObject, JsonValue
from tools.openapi import messages

REFERENCE: Final = "#/components/schemas/{model}"

# What stands in the document for a model that is read: its name there, and what it is.
_READ: Final[Mapping[type[BaseModel], tuple[str, str]]] = {
    _SetChargingProfile: ("SetChargingProfile", "The body of a PUT (14.5.5). Unknown fields are ignored."),
    _ChargingProfile: (
        "ChargingProfile",
        (
            "A charging profile (14.6.3): W is total power, A is per phase. Without start_date_time it is relative to "
            "the start of charging; without duration its last period goes on. No period at all is legal, and REJECTED."
        ),
    ),
    _Period: (
        "ChargingProfilePeriod",
        (
            "From start_period (s) on, at most limit (14.6.4). The first starts at 0, the others later than the one "
            "before; a limit is rounded down to one decimal."
        ),
    ),
    _ChargingPreferences: ("ChargingPreferences", "What the driver wishes (9.3.2); energy_need in kWh."),
    _Credentials: (
        "Credentials",
        "The partner's Credentials (7.3.1): token is what it accepts from us, url its version list.",
    ),
    _Role: ("PartnerRole", "A party of the partner (7.3.2); a role that we do not know is taken."),
    _Pair: ("PairRequest", "The code that the driver has from the CPO."),
    _Post: ("Events", "What a CSMS posts."),
    _Event: ("Event", "One thing that happened at a station; an event of a transaction has its transaction_id."),
    _Data: ("EventData", "Wh on the register, W, A and V per phase, state of charge in %."),
    _IdToken: ("EventToken", "The token that started the transaction."),
    _Limit: (
        "EventLimit",
        (
            "A limit that is no partner's: whose (ChargingLimitSource), and its course as a ChargingSchedule of OCPP 1.6 or "
            "2.0.1 where that is known."
        ),
    ),
    _CommandError: ("CommandError", "Why a charge point gave no answer: its CALLERROR, or the CSMS's own reason."),
    _WholeReportedSession: (
        "ReportedSession",
        (
            "A session of a CSMS that speaks OCPI (9.3.1), as 2.2.1 and 2.3.0 have it; what 2.1.1 has in its place is taken "
            "too: start_datetime, end_datetime, auth_id, and location with one EVSE. Unknown fields are ignored. OCPP's "
            "transaction stands where the CSMS's entry says (`transaction_at`)."
        ),
    ),
    _ReportedSession: ("ReportedSessionPatch", "What changed of a session (9.2.2.3)."),
    _ReportedToken: ("ReportedToken", "The token that started the session (10.4.5)."),
    _ReportedPeriod: (
        "ReportedPeriod",
        "A stretch of the session (10.4.6); the newest tells power and state of charge.",
    ),
    _Dimension: ("ReportedDimension", "POWER in kW and STATE_OF_CHARGE in % are used (10.4.2)."),
    _Cost: (
        "ReportedCost",
        "The cost so far, as 2.2.1 has it (16.5).",
    ),
    _EventPrice: ("EventPrice", "The cost of the transaction so far, in the CSMS's currency."),
}

_NAMES: Final = {model.__name__: name for model, (name, _) in _READ.items()}

_READ_ROOTS: Final = (
    _SetChargingProfile,
    _ChargingPreferences,
    _Credentials,
    _Pair,
    _Post,
    _WholeReportedSession,
    _ReportedSession,
)

_WRITTEN_ROOTS: Final = (
    messages.Envelope,
    messages.Version,
    messages.VersionDetails,
    messages.OwnCredentials,
    messages.Session,
    messages.TaxedSession,
    messages.SessionPatch,
    messages.TaxedSessionPatch,
    messages.ChargingProfileResponse,
    messages.ActiveChargingProfile,
    messages.ProfileResult,
    messages.ActiveChargingProfileResult,
    messages.PairAnswer,
    messages.PairCall,
    messages.PairRefusal,
    messages.EventsTaken,
    messages.AnswerTaken,
    messages.CsmsError,
    messages.GatewayError,
    ChargingPreferencesResponse,
)

_NULL: Final[JsonObject] = {"type": "null"}
_NAME: Final[JsonObject] = {"type": "string", "minLength": 1, "maxLength": 255}
# 2.1.1, 2.2.1 and 2.3.0 each have a form of their own.
_COST: Final[JsonObject] = {
    "anyOf": [
        {"type": "number"},
        {"$ref": REFERENCE.format(model="ReportedCost")},
        {"type": "object", "required": ["before_taxes"], "properties": {"before_taxes": {"type": "number"}}},
        _NULL,
    ]
}

# What validators say in code and no schema can read from them, by schema and field.
_SAID_IN_CODE: Final[Mapping[tuple[str, str], JsonObject]] = {
    # Printable ASCII without spaces (7.3.1).
    ("Credentials", "token"): {"type": "string", "maxLength": TOKEN_MAX_LENGTH, "pattern": "^[!-~]+$"},
    # The use case checks it against the partner's hosts, and its length with that (16.7).
    ("SetChargingProfile", "response_url"): {"type": "string", "format": "uri", "maxLength": MAX_URL_LENGTH},
    # OCPP 1.6 has whole numbers.
    ("Event", "transaction_id"): {"anyOf": [_NAME, {"type": "integer"}, _NULL]},
    ("ReportedSession", "total_cost"): _COST,
    ("ReportedSessionPatch", "total_cost"): _COST,
}

# Behind a validator of ours pydantic leaves bounds as it writes them itself.
_BOUNDS: Final = {"ge": "minimum", "le": "maximum"}


def schemas() -> dict[str, JsonObject]:
    """All of `components/schemas`, by name. Raises ValueError where two models want one name."""
    read = _definitions(_READ_ROOTS, _ReadSchema)
    written = _definitions(_WRITTEN_ROOTS, _WrittenSchema)
    clashes = {name for name in read.keys() & written.keys() if read[name] != written[name]}
    if clashes:
        raise ValueError(f"one name for two schemas: {', '.join(sorted(clashes))}")
    for name, description in _READ.values():
        read[name] = {**read[name], "description": description}
    # Cardinality * (14.6.3): a list may be null.
    periods = _property(read["ChargingProfile"], "charging_profile_period")
    said = {**_SAID_IN_CODE, ("ChargingProfile", "charging_profile_period"): {"anyOf": [periods, _NULL]}}
    for (name, field), schema in said.items():
        read[name] = _with_property(read[name], field, schema)
    return dict(sorted((written | read).items()))


def reference(name: str) -> JsonObject:
    """A reference to one of them."""
    return {"$ref": REFERENCE.format(model=name)}


class _Schema(GenerateJsonSchema):
    """Says of numbers and times what the wire has."""

    def decimal_schema(self, schema: core_schema.DecimalSchema) -> JsonSchemaValue:  # noqa: ARG002 - pydantic's name
        """A JSON number: the readers refuse numbers that come as text. Its bounds stand beside it, see `_tidy`."""
        return {"type": "number"}

    def datetime_schema(self, schema: core_schema.DatetimeSchema) -> JsonSchemaValue:
        """OCPI's own subset of RFC 3339 (16.2), where Z may be missing; RFC 3339 for a CSMS."""
        if schema.get("tz_constraint") == "aware":
            return {"type": "string", "format": "date-time"}
        return {"type": "string", "pattern": f"^{_SHAPE.pattern}$"}

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        """Absent is absent: nothing stands for it."""
        return self.generate_inner(schema["schema"])


class _ReadSchema(_Schema):
    """What is read: an optional field may be null."""


class _WrittenSchema(_Schema):
    """What is written: an optional field is there or is not, and never null."""

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        """The value that it has where it is there."""
        return self.generate_inner(schema["schema"])


def _definitions(
    models: Iterable[type[BaseModel | StrEnum]], generator: type[GenerateJsonSchema]
) -> dict[str, JsonObject]:
    wanted: list[tuple[str, JsonSchemaMode, TypeAdapter[BaseModel | StrEnum]]] = [
        (model.__name__, "validation", TypeAdapter(model)) for model in models
    ]
    _, document = TypeAdapter.json_schemas(wanted, ref_template=REFERENCE, schema_generator=generator)
    found: Mapping[str, JsonObject] = document["$defs"]
    return {_NAMES.get(name, name): _tidy(schema) for name, schema in found.items()}


def _tidy(value: JsonObject) -> JsonObject:
    """With the document's names and keywords, and without titles: those are the code's names once more."""
    return {
        _BOUNDS.get(key, key): _tidy_value(key, part)
        for key, part in value.items()
        if not (key == "title" and isinstance(part, str))
    }


def _tidy_value(key: str, value: JsonValue) -> JsonValue:
    if key in _BOUNDS and isinstance(value, str):
        return int(value)
    if isinstance(value, Mapping):
        return _tidy(value)
    if isinstance(value, list):
        return [_tidy(part) if isinstance(part, Mapping) else part for part in value]
    if key == "$ref" and isinstance(value, str):
        name = value.rpartition("/")[2]
        return REFERENCE.format(model=_NAMES.get(name, name))
    if key == "description" and isinstance(value, str):
        return cleandoc(value)
    return value


def _property(schema: JsonObject, name: str) -> JsonValue:
    properties = schema["properties"]
    if not isinstance(properties, Mapping):
        raise TypeError("no object")
    return properties[name]


def _with_property(schema: JsonObject, name: str, value: JsonObject) -> JsonObject:
    properties = schema["properties"]
    if not isinstance(properties, Mapping) or name not in properties:
        raise TypeError(f"no object with {name}")
    return {**schema, "properties": {**properties, name: value}}
