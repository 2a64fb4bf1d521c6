"""The bus on which the bridge tells CSMSs what they are not asked for (docs/csms-bus.md)."""

from aws_cdk import aws_events as events
from constructs import Construct

from infra.constructs.function import BridgeFunction
from infra.stages import StageSettings


class CsmsBus(Construct):
    """An EventBridge bus of the stage. The CPO attaches the rules that carry its events on to a CSMS.

    Attributes:
        name: Name of the bus; fixed for a stage, so that rules of another stack can name it.

    """

    def __init__(self, scope: Construct, construct_id: str, settings: StageSettings) -> None:
        super().__init__(scope, construct_id)
        self.name = f"{settings.prefix}-csms"
        self._bus = events.EventBus(
            self,
            "Bus",
            event_bus_name=self.name,
            description="What the OCPI bridge tells CSMSs, such as a driver's charging preferences.",
        )

    def let_publish(self, function: BridgeFunction) -> None:
        """Let the function publish on it, and tell it the bus's name."""
        function.set(CSMS_BUS_NAME=self._bus.event_bus_name)
        self._bus.grant_put_events_to(function.function)
