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


def _either(what: Happening, budget: Budget) -> dict[tuple[Happening, Mode], Budget]:
    return dict.fromkeys(((what, mode) for mode in Mode), budget)


BUDGETS: Final[Mapping[tuple[Happening, Mode], Budget]] = {
    (Happening.PUT, Mode.SYNC): Budget(
        reads=5,
        writes=5,
        read_units=Decimal(20),
        write_units=Decimal(19),
        standard=6,
        fifo=3,
        api=1,
        runs={"deliver_results": 2, "ocpi_charging_profiles": 1, "relay_outbox": 3, "send_charger_commands": 1},
    ),
    (Happening.PUT, Mode.CALLBACK): Budget(
        reads=6,
        writes=5,
        read_units=Decimal(22),
        write_units=Decimal(19),
        standard=6,
        fifo=3,
        api=2,
        runs={
            "csms_callback": 1,
            "deliver_results": 2,
            "ocpi_charging_profiles": 1,
            "relay_outbox": 3,
            "send_charger_commands": 1,
        },
    ),
    (Happening.GET, Mode.SYNC): Budget(
        reads=6,
        writes=5,
        read_units=Decimal(21),
        write_units=Decimal(14),
        standard=6,
        fifo=3,
        api=1,
        runs={"deliver_results": 2, "ocpi_charging_profiles": 1, "relay_outbox": 3, "send_charger_commands": 1},
    ),
    (Happening.GET, Mode.CALLBACK): Budget(
        reads=8,
        writes=5,
        read_units=Decimal(28),
        write_units=Decimal(11),
        standard=6,
        fifo=3,
        api=2,
        runs={
            "csms_callback": 1,
            "deliver_results": 2,
            "ocpi_charging_profiles": 1,
            "relay_outbox": 3,
            "send_charger_commands": 1,
        },
    ),
    (Happening.DELETE, Mode.SYNC): Budget(
        reads=5,
        writes=5,
        read_units=Decimal(20),
        write_units=Decimal(17),
        standard=6,
        fifo=3,
        api=1,
        runs={"deliver_results": 2, "ocpi_charging_profiles": 1, "relay_outbox": 3, "send_charger_commands": 1},
    ),
    (Happening.DELETE, Mode.CALLBACK): Budget(
        reads=6,
        writes=5,
        read_units=Decimal(22),
        write_units=Decimal(17),
        standard=6,
        fifo=3,
        api=2,
        runs={
            "csms_callback": 1,
            "deliver_results": 2,
            "ocpi_charging_profiles": 1,
            "relay_outbox": 3,
            "send_charger_commands": 1,
        },
    ),
    **_either(
        Happening.HELD_UPDATE,
        Budget(
            reads=5,
            writes=3,
            read_units=Decimal(13),
            write_units=Decimal(5),
            standard=3,
            fifo=3,
            api=1,
            runs={"csms_events": 1, "ingest_csms_events": 1, "push_updates": 1, "relay_outbox": 1},
        ),
    ),
    **_either(
        Happening.PUSHED_UPDATE,
        Budget(
            reads=5,
            writes=4,
            read_units=Decimal(13),
            write_units=Decimal(9),
            standard=3,
            fifo=3,
            api=1,
            runs={"csms_events": 1, "ingest_csms_events": 1, "push_updates": 1, "relay_outbox": 1},
        ),
    ),
    **_either(
        Happening.PERIOD,
        Budget(
            reads=6,
            writes=4,
            read_units=Decimal(14),
            write_units=Decimal(12),
            standard=3,
            fifo=3,
            api=1,
            runs={"csms_events": 1, "ingest_csms_events": 1, "push_updates": 1, "relay_outbox": 1},
        ),
    ),
    **_either(
        Happening.START,
        Budget(
            reads=5,
            writes=5,
            read_units=Decimal(13),
            write_units=Decimal(16),
            standard=3,
            fifo=3,
            api=1,
            runs={"csms_events": 1, "ingest_csms_events": 1, "push_updates": 1, "relay_outbox": 1},
        ),
    ),
    (Happening.END, Mode.SYNC): Budget(
        reads=10,
        writes=10,
        read_units=Decimal(30),
        write_units=Decimal(38),
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
    ),
    (Happening.END, Mode.CALLBACK): Budget(
        reads=11,
        writes=10,
        read_units=Decimal(32),
        write_units=Decimal(38),
        standard=6,
        fifo=9,
        api=2,
        runs={
            "csms_callback": 1,
            "csms_events": 1,
            "deliver_results": 1,
            "ingest_csms_events": 1,
            "push_updates": 2,
            "relay_outbox": 3,
            "send_charger_commands": 1,
        },
    ),
    **_either(Happening.SWEEP, Budget(reads=28, read_units=Decimal(15), runs={"sweep": 1})),
    **_either(
        Happening.SWEPT_END,
        Budget(
            reads=32,
            writes=1,
            read_units=Decimal(31),
            write_units=Decimal(3),
            fifo=6,
            runs={"push_updates": 2, "relay_outbox": 1, "sweep": 1},
        ),
    ),
}

DEADLINE: Final = Budget(reads=1, read_units=Decimal(1), standard=2, runs={"deliver_results": 1})
"""What a cycle's deadline calls after its result is long delivered: part of each cycle's budget."""
