"""How many examples a property is tried with: a number of its own, and many times that under the profile `prove`."""

import pytest
from hypothesis import settings

# What a property is tried with that names no number.
USUAL = 100
# So many times more is minutes for all properties together: for `make prove`, not for every change.
TIMES_TO_PROVE = 10


def examples(count: int) -> settings:
    """So many examples, scaled by the profile that runs: what a bare `settings(max_examples=...)` would not be."""
    return settings(max_examples=count * settings().max_examples // USUAL)


def also_proved() -> list[pytest.MarkDecorator]:
    """For `pytestmark` of properties that belong to every run and, with their many examples, to what is proved."""
    return [pytest.mark.prove] if settings().max_examples > USUAL else []
