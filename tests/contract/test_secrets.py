"""No secret and no person stands where it has no business: every path is run with marked ones, and all output searched.

The functions run in this process with their real wiring on moto, logging at DEBUG. Only the network beyond AWS is played:
partners and CSMSs that answer well, that refuse, break off, send back what they were sent, or are not reached; and AWS
itself fails, one service at a time. `MAY_STAND` (tests/support/marked_secrets.py) lists each place where a secret belongs; everywhere else is a leak.
"""

import io
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto.backends import get_backend

from ocpi_bridge.domain.partners import OutboundAuth
from ocpi_bridge.runtime import clients
from tests.support.deployed_functions import PREFIX, deployed
from tests.support.marked_secrets import (
    API_KEY,
    CLIENT_SECRET,
    CSMS_CREDENTIAL,
    EVENT_KEY,
    MAY_STAND,
    MOODS,
    OUR_TOKEN,
    SECRETS,
    SIGNING_KEY,
    Mood,
    Output,
    forms,
    well,
)
from tests.support.marked_story import Story
from tests.support.queues import Queues, aws_queues
from tests.support.tables import ACCOUNT, REGION, AwsTables, aws_tables
from tests.support.world import World


class Everything(logging.Formatter):
    """A log line with its traceback, its arguments, and whatever else was given to it."""

    def format(self, record: logging.LogRecord) -> str:
        return f"{super().format(record)} {vars(record)}"


@contextmanager
def watched(output: Output, world: World, queues: Queues) -> Iterator[None]:
    """Gathers what is logged, printed, stored, queued and put on the bus meanwhile."""
    stream, root = io.StringIO(), logging.getLogger()
    handler, level = logging.StreamHandler(stream), root.level
    handler.setFormatter(Everything())
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        with redirect_stdout(stream), redirect_stderr(stream):
            yield
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
    output.add("log", stream.getvalue())
    for name in (world.tables.sessions, world.tables.requests, world.tables.registry):
        for item in world.tables.items(name):
            output.add(f"table {name}", json.dumps(item))
    for name, queue in get_backend("sqs")[ACCOUNT][REGION].queues.items():
        for message in queue._messages:
            output.add(f"queue {name}", f"{message.body} {message.message_attributes}")
    vault = boto3.client("secretsmanager", region_name=REGION)
    for secret in vault.list_secrets()["SecretList"]:
        name = secret["Name"].removeprefix(f"{PREFIX}/")
        place = "partners/newcomer" if name.startswith("partners/newcomer") else name
        output.add(f"secret {place}", vault.get_secret_value(SecretId=secret["Name"])["SecretString"])


@contextmanager
def failing(service: str | None) -> Iterator[None]:
    """One service of AWS fails every call, with an answer that AWS gives."""

    def fail(model: Any, **_: object) -> None:  # noqa: ANN401 - botocore's
        raise ClientError({"Error": {"Code": "InternalServerError", "Message": "out of order"}}, model.name)

    makers = {"dynamodb": clients.dynamodb, "sqs": clients.sqs, "secretsmanager": clients.secrets_manager}
    if service is None:
        yield
        return
    client: Any = makers[service]()
    client.meta.events.register("before-call", fail)
    try:
        yield
    finally:
        client.meta.events.unregister("before-call", fail)


@pytest.fixture(scope="module")
def aws() -> Iterator[AwsTables]:
    with aws_tables() as tables:
        yield tables


def told(
    aws: AwsTables, mood: Mood, auth: OutboundAuth, *, out_of_order: str | None = None, whole: bool = True
) -> Output:
    """All output of one story."""
    aws.clear()
    world, output = World(aws), Output(mood=mood)
    with aws_queues() as queues, deployed(world, queues) as patch:
        vault = boto3.client("secretsmanager", region_name=REGION)
        shown = {"client_secret": CLIENT_SECRET, "api_key": API_KEY}
        held = {
            "callback-signing": SIGNING_KEY,
            "csms/acme": json.dumps({"event_key": EVENT_KEY, "api_credential": CSMS_CREDENTIAL}),
            "partners/jedlix": json.dumps({"token": OUR_TOKEN} if auth is OutboundAuth.OCPI_TOKEN else shown),
        }
        for name, value in held.items():
            if name == "partners/jedlix":
                vault.create_secret(Name=f"{PREFIX}/{name}", SecretString=value)
            else:
                vault.put_secret_value(SecretId=f"{PREFIX}/{name}", SecretString=value)
        for place in ("bounded_http.client", "partner_http.guarded"):
            patch.setattr(f"ocpi_bridge.adapters.{place}.bounded_client", lambda *_, **__: output)
        story = Story(world, queues, output, auth)
        with watched(output, world, queues), failing(out_of_order):
            story.run(whole=whole)
        for secret in vault.list_secrets()["SecretList"]:
            if "/partners/" in secret["Name"]:
                vault.delete_secret(SecretId=secret["Name"], ForceDeleteWithoutRecovery=True)
    return output


@pytest.mark.parametrize(
    ("mood", "auth"),
    [(mood, OutboundAuth.OCPI_TOKEN) for mood in MOODS if mood != "well"]
    + [(mood, OutboundAuth.OAUTH2) for mood in ("401", "500", "garbled")],
)
def test_whatever_partners_and_csmss_do_no_secret_leaves_its_place(
    aws: AwsTables, mood: str, auth: OutboundAuth
) -> None:
    assert told(aws, MOODS[mood], auth, whole=False).leaks() == []


@pytest.mark.parametrize("service", ["dynamodb", "sqs", "secretsmanager"])
def test_whatever_aws_does_no_secret_leaves_its_place(aws: AwsTables, service: str) -> None:
    assert told(aws, well, OutboundAuth.OCPI_TOKEN, out_of_order=service).leaks() == []


def test_where_all_goes_well_every_secret_stands_where_it_belongs_and_nowhere_else(aws: AwsTables) -> None:
    outputs = [told(aws, well, auth) for auth in (OutboundAuth.OCPI_TOKEN, OutboundAuth.OAUTH2)]
    assert [output.leaks() for output in outputs] == [[], []]
    seen = {
        (secret, place)
        for output in outputs
        for place, texts in output.texts.items()
        for secret in SECRETS
        if any(form in text for text in texts for form in forms(secret))
    }
    expected = {(secret, place) for secret, places in MAY_STAND.items() for place in places}
    assert {pair for pair in expected - seen if not pair[1].endswith("-dlq")} == set()
