"""What each happening calls of AWS, counted: the one table that the tests hold to the code and `bridge cost` reads.

Counted with warm functions, one after the other, and one partner that sees the session: the worst case of batching.
tests/unit/runtime/test_budgets.py counts them in process, tests/e2e/test_budgets.py on the deployed stack.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Final


class Mode(StrEnum):
    """How a CSMS answers commands: in the same HTTP exchange, or by a callback."""

    SYNC = "sync"
    CALLBACK = "callback"


@dataclass(frozen=True, slots=True)
class Budget:
    """What one happening calls, from its first call to its last.

    Attributes:
        reads: DynamoDB requests that read.
        writes: DynamoDB requests that write, transactions included.
        read_units: Read request units (4 KB, consistent).
        write_units: Write request units (1 KB; a transaction twice), those of the indexes included.
        standard: Requests to standard queues: what functions send and put off, and what Lambda receives and deletes.
        fifo: Likewise to FIFO queues.
        api: Requests at API Gateway.
        secrets: Calls of Secrets Manager by warm functions.
        events: Events put on the CSMS bus.
        runs: Invocations by function.

    """

    reads: int = 0
    writes: int = 0
    read_units: Decimal = Decimal(0)
    write_units: Decimal = Decimal(0)
    standard: int = 0
    fifo: int = 0
    api: int = 0
    secrets: int = 0
    events: int = 0
    runs: Mapping[str, int] = field(default_factory=dict)

    @property
    def dynamodb(self) -> int:
        """Requests to DynamoDB."""
        return self.reads + self.writes

    @property
    def sqs(self) -> int:
        """Requests to SQS: sends, receives, deletes, changes of visibility."""
        return self.standard + self.fifo


class Happening(StrEnum):
    """What happens at a bridge."""

    PUT = "put"
    GET = "get"
    DELETE = "delete"
    PUSHED_UPDATE = "pushed update"
    HELD_UPDATE = "held update"
    PERIOD_CLOSED = "pushed update that closes a period"
    SESSION_START = "session start"
    SESSION_END = "session end"
    SWEEP = "sweep"


BUDGETS: Final[Mapping[tuple[Happening, Mode | None], Budget]] = {}
