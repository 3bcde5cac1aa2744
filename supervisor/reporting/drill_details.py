"""What the wire saw of the drills that did not pass, told once for each cause.

Forty drills that fail for one reason are one block with one key and what they have in common; all
keys are in the JSON.
"""

import re
from collections.abc import Iterator, Sequence

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from chaos.drill.drill import DEFECT, STOOD_STILL
from chaos.drill.report import DrillRow, FindingRow, HopRow, SequenceRow, is_partial, is_routed
from chaos.drill.requests.whole_group import NAME as WHOLE_GROUP
from chaos.judge.check import Result
from chaos.judge.sequence import NAME as SEQUENCE
from chaos.judge.verdict import Outcome
from chaos.scenario.expectation import Expected
from supervisor.reporting.axes import axes
from supervisor.reporting.unbroken import unbroken

STYLES = {
    Outcome.PASSED: "green",
    Outcome.FAILED: "bold red",
    Outcome.INCONCLUSIVE: "yellow",
    Outcome.ABORTED: "magenta",
}

AS_EXPECTED = {
    Expected.REFUSED: "refused, as the settings expect",
    Expected.ERROR: "one honest error, as the settings expect",
}

# What differs between two drills although their cause is the same: seconds and nonces.
PASSING_THINGS = re.compile(r"\d+\.\d+|\b[0-9a-f]{8}\b")
INJECTED = re.compile(r"status \d+|“[^”]*”")
QUOTED = re.compile(r"“([^”]{100})[^”]+”")


def details(rows: Sequence[DrillRow]) -> Iterator[RenderableType]:
    """Tell each cause once, in the order in which it was first met."""
    causes: dict[tuple[str, ...], list[DrillRow]] = {}
    for row in rows:
        if row.outcome is not Outcome.PASSED:
            causes.setdefault(cause(row), []).append(row)
    for alike in causes.values():
        yield from _block(alike)


def whole(row: DrillRow, path: str) -> RenderableType:
    """Show one drill with everything that is known of it, whatever came of it."""
    started = row.started_at.isoformat(" ", "seconds")
    heading = Text(
        f"{row.id}  {path}, {started}, attempt {row.attempt}, {row.injector}, "
        f"{row.credentials} key",
        "dim",
    )
    if row.outcome is not Outcome.PASSED:
        return Group(heading, *_block([row]))
    word, style = shown(row)
    lines = [
        Text(),
        Text.assemble((word, style), f"  {row.scenario.key}"),
        *(_indented(_hop(hop, row)) for hop in row.hops),
        _indented(f"client: {_client(row)}"),
        _indented(why(row)),
        *(_indented(Text(f"{f.check}: {f.message}", "dim")) for f in row.findings),
    ]
    return Group(heading, *lines)


def shown(row: DrillRow) -> tuple[str, str]:
    """Say a drill's verdict for people, and the style to say it in."""
    if row.known_gap:
        return "known gap", "yellow"
    if is_routed(row):
        return "routed", STYLES[row.outcome]
    if is_partial(row):
        return "partly proven", STYLES[row.outcome]
    return row.outcome.value, STYLES[row.outcome]


def cause(row: DrillRow) -> tuple[str, ...]:
    """Tell what two drills share that fail for the same reason, whatever their group is."""
    found = deciding(row)
    alike = PASSING_THINGS.sub("#", found.message) if found else ""
    if found and found.hop in row.scenario.faults:
        # What such a hop said is what we made it say: evidence, but no part of the cause.
        alike = INJECTED.sub("#", alike)
    parts = (row.kind.value if row.kind else "", alike, (found.remedy or "") if found else "")
    return (shown(row)[0], *(part.replace(row.scenario.group, "the group") for part in parts))


def why(row: DrillRow) -> str:
    """Say in one sentence why a drill came out as it did; long quotes are cut."""
    if row.outcome is Outcome.PASSED:
        served = row.reply.served_by
        if row.sequence is not None:
            return next(f.message for f in row.findings if f.check == SEQUENCE)
        if row.expected is not Expected.SERVED:
            return AS_EXPECTED[row.expected]
        if is_partial(row):
            return next(f.message for f in row.findings if f.check == WHOLE_GROUP)
        if row.scenario.expected_hop is None and served:
            return f"{served} served, by another of its deployments"
        if row.scenario.expected_hop is None:
            return "everything down: one honest error, in time"
        if is_routed(row):
            return f"routed to {served}; a stand-in answered in its place"
        return f"{served} served" if served else "one honest error, in the surface's own format"
    found = deciding(row)
    return QUOTED.sub(r"“\1…”", found.message) if found else "broken off"


def deciding(row: DrillRow) -> FindingRow | None:
    """Give the finding that made the verdict; None for a pass, and where a signal ended it."""
    if row.outcome is Outcome.ABORTED:
        return next((f for f in row.findings if f.check in (DEFECT, STOOD_STILL)), None)
    return next((f for f in row.findings if f.kind is row.kind and f.kind is not None), None)


def _block(alike: Sequence[DrillRow]) -> Iterator[RenderableType]:
    row = alike[0]
    word, style = shown(row)
    kind = f" {row.kind.value}" if row.kind else ""
    yield Text()
    yield unbroken(Text.assemble((f"{word}{kind}", style), f"  {row.scenario.key}"))
    if _was_sent(row):
        for hop in row.hops:
            yield _indented(_hop(hop, row))
        yield _indented(f"client: {_client(row)}")
    if row.sequence is not None:
        yield _indented(_sequence(row.sequence))
    for finding in row.findings:
        if _is_told(finding, row):
            yield from _finding(finding)
    if row.known_gap:
        yield _indented(Text(f"known: {row.known_gap}", "dim"))
    if len(alike) > 1:
        yield _indented(f"the same in {axes(alike)}")


def _is_told(finding: FindingRow, row: DrillRow) -> bool:
    """Tell only reasons where nothing was proven: the rest would mislead."""
    if row.outcome is Outcome.ABORTED:
        return finding == deciding(row)
    if finding.kind is None or finding.result is Result.PASSED:
        return False
    return row.outcome is not Outcome.INCONCLUSIVE or finding.kind.is_reason


def _was_sent(row: DrillRow) -> bool:
    return row.reply.status is not None or any(hop.attempts for hop in row.hops)


def _hop(hop: HopRow, row: DrillRow) -> str:
    if hop.outcome == "skipped":
        planned = hop.group in row.scenario.chain[: row.scenario.depth + 1]
        return f"{hop.group}: never contacted" if planned else f"{hop.group}: not contacted"
    words = {
        "faulted": f"made to fail ({hop.fault})",
        "served": "served",
        "stood_in": "answered by a stand-in",
        "errored": "failed by itself",
    }[hop.outcome]
    status = f", status {hop.status}" if hop.status is not None else ", no status"
    times = "" if hop.attempts == 1 else f", {hop.attempts} attempts"
    return f"{hop.group}: {words}{status}{times}"


def _client(row: DrillRow) -> str:
    seconds = "" if row.reply.total_s is None else f" after {row.reply.total_s:.2f} s"
    if row.reply.status is None:
        return f"no reply{seconds}"
    return f"status {row.reply.status}{seconds}"


def _sequence(row: SequenceRow) -> str:
    back = f"{row.back_after_s:.1f} s after it" if row.back_after_s is not None else "not back"
    wait = row.most_extra_wait_s
    longer = f", up to {max(wait, 0.0):.1f} s longer" if wait is not None else ""
    order = f" (then served: {', '.join(row.order)})" if row.order else ""
    honest = f", {row.errors} told that every hop was down" if row.errors else ""
    return (
        f"outage of {row.down_s:g} s: {row.lost_down} of {row.requests_down} requests lost in it"
        f"{honest}{longer}; {row.attempts_down} attempts at the primary; back: {back}{order}"
    )


def _finding(finding: FindingRow) -> Iterator[RenderableType]:
    yield _indented(Text.assemble((finding.check, "bold"), f": {finding.message}"))
    if finding.remedy:
        yield unbroken(f"→ {finding.remedy}", 4)


def _indented(text: str | Text, columns: int = 2) -> RenderableType:
    return Padding(Text(text) if isinstance(text, str) else text, (0, 0, 0, columns), expand=False)
