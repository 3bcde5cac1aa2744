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
from supervisor.audit.facts import shown_groups
from supervisor.audit.finding import is_engine, is_own
from supervisor.engine.facts import root_of
from supervisor.settings.model import Settings
from supervisor.setup.placement import Placement

TEMPLATE = "understudy.yaml.j2"


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
        groups=[_group(topology, name, group) for name, group in shown_groups(topology).items()],
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
    lines = [
        "Write into litellm_params of every deployment in LiteLLM's configuration, and restart it:",
        "",
        f"  {permission_lines(lanes)}",
        "",
    ]
    without = [
        name
        for name, group in shown_groups(topology).items()
        if not all(permits(d.redirect_permission, lanes) for d in group.deployments)
    ]
    if without:
        lines.append(f"It is missing on: {', '.join(without)}")
    else:
        lines.append("Every deployment has it already.")
    if placement.extra:
        lines += ["", "Write into the Compose file:", ""]
        lines += [f"  {line}" for line in placement.extra.splitlines()]
    return "\n".join(lines)


def _group(topology: Topology, name: str, group: ModelGroup) -> dict[str, str]:
    hops = topology.chain(group.name).fallbacks
    models = list(dict.fromkeys(d.litellm_model for d in group.deployments))
    return {
        "name": _one_line(name),
        "models": _one_line(", ".join(models)),
        "kind": "local" if all(is_own(d) for d in group.deployments) else "paid",
        "chain": _one_line(f", falls back to {', '.join(hops)}" if hops else ""),
    }


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


def _unknown_providers(topology: Topology) -> Mapping[str, list[str]]:
    found = defaultdict[str, list[str]](list)
    for name, group in topology.groups.items():
        for deployment in group.deployments:
            known = deployment.base_url is not None or name in found[deployment.provider]
            if not known:
                found[deployment.provider].append(name)
    return {prefix: names for prefix, names in found.items() if names and prefix}


def _yaml(value: Any) -> str:
    """Write *value* on one line; JSON is YAML."""
    return json.dumps(value, ensure_ascii=False)


def _one_line(text: str) -> str:
    """Keep what others named from ending a comment."""
    return " ".join(text.split())
