"""How the HTTP API of a CSMS is called and understood, as data.

The common ground of CSMS APIs is the OCPP payload over HTTP; what differs is where it is posted, in which spelling, and
where in the answer the verdict and the payload stand. A preset is such a description; so is a registry entry's own.

Texts of a path, a query and a body's `add` are templates: `{name}` stands for one of VALUES or for a parameter of the
description. In a query and in `add` a placeholder that is the whole text keeps its type (a number stays one), and the
entry is left out where the command has no such value; `{name!s}` makes it text.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field
from enum import StrEnum
from string import Formatter
from typing import Literal

from ocpi_bridge.domain.errors import InvalidInput
from ocpi_bridge.domain.requests import RequestKind
from ocpi_bridge.domain.values import dataclass

Path = tuple[str | int, ...]
"""Where a value stands in JSON: keys of objects and indexes of arrays, from the root; () is the whole."""

Version = Literal["1.6", "2.0.1"]
"""As OcppVersion, which cannot be named here: stations know their CSMS's API, and not the other way round."""

VALUES = frozenset(
    {
        "callback_url",
        "command_id",
        "connector_id",
        "duration",
        "evse_id",
        "evse_uid",
        "ocpp_version",
        "profile_id",
        "request_id",
        "session_id",
        "stack_level",
        "station_id",
        "transaction_id",
        "unit",
    }
)
"""What a command offers to templates. `callback_url` is there only where the CSMS answers later."""

CALLBACK_URL = "callback_url"

# What the doors and the translators of a CSMS's own feed read from its entry; no API has a parameter of these names.
FEED_PARAMETERS = frozenset({"session_id_is_transaction", "transaction_at"})


class Spelling(StrEnum):
    """How names of fields are written; values stay as they are."""

    CAMEL_CASE = "camelCase"
    SNAKE_CASE = "snake_case"


@dataclass(frozen=True, slots=True)
class Body:
    """What the OCPP payload becomes on its way into a request's body, in this order.

    `flatten`: objects (or lists of one object) by name whose fields move up to the top, where a field that is there
    already stays. `omit`: names that are left out, anywhere. `rename`: what names become, anywhere; a renamed name is
    final. `spelling` of all other names. `payload_at`: where in the body the payload stands. `add`: more fields beside
    it, as templates.
    """

    flatten: tuple[str, ...] = ()
    omit: tuple[str, ...] = ()
    rename: Mapping[str, str] = field(default_factory=dict)
    spelling: Spelling = Spelling.CAMEL_CASE
    payload_at: tuple[str, ...] = ()
    add: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Operation:
    """One call: for which command, of stations of which OCPP versions, and how it goes out.

    A GET of HTTP sends no body. `http_answers`: HTTP statuses, as text, that are the charge point's OCPP status by
    themselves, whatever the body says.
    """

    kind: RequestKind
    path: str
    versions: tuple[Version, ...] = ("1.6", "2.0.1")
    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"] = "POST"
    query: Mapping[str, str] = field(default_factory=dict)
    body: Body = field(default_factory=Body)
    http_answers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reading:
    """Where the charge point's answer stands.

    `payload_at`: where the OCPP response payload begins; the other paths are from there, in the answer's own spelling.
    `schedule_at`: the composite schedule where OCPP would not have it. `detail_at`: words beside the status.
    `error_code_at`, `error_text_at`: those of a CALLERROR. `statuses`: what the CSMS's words for a status are in OCPP.
    By itself it reads the payload as OCPP has it, or an object with `_errorCode`.
    """

    payload_at: Path = ()
    spelling: Spelling = Spelling.CAMEL_CASE
    status_at: Path = ("status",)
    schedule_at: Path | None = None
    detail_at: Path | None = None
    error_code_at: Path = ("_errorCode",)
    error_text_at: Path = ("_errorDescription",)
    statuses: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Words with which a CSMS says why it sent nothing, and whether trying again makes sense.

    `words` are compared without case, anywhere in the text.
    """

    words: str
    retryable: bool
    meaning: str


@dataclass(frozen=True, slots=True)
class CsmsApi:
    """The description of one API.

    `verified`: it was tried against the CSMS itself; else it rests on the public documents in `sources` alone.
    `synchronous` and `callback`: how the charge point's answer is read from the HTTP answer, or from what is posted
    later; None where the CSMS does not answer in that way. `verdict_at`: where the HTTP answer says true (taken) or
    false (nothing was sent), and `refusal_at` why; None where it says no such thing. `problem_at`: where an HTTP error
    says what was wrong. `refusals`: the known words; other words of a refusal are not tried again. `parameters`: names
    and defaults of what a registry entry may set; `required` ones have no default.
    """

    name: str
    operations: tuple[Operation, ...]
    verified: bool = False
    sources: tuple[str, ...] = ()
    synchronous: Reading | None = None
    callback: Reading | None = None
    verdict_at: Path | None = None
    refusal_at: Path = ()
    problem_at: Path = ("message",)
    refusals: tuple[Refusal, ...] = ()
    parameters: Mapping[str, str] = field(default_factory=dict)
    required: tuple[str, ...] = ()

    def operation(self, kind: RequestKind, version: str) -> Operation | None:
        """How this command goes out for a station of this OCPP version; None where the API does not offer it."""
        fitting = (one for one in self.operations if one.kind is kind and version in one.versions)
        return next(fitting, None)


def check_api(api: CsmsApi) -> None:
    """Raises InvalidInput, naming the field, for a description that could not be called or understood."""
    for problem in _problems(api):
        raise problem


def _problems(api: CsmsApi) -> Iterator[InvalidInput]:
    if not api.operations:
        yield InvalidInput("operations", "must have at least one: what the CSMS offers")
    if api.synchronous is None and api.callback is None:
        yield InvalidInput("synchronous", "is missing, and `callback` too: where does the CSMS answer?")
    taken = sorted({*api.parameters, *api.required} & (VALUES | FEED_PARAMETERS))
    if taken:
        yield InvalidInput(f"parameters.{taken[0]}", "is the name of something else")
    known = {*VALUES, *api.parameters, *api.required}
    seen: set[tuple[RequestKind, str]] = set()
    for index, operation in enumerate(api.operations):
        yield from _problems_of(operation, f"operations.{index}.", known)
        doubled = [version for version in operation.versions if (operation.kind, version) in seen]
        if doubled:
            yield InvalidInput(f"operations.{index}", f"describes {operation.kind} of OCPP {doubled[0]} again")
        seen.update((operation.kind, version) for version in operation.versions)


def _problems_of(operation: Operation, prefix: str, known: set[str]) -> Iterator[InvalidInput]:
    if not operation.path.startswith("/"):
        # Anything else, such as `@host`, could make another host of the base URL.
        yield InvalidInput(f"{prefix}path", "must begin with a slash")
    yield from _template_problems([("path", operation.path)], prefix, known)
    yield from _template_problems(operation.query.items(), f"{prefix}query.", known)
    yield from _template_problems(operation.body.add.items(), f"{prefix}body.add.", known)


def _template_problems(templates: Iterable[tuple[str, str]], prefix: str, known: set[str]) -> Iterator[InvalidInput]:
    for name, template in templates:
        try:
            parts = list(Formatter().parse(template))
        except ValueError:
            yield InvalidInput(f"{prefix}{name}", "has a brace without its other half")
            continue
        for _, value, specification, conversion in parts:
            if value is None:
                continue
            # A plain name only: the full language of format strings reaches into the objects behind the values.
            if value not in known or specification or conversion not in {None, "s"}:
                yield InvalidInput(f"{prefix}{name}", f"has {{{value}}}, which is no value or parameter")
