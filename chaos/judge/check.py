"""The contract of a check: a pure function from what was planned and seen to one finding."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from chaos.judge.observation import Observation
from chaos.scenario.plan import DrillPlan


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
    SLOW_RECOVERY = "slow_recovery"
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
    HAMMERED = "hammered"
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
    GATEWAY_BUSY = "gateway_busy"
    ENGINE_BUSY = "engine_busy"
    WOULD_EVICT = "would_evict"
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

MEANINGS: Mapping[Kind, str] = MappingProxyType(
    {
        Kind.NO_FALLBACK: "The group has no chain, and the client got the primary's error.",
        Kind.NEVER_TRIED: "There is a chain, the client got an error, and no hop was contacted.",
        Kind.HOP_SKIPPED: "A hop that the chain names was not contacted although its turn came.",
        Kind.HOP_FAILED: "A fallback was contacted and itself failed, even if a later one served.",
        Kind.WRONG_HOP: "The answer came from a hop that the scenario does not allow.",
        Kind.TOO_LATE: "The reply, or its first token, came after the deadline or not at all.",
        Kind.RETRY_STORM: "A hop was tried more often than the gateway's retries explain.",
        Kind.SLOW_RECOVERY: "After an outage the primary stayed out of use for too long.",
        Kind.EMPTY_REPLY: "A success with neither text nor tool call, presented as complete.",
        Kind.SPLICED_REPLY: "One reply holds output of two upstreams.",
        Kind.TRUNCATED_REPLY: "An answer that was cut short upstream is presented as complete.",
        Kind.INBAND_ERROR: "An error hides inside a success where none is allowed.",
        Kind.REQUEST_CHANGED: "A hop was asked something else than the client asked.",
        Kind.TOOL_CALL_MISSING: "The prompt demands a tool call, and none was made.",
        Kind.TOOL_CALL_LEAKED: "The tool call is in the text instead of in the tool calls.",
        Kind.TOOL_CALL_INVALID: "A tool call has a wrong name, arguments, nonce or id.",
        Kind.ANSWER_DEGRADED: "Another part of the answer is broken: its form, schema or size.",
        Kind.MISREPORTED: "The answer is right, but the gateway names another server for it.",
        Kind.HAMMERED: "A hop was asked again sooner than it wanted, or in a burst.",
        Kind.COLLATERAL: "Other traffic felt the drill.",
        Kind.FAULT_NOT_HIT: "The fault never answered a request, so nothing was rehearsed.",
        Kind.WITNESS_UNREACHABLE: "No hop reached the witness.",
        Kind.NONCE_LOST: "A request came without the drill's nonce and was refused.",
        Kind.CACHED_REPLY: "A cache answered, and nothing crossed the wire.",
        Kind.COOLDOWN_OPEN: "The gateway kept the primary out of rotation by itself.",
        Kind.HOP_NOT_FORWARDABLE: "The hop that must serve cannot be passed on this way.",
        Kind.HOP_UNAVAILABLE: "A remote provider was itself unavailable just then.",
        Kind.MODEL_UNRELIABLE: "The model missed this time, and not when it was asked directly.",
        Kind.TOKEN_BUDGET: "Reasoning used up all tokens before the answer began.",
        Kind.GATEWAY_REFUSED: "The gateway refused the request before it contacted any hop.",
        Kind.GATEWAY_DOWN: "The gateway gave no response.",
        Kind.GATEWAY_BUSY: "The gateway is slower than the deadline, or works on earlier drills.",
        Kind.ENGINE_BUSY: "The engine has queued requests of users, so no drill was sent.",
        Kind.WOULD_EVICT: "The hop loads models on demand, and another one is in use.",
        Kind.OVER_BUDGET: "The drill could cost more than the budget has left.",
        Kind.HALTED: "Drills are halted, by somebody or because other traffic felt one.",
    }
)
"""Every kind in one sentence, for people."""

WARNINGS = frozenset({Kind.MISREPORTED, Kind.HAMMERED})
"""Failures with which the client was served all the same: alone they page nobody."""

NOTHING_PROVEN = frozenset(
    {
        Kind.FAULT_NOT_HIT,
        Kind.WITNESS_UNREACHABLE,
        Kind.NONCE_LOST,
        Kind.CACHED_REPLY,
        Kind.COOLDOWN_OPEN,
        Kind.GATEWAY_REFUSED,
        Kind.GATEWAY_DOWN,
        Kind.GATEWAY_BUSY,
        Kind.ENGINE_BUSY,
        Kind.WOULD_EVICT,
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
