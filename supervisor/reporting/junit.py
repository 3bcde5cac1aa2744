"""The drill report as JUnit XML, for CI systems that show tests.

Valid against Jenkins' ``junit-10.xsd`` (``tests/data``). One test case per drill: a failure is a
failure, a known gap or an inconclusive drill is skipped with its reason, an aborted one an error.
"""

import re
from datetime import UTC
from typing import Final
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from chaos.drill.report import DrillReport, DrillRow, took_s
from chaos.judge.verdict import Outcome
from chaos.scenario.expectation import Expected
from supervisor.reporting.drill_details import deciding

_NOT_XML: Final = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 cannot carry at all, not even escaped; replies of models hold anything."""


def junit_xml(report: DrillReport) -> str:
    """Write *report* as one test suite, with a final line end."""
    rows, summary = report.drills, report.summary
    root = Element("testsuites")
    suite = SubElement(
        root,
        "testsuite",
        name="understudy",
        tests=str(len(rows)),
        failures=str(sum(1 for row in rows if _is_failure(row))),
        errors=str(sum(1 for row in rows if row.outcome is Outcome.ABORTED)),
        skipped=str(sum(1 for row in rows if _skipped(row) is not None)),
        time=_seconds(summary.duration_s),
    )
    if rows:
        began = min(row.started_at for row in rows).astimezone(UTC)
        suite.set("timestamp", began.strftime("%Y-%m-%dT%H:%M:%S"))
    facts = {
        "gateway": report.gateway.url,
        "litellm_version": report.gateway.litellm_version,
        "routed": str(summary.routed),
        "known_gaps": str(summary.known_gaps),
        "not_started": str(summary.not_started),
        "requests": str(summary.requests),
        "tokens": str(summary.tokens),
        "cost_usd": str(summary.cost_usd),
    }
    if report.gateway.as_key is not None:
        facts["as_key"] = report.gateway.as_key
    if report.seed is not None:
        facts["seed"] = str(report.seed)
    properties = SubElement(suite, "properties")
    for name, value in facts.items():
        SubElement(properties, "property", name=name, value=xml_text(value))
    for row in rows:
        _case(suite, row)
    return xml_page(root)


def xml_page(root: Element) -> str:
    """Write *root* as a whole file, with a final line end."""
    indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(root, encoding="unicode") + "\n"


def _name(row: DrillRow) -> str:
    """Name a drill by its scenario, and as whom it asked where that is not in it."""
    client = row.scenario.client
    if client is None or row.scenario.shape.endswith(f".{client}"):
        return row.scenario.key
    return f"{row.scenario.key} as {client}"


def _case(suite: Element, row: DrillRow) -> None:
    case = SubElement(
        suite,
        "testcase",
        name=xml_text(_name(row)),
        classname=xml_text(f"understudy.{row.scenario.group}"),
        time=_seconds(took_s(row) or 0.0),
    )
    reason = _skipped(row)
    if reason is not None:
        SubElement(case, "skipped", message=xml_text(reason))
    elif row.outcome is Outcome.ABORTED:
        error = SubElement(case, "error", type="aborted", message=xml_text(_why(row)))
        error.text = xml_text(_evidence(row))
    elif _is_failure(row):
        failure = SubElement(
            case, "failure", type=row.kind or "failed", message=xml_text(_why(row))
        )
        failure.text = xml_text(_evidence(row))
    SubElement(case, "system-out").text = xml_text(_hops(row))


def _is_failure(row: DrillRow) -> bool:
    return row.outcome is Outcome.FAILED and row.known_gap is None


def _skipped(row: DrillRow) -> str | None:
    """Say why a drill proves nothing; None if it does."""
    if row.outcome is Outcome.FAILED and row.known_gap is not None:
        return f"known gap: {row.kind}: {_why(row)} ({row.known_gap})"
    if row.outcome is Outcome.INCONCLUSIVE:
        return f"inconclusive: {row.kind}: {_why(row)}"
    return None


def _why(row: DrillRow) -> str:
    """Name the finding that gave the verdict its kind."""
    finding = deciding(row)
    return finding.message if finding else (row.kind or row.outcome)


def _evidence(row: DrillRow) -> str:
    lines = []
    for finding in row.findings:
        if finding.kind is not None:
            lines.append(f"{finding.check}: {finding.kind}: {finding.message}")
            if finding.remedy:
                lines.append(f"  remedy: {finding.remedy}")
    return "\n".join(lines)


def _hops(row: DrillRow) -> str:
    lines = [f"drill {row.id}, by {row.injector}, {row.credentials} keys"]
    if row.expected is not Expected.SERVED:
        lines.append(f"expected: {row.expected.value}")
    for hop in row.hops:
        status = "" if hop.status is None else f", status {hop.status}"
        fault = "" if hop.fault is None else f", fault {hop.fault}"
        lines.append(f"{hop.group}: {hop.outcome}, {hop.attempts} attempt(s){status}{fault}")
    return "\n".join(lines)


def _seconds(value: float) -> str:
    """Write seconds as the schema takes them: three decimals."""
    return f"{value:.3f}"


def xml_text(text: str) -> str:
    """Leave out what XML cannot carry."""
    return _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", text)
