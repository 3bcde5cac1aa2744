"""Swaps of engines as JSON: a plan, what was staged, and where each stands."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from supervisor.rollout.exchange.swap import SwapReport
from supervisor.rollout.plan import Plan
from supervisor.rollout.stage import Serving, Staged
from supervisor.store.engines.patches import PatchLook
from supervisor.store.engines.rollouts import JournalRollout


def plan_value(plan: Plan) -> dict[str, Any]:
    """Write a plan; secrets are hidden in its changes already."""
    facts = plan.facts
    return {
        "schema": "understudy/rollout-plan/1",
        "container": facts.file.container,
        "engine": facts.file.engine,
        "refused": bool(plan.refused),
        "needs_acceptance": plan.needs_acceptance,
        "away_s": plan.away_s,
        "most_s": plan.most_s,
        "effective": dict(plan.effective),
        "changes": [asdict(one) for one in plan.changes],
        "findings": [asdict(one) for one in plan.findings],
        "meanwhile": None if plan.covers is None else [asdict(one) for one in plan.covers],
        "why_not_asked": plan.why_not_asked,
        "without_baseline": facts.without_baseline,
    }


def plan_json(plan: Plan) -> str:
    """Write a plan."""
    return json.dumps(plan_value(plan), indent=2)


def staged_json(plan: Plan, staged: Staged) -> str:
    """Write what was staged, with its plan."""
    value = {
        "schema": "understudy/rollout-staged/1",
        "rollout": staged.name,
        "staged": staged.container is not None,
        "container": staged.container,
        "container_id": staged.container_id,
        "image": staged.image_id,
        "folder": str(staged.folder),
        "findings": [asdict(one) for one in staged.findings],
        "plan": plan_value(plan),
    }
    return json.dumps(value, indent=2)


def report_json(report: SwapReport) -> str:
    """Write how a swap, or a way back, ended."""
    value = {
        "schema": "understudy/rollout-report/1",
        **asdict(report),
        "own_s": report.own_s,
    }
    return json.dumps(value, indent=2)


def rollouts_json(rollouts: Sequence[JournalRollout], serving: Mapping[str, Serving]) -> str:
    """Write where each stands."""
    value = {
        "schema": "understudy/rollouts/1",
        "rollouts": [
            {
                **asdict(one),
                "serving": asdict(serving[one.id]) if one.id in serving else None,
            }
            for one in rollouts
        ],
    }
    return json.dumps(value, indent=2, default=_time)


def patches_json(looks: Sequence[PatchLook]) -> str:
    """Write what mounted files replace."""
    value = {
        "schema": "understudy/patches/1",
        "patches": [{**asdict(one), "trouble": one.trouble} for one in looks],
    }
    return json.dumps(value, indent=2, default=_time)


def _time(value: Any) -> str:
    return str(value.isoformat())
