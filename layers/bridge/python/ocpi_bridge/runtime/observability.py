"""Logs: JSON lines, one vocabulary of keys, no secret and no person in them.

Keys: request_id (ours), partner_id, session_id, station_key, correlation_id, kind, result, outcome, error, host, reason.
"""

from aws_lambda_powertools import Logger

# The service name comes from POWERTOOLS_SERVICE_NAME; tracebacks carry no local values.
logger = Logger(utc=True, use_rfc3339=True)
