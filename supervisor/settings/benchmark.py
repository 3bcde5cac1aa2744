"""How the daemon keeps an eye on the speed of local engines.

benchmarks: {every: 1d, idle_for: 10m, runs: 3}
"""

from datetime import timedelta

from pydantic import Field

from supervisor.settings.values import Interval, Section


class BenchmarkSettings(Section):
    """Benchmarks of local engines, when nobody uses them."""

    enabled: bool = Field(True, description="False: only 'understudy bench run' measures.")
    every: Interval = Field(
        timedelta(days=1),
        description="How often each engine is measured; and once after each of its starts.",
    )
    idle_for: Interval = Field(
        timedelta(minutes=10), description="How long nobody must have used an engine before."
    )
    runs: int = Field(3, ge=1, le=20, description="Runs of each text.")
    max_tokens: int = Field(512, ge=128, le=8192, description="Tokens of each run, at most.")
