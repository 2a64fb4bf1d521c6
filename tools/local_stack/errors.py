"""What can go wrong with the local stack, in words that tell a person what to do.

LocalStackError
    AlreadyInUse        the directory holds something else
    NotRunning          there is no stack in the directory
    EmulatorFailed      the embedded AWS did not start
    DeploymentFailed    `cdk` ended with an error
    StackSilent         it was deployed, but its API does not answer as the bridge does
"""


class LocalStackError(Exception):
    """Base of all errors of the local stack."""


class AlreadyInUse(LocalStackError):
    """The directory is not ours to use."""


class NotRunning(LocalStackError):
    """There is no running stack in the directory."""


class EmulatorFailed(LocalStackError):
    """The embedded AWS ended or did not answer. The message holds the end of its log."""


class DeploymentFailed(LocalStackError):
    """The CDK could not synthesise or deploy. The message holds the end of its output."""


class StackSilent(LocalStackError):
    """The bridge's API did not answer in its envelope. The message holds what came instead."""
