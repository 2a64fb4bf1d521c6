"""The API that partners call: OCPI 2.2.1."""

from typing import Final

from aws_cdk import Duration
from constructs import Construct, IDependable

from infra.constructs.function import BridgeFunction, FunctionDefaults
from infra.constructs.rest_api import BridgeApi
from infra.constructs.tables import Tables

API_TIMEOUT: Final = Duration.seconds(10)
"""A partner's own client gives up at about this time; a healthy answer takes less than one second."""


class OcpiApi(Construct):
    """The versions, charging profiles and everything-else functions behind one API."""

    def __init__(
        self, scope: Construct, construct_id: str, defaults: FunctionDefaults, *, tables: Tables, logging: IDependable
    ) -> None:
        super().__init__(scope, construct_id)
        settings = defaults.settings

        versions = self._function("ocpi_versions", "OCPI: versions and their endpoints.", defaults)
        versions.use_table(tables.registry, "BatchGetItem")

        charging_profiles = self._function("ocpi_charging_profiles", "OCPI: takes charging profile requests.", defaults)
        charging_profiles.use_table(tables.registry, "BatchGetItem")
        charging_profiles.use_table(tables.sessions, "BatchGetItem", "UpdateItem")
        charging_profiles.use_table(tables.requests, "PutItem")
        charging_profiles.set(RESULT_TIMEOUT_SECONDS=str(settings.result_timeout_seconds))

        fallback = self._function("ocpi_fallback", "OCPI: answers what no other function does.", defaults)
        fallback.use_table(tables.registry, "BatchGetItem")

        self.functions = (versions, charging_profiles, fallback)
        for function in self.functions:
            function.set(OCPI_COUNTRY_CODE=settings.country_code, OCPI_PARTY_ID=settings.party_id)

        api = BridgeApi(self, "ocpi", settings, description="OCPI 2.2.1, called by partners.", logging=logging)
        api.route("/ocpi/versions", versions)
        api.route("/ocpi/2.2.1", versions)
        api.route("/ocpi/2.2.1/chargingprofiles/{session_id}", charging_profiles)
        api.answer_everything_else(fallback)
        self.url = api.url
        # The API's id, not its stage: a function that named the stage would wait for itself.
        versions.set(OCPI_API_URL=api.url)

    def _function(self, name: str, description: str, defaults: FunctionDefaults) -> BridgeFunction:
        return BridgeFunction(
            self,
            name,
            defaults,
            description=description,
            timeout=API_TIMEOUT,
            memory_mb=defaults.settings.api_memory_mb,
        )
