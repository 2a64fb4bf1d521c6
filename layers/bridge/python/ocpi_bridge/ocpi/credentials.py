"""Credentials (OCPI 7): the object that both sides exchange, and the order of what is checked at its endpoint."""

from collections.abc import Iterable
from dataclasses import field
from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from ocpi_bridge.domain.connections import OwnPlatform, Role, distinct_parties, is_dead, open_methods
from ocpi_bridge.domain.errors import InvalidInput
from ocpi_bridge.domain.partners import Partner, Party
from ocpi_bridge.domain.tokens import AcceptedToken, candidates, is_token, token_hash
from ocpi_bridge.domain.url_guard.urls import MAX_URL_LENGTH
from ocpi_bridge.domain.values import dataclass
from ocpi_bridge.ocpi.transport import OcpiRequest, TransportError
from ocpi_bridge.ocpi.validation import invalid_input
from ocpi_bridge.ports.json_values import JsonObject, JsonValue

# A party may have each of the roles; many more parties than a service provider has brands are not one partner.
MAX_PARTIES = 20
MAX_ROLES = 8 * MAX_PARTIES
# BusinessDetails.name (8.4.2).
MAX_NAME_LENGTH = 100

CPO = "CPO"
METHODS = ("GET", "POST", "PUT", "DELETE")


@dataclass(frozen=True, slots=True)
class Credentials:
    """Credentials (7.3.1): the token to present, where to find the versions, and who is behind them."""

    token: str = field(repr=False)
    url: str
    roles: tuple[Role, ...]

    @classmethod
    def parse(cls, request: OcpiRequest) -> "Credentials":
        """Reads a POST or PUT. Raises InvalidInput naming the field, or TransportError where it is no JSON."""
        return cls.read(request.json())

    @classmethod
    def read(cls, value: JsonValue) -> "Credentials":
        """Reads the object, the `data` of an answer for instance. Raises InvalidInput naming the field.

        Nobody needs the business details to be there, nor a role to be one that we know.
        """
        try:
            body = _Credentials.model_validate(value)
        except ValidationError as error:
            problem = invalid_input(error)
        else:
            roles = tuple(Role(role.role, Party(role.country_code, role.party_id)) for role in body.roles)
            if len(distinct_parties(roles)) <= MAX_PARTIES:
                return cls(body.token, body.url, roles)
            problem = InvalidInput("roles", f"name more than {MAX_PARTIES} parties")
        # Raised out here, without the parser's error as its context: that one holds the token.
        raise problem


def own_credentials(token: str, own: OwnPlatform, further: Iterable[Party]) -> JsonObject:
    """Our Credentials object with the token that the other side is to present: a CPO, once for each party.

    `further` are the parties beside our own that charge points are operated for.
    """
    roles: list[JsonValue] = [
        {
            "role": CPO,
            "party_id": party.party_id,
            "country_code": party.country_code,
            "business_details": {"name": own.business_name[:MAX_NAME_LENGTH]},
        }
        for party in distinct_parties(Role(CPO, party) for party in (own.party, *further))
    ]
    return {"token": token, "url": own.versions_url, "roles": roles}


def check_call(method: str, token: AcceptedToken, partner: Partner, now: datetime) -> None:
    """Raises TransportError unless the partner's token may do this now: 401, then 405 by the registration's state (7.2).

    That comes before anybody looks at the body.
    """
    if is_dead(token, method, now):
        raise TransportError(401, "unknown token")
    methods = open_methods(token, partner)
    if method not in methods:
        problem = (
            f"the registration takes no {method} in its state"
            if method in METHODS
            else "this method is not defined here"
        )
        raise TransportError(405, problem, {"Allow": ", ".join(methods)})


def presented_token(request: OcpiRequest, token: AcceptedToken) -> str:
    """The clear text of the token that a caller presented: GET has to show it (7.2.1), and only its hash is stored."""
    presented = candidates(request.headers.get("authorization"))
    return next(one for one in presented if token_hash(one) == token.token_hash)


def _token(value: str) -> str:
    if not is_token(value):
        raise ValueError("is not 1 to 64 printable characters without spaces")
    return value


class _Body(BaseModel):
    # Unknown fields are never refused (2.3.0, 4.1); 2.3.0's hub_party_id means nothing here: no hub is spoken to.
    model_config = ConfigDict(extra="ignore", frozen=True, strict=True)


class _Role(_Body):
    role: Annotated[str, Field(min_length=1, max_length=36)]
    country_code: Annotated[str, Field(pattern=r"^[A-Za-z]{2}$")]
    # CiString(3) (16.1): it stands in headers, so without spaces.
    party_id: Annotated[str, Field(pattern=r"^[!-~]{1,3}$")]


class _Credentials(_Body):
    token: Annotated[str, AfterValidator(_token)]
    url: Annotated[str, Field(min_length=1, max_length=MAX_URL_LENGTH)]
    roles: Annotated[list[_Role], Field(min_length=1, max_length=MAX_ROLES)]
