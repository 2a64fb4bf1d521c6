"""URLs that a partner gives us to call."""

from ipaddress import ip_address

import pytest

from ocpi_bridge.domain.errors import InvalidInput, UrlRefused
from ocpi_bridge.domain.partners import Partner, Party
from ocpi_bridge.domain.url_guard.urls import (
    check_callback_url,
    check_host_entry,
    check_partner_url,
    check_public_url,
    host_of,
    partner_hosts,
)
from tests.support.addresses import HOSTILE, SPECIAL, spellings

HOSTS = ("ocpi.partner.example", ".jedlix.com", "other.example:8443")


def check(url: str, *, hosts: tuple[str, ...] = HOSTS, allow_loopback_http: bool = False) -> None:
    check_callback_url(url, hosts, allow_loopback_http=allow_loopback_http)


@pytest.mark.parametrize(
    "url",
    [
        "https://ocpi.partner.example",
        "https://ocpi.partner.example/",
        "https://ocpi.partner.example?request_id=5678",
        "https://ocpi.partner.example/2.2.1/r?request_id=5678&next=https://x/?a=b",
        "https://ocpi.partner.example:443/r",
        "HTTPS://OCPI.Partner.Example/R",
        "https://smartcharging-qa.jedlix.com/ocpi/cpo/2.2.1/chargingprofiles/response?request_id=5678",
        "https://a.b.c.jedlix.com/%2F..%2f|{}",
        "https://other.example:8443/r",
    ],
)
def test_a_url_of_the_partner_passes(url: str) -> None:
    check(url)


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("", "empty"),
        ("ocpi.partner.example/r", "not an absolute URL"),
        ("//ocpi.partner.example/r", "not an absolute URL"),
        ("/r", "not an absolute URL"),
        ("https:/ocpi.partner.example/r", "not an absolute URL"),
        ("https:///r", "not an absolute URL"),
        ("http://ocpi.partner.example/r", "not https"),
        ("http://ocpi.partner.example:443/r", "not https"),
        ("ftp://ocpi.partner.example/r", "not https"),
        ("javascript://ocpi.partner.example/r", "not https"),
        ("https://evil.example/r", "not on the partner's list"),
        ("https://ocpi.partner.example.evil.example/r", "not on the partner's list"),
        ("https://xocpi.partner.example/r", "not on the partner's list"),
        ("https://jedlix.com/r", "not on the partner's list"),
        ("https://evil-jedlix.com/r", "not on the partner's list"),
        ("https://jedlix.com.evil.example/r", "not on the partner's list"),
        ("https://ocpi.partner.example:8443/r", "not on the partner's list"),
        ("https://other.example/r", "not on the partner's list"),
        ("https://xn--pple-43d.jedlix.com/r", "not on the partner's list"),
        ("https://a.XN--pple-43d.jedlix.com/r", "not on the partner's list"),
        ("https://xn--jedlx-p4a.com/r", "not on the partner's list"),
        ("https://jedlix.com.:443/r", "no valid host name"),
        ("https://a.jedlix.com./r", "no valid host name"),
        ("https://ajedlix.com/r", "not on the partner's list"),
        ("https://jedlix.co/r", "not on the partner's list"),
        ("https://a.jedlix.com:8443/r", "not on the partner's list"),
        ("https://a.jedlix.com:80/r", "not on the partner's list"),
        ("https://a.jedlix.com:22/r", "not on the partner's list"),
        ("https://ocpi.partner.example%2eevil.example/r", "no valid host name"),
        ("https://ocpi.partner.example%00.evil.example/r", "no valid host name"),
        ("https://ocpi.partner.example%40evil.example/r", "no valid host name"),
        ("https://ocpi.partner.example;evil.example/r", "no valid host name"),
        ("https://ocpi.partner.example,evil.example/r", "no valid host name"),
        ("https://*.jedlix.com/r", "no valid host name"),
        ("https://@ocpi.partner.example/r", "user information"),
        ("https://ocpi.partner.example:443@evil.example/r", "user information"),
        ("https://ocpi.partner.example:00000443/r", "no valid host and port"),
        ("https://ocpi.partner.example:0x1bb/r", "no valid host and port"),
        ("https://ocpi.partner.example:-443/r", "no valid host and port"),
        ("https:ocpi.partner.example/r", "not an absolute URL"),
        ("https:////ocpi.partner.example/r", "not an absolute URL"),
        ("https://https://ocpi.partner.example/r", "no valid host and port"),
        ("https://ocpi\uff0epartner\uff0eexample/r", "characters"),
        ("https://ocpi.partner.example\u3002evil.example/r", "characters"),
        ("https://\uff4fcpi.partner.example/r", "characters"),
        ("https://ocpi.partner.example\u2215evil.example/r", "characters"),
        ("https://ocpi.partner.example./r", "no valid host name"),
        ("https://.jedlix.com/r", "no valid host name"),
        ("https://a..jedlix.com/r", "no valid host name"),
        ("https://a_b.jedlix.com/r", "no valid host name"),
        ("https://-a.jedlix.com/r", "no valid host name"),
        ("https://a%2eevil.example%2f.jedlix.com/r", "no valid host name"),
        (f"https://{'a' * 64}.jedlix.com/r", "no valid host name"),
        ("https://ocpi.partner.example:/r", "no valid host and port"),
        ("https://ocpi.partner.example:0/r", "no valid port"),
        ("https://ocpi.partner.example:65536/r", "no valid port"),
        ("https://ocpi.partner.example:443:443/r", "no valid host and port"),
        ("https://ocpi.partner.example:+443/r", "no valid host and port"),
        ("https://[::1/r", "no valid host and port"),
        ("https://user@ocpi.partner.example/r", "user information"),
        ("https://user:pass@ocpi.partner.example/r", "user information"),
        ("https://ocpi.partner.example@evil.example/r", "user information"),
        ("https://evil.example\\@ocpi.partner.example/r", "backslash"),
        ("https://ocpi.partner.example\\.evil.example/r", "backslash"),
        ("https://ocpi.partner.example/r#fragment", "fragment"),
        ("https://ocpi.partner.example/r#", "fragment"),
        ("https://evil.example#.jedlix.com/r", "fragment"),
        (" https://ocpi.partner.example/r", "characters"),
        ("https://ocpi.partner.example/r ", "characters"),
        ("https://ocpi.partner.example/r\n", "characters"),
        ("https://ocpi.part\tner.example/r", "characters"),
        ("https://ocpi.partner.example/r\r\nX-Other: 1", "characters"),
        ("https://ocpi.partner.example/r\x00", "characters"),
        ("https://ocpi.partner.example/ré", "characters"),
        ("https://ocpi.pаrtner.example/r", "characters"),  # noqa: RUF001
        ("https://localhost/r", "this machine"),
        ("https://LOCALHOST/r", "this machine"),
        ("http://localhost:8080/r", "this machine"),
        ("https://[::1]/r", "this machine"),
        ("https://10.0.0.1/r", "IP address"),
    ],
)
def test_any_other_url_is_refused_with_its_reason(url: str, why: str) -> None:
    with pytest.raises(InvalidInput) as raised:
        check(url)
    assert raised.value.field == "response_url"
    assert why in raised.value.problem


@pytest.mark.parametrize("address", [*HOSTILE, *SPECIAL])
def test_no_spelling_of_a_hostile_address_passes_even_where_it_is_listed(address: str) -> None:
    for host in spellings(ip_address(address)):
        for url in (f"https://{host}/r", f"https://{host}:443/r"):
            with pytest.raises(UrlRefused):
                check(url, hosts=(host, f".{host}", *HOSTS))
            with pytest.raises(UrlRefused):
                check_public_url(url, "url", allow_loopback_http=False)


def test_a_public_address_is_refused_too() -> None:
    with pytest.raises(InvalidInput):
        check("https://8.8.8.8/r", hosts=("8.8.8.8",))


def test_the_length_is_bounded() -> None:
    prefix = "https://ocpi.partner.example/"
    check(prefix + "r" * (255 - len(prefix)))
    with pytest.raises(InvalidInput, match="255"):
        check(prefix + "r" * (256 - len(prefix)))


def test_a_host_name_is_bounded_by_dns_where_the_url_may_be_longer() -> None:
    check_partner_url(f"https://{'a.' * 121}jedlix.com/r", (".jedlix.com",), allow_loopback_http=False)
    with pytest.raises(UrlRefused, match="no valid host name"):
        check_partner_url(f"https://{'a.' * 122}jedlix.com/r", (".jedlix.com",), allow_loopback_http=False)


def test_an_endpoint_of_a_partner_may_be_longer() -> None:
    check_partner_url("https://ocpi.partner.example/" + "r" * 300, HOSTS, allow_loopback_http=False)


def test_a_name_in_another_script_passes_only_where_it_is_listed_itself() -> None:
    check("https://xn--bcher-kva.example/r", hosts=("xn--bcher-kva.example",))
    check("https://a.xn--bcher-kva.example/r", hosts=(".xn--bcher-kva.example",))
    with pytest.raises(InvalidInput):
        check("https://xn--bcher-kva.example/r", hosts=(".example",))


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]"])
def test_the_local_stage_may_call_its_own_machine_where_it_is_listed(host: str) -> None:
    check(f"http://{host}:40123/r", hosts=(host,), allow_loopback_http=True)
    check(f"https://{host}:40123/r", hosts=(f"{host}:4000",), allow_loopback_http=True)
    with pytest.raises(InvalidInput):
        check(f"http://{host}:40123/r", hosts=(host,), allow_loopback_http=False)
    with pytest.raises(InvalidInput):
        check(f"http://{host}:40123/r", hosts=HOSTS, allow_loopback_http=True)


@pytest.mark.parametrize("host", ["127.0.0.2", "127.1", "0x7f.1", "10.0.0.1", "localhost.", "a.localhost", "[::]"])
def test_the_local_stage_opens_nothing_but_its_own_machine(host: str) -> None:
    with pytest.raises(InvalidInput):
        check(f"http://{host}:40123/r", hosts=(host,), allow_loopback_http=True)


def test_a_refusal_names_the_host_for_the_operator_and_no_word_of_it_for_the_partner() -> None:
    for url, host in (
        ("https://EVIL.example/r?secret=s3cret", "evil.example"),
        ("https://evil.example/" + "r" * 300, "evil.example"),
        ("https://10.0.0.1/r", None),
        ("https://user@evil.example/", None),
    ):
        with pytest.raises(UrlRefused) as raised:
            check(url)
        assert raised.value.host == host
        assert "evil" not in str(raised.value)


def test_an_error_never_repeats_the_url() -> None:
    with pytest.raises(InvalidInput) as raised:
        check("https://evil.example/r?secret=s3cret")
    assert "evil" not in str(raised.value)
    assert "s3cret" not in str(raised.value)


def test_the_hosts_of_a_partner_are_its_list_and_its_own_endpoints() -> None:
    partner = Partner(
        "jedlix",
        "Jedlix",
        Party("NL", "JED"),
        (".jedlix.com",),
        sessions_url="https://OCPI.partner.example/sessions",
        charging_profiles_url="https://ocpi.partner.example:8443/cp",
    )
    hosts = partner_hosts(partner)
    assert hosts == (".jedlix.com", "ocpi.partner.example:443", "ocpi.partner.example:8443")
    check("https://ocpi.partner.example:8443/cp/1", hosts=hosts)
    with pytest.raises(InvalidInput):
        check("https://ocpi.partner.example:9443/cp/1", hosts=hosts)


@pytest.mark.parametrize("entry", ["ocpi.partner.example", ".jedlix.com", "a.example:8443", "127.0.0.1", "localhost"])
def test_a_proper_entry_can_stand_on_a_list(entry: str) -> None:
    check_host_entry(entry)


@pytest.mark.parametrize(
    "entry", ["", ".", ".com", "..com", "*.jedlix.com", "https://a.example", "a.example/", "10.0.0.1", "bücher.example"]
)
def test_an_entry_that_says_too_much_or_nothing_cannot(entry: str) -> None:
    with pytest.raises(InvalidInput) as raised:
        check_host_entry(entry)
    assert raised.value.field == "callback_hosts"


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://EVIL.example:9/r?secret=1", "evil.example"),
        ("http://localhost:4000/r", "localhost"),
        ("https://user:pass@evil.example/r", None),
        ("https://evil.example\nforged: line/r", None),
        ("https://10.0.0.1/r", None),
        ("nonsense", None),
    ],
)
def test_the_host_for_logs_is_a_proper_name_or_nothing(url: str, host: str | None) -> None:
    assert host_of(url) == host


# --- URLs of a handshake ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        "https://ocpi.partner.example/ocpi/versions",
        "https://ocpi.partner.example:8443/ocpi/versions/",
        "HTTPS://OCPI.partner.example?tenant=1",
        "https://a.example/" + "v" * 237,
    ],
)
def test_before_a_handshake_any_public_name_may_be_called(url: str) -> None:
    check_public_url(url, "url", allow_loopback_http=False)


@pytest.mark.parametrize(
    "url",
    [
        "http://ocpi.partner.example/",
        "https://a.example/" + "v" * 238,
        "https://localhost/",
        "http://127.0.0.1:8080/",
        "https://[::1]/",
        "https://user@ocpi.partner.example/",
        "https://ocpi.partner.example/#versions",
        "https://ocpi.partner.example:0/",
        "https://ocpi_partner.example/",
        "",
        *(f"https://{address}/" for address in HOSTILE),
    ],
)
def test_whatever_is_not_a_public_name_is_refused_by_its_field(url: str) -> None:
    with pytest.raises(InvalidInput) as raised:
        check_public_url(url, "the field", allow_loopback_http=False)
    assert raised.value.field == "the field"
    assert len(url) < 10 or url not in str(raised.value)


def test_this_machine_may_be_called_where_the_stage_is_this_machine() -> None:
    for url in ("http://127.0.0.1:8080/versions", "https://localhost:9000/versions", "http://[::1]/versions"):
        check_public_url(url, "url", allow_loopback_http=True)
    for url in ("http://ocpi.partner.example/", "https://10.0.0.1/", "http://127.0.0.2/"):
        with pytest.raises(InvalidInput):
            check_public_url(url, "url", allow_loopback_http=True)
