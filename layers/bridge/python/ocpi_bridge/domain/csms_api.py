"""How the HTTP API of a CSMS is called and understood, as data.

The common ground of CSMS APIs is the OCPP payload over HTTP; what differs is where it is posted, in which spelling, and
where in the answer the verdict and the payload stand. A preset is such a description; so is a registry entry's own.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CsmsApi:
    """The description of one API."""

    name: str
