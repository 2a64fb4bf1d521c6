"""What an operator gives to show a partner, against what the partner's `auth` asks for."""

from dataclasses import replace

import pytest

from ocpi_bridge.domain.partners import OAuth2Client, OutboundAuth, Partner
from ocpi_bridge.ports.secrets import PartnerSecret
from tests.support.registry_entries import partner
from tools.bridge.partner_secrets import NOTHING, SecretRefused, complete

CLIENT = OAuth2Client("https://login.example/token", "us")
OCPI = partner()
BEARER = replace(OCPI, auth=OutboundAuth.BEARER)
OAUTH2 = replace(OCPI, auth=OutboundAuth.OAUTH2, oauth2=CLIENT)
WITH_KEY = replace(OAUTH2, oauth2=replace(CLIENT, api_key_header="ApiKey"))

TOKEN = PartnerSecret("t0ken")
SECRET = PartnerSecret(client_secret="cl13nt")
KEY = PartnerSecret(api_key="k3y")
SECRET_AND_KEY = PartnerSecret(client_secret="cl13nt", api_key="k3y")


@pytest.mark.parametrize(
    ("entry", "given", "present", "kept"),
    [
        (OCPI, TOKEN, NOTHING, TOKEN),
        (BEARER, TOKEN, NOTHING, TOKEN),
        (BEARER, PartnerSecret("x" * 2000), NOTHING, PartnerSecret("x" * 2000)),
        (OAUTH2, SECRET, NOTHING, SECRET),
        (WITH_KEY, SECRET_AND_KEY, NOTHING, SECRET_AND_KEY),
        (OCPI, NOTHING, NOTHING, None),
        (OAUTH2, NOTHING, NOTHING, None),
        (WITH_KEY, NOTHING, NOTHING, None),
        (OCPI, NOTHING, TOKEN, TOKEN),
        (OCPI, PartnerSecret("new"), TOKEN, PartnerSecret("new")),
        (WITH_KEY, NOTHING, SECRET_AND_KEY, SECRET_AND_KEY),
        (WITH_KEY, KEY, replace(SECRET_AND_KEY, api_key="old"), SECRET_AND_KEY),
        (WITH_KEY, SECRET, replace(SECRET_AND_KEY, client_secret="old"), SECRET_AND_KEY),
        (WITH_KEY, KEY, SECRET, SECRET_AND_KEY),
        # The file names no header for the key any more, or another `auth`: what is of no use is not kept.
        (OAUTH2, NOTHING, SECRET_AND_KEY, SECRET),
        (OAUTH2, SECRET, TOKEN, SECRET),
        (BEARER, TOKEN, SECRET_AND_KEY, TOKEN),
    ],
)
def test_what_is_kept_is_what_auth_asks_for(
    entry: Partner, given: PartnerSecret, present: PartnerSecret, kept: PartnerSecret | None
) -> None:
    assert complete(entry, given, present) == kept


@pytest.mark.parametrize(
    ("entry", "given", "present", "told"),
    [
        (OCPI, SECRET, NOTHING, "--present-token"),
        (OCPI, KEY, NOTHING, "--present-token"),
        (BEARER, SECRET_AND_KEY, NOTHING, "--present-token"),
        (OCPI, replace(SECRET, token="t0ken"), NOTHING, "--present-token"),
        (OAUTH2, TOKEN, NOTHING, "--client-secret"),
        (WITH_KEY, TOKEN, NOTHING, "--api-key"),
        (OAUTH2, SECRET_AND_KEY, NOTHING, "no api_key_header"),
        (WITH_KEY, SECRET, NOTHING, "--api-key"),
        (WITH_KEY, KEY, NOTHING, "--client-secret"),
        (WITH_KEY, NOTHING, SECRET, "--api-key"),
        (OAUTH2, NOTHING, TOKEN, "--client-secret"),
        (OCPI, NOTHING, SECRET, "--present-token"),
        (OCPI, PartnerSecret("x" * 65), NOTHING, "1 to 64"),
        (OCPI, PartnerSecret("t0 ken"), NOTHING, "no spaces"),
        (BEARER, PartnerSecret("t0 ken"), NOTHING, "no spaces"),
        (BEARER, PartnerSecret("x" * 10_000), NOTHING, "1 to 6144"),
        (OAUTH2, PartnerSecret(client_secret="cl13nt\n"), NOTHING, "client secret"),
        (OAUTH2, PartnerSecret(client_secret="x" * 2000), NOTHING, "client secret"),
        (WITH_KEY, replace(SECRET_AND_KEY, api_key="k3yé"), NOTHING, "API key"),
    ],
)
def test_what_does_not_fit_is_refused_with_what_to_do_and_without_a_secret(
    entry: Partner, given: PartnerSecret, present: PartnerSecret, told: str
) -> None:
    with pytest.raises(SecretRefused) as refused:
        complete(entry, given, present)
    assert told in str(refused.value)
    assert not any(secret in str(refused.value) for secret in ("t0", "cl13nt", "k3y", "xxx"))
