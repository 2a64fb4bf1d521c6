"""What all tests have in common."""

from hypothesis import HealthCheck, settings

# How long examples take to make depends on what else the machine does; speed is measured in benchmarks.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")
