"""`bridge`: the operator's command line."""

import typer

from tools.bridge import (
    assignment_commands,
    cost_command,
    csms_commands,
    dlq_commands,
    doctor_command,
    pairing_commands,
    privacy_commands,
    refused_hosts_commands,
    registration_commands,
    rehearse_command,
    request_commands,
    session_commands,
    station_commands,
    takeover_commands,
    trace_command,
    unplaced_commands,
)
from tools.bridge.session import command

command(registration_commands.app, "refused-hosts")(refused_hosts_commands.refused_hosts)
command(station_commands.app, "unplaced")(unplaced_commands.unplaced)

app = typer.Typer(
    name="bridge",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    help=(
        "Operate the OCPI charging profile bridge with your own AWS credentials.\n\n"
        "In this order: `csms add`, `station import`, `partner add`, `assignment add`. Each takes a JSON file, described "
        "in docs/configuration.md with an example under examples/. Every command but `rehearse` and `cost` needs the deployment that "
        "it is for: `--stage NAME` or `--local`."
    ),
)
app.add_typer(csms_commands.app, name="csms")
app.add_typer(station_commands.app, name="station")
app.add_typer(registration_commands.app, name="partner")
app.add_typer(assignment_commands.app, name="assignment")
app.add_typer(pairing_commands.app, name="pairing")
app.add_typer(takeover_commands.app)
app.add_typer(session_commands.app, name="session")
app.add_typer(request_commands.app, name="request")
command(app, "trace")(trace_command.trace)
app.add_typer(dlq_commands.app, name="dlq")
app.add_typer(privacy_commands.app)
app.add_typer(rehearse_command.app)
app.add_typer(cost_command.app)
command(app, "doctor")(doctor_command.doctor)


def main() -> None:
    """Runs the command of the command line; exits with 0 (done), 1 (refused or failed), 2 (wrong usage) or 3 (to be run again)."""
    app()
