"""What each happening calls of AWS, counted: the one table that the tests hold to the code and `bridge cost` reads.

Counted with warm functions, one after the other, and one partner that sees the session: the worst case of batching.
tests/unit/runtime/test_budgets.py counts them in process, tests/e2e/test_budgets.py on the deployed stack.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
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
    """What happens at a bridge, and is paid for."""

    PUT = "charging profile set (PUT)"
    GET = "active profile read (GET)"
    DELETE = "charging profile cleared (DELETE)"
    HELD_UPDATE = "meter event, held back"
    PUSHED_UPDATE = "meter event with its PATCH"
    PERIOD = "meter event that closes a charging period, with its PATCH"
    START = "session start with its PUT"
    END = "session end with its PUT, the plan cleared"
    SWEEP = "sweep"
    SWEPT_END = "sweep that tells of a session's end"


_CYCLE: Final = Budget(
    standard=6,
    fifo=3,
    api=1,
    runs={"deliver_results": 2, "ocpi_charging_profiles": 1, "relay_outbox": 2, "send_charger_commands": 1},
)
_EVENT: Final = Budget(
    standard=3,
    fifo=3,
    api=1,
    runs={"csms_events": 1, "ingest_csms_events": 1, "push_updates": 1, "relay_outbox": 1},
)
# The event of a session's end, and the clearing of its plan, whose result nobody waits for.
_END: Final = Budget(
    standard=6,
    fifo=9,
    api=1,
    runs={
        "csms_events": 1,
        "deliver_results": 1,
        "ingest_csms_events": 1,
        "push_updates": 2,
        "relay_outbox": 3,
        "send_charger_commands": 1,
    },
)


def _counted(shape: Budget, reads: int, writes: int, read_units: int, write_units: int) -> Budget:
    return replace(shape, reads=reads, writes=writes, read_units=Decimal(read_units), write_units=Decimal(write_units))


def _by_callback(shape: Budget) -> Budget:
    """With the call by which the CSMS gives the charge point's answer."""
    return replace(shape, api=shape.api + 1, runs={"csms_callback": 1, **shape.runs})


def _either(what: Happening, budget: Budget) -> dict[tuple[Happening, Mode], Budget]:
    return dict.fromkeys(((what, mode) for mode in Mode), budget)


# Of the four numbers, the first two are requests that read and write, the others their units.
BUDGETS: Final[Mapping[tuple[Happening, Mode], Budget]] = {
    (Happening.PUT, Mode.SYNC): _counted(_CYCLE, 5, 5, 19, 17),
    (Happening.PUT, Mode.CALLBACK): _counted(_by_callback(_CYCLE), 6, 5, 21, 17),
    (Happening.GET, Mode.SYNC): _counted(_CYCLE, 6, 5, 20, 14),
    (Happening.GET, Mode.CALLBACK): _counted(_by_callback(_CYCLE), 8, 5, 27, 11),
    (Happening.DELETE, Mode.SYNC): _counted(_CYCLE, 5, 5, 19, 17),
    (Happening.DELETE, Mode.CALLBACK): _counted(_by_callback(_CYCLE), 6, 5, 21, 17),
    **_either(Happening.HELD_UPDATE, _counted(_EVENT, 5, 3, 13, 5)),
    **_either(Happening.PUSHED_UPDATE, _counted(_EVENT, 5, 4, 13, 9)),
    **_either(Happening.PERIOD, _counted(_EVENT, 6, 4, 14, 12)),
    **_either(Happening.START, _counted(_EVENT, 5, 5, 13, 16)),
    (Happening.END, Mode.SYNC): _counted(_END, 10, 10, 29, 38),
    (Happening.END, Mode.CALLBACK): _counted(_by_callback(_END), 11, 10, 31, 38),
    **_either(Happening.SWEEP, _counted(Budget(runs={"sweep": 1}), 28, 0, 15, 0)),
    **_either(
        Happening.SWEPT_END,
        _counted(Budget(fifo=6, runs={"push_updates": 2, "relay_outbox": 1, "sweep": 1}), 32, 1, 31, 3),
    ),
}

DEADLINE: Final = Budget(reads=1, read_units=Decimal(1), standard=2, runs={"deliver_results": 1})
"""What a cycle's deadline calls after its result is long delivered: part of each cycle's budget."""
