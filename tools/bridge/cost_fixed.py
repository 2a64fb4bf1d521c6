"""What a stage costs while nothing happens: counted from what is deployed, and held to it by a test."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from tools.bridge import cost_prices as prices
from tools.bridge.cost_prices import Price


@dataclass(frozen=True, slots=True)
class Fixed:
    """Things of one kind that are billed by the month."""

    name: str
    number: int
    price: Price

    @property
    def usd(self) -> Decimal:
        """USD a month."""
        return self.price.of(Decimal(self.number))


WATCHING: Final = (
    Fixed("custom metrics", 72, prices.CUSTOM_METRIC),
    Fixed("metrics in alarms", 77, prices.ALARM_METRIC),
    Fixed("composite alarms", 4, prices.COMPOSITE_ALARM),
    Fixed("dashboards", 2, prices.DASHBOARD),
)
EDGE: Final = (
    Fixed("web ACLs", 2, prices.WEB_ACL),
    Fixed("rules of web ACLs", 19, prices.WEB_RULE),
)
# The signing key of callbacks, and one secret each for the first partner and CSMS.
OTHERS: Final = (Fixed("secrets", 3, prices.SECRET), Fixed("keys", 1, prices.KEY))
# Lambda polls each queue with five pollers while nothing comes ("Configuring scaling behavior for SQS event source
# mappings"; with a maximum concurrency it does not go below), each waiting 20 s for a message: number of pollers, price.
POLLERS: Final = 5
QUEUES: Final = ((3 * POLLERS, prices.STANDARD_REQUEST), (2 * POLLERS, prices.FIFO_REQUEST))
POLLS_A_MINUTE: Final = 3
