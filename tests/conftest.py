"""What all tests have in common."""

from hypothesis import HealthCheck, settings

from tests.support.examples import TIMES_TO_PROVE, USUAL

# How long examples take to make depends on what else the machine does; speed is measured in benchmarks.
# The same examples in each run of the tests: what is new is looked for by `make prove`, where a find stops nobody's change.
settings.register_profile(
    "patient", max_examples=USUAL, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile(
    "prove", settings.get_profile("patient"), max_examples=USUAL * TIMES_TO_PROVE, derandomize=False
)
# `--hypothesis-profile=prove` is read after this and replaces it.
settings.load_profile("patient")
