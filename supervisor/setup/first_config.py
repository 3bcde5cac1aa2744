"""Write a first configuration from what the running gateway says, and LiteLLM's own lines."""

import json
from collections import defaultdict
from collections.abc import Mapping
from datetime import date, timedelta
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined

from chaos.drill.injectors.redirect import version_objection
from chaos.gateway.redirect_permission import lane_urls, permission_lines, permits
from chaos.gateway.topology import ModelGroup, Topology
from chaos.naming import MOST_NAMED, some_of
from supervisor.audit.facts import shown_groups
from supervisor.audit.finding import is_engine, is_own
from supervisor.engine.facts import root_of
from supervisor.settings.model import Settings
from supervisor.setup.placement import Placement

TEMPLATE = "understudy.yaml.j2"
MOST_LINES = 40
"""Kinds of groups that the file describes; it is there to be read."""


def first_config(
    settings: Settings,
    topology: Topology,
    placement: Placement,
    *,
    today: date,
    litellm_config: Path | None = None,
) -> str:
    """Write the commented configuration; it passes ``understudy config check``.

    Args:
        settings: What is known already: the gateway's URL, and where its keys are.
        litellm_config: The file that the gateway was started with, where that is known.
    """
    environment = Environment(
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=StrictUndefined,
        autoescape=False,  # noqa: S701 -- YAML, not HTML; every value goes through the filter
    )
    environment.filters["yaml"] = _yaml
    template = environment.from_string(
        files("supervisor.setup").joinpath("templates").joinpath(TEMPLATE).read_text()
    )
    gateway = settings.gateway
    engines = {**_engines(topology), **_named(settings)}
    return template.render(
        url=gateway.url,
        key=gateway.key.model_dump(mode="json", exclude_none=True) if gateway.key else None,
        admin_key=(
            gateway.admin_key.model_dump(mode="json", exclude_none=True)
            if gateway.admin_key
            else None
        ),
        version=_one_line(topology.litellm_version),
        groups=_groups(topology),
        placement=placement,
        litellm_config=str(litellm_config) if litellm_config else None,
        only_twin=version_objection(topology.litellm_version) is not None,
        engines=engines,
        wildcards=topology.standing,
        providers=_unknown_providers(topology),
        until=today + timedelta(days=30),
    )


def litellm_lines(topology: Topology, placement: Placement) -> str:
    """Write what LiteLLM's configuration needs, so that drills can be redirected."""
    lanes = lane_urls(placement.url)
    groups = shown_groups(topology)
    without = [
        name
        for name, group in groups.items()
        if not all(permits(d.redirect_permission, lanes) for d in group.deployments)
    ]
    needed = (
        "Write into litellm_params of every deployment in LiteLLM's configuration, and restart it:"
        if without
        else "Every deployment in LiteLLM's configuration has it already:"
    )
    lines = [needed, "", f"  {permission_lines(lanes)}"]
    if without:
        lines.append("")
    if len(without) > MOST_NAMED:
        count = f"all {len(groups)}" if len(without) == len(groups) else f"{len(without)}"
        lines.append(f"It is missing on {count} model groups: {some_of(without, MOST_NAMED)}.")
        lines.append("Every one of them: understudy doctor --format json")
    elif without:
        lines.append(f"It is missing on: {', '.join(without)}")
    if placement.extra:
        lines += ["", "Write into the Compose file:", ""]
        lines += [f"  {line}" for line in placement.extra.splitlines()]
    return "\n".join(lines)


def _groups(topology: Topology) -> list[str]:
    """Describe every group, those that are alike together, in the order of their first."""
    alike = defaultdict[str, list[str]](list)
    for name, group in shown_groups(topology).items():
        alike[_described(topology, group)].append(name)
    lines = [f"{some_of(names, MOST_NAMED)}: {what}" for what, names in alike.items()]
    left = len(lines) - MOST_LINES
    return [*map(_one_line, lines[:MOST_LINES]), *([f"and {left} more"] if left > 0 else [])]


def _described(topology: Topology, group: ModelGroup) -> str:
    hops = topology.chain(group.name).fallbacks
    models = dict.fromkeys(d.litellm_model for d in group.deployments)
    kind = "local" if all(is_own(d) for d in group.deployments) else "paid"
    chain = f", falls back to {', '.join(hops)}" if hops else ""
    return f"{', '.join(models)}, {kind}{chain}"


def _engines(topology: Topology) -> dict[str, str]:
    """List the local engines; a group with several has them told apart by their address."""
    found = {}
    for name, group in topology.groups.items():
        urls = [root_of(d.base_url) for d in group.deployments if is_engine(d) and d.base_url]
        if urls:
            found[name] = urls[0]
    return found


def _named(settings: Settings) -> dict[str, str | dict[str, Any]]:
    """Keep what is known of each engine: its URL, or more."""
    told = {
        name: engine.model_dump(mode="json", exclude_none=True)
        for name, engine in settings.engines.items()
    }
    return {name: one["url"] if one.keys() == {"url"} else one for name, one in told.items()}


def _unknown_providers(topology: Topology) -> Mapping[str, str]:
    """Name the groups of each provider, the first of many."""
    found = defaultdict[str, list[str]](list)
    for name, group in topology.groups.items():
        for deployment in group.deployments:
            known = deployment.base_url is not None or name in found[deployment.provider]
            if not known:
                found[deployment.provider].append(name)
    return {
        prefix: _one_line(some_of(names)) for prefix, names in found.items() if names and prefix
    }


def _yaml(value: Any) -> str:
    """Write *value* on one line; JSON is YAML."""
    return json.dumps(value, ensure_ascii=False)


def _one_line(text: str) -> str:
    """Keep what others named from ending a comment."""
    return " ".join(text.split())
