"""Each minute: wake what a stream, a queue or a crash dropped, and look how it goes."""

from collections.abc import Mapping

from ocpi_bridge.runtime.start import started
from ocpi_bridge.runtime.wiring import sweep as wiring
from ocpi_bridge.runtime.worker_logs import log_sweep

sweep, survey = wiring.sweep(), wiring.survey()


@started
def lambda_handler(_event: Mapping[str, object], _context: object) -> None:
    """Sweeps once."""
    log_sweep(sweep(), survey())
