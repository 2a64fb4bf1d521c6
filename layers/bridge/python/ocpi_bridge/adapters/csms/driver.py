"""The charge point driver over HTTP: the OCPP payload goes to the CSMS that owns the charge point's socket."""

from collections.abc import Mapping
from urllib.parse import quote, urlencode

from ocpi_bridge.adapters.bounded_http.exchange import HttpCall, HttpExchange, NoReply, Reply
from ocpi_bridge.adapters.csms.answers import CODECS, OcppCodec, read_no_reply, read_reply
from ocpi_bridge.adapters.csms.presets import PRESETS, Preset, preset_of
from ocpi_bridge.domain.errors import BridgeError, InvalidInput
from ocpi_bridge.domain.stations import Csms, CsmsAuth, CsmsMode, OcppVersion
from ocpi_bridge.ocpi.transport import dumps
from ocpi_bridge.ports import ChargerCommand, Clock, Done, Failed, JsonValue, Pending, SecretStore

_UNAUTHORIZED = 401


class HttpChargePointDriver:
    """Implements ChargePointDriver for every CSMS that has a preset. At-least-once.

    Never raises for what a CSMS does or the registry says; errors of the secret store's service are passed on.
    """

    def __init__(
        self,
        secrets: SecretStore,
        clock: Clock,
        http: HttpExchange,
        *,
        codecs: Mapping[OcppVersion, OcppCodec] = CODECS,
        presets: Mapping[str, Preset] = PRESETS,
    ) -> None:
        self._secrets = secrets
        self._clock = clock
        self._http = http
        self._codecs = codecs
        self._presets = presets

    def submit(self, csms: Csms, command: ChargerCommand) -> Done | Pending | Failed:
        """Gives the command to the CSMS; returns within the command's deadline and the CSMS's call timeout."""
        codec = self._codecs[command.outlet.station.ocpp_version]
        try:
            preset = preset_of(csms, self._presets)
            _, payload = codec.request(command)
            url = _url(preset, csms, command)
            answer = self._call(csms, command, url, _body(preset, payload))
        except BridgeError as error:
            # The registry's entry, a secret or the command itself is at fault: no second attempt mends that.
            return Failed(str(error), nothing_sent=True, retryable=False)
        if isinstance(answer, NoReply):
            return read_no_reply(answer)
        return read_reply(preset, csms.mode, codec, command.kind, answer, self._clock.now())

    def close(self) -> None:
        """Closes all connections."""
        self._http.close()

    def _call(self, csms: Csms, command: ChargerCommand, url: str, body: bytes) -> Reply | NoReply:
        credential = self._credential(csms, fresh=False)
        answer = self._post(csms, command, url, body, credential)
        if csms.auth is CsmsAuth.NONE or isinstance(answer, NoReply) or answer.status != _UNAUTHORIZED:
            return answer
        # The credential may have been replaced since it was read; a refused call reached no charge point.
        renewed = self._credential(csms, fresh=True)
        return answer if renewed == credential else self._post(csms, command, url, body, renewed)

    def _post(self, csms: Csms, command: ChargerCommand, url: str, body: bytes, credential: str) -> Reply | NoReply:
        left = (command.deadline - self._clock.now()).total_seconds()
        headers = {"Content-Type": "application/json", "X-Correlation-ID": command.correlation_id}
        if csms.auth is CsmsAuth.BEARER:
            headers["Authorization"] = f"Bearer {credential}"
        elif csms.auth is CsmsAuth.HEADER:
            headers[csms.auth_header] = credential
        return self._http.exchange(HttpCall("POST", url, headers, body), min(float(csms.call_timeout), left))

    def _credential(self, csms: Csms, *, fresh: bool) -> str:
        if csms.auth is CsmsAuth.NONE:
            return ""
        credential = self._secrets.csms_secrets(csms.csms_id, fresh=fresh).api_credential
        if credential is None:
            raise InvalidInput("api_credential", f"is missing in the secret of CSMS {csms.csms_id}")
        return credential


def _url(preset: Preset, csms: Csms, command: ChargerCommand) -> str:
    station = command.outlet.station
    operation = preset.operations.get((station.ocpp_version, command.kind))
    if operation is None:
        raise InvalidInput("ocpp_version", f"preset {preset.name} has no {command.kind} for {station.ocpp_version}")
    values = {
        **dict(preset.parameters),
        **dict(csms.parameters),
        "station_id": station.station_id,
        "ocpp_version": station.ocpp_version.value,
        "callback_url": command.callback_url,
    }
    path = operation.path.format_map({name: quote(value, safe="") for name, value in values.items()})
    query = operation.query + (operation.callback_query if csms.mode is CsmsMode.CALLBACK else ())
    asked = urlencode([(name, template.format_map(values)) for name, template in query], quote_via=quote)
    return f"{csms.base_url.rstrip('/')}{path}" + (f"?{asked}" if asked else "")


def _body(preset: Preset, payload: JsonValue) -> bytes:
    for key in reversed(preset.payload_at):
        payload = {key: payload}
    return dumps(payload).encode()
