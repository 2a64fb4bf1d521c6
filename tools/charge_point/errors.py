"""What can go wrong with a charge point.

ChargePointError
├── NodeNotFoundError        no Node.js to run kirby-ocpp
├── CommandFailedError       kirby-ocpp refused a method or failed in it
├── CallRefusedError         the CSMS answered a CALL with CALLERROR
└── TransactionRefusedError  connector or CSMS did not allow a transaction
"""


class ChargePointError(RuntimeError):
    """The charge point could not do what was asked."""


class NodeNotFoundError(ChargePointError):
    """There is no Node.js beside this Python and none in PATH."""


class CommandFailedError(ChargePointError):
    """kirby-ocpp refused a method or failed in it."""


class CallRefusedError(ChargePointError):
    """The CSMS answered a CALL with CALLERROR."""


class TransactionRefusedError(ChargePointError):
    """No transaction was started: connector busy or out of order, or the CSMS refused the token."""
