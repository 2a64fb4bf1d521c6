"""What all commands have in common: the choice of the deployment, the form of the output, errors and exit codes."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Concatenate, ParamSpec, cast

import typer
from botocore.exceptions import BotoCoreError, ClientError

from ocpi_bridge.domain.errors import BridgeError
from tools.bridge.deployment import STACK_FILE, Deployment
from tools.bridge.output import Output

P = ParamSpec("P")

REFUSED = 1
# It did what it could, and is to be run again.
TO_BE_CONTINUED = 3


@dataclass(frozen=True, slots=True)
class Selection:
    """The deployment that the options name: a stage, or else the stack that a file describes."""

    stage: str | None
    stack_file: Path


@dataclass(frozen=True, slots=True)
class Session:
    """What one command works with."""

    deployment: Deployment
    output: Output


Connect = Callable[[Selection], Deployment]
"""Opens a deployment; tests give one of theirs as the context's `obj`."""

_DEPLOYMENT = "Deployment"
_Stage = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        rich_help_panel=_DEPLOYMENT,
        help="The stage on AWS, by your AWS credentials and region.",
    ),
]
_Local = Annotated[
    bool, typer.Option("--local", rich_help_panel=_DEPLOYMENT, help="The stack on this machine (`make up`).")
]
_StackFile = Annotated[
    Path,
    typer.Option(metavar="PATH", rich_help_panel=_DEPLOYMENT, help="With --local: the file that describes the stack."),
]
_Json = Annotated[bool, typer.Option("--json", help="Write one JSON document to stdout, for scripts.")]

_COMMON = (
    inspect.Parameter("context", inspect.Parameter.KEYWORD_ONLY, annotation=typer.Context),
    inspect.Parameter("stage", inspect.Parameter.KEYWORD_ONLY, annotation=_Stage, default=None),
    inspect.Parameter("local", inspect.Parameter.KEYWORD_ONLY, annotation=_Local, default=False),
    inspect.Parameter("stack_file", inspect.Parameter.KEYWORD_ONLY, annotation=_StackFile, default=STACK_FILE),
    inspect.Parameter("as_json", inspect.Parameter.KEYWORD_ONLY, annotation=_Json, default=False),
)


def command(
    app: typer.Typer, name: str
) -> Callable[[Callable[Concatenate[Session, P], None]], Callable[Concatenate[Session, P], None]]:
    """Makes a function a command of `app`: its parameters after the session, and the options that all commands share.

    Exit codes: 0 done; 1 refused or failed, with a sentence for each problem; 2 wrong usage; 3 (raised by the command
    itself) to be run again.
    """

    def register(function: Callable[Concatenate[Session, P], None]) -> Callable[Concatenate[Session, P], None]:
        signature = inspect.signature(function, eval_str=True)
        own = list(signature.parameters.values())[1:]

        def run(*args: P.args, **options: P.kwargs) -> None:
            given = dict(options)
            # Typer has checked their types against the annotations above.
            context = cast(typer.Context, given.pop("context"))
            stage = cast(str | None, given.pop("stage"))
            local = cast(bool, given.pop("local"))
            selection = Selection(stage, cast(Path, given.pop("stack_file")))
            output = Output(as_json=cast(bool, given.pop("as_json")))
            if bool(stage) == local:
                raise typer.BadParameter("say which deployment is meant: --stage NAME or --local")
            try:
                deployment = (context.obj or connect)(selection)
                function(Session(deployment, output), *args, **given)  # type: ignore[arg-type]  # less the shared ones
            except BridgeError as error:
                output.problem(str(error))
                raise typer.Exit(REFUSED) from error
            except (BotoCoreError, ClientError) as error:
                output.problem(f"AWS: {error}")
                raise typer.Exit(REFUSED) from error

        run.__signature__ = signature.replace(parameters=[*own, *_COMMON])  # type: ignore[attr-defined]
        run.__annotations__ = {}
        app.command(name, help=inspect.getdoc(function))(run)
        return function

    return register


def connect(selection: Selection) -> Deployment:
    """Opens the deployment that was selected."""
    if selection.stage is not None:
        return Deployment.on_aws(selection.stage)
    return Deployment.on_this_machine(selection.stack_file)
