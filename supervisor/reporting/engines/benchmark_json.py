"""Write a comparison of two benchmarks as JSON.

Shape:
    {"schema": "understudy/benchmark-comparison/1", "a": ID, "b": ID, "verdict": str,
     "boots": {"a": int, "b": int}, "boot_spread_ratio": float, "boot_spread_assumed": bool,
     "rows": [{"text": str, "concurrency": int, "a_tokens_per_s": float, "b_tokens_per_s": float,
               "speed": {"ratio": float, "low": float, "high": float, "verdict": str},
               "first_token": {...} | null, "verdict": str}],
     "changed": [{"what": str, "a": str, "b": str}], "remarks": [str]}
"""

import json
from typing import Any

from supervisor.baseline.compare import Comparison, Ratio

SCHEMA = "understudy/benchmark-comparison/1"


def comparison_json(found: Comparison) -> str:
    """Write *found*."""
    return json.dumps(
        {
            "schema": SCHEMA,
            "a": found.before.id,
            "b": found.after.id,
            "verdict": found.verdict.value,
            "boots": {"a": found.boots[0], "b": found.boots[1]},
            "boot_spread_ratio": found.boot_spread_ratio,
            "boot_spread_assumed": found.assumed,
            "rows": [
                {
                    "text": row.text,
                    "concurrency": row.concurrency,
                    "a_tokens_per_s": row.before_tps,
                    "b_tokens_per_s": row.after_tps,
                    "speed": _ratio(row.speed),
                    "first_token": _ratio(row.first_token),
                    "verdict": row.verdict.value,
                }
                for row in found.rows
            ],
            "changed": [
                {"what": what, "a": before, "b": after} for what, before, after in found.changed
            ],
            "remarks": list(found.remarks),
        },
        indent=2,
    )


def _ratio(one: Ratio | None) -> dict[str, Any] | None:
    if one is None:
        return None
    return {"ratio": one.middle, "low": one.low, "high": one.high, "verdict": one.verdict.value}
