"""Settings of the test run."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

# Building a file is quick, but the first example pays for imports: no deadline.
settings.register_profile(
    "quick", deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("long", deadline=None, max_examples=5_000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))
