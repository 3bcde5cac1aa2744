"""What the gateway's own metrics count of fallbacks, and of failures that were not ours.

They are claims: a chain that was never used has no series, and a hop that was taken after the first
byte shows only here. Read to know what users feel, never to judge a drill.

Source: LiteLLM 1.106.2, run: ``litellm_deployment_{successful,failed}_fallbacks_total`` name the
key by its hash, and every caller with the master key alike; failures name the ``user_agent`` too.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from chaos.exposition import Sample

SERVED = "litellm_deployment_successful_fallbacks_total"
EXHAUSTED = "litellm_deployment_failed_fallbacks_total"
FAILED = "litellm_deployment_failure_responses_total"
STARTED = "process_start_time_seconds"

MASTER_KEY = "litellm_proxy_master_key"
"""What LiteLLM writes in place of the hash of its master key."""


@dataclass(frozen=True, slots=True, order=True)
class Failure:
    """One series of failures.

    Attributes:
        group: The model group that was asked for.
        status: Of the error.
        exception: Its class, in LiteLLM's words.
    """

    group: str
    status: str
    exception: str


@dataclass(frozen=True, slots=True, order=True)
class Fallback:
    """One series.

    Attributes:
        group: The model group that was asked for.
        hop: The model group that was tried in its place.
        key: Hash of the caller's key, or ``MASTER_KEY``.
        status: Of the error that it fell back for, and ...
        exception: ... its class, in LiteLLM's words.
    """

    group: str
    hop: str
    key: str
    status: str
    exception: str

    @property
    def failure(self) -> Failure:
        """The failure that it followed."""
        return Failure(self.group, self.status, self.exception)


@dataclass(frozen=True, slots=True)
class FallbackCounts:
    """One look at the counters.

    Attributes:
        process: When the process that answered was started; each counts for itself.
        served: Fallbacks that answered.
        exhausted: Fallbacks that failed as well.
        failed: Failures of requests that were not ours.
        drilled: Failures of our own requests, and of callers that gave no name.
    """

    process: float | None = None
    served: Mapping[Fallback, float] = field(default_factory=dict)
    exhausted: Mapping[Fallback, float] = field(default_factory=dict)
    failed: Mapping[Failure, float] = field(default_factory=dict)
    drilled: Mapping[Failure, float] = field(default_factory=dict)


def read_fallbacks(metrics: Iterable[Sample], *, agent: str) -> FallbackCounts:
    """Count what *metrics* say.

    Args:
        agent: How our own clients name themselves (``user-agent``).
    """
    served: Counter[Fallback] = Counter()
    exhausted: Counter[Fallback] = Counter()
    failed: Counter[Failure] = Counter()
    drilled: Counter[Failure] = Counter()
    process = None
    for sample in metrics:
        labels = sample.labels
        if sample.name in (SERVED, EXHAUSTED):
            series = Fallback(
                labels.get("requested_model", ""),
                labels.get("fallback_model", ""),
                labels.get("hashed_api_key", ""),
                labels.get("exception_status", ""),
                labels.get("exception_class", ""),
            )
            (served if sample.name == SERVED else exhausted)[series] += int(sample.value)
        elif sample.name == FAILED:
            failure = Failure(
                labels.get("requested_model", ""),
                labels.get("exception_status", ""),
                labels.get("exception_class", ""),
            )
            ours = labels.get("user_agent", agent) == agent
            (drilled if ours else failed)[failure] += int(sample.value)
        elif sample.name == STARTED:
            process = sample.value
    return FallbackCounts(process, served, exhausted, failed, drilled)


def key_hash(key: str) -> str:
    """Write *key* as LiteLLM's metrics do."""
    return hashlib.sha256(key.encode()).hexdigest()
