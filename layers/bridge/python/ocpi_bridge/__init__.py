"""OCPI 2.2.1 ChargingProfiles between a Smart Charging Service Provider and a CPO's charge points."""

import gc
import os

if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
    # What a function loads stays, so nothing of it is looked through for garbage until all is there (runtime.start).
    gc.disable()
