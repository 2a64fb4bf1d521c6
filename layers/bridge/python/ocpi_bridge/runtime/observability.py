"""Logs: JSON lines, one vocabulary of keys, no secret and no person in them.

Keys: request_id (ours), partner_id, session_id, station_key, correlation_id, kind, result, outcome, error, host, reason.
"""

import logging

from aws_lambda_powertools import Logger

# At DEBUG these write whole answers of Secrets Manager, and headers of partners, into the log. Lambda sets the level of
# the root logger by a setting of the function, so it must not reach them.
TOO_TALKATIVE = ("boto3", "botocore", "urllib3", "httpcore", "httpx")

# The service name comes from POWERTOOLS_SERVICE_NAME; tracebacks carry no local values.
logger = Logger(utc=True, use_rfc3339=True)
for _name in TOO_TALKATIVE:
    logging.getLogger(_name).setLevel(logging.WARNING)
