"""What all tests have in common."""

from hypothesis import HealthCheck, settings

from tests.support.examples import TIMES_TO_PROVE, USUAL

# How long examples take to make depends on what else the machine does; speed is measured in benchmarks.
settings.register_profile("patient", max_examples=USUAL, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("prove", settings.get_profile("patient"), max_examples=USUAL * TIMES_TO_PROVE)
# `--hypothesis-profile=prove` is read after this and replaces it.
settings.load_profile("patient")
