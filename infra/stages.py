"""The settings of a stage: everything that differs between one deployment of the bridge and another."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from ocpi_bridge.runtime.metric_catalogue import NAMESPACE

DEFAULT_STAGE: Final = "dev"

LONGEST_RESULT_TIMEOUT_SECONDS: Final = 900
"""A request's deadline travels as the delay of an SQS message, and 15 minutes is the longest that SQS keeps one."""

SHORTEST_RESULT_TIMEOUT_SECONDS: Final = 10
"""Below this a charge point that answers at its usual pace would already be too late."""

LONGEST_SESSION_RETENTION_DAYS: Final = 3650
"""Ten years: no book-keeping asks for more, and a mistyped number is no reason to keep personal data for ever."""

LONGEST_BUSINESS_NAME: Final = 100
"""BusinessDetails.name (OCPI 2.2.1, 8.4.2)."""

LEAST_REQUESTS_PER_MINUTE: Final = 10
"""The lowest rate that WAF counts to."""

LEAST_PROVISIONED_SESSIONS: Final = 1_000
MOST_PROVISIONED_SESSIONS: Final = 200_000
"""Below, provisioned tables cost as much as they save; one stage bears no more (docs/scale-and-cost.md)."""

TABLE_UTILISATION: Final = 70
"""Percent of what is provisioned that auto scaling lets be used; it is also what AWS's console proposes."""

LEAST_WORKER_CONCURRENCY: Final = 2
"""The smallest maximum concurrency that Lambda takes for an SQS event source."""

_COUNTRY_CODE = re.compile(r"[A-Z]{2}")
_PARTY_ID = re.compile(r"[A-Z0-9]{3}")
_ACCOUNT = re.compile(r"[0-9]{12}")
_DOMAIN_NAME = re.compile(r"(?=.{4,253}\Z)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}")
_CERTIFICATE = re.compile(r"arn:aws[a-z-]*:acm:[a-z0-9-]+:[0-9]{12}:certificate/[A-Za-z0-9-]+")


class StageError(ValueError):
    """A stage that does not exist, or settings with which it cannot be deployed. The message says what to type."""


@dataclass(frozen=True, slots=True)
class Domain:
    """A domain name for the OCPI API, and the ARN of its certificate in Certificate Manager, in the stage's region."""

    name: str
    certificate_arn: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StageSettings:
    """What one stage is deployed with.

    Attributes:
        name: Name of the stage; part of the stack's name, of resource names and of the APIs' addresses.
        country_code: ISO 3166 alpha-2 code of the CPO as an OCPI party (OCPI 2.2.1, 7). Empty: must be given.
        party_id: Three characters, the CPO's party id (ISO 15118). Empty: must be given.
        business_name: The CPO's name, as partners are told it when they register (OCPI 2.2.1, 7.4.1). At most 100
            characters. Empty: country code and party id stand for it.
        ocpi_url: Where partners reach the OCPI API if neither at its own host name nor at `domain`: a proxy of the
            CPO's, with its base path, without a trailing slash. It is what versions, credentials and pages of sessions
            say.
        domain: A domain name whose root is the OCPI API; the edge stack makes it, and partners are told it.
        result_timeout_seconds: The `timeout` told to the partner (OCPI 2.2.1, 14.5.1): every accepted request has its
            result by then. 10 to 900 s.
        log_level: Lowest level that the functions log: DEBUG, INFO, WARNING or ERROR.
        log_retention_days: How long CloudWatch keeps the logs of functions and APIs; a number that CloudWatch knows.
        session_retention_days: How long sessions are kept after their last change; they are personal data
            (docs/privacy.md). 1 to 3650.
        retain_data: Tables survive the stack, refuse deletion and can be restored to any second of the last 35 days.
        api_requests_per_second: Steady rate that each API lets through; what exceeds it is answered with HTTP 429.
        api_burst: Requests that may arrive at once on top of a quiet API.
        address_requests_per_minute: Requests of one address that the web ACL lets through to an API in a minute.
        token_requests_per_minute: Likewise of one token, so of one partner or CSMS; below what the API lets through in
            all, so that something is left for the others.
        api_memory_mb: Memory, and with it CPU, of functions behind an API: a person's app waits for them.
        worker_memory_mb: Memory of functions behind queues, streams and the schedule.
        worker_concurrency: How many copies of a queue's worker may run at once; at least 2.
        api_reserved_concurrency: Copies that are kept for each function behind an API, and the most that run; None:
            whatever the account has. An account must have them beside 100 that nobody reserves.
        worker_reserved_concurrency: Likewise for each worker; at least twice `worker_concurrency`, since one worker
            serves two queues, and what a queue's poller is refused counts as a try of its message.
        provisioned_sessions: Sessions that are live at once in the busiest hour; tables are then provisioned for them, with
            auto scaling. None: tables are paid by request, whatever comes. 1,000 to 200,000.
        trace_workers: X-Ray records runs of the functions behind queues, streams and the schedule, the first of a second
            and one in twenty of the rest for each; where little happens that costs more than all they do. If not, they
            follow whoever calls them: nobody does who is traced. APIs and the functions behind them are always traced.
        api_base_url: Where APIs are reached if not at their own host names, without a trailing slash: API id and
            stage are appended to it. Set for the embedded AWS, which serves all of them on one port.
        csms_bus_accounts: Other AWS accounts that may put reports on the CSMS bus (docs/csms-bus.md): 12 digits each.
        embedded: Runs on the embedded AWS of this machine: bundled for the host's platform and Python, deployed with
            the caller's credentials instead of the bootstrap roles.

    """

    name: str
    country_code: str
    party_id: str
    business_name: str = ""
    ocpi_url: str | None = None
    domain: Domain | None = None
    result_timeout_seconds: int = 90
    log_level: str = "INFO"
    log_retention_days: int = 30
    session_retention_days: int = 90
    retain_data: bool = False
    api_requests_per_second: int = 50
    api_burst: int = 100
    address_requests_per_minute: int = 1500
    token_requests_per_minute: int = 1500
    api_memory_mb: int = 512
    worker_memory_mb: int = 512
    worker_concurrency: int = 10
    api_reserved_concurrency: int | None = None
    worker_reserved_concurrency: int | None = None
    provisioned_sessions: int | None = None
    trace_workers: bool = True
    api_base_url: str | None = None
    csms_bus_accounts: tuple[str, ...] = ()
    embedded: bool = False

    @property
    def prefix(self) -> str:
        """First part of every resource's name, and the name of the stack."""
        return f"ocpi-bridge-{self.name}"

    @property
    def metrics_namespace(self) -> str:
        """Where CloudWatch keeps the stage's own metrics: stages of one account must not add up."""
        return f"{NAMESPACE}/{self.name}"

    @property
    def name_for_partners(self) -> str:
        """What partners are told as the CPO's name."""
        return self.business_name or f"{self.country_code}-{self.party_id}"

    @property
    def url_for_partners(self) -> str | None:
        """Where partners are told to reach the OCPI API, if not at its own host name."""
        return f"https://{self.domain.name}" if self.domain else self.ocpi_url

    @property
    def secrets_prefix(self) -> str:
        """Folder of this stage's secrets in Secrets Manager, without a trailing slash."""
        return f"ocpi-bridge/{self.name}"

    def check(self) -> None:
        """Raise StageError if the stage cannot be deployed with these settings."""
        if not _COUNTRY_CODE.fullmatch(self.country_code) or not _PARTY_ID.fullmatch(self.party_id):
            raise StageError(
                f"stage {self.name!r}: whose charge points are these? Give the CPO's OCPI party as "
                "`-c country_code=NL -c party_id=ABC`, or write it into infra/stages.py "
                f"(now {self.country_code!r} and {self.party_id!r})"
            )
        if not SHORTEST_RESULT_TIMEOUT_SECONDS <= self.result_timeout_seconds <= LONGEST_RESULT_TIMEOUT_SECONDS:
            raise StageError(
                f"stage {self.name!r}: result_timeout_seconds must be "
                f"{SHORTEST_RESULT_TIMEOUT_SECONDS} to {LONGEST_RESULT_TIMEOUT_SECONDS}, not {self.result_timeout_seconds}"
            )
        if not 1 <= self.session_retention_days <= LONGEST_SESSION_RETENTION_DAYS:
            raise StageError(
                f"stage {self.name!r}: session_retention_days must be 1 to {LONGEST_SESSION_RETENTION_DAYS}, "
                f"not {self.session_retention_days}"
            )
        if len(self.business_name) > LONGEST_BUSINESS_NAME:
            raise StageError(f"stage {self.name!r}: business_name must have at most {LONGEST_BUSINESS_NAME} characters")
        if self.ocpi_url is not None and not self.ocpi_url.startswith("https://"):
            raise StageError(f"stage {self.name!r}: ocpi_url must be an https address, not {self.ocpi_url!r}")
        if self.worker_concurrency < LEAST_WORKER_CONCURRENCY:
            raise StageError(f"stage {self.name!r}: worker_concurrency must be {LEAST_WORKER_CONCURRENCY} or more")
        self._check_domain()
        self._check_capacity()
        self._check_rates()
        wrong = [account for account in self.csms_bus_accounts if not _ACCOUNT.fullmatch(account)]
        if wrong or len(set(self.csms_bus_accounts)) != len(self.csms_bus_accounts):
            raise StageError(
                f"stage {self.name!r}: csms_bus_accounts must be different AWS accounts of 12 digits each, with commas "
                f"between them, not {','.join(self.csms_bus_accounts)!r}"
            )

    def _check_domain(self) -> None:
        if self.domain is None:
            return
        if self.ocpi_url is not None:
            raise StageError(f"stage {self.name!r}: ocpi_url and domain_name say the same: give one of them")
        if self.embedded:
            raise StageError(f"stage {self.name!r}: the embedded AWS has no domain names")
        if not _DOMAIN_NAME.fullmatch(self.domain.name):
            raise StageError(f"stage {self.name!r}: domain_name is no domain name in lower case: {self.domain.name!r}")
        if not _CERTIFICATE.fullmatch(self.domain.certificate_arn):
            raise StageError(
                f"stage {self.name!r}: certificate_arn must be the ARN of a certificate in Certificate Manager "
                f"(arn:aws:acm:...:certificate/...), not {self.domain.certificate_arn!r}"
            )

    def _check_capacity(self) -> None:
        sessions = self.provisioned_sessions
        if sessions is None:
            return
        if not LEAST_PROVISIONED_SESSIONS <= sessions <= MOST_PROVISIONED_SESSIONS:
            raise StageError(
                f"stage {self.name!r}: provisioned_sessions must be {LEAST_PROVISIONED_SESSIONS} to "
                f"{MOST_PROVISIONED_SESSIONS}, or left out, not {sessions}"
            )
        if self.embedded:
            raise StageError(f"stage {self.name!r}: the embedded AWS provisions no tables")

    def _check_rates(self) -> None:
        rates = {
            "address_requests_per_minute": self.address_requests_per_minute,
            "token_requests_per_minute": self.token_requests_per_minute,
        }
        for name, rate in rates.items():
            most = 60 * self.api_requests_per_second
            if not LEAST_REQUESTS_PER_MINUTE <= rate <= most:
                raise StageError(
                    f"stage {self.name!r}: {name} must be {LEAST_REQUESTS_PER_MINUTE} to {most}, which the API lets "
                    f"through in all (api_requests_per_second), not {rate}"
                )
        if self.api_reserved_concurrency is not None and self.api_reserved_concurrency < 1:
            raise StageError(f"stage {self.name!r}: api_reserved_concurrency must be 1 or more, or left out")
        least = 2 * self.worker_concurrency
        if self.worker_reserved_concurrency is not None and self.worker_reserved_concurrency < least:
            raise StageError(
                f"stage {self.name!r}: worker_reserved_concurrency must be {least} or more (twice worker_concurrency), "
                f"or left out, not {self.worker_reserved_concurrency}"
            )


STAGES: Final[Mapping[str, StageSettings]] = {
    stage.name: stage
    for stage in (
        StageSettings(
            name="local",
            country_code="NL",
            party_id="LOC",
            business_name="Charge point operator of the embedded stage",
            log_retention_days=1,
            # The embedded gateway throttles too, and a load test is meant to meet the bridge.
            api_requests_per_second=1000,
            api_burst=2000,
            embedded=True,
        ),
        StageSettings(name="dev", country_code="NL", party_id="DEV", log_level="DEBUG", log_retention_days=7),
        StageSettings(
            name="production",
            country_code="",
            party_id="",
            log_retention_days=365,
            retain_data=True,
            api_requests_per_second=200,
            api_burst=400,
            address_requests_per_minute=6000,
            token_requests_per_minute=6000,
            api_memory_mb=1024,
            worker_concurrency=50,
        ),
    )
}


def select_stage(context: Callable[[str], object | None], environment: Mapping[str, str]) -> StageSettings:
    """Return the settings of the stage that the caller named, with the caller's own values put in.

    The stage is the CDK context value `stage`, else the environment variable STAGE, else `dev`. Of its settings,
    country_code, party_id, business_name, ocpi_url, domain_name with certificate_arn, result_timeout_seconds,
    session_retention_days, log_level, api_base_url, csms_bus_accounts, address_requests_per_minute,
    token_requests_per_minute, api_reserved_concurrency, worker_reserved_concurrency, provisioned_sessions and
    trace_workers may be given as context values.

    Raises:
        StageError: No such stage, or it cannot be deployed with these settings.

    """
    name = str(context("stage") or environment.get("STAGE") or DEFAULT_STAGE)
    if name not in STAGES:
        raise StageError(f"there is no stage {name!r}: choose one of {', '.join(STAGES)} (-c stage=... or STAGE=...)")
    settings = _with_overrides(STAGES[name], context)
    settings.check()
    return settings


def _with_overrides(settings: StageSettings, context: Callable[[str], object | None]) -> StageSettings:
    def given(key: str, otherwise: str) -> str:
        value = context(key)
        return otherwise if value is None else str(value)

    def number(key: str, otherwise: int, unit: str) -> int:
        value = given(key, str(otherwise))
        if not (value.isascii() and value.isdecimal()):
            raise StageError(f"{key} must be a whole number of {unit}, not {value!r}")
        return int(value)

    def optional_number(key: str, otherwise: int | None, unit: str = "copies of a function") -> int | None:
        return otherwise if context(key) is None else number(key, 0, unit)

    def flag(key: str, *, otherwise: bool) -> bool:
        value = given(key, str(otherwise)).casefold()
        if value not in {"true", "false"}:
            raise StageError(f"{key} must be true or false, not {value!r}")
        return value == "true"

    return replace(
        settings,
        domain=_domain(context) or settings.domain,
        address_requests_per_minute=number(
            "address_requests_per_minute", settings.address_requests_per_minute, "requests"
        ),
        token_requests_per_minute=number("token_requests_per_minute", settings.token_requests_per_minute, "requests"),
        api_reserved_concurrency=optional_number("api_reserved_concurrency", settings.api_reserved_concurrency),
        worker_reserved_concurrency=optional_number(
            "worker_reserved_concurrency", settings.worker_reserved_concurrency
        ),
        provisioned_sessions=optional_number("provisioned_sessions", settings.provisioned_sessions, "sessions"),
        trace_workers=flag("trace_workers", otherwise=settings.trace_workers),
        country_code=given("country_code", settings.country_code),
        party_id=given("party_id", settings.party_id),
        business_name=given("business_name", settings.business_name),
        ocpi_url=given("ocpi_url", settings.ocpi_url or "").rstrip("/") or None,
        result_timeout_seconds=number("result_timeout_seconds", settings.result_timeout_seconds, "seconds"),
        session_retention_days=number("session_retention_days", settings.session_retention_days, "days"),
        log_level=given("log_level", settings.log_level),
        api_base_url=given("api_base_url", settings.api_base_url or "").rstrip("/") or None,
        csms_bus_accounts=tuple(
            filter(None, given("csms_bus_accounts", ",".join(settings.csms_bus_accounts)).split(","))
        ),
    )


def _domain(context: Callable[[str], object | None]) -> Domain | None:
    name, certificate = context("domain_name"), context("certificate_arn")
    if (name is None) != (certificate is None):
        raise StageError("domain_name and certificate_arn belong together: give both or none")
    return None if name is None else Domain(str(name), str(certificate))
