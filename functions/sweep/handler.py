"""Each minute: wake what a stream, a queue or a crash dropped."""

from collections.abc import Mapping
from dataclasses import asdict

from ocpi_bridge.runtime.observability import logger
from ocpi_bridge.runtime.wiring import relay

sweep = relay.sweep()


def lambda_handler(_event: Mapping[str, object], _context: object) -> None:
    """Sweeps once."""
    swept = sweep()
    logger.info("sweep.done", extra=asdict(swept))
