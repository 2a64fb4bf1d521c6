"""Reading a PUT and writing its command, with no door around them: `python -I -S -B parsing.py SCENE CALLS PATH ...`.

Reading: from the bytes of a SetChargingProfile to a plan. Writing: from a plan, through the fitting to what the station
takes, to the payload of SetChargingProfile as JSON, in OCPP 1.6 and 2.0.1.
"""

import json
import sys
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from pathlib import Path

scene_file, calls, *paths = sys.argv[1:]
sys.path[:0] = [*paths, __file__.rpartition("/tools/")[0]]

from ocpi_bridge.domain.fitting import fitted  # noqa: E402 - from the paths
from ocpi_bridge.domain.plans import Plan  # noqa: E402
from ocpi_bridge.domain.requests import RequestKind  # noqa: E402
from ocpi_bridge.domain.stations import (  # noqa: E402
    Connector,
    Evse,
    OcppVersion,
    PowerType,
    Station,
    find_outlet,
    maximum_power,
)
from ocpi_bridge.ocpi.charging_profiles import SetProfile  # noqa: E402
from ocpi_bridge.ocpi.transport import MessageIds, OcpiRequest, dumps  # noqa: E402
from ocpi_bridge.ocpp import v16, v201  # noqa: E402
from ocpi_bridge.ports.charge_points import ChargerCommand  # noqa: E402
from tools.benchmarks.programs import measuring  # noqa: E402

real = measuring.silenced()
scene = json.loads(Path(scene_file).read_text(encoding="utf-8"))
now = datetime.now(UTC)


def put(body: bytes) -> OcpiRequest:
    """A PUT with this body."""
    return OcpiRequest("PUT", {"session_id": "s"}, (), {}, MessageIds("request", "correlation"), body)


def read(body: bytes) -> Plan:
    """The plan of a PUT."""
    return SetProfile.parse(put(body)).plan


def command(body: bytes, version: OcppVersion) -> ChargerCommand:
    """The command for that PUT's plan, not fitted yet."""
    connector = Connector("1", 1, PowerType.AC_3_PHASE, 230, 32)
    evse = Evse("BE*BEC*E041503001", (connector,), cap_w=Decimal(11_000))
    outlet = find_outlet(Station("acme", "CP-001", "LOC1", version, (evse,)), 1, None)
    assert outlet is not None
    return ChargerCommand(
        command_id="r.0",
        kind=RequestKind.SET,
        outlet=outlet,
        transaction_id="778",
        profile_id=100_001,
        stack_level=1,
        deadline=now,
        callback_url="https://csms-api.example/prod/csms/v1/callback/r.0/signature",
        correlation_id="correlation",
        request_id="r",
        session_id="s",
        plan=read(body),
        phases=3,
    )


def written(unfitted: ChargerCommand) -> str:
    """Fits the plan and writes the payload."""
    assert unfitted.plan is not None
    plan = fitted(unfitted.plan, unfitted.outlet, unfitted.phases, maximum_power(unfitted.outlet), now)
    driver = v16 if unfitted.outlet.station.ocpp_version is OcppVersion.V16 else v201
    _, payload = driver.request(replace(unfitted, plan=plan))
    return dumps(payload)


warm: dict[str, list[float]] = {}
for name, text in scene["bodies"].items():
    body = text.encode()
    warm[f"reading a PUT of {name}"] = measuring.samples(partial(read, body), int(calls))
    for version in (OcppVersion.V16, OcppVersion.V201):
        call = partial(written, command(body, version))
        warm[f"writing SetChargingProfile of {name}, OCPP {version}"] = measuring.samples(call, int(calls))

measuring.tell(real, warm_ms=warm)
