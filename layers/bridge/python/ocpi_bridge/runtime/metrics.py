"""Counts and times for dashboards and alarms: a line of the log that CloudWatch reads (embedded metric format).

Nothing is called and nothing can fail for it. Which metrics there are stands in `metric_catalogue`.
"""

from collections.abc import Mapping
from datetime import datetime

from aws_lambda_powertools.metrics.provider.cloudwatch_emf.cloudwatch import AmazonCloudWatchEMFProvider

from ocpi_bridge.runtime.clock import SystemClock
from ocpi_bridge.runtime.metric_catalogue import INTERNAL_ERRORS, NAMESPACE, REQUESTS, Metric, RequestResult
from ocpi_bridge.runtime.observability import logger
from ocpi_bridge.runtime.settings import optional

_KIND_OF = {"PUT": "SET", "DELETE": "CLEAR", "GET": "GET"}


def emit(metric: Metric, value: float = 1, **dimensions: str) -> None:
    """Writes one datapoint. `dimensions`: a value for each dimension of the metric."""
    # No service: what two functions do alike is one metric.
    provider = AmazonCloudWatchEMFProvider(
        dimension_set={name: str(given) for name, given in dimensions.items()},
        namespace=optional("POWERTOOLS_METRICS_NAMESPACE") or NAMESPACE,
        service="",
    )
    provider.add_metric(metric.name, metric.unit.value, value)
    provider.flush_metrics()


def milliseconds_since(instant: datetime) -> int:
    """How long ago that was, in ms."""
    return round((SystemClock().now() - instant).total_seconds() * 1000)


def count_request(method: str, http_status: int, status_code: int, result: str | None) -> None:
    """One charging profile request of a partner and its synchronous answer. Other methods are not counted."""
    kind = _KIND_OF.get(method)
    if kind is not None:
        emit(REQUESTS, kind=kind, result=_result(http_status, status_code, result))


def log_failure(message: str, about: Mapping[str, object] | None = None, error: Exception | None = None) -> None:
    """An error that ends here: logged with its traceback, and counted. Without `error`, the one that is handled now."""
    logger.error(message, exc_info=error if error is not None else True, extra=dict(about or {}))
    emit(INTERNAL_ERRORS)


def _result(http_status: int, status_code: int, result: str | None) -> str:
    if result is not None:
        return result
    if http_status == 401:
        return RequestResult.UNAUTHORIZED
    return RequestResult.FAILED if 3000 <= status_code < 4000 else RequestResult.INVALID
