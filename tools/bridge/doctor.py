"""The examination of a deployment: which checks there are, and what they are made of."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from ocpi_bridge.adapters.dynamodb.refused_hosts import DynamoRefusedHosts
from ocpi_bridge.adapters.dynamodb.registrations import DynamoRegistrations
from ocpi_bridge.adapters.dynamodb.registry import DynamoRegistry
from ocpi_bridge.adapters.dynamodb.unplaced import DynamoUnplaced
from ocpi_bridge.adapters.secrets.secrets_manager import SecretsManagerStore
from ocpi_bridge.domain.partners import Party
from ocpi_bridge.ports.clock import Clock
from ocpi_bridge.runtime.clock import SystemClock
from tools.bridge import doctor_aws, doctor_findings, doctor_peers, doctor_registry
from tools.bridge.deployment import Deployment
from tools.bridge.doctor_apis import CSMS_API, OCPI_API, VERSIONS, OwnApis
from tools.bridge.doctor_aws import AwsClock, Running, SecretChecks
from tools.bridge.doctor_findings import Check, Finding
from tools.bridge.doctor_peers import OURS, PeerChecks
from tools.bridge.doctor_registry import Known, RegistryChecks
from tools.bridge.partner_probe import PartnerProbe

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Doctor:
    """Examines a deployment. All clients are made here, because boto3 makes them in one thread only."""

    deployment: Deployment
    apis: OwnApis
    registry: DynamoRegistry
    unplaced: DynamoUnplaced
    refused_hosts: DynamoRefusedHosts
    peers: PeerChecks
    aws_clock: AwsClock
    secrets: SecretChecks
    running: Running
    clock: Clock

    @classmethod
    def of(cls, deployment: Deployment, clock: Clock | None = None) -> "Doctor":
        """The doctor of a deployment; `clock` is this machine's."""
        clock = clock or SystemClock()
        aws, network, outputs = deployment.aws, deployment.network, deployment.aws.outputs
        dynamodb, secrets_manager = aws.dynamodb(), aws.secrets_manager()
        table, prefix = outputs["RegistryTableName"], outputs["SecretsPrefix"]
        party = Party(outputs["CountryCode"], outputs["PartyId"])
        store = SecretsManagerStore(lambda: secrets_manager, prefix, clock)
        registry, aws_clock = DynamoRegistry(dynamodb, table), AwsClock(dynamodb, table, clock)
        probe = PartnerProbe(store, network.to_partners, party, clock, deployment.local)
        return cls(
            deployment=deployment,
            apis=OwnApis(
                deployment.ocpi_api_url,
                deployment.csms_api_url,
                party,
                DynamoRegistrations(dynamodb, table),
                network.to_all,
                clock,
            ),
            registry=registry,
            unplaced=DynamoUnplaced(dynamodb, table),
            refused_hosts=DynamoRefusedHosts(dynamodb, table),
            peers=PeerChecks(probe, deployment.probe, registry, network.expiry_of, clock, aws_clock.offset),
            aws_clock=aws_clock,
            secrets=SecretChecks(secrets_manager, prefix, store),
            running=Running(
                f"ocpi-bridge-{deployment.stage}", aws.alarms(), deployment.dead_letters, aws.functions(), outputs
            ),
            clock=clock,
        )

    def examine(self, tell: Tell = lambda _: None) -> tuple[Finding, ...]:
        """Runs all checks and gives what they found, in an order that does not change."""
        tell("Reading the registry ...")
        known, unread = self._known()
        checks = [*self._without_registry(), *(self._of_registry(known) if known is not None else ())]
        found = [*unread, *doctor_findings.run(checks, tell)]
        identity = self.deployment.aws.identity()
        own = Check(doctor_aws.PERMISSIONS, "you", lambda: [doctor_aws.permissions(identity, found)])
        return (*found, *doctor_findings.run([own]))

    def _known(self) -> tuple[Known | None, tuple[Finding, ...]]:
        """The registry; where it cannot be read, what is to be told instead."""
        known: list[Known] = []

        def read() -> Iterator[Finding]:
            known.append(Known.read(self.registry))
            yield from RegistryChecks(known[0], self.unplaced, self.refused_hosts, self.clock.now()).empty()

        found = doctor_findings.run([Check("registry", "entries", read)])
        return (known[0], found) if known else (None, (*found, *map(doctor_registry.unread, _FROM_THE_REGISTRY)))

    def _without_registry(self) -> Iterator[Check]:
        yield Check(OCPI_API, self.apis.ocpi_url, self.apis.reached_by_partners)
        yield Check(CSMS_API, self.apis.csms_url, self.apis.reached_by_csmss)
        yield Check(VERSIONS, "list", self.apis.versions_lead_here)
        yield Check(doctor_peers.CLOCK, "this machine", self.aws_clock.check)
        yield Check(doctor_aws.ALARMS, "all", self.running.alarms_rest)
        yield Check(doctor_aws.DEAD_LETTERS, "all", self.running.dead_letters_rest)
        yield Check(doctor_aws.SOURCES, "all", self.running.functions_are_fed)

    def _of_registry(self, known: Known) -> Iterator[Check]:
        registry = RegistryChecks(known, self.unplaced, self.refused_hosts, self.clock.now())
        yield Check(doctor_registry.STATIONS, "all", registry.stations)
        yield Check(doctor_registry.UNPLACED, "all", registry.places)
        yield Check(doctor_registry.PROFILE_IDS, "all", registry.profile_ids)
        yield Check(doctor_registry.ASSIGNMENTS, "all", registry.assignments)
        yield Check(doctor_registry.REFUSED, "all", registry.refused)
        yield Check(doctor_aws.SECRETS, "all", partial(self.secrets.check, known))
        for partner in known.partners:
            yield Check(doctor_peers.PARTNER, f"partner {partner.partner_id}", partial(self.peers.partner, partner))
        for csms in known.csmss:
            yield Check(doctor_peers.CSMS, f"CSMS {csms.csms_id}", partial(self.peers.csms, csms))
        for whose, url in self._hosts(known):
            # Each by itself: one host that does not answer must not hold the others up.
            yield Check(doctor_peers.CERTIFICATE, whose, partial(self.peers.certificate, whose, url))

    def _hosts(self, known: Known) -> list[tuple[str, str]]:
        """A URL each of the hosts that are called, with whose it is; each host once."""
        urls = [(OURS, self.apis.ocpi_url), (OURS, self.apis.csms_url)]
        for partner in known.partners:
            whose = f"partner {partner.partner_id}"
            urls += [(whose, url) for url in (partner.sessions_url, partner.charging_profiles_url) if url]
        urls += [(f"CSMS {csms.csms_id}", csms.base_url) for csms in known.csmss if csms.base_url]
        by_host = {doctor_peers.host_and_port(url): (whose, url) for whose, url in reversed(urls)}
        by_host.pop(None, None)
        return [*by_host.values()][::-1]


_FROM_THE_REGISTRY = (
    doctor_registry.STATIONS,
    doctor_registry.PROFILE_IDS,
    doctor_aws.SECRETS,
    doctor_peers.PARTNER,
    doctor_peers.CSMS,
)
