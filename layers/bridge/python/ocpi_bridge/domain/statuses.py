"""Statuses of charge points' answers, in OCPP's words."""

# Statuses of OCPP that mean something of their own; every other one, known or not, is a refusal.
ACCEPTED = "Accepted"
REJECTED = "Rejected"
UNKNOWN = "Unknown"
# With the code behind it: how drivers write a CALLERROR, which refuses the call as a whole.
CALL_ERROR = "CallError:"
