"""What an upgrade of LiteLLM changes, for programs: JSON, and JUnit XML for CI systems."""

import json
from typing import Any
from xml.etree.ElementTree import Element, SubElement

from chaos.drill.report import DrillRow
from supervisor.campaign.upgrade import Upgrade, What, in_words
from supervisor.reporting.junit import xml_page, xml_text


def upgrade_json(upgrade: Upgrade) -> str:
    """Write it whole; ``before`` and ``after`` of a change are the drills' outcomes."""
    value = {
        "schema": "understudy/upgrade-report/1",
        "from": upgrade.before,
        "to": upgrade.after,
        "drills": upgrade.drills,
        "said": in_words(upgrade),
        "counts": {what.value: len(upgrade.of(what)) for what in What},
        "changes": [
            {
                "scenario": one.before.scenario.key,
                "what": one.what.value,
                "words": one.words,
                "before": _outcome(one.before),
                "after": _outcome(one.after),
            }
            for one in upgrade.changes
        ],
        "unsteady": upgrade.unsteady,
        "only_one_has": upgrade.gone,
        "unproven": upgrade.unproven,
        "stopped": upgrade.stopped,
    }
    return json.dumps(value, indent=2)


def upgrade_junit(upgrade: Upgrade) -> str:
    """Write a test case for each change: worse is a failure, what cannot be told is skipped."""
    root = Element("testsuites")
    unknown = upgrade.of(What.UNTOLD)
    suite = SubElement(
        root,
        "testsuite",
        name="understudy-upgrade",
        tests=str(max(len(upgrade.changes), 1)),
        failures=str(len(upgrade.of(What.WORSE))),
        errors="0",
        skipped=str(len(unknown)),
    )
    properties = SubElement(suite, "properties")
    facts = {"from": upgrade.before, "to": upgrade.after, "drills": str(upgrade.drills)}
    for name, fact in facts.items():
        SubElement(properties, "property", name=name, value=xml_text(fact))
    if not upgrade.changes:
        SubElement(suite, "testcase", name=in_words(upgrade), classname="understudy", time="0")
    for one in upgrade.changes:
        scenario = one.before.scenario
        case = SubElement(
            suite,
            "testcase",
            name=xml_text(scenario.key),
            classname=xml_text(f"understudy.{scenario.group}"),
            time="0",
        )
        if one.what is What.WORSE:
            SubElement(case, "failure", type=str(one.after.kind), message=xml_text(one.words))
        elif one.what is What.UNTOLD:
            SubElement(case, "skipped", message=xml_text(one.words))
        SubElement(case, "system-out").text = xml_text(one.words)
    return xml_page(root)


def _outcome(row: DrillRow) -> dict[str, Any]:
    return {
        "drill": row.id,
        "outcome": row.outcome.value,
        "kind": row.kind.value if row.kind else None,
        "served_by": row.reply.served_by,
        "known_gap": row.known_gap,
    }
