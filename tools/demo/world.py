"""A small world around a deployed stack: one CPO with its CSMS and stations, one partner that may steer them.

Everything is registered as an operator would, and everything talks over real sockets.
"""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from types import TracebackType
from typing import Self

from ocpi_bridge.adapters.dynamodb.registry import DynamoRegistry
from ocpi_bridge.domain import partners
from ocpi_bridge.domain.assignments import Assignment, Right, Scope
from ocpi_bridge.domain.connections import OwnPlatform
from ocpi_bridge.domain.partners import Partner, Rate
from ocpi_bridge.domain.stations import (
    Connector,
    Csms,
    CsmsAuth,
    CsmsMode,
    Evse,
    OcppVersion,
    PowerType,
    ProfileIdRange,
    Station,
)
from ocpi_bridge.domain.tokens import new_token
from ocpi_bridge.ocpi.versions import versions_url
from tools.bridge import operations
from tools.bridge.registration import Handshakes
from tools.bridge.secrets import OperatorSecrets
from tools.demo_csms import DemoCsms, EventDoor, Reports, Token
from tools.local_stack import LocalStack
from tools.partner_simulator import JEDLIX, Credentials, PartnerSimulator, Party

CSMS_ID = "demo-csms"
PARTNER_ID = "jedlix"
LOCATION_ID = "DEMO-LOCATION"
DRIVER_TAG = "DRIVER-0001"
CONTRACT_ID = "NL-DMO-C00000001-1"
# Seconds between two pushes of meter values: what takes minutes in the field is to be watched.
METER_PUSH_INTERVAL = 5


def three_phase_station(station_id: str, *, connectors: int = 1, location_id: str = LOCATION_ID) -> Station:
    """A public AC station: 22 kW a connector, each an EVSE of its own."""
    return Station(
        csms_id=CSMS_ID,
        station_id=station_id,
        location_id=location_id,
        ocpp_version=OcppVersion.V16,
        evses=tuple(
            Evse(
                uid=f"{station_id}-{number}",
                connectors=(Connector("1", number, PowerType.AC_3_PHASE, max_voltage=230, max_amperage=32),),
            )
            for number in range(1, connectors + 1)
        ),
    )


@dataclass(frozen=True, slots=True)
class Invitation:
    """What a partner needs to register itself: where the bridge's versions are, token A, the CA file of the server."""

    versions_url: str
    token: str = field(repr=False)
    ca_file: Path | None = None


@dataclass(slots=True)
class World:
    """A running stack with its counterparts. Use as a context manager; the stack itself is the caller's to end.

    `mode` is how the CSMS gives answers; `result_timeout` (s) is the timeout told to the partner, None the stage's.
    The partner is connected by an agreement on tokens and endpoints; with `handshake` it is invited only, and has to
    register itself with what `invitation` says. `reports` is how the CSMS tells what happens; with FRAMES somebody has to
    subscribe to them (`bridge csms connect-citrineos`). `meter_push_interval` (s) is the partner's, at least 1.
    """

    stack: LocalStack
    stations: Sequence[Station]
    mode: CsmsMode = CsmsMode.CALLBACK
    result_timeout: int | None = None
    rate: Rate = partners.DEFAULT_RATE
    meter_push_interval: int = METER_PUSH_INTERVAL
    csms_id: str = CSMS_ID
    partner_id: str = PARTNER_ID
    change_csms: Callable[[Csms], Csms] = field(default=lambda csms: csms)
    handshake: bool = False
    reports: Reports = Reports.EVENTS
    csms: DemoCsms = field(init=False)
    partner: PartnerSimulator = field(init=False)
    invitation: Invitation | None = field(init=False, default=None)
    registry: DynamoRegistry = field(init=False)
    _secrets: OperatorSecrets = field(init=False)
    _running: ExitStack = field(init=False)

    def __enter__(self) -> Self:
        outputs = self.stack.outputs
        cpo = Party(outputs["CountryCode"], outputs["PartyId"])
        event_key = new_token()
        agreed = None if self.handshake else Credentials(ours=new_token(), theirs=new_token())
        self.registry = DynamoRegistry(self.stack.client("dynamodb"), outputs["RegistryTableName"])
        self._secrets = OperatorSecrets(self.stack.client("secretsmanager"), outputs["SecretsPrefix"])
        with ExitStack() as running:
            self.csms = running.enter_context(
                DemoCsms(
                    self.csms_id,
                    door=EventDoor(self.stack.csms_api_url, self.csms_id, event_key, self.stack.ca_file),
                    reports=self.reports,
                    ca_file=self.stack.ca_file,
                    tokens={DRIVER_TAG: Token(contract_id=CONTRACT_ID)},
                )
            )
            self.partner = running.enter_context(PartnerSimulator(agreed, cpo=cpo))
            self._register_csms(cpo, event_key)
            if agreed is None:
                self.invitation = self._invite(cpo)
            else:
                self._connect(agreed)
            self._assign()
            self._running = running.pop_all()
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._running.close()

    def unregister(self) -> None:
        """Take partner and stations out of the registry again, for a stack that outlives this world.

        Afterwards the bridge calls nobody for them. The CSMS's entry stays, without stations.
        """
        operations.remove_partner(self.registry, self._secrets, self.partner_id)
        for station in self.stations:
            self.registry.remove_station(self.csms_id, station.station_id)

    def _register_csms(self, cpo: Party, event_key: str) -> None:
        operations.add_csms(
            self.registry, self._secrets, self._csms_entry(cpo), event_key=event_key, api_credential=None
        )
        self.registry.import_stations(
            self.csms_id, [replace(station, csms_id=self.csms_id) for station in self.stations]
        )

    def _connect(self, agreed: Credentials) -> None:
        """Connects the partner without a handshake, as `bridge partner add` does."""
        self.partner.connect(self.stack.ocpi_api_url, ca_file=self.stack.ca_file)
        entry = replace(
            self._partner_entry(),
            sessions_url=self.partner.sessions_url,
            charging_profiles_url=self.partner.charging_profiles_url,
        )
        operations.add_partner(
            self.registry,
            self._secrets,
            entry,
            present_token=agreed.theirs,
            accept_token=agreed.ours,
            at=datetime.now(UTC),
        )

    def _invite(self, cpo: Party) -> Invitation:
        """Invites the partner, as `bridge partner invite` does."""
        outputs = self.stack.outputs
        address = versions_url(self.stack.ocpi_api_url)
        party = partners.Party(cpo.country_code, cpo.party_id)
        handshakes = Handshakes.on_aws(
            self.stack.client("dynamodb"),
            outputs["RegistryTableName"],
            self.stack.client("secretsmanager"),
            outputs["SecretsPrefix"],
            own=OwnPlatform(address, party, outputs["BusinessName"]),
            allow_loopback=True,
            ca_file=self.stack.ca_file,
        )
        return Invitation(address, handshakes.invite(self._partner_entry()), self.stack.ca_file)

    def _assign(self) -> None:
        now = datetime.now(UTC)
        self.registry.add_assignments(
            [
                Assignment(self.partner_id, Scope.LOCATION, location, Right.STEER, valid_from=now, consent="demo")
                for location in sorted({station.location_id for station in self.stations})
            ]
        )

    def _csms_entry(self, cpo: Party) -> Csms:
        sync = "" if self.mode is CsmsMode.CALLBACK else "/sync"
        return self.change_csms(
            Csms(
                csms_id=self.csms_id,
                preset="citrineos",
                base_url=self.csms.http_url + sync,
                mode=self.mode,
                profile_ids=ProfileIdRange(1_000_000, 1_999_999),
                country_code=cpo.country_code,
                party_id=cpo.party_id,
                auth=CsmsAuth.NONE,
                result_timeout=self.result_timeout,
            )
        )

    def _partner_entry(self) -> Partner:
        return Partner(
            partner_id=self.partner_id,
            name="Jedlix (simulated)",
            party=partners.Party(JEDLIX.country_code, JEDLIX.party_id),
            callback_hosts=("localhost",),
            rate=self.rate,
            clear_rate=self.rate,
            meter_push_interval=self.meter_push_interval,
        )


# A rate for tests and measurements that ask far more often than a partner would.
GENEROUS_RATE = Rate(burst=10_000, seconds_per_request=Decimal("0.001"))
