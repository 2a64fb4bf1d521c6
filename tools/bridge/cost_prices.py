"""Public list prices, without free tiers and discounts: the one table of what AWS asks for.

Region eu-west-1, as known in November 2026. Compare them with AWS's own pages before a budget rests on them; the page
of each is named beside it.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

REGION: Final = "eu-west-1"
AS_OF: Final = "November 2026"


@dataclass(frozen=True, slots=True)
class Price:
    """What `per` of a unit cost, in USD. `page` is the title of AWS's page that says so."""

    usd: Decimal
    per: int
    unit: str
    page: str

    def of(self, amount: Decimal) -> Decimal:
        """What so many units cost."""
        return amount * self.usd / self.per


def _price(usd: str, per: int, unit: str, page: str) -> Price:
    return Price(Decimal(usd), per, unit, page)


MILLION: Final = 1_000_000
_LAMBDA: Final = "AWS Lambda Pricing"
_DYNAMODB: Final = "Amazon DynamoDB pricing, on-demand capacity"
_PROVISIONED: Final = "Amazon DynamoDB pricing, provisioned capacity"
_SQS: Final = "Amazon SQS pricing"
_CLOUDWATCH: Final = "Amazon CloudWatch Pricing"

API_REQUEST: Final = _price("3.50", MILLION, "requests", "Amazon API Gateway Pricing, REST APIs")
LAMBDA_REQUEST: Final = _price("0.20", MILLION, "requests", _LAMBDA)
LAMBDA_COMPUTE: Final = _price("13.3334", MILLION, "GB-seconds (Arm)", _LAMBDA)
READ_UNIT: Final = _price("0.1415", MILLION, "read request units", _DYNAMODB)
WRITE_UNIT: Final = _price("0.7050", MILLION, "write request units", _DYNAMODB)
READ_CAPACITY: Final = _price("0.000147", 1, "read capacity unit-hours", _PROVISIONED)
WRITE_CAPACITY: Final = _price("0.000735", 1, "write capacity unit-hours", _PROVISIONED)
TABLE_STORAGE: Final = _price("0.283", 1, "GB-months", _DYNAMODB)
STANDARD_REQUEST: Final = _price("0.40", MILLION, "requests to standard queues", _SQS)
FIFO_REQUEST: Final = _price("0.50", MILLION, "requests to FIFO queues", _SQS)
LOG_INGESTION: Final = _price("0.57", 1, "GB of logs", _CLOUDWATCH)
LOG_STORAGE: Final = _price("0.03", 1, "GB-months of logs", _CLOUDWATCH)
CUSTOM_METRIC: Final = _price("0.30", 1, "custom metrics", _CLOUDWATCH)
ALARM_METRIC: Final = _price("0.10", 1, "metrics in alarms", _CLOUDWATCH)
COMPOSITE_ALARM: Final = _price("0.50", 1, "composite alarms", _CLOUDWATCH)
DASHBOARD: Final = _price("3.00", 1, "dashboards", _CLOUDWATCH)
TRACE: Final = _price("5.00", MILLION, "traces recorded", "AWS X-Ray pricing")
SECRET: Final = _price("0.40", 1, "secrets", "AWS Secrets Manager Pricing")
SECRET_CALL: Final = _price("0.05", 10_000, "calls", "AWS Secrets Manager Pricing")
KEY: Final = _price("1.00", 1, "keys", "AWS Key Management Service Pricing")
BUS_EVENT: Final = _price("1.00", MILLION, "events", "Amazon EventBridge pricing, custom events")
WEB_ACL: Final = _price("5.00", 1, "web ACLs", "AWS WAF Pricing")
WEB_RULE: Final = _price("1.00", 1, "rules", "AWS WAF Pricing")
WEB_REQUEST: Final = _price("0.60", MILLION, "requests", "AWS WAF Pricing")
DATA_OUT: Final = _price("0.09", 1, "GB to the internet", "Amazon EC2 On-Demand Pricing, data transfer")
