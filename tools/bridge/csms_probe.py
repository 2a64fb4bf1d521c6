"""Whether a CSMS can be reached and passes a command on: one harmless call, and what to do about what came of it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Self
from uuid import uuid4

from ocpi_bridge.adapters.bounded_http.client import bounded_client
from ocpi_bridge.adapters.bounded_http.exchange import HttpCall, HttpExchange, NoReply, Reply
from ocpi_bridge.adapters.csms.connect import permission
from ocpi_bridge.adapters.csms.driver import HttpChargePointDriver
from ocpi_bridge.adapters.secrets.secrets_manager import SecretsManagerStore
from ocpi_bridge.domain.requests import RequestKind
from ocpi_bridge.domain.stations import Csms, CsmsMode, Outlet
from ocpi_bridge.ports.charge_points import ChargerCommand, Done, Failed, Pending
from ocpi_bridge.ports.clock import Clock
from ocpi_bridge.ports.secrets import SecretStore
from ocpi_bridge.runtime.clock import SystemClock

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

# Of the composite schedule that is asked for: enough for one that is not empty.
ASKED_SECONDS = 300
# Beside the CSMS's own timeout, so that this one tells what happened.
GRACE = timedelta(seconds=10)

_CREDENTIAL = "give the right one by `bridge csms replace FILE --api-credential`, and look at its rights in the CSMS"
_WHAT_TO_DO_UNANSWERED = {
    "dns": "the host of `base_url` has no address here: look at its name",
    "tls": "its certificate is not one of a public authority for the host of `base_url`",
    "connect": "nobody listens there: look at the host and port of `base_url`, and at firewalls between",
    "connect_timeout": "nothing comes back: look at the host of `base_url`, and at firewalls between",
    "timeout": "it took longer than `call_timeout`: look at the CSMS's load and logs",
    "invalid_request": "`base_url` and the preset's parameters make no valid URL",
}
_WHAT_TO_DO_ANSWERED = {
    400: "it does not take the call: look at the preset, `parameters`, and the station's `ocpp_version`",
    401: _CREDENTIAL,
    403: _CREDENTIAL,
    404: "it knows no such path or station: look at `base_url`, the preset, and the station's id in the CSMS",
    405: "it does not take the call there: look at `base_url` and the preset",
    429: "it has been asked too often: wait, and try again",
    503: "it is not ready: try again, then look at its logs",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """What came of the call. `passed`: the CSMS took it; the text says how far it came, or what to do."""

    passed: bool
    text: str


class _Overheard:
    """An exchange that remembers the last answer, which an outcome of the driver does not repeat."""

    def __init__(self, exchange: HttpExchange) -> None:
        self._exchange = exchange
        self.last: Reply | NoReply | None = None

    def exchange(self, call: HttpCall, budget: float) -> Reply | NoReply:
        self.last = self._exchange.exchange(call, budget)
        return self.last

    def close(self) -> None:
        self._exchange.close()


@dataclass(frozen=True, slots=True)
class CsmsProbe:
    """Asks a CSMS for a composite schedule, as the bridge would. `connect` opens connections, which are closed again."""

    secrets: SecretStore
    connect: Callable[[], HttpExchange]
    csms_api_url: str
    allow_loopback: bool = False
    clock: Clock = field(default_factory=SystemClock)

    @classmethod
    def on_aws(
        cls,
        secrets_manager: "SecretsManagerClient",
        prefix: str,
        *,
        csms_api_url: str,
        allow_loopback: bool,
        ca_file: Path | None,
    ) -> Self:
        """Probes with the secrets of a deployment and a real network."""
        clock = SystemClock()
        return cls(
            SecretsManagerStore(lambda: secrets_manager, prefix, clock),
            lambda: bounded_client(permission(allow_loopback=allow_loopback), extra_ca_file=ca_file),
            csms_api_url,
            allow_loopback,
            clock,
        )

    def __call__(self, csms: Csms, outlet: Outlet) -> Finding:
        """Makes the call, within the CSMS's `call_timeout`. Never raises for what a CSMS does."""
        http = _Overheard(self.connect())
        try:
            driver = HttpChargePointDriver(self.secrets, self.clock, http, allow_loopback=self.allow_loopback)
            outcome = driver.submit(csms, self._question(csms, outlet))
        finally:
            http.close()
        match outcome:
            case Done():
                return Finding(passed=True, text=_answered(outcome))
            case Pending():
                return Finding(
                    passed=True,
                    text="the CSMS took the command. The station's answer goes to a callback URL at which nothing waits now, so "
                    f"look into the CSMS's log for a POST to {self.csms_api_url}/csms/v1/callback/...",
                )
            case Failed():
                return Finding(passed=False, text=f"{outcome.reason}; {_what_to_do(http.last, csms)}")

    def _question(self, csms: Csms, outlet: Outlet) -> ChargerCommand:
        name = f"test-{uuid4()}"
        return ChargerCommand(
            command_id=name,
            kind=RequestKind.GET,
            outlet=outlet,
            transaction_id="",
            profile_id=csms.profile_ids.first,
            stack_level=csms.stack_level,
            deadline=self.clock.now() + timedelta(seconds=csms.call_timeout) + GRACE,
            # Without a signature of ours: the door refuses what comes, and nothing is kept.
            callback_url=f"{self.csms_api_url}/csms/v1/callback/{name}/unsigned",
            correlation_id=name,
            request_id=name,
            session_id=name,
            duration=ASKED_SECONDS,
        )


def _answered(done: Done) -> str:
    told = f"the station answered {done.status}"
    if done.schedule is not None:
        return f"{told} with a composite schedule. All is well."
    if done.status.startswith("CallError") or done.status == "NotSupported":
        return (
            f"{told}: the way to it is open, but it tells no composite schedule. If it never does, say so by the quirk "
            "`no_composite`."
        )
    return f"{told} without a composite schedule, as many do while nothing is installed. The way to it is open."


def _what_to_do(last: Reply | NoReply | None, csms: Csms) -> str:
    if last is None:
        return "nothing was sent: mend the CSMS's file and use `bridge csms replace`"
    if isinstance(last, NoReply):
        return _WHAT_TO_DO_UNANSWERED.get(last.error, "look at the CSMS's logs, and at proxies and firewalls between")
    if 200 <= last.status < 300:
        if csms.mode is CsmsMode.CALLBACK:
            return (
                "the CSMS is reached and takes our credential: look whether it knows the station and is connected to it"
            )
        return "the CSMS is reached: look whether the station is connected, and whether preset and mode are the CSMS's"
    if 300 <= last.status < 400:
        return "`base_url` leads elsewhere: give the address that it redirects to"
    return _WHAT_TO_DO_ANSWERED.get(last.status, "look at the CSMS's logs")
