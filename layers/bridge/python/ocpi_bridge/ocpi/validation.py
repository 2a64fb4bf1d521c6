"""What pydantic finds wrong with a message, in our terms."""

from pydantic import ValidationError

from ocpi_bridge.domain.errors import InvalidInput


def invalid_input(error: ValidationError) -> InvalidInput:
    """The first problem, with the path of its field (`body` for the whole). It never repeats what was sent."""
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    problem = first["msg"].removeprefix("Value error, ")
    return InvalidInput(".".join(str(part) for part in first["loc"]) or "body", problem[:1].lower() + problem[1:])
