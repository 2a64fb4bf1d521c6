"""Entry point of the CDK: synthesises the stacks of one stage. Run by `cdk` through cdk.json."""

import os
import sys
from pathlib import Path

from aws_cdk import App, Tags, Validations
from cdk_nag import AwsSolutionsChecks

from infra.bridge_stack import BridgeStack
from infra.bundling import SourceTree
from infra.edge_stack import EdgeStack
from infra.stages import StageError, select_stage

ROOT = Path(__file__).resolve().parents[1]


def build(app: App) -> BridgeStack:
    """Add the stacks of the stage that the app's context or the environment names, and what checks them.

    Returns the bridge. On AWS stages its edge is a stack beside it.

    The context value `source_root` names another checkout to bundle from; without it, this one.

    Raises:
        StageError: No such stage, or settings with which it cannot be deployed.

    """
    settings = select_stage(app.node.try_get_context, os.environ)
    tree = SourceTree(Path(str(app.node.try_get_context("source_root") or ROOT)))
    stack = BridgeStack(app, settings, tree)
    if not settings.embedded:
        EdgeStack(app, settings, stack)
    Tags.of(app).add("project", "ocpi-charging-profile-bridge")
    Tags.of(app).add("stage", settings.name)
    Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    return stack


def main() -> int:
    """Synthesise; an error that a person can mend is printed without a traceback. Returns the exit status."""
    app = App()
    try:
        build(app)
        app.synth()
    except StageError as error:
        return _fail(str(error))
    except RuntimeError as error:
        # What our bundler raises passes through the CDK's kernel, which keeps of it the text only.
        if not str(error).startswith("Failed to bundle asset"):
            raise
        return _fail(str(error).rpartition("RuntimeError: ")[2])
    return 0


def _fail(message: str) -> int:
    print(f"error: {message}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
