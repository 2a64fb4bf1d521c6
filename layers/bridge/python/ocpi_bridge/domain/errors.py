"""The tree of errors that the domain and the use cases raise.

* BridgeError
  * InvalidInput            what a party sent breaks a rule; names the field
    * UrlRefused            it is a URL that must not be called; names its host
  * PlanRefused             a legal plan that this charge point cannot be given
    * PlanIsOver            every period lies in the past
    * UnitNotPossible       the station takes no unit that the plan can be converted to
    * TooManyPeriods        more periods than the station takes
    * EmptyPlan             no periods: legal in OCPI, nothing that OCPP can carry
  * Contended               another writer was faster, again and again; nothing was written
  * UnknownEntity           a registry entry that something refers to does not exist
  * RegistrationFailed      a handshake that led to nothing; has OCPI's status code for it
    * PlatformUnusable      3001: the other side cannot be called, or what it answers is of no use
      * TokenRefused        it answers 401 to the token that is presented to it
    * VersionNotShared      3002: it speaks no version that is asked for
    * EndpointMissing       3003: it lacks a module without which there is nothing to do
"""


class BridgeError(Exception):
    """Base of all errors that the bridge raises on purpose."""


class InvalidInput(BridgeError):
    """Input of a partner, a CSMS or an operator breaks a rule.

    `field` is the path of the offending field (`charging_profile.charging_profile_period.0.start_period`).
    """

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}")
        self.field = field
        self.problem = problem


class UrlRefused(InvalidInput):
    """A URL that a party gave must not be called. `host` is None where it has none that is spelled properly."""

    def __init__(self, field: str, problem: str, host: str | None) -> None:
        super().__init__(field, problem)
        self.host = host


class PlanRefused(BridgeError):
    """A legal plan that this charge point cannot be given; the text says why."""


class PlanIsOver(PlanRefused):
    """Every period of the plan lies in the past."""


class EmptyPlan(PlanRefused):
    """The plan has no periods: legal in OCPI (14.6.3), nothing that OCPP can carry."""


class UnitNotPossible(PlanRefused):
    """The station takes no unit that this plan can be converted to."""


class TooManyPeriods(PlanRefused):
    """More periods than the station takes, even after past ones are dropped and equal neighbours merged."""


class Contended(BridgeError):
    """Other writers were faster, again and again; nothing was written and the caller may try again."""


class UnknownEntity(BridgeError):
    """A registry entry that something refers to does not exist."""

    def __init__(self, kind: str, key: str) -> None:
        super().__init__(f"unknown {kind} {key!r}")
        self.kind = kind
        self.key = key


class RegistrationFailed(BridgeError):
    """A handshake (OCPI 7) that led to nothing: whatever was registered before still is, and it may be tried again.

    `status_code` is OCPI's for it (5.3).
    """

    status_code = 3000


class PlatformUnusable(RegistrationFailed):
    """The other side cannot be called, or what it answers is of no use.

    `unclear`: it may have done what it was asked to, only its answer was lost or not understood.
    """

    status_code = 3001

    def __init__(self, problem: str, *, unclear: bool = False) -> None:
        super().__init__(f"the API cannot be used: {problem}")
        self.unclear = unclear


class TokenRefused(PlatformUnusable):
    """The other side answers 401 to the token that is presented to it; nothing was done."""


class VersionNotShared(RegistrationFailed):
    """The other side does not speak the version, or any version, that is asked for."""

    status_code = 3002


class EndpointMissing(RegistrationFailed):
    """The other side lacks a module without which there is nothing to do."""

    status_code = 3003
