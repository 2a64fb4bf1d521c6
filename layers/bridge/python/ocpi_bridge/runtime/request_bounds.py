"""Bounds of a request around its body: path, query and headers. API Gateway has some of its own, and wider ones."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from ocpi_bridge.domain.errors import InvalidInput

# Our longest path, a session of a CSMS, has some 200 characters.
MAX_PATH_LENGTH = 1_024
# `response_url` has at most 255 characters, percent-encoded three times that; `date_from` and others are shorter.
MAX_QUERY_LENGTH = 4_096
# OCPI's longest list of parameters has five; an unencoded `response_url` brings its own.
MAX_QUERY_PARAMETERS = 32
# A partner's own, OCPI's, and what proxies on the way add come to some 30.
MAX_HEADERS = 100
# API Gateway takes 10,240 bytes of all headers together; the longest that we read are tokens and ids.
MAX_HEADER_LENGTH = 8_192


class AroundTheBody(Protocol):
    """What a request is beside its body; the query is decoded."""

    @property
    def path(self) -> str:
        """Without the query."""

    @property
    def query(self) -> Sequence[tuple[str, str]]:
        """Its parameters in their order."""

    @property
    def headers(self) -> Mapping[str, str]:
        """By their names."""


def check_bounds(request: AroundTheBody) -> None:
    """Raises InvalidInput naming the part of the request that is beyond its bound, and nothing of what is in it."""
    query, headers = request.query, request.headers
    if len(request.path) > MAX_PATH_LENGTH:
        raise InvalidInput("path", f"is longer than {MAX_PATH_LENGTH} characters")
    if len(query) > MAX_QUERY_PARAMETERS:
        raise InvalidInput("query", f"has more than {MAX_QUERY_PARAMETERS} parameters")
    if sum(len(key) + len(value) for key, value in query) > MAX_QUERY_LENGTH:
        raise InvalidInput("query", f"is longer than {MAX_QUERY_LENGTH} characters")
    if len(headers) > MAX_HEADERS:
        raise InvalidInput("headers", f"are more than {MAX_HEADERS}")
    if any(len(name) + len(value) > MAX_HEADER_LENGTH for name, value in headers.items()):
        raise InvalidInput("headers", f"have one of more than {MAX_HEADER_LENGTH} characters")
