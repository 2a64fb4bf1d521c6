"""Our versions and credentials have the shape of their fixtures and keep to the OpenAPI document."""

import pytest

from ocpi_bridge.domain.connections import OwnPlatform
from ocpi_bridge.domain.errors import EndpointMissing, PlatformUnusable
from ocpi_bridge.ocpi import versions
from ocpi_bridge.ocpi.credentials import own_credentials
from tests.contract.catalogue import Message, files, fixture
from tests.contract.documented import answer_schema, problems
from tests.contract.doors import ROUTING, US, answered, refusing
from tests.contract.shapes import same_shape

BASE = "https://cpo.example.com"


@pytest.mark.parametrize("name", files(Message.OWN_VERSIONS))
def test_our_versions_are_those_of_the_fixture(name: str) -> None:
    _, body, headers = answered(lambda _: versions.versions(BASE), configuration_module=True)
    assert body == fixture(name)
    assert problems(answer_schema("/ocpi/versions", "get"), body) == []
    assert not headers.keys() & ROUTING.keys()


@pytest.mark.parametrize("name", files(Message.OWN_VERSION_DETAILS))
def test_our_endpoints_are_those_of_the_fixture(name: str) -> None:
    version = fixture(name)["data"]["version"]
    _, body, _ = answered(lambda _: versions.version_details(BASE, version), configuration_module=True)
    same_shape(body, fixture(name))
    ours, theirs = (
        {(one["identifier"], one["role"]) for one in details["data"]["endpoints"]} for details in (body, fixture(name))
    )
    assert ours == theirs


@pytest.mark.parametrize("version", versions.VERSIONS)
def test_the_details_of_each_version_keep_to_the_document(version: str) -> None:
    _, body, _ = answered(lambda _: versions.version_details(BASE, version), configuration_module=True)
    assert problems(answer_schema(f"/ocpi/{version}", "get"), body) == []


@pytest.mark.parametrize("name", files(Message.OWN_CREDENTIALS))
def test_our_credentials_are_those_of_the_fixture(name: str) -> None:
    wanted = fixture(name)["data"]
    own = OwnPlatform(wanted["url"], US, "Example CPO")
    _, body, _ = answered(lambda _: own_credentials(wanted["token"], own, ()), configuration_module=True)
    assert body == fixture(name)
    for method in ("get", "post", "put"):
        assert problems(answer_schema("/ocpi/2.2.1/credentials", method), body) == []


@pytest.mark.parametrize("name", files(Message.HANDSHAKE_ERROR))
def test_a_handshake_that_fails_is_http_200_with_its_code(name: str) -> None:
    errors = {
        3001: PlatformUnusable("GET versions: no answer in time"),
        3003: EndpointMissing("chargingprofiles SENDER"),
    }
    code = fixture(name)["status_code"]
    status, body, headers = answered(refusing(errors[code]), configuration_module=True)
    assert (status, body["status_code"]) == (200, code)
    same_shape(body, fixture(name))
    assert problems(answer_schema("/ocpi/2.2.1/credentials", "post"), body) == []
    assert not headers.keys() & ROUTING.keys()
