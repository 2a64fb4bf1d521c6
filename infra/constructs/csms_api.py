"""The API that CSMSs call: their events, and their answers to our commands."""

from typing import Final

from aws_cdk import Duration
from constructs import Construct, IDependable

from infra.constructs.function import BridgeFunction, FunctionDefaults
from infra.constructs.queues import Queues
from infra.constructs.rest_api import BridgeApi
from infra.constructs.secrets import CSMSS, SIGNING, Secrets
from infra.constructs.tables import Tables

API_TIMEOUT: Final = Duration.seconds(10)
"""A CSMS posts without waiting long, and most do not post again."""


class CsmsApi(Construct):
    """The doors for events, in three forms, and the door for answers."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        defaults: FunctionDefaults,
        *,
        tables: Tables,
        queues: Queues,
        secrets: Secrets,
        logging: IDependable,
    ) -> None:
        super().__init__(scope, construct_id)
        settings = defaults.settings

        events = self._function("csms_events", "CSMS: takes signed events.", defaults)
        events.use_table(tables.registry, "PutItem", "DeleteItem")
        events.read_secrets(secrets, CSMSS)
        events.send_to(queues.csms_events)

        frames = self._function("csms_frames", "CSMS: takes the raw OCPP frames that CitrineOS posts.", defaults)
        frames.read_secrets(secrets, CSMSS)
        frames.send_to(queues.csms_events)

        sessions = self._function("csms_sessions", "CSMS: takes OCPI sessions.", defaults)
        sessions.use_table(tables.registry, "BatchGetItem")
        sessions.read_secrets(secrets, CSMSS)
        sessions.send_to(queues.csms_events)

        callback = self._function("csms_callback", "CSMS: takes answers to commands by their signed URLs.", defaults)
        callback.use_table(tables.registry, "BatchGetItem", "UpdateItem")
        callback.use_table(tables.requests, "BatchGetItem", "PutItem", "UpdateItem")
        callback.use_table(tables.sessions, "BatchGetItem", "UpdateItem")
        callback.read_secrets(secrets, SIGNING)

        self.functions = (events, frames, sessions, callback)

        self.api = api = BridgeApi(self, "csms", settings, description="Called by CSMSs.", logging=logging)
        api.route("/csms/v1/events", events)
        api.route("/csms/v1/citrineos/{csms_id}/{token}", frames)
        api.route("/csms/v1/ocpi/{csms_id}/sessions/{country_code}/{party_id}/{session_id}", sessions)
        api.route("/csms/v1/callback/{command_id}/{signature}", callback)
        self.stage = api.stage
        self.url = api.url

    def _function(self, name: str, description: str, defaults: FunctionDefaults) -> BridgeFunction:
        return BridgeFunction(
            self,
            name,
            defaults,
            description=description,
            timeout=API_TIMEOUT,
            memory_mb=defaults.settings.api_memory_mb,
            reserved=defaults.settings.api_reserved_concurrency,
        )
