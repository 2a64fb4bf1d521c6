"""Pairing over real sockets with the simulated partner, which notes whatever does not look like Jedlix's."""

import importlib.util
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import boto3
import pytest

from ocpi_bridge.adapters.dynamodb.registry import DynamoRegistry
from ocpi_bridge.domain.assignments import Scope
from ocpi_bridge.domain.pairing import DEFAULT_VALIDITY, Grant
from ocpi_bridge.domain.partners import OutboundAuth, Pairing, Partner, Party
from ocpi_bridge.domain.tokens import token_hash
from ocpi_bridge.ports.secrets import PartnerSecret
from ocpi_bridge.runtime import clients
from tests.support import registry_entries
from tests.support.lambda_events import proxy_event
from tests.support.operator import PREFIX
from tests.support.tables import REGION, AwsTables, aws_tables
from tools.bridge.pairing import PairingRefused, Pairings
from tools.bridge.secrets import OperatorSecrets
from tools.counterparts.http_service import HttpService, Request, Response
from tools.partner_simulator import JEDLIX, Credentials, PartnerSimulator
from tools.partner_simulator import Party as SimulatedParty

pytestmark = pytest.mark.integration

HANDLER = Path(__file__).parents[2] / "functions/ocpi_pairing/handler.py"
TOKENS = Credentials(ours="what-the-partner-shows-us", theirs="what-we-show-the-partner")
EVSE_UID = "3256"
GRANT = Grant(EVSE_UID, Scope.EVSE, EVSE_UID)


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[AwsTables]:
    with aws_tables() as tables:
        for name, value in (
            ("AWS_DEFAULT_REGION", REGION),
            ("REGISTRY_TABLE", tables.registry),
            ("OCPI_COUNTRY_CODE", "NL"),
            ("OCPI_PARTY_ID", "CPO"),
        ):
            monkeypatch.setenv(name, value)
        clients.dynamodb.cache_clear()
        yield tables
        clients.dynamodb.cache_clear()


@pytest.fixture
def partner() -> Iterator[PartnerSimulator]:
    with PartnerSimulator(TOKENS, cpo=SimulatedParty("NL", "CPO"), party=JEDLIX) as partner:
        yield partner


@pytest.fixture
def registry(aws: AwsTables, partner: PartnerSimulator) -> DynamoRegistry:
    registry = DynamoRegistry(aws.client, aws.registry)
    entry = Partner(
        "jedlix",
        "Jedlix",
        Party(JEDLIX.country_code, JEDLIX.party_id),
        ("localhost",),
        auth=OutboundAuth.BEARER,
        accepts_bearer=True,
        pairing=Pairing(f"{partner.http.url}/v1/scsp/ocpi2.2/pair"),
    )
    registry.add_partner(entry, [token_hash(TOKENS.ours)], datetime.now(UTC))
    registry.add_csms(registry_entries.csms())
    station = registry_entries.station(evse_uids=(EVSE_UID,))
    registry.import_stations(
        "acme", [replace(station, evses=(replace(station.evses[0], evse_id="BE*BEC*E041503001"),))]
    )
    return registry


@pytest.fixture
def pairings(aws: AwsTables, registry: DynamoRegistry) -> Pairings:
    vault = boto3.client("secretsmanager", region_name=REGION)
    OperatorSecrets(vault, PREFIX).put_partner("partners/jedlix", PartnerSecret(TOKENS.theirs))
    return Pairings.on_aws(
        aws.client, aws.registry, vault, PREFIX, party=Party("NL", "CPO"), allow_loopback=True, ca_file=None
    )


@pytest.fixture
def bridge(registry: DynamoRegistry) -> Iterator[str]:
    """The function behind a gateway of ours; gives its URL."""
    spec = importlib.util.spec_from_file_location("handler_of_pairing", HANDLER)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)

    def serve(request: Request) -> Response:
        event = proxy_event(request.method, request.path, headers=request.headers, body=request.body.decode())
        answer = module.lambda_handler(event, None)
        return Response(answer["statusCode"], answer["body"].encode(), answer["headers"])

    with HttpService(serve, name="bridge") as service:
        yield service.url


def test_the_partner_pairs_by_a_code_that_the_driver_has_from_the_cpo(
    partner: PartnerSimulator, bridge: str, pairings: Pairings, registry: DynamoRegistry
) -> None:
    code = pairings.make_code(GRANT, partner_id="jedlix", validity=DEFAULT_VALIDITY).text
    unknown = partner.pairing.pair(bridge, "00000000" if code != "00000000" else "00000001")
    assert (unknown.status, unknown.evse) == (404, None)
    paired = partner.pairing.pair(bridge, code)
    assert paired.status == 200
    assert paired.evse is not None
    assert (paired.evse.uid, paired.evse.evse_id) == (EVSE_UID, "BE*BEC*E041503001")
    assert [one.partner_id for one in registry.list_assignments()] == ["jedlix"]
    assert partner.pairing.pair(bridge, code).status == 404
    assert partner.violations() == []


def test_the_cpo_pairs_by_a_code_that_the_driver_has_from_the_partner(
    partner: PartnerSimulator, pairings: Pairings, registry: DynamoRegistry
) -> None:
    with pytest.raises(PairingRefused, match="does not know this code"):
        pairings.send_code("jedlix", "362821", GRANT)
    assert registry.list_assignments() == ()
    partner.pairing.expect("362821")
    assignment = pairings.send_code("jedlix", "362821", GRANT)
    assert registry.list_assignments() == (assignment,)
    [paired] = partner.pairing.paired.entries()
    assert (paired.code, paired.evse.uid) == ("362821", EVSE_UID)
    assert partner.violations() == []
