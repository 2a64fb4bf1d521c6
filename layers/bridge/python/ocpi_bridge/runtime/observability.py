"""Logs: JSON lines, one vocabulary of keys, no secret and no person in them. `message` says what happened.

What it is about:
    correlation_id  ties together everything about one request of a partner, through every function, CSMS and callback
    request_id      ours; x_request_id is the X-Request-ID header
    partner_id, csms_id, session_id, station_key (CSMS and station), evse_uid, connector_id, transaction_id
    event_id, event_type  of a CSMS's event
    queue, message_id     of a message that failed
    host            whom a partner's URL names; never the URL

What came of it:
    kind, state, attempts, result   of a request
    outcome         of a step, in its use case's words; error is the class of a failure, reason the text for operators
    method, resource, http_status, status_code (OCPI's)  of an HTTP request; fields are those that were refused
    duration_ms     of a call of a partner
    requests, pushes, overdue, reassessed, live_sessions  of a sweep: how many
    version         of OCPI
"""

import logging

from aws_lambda_powertools import Logger

from ocpi_bridge.runtime.tracebacks import TracebackFormatter

# At DEBUG these write whole answers of Secrets Manager, and headers of partners, into the log. Lambda sets the level of
# the root logger by a setting of the function, so it must not reach them.
TOO_TALKATIVE = ("boto3", "botocore", "urllib3", "httpcore", "httpx")

# The service name comes from POWERTOOLS_SERVICE_NAME.
logger = Logger(logger_formatter=TracebackFormatter())
for _name in TOO_TALKATIVE:
    logging.getLogger(_name).setLevel(logging.WARNING)
