"""The real stack on one machine: the unchanged `cdk deploy` on an embedded AWS that enforces permissions, over TLS.

    from tools.local_stack import LocalStack

    with LocalStack.start(directory, progress=print) as stack:
        stack.client("dynamodb").list_tables()
        requests.get(stack.ocpi_api_url + "/ocpi/versions")

See docs/local-stack.md.
"""

from tools.local_stack.errors import (
    AlreadyInUse,
    DeploymentFailed,
    EmulatorFailed,
    LocalStackError,
    NotRunning,
    StackSilent,
)
from tools.local_stack.stack import DEFAULT_DIRECTORY, Description, LocalStack, stop

__all__ = [
    "DEFAULT_DIRECTORY",
    "AlreadyInUse",
    "DeploymentFailed",
    "Description",
    "EmulatorFailed",
    "LocalStack",
    "LocalStackError",
    "NotRunning",
    "StackSilent",
    "stop",
]
