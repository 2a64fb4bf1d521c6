"""What a Session looks like in one version of OCPI and not in another: prices and open enums (16.5, 10.4.5)."""

from collections.abc import Iterator, Mapping

from pydantic import ValidationError

from tools.counterparts.json_types import JsonObject, as_object
from tools.partner_simulator.models import OcpiObject, Price, Session, TaxedPrice, findings
from tools.partner_simulator.platform_models import OcpiVersion

# Closed in 2.2.1; 2.3.0 made TokenType an OpenEnum.
CLOSED_TOKEN_TYPES = frozenset({"AD_HOC_USER", "APP_USER", "OTHER", "RFID"})
_PRICES: Mapping[OcpiVersion, type[OcpiObject]] = {OcpiVersion.V221: Price, OcpiVersion.V230: TaxedPrice}


class SessionInvalidError(ValueError):
    """The object is no Session of its version; the message names the fields."""


def read_session(body: JsonObject, version: OcpiVersion) -> Session:
    """A whole Session in one version's form; raises SessionInvalidError."""
    for finding in form_findings(body, version):
        raise SessionInvalidError(finding)
    try:
        return Session.model_validate(body, extra=version.extra)
    except ValidationError as error:
        raise SessionInvalidError(findings(error)) from error


def form_findings(sent: JsonObject, version: OcpiVersion) -> Iterator[str]:
    """What is of another version in a Session or in a part of one."""
    cost = sent.get("total_cost")
    if cost is not None:
        try:
            _PRICES[version].model_validate(cost, extra=version.extra)
        except ValidationError as error:
            yield f"total_cost: {findings(error)} ({version})"
    kind = as_object(sent.get("cdr_token")).get("type")
    if version is OcpiVersion.V221 and kind is not None and kind not in CLOSED_TOKEN_TYPES:
        yield f"cdr_token.type: {kind} is none of {', '.join(sorted(CLOSED_TOKEN_TYPES))} ({version})"
