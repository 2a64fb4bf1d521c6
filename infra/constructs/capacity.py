"""Provisioned tables: what a fleet takes of each table and index, and between which bounds auto scaling moves.

For a fleet that is large enough for its load to be steady: what is provisioned costs 0.41 of what is paid by request
(docs/scale-and-cost.md, "Provisioned tables").
"""

from dataclasses import dataclass
from typing import Final

from aws_cdk import aws_dynamodb as dynamodb

from infra.stages import TABLE_UTILISATION

MOST: Final = 2.0
LEAST: Final = 0.1
"""Between a tenth and twice of what the fleet takes in its busiest hour: at night little is paid for, and one that goes
astray is not let cost without end."""

FEWEST: Final = 5
"""Units that anything has, for the sweep and for people."""


@dataclass(frozen=True, slots=True)
class Load:
    """Units that one live session takes of a table or an index in a second.

    It reports once a minute, is pushed every five minutes and steered once an hour, and lasts three hours: the demand of
    docs/scale-and-cost.md, counted by tests/unit/runtime/test_provisioned_capacity.py.
    """

    reads: float
    writes: float

    def reading(self, sessions: int) -> dynamodb.Capacity:
        """What reads are let through where so many sessions are live at once."""
        return _scaled(self.reads * sessions)

    def writing(self, sessions: int) -> dynamodb.Capacity:
        """Likewise writes."""
        return _scaled(self.writes * sessions)

    def billing(self, sessions: int) -> dynamodb.Billing:
        """Both, of a table."""
        return dynamodb.Billing.provisioned(read_capacity=self.reading(sessions), write_capacity=self.writing(sessions))


def _scaled(units: float) -> dynamodb.Capacity:
    needed = units / (TABLE_UTILISATION / 100)
    return dynamodb.Capacity.autoscaled(
        min_capacity=max(FEWEST, round(needed * LEAST)),
        max_capacity=max(2 * FEWEST, round(needed * MOST)),
        target_utilization_percent=TABLE_UTILISATION,
    )


SESSIONS: Final = Load(reads=0.11, writes=0.055)
REQUESTS: Final = Load(reads=0.0025, writes=0.0045)
REGISTRY: Final = Load(reads=0.13, writes=0.018)

# A sweep reads its indexes once a minute, whatever there is; partners page through their feed when they like.
FEED: Final = Load(reads=0.01, writes=0.035)
DUE: Final = Load(reads=0.01, writes=0.014)
LIVE: Final = Load(reads=0.01, writes=0.0002)
OPEN: Final = Load(reads=0.001, writes=0.0013)
REQUESTS_OF_SESSION: Final = Load(reads=0.001, writes=0.0007)
