"""Presets: how each kind of CSMS is called and understood, a data file each (domain.csms_api says what stands in it).

A CSMS in the registry names its preset, its mode and the values of the preset's parameters; where no preset fits, its
entry has the description itself. A file that lies here is a preset, so adding one changes no code. It is read when a
CSMS first asks for it.
"""

import re
from functools import cache
from pathlib import Path

from ocpi_bridge.adapters.dynamodb.documents import load
from ocpi_bridge.domain.csms_api import FEED_PARAMETERS, CsmsApi, check_api
from ocpi_bridge.domain.errors import InvalidInput
from ocpi_bridge.domain.stations import Csms, CsmsMode

# What a registry entry with a description of its own may say, since it must say something.
CUSTOM = "custom"

_FILES = Path(__file__).parent
# The name becomes part of a path.
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,35}")


def preset_names() -> tuple[str, ...]:
    """The presets that there are."""
    return tuple(sorted(file.stem for file in _FILES.glob("*.json")))


@cache
def preset(name: str) -> CsmsApi | None:
    """The preset of this name, or None."""
    file = _FILES / f"{name}.json"
    return load(CsmsApi, file.read_text(encoding="utf-8")) if _NAME.fullmatch(name) and file.is_file() else None


def preset_of(csms: Csms) -> CsmsApi:
    """The description of a CSMS's HTTP API: its own, or its preset.

    Raises InvalidInput where the registry's entry does not fit it; it names the field.
    """
    api = _described(csms)
    if (api.callback if csms.mode is CsmsMode.CALLBACK else api.synchronous) is None:
        raise InvalidInput("mode", f"is not possible with preset {api.name}")
    given = dict(csms.parameters)
    unknown = sorted(given.keys() - {*api.parameters, *api.required} - FEED_PARAMETERS)
    if unknown:
        raise InvalidInput(f"parameters.{unknown[0]}", f"is no parameter of preset {api.name}")
    missing = [name for name in api.required if not given.get(name)]
    if missing:
        raise InvalidInput(f"parameters.{missing[0]}", f"is missing: preset {api.name} needs it")
    return api


def _described(csms: Csms) -> CsmsApi:
    if csms.api is None:
        known = preset(csms.preset)
        if known is None:
            raise InvalidInput("preset", f"is none of {', '.join(preset_names())}")
        return known
    if csms.preset not in {"", CUSTOM}:
        raise InvalidInput("preset", f"must be {CUSTOM!r} or left out, since `api` describes the API")
    try:
        check_api(csms.api)
    except InvalidInput as problem:
        raise InvalidInput(f"api.{problem.field}", problem.problem) from None
    return csms.api
