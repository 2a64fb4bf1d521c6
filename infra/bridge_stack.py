"""The bridge as one CloudFormation stack. It only composes: each concern is a construct."""

from aws_cdk import CfnOutput, CliCredentialsStackSynthesizer, DefaultStackSynthesizer, Stack
from constructs import Construct

from infra.bundling import SourceTree, host_target, lambda_target
from infra.constructs.alarms import Alarms
from infra.constructs.csms_api import CsmsApi
from infra.constructs.csms_bus import CsmsBus
from infra.constructs.dashboards import EngineRoomDashboard, ServiceDashboard
from infra.constructs.dashboards.widgets import heading
from infra.constructs.function import FunctionDefaults
from infra.constructs.layers import Layers
from infra.constructs.ocpi_api import OcpiApi
from infra.constructs.queues import Queues
from infra.constructs.rest_api import ApiLogging
from infra.constructs.saved_queries import SavedQueries
from infra.constructs.schedule import Schedule
from infra.constructs.secrets import Secrets
from infra.constructs.session_widget import SessionWidget
from infra.constructs.tables import Tables
from infra.constructs.workers import Workers
from infra.stages import StageSettings


class BridgeStack(Stack):
    """Everything that the bridge is made of, for one stage.

    Attributes:
        ocpi_stage: The API that partners call, as it is deployed.
        csms_stage: The API that CSMSs call, as it is deployed.

    """

    def __init__(self, scope: Construct, settings: StageSettings, tree: SourceTree) -> None:
        super().__init__(
            scope,
            settings.prefix,
            description="OCPI charging profile bridge: from a Smart Charging Service Provider to a CPO's charge points.",
            # The embedded AWS has no bootstrap roles to assume, and the caller may do everything there.
            synthesizer=CliCredentialsStackSynthesizer() if settings.embedded else DefaultStackSynthesizer(),
        )
        target = host_target() if settings.embedded else lambda_target()
        layers = Layers(self, "Layers", tree, target)
        defaults = FunctionDefaults(settings, tree, target, (layers.dependencies, layers.bridge))

        tables = Tables(self, "Tables", settings)
        queues = Queues(self, "Queues", settings)
        secrets = Secrets(self, "Secrets", settings)
        bus = CsmsBus(self, "CsmsBus", settings, queues=queues)
        logging = ApiLogging(self, "ApiLogging").account
        ocpi = OcpiApi(self, "OcpiApi", defaults, tables=tables, secrets=secrets, logging=logging)
        csms = CsmsApi(self, "CsmsApi", defaults, tables=tables, queues=queues, secrets=secrets, logging=logging)
        workers = Workers(
            self,
            "Workers",
            defaults,
            tables=tables,
            queues=queues,
            secrets=secrets,
            bus=bus,
            csms_api_url=csms.url,
        )
        schedule = Schedule(self, "Schedule", defaults, tables=tables, queues=queues)
        stories = SessionWidget(self, "Stories", defaults, tables=tables)
        self.ocpi_stage, self.csms_stage = ocpi.stage, csms.stage
        functions = (*ocpi.functions, *csms.functions, *workers.functions, schedule.sweep, stories.function)
        groups = {
            "partners": ocpi.functions,
            "CSMSs": csms.functions,
            "streams, queues, the sweep and the widget": (*workers.functions, schedule.sweep, stories.function),
        }
        alarms = Alarms(self, "Alarms", settings, queues=queues, tables=tables, functions=groups)
        service = ServiceDashboard(self, "Service", settings, alarms=alarms.status)
        service.show(heading("One session: type its id, that of a request, or csms/station"))
        service.show(stories.shown())
        EngineRoomDashboard(
            self,
            "EngineRoom",
            settings,
            queues=queues,
            tables=tables,
            functions=functions,
            apis=(ocpi.api, csms.api),
        )
        SavedQueries(self, "SavedQueries", settings, functions=functions)

        self._put_out(
            OcpiApiUrl=ocpi.url,
            CsmsApiUrl=csms.url,
            CountryCode=settings.country_code,
            PartyId=settings.party_id,
            BusinessName=settings.name_for_partners,
            SecretsPrefix=secrets.prefix,
            CsmsBusName=bus.name,
            PageTopicArn=alarms.bell.page_topic.topic_arn,
            TicketTopicArn=alarms.bell.ticket_topic.topic_arn,
            RelayFailuresQueueUrl=queues.relay_failures.queue_url,
        )
        for table in (tables.sessions, tables.requests, tables.registry):
            self._put_out(**{_camel(table.variable) + "Name": table.table.table_name})
        for pair in queues.all:
            name = _camel(pair.variable.removesuffix("_QUEUE_URL"))
            self._put_out(
                **{f"{name}QueueUrl": pair.queue.queue_url, f"{name}DeadLetterQueueUrl": pair.dead_letters.queue_url}
            )
        for function in functions:
            self._put_out(**{f"{_camel(function.name)}FunctionName": function.function.function_name})

    def _put_out(self, **outputs: str) -> None:
        for name, value in outputs.items():
            CfnOutput(self, name, value=value)


def _camel(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))
