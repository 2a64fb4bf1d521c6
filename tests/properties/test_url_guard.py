"""Whatever text stands for a URL, the guard says no by name or means what every client understands."""

from collections.abc import Callable
from urllib.parse import urlsplit

import httpx
from hypothesis import example, given
from hypothesis import strategies as st

from ocpi_bridge.domain.errors import InvalidInput, UrlRefused
from ocpi_bridge.domain.url_guard.urls import (
    MAX_URL_LENGTH,
    check_callback_url,
    check_host_entry,
    check_partner_url,
    check_public_url,
    host_of,
)

HOSTS = ("ocpi.partner.example", ".jedlix.com", "other.example:8443")
# What attacks on parsers are made of.
_PIECES = (
    "https://",
    "http://",
    "//",
    "/",
    "\\",
    "@",
    ":",
    ":443",
    ":8443",
    "?",
    "#",
    "%2e",
    "%40",
    "%00",
    ".",
    "..",
    "\u3002",
    "\uff0e",
    "\uff0f",
    "\t",
    "\r\n",
    "[",
    "]",
    "[::1]",
    "127.0.0.1",
    "localhost",
    "0x7f.1",
    "ocpi.partner.example",
    "OCPI.Partner.Example",
    "jedlix.com",
    ".jedlix.com",
    "other.example",
    "evil.example",
    "xn--pple-43d",
    "a",
    "\u212a",
    "\u0131",
)
texts = st.one_of(
    st.text(max_size=80),
    st.lists(st.sampled_from(_PIECES), max_size=8).map("".join),
    st.lists(st.sampled_from(_PIECES), max_size=6).map(lambda pieces: "https://" + "".join(pieces)),
)


def refusal(check: Callable[[], None]) -> UrlRefused | None:
    """What a check raises, if that is a refusal; any other error is the test's."""
    try:
        check()
    except UrlRefused as refused:
        return refused
    return None


@given(texts)
@example("https://ocpi.partner.example\\@evil.example/")
@example("https://[::1")
@example("https://ocpi.partner.example:99999999999999999999/")
def test_no_text_raises_anything_but_a_refusal(text: str) -> None:
    for local in (False, True):
        refusals = (
            refusal(lambda: check_callback_url(text, HOSTS, allow_loopback_http=local)),  # noqa: B023 - called at once
            refusal(lambda: check_partner_url(text, HOSTS, allow_loopback_http=local)),  # noqa: B023 - called at once
            refusal(lambda: check_public_url(text, "url", allow_loopback_http=local)),  # noqa: B023 - called at once
        )
        for refused in refusals:
            if refused is not None:
                assert refused.host in {None, host_of(text)}
                # Single words of a URL may stand in those of a refusal; longer texts may not.
                assert len(text) < 12 or text not in str(refused)


@given(texts)
def test_no_text_on_a_list_raises_anything_but_a_refusal(text: str) -> None:
    try:
        check_host_entry(text)
    except InvalidInput:
        return
    assert text.isascii() or text.lower().isascii()


@given(texts)
@example("https://a.jedlix.com:443/r")
@example("HTTPS://OCPI.PARTNER.EXAMPLE")
def test_what_passes_means_the_same_host_and_port_to_every_reader(text: str) -> None:
    try:
        check_callback_url(text, HOSTS, allow_loopback_http=False)
    except UrlRefused:
        return
    assert len(text) <= MAX_URL_LENGTH
    parts, client = urlsplit(text), httpx.URL(text)
    hosts = {parts.hostname, client.host, client.raw_host.decode(), host_of(text)}
    [host] = hosts
    assert host is not None
    assert (parts.port or 443) == (client.port or 443) == (8443 if host == "other.example" else 443)
    assert host in {"ocpi.partner.example", "other.example"} or host.endswith(".jedlix.com")
    assert parts.username is parts.password is None
    assert client.userinfo == b""
