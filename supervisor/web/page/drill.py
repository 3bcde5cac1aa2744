"""One drill as its page shows it: what was asked, what the wire saw, what came of it. Pure."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from chaos.drill.report import DrillRow, FindingRow
from chaos.judge.check import Result
from chaos.judge.verdict import Outcome
from supervisor.store.records import StoredDrill

OUTCOME_TONES: Mapping[Outcome, str] = {
    Outcome.PASSED: "good",
    Outcome.FAILED: "bad",
    Outcome.INCONCLUSIVE: "warn",
    Outcome.ABORTED: "none",
}
HOP_WORDS: Mapping[str, str] = {
    "faulted": "made to fail",
    "served": "served",
    "stood_in": "answered by a stand-in",
    "errored": "failed by itself",
    "skipped": "not contacted",
}
HOP_TONES: Mapping[str, str] = {
    "faulted": "none",
    "served": "good",
    "stood_in": "good",
    "errored": "bad",
    "skipped": "warn",
}
WIDTH = 640.0
"""Of the time line, in units of the picture."""

NARROWEST = 3.0


@dataclass(frozen=True, slots=True)
class Bar:
    """One attempt on the time line.

    Attributes:
        x: Where it begins.
        aloud: What it is, in words.
    """

    label: str
    tone: str
    x: float
    width: float
    aloud: str


@dataclass(frozen=True, slots=True)
class TimeLine:
    """Attempts as the wire saw them, between the client's question and its end.

    Attributes:
        ends_x: When the client had its whole reply; None if never.
        deadline_x: When it would have given up; None where that is not known.
    """

    bars: Sequence[Bar]
    length_s: float
    ends_x: float | None
    deadline_x: float | None
    deadline_s: float | None


@dataclass(frozen=True, slots=True)
class Exchange:
    """What one hop was asked, and what it said, redacted."""

    title: str
    asked: str
    replied: str


@dataclass(frozen=True, slots=True)
class DrillView:
    """Everything on the page.

    Attributes:
        deciding: Findings that made the verdict.
        others: Everything else that was checked.
    """

    row: DrillRow
    path: str
    tone: str
    hops: Sequence[tuple[str, str, str]]
    time_line: TimeLine | None
    deciding: Sequence[FindingRow]
    others: Sequence[FindingRow]
    exchanges: Sequence[Exchange]
    reply: str
    kept: bool


def drill_view(stored: StoredDrill) -> DrillView:
    """Show *stored*."""
    row, seen = stored.row, stored.seen
    telling = [f for f in row.findings if f.result is not Result.PASSED and f.kind is not None]
    return DrillView(
        row=row,
        path=str(stored.path),
        tone=OUTCOME_TONES[row.outcome],
        hops=[
            (hop.group, HOP_TONES[hop.outcome], _hop(hop.outcome, hop.fault, hop.status))
            for hop in row.hops
        ],
        time_line=None if seen is None else time_line(seen),
        deciding=telling,
        others=[finding for finding in row.findings if finding not in telling],
        exchanges=[] if seen is None else [_exchange(record) for record in _wire(seen)],
        reply="" if seen is None else _text(seen.get("reply")),
        kept=seen is not None,
    )


def time_line(seen: Mapping[str, Any]) -> TimeLine | None:
    """Draw the attempts of a drill; None if none reached the wire.

    Shape:
        {"reply": {"asked_at_s": float, "total_s": float, "deadline_s": float},
         "wire": [{"group": str, "outcome": str, "started_at_s": float, "ended_at_s": float}]}
        Older records lack ``asked_at_s`` and ``deadline_s``.
    """
    records = [r for r in _wire(seen) if isinstance(r.get("started_at_s"), int | float)]
    if not records:
        return None
    reply = seen.get("reply") or {}
    began_s = reply.get("asked_at_s") or records[0]["started_at_s"]
    ended = [r.get("ended_at_s") or r["started_at_s"] for r in records]
    total_s, deadline_s = reply.get("total_s"), reply.get("deadline_s")
    length_s = max(*(each - began_s for each in ended), total_s or 0.0, 0.001)
    late = deadline_s is not None and deadline_s <= length_s
    # Where the deadline is far away, it is beyond the picture's edge.
    scale = (WIDTH - 40) / length_s
    bars = [
        _bar(record, (record["started_at_s"] - began_s), end - record["started_at_s"], scale)
        for record, end in zip(records, ended, strict=True)
    ]
    return TimeLine(
        bars=bars,
        length_s=length_s,
        ends_x=None if total_s is None else total_s * scale,
        deadline_x=None if deadline_s is None else (deadline_s * scale if late else WIDTH - 4),
        deadline_s=deadline_s,
    )


def _bar(record: Mapping[str, Any], from_s: float, took_s: float, scale: float) -> Bar:
    words = _hop(str(record.get("outcome")), record.get("fault"), record.get("status"))
    group = str(record.get("group") or "unknown")
    return Bar(
        label=group,
        tone=HOP_TONES.get(str(record.get("outcome")), "none"),
        x=max(0.0, from_s * scale),
        width=max(NARROWEST, took_s * scale),
        aloud=f"{group}: {words}, after {from_s:.3f} s, for {took_s:.3f} s",
    )


def _hop(outcome: str, fault: str | None, status: int | None) -> str:
    words = HOP_WORDS.get(outcome, outcome)
    if fault:
        words = f"{words} ({fault})"
    return words if status is None else f"{words}, status {status}"


def _wire(seen: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    wire = seen.get("wire")
    return [each for each in wire if isinstance(each, Mapping)] if isinstance(wire, list) else []


def _exchange(record: Mapping[str, Any]) -> Exchange:
    words = _hop(str(record.get("outcome")), record.get("fault"), record.get("status"))
    title = f"{record.get('group')} ({record.get('dialect')}): {words}"
    return Exchange(title, _text(record.get("asked")), _text(record.get("reply")))


def _text(value: Any) -> str:
    """Write JSON for reading, without what is empty."""
    return json.dumps(_without_nothing(value), indent=2, ensure_ascii=False)


def _without_nothing(value: Any) -> Any:
    if isinstance(value, Mapping):
        kept = {name: _without_nothing(each) for name, each in value.items()}
        return {name: each for name, each in kept.items() if each not in (None, "", [], {})}
    if isinstance(value, list):
        return [_without_nothing(each) for each in value]
    return value
