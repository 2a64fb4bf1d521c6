"""The charge point driver over HTTP: the OCPP payload goes to the CSMS that owns the charge point's socket."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from ocpi_bridge.adapters.bounded_http.exchange import HttpCall, HttpExchange, NoReply, Reply
from ocpi_bridge.adapters.csms.answers import read_no_reply, read_reply
from ocpi_bridge.adapters.csms.authentication import CsmsAuthenticator
from ocpi_bridge.adapters.csms.calls import NotOffered, OutgoingCall, offered, outgoing_call
from ocpi_bridge.adapters.csms.codecs import CODECS, OcppCodec
from ocpi_bridge.adapters.csms.presets import preset_of
from ocpi_bridge.adapters.partner_http.oauth2 import TokenRefused
from ocpi_bridge.domain.csms_api import CsmsApi
from ocpi_bridge.domain.errors import BridgeError
from ocpi_bridge.domain.stations import Csms, CsmsAuth, OcppVersion
from ocpi_bridge.ports.charge_points import ChargerCommand, Done, Failed, Pending
from ocpi_bridge.ports.clock import Clock
from ocpi_bridge.ports.secrets import SecretStore

_UNAUTHORIZED = 401


class HttpChargePointDriver:
    """Implements ChargePointDriver for every CSMS whose API a preset or its entry describes. At-least-once.

    Never raises for what a CSMS does or the registry says; errors of the secret store's service are passed on.
    """

    def __init__(
        self,
        secrets: SecretStore,
        clock: Clock,
        http: HttpExchange,
        *,
        allow_loopback: bool = False,
        codecs: Mapping[OcppVersion, OcppCodec] = CODECS,
        describe: Callable[[Csms], CsmsApi] = preset_of,
    ) -> None:
        self._clock = clock
        self._http = http
        self._authenticator = CsmsAuthenticator(secrets, clock, http, allow_loopback=allow_loopback)
        self._codecs = codecs
        self._describe = describe

    def submit(self, csms: Csms, command: ChargerCommand) -> Done | Pending | Failed:
        """Gives the command to the CSMS; returns within the command's deadline and the CSMS's call timeout."""
        codec = self._codecs[command.outlet.station.ocpp_version]
        try:
            api = self._describe(csms)
            operation = offered(api, command)
            _, payload = codec.request(command)
            answer = self._call(csms, command, outgoing_call(api, csms, command, payload))
        except NotOffered as error:
            return Failed(str(error), nothing_sent=True, retryable=False, offered=False)
        except BridgeError as error:
            # The registry's entry, a secret or the command itself is at fault: no second attempt mends that.
            return Failed(str(error), nothing_sent=True, retryable=False)
        except TokenRefused as refused:
            receipt = refused.receipt
            return Failed(
                f"no access token for the CSMS: {receipt.error}",
                nothing_sent=True,
                retryable=not receipt.final,
                retry_after=receipt.retry_after,
            )
        if isinstance(answer, NoReply):
            return read_no_reply(answer)
        now = self._clock.now()
        return read_reply(api, csms.mode, codec, command.kind, answer, now, http_answers=operation.http_answers)

    def close(self) -> None:
        """Closes all connections."""
        self._http.close()

    def _call(self, csms: Csms, command: ChargerCommand, call: OutgoingCall) -> Reply | NoReply:
        # For all that is asked in between too: the function that calls has time for one call, not for three.
        end = min(command.deadline, self._clock.now() + timedelta(seconds=csms.call_timeout))
        shown = self._authenticator.headers(csms, end)
        answer = self._exchange(command, call, shown, end)
        if csms.auth is CsmsAuth.NONE or isinstance(answer, NoReply) or answer.status != _UNAUTHORIZED:
            return answer
        # What we showed may have been replaced since it was read; a refused call reached no charge point.
        renewed = self._authenticator.headers(csms, end, renew=True)
        return answer if renewed == shown else self._exchange(command, call, renewed, end)

    def _exchange(
        self, command: ChargerCommand, call: OutgoingCall, shown: Mapping[str, str], end: datetime
    ) -> Reply | NoReply:
        headers = {"X-Correlation-ID": command.correlation_id, **shown}
        if call.body is not None:
            headers["Content-Type"] = "application/json"
        outgoing = HttpCall(call.method, call.url, headers, call.body or b"")
        return self._http.exchange(outgoing, (end - self._clock.now()).total_seconds())
