"""Configuration that was edited and not loaded."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields
from typing import Any

from supervisor.audit.finding import Audited, AuditFinding, quoted

COMPARED = (
    "num_retries",
    "timeout_s",
    "allowed_fails",
    "cooldown_time_s",
    "retry_policy",
    "fallbacks",
    "context_window_fallbacks",
    "enable_tag_filtering",
)
"""What the gateway tells of both; of the others it shows only one side."""


def config_not_loaded(audited: Audited) -> Iterable[AuditFinding]:
    """The running router differs from its configuration file.

    Source: LiteLLM 1.106.2, run: ``/router/settings`` shows the file as it is now,
    ``/get/config/callbacks`` what the router has loaded.
    """
    for setting, loaded, written in dict.fromkeys([*_told(audited), *_read(audited)]):
        yield AuditFinding(
            code="config_not_loaded",
            severity="warning",
            subject=setting,
            message=f"the running gateway has {setting} = {loaded}, its file says {written}",
            remedy="Restart the gateway, so that it loads its configuration file; drills test "
            "what is running, not what is written.",
        )


def _told(audited: Audited) -> Iterator[tuple[str, str, str]]:
    loaded, file = audited.topology.settings, audited.topology.file_settings
    if file is None:
        return
    names = {field.name for field in fields(file)}
    for name in COMPARED:
        if name not in names:
            continue
        ours, theirs = getattr(loaded, name), getattr(file, name)
        # Nothing written is nothing to differ from: defaults hold.
        if theirs in (None, (), {}) or ours == theirs:
            continue
        yield name.removesuffix("_s"), _shown(ours), _shown(theirs)


def _read(audited: Audited) -> Iterator[tuple[str, str, str]]:
    """Compare with the file that was named on the command line, where there is one."""
    if audited.config is None:
        return
    rows = audited.config.get("model_list")
    written = {
        str(row.get("model_name"))
        for row in (rows if isinstance(rows, list) else ())
        if isinstance(row, Mapping)
    }
    topology = audited.topology
    running = {*topology.groups, *audited.patterns}
    missing = sorted(name for name in written if name not in running and "*" not in name)
    if missing:
        yield "model_list", f"no {quoted(missing)}", f"that there is {quoted(missing)}"
    lists = [
        audited.section(name).get("fallbacks") for name in ("router_settings", "litellm_settings")
    ]
    effective = next((found for found in lists if found), None)
    if isinstance(effective, list):
        entries = _entries(effective)
        if entries is not None and entries != topology.settings.fallbacks:
            yield "fallbacks", _shown(topology.settings.fallbacks), _shown(entries)


def _entries(raw: list[Any]) -> tuple[Mapping[str, tuple[str, ...]], ...] | None:
    """Read a list of fallbacks as the topology has it; None where it is of another kind."""
    entries = []
    for entry in raw:
        if not isinstance(entry, Mapping) or not all(isinstance(v, list) for v in entry.values()):
            return None
        entries.append(
            {
                str(group): tuple(
                    str(t.get("model", "")) if isinstance(t, Mapping) else str(t) for t in targets
                )
                for group, targets in entry.items()
                if group != "*"
            }
        )
    return tuple(entry for entry in entries if entry)


def _shown(value: Any) -> str:
    """Show a value as it would be written."""
    if isinstance(value, tuple):
        return "[" + ", ".join(_shown(part) for part in value) + "]"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {_shown(part)}" for key, part in value.items()) + "}"
    return f"{value:g}" if isinstance(value, float) else str(value)
