import json
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import boto3
import pytest

from ocpi_bridge.adapters.bounded_http.exchange import HttpExchange
from ocpi_bridge.adapters.dynamodb.pairings import DynamoPairings
from ocpi_bridge.adapters.dynamodb.refused_hosts import DynamoRefusedHosts
from ocpi_bridge.adapters.dynamodb.registrations import DynamoRegistrations
from ocpi_bridge.adapters.dynamodb.registry import DynamoRegistry
from ocpi_bridge.adapters.dynamodb.station_states import DynamoStationStates
from ocpi_bridge.adapters.dynamodb.unplaced import DynamoUnplaced
from ocpi_bridge.adapters.partner_http.platform import HttpPartnerPlatform
from ocpi_bridge.adapters.secrets.partner_secrets import SecretsManagerPartnerSecrets
from ocpi_bridge.adapters.secrets.secrets_manager import SecretsManagerStore
from ocpi_bridge.domain.connections import OwnPlatform
from ocpi_bridge.domain.partners import Party
from ocpi_bridge.runtime.clock import SystemClock
from tests.support.clocks import ManualClock
from tests.support.operator import EXAMPLES, PREFIX, Change, CsmsExchange, Vault, Write
from tests.support.partner_platform import PartnerServer
from tests.support.queues import Queues, aws_queues
from tests.support.scripted import ScriptedPartner
from tests.support.tables import REGION, AwsTables, aws_tables
from tools.bridge import questions
from tools.bridge.aws import Aws
from tools.bridge.csms_probe import CsmsProbe
from tools.bridge.deployment import Deployment
from tools.bridge.dlq_redrive import DeadLetters
from tools.bridge.doctor_aws import FED
from tools.bridge.network import Network
from tools.bridge.pairing import Pairings
from tools.bridge.privacy import Erasure
from tools.bridge.registration import Handshakes
from tools.bridge.secrets import OperatorSecrets
from tools.bridge.takeover import Takeover


@pytest.fixture(scope="module")
def _aws() -> Iterator[tuple[AwsTables, Vault]]:
    with aws_tables() as tables:
        yield tables, Vault(boto3.client("secretsmanager", region_name=REGION))


@pytest.fixture
def vault(_aws: tuple[AwsTables, Vault]) -> Iterator[Vault]:
    yield _aws[1]
    _aws[1].clear()


@pytest.fixture
def registry(_aws: tuple[AwsTables, Vault]) -> Iterator[DynamoRegistry]:
    yield DynamoRegistry(_aws[0].client, _aws[0].registry)
    _aws[0].clear()


@pytest.fixture
def secrets(vault: Vault) -> OperatorSecrets:
    return OperatorSecrets(vault.client, PREFIX)


@pytest.fixture
def partner_server() -> PartnerServer:
    """The configuration modules of a partner."""
    return PartnerServer()


@pytest.fixture
def scripted_partner() -> ScriptedPartner:
    """A partner's answers to messages."""
    return ScriptedPartner()


@pytest.fixture
def tables(_aws: tuple[AwsTables, Vault], registry: DynamoRegistry) -> AwsTables:
    """The tables; emptied after the test."""
    return _aws[0]


@pytest.fixture
def csms_exchange() -> CsmsExchange:
    """What the API of a CSMS answers."""
    return CsmsExchange()


@pytest.fixture
def pauses() -> list[Callable[[], None]]:
    """What happens while a command waits: one after the other, at each pause."""
    return []


@pytest.fixture
def clock() -> ManualClock:
    """The clock of the takeover: it moves while a command waits, and when it is told to."""
    return ManualClock()


@pytest.fixture
def takeover(tables: AwsTables, pauses: list[Callable[[], None]], clock: ManualClock) -> Takeover:
    """The takeover on the tables."""

    def pause(seconds: float) -> None:
        clock.advance(seconds)
        if pauses:
            pauses.pop(0)()

    on_aws = Takeover.on_aws(tables.client, registry=tables.registry, sessions=tables.sessions)
    return replace(on_aws, ingest=replace(on_aws.ingest, clock=clock), clock=clock, pause=pause)


@pytest.fixture
def queues(_aws: tuple[AwsTables, Vault]) -> Iterator[Queues]:
    """The queues, empty."""
    with aws_queues() as queues:
        yield queues


@pytest.fixture
def dead_letters(tables: AwsTables, queues: Queues, clock: ManualClock) -> DeadLetters:
    """The dead letters of these queues; a look that finds nothing does not wait for more."""
    on_aws = DeadLetters.on_aws(
        queues.client,
        tables.client,
        queues.output,
        sessions=tables.sessions,
        requests=tables.requests,
        registry=tables.registry,
    )
    return replace(on_aws, box=replace(on_aws.box, wait_seconds=0), clock=clock)


@pytest.fixture
def deployment(
    _aws: tuple[AwsTables, Vault],
    registry: DynamoRegistry,
    secrets: OperatorSecrets,
    partner_server: PartnerServer,
    scripted_partner: ScriptedPartner,
    csms_exchange: CsmsExchange,
    takeover: Takeover,
    dead_letters: DeadLetters,
) -> Deployment:
    tables, vault = _aws
    handshakes = Handshakes(
        DynamoRegistrations(tables.client, tables.registry),
        SecretsManagerPartnerSecrets(lambda: vault.client, PREFIX),
        OwnPlatform("https://ocpi.example/ocpi/versions", Party("NL", "CPO"), "Example CPO"),
        lambda: HttpPartnerPlatform(partner_server),
    )
    store = DynamoPairings(tables.client, tables.registry)
    return Deployment(
        "prod",
        registry,
        secrets,
        "https://ocpi.example",
        "https://csms-api.example",
        handshakes,
        Pairings(registry, store, lambda: nullcontext(scripted_partner), Party("NL", "CPO")),
        Erasure.on_aws(tables.client, registry=tables.registry, sessions=tables.sessions),
        DynamoStationStates(tables.client, tables.registry),
        DynamoUnplaced(tables.client, tables.registry),
        DynamoRefusedHosts(tables.client, tables.registry),
        takeover,
        CsmsProbe(
            SecretsManagerStore(lambda: vault.client, PREFIX, SystemClock()),
            lambda: csms_exchange,
            "https://csms-api.example",
        ),
        dead_letters,
        Aws(boto3.Session(region_name=REGION), outputs(tables)),
        Network(unreachable, unreachable, no_certificate),
    )


def outputs(tables: AwsTables) -> dict[str, str]:
    """What the stack says of itself."""
    return {
        "RegistryTableName": tables.registry,
        "SessionsTableName": tables.sessions,
        "RequestsTableName": tables.requests,
        "SecretsPrefix": PREFIX,
        "CountryCode": "NL",
        "PartyId": "CPO",
        **{f"{name}FunctionName": f"ocpi-bridge-prod-{name}" for name in FED},
        "OcpiChargingProfilesFunctionName": "ocpi-bridge-prod-OcpiChargingProfiles",
    }


def unreachable() -> HttpExchange:
    raise AssertionError("this test calls nobody")


def no_certificate(host: str, port: int) -> datetime:
    raise AssertionError("this test connects to nobody")


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody is there who answers what the test types."""
    monkeypatch.setattr(questions, "at_a_terminal", lambda: True)


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes a file: an example, changed."""

    def written(example: str, change: Change = lambda _: None) -> Path:
        content = json.loads((EXAMPLES / example).read_text())
        change(content)
        file = tmp_path / example
        file.write_text(json.dumps(content))
        return file

    return written
