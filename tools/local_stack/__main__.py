"""Command line: `python -m tools.local_stack up|down|status`."""

import argparse
import sys
from pathlib import Path

from tools.local_stack import DEFAULT_DIRECTORY, LocalStack, LocalStackError, NotRunning, stop


def main(arguments: list[str] | None = None) -> int:
    """Run one command. Returns 0 if what was asked for is so now, else 1 (status: 3 if nothing runs)."""
    options = _parser().parse_args(arguments)
    try:
        match options.command:
            case "up":
                return _up(options.directory, options.port)
            case "down":
                return _down(options.directory)
            case _:
                return _status(options.directory)
    except LocalStackError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tools.local_stack", description="The bridge's stack on this machine."
    )
    parser.add_argument("command", choices=("up", "down", "status"))
    parser.add_argument("--directory", type=Path, default=DEFAULT_DIRECTORY, help="where it keeps its files (.local)")
    parser.add_argument("--port", type=int, help="port of the embedded AWS (4566, or a free one if that is taken)")
    return parser


def _up(directory: Path, port: int | None) -> int:
    stack = LocalStack.start(directory, progress=lambda sentence: print(f"{sentence} ...", flush=True), port=port)
    _show(stack)
    print(f"Everything else: {directory / 'stack.json'}. To end it: make down")
    return 0


def _down(directory: Path) -> int:
    print("The stack is down." if stop(directory) else "No stack is running.")
    return 0


def _status(directory: Path) -> int:
    try:
        stack = LocalStack.attach(directory)
    except NotRunning as error:
        print(f"{error}")
        return 3
    _show(stack)
    return 0


def _show(stack: LocalStack) -> None:
    described = stack.description
    print(f"OCPI API (for partners)  {described.ocpi_api_url}")
    print(f"CSMS API (for the CSMS)  {described.csms_api_url}")
    print(f"AWS endpoint             {described.endpoint} (region {described.region}, process {described.pid})")
    print(f"Certificate to trust     {described.ca_file}")


if __name__ == "__main__":
    sys.exit(main())
