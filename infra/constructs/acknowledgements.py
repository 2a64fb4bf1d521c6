"""Findings of cdk-nag that are meant to be as they are, each with its reason."""

from aws_cdk import Acknowledgment, Validations
from constructs import IConstruct


def acknowledge(construct: IConstruct, rule: str, reason: str, *, finding: str | None = None) -> None:
    """Say that a rule of the AWS Solutions pack does not apply to this construct and what is below it, and why.

    A rule that reports several findings for one resource (IAM4, IAM5) wants each of them named.
    """
    name = f"AwsSolutions::AwsSolutions-{rule}"
    Validations.of(construct).acknowledge(
        Acknowledgment(id=name if finding is None else f"{name}[{finding}]", reason=reason)
    )
