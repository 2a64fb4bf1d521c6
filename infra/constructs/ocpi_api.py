"""The API that partners call: OCPI 2.2.1 and 2.3.0."""

from typing import Final

from aws_cdk import Duration
from constructs import Construct, IDependable

from infra.constructs.function import BridgeFunction, FunctionDefaults
from infra.constructs.rest_api import BridgeApi
from infra.constructs.secrets import PARTNERS, SIGNING, Secrets
from infra.constructs.tables import FEED_INDEX, Tables

VERSIONS: Final = ("2.2.1", "2.3.0")
"""The versions of OCPI that are served; ocpi_bridge.ocpi.versions says the same to partners (tested)."""

PAIRING_PATH: Final = "/v1/cpo/ocpi2.2/pair"
"""Where a partner pairs a driver's charge point; it is no module of OCPI, and its path is Jedlix's (docs/pairing.md)."""

API_TIMEOUT: Final = Duration.seconds(10)
"""A partner's own client gives up at about this time; a healthy answer takes less than one second."""

HANDSHAKE_TIMEOUT: Final = Duration.seconds(28)
"""The partner is called back while its own call waits, and API Gateway gives up at 29 s (OCPI 7.1.2)."""


class OcpiApi(Construct):
    """One function for each module, and one for everything else, behind one API."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        defaults: FunctionDefaults,
        *,
        tables: Tables,
        secrets: Secrets,
        logging: IDependable,
    ) -> None:
        super().__init__(scope, construct_id)
        settings = defaults.settings

        versions = self._function("ocpi_versions", "OCPI: versions and their endpoints.", defaults)
        versions.use_table(tables.registry, "BatchGetItem", "UpdateItem", "DeleteItem")

        credentials = self._function(
            "ocpi_credentials", "OCPI: registration of partners.", defaults, timeout=HANDSHAKE_TIMEOUT
        )
        credentials.use_table(
            tables.registry, "BatchGetItem", "ConditionCheckItem", "DeleteItem", "PutItem", "Query", "UpdateItem"
        )
        credentials.write_secrets(secrets, PARTNERS)
        credentials.set(OCPI_BUSINESS_NAME=settings.name_for_partners)

        sessions = self._function("ocpi_sessions", "OCPI: lists sessions, takes charging preferences.", defaults)
        sessions.use_table(tables.registry, "BatchGetItem", "Query", "UpdateItem", "DeleteItem")
        sessions.use_table(tables.sessions, "BatchGetItem", "PutItem")
        sessions.query_index(tables.sessions, FEED_INDEX)
        sessions.read_secrets(secrets, SIGNING)

        charging_profiles = self._function("ocpi_charging_profiles", "OCPI: takes charging profile requests.", defaults)
        charging_profiles.use_table(tables.registry, "BatchGetItem", "UpdateItem", "DeleteItem")
        charging_profiles.use_table(tables.sessions, "BatchGetItem", "DeleteItem", "PutItem", "UpdateItem")
        charging_profiles.use_table(tables.requests, "PutItem")
        charging_profiles.set(RESULT_TIMEOUT_SECONDS=str(settings.result_timeout_seconds))

        pairing = self._function("ocpi_pairing", "Pairs charge points by drivers' codes.", defaults)
        pairing.use_table(
            tables.registry, "BatchGetItem", "ConditionCheckItem", "DeleteItem", "PutItem", "Query", "UpdateItem"
        )

        fallback = self._function("ocpi_fallback", "OCPI: answers what no other function does.", defaults)
        fallback.use_table(tables.registry, "BatchGetItem", "UpdateItem", "DeleteItem")

        self.functions = (versions, credentials, sessions, charging_profiles, pairing, fallback)
        for function in self.functions:
            function.set(OCPI_COUNTRY_CODE=settings.country_code, OCPI_PARTY_ID=settings.party_id)

        self.api = api = BridgeApi(self, "ocpi", settings, description="OCPI, called by partners.", logging=logging)
        api.route("/ocpi/versions", versions)
        for version in VERSIONS:
            base = f"/ocpi/{version}"
            api.route(base, versions)
            api.route(f"{base}/credentials", credentials)
            api.route(f"{base}/sessions", sessions)
            api.route(f"{base}/sessions/{{session_id}}/charging_preferences", sessions)
            api.route(f"{base}/chargingprofiles/{{session_id}}", charging_profiles)
        api.route(PAIRING_PATH, pairing)
        api.answer_everything_else(fallback)
        self.stage = api.stage
        self.url = settings.url_for_partners or api.url
        # The API's id, not its stage: a function that named the stage would wait for itself.
        for function in (versions, credentials, sessions):
            function.set(OCPI_API_URL=self.url)

    def _function(
        self, name: str, description: str, defaults: FunctionDefaults, *, timeout: Duration = API_TIMEOUT
    ) -> BridgeFunction:
        return BridgeFunction(
            self,
            name,
            defaults,
            description=description,
            timeout=timeout,
            memory_mb=defaults.settings.api_memory_mb,
            reserved=defaults.settings.api_reserved_concurrency,
        )
