"""Until when a server's certificate is good, as a client sees it over a real connection."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.support.certificates import Authority
from tests.support.raw_server import RawServer, answering
from tools.bridge.certificates import Certificates, NoCertificate

pytestmark = pytest.mark.integration

NAME = "ocpi.partner.test"


def looking(ca_file: Path | None, *, address: str = "127.0.0.1") -> Certificates:
    return Certificates(lambda one: one == "127.0.0.1", ca_file, lambda _host, _port: (address,))


def test_the_end_of_a_good_certificate_is_told_and_nothing_is_sent(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    until = datetime.now(UTC).replace(microsecond=0) + timedelta(days=11)
    with RawServer(answering(b""), authority.server(NAME, until=until)) as server:
        assert looking(authority.ca_file)(NAME, server.port) == until
    assert server.requests == []


def test_one_that_is_over_is_none(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    over = datetime.now(UTC) - timedelta(minutes=1)
    with (
        RawServer(answering(b""), authority.server(NAME, until=over)) as server,
        pytest.raises(NoCertificate, match="expired"),
    ):
        looking(authority.ca_file)(NAME, server.port)


def test_one_for_another_name_is_none(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    with (
        RawServer(answering(b""), authority.server("other.test")) as server,
        pytest.raises(NoCertificate, match="Hostname mismatch"),
    ):
        looking(authority.ca_file)(NAME, server.port)


def test_one_of_an_unknown_authority_is_none(tmp_path: Path) -> None:
    with (
        RawServer(answering(b""), Authority(tmp_path).server(NAME)) as server,
        pytest.raises(NoCertificate, match="certificate"),
    ):
        looking(None)(NAME, server.port)


def test_a_server_that_speaks_no_tls_has_none() -> None:
    with (
        RawServer(lambda _server, peer: peer.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")) as server,
        pytest.raises(NoCertificate, match="handshake"),
    ):
        looking(None)(NAME, server.port)


def test_an_address_that_must_not_be_dialled_is_not(tmp_path: Path) -> None:
    with pytest.raises(NoCertificate, match="may not be called"):
        looking(None, address="169.254.169.254")(NAME, 443)
