"""The operator's files: JSON in, checked entries out, and back. Documented in docs/configuration.md.

A file is checked whole, and all that is wrong with it is told at once. Values are never converted by guess (no `"16"`
for 16), unknown names are errors, and no message repeats a value that was read.
"""

import difflib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Self, TypeVar, get_args, get_origin, get_type_hints

from pydantic import TypeAdapter, ValidationError

from ocpi_bridge.adapters.dynamodb.registry import VersionedStation
from ocpi_bridge.domain.assignments import Assignment
from ocpi_bridge.domain.errors import BridgeError, InvalidInput
from ocpi_bridge.domain.partners import Partner
from ocpi_bridge.domain.stations import Csms, CsmsDriver, CsmsMode, Station, StationState
from ocpi_bridge.domain.times import in_utc
from tools.bridge import rules

T = TypeVar("T")

Json = str | int | float | bool | None | list["Json"] | dict[str, "Json"]


class FileRefused(BridgeError):
    """A file cannot be taken; `problems` has all that was found, a field each (none: the file as a whole)."""

    def __init__(self, path: Path, problems: Iterable[InvalidInput]) -> None:
        self.path = path
        self.problems = tuple(problems)
        super().__init__("\n".join(f"{path}: {problem}" for problem in self.problems))

    @classmethod
    def unwritable(cls, path: Path, error: OSError) -> Self:
        """The file cannot be written."""
        return cls(path, [InvalidInput("file", f"cannot be written: {error.strerror}")])


# Fields of a CSMS that its entry always has, empty where its driver or its own description of the API replaces them.
_NOT_ALWAYS_NEEDED = ("preset", "base_url")


@dataclass(frozen=True, slots=True)
class StationFile:
    """The stations of one CSMS; `versions` are those that an export noted, by station id."""

    csms_id: str
    stations: tuple[Station, ...]
    versions: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AssignmentFile:
    """Assignments of any partners."""

    assignments: tuple[Assignment, ...]


NOT_IN_FILES: Mapping[type, Mapping[str, str]] = {
    Partner: {
        "registration": "is no one's to write: a handshake changes it, and `bridge partner show` tells it",
        "credential": "is no one's to write: it names the secret that came with a handshake",
    },
    StationFile: {"versions": "stand with their stations, as `version`"},
}
"""Fields of entries that no file has, each with what to say of it."""


# --- Reading ---------------------------------------------------------------------------------------------------------


def read_partner(path: Path, *, local: bool) -> Partner:
    """The partner in a file, without what a handshake alone decides. `local`: hosts on this machine are allowed.

    Raises FileRefused.
    """
    partner = _read(path, Partner, _load(path))
    _refuse(path, rules.check_partner(partner, local=local))
    return partner


def read_csms(path: Path, *, local: bool) -> Csms:
    """The CSMS in a file; its `parameters` are an object there. Raises FileRefused.

    What its driver does not need may be left out; `rules` tells what is missing then.
    """
    raw = _load(path)
    for name in _NOT_ALWAYS_NEEDED:
        raw.setdefault(name, "")
    if raw.get("driver") == CsmsDriver.BUS.value:
        # The only way there: the answer is an event of its own.
        raw.setdefault("mode", CsmsMode.CALLBACK.value)
    parameters = raw.pop("parameters", {})
    if not isinstance(parameters, dict):
        raise FileRefused(path, [InvalidInput("parameters", "must be an object of names and texts")])
    texts = [(name, value) for name, value in sorted(parameters.items()) if isinstance(value, str)]
    wrong = [InvalidInput(f"parameters.{name}", "must be a text") for name in sorted(parameters.keys() - dict(texts))]
    csms = replace(_read(path, Csms, raw, found=wrong), parameters=tuple(texts))
    _refuse(path, rules.check_csms(csms, local=local))
    return csms


def read_stations(path: Path) -> StationFile:
    """The stations in a file: the CSMS stands once, before them. Raises FileRefused."""
    raw = _load(path)
    wrong: list[InvalidInput] = []
    versions: dict[str, int] = {}
    stations = raw.get("stations")
    for index, station in enumerate(stations if isinstance(stations, list) else []):
        if isinstance(station, dict):
            if "csms_id" in station:
                wrong.append(InvalidInput(f"stations.{index}.csms_id", "stands once for all stations, before them"))
            station["csms_id"] = ""
            version = station.pop("version", None)
            if isinstance(version, int) and not isinstance(version, bool):
                versions[str(station.get("station_id"))] = version
            elif version is not None:
                wrong.append(InvalidInput(f"stations.{index}.version", "must be a whole number, as an export has it"))
    content = _read(path, StationFile, raw, found=wrong)
    _refuse(
        path,
        (
            problem
            for index, one in enumerate(content.stations)
            for problem in rules.check_station(one, f"stations.{index}.")
        ),
    )
    stations_of_csms = tuple(replace(one, csms_id=content.csms_id) for one in content.stations)
    return replace(content, stations=stations_of_csms, versions=versions)


def read_assignments(path: Path) -> tuple[Assignment, ...]:
    """The assignments in a file; a time without a zone is UTC. Raises FileRefused."""
    content = _read(path, AssignmentFile, _load(path))
    given = tuple(_in_utc(assignment) for assignment in content.assignments)
    _refuse(
        path,
        (
            problem
            for index, one in enumerate(given)
            for problem in rules.check_assignment(one, f"assignments.{index}.")
        ),
    )
    return given


# --- Writing ---------------------------------------------------------------------------------------------------------


def partner_document(partner: Partner) -> dict[str, Json]:
    """A partner as its file has it."""
    document = _object(partner)
    for name in NOT_IN_FILES[Partner]:
        document.pop(name)
    return document


def csms_document(csms: Csms) -> dict[str, Json]:
    """A CSMS as its file has it."""
    document: dict[str, Json] = {**_object(csms), "parameters": dict(csms.parameters)}
    for name in _NOT_ALWAYS_NEEDED:
        if not document[name]:
            del document[name]
    return document


def station_document(station: Station) -> dict[str, Json]:
    """A station as an entry of a station file."""
    document = _object(station)
    del document["csms_id"]
    return document


def state_document(state: StationState | None) -> Json:
    """What is known of a station beside its file; None: nothing."""
    return to_json(state or StationState())


def stations_document(csms_id: str, stations: Sequence[VersionedStation]) -> dict[str, Json]:
    """The station file with these stations and their versions; reading it gives them back."""
    entries: list[Json] = [{**station_document(station), "version": version} for station, version in stations]
    return {"csms_id": csms_id, "stations": entries}


def assignment_document(assignment: Assignment) -> dict[str, Json]:
    """An assignment as an entry of an assignment file."""
    return _object(assignment)


def _object(entry: Partner | Csms | Station | Assignment) -> dict[str, Json]:
    document = to_json(entry)
    assert isinstance(document, dict)
    return document


def to_json(value: object) -> Json:
    """A value of the domain in JSON's terms: absent members are left out, sets are sorted, times are UTC with Z."""
    if is_dataclass(value):
        members = {one: getattr(value, one.name) for one in fields(value)}
        # Left out, a None that is not the default would mean something else.
        told = {one: member for one, member in members.items() if member is not None or one.default is not None}
        return {one.name: to_json(member) for one, member in told.items()}
    match value:
        case dict():
            return {str(name): to_json(member) for name, member in value.items() if member is not None}
        case tuple():
            return [to_json(member) for member in value]
        case frozenset():
            return [*sorted(str(member) for member in value)]
        case Decimal():
            return int(value) if value == value.to_integral_value() else float(value)
        case datetime():
            return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
        case bool() | int() | None:
            return value
        case _:
            return str(value)


# --- Checking --------------------------------------------------------------------------------------------------------


def load_json(path: Path) -> Json:
    """The JSON in a file; nothing else is known of it. Raises FileRefused."""
    try:
        content: Json = json.loads(path.read_text("utf-8"), object_pairs_hook=_unique, parse_constant=_no_constant)
    except OSError as error:
        raise FileRefused(path, [InvalidInput("file", f"cannot be read: {error.strerror}")]) from error
    except UnicodeDecodeError as error:
        raise FileRefused(path, [InvalidInput("file", "is not UTF-8 text")]) from error
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise FileRefused(path, [InvalidInput(place, f"is not JSON: {error.msg}")]) from error
    except InvalidInput as problem:
        raise FileRefused(path, [problem]) from problem
    except (ValueError, RecursionError) as error:
        raise FileRefused(path, [InvalidInput("file", "has a number or a depth that no such file has")]) from error
    return content


def _load(path: Path) -> dict[str, Json]:
    content = load_json(path)
    if not isinstance(content, dict):
        raise FileRefused(path, [InvalidInput("file", "must be a JSON object")])
    return content


def _unique(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    content = dict(pairs)
    if len(content) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise InvalidInput(twice, "is given twice in the same object")
    return content


def _no_constant(name: str) -> float:
    raise InvalidInput(name, "is not JSON")


def _read(path: Path, kind: type[T], raw: dict[str, Json], found: Iterable[InvalidInput] = ()) -> T:
    problems = [*found, *unknown_names(kind, raw, "")]
    try:
        entry = TypeAdapter(kind).validate_json(json.dumps(raw), strict=True)
    except ValidationError as error:
        raise FileRefused(path, [*problems, *findings(error)]) from None
    _refuse(path, problems)
    return entry


def _refuse(path: Path, problems: Iterable[InvalidInput]) -> None:
    found = list(problems)
    if found:
        raise FileRefused(path, found)


def findings(error: ValidationError) -> list[InvalidInput]:
    """What pydantic found, in our words."""
    return [_problem(one) for one in error.errors(include_input=False)]


def _problem(error: Mapping[str, object]) -> InvalidInput:
    """Pydantic's finding in our words; its own text says what is expected and not what was found."""
    place = error["loc"]
    assert isinstance(place, tuple)
    text = str(error["msg"])
    expected = "is missing" if error["type"] == "missing" else text.replace("Input should be", "must be")
    return InvalidInput(".".join(map(str, place)) or "file", expected[:1].lower() + expected[1:])


def unknown_names(kind: object, raw: Json, path: str) -> Iterator[InvalidInput]:
    """Names that no field has: pydantic passes over them in dataclasses, and a typing error would pass for a default."""
    if is_dataclass(kind) and isinstance(raw, dict):
        reserved = NOT_IN_FILES.get(kind, {}) if isinstance(kind, type) else {}
        known = [field.name for field in fields(kind) if field.name not in reserved]
        hints = get_type_hints(kind)
        for name, value in raw.items():
            if name in known:
                yield from unknown_names(hints[name], value, f"{path}{name}.")
            elif name in reserved:
                yield InvalidInput(f"{path}{name}", reserved[name])
            else:
                close = difflib.get_close_matches(name, known, n=1)
                hint = f"; is {close[0]} meant?" if close else f"; known are {', '.join(sorted(known))}"
                yield InvalidInput(f"{path}{name}", f"is no field of this object{hint}")
        return
    if isinstance(raw, dict) and get_origin(kind) in {dict, Mapping}:
        for name, value in raw.items():
            yield from unknown_names(get_args(kind)[1], value, f"{path}{name}.")
        return
    for member in get_args(kind):
        if isinstance(raw, list):
            for index, value in enumerate(raw):
                yield from unknown_names(member, value, f"{path}{index}.")
        else:
            yield from unknown_names(member, raw, path)


def _in_utc(given: Assignment) -> Assignment:
    until = given.valid_until
    return replace(given, valid_from=in_utc(given.valid_from), valid_until=None if until is None else in_utc(until))
