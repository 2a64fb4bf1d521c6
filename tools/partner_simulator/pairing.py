"""Pairing of a charge point with a driver of the partner by a code, as Jedlix does it; it is no part of OCPI."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, ValidationError

from tools.counterparts.clock import utc_now
from tools.counterparts.http_service import Request, Response
from tools.counterparts.journal import Journal
from tools.counterparts.json_types import JsonObject, NotJsonError, as_object, as_text, read_json, write_json
from tools.partner_simulator.connection import Connection
from tools.partner_simulator.datatypes import Id36
from tools.partner_simulator.door import Door, Standing
from tools.partner_simulator.models import OcpiObject, findings
from tools.partner_simulator.transport import Violations
from tools.partner_simulator.wire import Module, Wire

SCSP_PATH = "/v1/scsp/ocpi2.2/pair"
CPO_PATH = "/v1/cpo/ocpi2.2/pair"
WRONG_CODE = "Incorrect code, please check the code and try again."
CAPABLE = "CHARGING_PROFILE_CAPABLE"


class PairedConnector(OcpiObject):
    """A connector as pairing tells it; V and A."""

    id: Id36
    power_type: Literal["AC_1_PHASE", "AC_2_PHASE", "AC_2_PHASE_SPLIT", "AC_3_PHASE", "DC"]
    max_voltage: Annotated[int, Field(gt=0)]
    max_amperage: Annotated[int, Field(gt=0)]


class PairedEvse(OcpiObject):
    """An EVSE as pairing tells it; `uid` is EVSE.uid of OCPI, `evse_id` the eMI3 id."""

    uid: Id36
    evse_id: Annotated[str, Field(min_length=1, max_length=48)]
    capabilities: list[str]
    connectors: Annotated[list[PairedConnector], Field(min_length=1)]


class PairedAnswer(OcpiObject):
    """What either side answers to a code that it knows."""

    evse: PairedEvse


class PairingRequest(OcpiObject):
    """What the CPO sends for a code that the driver has from the partner."""

    code: Annotated[str, Field(min_length=1, max_length=64)]
    evse: PairedEvse


@dataclass(frozen=True, slots=True)
class Paired:
    """A charge point that the CPO paired."""

    at: datetime
    code: str
    evse: PairedEvse


@dataclass(frozen=True, slots=True)
class PairAnswer:
    """What the bridge answered to a code; `evse` is None where it does not know it."""

    status: int
    evse: PairedEvse | None
    message: str | None
    body: JsonObject = field(repr=False)


class PairingDesk:
    """The partner's side of pairing. Codes given by `expect` can be paired once; `paired` records what was."""

    def __init__(self, connection: Connection, wire: Wire, door: Door) -> None:
        self.paired: Journal[Paired] = Journal()
        self._connection = connection
        self._wire = wire
        self._door = door
        self._codes: set[str] = set()

    @property
    def _violations(self) -> Violations:
        return self._connection.violations

    def expect(self, code: str) -> None:
        """A driver got this code from the partner."""
        self._codes.add(code)

    def serves(self, request: Request) -> bool:
        """Whether the request is for pairing."""
        return request.path == SCSP_PATH

    def answer(self, request: Request) -> Response:
        """Take a charge point: 200 with the EVSE, 404 for an unknown code, 400 and 401 for a wrong request."""
        where = f"{request.method} {SCSP_PATH}"
        admission = self._door.admit(request)
        if admission.standing is not Standing.KNOWN:
            if admission.finding is not None:
                self._violations.note(where, admission.finding)
            return _message(401, "Unauthorized")
        if request.method != "POST":
            self._violations.note(where, "pairing takes POST only")
            return _message(405, "Method not allowed")
        try:
            asked = PairingRequest.model_validate(read_json(request.body))
        except (NotJsonError, ValidationError) as error:
            found = findings(error) if isinstance(error, ValidationError) else str(error)
            self._violations.note(where, found)
            return _message(400, found)
        if CAPABLE not in asked.evse.capabilities:
            self._violations.note(where, f"evse.capabilities: {CAPABLE} is missing, so nothing can be steered")
        if asked.code not in self._codes:
            return _message(404, WRONG_CODE)
        self._codes.discard(asked.code)
        self.paired.record(Paired(utc_now(), asked.code, asked.evse))
        return Response.json(200, {"evse": asked.evse.wire()})

    def pair(self, bridge_url: str, code: str, *, token: str | None = None) -> PairAnswer:
        """Send the bridge a code that the driver has from the CPO; `bridge_url` is the URL before `CPO_PATH`.

        Raises BridgeUnreachableError.
        """
        where = f"answer to POST {CPO_PATH}"
        body = write_json({"code": code}).encode()
        url = bridge_url.rstrip("/") + CPO_PATH
        got = self._wire.send(
            self._wire.prepare("POST", url, module=Module.PAIRING, body=body, token=token), where=where
        )
        try:
            answered = as_object(read_json(got.raw_body))
        except NotJsonError as error:
            self._violations.note(where, str(error))
            return PairAnswer(got.status, None, None, {})
        message = as_text(answered.get("message"))
        if got.status != 200:
            if message is None:
                self._violations.note(where, f"HTTP {got.status} without a message")
            return PairAnswer(got.status, None, message, answered)
        try:
            evse = PairedAnswer.model_validate(answered).evse
        except ValidationError as error:
            self._violations.note(where, findings(error))
            return PairAnswer(got.status, None, message, answered)
        return PairAnswer(got.status, evse, message, answered)


def _message(status: int, text: str) -> Response:
    return Response.json(status, {"message": text})
