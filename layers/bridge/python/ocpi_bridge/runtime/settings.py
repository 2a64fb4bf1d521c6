"""The environment of a function. What is missing is an error at the first use, with the variable's name."""

import os
from datetime import timedelta

from ocpi_bridge.domain.partners import Party
from ocpi_bridge.domain.values import dataclass

# The one stage on which loopback http is a legal address: the embedded AWS on one machine.
LOCAL_STAGE = "local"


class MissingSetting(RuntimeError):
    """A variable that this function needs is not in its environment: a defect of the deployment."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Typed access to the environment."""

    @property
    def is_local(self) -> bool:
        """Whether this is the embedded stage."""
        return variable("STAGE") == LOCAL_STAGE

    @property
    def party(self) -> Party:
        """The CPO's party, where a message is not about a session that names its own."""
        return Party(variable("OCPI_COUNTRY_CODE"), variable("OCPI_PARTY_ID"))

    @property
    def result_timeout(self) -> timedelta:
        """The `timeout` that partners are told."""
        return timedelta(seconds=int(variable("RESULT_TIMEOUT_SECONDS")))

    @property
    def session_retention(self) -> timedelta | None:
        """How long sessions are kept after their last change; None for a function that writes none."""
        days = optional("SESSION_RETENTION_DAYS")
        return timedelta(days=int(days)) if days else None


def variable(name: str) -> str:
    """The value of an environment variable. Raises MissingSetting."""
    value = os.environ.get(name)
    if not value:
        raise MissingSetting(name)
    return value


def optional(name: str) -> str:
    """The value of an environment variable, or an empty text."""
    return os.environ.get(name, "")
