"""The signature of events."""

from tools.demo_csms import EventDoor, signature


def test_the_signature_covers_time_and_body() -> None:
    # Computed apart: printf '1700000000.{"events":[]}' | openssl dgst -sha256 -hmac secret
    expected = "3947de27ec923573170fccda604ddfb25583ff98dc51e96cca2e11c59545026a"

    signed = signature("secret", 1_700_000_000, b'{"events":[]}')

    assert signed.startswith("t=1700000000,v1=")
    assert signed.removeprefix("t=1700000000,v1=") == expected


def test_a_changed_body_or_time_has_another_signature() -> None:
    signed = signature("secret", 1, b"body")

    assert signature("secret", 1, b"Body") != signed
    assert signature("secret", 2, b"body").split("v1=")[1] != signed.split("v1=")[1]


def test_the_secret_is_in_no_representation() -> None:
    assert "hush" not in repr(EventDoor("https://localhost/api", "acme", "hush"))
