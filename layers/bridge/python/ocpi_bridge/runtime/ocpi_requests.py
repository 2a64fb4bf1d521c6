"""Requests of OCPI as API Gateway hands them over."""

from ocpi_bridge.ocpi.transport import MessageIds, OcpiRequest, TransportError
from ocpi_bridge.runtime import gateway


def ocpi_request(event: gateway.Event) -> OcpiRequest:
    """The request in a proxy event."""
    http = gateway.read(event)
    return OcpiRequest(
        method=http.method,
        path_parameters=http.path_parameters,
        query=http.query,
        headers=http.headers,
        ids=MessageIds.of(http.headers),
        body=http.body,
        path=http.path,
    )


def method_not_allowed(*allowed: str) -> TransportError:
    """405 with the methods that the endpoint has."""
    return TransportError(405, "this method is not defined here", {"Allow": ", ".join(allowed)})
