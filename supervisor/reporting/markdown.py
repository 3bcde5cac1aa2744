"""The drill report as Markdown, for the page of a CI job or a comment on a pull request.

Each cause is one row, however many drills and paths share it. What gateways and models have said
is escaped: it cannot become a link, a picture, a mention or a table of its own.
"""

import re
from collections.abc import Iterator, Sequence

from chaos.drill.report import DrillReport, DrillRow
from chaos.judge.verdict import Outcome
from chaos.naming import all_or_count, some_of
from supervisor.reporting.drill_details import cause, shown, why
from supervisor.reporting.drill_table import INSTEAD, fault, path, shape, substituted, wildcards

MOST_CAUSES = 50
"""A job's page takes 1 MiB; whoever has more causes reads the report."""

MARKUP = re.compile(r"([\\`*_{}\[\]<>#|!~@&])")


def drill_markdown(report: DrillReport) -> str:
    """Write *report* as a section with a heading, a line of numbers and a table of causes."""
    return "\n".join(_lines(report)) + "\n"


def _lines(report: DrillReport) -> Iterator[str]:
    summary = report.summary
    yield f"### Understudy: {_headline(report)}"
    yield ""
    yield (
        f"{len(report.drills)} drills: {summary.passed} passed"
        f"{f' ({summary.routed} by a stand-in)' if summary.routed else ''}, "
        f"{summary.failed} failed, {summary.known_gaps} known gaps, "
        f"{summary.inconclusive} inconclusive, {summary.aborted} aborted"
        f"{f', {summary.not_started} never started' if summary.not_started else ''}; "
        f"LiteLLM {escaped(report.gateway.litellm_version)}, {summary.duration_s:.0f} s"
        f"{_as_key(report)}"
        f"{'' if report.seed is None else f', seed {report.seed}'}."
    )
    for line in wildcards(report):
        yield ""
        yield f"{escaped(line)}."
    causes = _causes(report.drills)
    if not causes:
        return
    yield ""
    yield "| verdict | path | fault | request | drills | why | what to do |"
    yield "| --- | --- | --- | --- | ---: | --- | --- |"
    for alike in causes[:MOST_CAUSES]:
        row = alike[0]
        word = shown(row)[0]
        verdict = f"{word}, {row.kind.value}" if row.kind else word
        remedies = (f.remedy for f in row.findings if f.kind is row.kind and f.remedy)
        cells = (
            verdict,
            some_of(map(path, alike)),
            all_or_count(map(fault, alike), "faults"),
            all_or_count(map(shape, alike), "kinds"),
            str(len(alike)),
            why(row),
        )
        yield _row((*cells, next(remedies, "")))
    if any(substituted(row) for alike in causes[:MOST_CAUSES] for row in alike):
        yield ""
        yield escaped(INSTEAD)
    if len(causes) > MOST_CAUSES:
        yield ""
        yield f"{len(causes) - MOST_CAUSES} more causes are in the report."


def _as_key(report: DrillReport) -> str:
    name = report.gateway.as_key
    return "" if name is None else f", as the key {escaped(name)}"


def _headline(report: DrillReport) -> str:
    summary = report.summary
    if summary.failed:
        return f"{summary.failed} of {len(report.drills)} fallback drills failed"
    if summary.aborted or summary.not_started:
        return "the drills were broken off"
    if summary.inconclusive or not summary.passed:
        return "not everything could be proven"
    if summary.known_gaps:
        return "no fallback drill failed, but for known gaps of this LiteLLM"
    return "every fallback drill passed"


def _causes(rows: Sequence[DrillRow]) -> list[list[DrillRow]]:
    """Gather drills that did not pass by what they share; failures first."""
    found: dict[tuple[str, ...], list[DrillRow]] = {}
    for row in rows:
        if row.outcome is not Outcome.PASSED:
            found.setdefault(cause(row), []).append(row)
    order = (Outcome.FAILED, Outcome.ABORTED, Outcome.INCONCLUSIVE)
    return sorted(
        found.values(),
        key=lambda alike: (order.index(alike[0].outcome), alike[0].known_gap is not None),
    )


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(map(escaped, cells))} |"


def escaped(text: str) -> str:
    """Write *text* so that it stays text, on one line."""
    return MARKUP.sub(r"\\\1", " ".join(text.split()))
