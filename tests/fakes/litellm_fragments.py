"""Write a finding's lines into LiteLLM's configuration, as its reader would."""

from copy import deepcopy
from typing import Any


def with_fragment(config: Any, fragment: Any) -> dict[str, Any]:
    """Merge *fragment*; see ``AuditFinding.config`` for how."""
    merged = deepcopy(dict(config))
    for section, value in deepcopy(dict(fragment)).items():
        if section == "model_list":
            for row in value:
                _change(merged["model_list"], row)
            continue
        have = merged.setdefault(section, {})
        for key, setting in value.items():
            entries = key.endswith("fallbacks") and key != "default_fallbacks"
            have[key] = _entries(have.get(key) or [], setting) if entries else setting
    return merged


def _change(rows: list[dict[str, Any]], change: dict[str, Any]) -> None:
    for row in rows:
        if row["model_name"] == change["model_name"]:
            for part in change.keys() - {"model_name"}:
                row[part] = {**row.get(part, {}), **change[part]}


def _entries(have: list[Any], new: list[Any]) -> list[Any]:
    """Put each new entry in the place of its group's, or at the end."""
    replaced = {key: entry for entry in new for key in entry}
    kept = [replaced.pop(next(iter(entry)), entry) for entry in have]
    return [*kept, *replaced.values()]
