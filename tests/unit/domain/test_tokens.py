import json
from base64 import b64encode
from pathlib import Path

import pytest

from ocpi_bridge.domain.tokens import TOKEN_MAX_LENGTH, candidates, is_bearer, is_token, new_token, token_hash

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures/ocpi"
VECTORS = json.loads((FIXTURES / "authorization_base64_vectors.json").read_text())["vectors"]


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["token"])
@pytest.mark.parametrize("form", ["correct_b64", "spec_printed_b64"])
def test_a_token_is_found_in_base64_also_with_the_newline_of_the_printed_examples(
    vector: dict[str, str], form: str
) -> None:
    assert candidates(f"Token {vector[form]}")[0] == vector["token"]


def test_the_value_as_it_stands_is_the_second_candidate_because_older_peers_send_it_plain() -> None:
    encoded = b64encode(b"example-token").decode()
    assert candidates(f"Token {encoded}") == ("example-token", encoded)


def test_a_plain_token_that_is_no_base64_is_the_only_candidate() -> None:
    assert candidates("Token ebf3b399-779f-4497-9b9d-ac6ad3cc44d2") == ("ebf3b399-779f-4497-9b9d-ac6ad3cc44d2",)


def test_a_plain_hexadecimal_token_is_a_candidate_although_it_is_valid_base64() -> None:
    assert "0123456789abcdef0123456789abcdef" in candidates("Token 0123456789abcdef0123456789abcdef")


@pytest.mark.parametrize("scheme", ["Token", "token", "TOKEN"])
def test_the_scheme_is_compared_without_case(scheme: str) -> None:
    assert candidates(f"{scheme} secret!") == ("secret!",)


@pytest.mark.parametrize(
    "header",
    [
        "Token  secret!",
        "Token     secret!",
        "Token secret!  ",
        "Token secret!\t",
        " Token secret! ",
        "\tToken \tsecret!",
    ],
)
def test_spaces_around_the_value_do_not_count(header: str) -> None:
    assert candidates(header) == ("secret!",)


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_a_bearer_token_is_taken_as_it_stands_and_never_decoded(scheme: str) -> None:
    encoded = b64encode(b"example-token").decode()
    assert candidates(f"{scheme}  {encoded} ") == (encoded,)
    assert is_bearer(f"{scheme}  {encoded} ")


@pytest.mark.parametrize("header", [None, "", "Token Bearer", "Bearerx abc", "Token abc", "\ud800"])
def test_other_schemes_are_no_bearer(header: str | None) -> None:
    assert not is_bearer(header)


def test_a_token_keeps_its_case() -> None:
    assert candidates("Token AbC!") == ("AbC!",)


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "Token",
        "Token ",
        "   ",
        "Token a b",
        "Token\ttab",
        "Bearer",
        "Bearer ",
        "Bearer a b",
        "Bearer " + "x" * 65,
        "Bearer zürich",
        "Basic ZXhhbXBsZS10b2tlbg==",
        "Tokenexample-token",
        "Token, example-token",
        "Token zürich",
        "Token " + "x" * 1000,
        "Token \ud800",
    ],
)
def test_a_header_without_a_usable_token_has_no_candidates(header: str | None) -> None:
    assert candidates(header) == ()


@pytest.mark.parametrize("content", [b"\xff\xfe!!", b"", b"two words", b"x" * (TOKEN_MAX_LENGTH + 1)])
def test_base64_of_what_is_no_token_adds_no_candidate(content: bytes) -> None:
    encoded = b64encode(content).decode()
    assert candidates(f"Token {encoded}") in {(encoded,), ()}


@pytest.mark.parametrize("value", ["ZXhhbXBsZS10b2tlbg", "ZXhh-XBs", "ZXhhbXBsZS10b2tlbg==="])
def test_base64_is_read_strictly(value: str) -> None:
    assert candidates(f"Token {value}") == (value,)


def test_new_tokens_differ_and_have_the_length_and_characters_of_the_specification() -> None:
    tokens = {new_token() for _ in range(20)}
    assert len(tokens) == 20
    assert all(is_token(token) and len(token) == TOKEN_MAX_LENGTH for token in tokens)


def test_a_new_token_is_found_again_in_both_forms() -> None:
    token = new_token()
    assert token in candidates(f"Token {b64encode(token.encode()).decode()}")
    assert token in candidates(f"Token {token}")


def test_the_hash_is_sha_256_in_hexadecimal() -> None:
    assert token_hash("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


@pytest.mark.parametrize("text", ["", " ", "two words", "tab\t", "zürich", "x" * 65])
def test_what_is_no_token_is_told(text: str) -> None:
    assert not is_token(text)
