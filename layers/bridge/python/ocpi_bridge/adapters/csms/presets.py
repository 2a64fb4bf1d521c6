"""Presets: how each kind of CSMS is called and understood, as data.

The common ground of CSMS APIs is the OCPP payload over HTTP; what differs is where it is posted, where in the answer
the verdict and the payload stand, and in which words a CSMS says that it sent nothing. A CSMS in the registry names
its preset, its mode and the values of the preset's parameters.

Templates may use {station_id}, {ocpp_version}, {callback_url}, and the preset's own parameters.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from ocpi_bridge.domain.errors import InvalidInput
from ocpi_bridge.domain.requests import RequestKind
from ocpi_bridge.domain.stations import Csms, CsmsMode, OcppVersion

Path = tuple[str | int, ...]
"""Where a value stands in JSON: keys of objects and indexes of arrays, from the root; () is the whole."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One POST. Values of the query are templates; `callback_query` is added where the CSMS answers later."""

    path: str
    query: tuple[tuple[str, str], ...] = ()
    callback_query: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Refusal:
    """Words with which a CSMS says why it sent nothing, and whether trying again makes sense.

    `words` are compared without case, anywhere in the text.
    """

    words: str
    retryable: bool
    meaning: str


@dataclass(frozen=True, slots=True)
class Preset:
    """How one kind of CSMS is called and understood.

    `operations`: where each command goes, by OCPP version and kind. `payload_at`: where in the body the OCPP payload
    stands. `verdict_at`: where the answer says true (taken) or false (nothing was sent). `answer_at`: where beside the
    verdict the text of a refusal stands, or the charge point's OCPP payload of a synchronous CSMS; a synchronous answer
    without a verdict is the OCPP payload itself. `problem_at`: where an HTTP error says what was wrong. `refusals`: the
    known words; other words of a refusal are not tried again. `parameters`: names and defaults.
    """

    name: str
    modes: frozenset[CsmsMode]
    operations: Mapping[tuple[OcppVersion, RequestKind], Operation]
    verdict_at: Path
    answer_at: Path
    problem_at: Path
    refusals: tuple[Refusal, ...]
    payload_at: tuple[str, ...] = ()
    parameters: tuple[tuple[str, str], ...] = ()


_CITRINEOS_ACTIONS = {
    RequestKind.SET: "setChargingProfile",
    RequestKind.CLEAR: "clearChargingProfile",
    RequestKind.GET: "getCompositeSchedule",
}

# CitrineOS core 1.8. It answers [{"success": true}] once the frame is written to the charge point's socket, and posts
# the charge point's answer to callbackUrl; with success false the payload is a sentence, and nothing was written. It
# forgets a callback URL after `maxCachingSeconds` (30 by default), which must not be shorter than our deadline. The
# synchronous mode is for installations that wait and give the charge point's payload where the sentence stands.
CITRINEOS = Preset(
    name="citrineos",
    modes=frozenset(CsmsMode),
    operations=MappingProxyType(
        {
            (version, kind): Operation(
                path=f"/ocpp/{{ocpp_version}}/smartcharging/{action}",
                query=(("identifier", "{station_id}"), ("tenantId", "{tenantId}")),
                callback_query=(("callbackUrl", "{callback_url}"),),
            )
            for version in OcppVersion
            for kind, action in _CITRINEOS_ACTIONS.items()
        }
    ),
    verdict_at=(0, "success"),
    answer_at=(0, "payload"),
    problem_at=("message",),
    refusals=(
        Refusal("no connection found", retryable=True, meaning="the station is offline"),
        Refusal("call already in progress", retryable=True, meaning="the station is busy with another call"),
        Refusal("connection protocol", retryable=False, meaning="the station speaks another OCPP version"),
        Refusal("not found on station", retryable=False, meaning="the CSMS does not know the transaction"),
        Refusal("already exists", retryable=False, meaning="the CSMS does not replace profiles: clear_then_set helps"),
    ),
    parameters=(("tenantId", "1"),),
)

PRESETS: Mapping[str, Preset] = MappingProxyType({preset.name: preset for preset in (CITRINEOS,)})


def preset_of(csms: Csms, presets: Mapping[str, Preset] = PRESETS) -> Preset:
    """The preset of a CSMS. Raises InvalidInput where the registry's entry does not fit one; it names the field."""
    preset = presets.get(csms.preset)
    if preset is None:
        raise InvalidInput("preset", f"is none of {', '.join(sorted(presets))}")
    if csms.mode not in preset.modes:
        raise InvalidInput("mode", f"is not possible with preset {preset.name}")
    known = {name for name, _ in preset.parameters}
    unknown = sorted({name for name, _ in csms.parameters} - known)
    if unknown:
        raise InvalidInput(f"parameters.{unknown[0]}", f"is no parameter of preset {preset.name}")
    return preset
