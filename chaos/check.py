"""The contract of a check: a pure function from what was planned and seen to one finding."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from chaos.observation import Observation
from chaos.scenario import DrillPlan


class Kind(StrEnum):
    """What went wrong, or why nothing could be told, in the order of precedence.

    The first that applies is the verdict's kind. The second half are reasons for
    ``inconclusive``; they never make a drill fail.
    """

    NO_FALLBACK = "no_fallback"
    NEVER_TRIED = "never_tried"
    HOP_SKIPPED = "hop_skipped"
    HOP_FAILED = "hop_failed"
    WRONG_HOP = "wrong_hop"
    TOO_LATE = "too_late"
    RETRY_STORM = "retry_storm"
    EMPTY_REPLY = "empty_reply"
    SPLICED_REPLY = "spliced_reply"
    TRUNCATED_REPLY = "truncated_reply"
    INBAND_ERROR = "inband_error"
    REQUEST_CHANGED = "request_changed"
    TOOL_CALL_MISSING = "tool_call_missing"
    TOOL_CALL_LEAKED = "tool_call_leaked"
    TOOL_CALL_INVALID = "tool_call_invalid"
    ANSWER_DEGRADED = "answer_degraded"
    MISREPORTED = "misreported"
    COLLATERAL = "collateral"

    FAULT_NOT_HIT = "fault_not_hit"
    WITNESS_UNREACHABLE = "witness_unreachable"
    NONCE_LOST = "nonce_lost"
    CACHED_REPLY = "cached_reply"
    COOLDOWN_OPEN = "cooldown_open"
    HOP_NOT_FORWARDABLE = "hop_not_forwardable"
    HOP_UNAVAILABLE = "hop_unavailable"
    MODEL_UNRELIABLE = "model_unreliable"
    TOKEN_BUDGET = "token_budget"  # noqa: S105 -- a reason, not a credential
    GATEWAY_REFUSED = "gateway_refused"
    GATEWAY_DOWN = "gateway_down"
    ENGINE_BUSY = "engine_busy"
    OVER_BUDGET = "over_budget"
    HALTED = "halted"

    @property
    def is_reason(self) -> bool:
        """It says why nothing could be told, not what failed."""
        return _ORDER[self] >= _ORDER[Kind.FAULT_NOT_HIT]

    @property
    def precedence(self) -> int:
        """Its place in the order; smaller comes first."""
        return _ORDER[self]


_ORDER = {kind: place for place, kind in enumerate(Kind)}

NOTHING_PROVEN = frozenset(
    {
        Kind.FAULT_NOT_HIT,
        Kind.WITNESS_UNREACHABLE,
        Kind.NONCE_LOST,
        Kind.CACHED_REPLY,
        Kind.COOLDOWN_OPEN,
        Kind.GATEWAY_REFUSED,
        Kind.GATEWAY_DOWN,
        Kind.ENGINE_BUSY,
        Kind.OVER_BUDGET,
        Kind.HALTED,
    }
)
"""Reasons which say that the fault was not hit: they come before any failure."""


class Result(StrEnum):
    """What a check came to."""

    PASSED = "passed"
    FAILED = "failed"
    UNKNOWN = "unknown"


class Where(StrEnum):
    """Who is to blame."""

    GATEWAY = "gateway"
    HOP = "hop"
    MODEL = "model"


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found.

    Attributes:
        check: The check's name.
        kind: What failed, or the reason of an unknown; None for a pass.
        hop: The model group it is about, where it is about one.
        message: One sentence for a person, with what was seen.
        remedy: What to do about it.
    """

    check: str
    result: Result
    message: str
    kind: Kind | None = None
    where: Where | None = None
    hop: str | None = None
    remedy: str | None = None


@dataclass(frozen=True, slots=True)
class Check:
    """A named check.

    Attributes:
        judge: Pure; sees one drill, knows no provider, no version and no listed case.
        summary: One sentence for ``understudy checks``.
    """

    name: str
    summary: str
    judge: Callable[[DrillPlan, Observation], Finding]


def passed(check: str, message: str) -> Finding:
    """Make a finding of *check* that nothing is wrong."""
    return Finding(check, Result.PASSED, message)


def failed(
    check: str,
    kind: Kind,
    message: str,
    *,
    where: Where,
    hop: str | None = None,
    remedy: str | None = None,
) -> Finding:
    """Make a finding of *check* that something is wrong."""
    return Finding(check, Result.FAILED, message, kind, where, hop, remedy)


def unknown(
    check: str, reason: Kind, message: str, *, hop: str | None = None, remedy: str | None = None
) -> Finding:
    """Make a finding of *check* that it could not be told."""
    return Finding(check, Result.UNKNOWN, message, reason, None, hop, remedy)
