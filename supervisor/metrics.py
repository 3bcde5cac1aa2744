"""The snapshot as Prometheus metrics: every name of docs/reference.md, from the start.

A scrape reads one snapshot and nothing else, so metrics, page and alerts cannot disagree. What is
not known is NaN, which no comparison of an alert holds for; what was never proven is absent.
"""

import math
from collections.abc import Iterable, Iterator, Mapping

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from chaos.faults.kinds import FAULTS
from chaos.judge.check import Kind, Where
from chaos.judge.verdict import Outcome
from chaos.scenario.scenario import FallbackPath
from supervisor.baseline.standing import Speed
from supervisor.coverage.ledger import LedgerPath, PathState
from supervisor.installed import patches, swaps
from supervisor.probes.probe import PartKind, State
from supervisor.probes.standing import Standing
from supervisor.status import UNCOUNTED, Status
from supervisor.store.alerts.records import Phase
from supervisor.tally import LATENCY_BUCKETS_S, Distribution

PREFIX = "understudy_"
RESULTS = ("ok", "authError", "rateLimited", "clientError", "serverError", "unreachable")
PATH = ("group", "trigger", "hop", "surface", "shape", "stream")
KINDS = tuple(kind for kind in Kind if not kind.is_reason)
BEGUN: Mapping[Kind, Where] = {
    Kind.NEVER_TRIED: Where.GATEWAY,
    Kind.HOP_SKIPPED: Where.GATEWAY,
    Kind.HOP_FAILED: Where.HOP,
    Kind.TOO_LATE: Where.HOP,
    Kind.TOOL_CALL_MISSING: Where.MODEL,
    Kind.TOOL_CALL_LEAKED: Where.HOP,
    Kind.TOOL_CALL_INVALID: Where.MODEL,
    Kind.ANSWER_DEGRADED: Where.HOP,
}
"""Failures whose series begin at zero, the frequent ones: all of them for every group and hop
would be thousands of series that stay zero. The others begin with their first failure."""


class StatusCollector(Collector):
    """One snapshot, for a registry."""

    def __init__(self, status: Status) -> None:
        self._status = status

    def describe(self) -> Iterable[Metric]:
        """Nothing: a registry would collect everything only to learn the names."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """Write the families."""
        status = self._status
        pairs = sorted({(path.group, path.hop) for path in status.ledger})
        yield from _drills(status, pairs)
        yield from _paths(status.ledger)
        yield from _coverage(status)
        yield from _times(status, pairs)
        yield from _watched(status)
        yield from _told(status)
        yield from _daemon(status)


def expose(
    status: Status, accept: str = "", registry: CollectorRegistry | None = None
) -> tuple[bytes, str]:
    """Write *status* as a page of metrics.

    Args:
        accept: What the asker takes: OpenMetrics if it names it, else Prometheus' own format.
        registry: Takes the snapshot; by default one of its own.

    Returns:
        The page, and its content type.
    """
    registry = registry or CollectorRegistry()
    registry.register(StatusCollector(status))
    encoder, content_type = choose_encoder(accept)
    return encoder(registry), content_type


def _drills(status: Status, pairs: list[tuple[str, str]]) -> Iterator[Metric]:
    tally = status.tally
    drills = _counter("drills", "Drills that have ended.", "group", "hop", "outcome")
    counted = {(*pair, outcome): 0 for pair in pairs for outcome in Outcome} | dict(tally.drills)
    for (group, hop, outcome), count in counted.items():
        drills.add_metric([group, hop, outcome.value], count)
    yield drills
    failures = _counter(
        "drill_failures",
        "Drills that failed, by kind and by who is to blame; known gaps are not counted.",
        "group",
        "hop",
        "kind",
        "where",
    )
    begun = {(*pair, kind, where.value): 0 for pair in pairs for kind, where in BEGUN.items()}
    for (group, hop, kind, where), count in (begun | dict(tally.failures)).items():
        failures.add_metric([group, hop, kind.value, where], count)
    yield failures
    faults = _counter("drill_faults", "Drills that have ended, by fault.", "fault", "outcome")
    played = {(fault, outcome): 0 for fault in FAULTS for outcome in Outcome} | dict(tally.faults)
    for (fault, outcome), count in played.items():
        faults.add_metric([fault, outcome.value], count)
    yield faults
    gaps = _counter("known_gaps", "Drills that failed as an untouched LiteLLM does.", "kind")
    for kind in KINDS:
        gaps.add_metric([kind.value], tally.gaps.get(kind, 0))
    yield gaps
    yield _counter("collateral", "Drills that other traffic felt.", value=tally.collateral)
    strays = "Requests to the witness that no drill has sent."
    yield _counter("stray_requests", strays, value=status.measured.strays)


def _paths(paths: Mapping[FallbackPath, LedgerPath]) -> Iterator[Metric]:
    ok = _gauge("path_ok", "The fallback path holds (1) or has failed (0).", *PATH)
    passed = _gauge("path_last_passed_timestamp_seconds", "End of its last pass.", *PATH)
    target = _gauge(
        "path_freshness_target_seconds",
        "How old its last pass may be; absent for known gaps and accepted failures.",
        *PATH,
    )
    for path, record in paths.items():
        labels = [path.group, path.trigger.value, path.hop, path.surface, path.shape]
        labels.append("true" if path.stream else "false")
        explained = record.state in UNCOUNTED
        if record.state is not PathState.NEVER_PROVEN and not explained:
            ok.add_metric(labels, 0 if record.state is PathState.FAILED else 1)
        if record.passed_at is not None:
            passed.add_metric(labels, record.passed_at.timestamp())
        if not explained:
            target.add_metric(labels, record.target_s)
    yield from (ok, passed, target)


def _coverage(status: Status) -> Iterator[Metric]:
    ratio = status.coverage_ratio
    yield _gauge(
        "coverage_ratio",
        "Share of the paths that can be proven which are proven.",
        value=math.nan if ratio is None else ratio,
    )
    stale = status.counts.states.get(PathState.STALE, 0)
    yield _gauge("coverage_stale_paths", "Paths whose last pass is too old.", value=stale)


def _times(status: Status, pairs: list[tuple[str, str]]) -> Iterator[Metric]:
    durations = HistogramMetricFamily(
        f"{PREFIX}drill_duration_seconds", "How long a drill took, in seconds."
    )
    _fill(durations, [], status.tally.durations)
    yield durations
    latency = HistogramMetricFamily(
        f"{PREFIX}fallback_latency_seconds",
        "Seconds until a client had the first token of a fallback that served, or its reply.",
        labels=["group", "hop"],
    )
    nothing = Distribution.empty(LATENCY_BUCKETS_S)
    for pair in sorted({pair for pair in pairs if pair[1] != "none"} | set(status.tally.latency)):
        _fill(latency, list(pair), status.tally.latency.get(pair, nothing))
    yield latency


def _fill(family: HistogramMetricFamily, labels: list[str], values: Distribution) -> None:
    below, buckets = 0, []
    for bound, count in zip(values.bounds, values.counts, strict=True):
        below += count
        buckets.append((str(bound), float(below)))
    buckets.append(("+Inf", float(values.total)))
    family.add_metric(labels, buckets, values.sum)


def _watched(status: Status) -> Iterator[Metric]:
    up = _gauge(
        "probe_up",
        "The part serves (1) or does not (0); NaN before anybody knows.",
        "target",
        "probe",
    )
    took = _gauge("probe_duration_seconds", "How long the last look took.", "target", "probe")
    speed = _gauge("engine_tokens_per_second", "Decode speed, as last measured.", "engine")
    ratio = _gauge("engine_baseline_ratio", "That speed against the baseline.", "engine")
    for part, standing in status.condition.parts.items():
        labels = [part.name or part.kind.value, part.kind.value]
        up.add_metric(labels, _up(standing))
        took.add_metric(labels, standing.took_s)
        if part.kind is PartKind.ENGINE:
            known = status.speeds.get(part.name, Speed())
            # NaN where nothing was measured yet.
            last = known.latest.decode_tps if known.latest is not None else None
            speed.add_metric([part.name], math.nan if last is None else last)
            ratio.add_metric([part.name], math.nan if known.ratio is None else known.ratio)
    yield from (up, took, speed, ratio)
    yield from _installed(status)
    age = _gauge("heartbeat_age_seconds", "Since a client's last sign of life.", "name")
    for one in status.heartbeats:
        begun = (status.at - one.beats.known_since).total_seconds()
        age.add_metric([one.expected.name], begun if one.pulse.age_s is None else one.pulse.age_s)
    yield age


def _installed(status: Status) -> Iterator[Metric]:
    finished = _gauge(
        "swap_unfinished", "A swap of the engine wants a person (1); 0 where none does.", "engine"
    )
    unfinished: dict[str, bool] = {}
    for swap in swaps(status):
        name = swap.rollout.engine
        unfinished[name] = unfinished.get(name, False) or bool(swap.trouble)
    for name, wants in unfinished.items():
        finished.add_metric([name], float(wants))
    yield finished
    fits = _gauge(
        "patch_fits",
        "A file mounted over the image's own was made for it (1); 0: it may be obsolete.",
        *("engine", "target"),
    )
    for patch in patches(status):
        fits.add_metric([patch.engine, patch.look.target], float(not patch.trouble))
    yield fits


def _told(status: Status) -> Iterator[Metric]:
    firing = _gauge("alerts_firing", "Alerts that fire.", "alertname", "severity")
    counted = dict.fromkeys(status.condition.rules.items(), 0)
    for state in status.alerts:
        if state.phase is Phase.FIRING:
            key = (state.name, state.severity.value)
            counted[key] = counted.get(key, 0) + 1
    for (name, severity), count in counted.items():
        firing.add_metric([name, severity], count)
    yield firing
    told = _counter("notifications", "Tries to tell somebody.", "notifier", "result")
    tried = {(name, result): 0 for name in status.condition.notifiers for result in RESULTS}
    for (name, result), count in (tried | dict(status.measured.told)).items():
        told.add_metric([name, result], count)
    yield told
    waiting = sum(one.waiting for one in status.notifiers.values())
    yield _gauge("outbox_pending", "Deliveries that wait.", value=waiting)


def _up(standing: Standing) -> float:
    return math.nan if standing.state is State.UNKNOWN else float(standing.up)


def _daemon(status: Status) -> Iterator[Metric]:
    condition = status.condition
    spent = sum(used.cost_usd for used in status.used_today.values())
    limit = math.inf if condition.budget_usd is None else condition.budget_usd
    yield _gauge("budget_spent_usd", "Money that today's drills (UTC) have spent.", value=spent)
    yield _gauge("budget_limit_usd", "Money that a day's drills may spend.", value=limit)
    yield _gauge("halted", "Nothing is drilled (1).", value=status.halt is not None)
    lag = status.measured.loop_lag_s
    yield _gauge("event_loop_lag_seconds", "Worst lag of the last minute.", value=lag)
    taken = condition.reload_trouble is None
    yield _gauge("config_last_reload_successful", "The last reload was taken (1).", value=taken)
    info = InfoMetricFamily(f"{PREFIX}build", "Versions of Understudy and LiteLLM.")
    versions = {"version": condition.version, "litellm_version": condition.litellm_version}
    info.add_metric([], versions)
    yield info


def _gauge(name: str, about: str, *labels: str, value: float | None = None) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"{PREFIX}{name}", about, value=value, labels=labels or None)


def _counter(
    name: str, about: str, *labels: str, value: float | None = None
) -> CounterMetricFamily:
    return CounterMetricFamily(f"{PREFIX}{name}", about, value=value, labels=labels or None)
